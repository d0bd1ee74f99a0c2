//! Circuit breakers that one outage opens everywhere.

use super::fallback_same_failure_domain::all_in_one;
use super::{Check, Findings, Look};
use crate::diagnostic::{Diagnostic, Family, Rule, Severity};
use crate::model::route::{Criticality, RouteSpec};
use crate::model::{Id, Resource};
use crate::resolve::Graph;

static RULE: Rule = Rule {
    code: "AIP-RTE-013",
    name: "all-targets-can-open",
    severity: Severity::Advisory,
    family: Family::Verdict,
    page: include_str!("all_targets_can_open.md"),
};

pub(super) const CHECK: Check = Check { rule: &RULE, run: Look::Resources(run) };

fn run(graph: &Graph, out: &mut Findings<'_>) {
    for (id, route) in graph.each::<RouteSpec>() {
        let places = graph.places_of_route(&route.spec);
        all_open(graph, id, route).into_iter().for_each(|found| out.report(&places, found));
    }
}

/// Of a critical route that is reported already, for having no fallback elsewhere.
fn all_open(graph: &Graph, id: Id<RouteSpec>, route: &Resource<RouteSpec>) -> Option<Diagnostic> {
    let breaker = route.spec.circuit_breaker.as_ref()?;
    if route.spec.criticality.as_ref().is_some_and(|word| word.value == Criticality::High) {
        return None;
    }
    let guarded = |route: &Resource<RouteSpec>| route.spec.circuit_breaker.is_some();
    if !graph.standbys(id).iter().all(|standby| guarded(standby.governed_by)) {
        return None;
    }
    let domain = all_in_one(graph, id, route)?;
    let regions = domain.regions.into_iter().collect::<Vec<_>>().join(", ");
    let message = format!(
        "an outage of {} in {regions} opens the circuit breaker for every model of route `{}`",
        domain.provider.word(),
        route.name()
    );
    let found = RULE.at(breaker.consecutive_failures.span, message, "then nothing is left to answer");
    let help = "add a fallback with another provider or region, or to a route without a circuit breaker";
    Some(found.help(help))
}
