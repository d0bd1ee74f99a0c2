//! Resources as Cedar entities, in slices that hold what one group of requests can reach.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::{Arc, LazyLock};

use cedar_policy::{Entities, EntityId, EntityTypeName, EntityUid};
use cedar_policy_core::ast;

use super::shared::Shared;
use super::value::{
    Value, bool, class_names, class_rank_of, datetime, entities as refs, entity, long, set, string,
};
use crate::catalog::LifecycleFact;
use crate::ir::{Object, Principal, tool_name};
use crate::model::agent::AgentSpec;
use crate::model::cluster::ClusterSpec;
use crate::model::connector::{ConnectorKind, ConnectorSpec};
use crate::model::data_store::DataStoreSpec;
use crate::model::environment::EnvironmentSpec;
use crate::model::gateway::GatewaySpec;
use crate::model::model::ModelSpec;
use crate::model::reference::Ref;
use crate::model::route::RouteSpec;
use crate::model::tenant::{ModelAccess, TenantSpec};
use crate::model::workload::WorkloadSpec;
use crate::model::{Id, KindName, Spec};
use crate::resolve::{Graph, class_rank};

/// Names of entity types, parsed once.
static TYPES: LazyLock<BTreeMap<&'static str, EntityTypeName>> = LazyLock::new(|| {
    let kinds = KindName::ALL.iter().map(|kind| kind.word()).chain(["Action", "Artifact", "Region", "Tool"]);
    kinds.filter_map(|kind| Some((kind, kind.parse().ok()?))).collect()
});

/// The entity of a resource.
pub(super) fn uid(kind: &'static str, name: &str) -> EntityUid {
    #[expect(clippy::expect_used, reason = "kinds are words of the schema")]
    let kind = TYPES.get(kind).expect("the name of an entity type");
    EntityUid::from_type_name_and_id(kind.clone(), EntityId::new(name))
}

/// The entity of a resource by its id.
pub(super) fn uid_of<S: Spec>(graph: &Graph, id: Id<S>) -> EntityUid {
    uid(S::KIND.word(), graph.name(id))
}

/// The entity of a principal, then those above it.
pub(super) fn principal(graph: &Graph, principal: Principal) -> Vec<EntityUid> {
    let own = uid(principal.kind().word(), principal.name(graph));
    let tenant = match principal {
        Principal::Agent(id) => graph.resource(id).and_then(|agent| agent.spec.tenant.id()),
        Principal::Workload(id) => graph.resource(id).and_then(|workload| workload.spec.tenant.id()),
        Principal::Gateway(_) | Principal::Tenant(_) | Principal::Route(_) | Principal::Environment(_) => {
            None
        }
    };
    std::iter::once(own).chain(tenant.map(|id| uid_of(graph, id))).collect()
}

/// The entity of what is asked for.
pub(super) fn object(graph: &Graph, object: &Object) -> EntityUid {
    uid(object.kind(), &object.name(graph))
}

/// What an entity is made from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    Agent(Id<AgentSpec>),
    Cluster(Id<ClusterSpec>),
    Connector(Id<ConnectorSpec>),
    DataStore(Id<DataStoreSpec>),
    Environment(Id<EnvironmentSpec>),
    Gateway(Id<GatewaySpec>),
    Model(Id<ModelSpec>),
    Region(Arc<str>),
    Route(Id<RouteSpec>),
    Tenant(Id<TenantSpec>),
    Tool(Id<AgentSpec>, usize),
    Workload(Id<WorkloadSpec>),
}

impl From<Principal> for Key {
    fn from(principal: Principal) -> Self {
        match principal {
            Principal::Agent(id) => Self::Agent(id),
            Principal::Workload(id) => Self::Workload(id),
            Principal::Gateway(id) => Self::Gateway(id),
            Principal::Tenant(id) => Self::Tenant(id),
            Principal::Route(id) => Self::Route(id),
            Principal::Environment(id) => Self::Environment(id),
        }
    }
}

impl From<&Object> for Key {
    fn from(object: &Object) -> Self {
        match object {
            Object::Model(id) => Self::Model(*id),
            Object::Connector(id) => Self::Connector(*id),
            Object::Tool(agent, at) => Self::Tool(*agent, *at),
            Object::Region(region) => Self::Region(Arc::clone(region)),
            Object::Cluster(id) => Self::Cluster(*id),
            Object::Route(id) => Self::Route(*id),
            Object::Agent(id) => Self::Agent(*id),
            Object::DataStore(id) => Self::DataStore(*id),
            Object::Environment(id) => Self::Environment(*id),
        }
    }
}

