//! Retries after failures that come again.

use super::{Check, Findings, Look};
use crate::diagnostic::{Family, Rule, Severity};
use crate::model::route::{RouteSpec, Trigger};
use crate::resolve::Graph;

static RULE: Rule = Rule {
    code: "AIP-RTE-010",
    name: "retry-on-non-retryable-status",
    severity: Severity::Advisory,
    family: Family::Verdict,
    page: include_str!("retry_on_non_retryable_status.md"),
};

pub(super) const CHECK: Check = Check { rule: &RULE, run: Look::Resources(run) };

fn run(graph: &Graph, out: &mut Findings<'_>) {
    for (_, route) in graph.each::<RouteSpec>() {
        let places = graph.places_of_route(&route.spec);
        for on in route.spec.retry.iter().flat_map(|retry| &retry.on) {
            let (why, help) = match on.value {
                Trigger::Throttled | Trigger::Unavailable | Trigger::Timeout => continue,
                Trigger::ContextOverflow => (
                    "a request that is too long stays too long",
                    "name it in `on` of a fallback with a larger context",
                ),
                Trigger::ContentRefused => (
                    "content that was refused is refused again",
                    "leave it out, or name it in `on` of a fallback",
                ),
            };
            let message = format!("route `{}` retries on `{}`, and {why}", route.name(), on.value.word());
            out.report(&places, RULE.at(on.span, message, "each retry is paid for").help(help));
        }
    }
}
