//! Finds what is written twice.

use std::collections::BTreeSet;

use crate::json::Json;
use crate::lint::policy::{Policy, Statement};
use crate::lint::{Findings, Rule, Severity};
use crate::pattern::Pattern;

pub(super) const RULE: Rule = Rule {
    code: "AIP-IAM-031",
    name: "duplicate-entry",
    severity: Severity::Warning,
    page: include_str!("duplicate_entry.md"),
    check,
};

fn check(policy: &Policy<'_>, findings: &mut Findings<'_>) {
    for (at, statement) in policy.statements.iter().enumerate() {
        let before = policy.statements.iter().take(at);
        if before.map(meaning).any(|earlier| earlier == meaning(statement)) {
            findings.report(&statement.pointer, "the statement is written twice", "leave one of them out");
            continue;
        }
        actions(statement, findings);
        let mut seen = BTreeSet::new();
        for item in statement.resources.iter().flat_map(|resources| &resources.items) {
            if !seen.insert(&*item.text) {
                findings.at(item, format!("`{}` is written twice", item.text), "leave one of them out");
            }
        }
    }
}

/// All that a statement says but its name.
fn meaning<'a>(statement: &Statement<'a>) -> Vec<&'a (String, Json)> {
    let Json::Object(entries) = statement.json else { return Vec::new() };
    let mut entries: Vec<_> = entries.iter().filter(|(key, _)| key != "Sid").collect();
    entries.sort_by_key(|(key, _)| key);
    entries
}

fn actions(statement: &Statement<'_>, findings: &mut Findings<'_>) {
    let Some(actions) = &statement.actions else { return };
    let mut seen = BTreeSet::new();
    for item in &actions.items {
        let text = &item.text.text;
        let wider = actions.items.iter().find(|other| {
            other.is_wild() && !item.is_wild() && Pattern::action(&other.text.text).matches(text, |_| None)
        });
        if !seen.insert(text.to_ascii_lowercase()) {
            findings.at(&item.text, format!("`{text}` is written twice"), "leave one of them out");
        } else if let Some(wider) = wider {
            let message = format!("`{text}` is among `{}` already", wider.text.text);
            findings.at(&item.text, message, "leave one of them out");
        }
    }
}
