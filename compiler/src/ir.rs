//! What passes between authorization and targets: requests, and the verdicts on them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::agent::{Access, AgentSpec};
use crate::model::cluster::ClusterSpec;
use crate::model::connector::ConnectorSpec;
use crate::model::data_class::DataClassSpec;
use crate::model::data_store::DataStoreSpec;
use crate::model::environment::EnvironmentSpec;
use crate::model::gateway::GatewaySpec;
use crate::model::model::ModelSpec;
pub use crate::model::policy_test::Action;
use crate::model::route::RouteSpec;
use crate::model::tenant::TenantSpec;
use crate::model::trigger::AgentTrigger;
use crate::model::waiver::WaiverSpec;
use crate::model::workload::WorkloadSpec;
use crate::model::{Id, KindName};
use crate::resolve::{Graph, Residency};
use crate::source::Span;

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Principal {
    /// An agent.
    Agent(Id<AgentSpec>),
    /// A workload.
    Workload(Id<WorkloadSpec>),
    /// A gateway, for the tenants of a route.
    Gateway(Id<GatewaySpec>),
    /// A tenant.
    Tenant(Id<TenantSpec>),
    /// A route, whose content comes to rest somewhere.
    Route(Id<RouteSpec>),
    /// An environment, for what all of it shares.
    Environment(Id<EnvironmentSpec>),
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Object {
    /// A model.
    Model(Id<ModelSpec>),
    /// A connector.
    Connector(Id<ConnectorSpec>),
    /// A tool of an agent, by its position.
    Tool(Id<AgentSpec>, usize),
    /// A region.
    Region(Arc<str>),
    /// A cluster.
    Cluster(Id<ClusterSpec>),
    /// A route.
    Route(Id<RouteSpec>),
    /// Another agent.
    Agent(Id<AgentSpec>),
    /// A place for content.
    DataStore(Id<DataStoreSpec>),
    /// An environment, for what it provides to all.
    Environment(Id<EnvironmentSpec>),
}

/// Circumstances of a call of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invocation {
    /// Region of the call.
    pub source: Arc<str>,
    /// Region of processing, `global` or `unknown`.
    pub region: Arc<str>,
    /// The inference profile that moves the call.
    pub profile: Option<Arc<str>>,
    /// The route that it serves.
    pub route: Option<Id<RouteSpec>>,
    /// Whether it is a fallback.
    pub fallback: bool,
    /// The highest class of data in it.
    pub class: Id<DataClassSpec>,
    /// What residency rules allow.
    pub residency: Option<Arc<Residency>>,
}

/// Circumstances of content that comes to rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Storage {
    /// What kind of place, for instance `memory`.
    pub place: &'static str,
    /// The highest class of data in it.
    pub class: Id<DataClassSpec>,
    /// Whether it is encrypted with a key of the customer.
    pub customer_managed_key: bool,
    /// Whether it cannot be changed.
    pub immutable: bool,
    /// How long it is kept, in days.
    pub retention_days: Option<u64>,
    /// The place, where it is a resource.
    pub store: Option<Id<DataStoreSpec>>,
    /// What residency rules allow.
    pub residency: Option<Arc<Residency>>,
}

/// What stands for the gate of a connector where a gate calls the function that decides for it.
pub const VERIFICATION: &str = "verification";

/// Who calls the tools of an agent that names no callers: the agent itself.
pub const ROLE: &str = "role";

/// What stands for the gate of a secret that is read to prove who calls something else.
pub const CREDENTIAL: &str = "credential";

/// Circumstances that decide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Circumstances {
    /// Of a call of a model.
    Invocation(Box<Invocation>),
    /// Of the use of a connector: its gate and residency.
    Connector {
        /// What stands before a call, [`VERIFICATION`] or [`CREDENTIAL`].
        gate: &'static str,
        /// What residency rules allow.
        residency: Option<Arc<Residency>>,
    },
    /// Of a tool.
    Tool {
        /// What it does with its connector.
        access: Access,
        /// What stands before a call.
        gate: &'static str,
        /// Who calls: the agent by its `role`, or whoever has a token.
        callers: Arc<str>,
    },
    /// Of content that comes to rest.
    Storage(Box<Storage>),
    /// Of placement.
    Placement {
        /// The highest class of data.
        class: Id<DataClassSpec>,
        /// What residency rules allow.
        residency: Option<Arc<Residency>>,
    },
    /// Of a namespace.
    Namespace {
        /// Its name.
        name: Arc<str>,
        /// The highest class of data in it.
        class: Id<DataClassSpec>,
        /// What residency rules allow.
        residency: Option<Arc<Residency>>,
    },
    /// Of a route, whose requests pass through the region of its gateway.
    Route {
        /// What residency rules allow.
        residency: Option<Arc<Residency>>,
    },
    /// Of support: `logs`, `role`, `image`, `trigger` or `budget`.
    Support(&'static str),
    /// Of a start of an agent, by the position of what starts it.
    Trigger(usize),
    /// Nothing more than the environment.
    Plain,
}