/// What many groups reach: all but what belongs to one agent or route.
pub(super) fn shared_keys(graph: &Graph) -> impl Iterator<Item = Key> {
    let places =
        graph.each().map(|(id, _)| Key::Environment(id)).chain(graph.each().map(|(id, _)| Key::Cluster(id)));
    let stores =
        graph.each().map(|(id, _)| Key::DataStore(id)).chain(graph.each().map(|(id, _)| Key::Gateway(id)));
    let models =
        graph.each().map(|(id, _)| Key::Model(id)).chain(graph.each().map(|(id, _)| Key::Tenant(id)));
    let regions = graph.catalog().regions().map(|region| Key::Region(region.id.as_str().into()));
    places.chain(stores).chain(models).chain(regions)
}

/// All that a workspace has.
pub(super) fn every_key(graph: &Graph) -> impl Iterator<Item = Key> {
    let agents = graph.each::<AgentSpec>().flat_map(|(id, agent)| {
        let tools = (0..agent.spec.tools.len()).map(move |at| Key::Tool(id, at));
        std::iter::once(Key::Agent(id)).chain(tools)
    });
    let connectors = graph.each().map(|(id, _)| Key::Connector(id));
    let routes = graph.each().map(|(id, _)| Key::Route(id));
    let workloads = graph.each().map(|(id, _)| Key::Workload(id));
    shared_keys(graph).chain(agents).chain(connectors).chain(routes).chain(workloads)
}

/// Collects entities, each once, together with everything that their attributes name.
pub(super) struct Slice<'s> {
    shared: &'s Shared<'s>,
    wanted: BTreeSet<Key>,
}

impl<'s> Slice<'s> {
    pub(super) fn new(shared: &'s Shared<'s>) -> Self {
        Self { shared, wanted: BTreeSet::new() }
    }

    /// Adds an entity and everything that it names, unless it is there already.
    pub(super) fn add(&mut self, key: impl Into<Key>) {
        let key = key.into();
        if !self.wanted.contains(&key) {
            self.wanted.insert(key.clone());
            self.add_named(&key);
        }
    }

    /// The entities, checked against the schema.
    pub(super) fn finish(self) -> Result<Entities, String> {
        let found = self.wanted.iter().filter_map(|key| self.shared.entity(key));
        self.shared.entities(found.collect::<Result<_, _>>()?)
    }

    fn add_named(&mut self, key: &Key) {
        let graph = self.shared.graph;
        match key {
            Key::Agent(id) => {
                let Some(agent) = graph.resource(*id) else { return };
                let Some(tenant) = agent.spec.tenant.id() else { return };
                self.add(Key::Tenant(tenant));
                agent
                    .spec
                    .environments
                    .iter()
                    .filter_map(Ref::id)
                    .for_each(|id| self.add(Key::Environment(id)));
            }
            Key::Cluster(id) => {
                let environment = graph.resource(*id).and_then(|cluster| cluster.spec.environment.id());
                environment.into_iter().for_each(|id| self.add(Key::Environment(id)));
            }
            Key::Gateway(id) => {
                let environment = graph.resource(*id).and_then(|gateway| gateway.spec.environment.id());
                environment.into_iter().for_each(|id| self.add(Key::Environment(id)));
            }
            Key::Route(id) => {
                let gateway = graph.resource(*id).and_then(|route| route.spec.gateway.id());
                gateway.into_iter().for_each(|id| self.add(Key::Gateway(id)));
            }
            Key::Tenant(id) => {
                let Some(tenant) = graph.resource(*id) else { return };
                tenant.spec.models.iter().filter_map(Ref::id).for_each(|id| self.add(Key::Model(id)));
                tenant
                    .spec
                    .environments
                    .iter()
                    .filter_map(Ref::id)
                    .for_each(|id| self.add(Key::Environment(id)));
            }
            Key::Tool(agent, at) => {
                let tool = graph.resource(*agent).and_then(|agent| agent.spec.tools.get(*at));
                let connector = tool.and_then(|tool| tool.connector.id());
                connector.into_iter().for_each(|id| self.add(Key::Connector(id)));
            }
            Key::Workload(id) => {
                let tenant = graph.resource(*id).and_then(|workload| workload.spec.tenant.id());
                tenant.into_iter().for_each(|id| self.add(Key::Tenant(id)));
            }
            Key::Connector(_) | Key::DataStore(_) | Key::Environment(_) | Key::Model(_) | Key::Region(_) => {}
        }
    }
}

