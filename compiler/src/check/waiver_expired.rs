//! Waivers whose last day is over.

use super::{Check, Findings, Look};
use crate::diagnostic::{Family, Rule, Severity};
use crate::model::waiver::WaiverSpec;
use crate::resolve::Graph;

static RULE: Rule = Rule {
    code: "AIP-LIF-010",
    name: "waiver-expired",
    severity: Severity::Mandatory,
    family: Family::Verdict,
    page: include_str!("waiver_expired.md"),
};

pub(super) const CHECK: Check = Check { rule: &RULE, run: Look::Resources(run) };

fn run(graph: &Graph, out: &mut Findings<'_>) {
    for (_, waiver) in graph.each::<WaiverSpec>() {
        let expires = waiver.spec.expires.value;
        if expires < out.today() {
            let message = format!("waiver `{}` ended on {expires}", waiver.name());
            let found = RULE.at(waiver.spec.expires.span, message, "the end of this day, UTC");
            let help = format!(
                "correct what it excepted and remove it, or agree on another day with {}",
                owner(waiver)
            );
            out.report_everywhere(found.help(help));
        }
    }
}

fn owner(waiver: &crate::model::Resource<WaiverSpec>) -> String {
    format!("`{}`", waiver.spec.owner.value)
}
