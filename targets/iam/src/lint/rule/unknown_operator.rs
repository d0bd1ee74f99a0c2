//! Finds condition operators that do not exist.

use crate::lint::policy::Policy;
use crate::lint::{Findings, Rule, Severity, did_you_mean};
use crate::operator;

pub(super) const RULE: Rule = Rule {
    code: "AIP-IAM-032",
    name: "unknown-operator",
    severity: Severity::Error,
    page: include_str!("unknown_operator.md"),
    check,
};

fn check(policy: &Policy<'_>, findings: &mut Findings<'_>) {
    for statement in &policy.statements {
        let mut told = "";
        for condition in statement.conditions.iter().filter(|condition| condition.operator.is_none()) {
            if told == condition.operator_text {
                continue;
            }
            told = condition.operator_text;
            let near = did_you_mean(told, operator::names());
            let help = near.map_or_else(
                || "write an operator such as `StringEquals`".to_owned(),
                |near| format!("`{near}` is the nearest"),
            );
            findings.report(
                &condition.operator_pointer,
                format!("`{told}` is not a condition operator"),
                help,
            );
        }
    }
}
