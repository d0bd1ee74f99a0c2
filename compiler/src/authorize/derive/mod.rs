//! Resources to access requests: one for each place where something may run or rest.

mod agent;
mod budget;
mod environment;
mod gateway;
pub(super) mod supposed;
mod workload;

use crate::ir::{AccessRequest, Action, Circumstances, Invocation, Object, Principal, Storage};
use crate::model::agent::{AgentSpec, Gate};
use crate::model::data_class::DataClassSpec;
use crate::model::environment::EnvironmentSpec;
use crate::model::model::ModelSpec;
use crate::model::reference::Ref;
use crate::model::route::RouteSpec;
use crate::model::tenant::TenantSpec;
use crate::model::{Id, Resource};
use crate::resolve::{Graph, class_rank};
use crate::source::Span;

/// Requests that belong together because they need the same entities: those of one agent, workload, gateway, tenant
/// or environment.
pub(super) type Group = Vec<AccessRequest>;

/// Every request of a workspace, in groups, in the order of resources.
pub(super) fn requests(graph: &Graph) -> Vec<Group> {
    let groups = agent::groups(graph).chain(workload::groups(graph));
    let groups = groups.chain(gateway::groups(graph)).chain(environment::groups(graph));
    groups.filter(|group| !group.is_empty()).collect()
}

/// The agents that are switched on. The others ask for nothing, and nothing is asked about them.
fn agents(graph: &Graph) -> impl Iterator<Item = (Id<AgentSpec>, &Resource<AgentSpec>)> {
    graph.each::<AgentSpec>().filter(|(_, agent)| agent.spec.switched_off().is_none())
}

/// Who asks, where and for whom: what the requests of a group have in common.
#[derive(Clone, Copy)]
struct Asker<'g> {
    graph: &'g Graph,
    principal: Principal,
    environment: Id<EnvironmentSpec>,
    tenant: Option<Id<TenantSpec>>,
}

/// A call of a model as it is written.
struct Call<'r> {
    model: &'r Ref<ModelSpec>,
    route: Option<Id<RouteSpec>>,
    fallback: bool,
    class: Id<DataClassSpec>,
}

impl Asker<'_> {
    fn ask(
        self,
        action: Action,
        (object, circumstances): (Object, Circumstances),
        span: Span,
    ) -> AccessRequest {
        let Self { principal, environment, tenant, .. } = self;
        AccessRequest { principal, action, object, environment, tenant, circumstances, span }
    }

    /// One request for each region in which a call may be processed.
    fn invoke(self, call: &Call<'_>, caller: &str) -> Vec<AccessRequest> {
        let Some((id, model)) = call.model.id().and_then(|id| Some((id, self.graph.resource(id)?))) else {
            return Vec::new();
        };
        let residency = self.graph.residency(call.class, self.tenant);
        let request = |at: crate::resolve::Processing| {
            let invocation = Invocation {
                source: at.source.into(),
                region: at.region.into(),
                profile: at.profile.map(Into::into),
                route: call.route,
                fallback: call.fallback,
                class: call.class,
                residency: residency.clone(),
            };
            let circumstances = Circumstances::Invocation(Box::new(invocation));
            self.ask(Action::InvokeModel, (Object::Model(id), circumstances), call.model.name.span)
        };
        self.graph.processing(&model.spec, caller).into_iter().map(request).collect()
    }

    /// Requests that are sent to a route.
    fn route(self, id: Id<RouteSpec>, span: Span) -> AccessRequest {
        let class =
            self.graph.resource(id).and_then(|route| route.spec.data_class.id()).unwrap_or(Id::new(0));
        let residency = self.graph.residency(class, self.tenant);
        self.ask(Action::UseRoute, (Object::Route(id), Circumstances::Route { residency }), span)
    }

    /// Where somebody runs who handles data of a class.
    fn placed(self, object: Object, class: Id<DataClassSpec>, span: Span) -> AccessRequest {
        let residency = self.graph.residency(class, self.tenant);
        self.ask(Action::RunOn, (object, Circumstances::Placement { class, residency }), span)
    }

    /// Content that comes to rest in a region.
    fn store(self, region: &str, mut storage: Storage, span: Span) -> AccessRequest {
        storage.residency = self.graph.residency(storage.class, self.tenant);
        let circumstances = Circumstances::Storage(Box::new(storage));
        self.ask(Action::StoreData, (Object::Region(region.into()), circumstances), span)
    }
}

/// A place whose properties nobody stated.
fn resting(place: &'static str, class: Id<DataClassSpec>) -> Storage {
    Storage {
        place,
        class,
        customer_managed_key: false,
        immutable: false,
        retention_days: None,
        store: None,
        residency: None,
    }
}

/// The most sensitive of several classes; `public`, which is the first built-in one, if there is none.
fn highest(graph: &Graph, classes: impl Iterator<Item = Id<DataClassSpec>>) -> Id<DataClassSpec> {
    classes.max_by_key(|class| (class_rank(graph, *class), *class)).unwrap_or(Id::new(0))
}

/// The region in which something of an environment runs when it does not say.
fn home_region(graph: &Graph, environment: Id<EnvironmentSpec>) -> &str {
    let region = graph.resource(environment).and_then(|found| found.spec.aws.regions.first());
    region.map_or("unknown", |region| region.value.as_str())
}

/// The word for what stands before a call.
fn gate_word(gate: Option<&Gate>) -> &'static str {
    match gate {
        None => "none",
        Some(Gate::Confirm) => "confirm",
        Some(Gate::Approval(_)) => "approval",
        Some(Gate::Verify(_)) => "verify",
    }
}
