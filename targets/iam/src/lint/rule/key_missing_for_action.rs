//! Finds conditions that hold for an action that does not have their key.

use crate::lint::policy::Policy;
use crate::lint::{Findings, Rule, Severity, listed};

pub(super) const RULE: Rule = Rule {
    code: "AIP-IAM-028",
    name: "key-missing-for-action",
    severity: Severity::Error,
    page: include_str!("key_missing_for_action.md"),
    check,
};

fn check(policy: &Policy<'_>, findings: &mut Findings<'_>) {
    for statement in policy.grants() {
        for condition in &statement.conditions {
            let lacking = statement.lacking(condition);
            if lacking.is_empty() || !condition.passes_without_key() || statement.requires(condition.key) {
                continue;
            }
            let verb = if lacking.len() == 1 { "has" } else { "have" };
            findings.report(
                &condition.pointer,
                format!(
                    "{} {verb} no `{}`, so `{}` does not restrict it",
                    listed(&lacking),
                    condition.key,
                    condition.operator_text
                ),
                format!("leave the action out, or add `\"Null\": {{\"{}\": \"false\"}}`", condition.key),
            );
        }
    }
}
