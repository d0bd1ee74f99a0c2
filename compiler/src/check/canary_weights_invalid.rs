//! Models that share requests by weights that do not add up, or a canary that nothing ends.

use super::Check;
use crate::diagnostic::{Diagnostics, Family, Rule, Severity};
use crate::model::route::{Primary, RouteSpec};
use crate::resolve::Graph;

static RULE: Rule = Rule {
    code: "AIP-RTE-018",
    name: "canary-weights-invalid",
    severity: Severity::Mandatory,
    family: Family::Verdict,
    page: include_str!("canary_weights_invalid.md"),
};

pub(super) const CHECK: Check = Check { rule: &RULE, run };

fn run(graph: &Graph, out: &mut Diagnostics) {
    for (_, route) in graph.each::<RouteSpec>() {
        weights(&route.spec, out);
        route.spec.primary.iter().for_each(|primary| abort(primary, out));
    }
}

/// Where weights are written, all are, and they add up to 100.
fn weights(route: &RouteSpec, out: &mut Diagnostics) {
    let written = || route.primary.iter().filter_map(|primary| primary.weight.as_ref());
    let Some(first) = written().next() else { return };
    if let Some(without) = route.primary.iter().find(|primary| primary.weight.is_none()) {
        let message = format!("`{}` has no weight, and others have", without.model.name.value);
        out.report(RULE.at(without.model.name.span, message, "").help("give each model a weight, or none"));
        return;
    }
    let sum: u64 = written().map(|weight| u64::from(weight.value.0)).sum();
    if sum != 100 {
        let message = format!("the weights add up to {sum}, not to 100");
        out.report(RULE.at(first.span, message, "the first of them"));
    }
}

/// A trial that nothing ends is no trial.
fn abort(primary: &Primary, out: &mut Diagnostics) {
    let Some(canary) = &primary.canary else { return };
    let abort = &canary.abort;
    if abort.error_rate.is_none() && abort.p99.is_none() && abort.cost_per_request.is_none() {
        let message = format!("nothing ends the trial of `{}`", primary.model.name.value);
        let help = "add `errorRate`, `p99` or `costPerRequest` to `abort`";
        out.report(RULE.at(primary.model.name.span, message, "").help(help));
    }
}
