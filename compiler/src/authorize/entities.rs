//! Resources as Cedar entities, in slices that hold what one group of requests can reach.

use std::collections::{BTreeSet, HashMap, HashSet};

use cedar_policy::{
    Entities, Entity, EntityId, EntityTypeName, EntityUid, RestrictedExpression as Value, Schema,
};

use super::value::{bool, class_names, class_rank_of, datetime, entities as refs, entity, long, set, string};
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
use crate::model::{Id, Spec};
use crate::resolve::{Graph, class_rank};

/// The entity of a resource.
pub(super) fn uid(kind: &str, name: &str) -> EntityUid {
    #[expect(clippy::expect_used, reason = "kinds are words of the schema")]
    let kind: EntityTypeName = kind.parse().expect("the name of an entity type");
    EntityUid::from_type_name_and_id(kind, EntityId::new(name))
}

/// The entity of a resource by its id.
pub(super) fn uid_of<S: Spec>(graph: &Graph, id: Id<S>) -> EntityUid {
    uid(S::KIND.word(), graph.name(id))
}

/// The entity of a principal, then those above it.
pub(super) fn principal(graph: &Graph, principal: Principal) -> Vec<EntityUid> {
    let (kind, name) = principal.label(graph);
    let own = uid(kind.word(), &name);
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
    let (kind, name) = object.label(graph);
    uid(kind, &name)
}

/// Collects entities, each once, together with everything that their attributes name.
pub(super) struct Slice<'g> {
    graph: &'g Graph,
    seen: BTreeSet<String>,
    found: Vec<Entity>,
}

