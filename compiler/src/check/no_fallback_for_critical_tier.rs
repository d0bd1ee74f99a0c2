//! Routes whose failure would be bad, with nothing that stands by.

use super::{Check, Findings, Look};
use crate::diagnostic::{Family, Rule, Severity};
use crate::model::route::{Criticality, RouteSpec};
use crate::resolve::Graph;

static RULE: Rule = Rule {
    code: "AIP-RTE-007",
    name: "no-fallback-for-critical-tier",
    severity: Severity::Advisory,
    family: Family::Verdict,
    page: include_str!("no_fallback_for_critical_tier.md"),
};

pub(super) const CHECK: Check = Check { rule: &RULE, run: Look::Resources(run) };

fn run(graph: &Graph, out: &mut Findings<'_>) {
    for (_, route) in graph.each::<RouteSpec>() {
        let high = route.spec.criticality.as_ref().filter(|word| word.value == Criticality::High);
        if let Some(high) = high.filter(|_| route.spec.fallback.is_empty()) {
            let message = format!("route `{}` is critical and has no fallback", route.name());
            let help = "add a `fallback` with another provider, or in another region";
            let found = RULE.at(high.span, message, "").help(help);
            out.report(&graph.places_of_route(&route.spec), found);
        }
    }
}
