//! Routes that no request reaches, since another takes them all.

use std::collections::{BTreeMap, BTreeSet};

use super::{Check, Findings, Look};
use crate::diagnostic::{Diagnostic, Family, Rule, Severity};
use crate::model::agent::{AgentModel, AgentSpec};
use crate::model::gateway::GatewaySpec;
use crate::model::route::{FallbackTarget, RouteMatch, RouteSpec};
use crate::model::tenant::TenantSpec;
use crate::model::workload::WorkloadSpec;
use crate::model::{Id, Ref, Resource};
use crate::resolve::Graph;

static RULE: Rule = Rule {
    code: "AIP-RTE-014",
    name: "unreachable-route",
    severity: Severity::Mandatory,
    family: Family::Verdict,
    page: include_str!("unreachable_route.md"),
};

pub(super) const CHECK: Check = Check { rule: &RULE, run: Look::Resources(run) };

fn run(graph: &Graph, out: &mut Findings<'_>) {
    let named = named(graph);
    for (gateway, _) in graph.each::<GatewaySpec>() {
        // By a tenant that they match: whoever takes all of a route takes the requests of its first tenant.
        let mut before: BTreeMap<Option<Id<TenantSpec>>, Vec<&Resource<RouteSpec>>> = BTreeMap::new();
        for (id, route) in graph.routes_of(gateway) {
            let tenants = &route.spec.r#match.tenants;
            let mut first = tenants.first().and_then(|tenant| before.get(&tenant.id())).into_iter().flatten();
            let first = first.find(|first| takes_all(&first.spec.r#match, &route.spec.r#match));
            if let Some(first) = first.filter(|_| !named.contains(&id)) {
                out.report(&graph.places_of_route(&route.spec), shadowed(route, first));
            }
            tenants.iter().for_each(|tenant| before.entry(tenant.id()).or_default().push(route));
        }
    }
}

/// Routes that somebody sends requests to by their names.
fn named(graph: &Graph) -> BTreeSet<Id<RouteSpec>> {
    let next = graph.each::<RouteSpec>().flat_map(|(_, route)| &route.spec.fallback);
    let next = next.filter_map(|next| match &next.target {
        FallbackTarget::Route(named) => named.id(),
        FallbackTarget::Model(_) => None,
    });
    let agents = graph.each::<AgentSpec>().filter_map(|(_, agent)| match &agent.spec.model.value {
        AgentModel::Route(named) => named.id(),
        AgentModel::Model(_) => None,
    });
    let workloads = graph.each::<WorkloadSpec>().flat_map(|(_, workload)| &workload.spec.uses);
    next.chain(agents).chain(workloads.flat_map(|uses| &uses.routes).filter_map(Ref::id)).collect()
}

/// Whether whatever the second matches is matched by the first. A route with a task is more specific than one without.
fn takes_all(first: &RouteMatch, second: &RouteMatch) -> bool {
    let tenants: BTreeSet<_> = first.tenants.iter().map(Ref::id).collect();
    let task = |one: &RouteMatch| one.task.as_ref().map(|task| task.value.to_string());
    let header = |key: &String| second.headers.0.get(key).map(|value| value.value.to_string());
    second.tenants.iter().all(|tenant| tenants.contains(&tenant.id()))
        && task(first) == task(second)
        && first.headers.0.iter().all(|(key, value)| header(key) == Some(value.value.to_string()))
}

fn shadowed(route: &Resource<RouteSpec>, first: &Resource<RouteSpec>) -> Diagnostic {
    let message =
        format!("no request reaches route `{}`: route `{}` takes them all", route.name(), first.name());
    let found =
        RULE.at(route.name_span(), message, "").label(first.name_span(), "it matches the same, and is first");
    found.help("give it a `task` or `headers` of its own, or remove it")
}
