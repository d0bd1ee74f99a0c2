//! Waivers that end within a month, and what they except will stop.

use super::{Check, Findings, Look};
use crate::diagnostic::{Family, Rule, Severity};
use crate::resolve::Graph;

static RULE: Rule = Rule {
    code: "AIP-LIF-017",
    name: "waiver-expires-soon",
    severity: Severity::Advisory,
    family: Family::Verdict,
    page: include_str!("waiver_expires_soon.md"),
};

pub(super) const CHECK: Check = Check { rule: &RULE, run: Look::Resources(run) };

/// So many days before its last one, a waiver is told of.
pub(super) const SOON: i32 = 30;

fn run(_: &Graph, out: &mut Findings<'_>) {
    let waivers = out.waivers;
    for (waiver, met) in waivers.concluded() {
        let expires = waiver.spec.expires.value;
        let excepts = met.iter().any(|met| waiver.spec.lists(met.print));
        if excepts && out.today().until(expires) <= SOON {
            let message = format!("waiver `{}` ends on {expires}, in {SOON} days or less", waiver.name());
            let help = format!(
                "correct what it excepts, or agree on another day with `{}`",
                waiver.spec.owner.value
            );
            out.report_everywhere(RULE.at(waiver.spec.expires.span, message, "its last day").help(help));
        }
    }
}
