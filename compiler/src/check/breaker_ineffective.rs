//! Circuit breakers that never open.

use super::{Check, Findings};
use crate::diagnostic::{Diagnostic, Family, Rule, Severity};
use crate::model::gateway::Dialect;
use crate::model::route::RouteSpec;
use crate::model::value::{Rate, RateUnit};
use crate::model::{Id, Resource};
use crate::resolve::Graph;

static RULE: Rule = Rule {
    code: "AIP-RTE-011",
    name: "breaker-ineffective",
    severity: Severity::Advisory,
    family: Family::Verdict,
    page: include_str!("breaker_ineffective.md"),
};

pub(super) const CHECK: Check = Check { rule: &RULE, run };

fn run(graph: &Graph, out: &mut Findings<'_>) {
    for (id, route) in graph.each::<RouteSpec>().filter(|(_, route)| counts_minutes(graph, &route.spec)) {
        let places = graph.places_of_route(&route.spec);
        unreached(graph, id, route).into_iter().for_each(|found| out.report(&places, found));
    }
}

/// LiteLLM counts failures per minute. Other dialects count them in a row, so that any number is reached at last.
fn counts_minutes(graph: &Graph, route: &RouteSpec) -> bool {
    graph.get(&route.gateway).is_some_and(|gateway| gateway.spec.dialect.value == Dialect::Litellm)
}

fn unreached(graph: &Graph, id: Id<RouteSpec>, route: &Resource<RouteSpec>) -> Option<Diagnostic> {
    let own = &route.spec.circuit_breaker.as_ref()?.consecutive_failures;
    // One number holds for a whole gateway: the least.
    let routes = graph.routes_of(route.spec.gateway.id()?);
    let all = routes.filter_map(|(_, route)| route.spec.circuit_breaker.as_ref());
    let least = all.map(|breaker| breaker.consecutive_failures.value.0).min()?;
    let measured: Vec<_> = graph.profiles_of(id).map(|profile| &profile.spec.requests).collect();
    let busiest = measured.iter().map(|volume| volume.peak.as_ref().unwrap_or(&volume.mean));
    let requests = busiest.clone().map(|rate| per_minute(rate.value)).sum::<Option<u64>>()?;
    let attempts = route.spec.retry.as_ref().map_or(1, |retry| u64::from(retry.attempts.value.0).max(1));
    let most = requests.saturating_mul(attempts);
    let first = busiest.min_by_key(|rate| rate.span)?;
    if most >= u64::from(least) {
        return None;
    }
    let message = format!(
        "the circuit breaker of route `{}` opens after {least} failures in a minute, and there are at most {most} attempts",
        route.name()
    );
    let found = RULE.at(own.span, message, "never reached").label(first.span, "as many requests");
    Some(found.help("open it after fewer failures than there are attempts in a minute"))
}

fn per_minute(rate: Rate) -> Option<u64> {
    (rate.unit == RateUnit::Requests).then(|| rate.per_minute())
}
