//! Attempts that end before the slowest good answers.

use super::{Check, Findings};
use crate::diagnostic::{Diagnostic, Family, Rule, Severity};
use crate::model::Resource;
use crate::model::route::RouteSpec;
use crate::model::traffic_profile::TrafficProfileSpec;
use crate::resolve::Graph;

static RULE: Rule = Rule {
    code: "AIP-RTE-024",
    name: "timeout-below-p99",
    severity: Severity::Advisory,
    family: Family::Verdict,
    page: include_str!("timeout_below_p99.md"),
};

pub(super) const CHECK: Check = Check { rule: &RULE, run };

/// What is missing in a workspace where nothing was measured.
pub(super) fn lacks(graph: &Graph) -> Option<&'static str> {
    let measured = graph.each::<TrafficProfileSpec>().next().is_some();
    (!measured).then_some("no `TrafficProfile` says what was measured")
}

fn run(graph: &Graph, out: &mut Findings<'_>) {
    for (_, profile) in graph.each::<TrafficProfileSpec>() {
        let Some(route) = graph.get(&profile.spec.route) else { continue };
        let places = graph.places_of_route(&route.spec);
        below(route, &profile.spec).into_iter().for_each(|found| out.report(&places, found));
    }
}

/// The slowest model of a route, where an attempt ends before it answers.
fn below(route: &Resource<RouteSpec>, profile: &TrafficProfileSpec) -> Option<Diagnostic> {
    let attempt = route.spec.timeout.as_ref()?.attempt.as_ref()?;
    let measured =
        profile.latency.0.iter().filter_map(|(model, latency)| Some((model, latency.p99.as_ref()?)));
    let (model, p99) = measured.max_by_key(|(_, p99)| p99.value.milliseconds())?;
    if attempt.value.milliseconds() >= p99.value.milliseconds() {
        return None;
    }
    let message = format!(
        "an attempt of route `{}` ends after {} ms, and one in a hundred answers of `{}` takes {} ms or more",
        route.name(),
        attempt.value.milliseconds(),
        model.name.value,
        p99.value.milliseconds()
    );
    let found = RULE.at(attempt.span, message, "good answers are thrown away, and asked for again");
    Some(found.label(p99.span, "measured").help("raise `timeout.attempt` above the measured p99"))
}
