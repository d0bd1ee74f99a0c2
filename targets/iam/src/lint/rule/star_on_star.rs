//! Finds statements that allow everything on everything.

use crate::lint::policy::Policy;
use crate::lint::{Findings, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    code: "AIP-IAM-016",
    name: "star-on-star",
    severity: Severity::Error,
    page: include_str!("star_on_star.md"),
    check,
};

fn check(policy: &Policy<'_>, findings: &mut Findings<'_>) {
    for statement in policy.grants().filter(|statement| statement.is_on_everything()) {
        if let Some(item) = statement.named().iter().find(|item| item.text.text == "*") {
            findings.at(
                &item.text,
                "every action is allowed on every resource",
                "name the actions and the resources that are needed",
            );
        }
    }
}
