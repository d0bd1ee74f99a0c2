//! Waivers, or parts of them, that except nothing.

use super::{Check, Findings, Look};
use crate::diagnostic::{Diagnostic, Family, Rule, Severity};
use crate::model::Resource;
use crate::model::waiver::WaiverSpec;
use crate::resolve::Graph;
use crate::waive::Met;

static RULE: Rule = Rule {
    code: "AIP-LIF-016",
    name: "waiver-unused",
    severity: Severity::Advisory,
    family: Family::Verdict,
    page: include_str!("waiver_unused.md"),
};

pub(super) const CHECK: Check = Check { rule: &RULE, run: Look::Resources(run) };

/// Of the findings that may be meant, so many are told.
const TOLD: usize = 3;

fn run(_: &Graph, out: &mut Findings<'_>) {
    let waivers = out.waivers;
    for (waiver, met) in waivers.concluded() {
        for found in unused(waiver, met) {
            out.report_everywhere(found);
        }
    }
}

fn unused(waiver: &Resource<WaiverSpec>, met: &[Met<'_>]) -> Vec<Diagnostic> {
    let (name, spec) = (waiver.name(), &waiver.spec);
    if spec.fingerprints.is_empty() {
        let message = format!("waiver `{name}` names no finding, so it excepts nothing");
        return vec![RULE.at(spec.rule.span, message, "").help(help(waiver, met))];
    }
    let stale = spec.fingerprints.iter().filter(|print| !met.iter().any(|met| met.print == print.value));
    let stale: Vec<_> = stale
        .map(|print| {
            let message = format!("waiver `{name}` names the finding `{}`, which is not there", print.value);
            RULE.at(print.span, message, "").help(help(waiver, met))
        })
        .collect();
    if !stale.is_empty() {
        return stale;
    }
    let excepted = |kind, name: &crate::model::Name| {
        met.iter().any(|met| met.resource == (kind, name) && spec.lists(met.print))
    };
    let idle = spec.resources.iter().filter(|named| !excepted(named.kind, &named.name.value));
    idle.map(|named| {
        let message = format!("waiver `{name}` excepts nothing in `{}/{}`", named.kind, named.name.value);
        RULE.at(named.name.span, message, "").help(help(waiver, met))
    })
    .collect()
}

/// What may be meant: the findings of the rule in the resources that the waiver does not name yet.
fn help(waiver: &Resource<WaiverSpec>, met: &[Met<'_>]) -> String {
    let others = met.iter().filter(|met| !waiver.spec.lists(met.print));
    let others: Vec<_> = others.map(|met| format!("`{}` ({})", met.print, met.message)).collect();
    match others.as_slice() {
        [] => format!("`{}` finds nothing else in its resources; remove it", waiver.spec.rule.value),
        few => {
            let told: Vec<_> = few.iter().take(TOLD).map(String::as_str).collect();
            format!("if it is right, name under `fingerprints` what is there: {}", told.join(", "))
        }
    }
}
