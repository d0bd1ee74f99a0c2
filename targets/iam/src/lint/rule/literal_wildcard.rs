//! Finds wildcards where an operator takes them for plain characters.

use crate::lint::policy::Policy;
use crate::lint::{Findings, Rule, Severity};
use crate::operator::Comparison;

pub(super) const RULE: Rule = Rule {
    code: "AIP-IAM-039",
    name: "literal-wildcard",
    severity: Severity::Warning,
    page: include_str!("literal_wildcard.md"),
    check,
};

fn check(policy: &Policy<'_>, findings: &mut Findings<'_>) {
    for condition in policy.statements.iter().flat_map(|statement| &statement.conditions) {
        let is_exact =
            condition.operator.is_some_and(|one| matches!(one.comparison, Comparison::Text { .. }));
        for value in condition.values.iter().filter(|value| is_exact && is_wild(&value.text)) {
            let like = condition.operator_text.replace("EqualsIgnoreCase", "Like").replace("Equals", "Like");
            let message = format!(
                "`{}` takes the `*` of `{}` for a plain character",
                condition.operator_text, value.text
            );
            findings.at(value, message, format!("write `{like}`, or the whole value"));
        }
    }
}

/// Whether a `*` stands outside of variables, in which it is a character.
fn is_wild(value: &str) -> bool {
    value.replace("${*}", "").contains('*')
}
