//! Finds `iam:PassRole` of any role, or to any service.

use crate::lint::policy::Policy;
use crate::lint::{Findings, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    code: "AIP-IAM-007",
    name: "passrole-broad",
    severity: Severity::Error,
    page: include_str!("passrole_broad.md"),
    check,
};

fn check(policy: &Policy<'_>, findings: &mut Findings<'_>) {
    for statement in policy.grants() {
        let passes =
            statement.named().iter().find(|item| item.text.text != "*" && item.covers("iam:PassRole"));
        let Some(item) = passes else { continue };
        if let Some(role) = statement.on().iter().find(|role| is_any_role(&role.text)) {
            findings.at(
                &item.text,
                format!("`iam:PassRole` hands over any role (`{}`), and with it what that may do", role.text),
                "name the roles that may be passed",
            );
        }
        let to = ["iam:passedtoservice", "iam:associatedresourcearn"];
        if !statement.is_narrowed_by(|key| to.contains(&key)) {
            findings.at(
                &item.text,
                "`iam:PassRole` hands the role over to any service",
                "add `StringEquals` of `iam:PassedToService`",
            );
        }
    }
}

fn is_any_role(pattern: &str) -> bool {
    let resource = pattern.splitn(6, ':').nth(5).unwrap_or(pattern);
    matches!(resource.trim_start_matches("role").trim_matches(['/', '*']), "") && resource.ends_with('*')
}
