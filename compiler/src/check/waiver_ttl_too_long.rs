//! Waivers that nobody will look at for a long time.

use super::{Check, Findings, Look};
use crate::diagnostic::{Family, Rule, Severity};
use crate::model::waiver::WaiverSpec;
use crate::resolve::Graph;

static RULE: Rule = Rule {
    code: "AIP-LIF-015",
    name: "waiver-ttl-too-long",
    severity: Severity::Advisory,
    family: Family::Verdict,
    page: include_str!("waiver_ttl_too_long.md"),
};

pub(super) const CHECK: Check = Check { rule: &RULE, run: Look::Resources(run) };

/// So many days after the one on which is asked, a waiver may end.
pub(super) const LONGEST: i32 = 180;

fn run(graph: &Graph, out: &mut Findings<'_>) {
    for (_, waiver) in graph.each::<WaiverSpec>() {
        let expires = waiver.spec.expires.value;
        if out.today().until(expires) > LONGEST {
            let message = format!(
                "waiver `{}` lasts until {expires}, more than {LONGEST} days from now",
                waiver.name()
            );
            let help = "choose a nearer day, and look at it again then";
            out.report_everywhere(RULE.at(waiver.spec.expires.span, message, "").help(help));
        }
    }
}
