//! Policies of the workspace that decide nothing over its requests.

use super::{Check, Findings, Look};
use crate::authorize::Policies;
use crate::diagnostic::{Family, Rule, Severity};
use crate::inspect::{Inspection, Verdict};
use crate::ir::PolicyIndex;

static RULE: Rule = Rule {
    code: "AIP-AGT-018",
    name: "vacuous-or-shadowed-policy",
    severity: Severity::Advisory,
    family: Family::Verdict,
    page: include_str!("vacuous_or_shadowed_policy.md"),
};

pub(super) const CHECK: Check = Check { rule: &RULE, run: Look::Policies(run) };

fn run(policies: &Policies, found: &Inspection, out: &mut Findings<'_>) {
    let id = |at: &PolicyIndex| policies.facts().get(at.0 as usize).map_or("", |fact| fact.id.as_str());
    for inspected in found.policies.iter().filter(|_| found.asked > 0) {
        let fact = policies.facts().get(inspected.policy.0 as usize);
        let Some(fact) = fact.filter(|fact| super::is_own(fact, out)) else { continue };
        let list =
            |all: &[PolicyIndex]| all.iter().map(|at| format!("`{}`", id(at))).collect::<Vec<_>>().join(", ");
        let why = match &inspected.verdict {
            // A forbid that matches nothing is what everybody hopes for.
            Verdict::Vacuous(_) if policies.forbids(&fact.id) => continue,
            Verdict::Vacuous(_) => {
                format!("permits none of the {} requests that it is asked about", inspected.asked)
            }
            Verdict::Shadowed { by, .. } => {
                format!("matches nothing that {} does not match too", list(&[*by]))
            }
            Verdict::Redundant { beside, .. } => format!("changes nothing beside {}", list(beside)),
            Verdict::Overridden(by) => format!("permits nothing that {} does not forbid", list(by)),
            Verdict::Decides | Verdict::Guards(_) | Verdict::Off | Verdict::Changes => continue,
        };
        let found = RULE.at(fact.head, format!("policy `{}` {why}", fact.id), "");
        out.report_everywhere(found.help("`aipolicy policies` says more; correct it, or remove it"));
    }
}
