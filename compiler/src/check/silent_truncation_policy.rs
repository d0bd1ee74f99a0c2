//! Requests that lose a part, and nobody is told.

use super::{Check, Findings, Look};
use crate::diagnostic::{Family, Rule, Severity};
use crate::model::route::{RouteSpec, Truncation};
use crate::resolve::Graph;

static RULE: Rule = Rule {
    code: "AIP-RTE-017",
    name: "silent-truncation-policy",
    severity: Severity::Advisory,
    family: Family::Verdict,
    page: include_str!("silent_truncation_policy.md"),
};

pub(super) const CHECK: Check = Check { rule: &RULE, run: Look::Resources(run) };

fn run(graph: &Graph, out: &mut Findings<'_>) {
    for (_, route) in graph.each::<RouteSpec>() {
        let Some(caps) = &route.spec.caps else { continue };
        let found = match (&caps.truncate, &caps.input) {
            (Some(word), _) if word.value == Truncation::OldestFirst => {
                let message = format!("route `{}` drops the oldest messages of a long request", route.name());
                let label = "the system prompt and the results of tools are among the oldest";
                RULE.at(word.span, message, label).help("use `truncate: refuse`, and let callers shorten")
            }
            (None, Some(input)) => {
                let message =
                    format!("route `{}` does not say what becomes of a longer request", route.name());
                RULE.at(input.span, message, "longer than this").help("add `truncate: refuse` to `caps`")
            }
            (Some(_) | None, _) => continue,
        };
        out.report(&graph.places_of_route(&route.spec), found);
    }
}
