//! Requests that nobody makes: what a principal would ask for, if it did.

use super::{Asker, Call, Group, gate_word, highest, home_region, resting};
use crate::ir::{Action, Circumstances, Object, Principal, ROLE};
use crate::model::Id;
use crate::model::agent::Tool;
use crate::model::connector::ConnectorSpec;
use crate::model::data_class::DataClassSpec;
use crate::model::environment::EnvironmentSpec;
use crate::model::model::ModelSpec;
use crate::model::reference::Ref;
use crate::model::tenant::TenantSpec;
use crate::resolve::Graph;
use crate::source::{Span, Spanned};

/// The environments in which a principal is.
pub(in super::super) fn environments(graph: &Graph, principal: Principal) -> Vec<Id<EnvironmentSpec>> {
    let found = match principal {
        Principal::Agent(id) => graph.resource(id).map(|agent| graph.places_of_agent(&agent.spec)),
        Principal::Workload(id) => {
            graph.resource(id).map(|workload| graph.places_of_workload(&workload.spec))
        }
        Principal::Gateway(id) => {
            graph.resource(id).map(|found| found.spec.environment.id().into_iter().collect())
        }
        Principal::Tenant(id) => {
            graph.resource(id).map(|tenant| tenant.spec.environments.iter().filter_map(Ref::id).collect())
        }
        Principal::Route(id) => {
            let gateway = graph.resource(id).and_then(|route| graph.get(&route.spec.gateway));
            gateway.map(|found| found.spec.environment.id().into_iter().collect())
        }
        Principal::Environment(id) => Some(vec![id]),
    };
    found.unwrap_or_default()
}

/// What a principal would ask for in an environment, at a place that supposes it. What such a request cannot know, for
/// instance the kind of place in which content rests, is empty: [`unknown`] names it.
pub(in super::super) fn requests(
    graph: &Graph,
    (principal, environment): (Principal, Id<EnvironmentSpec>),
    (action, object): (Action, &Object),
    span: Span,
) -> Group {
    let asker = Asker { graph, principal, environment, tenant: tenant(graph, principal) };
    let class = class(graph, principal);
    match (action, object) {
        (Action::InvokeModel, Object::Model(id)) => {
            let Some(model) = model(graph, *id, span) else { return Vec::new() };
            let call = Call { model: &model, route: None, fallback: false, class };
            asker.invoke(&call, region(graph, principal, environment))
        }
        (Action::ReadConnector | Action::WriteConnector, Object::Connector(id)) => {
            let class = class_of(graph, *id);
            let residency = graph.residency(class, asker.tenant);
            let circumstances = Circumstances::Connector { gate: "none", residency };
            vec![asker.ask(action, (object.clone(), circumstances), span)]
        }
        (Action::CallTool, Object::Tool(agent, at)) => {
            let tool = graph.resource(*agent).and_then(|agent| agent.spec.tools.get(*at));
            let called = |tool: &Tool| Circumstances::Tool {
                access: tool.access.value,
                gate: gate_word(tool.gate.as_ref().map(|gate| &gate.value)),
                callers: ROLE.into(),
            };
            tool.map(|tool| asker.ask(action, (object.clone(), called(tool)), span)).into_iter().collect()
        }
        (Action::StoreData, Object::Region(region)) => vec![asker.store(region, resting("", class), span)],
        (Action::RunOn, Object::Cluster(_) | Object::Region(_)) => {
            vec![asker.placed(object.clone(), class, span)]
        }
        (Action::UseNamespace, Object::Cluster(_)) => {
            let residency = graph.residency(class, asker.tenant);
            let name = principal.name(graph).into();
            let circumstances = Circumstances::Namespace { name, class, residency };
            vec![asker.ask(action, (object.clone(), circumstances), span)]
        }
        (Action::UseRoute, Object::Route(id)) => vec![asker.route(*id, span)],
        (Action::SupportRuntime, _) => {
            vec![asker.ask(action, (object.clone(), Circumstances::Support("")), span)]
        }
        (Action::Delegate, _) => vec![asker.ask(action, (object.clone(), Circumstances::Plain), span)],
        // The rest has kinds that the schema does not know together; a change is no request of a resource.
        (_, _) => Vec::new(),
    }
}

/// What of the context has to be said about a request that nobody makes.
pub(in super::super) fn unknown(principal: Principal, action: Action) -> &'static [&'static str] {
    let anybody = matches!(principal, Principal::Gateway(_) | Principal::Environment(_));
    match action {
        Action::StoreData if anybody => &["place", "dataClass"],
        Action::StoreData => &["place"],
        Action::SupportRuntime => &["need"],
        Action::InvokeModel | Action::RunOn if anybody => &["dataClass"],
        Action::Change => &["operation", "effect"],
        Action::InvokeModel
        | Action::RunOn
        | Action::ReadConnector
        | Action::WriteConnector
        | Action::CallTool
        | Action::UseNamespace
        | Action::UseRoute
        | Action::Delegate => &[],
    }
}

fn tenant(graph: &Graph, principal: Principal) -> Option<Id<TenantSpec>> {
    match principal {
        Principal::Agent(id) => graph.resource(id)?.spec.tenant.id(),
        Principal::Workload(id) => graph.resource(id)?.spec.tenant.id(),
        Principal::Tenant(id) => Some(id),
        Principal::Gateway(_) | Principal::Route(_) | Principal::Environment(_) => None,
    }
}

/// The most sensitive data that a principal may handle.
fn class(graph: &Graph, principal: Principal) -> Id<DataClassSpec> {
    let own = match principal {
        Principal::Agent(id) => graph.resource(id).map(|agent| agent.spec.clearance.as_slice()),
        Principal::Route(id) => {
            let route = graph.resource(id).and_then(|route| route.spec.data_class.id());
            return route.unwrap_or(Id::new(0));
        }
        Principal::Workload(_) | Principal::Tenant(_) | Principal::Gateway(_) | Principal::Environment(_) => {
            None
        }
    };
    let of_tenant = || tenant(graph, principal).and_then(|id| graph.resource(id));
    let of_tenant = || of_tenant().map(|tenant| tenant.spec.clearance.as_slice());
    let classes = own.filter(|own| !own.is_empty()).or_else(of_tenant);
    highest(graph, classes.unwrap_or_default().iter().filter_map(Ref::id))
}

/// Where a principal runs.
fn region(graph: &Graph, principal: Principal, environment: Id<EnvironmentSpec>) -> &str {
    let own = match principal {
        Principal::Agent(id) => graph.resource(id).and_then(|agent| agent.spec.region.as_ref()),
        Principal::Gateway(id) => graph.resource(id).map(|gateway| &gateway.spec.region),
        Principal::Workload(id) => graph
            .resource(id)
            .and_then(|workload| workload.spec.cluster.as_ref())
            .and_then(|cluster| graph.get(cluster))
            .map(|cluster| &cluster.spec.region),
        Principal::Tenant(_) | Principal::Route(_) | Principal::Environment(_) => None,
    };
    own.map_or_else(|| home_region(graph, environment), |region| region.value.as_str())
}

fn class_of(graph: &Graph, connector: Id<ConnectorSpec>) -> Id<DataClassSpec> {
    let found = graph.resource(connector).and_then(|found| found.spec.data_class.id());
    found.unwrap_or(Id::new(0))
}

fn model(graph: &Graph, id: Id<ModelSpec>, span: Span) -> Option<Ref<ModelSpec>> {
    let value = graph.resource(id)?.name().clone();
    Some(Ref { name: Spanned { value, span }, id: Some(id) })
}
