//! Models that share requests by weights that do not add up, or a canary that nothing ends.

use super::{Check, Findings, Look};
use crate::diagnostic::{Diagnostic, Family, Rule, Severity};
use crate::model::route::{Primary, RouteSpec};
use crate::resolve::Graph;

static RULE: Rule = Rule {
    code: "AIP-RTE-018",
    name: "canary-weights-invalid",
    severity: Severity::Mandatory,
    family: Family::Verdict,
    page: include_str!("canary_weights_invalid.md"),
};

pub(super) const CHECK: Check = Check { rule: &RULE, run: Look::Resources(run) };

fn run(graph: &Graph, out: &mut Findings<'_>) {
    for (_, route) in graph.each::<RouteSpec>() {
        let places = graph.places_of_route(&route.spec);
        let endless = route.spec.primary.iter().filter_map(endless);
        weights(&route.spec).into_iter().chain(endless).for_each(|found| out.report(&places, found));
    }
}

/// Where weights are written, all are, and they add up to 100.
fn weights(route: &RouteSpec) -> Option<Diagnostic> {
    let written = || route.primary.iter().filter_map(|primary| primary.weight.as_ref());
    let first = written().next()?;
    if let Some(without) = route.primary.iter().find(|primary| primary.weight.is_none()) {
        let message = format!("`{}` has no weight, and others have", without.model.name.value);
        return Some(RULE.at(without.model.name.span, message, "").help("give each model a weight, or none"));
    }
    let sum: u64 = written().map(|weight| u64::from(weight.value.0)).sum();
    let message = || format!("the weights add up to {sum}, not to 100");
    (sum != 100).then(|| RULE.at(first.span, message(), "the first of them"))
}

/// A trial that nothing ends is no trial.
fn endless(primary: &Primary) -> Option<Diagnostic> {
    let abort = &primary.canary.as_ref()?.abort;
    let ends = abort.error_rate.is_some() || abort.p99.is_some() || abort.cost_per_request.is_some();
    let message = || format!("nothing ends the trial of `{}`", primary.model.name.value);
    let help = "add `errorRate`, `p99` or `costPerRequest` to `abort`";
    (!ends).then(|| RULE.at(primary.model.name.span, message(), "").help(help))
}
