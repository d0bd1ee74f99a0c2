//! Finds names of statements that AWS refuses.

use std::collections::BTreeSet;

use crate::lint::policy::{Kind, Policy};
use crate::lint::{Findings, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    code: "AIP-IAM-022",
    name: "bad-sid",
    severity: Severity::Error,
    page: include_str!("bad_sid.md"),
    check,
};

fn check(policy: &Policy<'_>, findings: &mut Findings<'_>) {
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    for sid in policy.statements.iter().filter_map(|statement| statement.sid.as_ref()) {
        // Some services take more characters in policies of their resources.
        let is_plain = policy.kind == Kind::Resource || sid.text.chars().all(|c| c.is_ascii_alphanumeric());
        if !is_plain {
            let message = format!("`{}` is not a name that AWS takes for a statement", sid.text);
            findings.at(sid, message, "write letters and digits of ASCII alone");
        } else if !sid.text.is_empty() && !seen.insert(&sid.text) {
            let message = format!("two statements are called `{}`", sid.text);
            findings.at(sid, message, "give each statement a name of its own");
        }
    }
}
