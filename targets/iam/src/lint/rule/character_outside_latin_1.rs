//! Finds characters that AWS refuses in the text of a policy.

use crate::lint::policy::Policy;
use crate::lint::{Findings, Rule, Severity, is_latin};

pub(super) const RULE: Rule = Rule {
    code: "AIP-IAM-023",
    name: "character-outside-latin-1",
    severity: Severity::Error,
    page: include_str!("character_outside_latin_1.md"),
    check,
};

fn check(policy: &Policy<'_>, findings: &mut Findings<'_>) {
    let Some(text) = policy.text else { return };
    for string in &policy.strings {
        // A character that is written as an escape is fine.
        let refused = string.text.chars().find(|c| !is_latin(*c) && text.contains(*c));
        if let Some(c) = refused {
            let escaped: String =
                c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect();
            let message = format!("`{c}` is outside of Latin-1, and AWS refuses the policy");
            findings.at(string, message, format!("write it as `{escaped}`"));
        }
    }
}
