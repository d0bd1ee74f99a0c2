//! Finds patterns of resources that stand for everything, and are not `*`.

use crate::lint::policy::Policy;
use crate::lint::{Findings, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    code: "AIP-IAM-003",
    name: "effective-star",
    severity: Severity::Error,
    page: include_str!("effective_star.md"),
    check,
};

fn check(policy: &Policy<'_>, findings: &mut Findings<'_>) {
    for statement in policy.grants() {
        for item in statement.on().iter().filter(|item| is_everything(&item.text)) {
            let message = match item.text.split(':').nth(2) {
                Some(service) if !service.contains('*') => {
                    format!("`{}` is every resource of `{service}` there", item.text)
                }
                Some(_) | None => format!("`{}` is every resource", item.text),
            };
            findings.at(item, message, "name the resources");
        }
    }
}

/// Whether nothing but wildcards stands where an ARN has its resource.
fn is_everything(pattern: &str) -> bool {
    if pattern == "*" {
        return false;
    }
    let (last, is_whole) = match pattern.splitn(6, ':').nth(5) {
        Some(resource) => (resource, true),
        None => (pattern.rsplit(':').next().unwrap_or_default(), false),
    };
    let wild = |text: &str| !text.is_empty() && text.chars().all(|c| matches!(c, '*' | '/'));
    wild(last) && (is_whole || pattern.contains('*'))
}