pub(super) type Attributes = Vec<(&'static str, Value)>;

/// The parts of an entity.
pub(super) struct Made {
    /// Its type.
    pub(super) kind: &'static str,
    name: String,
    parent: Option<EntityUid>,
    pub(super) attributes: Attributes,
}

impl Made {
    pub(super) fn of(kind: &'static str, name: &str, attributes: Attributes) -> Self {
        Self { kind, name: name.to_owned(), parent: None, attributes }
    }

    fn below(self, parent: EntityUid) -> Self {
        Self { parent: Some(parent), ..self }
    }

    pub(super) fn entity(self) -> ast::Entity {
        let attributes =
            self.attributes.into_iter().map(|(key, value)| (key.into(), ast::PartialValue::Value(value)));
        let parents: HashSet<_> = self.parent.map(Into::into).into_iter().collect();
        let own = uid(self.kind, &self.name).into();
        ast::Entity::new_with_attr_partial_value(own, attributes, HashSet::new(), parents, [])
    }
}

/// The parts of an entity; nothing for a resource that names none of what it must.
pub(super) fn make(graph: &Graph, key: &Key) -> Option<Result<Made, String>> {
    Some(Ok(match key {
        Key::Agent(id) => agent(graph, *id)?,
        Key::Cluster(id) => cluster(graph, *id)?,
        Key::Connector(id) => connector(graph, *id)?,
        Key::DataStore(id) => data_store(graph, *id)?,
        Key::Environment(id) => environment(graph, *id)?,
        Key::Gateway(id) => gateway(graph, *id)?,
        Key::Model(id) => return model(graph, *id),
        Key::Region(id) => region(graph, id),
        Key::Route(id) => route(graph, *id)?,
        Key::Tenant(id) => tenant(graph, *id)?,
        Key::Tool(agent, at) => tool(graph, *agent, *at)?,
        Key::Workload(id) => workload(graph, *id)?,
    }))
}

fn environment(graph: &Graph, id: Id<EnvironmentSpec>) -> Option<Made> {
    let found = graph.resource(id)?;
    let logging = found.spec.logging.as_ref();
    let attributes = vec![
        ("name", string(found.name().as_str())),
        ("regions", set(found.spec.aws.regions.iter().map(|region| region.value.as_str()))),
        ("invocationLogging", bool(logging.is_some_and(|logging| logging.invocations.is_some()))),
    ];
    Some(Made::of("Environment", found.name().as_str(), attributes))
}

fn region(graph: &Graph, id: &str) -> Made {
    let jurisdictions = graph.catalog().region(id).map(|region| &region.jurisdictions);
    let jurisdictions = set(jurisdictions.into_iter().flatten().map(String::as_str));
    Made::of("Region", id, vec![("name", string(id)), ("jurisdictions", jurisdictions)])
}

fn tenant(graph: &Graph, id: Id<TenantSpec>) -> Option<Made> {
    let found = graph.resource(id)?;
    let spec = &found.spec;
    let access = spec.model_access.as_ref().map_or(ModelAccess::Any, |word| word.value);
    let attributes = vec![
        ("name", string(found.name().as_str())),
        ("owner", string(spec.owner.value.as_str())),
        ("modelAccess", string(access.word())),
        ("clearance", class_names(&spec.clearance)),
        ("clearanceRank", long(class_rank_of(graph, &spec.clearance))),
        ("models", refs(graph, &spec.models)),
        ("environments", refs(graph, &spec.environments)),
    ];
    Some(Made::of("Tenant", found.name().as_str(), attributes))
}

fn agent(graph: &Graph, id: Id<AgentSpec>) -> Option<Made> {
    let found = graph.resource(id)?;
    let spec = &found.spec;
    let tenant = spec.tenant.id()?;
    let of_tenant = graph.resource(tenant).map(|tenant| tenant.spec.clearance.as_slice());
    let clearance = if spec.clearance.is_empty() { of_tenant.unwrap_or_default() } else { &spec.clearance };
    let runtime = spec.runtime.as_ref().map_or("agentcore", |runtime| runtime.value.word());
    let mut attributes = vec![
        ("name", string(found.name().as_str())),
        ("tenant", entity(uid_of(graph, tenant))),
        ("runtime", string(runtime)),
        ("clearance", class_names(clearance)),
        ("clearanceRank", long(class_rank_of(graph, clearance))),
        ("environments", refs(graph, &spec.environments)),
    ];
    attributes.extend(spec.guardrail.as_ref().map(|one| ("guardrail", string(one.name.value.as_str()))));
    Some(Made::of("Agent", found.name().as_str(), attributes).below(uid_of(graph, tenant)))
}

fn workload(graph: &Graph, id: Id<WorkloadSpec>) -> Option<Made> {
    let found = graph.resource(id)?;
    let tenant = found.spec.tenant.id()?;
    let attributes = vec![
        ("name", string(found.name().as_str())),
        ("tenant", entity(uid_of(graph, tenant))),
        ("platform", string(found.spec.platform.value.word())),
    ];
    Some(Made::of("Workload", found.name().as_str(), attributes).below(uid_of(graph, tenant)))
}

fn gateway(graph: &Graph, id: Id<GatewaySpec>) -> Option<Made> {
    let found = graph.resource(id)?;
    let attributes = vec![
        ("name", string(found.name().as_str())),
        ("dialect", string(found.spec.dialect.value.word())),
        ("environment", entity(uid_of(graph, found.spec.environment.id()?))),
        ("region", string(found.spec.region.value.as_str())),
    ];
    Some(Made::of("Gateway", found.name().as_str(), attributes))
}

fn route(graph: &Graph, id: Id<RouteSpec>) -> Option<Made> {
    let found = graph.resource(id)?;
    let gateway = found.spec.gateway.id()?;
    let environment = graph.resource(gateway)?.spec.environment.id()?;
    let class = found.spec.data_class.id().map_or(0, |class| class_rank(graph, class));
    let mut attributes = vec![
        ("name", string(found.name().as_str())),
        ("gateway", entity(uid_of(graph, gateway))),
        ("environment", entity(uid_of(graph, environment))),
        ("dataClass", string(found.spec.data_class.name.value.as_str())),
        ("dataClassRank", long(class)),
    ];
    attributes.extend(found.spec.criticality.as_ref().map(|one| ("criticality", string(one.value.word()))));
    let tenants = &found.spec.r#match.tenants;
    if !tenants.is_empty() {
        attributes.push(("tenants", refs(graph, tenants)));
    }
    Some(Made::of("Route", found.name().as_str(), attributes))
}

fn model(graph: &Graph, id: Id<ModelSpec>) -> Option<Result<Made, String>> {
    let found = graph.resource(id)?;
    let name = found.name().as_str();
    Some(model_attributes(graph, name, &found.spec).map(|attributes| Made::of("Model", name, attributes)))
}

fn connector(graph: &Graph, id: Id<ConnectorSpec>) -> Option<Made> {
    let found = graph.resource(id)?;
    let spec = &found.spec;
    let attributes = vec![
        ("name", string(found.name().as_str())),
        ("type", string(connector_type(&spec.kind))),
        ("region", string(spec.region.value.as_str())),
        ("dataClass", string(spec.data_class.name.value.as_str())),
        ("dataClassRank", long(spec.data_class.id().map_or(0, |class| class_rank(graph, class)))),
        ("customerManagedKey", bool(spec.encryption.is_some())),
        ("privateNetwork", bool(spec.network.is_some())),
        ("whole", bool(spec.is_whole())),
    ];
    Some(Made::of("Connector", found.name().as_str(), attributes))
}

fn tool(graph: &Graph, agent: Id<AgentSpec>, at: usize) -> Option<Made> {
    let connector = graph.resource(agent)?.spec.tools.get(at)?.connector.id()?;
    let name = tool_name(graph, agent, at);
    let attributes = vec![("name", string(&name)), ("connector", entity(uid_of(graph, connector)))];
    Some(Made::of("Tool", &name, attributes).below(uid_of(graph, connector)))
}

fn cluster(graph: &Graph, id: Id<ClusterSpec>) -> Option<Made> {
    let found = graph.resource(id)?;
    let attributes = vec![
        ("name", string(found.name().as_str())),
        ("region", string(found.spec.region.value.as_str())),
        ("environment", entity(uid_of(graph, found.spec.environment.id()?))),
        ("dedicatedTo", class_names(&found.spec.dedicated_to)),
    ];
    Some(Made::of("Cluster", found.name().as_str(), attributes))
}

fn data_store(graph: &Graph, id: Id<DataStoreSpec>) -> Option<Made> {
    let found = graph.resource(id)?;
    let attributes = vec![
        ("name", string(found.name().as_str())),
        ("region", string(found.spec.region.value.as_str())),
        ("dataClass", string(found.spec.holds.name.value.as_str())),
        ("dataClassRank", long(found.spec.holds.id().map_or(0, |class| class_rank(graph, class)))),
    ];
    Some(Made::of("DataStore", found.name().as_str(), attributes))
}

fn model_attributes(graph: &Graph, name: &str, spec: &ModelSpec) -> Result<Attributes, String> {
    let fact = graph.catalog().model(spec.model_id.value.as_str());
    let written = spec.lifecycle.as_ref();
    let lifecycle = written.map(|life| life.status.value.word()).unwrap_or_else(|| {
        match fact.map_or(LifecycleFact::Unknown, |fact| fact.lifecycle.status) {
            LifecycleFact::Active => "active",
            LifecycleFact::Legacy => "legacy",
            LifecycleFact::EndOfLife => "endOfLife",
            LifecycleFact::Unknown => "unknown",
        }
    });
    let mut attributes = vec![
        ("name", string(name)),
        ("provider", string(spec.provider.value.word())),
        ("modelId", string(spec.model_id.value.as_str())),
        ("lifecycle", string(lifecycle)),
    ];
    let end = match written {
        Some(life) => life.end_of_life.as_ref().map(|day| day.value.to_string()),
        None => fact.and_then(|fact| fact.lifecycle.end_of_life.clone()),
    };
    let legacy = match written {
        Some(life) => life.legacy_from.as_ref().map(|day| day.value.to_string()),
        None => fact.and_then(|fact| fact.lifecycle.legacy_from.clone()),
    };
    for (key, day) in [("endOfLife", end), ("legacyFrom", legacy)] {
        if let Some(day) = day {
            attributes.push((key, datetime(&day)?));
        }
    }
    attributes.extend(spec.tier.as_ref().map(|tier| ("tier", string(tier.value.word()))));
    if let Some(processing) = &spec.processing {
        attributes.push(("approvedClasses", class_names(&processing.approved_classes)));
        let training = processing.training.as_ref();
        attributes.extend(training.map(|word| ("mayTrain", bool(word.value.word() == "allowed"))));
        let retention = processing.retention.as_ref();
        attributes.extend(retention.map(|word| ("mayRetain", bool(word.value.word() == "allowed"))));
    }
    let agreements = || spec.processing.iter().flat_map(|processing| &processing.agreements);
    attributes.push(("agreements", set(agreements().map(|agreement| agreement.r#type.value.as_str()))));
    if let Some(day) =
        agreements().filter_map(|agreement| agreement.until.as_ref()).map(|day| day.value).min()
    {
        attributes.push(("agreementUntil", datetime(&day.to_string())?));
    }
    Ok(attributes)
}

/// The word for a kind of connector.
fn connector_type(kind: &ConnectorKind) -> &'static str {
    match kind {
        ConnectorKind::S3(_) => "s3",
        ConnectorKind::DynamoDb(_) => "dynamoDb",
        ConnectorKind::Lambda(_) => "lambda",
        ConnectorKind::SecretsManager(_) => "secretsManager",
        ConnectorKind::OpenSearch(_) => "openSearch",
        ConnectorKind::S3Vectors(_) => "s3Vectors",
        ConnectorKind::KnowledgeBase(_) => "knowledgeBase",
        ConnectorKind::Sqs(_) => "sqs",
        ConnectorKind::StepFunctions(_) => "stepFunctions",
        ConnectorKind::Http(_) => "http",
        ConnectorKind::Mcp(_) => "mcp",
    }
}
