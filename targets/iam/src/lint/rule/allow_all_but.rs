//! Finds `NotAction`, `NotResource` and `NotPrincipal` in statements that allow.

use crate::lint::policy::Policy;
use crate::lint::{Findings, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    code: "AIP-IAM-017",
    name: "allow-all-but",
    severity: Severity::Error,
    page: include_str!("allow_all_but.md"),
    check,
};

fn check(policy: &Policy<'_>, findings: &mut Findings<'_>) {
    for statement in policy.grants() {
        if let Some(actions) = statement.actions.as_ref().filter(|actions| actions.negated) {
            findings.report(
                &actions.pointer,
                "`NotAction` allows every action but these, those of services that are yet to come included",
                "name what is allowed in `Action`, or deny with `NotAction`",
            );
        }
        if let Some(resources) = statement.resources.as_ref().filter(|resources| resources.negated) {
            findings.report(
                &resources.pointer,
                "`NotResource` allows every resource but these, those of others included",
                "name what is allowed in `Resource`, or deny with `NotResource`",
            );
        }
        if let Some(principals) = statement.principals.as_ref().filter(|principals| principals.negated) {
            findings.report(
                &principals.pointer,
                "`NotPrincipal` allows everybody but these, whoever has no account included",
                "name who is allowed in `Principal`",
            );
        }
    }
}
