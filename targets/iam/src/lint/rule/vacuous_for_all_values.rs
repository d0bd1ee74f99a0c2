//! Finds `ForAllValues:` that holds where the request has no value at all.

use crate::lint::policy::Policy;
use crate::lint::{Findings, Rule, Severity};
use crate::operator::Quantifier;

pub(super) const RULE: Rule = Rule {
    code: "AIP-IAM-026",
    name: "vacuous-for-all-values",
    severity: Severity::Error,
    page: include_str!("vacuous_for_all_values.md"),
    check,
};

fn check(policy: &Policy<'_>, findings: &mut Findings<'_>) {
    for statement in policy.grants() {
        for condition in &statement.conditions {
            let is_all = condition.operator.is_some_and(|operator| operator.quantifier == Quantifier::All);
            // Where an action has no such key, that is the worse finding.
            let is_unguarded = statement.lacking(condition).is_empty();
            if is_all && is_unguarded && !statement.requires(condition.key) {
                findings.report(
                    &condition.pointer,
                    format!(
                        "`{}` also holds for a request without `{}`",
                        condition.operator_text, condition.key
                    ),
                    format!("add `\"Null\": {{\"{}\": \"false\"}}` to the condition", condition.key),
                );
            }
        }
    }
}
