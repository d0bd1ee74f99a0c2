//! Policies of the workspace with a part that fails for some values.

use super::{Check, Findings, Look};
use crate::authorize::Policies;
use crate::diagnostic::{Family, Rule, Severity};
use crate::inspect::Inspection;

static RULE: Rule = Rule {
    code: "AIP-AGT-019",
    name: "policy-can-error",
    severity: Severity::Advisory,
    family: Family::Verdict,
    page: include_str!("policy_can_error.md"),
};

pub(super) const CHECK: Check = Check { rule: &RULE, run: Look::Policies(run) };

fn run(policies: &Policies, found: &Inspection, out: &mut Findings<'_>) {
    for inspected in &found.policies {
        let fact = policies.facts().get(inspected.policy.0 as usize);
        let Some(fact) = fact.filter(|fact| super::is_own(fact, out)) else { continue };
        for part in &inspected.may_fail {
            let message = format!("policy `{}` fails for some values: {}", fact.id, part.why);
            let found = RULE.at(part.span, message, "this part");
            out.report_everywhere(
                found.help("bound the value before it is computed with, or compare it as it is"),
            );
        }
    }
}
