//! Finds a deny of models on `bedrock` that leaves `bedrock-mantle` open.

use crate::lint::policy::Policy;
use crate::lint::{Findings, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    code: "AIP-IAM-029",
    name: "deny-forgets-mantle",
    severity: Severity::Warning,
    page: include_str!("deny_forgets_mantle.md"),
    check,
};

fn check(policy: &Policy<'_>, findings: &mut Findings<'_>) {
    if policy
        .denials()
        .any(|statement| statement.covers("bedrock-mantle:CreateInference") || statement.denies_all_but())
    {
        return;
    }
    for statement in policy.denials() {
        let closes =
            statement.named().iter().find(|item| item.text.text != "*" && item.covers("bedrock:InvokeModel"));
        let is_wide =
            statement.on().iter().any(|item| item.text == "*" || item.text.ends_with(":foundation-model/*"));
        if let Some(item) = closes.filter(|_| is_wide) {
            findings.at(
                &item.text,
                format!(
                    "`{}` denies models on one endpoint; the same models answer on `bedrock-mantle`",
                    item.text.text
                ),
                "deny `bedrock-mantle:CreateInference` too",
            );
        }
    }
}
