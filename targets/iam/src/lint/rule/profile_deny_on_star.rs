//! Finds a deny of all but some inference profiles that denies the profiles themselves.

use crate::action::overlap;
use crate::lint::policy::{Condition, Policy};
use crate::lint::{Findings, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    code: "AIP-IAM-030",
    name: "profile-deny-on-star",
    severity: Severity::Error,
    page: include_str!("profile_deny_on_star.md"),
    check,
};

fn check(policy: &Policy<'_>, findings: &mut Findings<'_>) {
    for statement in policy.denials() {
        let is_negated = |condition: &&Condition<'_>| {
            let negated = condition.operator.is_some_and(|operator| operator.negated && !operator.if_exists);
            negated && condition.is("bedrock:InferenceProfileArn")
        };
        let profile = "arn:aws:bedrock:eu-central-1:111122223333:inference-profile/eu.model";
        let reaches = statement.on().iter().any(|item| overlap(&item.text, profile));
        if let Some(condition) = statement.conditions.iter().find(is_negated).filter(|_| reaches) {
            findings.report(
                &condition.pointer,
                "the call of a profile itself has no `bedrock:InferenceProfileArn`, so this denies every profile",
                "deny on `arn:aws:bedrock:*::foundation-model/*` and `arn:aws:bedrock:::foundation-model/*` alone",
            );
        }
    }
}
