//! Circuit breakers that close before one request has given up.

use super::{Check, Findings, Look};
use crate::diagnostic::{Diagnostic, Family, Rule, Severity};
use crate::model::Resource;
use crate::model::route::RouteSpec;
use crate::resolve::Graph;

static RULE: Rule = Rule {
    code: "AIP-RTE-012",
    name: "breaker-cooldown-shorter-than-retry",
    severity: Severity::Advisory,
    family: Family::Verdict,
    page: include_str!("breaker_cooldown_shorter_than_retry.md"),
};

pub(super) const CHECK: Check = Check { rule: &RULE, run: Look::Resources(run) };

fn run(graph: &Graph, out: &mut Findings<'_>) {
    for (_, route) in graph.each::<RouteSpec>() {
        let places = graph.places_of_route(&route.spec);
        shorter(route).into_iter().for_each(|found| out.report(&places, found));
    }
}

fn shorter(route: &Resource<RouteSpec>) -> Option<Diagnostic> {
    let spec = &route.spec;
    let cool_down = &spec.circuit_breaker.as_ref()?.cool_down;
    let attempt = spec.timeout.as_ref()?.attempt.as_ref()?;
    let attempts = spec.retry.as_ref().map_or(1, |retry| u64::from(retry.attempts.value.0.max(1)));
    let backoff = spec.retry.as_ref().and_then(|retry| retry.backoff.as_ref());
    let pause = backoff.map_or(0, |backoff| backoff.max.value.milliseconds());
    let cycle = attempts.saturating_mul(attempt.value.milliseconds());
    let cycle = cycle.saturating_add((attempts - 1).saturating_mul(pause));
    if cool_down.value.milliseconds() >= cycle {
        return None;
    }
    let message = format!(
        "the circuit breaker of route `{}` closes after {} s, and one request tries for {} s",
        route.name(),
        cool_down.value.seconds(),
        cycle.div_ceil(1000)
    );
    let found = RULE.at(cool_down.span, message, "it protects nothing").label(attempt.span, "one attempt");
    Some(found.help(format!("raise `coolDown` to {}s or more", cycle.div_ceil(1000))))
}