impl Circumstances {
    /// What residency rules allow, where they have a say.
    pub fn residency(&self) -> Option<&Arc<Residency>> {
        match self {
            Self::Invocation(call) => call.residency.as_ref(),
            Self::Storage(storage) => storage.residency.as_ref(),
            Self::Connector { residency, .. }
            | Self::Namespace { residency, .. }
            | Self::Placement { residency, .. }
            | Self::Route { residency } => residency.as_ref(),
            Self::Tool { .. } | Self::Support(_) | Self::Trigger(_) | Self::Plain => None,
        }
    }

    /// The call of a model, if it is one.
    pub fn invocation(&self) -> Option<&Invocation> {
        if let Self::Invocation(call) = self { Some(call) } else { None }
    }
}

/// One request, from one place in a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessRequest {
    /// Who asks.
    pub principal: Principal,
    /// To do what.
    pub action: Action,
    /// With what.
    pub object: Object,
    /// Where.
    pub environment: Id<EnvironmentSpec>,
    /// On whose behalf.
    pub tenant: Option<Id<TenantSpec>>,
    /// Under which circumstances.
    pub circumstances: Circumstances,
    /// The line that asks.
    pub span: Span,
}

/// A Cedar policy, by its position in the policies of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PolicyIndex(pub u32);

/// What Cedar said to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Permitted by these policies.
    Permitted(Vec<PolicyIndex>),
    /// Forbidden by these policies.
    Forbidden(Vec<PolicyIndex>),
    /// No policy permits it.
    NotPermitted,
}

/// A policy that forbids a request, and the waiver because of which it does not stop it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Waiving {
    /// The policy.
    pub policy: PolicyIndex,
    /// The waiver.
    pub waiver: Id<WaiverSpec>,
}

/// A request and its verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The request.
    pub request: AccessRequest,
    /// The verdict, as Cedar gives it without the policies that are waived.
    pub outcome: Outcome,
    /// What forbids it and is waived, sorted. No waiver permits: some policy still has to.
    pub waived: Box<[Waiving]>,
}

impl Decision {
    /// Whether Cedar permitted it.
    pub fn permitted(&self) -> bool {
        matches!(self.outcome, Outcome::Permitted(_))
    }
}

/// A policy as people know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyFact {
    /// Its `@id`.
    pub id: String,
    /// Its `@title`, if it has one.
    pub title: Option<String>,
    /// Its `@help`, if it has one.
    pub help: Option<String>,
    /// Where it is written.
    pub span: Span,
    /// Its first line after the annotations, which is what findings show.
    pub head: Span,
}

impl Principal {
    /// Kind and name.
    pub fn label(self, graph: &Graph) -> (KindName, String) {
        (self.kind(), self.name(graph).to_owned())
    }

    /// The kind.
    pub fn kind(self) -> KindName {
        match self {
            Self::Agent(_) => KindName::Agent,
            Self::Workload(_) => KindName::Workload,
            Self::Gateway(_) => KindName::Gateway,
            Self::Tenant(_) => KindName::Tenant,
            Self::Route(_) => KindName::Route,
            Self::Environment(_) => KindName::Environment,
        }
    }

    /// The name.
    pub fn name(self, graph: &Graph) -> &str {
        match self {
            Self::Agent(id) => graph.name(id),
            Self::Workload(id) => graph.name(id),
            Self::Gateway(id) => graph.name(id),
            Self::Tenant(id) => graph.name(id),
            Self::Route(id) => graph.name(id),
            Self::Environment(id) => graph.name(id),
        }
    }
}

impl Object {
    /// Kind and name. A tool is named after its agent and itself.
    pub fn label(&self, graph: &Graph) -> (&'static str, String) {
        (self.kind(), self.name(graph).into_owned())
    }

