//! Routes without a cap on the length of answers.

use super::{Check, Findings, Look};
use crate::diagnostic::{Family, Rule, Severity};
use crate::model::route::RouteSpec;
use crate::resolve::Graph;

static RULE: Rule = Rule {
    code: "AIP-RTE-015",
    name: "missing-response-cap",
    severity: Severity::Mandatory,
    family: Family::Verdict,
    page: include_str!("missing_response_cap.md"),
};

pub(super) const CHECK: Check = Check { rule: &RULE, run: Look::Resources(run) };

fn run(graph: &Graph, out: &mut Findings<'_>) {
    for (_, route) in graph.each::<RouteSpec>() {
        if route.spec.caps.as_ref().is_none_or(|caps| caps.output.is_none()) {
            let message = format!("route `{}` does not limit the length of answers", route.name());
            let help = "add `caps: { output: 1024 }`, or as many tokens as an answer needs";
            let found = RULE.at(route.name_span(), message, "").help(help);
            out.report(&graph.places_of_route(&route.spec), found);
        }
    }
}
