//! Finds condition keys that none of the actions has.

use crate::action::{self, ConditionKey};
use crate::lint::policy::Policy;
use crate::lint::{Findings, Rule, Severity, listed};

pub(super) const RULE: Rule = Rule {
    code: "AIP-IAM-025",
    name: "key-without-action",
    severity: Severity::Error,
    page: include_str!("key_without_action.md"),
    check,
};

fn check(policy: &Policy<'_>, findings: &mut Findings<'_>) {
    for statement in &policy.statements {
        let Some(actions) = statement.known_actions() else { continue };
        for condition in &statement.conditions {
            let Some(key) = of_actions(condition.key) else { continue };
            if actions.iter().any(|action| action.key_of_service(condition.key).is_some()) {
                continue;
            }
            let never = if condition.passes_without_key() { "always holds" } else { "never holds" };
            let message =
                format!("{} {} no `{}`, so the condition {never}", listed(&actions), has(&actions), key.name);
            findings.report(
                &condition.pointer,
                message,
                "move it to a statement of actions that have the key",
            );
        }
    }
}

/// The key, where requests have it for some actions alone.
fn of_actions(name: &str) -> Option<&'static ConditionKey> {
    let prefix = name.split(':').next()?.to_ascii_lowercase();
    if prefix == "aws" {
        let family = name.split('/').next()?.to_ascii_lowercase();
        let of_some = matches!(family.as_str(), "aws:requesttag" | "aws:tagkeys");
        return action::global_key(name).filter(|_| of_some);
    }
    // Some keys of services describe the session, whatever is called.
    if action::global_key(name).is_some() {
        return None;
    }
    action::service(&prefix)?.key(name)
}

fn has(actions: &[&'static action::Action]) -> &'static str {
    if actions.len() == 1 { "has" } else { "have" }
}