    /// The kind.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Model(_) => "Model",
            Self::Connector(_) => "Connector",
            Self::Tool(..) => "Tool",
            Self::Region(_) => "Region",
            Self::Cluster(_) => "Cluster",
            Self::Route(_) => "Route",
            Self::Agent(_) => "Agent",
            Self::DataStore(_) => "DataStore",
            Self::Environment(_) => "Environment",
        }
    }

    /// The name.
    pub fn name<'n>(&'n self, graph: &'n Graph) -> Cow<'n, str> {
        match self {
            Self::Model(id) => graph.name(*id).into(),
            Self::Connector(id) => graph.name(*id).into(),
            Self::Tool(agent, at) => tool_name(graph, *agent, *at).into(),
            Self::Region(region) => Cow::Borrowed(region),
            Self::Cluster(id) => graph.name(*id).into(),
            Self::Route(id) => graph.name(*id).into(),
            Self::Agent(id) => graph.name(*id).into(),
            Self::DataStore(id) => graph.name(*id).into(),
            Self::Environment(id) => graph.name(*id).into(),
        }
    }
}

/// The name of a tool: that of its agent, a dot, and its own.
pub fn tool_name(graph: &Graph, agent: Id<AgentSpec>, at: usize) -> String {
    let tool = graph.resource(agent).and_then(|agent| agent.spec.tools.get(at));
    format!("{}.{}", graph.name(agent), tool.map_or("", |tool| tool.name.value.as_str()))
}

impl AccessRequest {
    /// What starts the agent that asks, where that is asked about.
    pub fn trigger<'g>(&self, graph: &'g Graph) -> Option<&'g AgentTrigger> {
        let (Principal::Agent(id), Circumstances::Trigger(at)) = (self.principal, &self.circumstances) else {
            return None;
        };
        graph.resource(id)?.spec.triggers.get(*at)
    }

    /// What of a connector is meant, so that a wider connector shows as a wider grant.
    fn scope(&self, graph: &Graph) -> Option<String> {
        let Object::Connector(id) = self.object else { return None };
        graph.resource(id).map(|connector| connector.spec.kind.scope())
    }

    /// What decides, as words: what `why`, `can` and effects show.
    pub fn facts(&self, graph: &Graph) -> BTreeMap<&'static str, String> {
        let mut facts = BTreeMap::new();
        match &self.circumstances {
            Circumstances::Invocation(call) => {
                facts.insert("region", call.region.to_string());
                facts.insert("sourceRegion", call.source.to_string());
                facts.insert("dataClass", graph.name(call.class).to_owned());
                facts.extend(call.profile.as_ref().map(|profile| ("profile", profile.to_string())));
                facts.extend(call.route.map(|route| ("route", graph.name(route).to_owned())));
                if call.fallback {
                    facts.insert("fallback", "true".to_owned());
                }
            }
            Circumstances::Connector { gate, .. } => {
                facts.insert("gate", (*gate).to_owned());
                facts.extend(self.scope(graph).map(|scope| ("scope", scope)));
            }
            Circumstances::Tool { access, gate, callers } => {
                facts.insert("access", access.word().to_owned());
                facts.insert("gate", (*gate).to_owned());
                if &**callers != ROLE {
                    facts.insert("callers", callers.to_string());
                }
            }
            Circumstances::Storage(storage) => {
                facts.insert("place", storage.place.to_owned());
                facts.insert("dataClass", graph.name(storage.class).to_owned());
            }
            Circumstances::Placement { class, .. } => {
                facts.insert("dataClass", graph.name(*class).to_owned());
            }
            Circumstances::Namespace { name, class, .. } => {
                facts.insert("namespace", name.to_string());
                facts.insert("dataClass", graph.name(*class).to_owned());
            }
            Circumstances::Support(need) => _ = facts.insert("need", (*need).to_owned()),
            Circumstances::Trigger(_) => {
                facts.insert("need", "trigger".to_owned());
                facts.extend(self.trigger(graph).into_iter().flat_map(|trigger| {
                    [("trigger", trigger.word().to_owned()), ("startedBy", trigger.phrase())]
                }));
            }
            Circumstances::Route { .. } | Circumstances::Plain => {}
        }
        facts.extend(self.tenant.map(|tenant| ("tenant", graph.name(tenant).to_owned())));
        facts
    }
}
