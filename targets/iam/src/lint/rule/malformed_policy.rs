//! Finds policies that AWS cannot read.

use crate::lint::policy::Policy;
use crate::lint::{Findings, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    code: "AIP-IAM-035",
    name: "malformed-policy",
    severity: Severity::Unreadable,
    page: include_str!("malformed_policy.md"),
    check,
};

fn check(policy: &Policy<'_>, findings: &mut Findings<'_>) {
    for error in policy.document.as_ref().err().into_iter().flatten() {
        findings.report(&error.pointer, error.message.clone(), error.help.clone());
    }
}
