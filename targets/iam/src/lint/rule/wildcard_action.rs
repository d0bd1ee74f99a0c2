//! Finds wildcards in the actions that a policy allows.

use crate::action::{Action, Level};
use crate::lint::policy::{Kind, Policy, Statement, Text, is_account};
use crate::lint::{Findings, Rule, Severity, listed};

pub(super) const RULE: Rule = Rule {
    code: "AIP-IAM-002",
    name: "wildcard-action",
    severity: Severity::Error,
    page: include_str!("wildcard_action.md"),
    check,
};

fn check(policy: &Policy<'_>, findings: &mut Findings<'_>) {
    for statement in policy.grants().filter(|statement| !delegates(policy, statement)) {
        for item in statement.named().iter().filter(|item| item.is_wild()) {
            let text = &item.text.text;
            if text == "*" && !statement.is_on_everything() {
                findings.at(
                    &item.text,
                    "`*` allows every action of every service",
                    "name the actions that are needed",
                );
            }
            if item.actions.is_empty() {
                continue;
            }
            let manages = |action: &&&Action| action.level == Level::PermissionsManagement;
            let managing: Vec<&Action> = item.actions.iter().filter(manages).copied().collect();
            let many = item.actions.len();
            let mut message = format!("`{text}` allows {many} action{}", if many == 1 { "" } else { "s" });
            if !managing.is_empty() {
                message.push_str(&format!(
                    ", of which {} change permissions: {}",
                    managing.len(),
                    listed(&managing)
                ));
            }
            findings.at(&item.text, message, help(&item.actions));
        }
    }
}

/// Whether a policy of a resource leaves the decision to the policies of an account, as that of a key does.
fn delegates(policy: &Policy<'_>, statement: &Statement<'_>) -> bool {
    let is_account = |(kind, name): &(&str, Text<'_>)| *kind == "AWS" && is_account(&name.text);
    let principals = statement.principals.as_ref().filter(|principals| !principals.negated);
    policy.kind == Kind::Resource
        && principals.is_some_and(|principals| principals.items.iter().all(is_account))
}

fn help(actions: &[&Action]) -> String {
    match actions {
        [_, _, _, _, ..] => {
            "name the actions that are needed; new ones of the service would be allowed too".to_owned()
        }
        few => format!("write {}; new ones of the service would be allowed too", listed(few)),
    }
}