type Attributes = Vec<(&'static str, Value)>;

impl<'g> Slice<'g> {
    pub(super) fn new(graph: &'g Graph) -> Self {
        Self { graph, seen: BTreeSet::new(), found: Vec::new() }
    }

    /// The entities, checked against the schema.
    pub(super) fn finish(
        self,
        schema: &Schema,
    ) -> Result<Entities, Box<cedar_policy::entities_errors::EntitiesError>> {
        Entities::from_entities(self.found, Some(schema)).map_err(Box::new)
    }

    /// Adds an entity unless it is there already. `attributes` is asked only then.
    fn add(
        &mut self,
        own: &EntityUid,
        parents: Vec<EntityUid>,
        attributes: impl FnOnce(&mut Self) -> Attributes,
    ) {
        if !self.seen.insert(own.to_string()) {
            return;
        }
        let attributes: HashMap<String, Value> =
            attributes(self).into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        let parents: HashSet<EntityUid> = parents.into_iter().collect();
        #[expect(clippy::expect_used, reason = "attribute values are built from plain values and entities")]
        self.found.push(Entity::new(own.clone(), attributes, parents).expect("plain attributes"));
    }

    pub(super) fn principal(&mut self, principal: Principal) {
        match principal {
            Principal::Agent(id) => self.agent(id),
            Principal::Workload(id) => self.workload(id),
            Principal::Gateway(id) => self.gateway(id),
            Principal::Tenant(id) => self.tenant(id),
            Principal::Route(id) => self.route(id),
            Principal::Environment(id) => self.environment(id),
        }
    }

    pub(super) fn object(&mut self, object: &Object) {
        match object {
            Object::Model(id) => self.model(*id),
            Object::Connector(id) => self.connector(*id),
            Object::Tool(agent, at) => self.tool(*agent, *at),
            Object::Region(region) => self.region(region),
            Object::Cluster(id) => self.cluster(*id),
            Object::Route(id) => self.route(*id),
            Object::Agent(id) => self.agent(*id),
            Object::DataStore(id) => self.data_store(*id),
            Object::Environment(id) => self.environment(*id),
        }
    }

    pub(super) fn environment(&mut self, id: Id<EnvironmentSpec>) {
        let Some(found) = self.graph.resource(id) else { return };
        self.add(&uid_of(self.graph, id), Vec::new(), |_| {
            let logging = found.spec.logging.as_ref();
            vec![
                ("name", string(found.name().as_str())),
                ("regions", set(found.spec.aws.regions.iter().map(|region| region.value.as_str()))),
                ("invocationLogging", bool(logging.is_some_and(|logging| logging.invocations.is_some()))),
            ]
        });
    }

    fn region(&mut self, id: &str) {
        let jurisdictions = self.graph.catalog().region(id).map(|region| &region.jurisdictions);
        self.add(&uid("Region", id), Vec::new(), |_| {
            let jurisdictions = set(jurisdictions.into_iter().flatten().map(String::as_str));
            vec![("name", string(id)), ("jurisdictions", jurisdictions)]
        });
    }

    pub(super) fn tenant(&mut self, id: Id<TenantSpec>) {
        let graph = self.graph;
        let Some(found) = graph.resource(id) else { return };
        let spec = &found.spec;
        self.add(&uid_of(graph, id), Vec::new(), |slice| {
            spec.models.iter().filter_map(Ref::id).for_each(|id| slice.model(id));
            spec.environments.iter().filter_map(Ref::id).for_each(|id| slice.environment(id));
            let access = spec.model_access.as_ref().map_or(ModelAccess::Any, |word| word.value);
            vec![
                ("name", string(found.name().as_str())),
                ("owner", string(spec.owner.value.as_str())),
                ("modelAccess", string(access.word())),
                ("clearance", class_names(&spec.clearance)),
                ("clearanceRank", long(class_rank_of(graph, &spec.clearance))),
                ("models", refs(graph, &spec.models)),
                ("environments", refs(graph, &spec.environments)),
            ]
        });
    }

    fn agent(&mut self, id: Id<AgentSpec>) {
        let graph = self.graph;
        let Some(found) = graph.resource(id) else { return };
        let spec = &found.spec;
        let Some(tenant) = spec.tenant.id() else { return };
        self.add(&uid_of(graph, id), vec![uid_of(graph, tenant)], |slice| {
            slice.tenant(tenant);
            spec.environments.iter().filter_map(Ref::id).for_each(|id| slice.environment(id));
            let of_tenant = graph.resource(tenant).map(|tenant| tenant.spec.clearance.as_slice());
            let clearance =
                if spec.clearance.is_empty() { of_tenant.unwrap_or_default() } else { &spec.clearance };
            let runtime = spec.runtime.as_ref().map_or("agentcore", |runtime| runtime.value.word());
            let mut attributes = vec![
                ("name", string(found.name().as_str())),
                ("tenant", entity(uid_of(graph, tenant))),
                ("runtime", string(runtime)),
                ("enabled", bool(spec.enabled.as_ref().is_none_or(|enabled| enabled.value))),
                ("clearance", class_names(clearance)),
                ("clearanceRank", long(class_rank_of(graph, clearance))),
                ("environments", refs(graph, &spec.environments)),
            ];
            attributes
                .extend(spec.guardrail.as_ref().map(|one| ("guardrail", string(one.name.value.as_str()))));
            attributes
        });
    }

    fn workload(&mut self, id: Id<WorkloadSpec>) {
        let graph = self.graph;
        let Some(found) = graph.resource(id) else { return };
        let Some(tenant) = found.spec.tenant.id() else { return };
        self.add(&uid_of(graph, id), vec![uid_of(graph, tenant)], |slice| {
            slice.tenant(tenant);
            vec![
                ("name", string(found.name().as_str())),
                ("tenant", entity(uid_of(graph, tenant))),
                ("platform", string(found.spec.platform.value.word())),
            ]
        });
    }

    fn gateway(&mut self, id: Id<GatewaySpec>) {
        let graph = self.graph;
        let Some(found) = graph.resource(id) else { return };
        let Some(environment) = found.spec.environment.id() else { return };
        self.add(&uid_of(graph, id), Vec::new(), |slice| {
            slice.environment(environment);
            vec![
                ("name", string(found.name().as_str())),
                ("dialect", string(found.spec.dialect.value.word())),
                ("environment", entity(uid_of(graph, environment))),
                ("region", string(found.spec.region.value.as_str())),
            ]
        });
    }

    pub(super) fn route(&mut self, id: Id<RouteSpec>) {
        let graph = self.graph;
        let Some(found) = graph.resource(id) else { return };
        let Some((gateway, environment)) =
            found.spec.gateway.id().and_then(|id| Some((id, graph.resource(id)?.spec.environment.id()?)))
        else {
            return;
        };
        self.add(&uid_of(graph, id), Vec::new(), |slice| {
            slice.gateway(gateway);
            let class = found.spec.data_class.id().map_or(0, |class| class_rank(graph, class));
            let mut attributes = vec![
                ("name", string(found.name().as_str())),
                ("gateway", entity(uid_of(graph, gateway))),
                ("environment", entity(uid_of(graph, environment))),
                ("dataClass", string(found.spec.data_class.name.value.as_str())),
                ("dataClassRank", long(class)),
            ];
            attributes
                .extend(found.spec.criticality.as_ref().map(|one| ("criticality", string(one.value.word()))));
            attributes
        });
    }

    fn model(&mut self, id: Id<ModelSpec>) {
        let graph = self.graph;
        let Some(found) = graph.resource(id) else { return };
        self.add(&uid_of(graph, id), Vec::new(), |_| {
            model_attributes(graph, found.name().as_str(), &found.spec)
        });
    }

    fn connector(&mut self, id: Id<ConnectorSpec>) {
        let graph = self.graph;
        let Some(found) = graph.resource(id) else { return };
        let spec = &found.spec;
        self.add(&uid_of(graph, id), Vec::new(), |_| {
            vec![
                ("name", string(found.name().as_str())),
                ("type", string(connector_type(&spec.kind))),
                ("region", string(spec.region.value.as_str())),
                ("dataClass", string(spec.data_class.name.value.as_str())),
                ("dataClassRank", long(spec.data_class.id().map_or(0, |class| class_rank(graph, class)))),
                ("customerManagedKey", bool(spec.encryption.is_some())),
                ("privateNetwork", bool(spec.network.is_some())),
            ]
        });
    }

    fn tool(&mut self, agent: Id<AgentSpec>, at: usize) {
        let graph = self.graph;
        let tool = graph.resource(agent).and_then(|agent| agent.spec.tools.get(at));
        let Some(connector) = tool.and_then(|tool| tool.connector.id()) else { return };
        let name = tool_name(graph, agent, at);
        self.add(&uid("Tool", &name), vec![uid_of(graph, connector)], |slice| {
            slice.connector(connector);
            vec![("name", string(&name)), ("connector", entity(uid_of(graph, connector)))]
        });
    }

    fn cluster(&mut self, id: Id<ClusterSpec>) {
        let graph = self.graph;
        let Some(found) = graph.resource(id) else { return };
        let Some(environment) = found.spec.environment.id() else { return };
        self.add(&uid_of(graph, id), Vec::new(), |slice| {
            slice.environment(environment);
            vec![
                ("name", string(found.name().as_str())),
                ("region", string(found.spec.region.value.as_str())),
                ("environment", entity(uid_of(graph, environment))),
                ("dedicatedTo", class_names(&found.spec.dedicated_to)),
            ]
        });
    }

    pub(super) fn data_store(&mut self, id: Id<DataStoreSpec>) {
        let graph = self.graph;
        let Some(found) = graph.resource(id) else { return };
        self.add(&uid_of(graph, id), Vec::new(), |_| {
            let class = found.spec.holds.id().map_or(0, |class| class_rank(graph, class));
            vec![
                ("name", string(found.name().as_str())),
                ("region", string(found.spec.region.value.as_str())),
                ("dataClass", string(found.spec.holds.name.value.as_str())),
                ("dataClassRank", long(class)),
            ]
        });
    }
}

fn model_attributes(graph: &Graph, name: &str, spec: &ModelSpec) -> Attributes {
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
    attributes.extend(end.map(|day| ("endOfLife", datetime(&day))));
    attributes.extend(spec.tier.as_ref().map(|tier| ("tier", string(tier.value.word()))));
    if let Some(processing) = &spec.processing {
        attributes.push(("approvedClasses", class_names(&processing.approved_classes)));
        let training = processing.training.as_ref();
        attributes.extend(training.map(|word| ("mayTrain", bool(word.value.word() == "allowed"))));
    }
    attributes
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
