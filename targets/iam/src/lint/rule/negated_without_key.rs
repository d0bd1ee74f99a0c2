//! Finds negated operators that allow where the request does not have the key.

use crate::lint::policy::Policy;
use crate::lint::{Findings, Rule, Severity};
use crate::operator::Quantifier;

pub(super) const RULE: Rule = Rule {
    code: "AIP-IAM-027",
    name: "negated-without-key",
    severity: Severity::Warning,
    page: include_str!("negated_without_key.md"),
    check,
};

/// Keys that every request has. Source: "AWS global condition context keys".
const ALWAYS: &[&str] = &[
    "aws:principalarn",
    "aws:principalaccount",
    "aws:principaltype",
    "aws:userid",
    "aws:currenttime",
    "aws:epochtime",
    "aws:requestedregion",
    "aws:securetransport",
    "aws:useragent",
    "aws:principalisawsservice",
    "aws:viaawsservice",
];

fn check(policy: &Policy<'_>, findings: &mut Findings<'_>) {
    for statement in policy.grants() {
        for condition in &statement.conditions {
            let is_negated = condition.operator.is_some_and(|operator| {
                operator.negated && operator.quantifier == Quantifier::One && !operator.if_exists
            });
            let is_always = ALWAYS.contains(&condition.key.to_ascii_lowercase().as_str());
            if is_negated
                && !is_always
                && !statement.requires(condition.key)
                && statement.lacking(condition).is_empty()
            {
                findings.report(
                    &condition.pointer,
                    format!(
                        "`{}` also allows a request without `{}`",
                        condition.operator_text, condition.key
                    ),
                    format!("name what is allowed, or add `\"Null\": {{\"{}\": \"false\"}}`", condition.key),
                );
            }
        }
    }
}
