//! Finds actions and resources that never meet.

use crate::action::Action;
use crate::lint::policy::{Kind, Policy, Statement, Text};
use crate::lint::{Findings, Rule, Severity, listed};

pub(super) const RULE: Rule = Rule {
    code: "AIP-IAM-010",
    name: "action-resource-mismatch",
    severity: Severity::Error,
    page: include_str!("action_resource_mismatch.md"),
    check,
};

fn check(policy: &Policy<'_>, findings: &mut Findings<'_>) {
    if policy.kind == Kind::Trust {
        return;
    }
    for statement in &policy.statements {
        let whole = statement.on().iter().all(|item| item.text.starts_with("arn:"));
        let Some(actions) = statement.known_actions().filter(|_| whole) else { continue };
        // The reference names no format of some types, and nothing can be said about them.
        if actions.iter().any(|action| action.resource_types().count() < action.on.len()) {
            continue;
        }
        of_statement(statement, &actions, findings);
    }
}

fn of_statement(statement: &Statement<'_>, actions: &[&'static Action], findings: &mut Findings<'_>) {
    let (met, dead): (Vec<&Text<'_>>, Vec<&Text<'_>>) =
        statement.on().iter().partition(|item| actions.iter().any(|action| is_about(action, &item.text)));
    for item in dead {
        let format = formats(actions);
        findings.at(item, format!("{} {} never about `{}`", listed(actions), is(actions), item.text), format);
    }
    if met.is_empty() {
        return;
    }
    for item in statement.named() {
        let is_dead = |action: &Action| !met.iter().any(|resource| is_about(action, &resource.text));
        if item.actions.iter().all(|action| is_dead(action)) {
            let message =
                format!("`{}` is never about any of the resources of the statement", item.text.text);
            findings.at(&item.text, message, formats(&item.actions));
        }
    }
}

fn is_about(action: &Action, pattern: &str) -> bool {
    action.resource_types().any(|kind| kind.overlaps(pattern))
}

fn is(actions: &[&Action]) -> &'static str {
    if actions.len() == 1 { "is" } else { "are" }
}

fn formats(actions: &[&'static Action]) -> String {
    let mut formats: Vec<&str> = Vec::new();
    for format in actions
        .iter()
        .flat_map(|action| action.resource_types())
        .flat_map(|kind| kind.formats.iter().copied())
    {
        if !formats.contains(&format) {
            formats.push(format);
        }
    }
    match formats.as_slice() {
        [] => {
            "there is no resource to name: write `\"Resource\": \"*\"` in a statement of its own".to_owned()
        }
        some => format!("write {}", listed(some)),
    }
}
