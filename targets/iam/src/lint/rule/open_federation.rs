//! Finds trust in an identity provider that asks too little of its tokens.

use crate::lint::policy::{Kind, Policy};
use crate::lint::{Findings, Rule, Severity, listed};

pub(super) const RULE: Rule = Rule {
    code: "AIP-IAM-037",
    name: "open-federation",
    severity: Severity::Error,
    page: include_str!("open_federation.md"),
    check,
};

fn check(policy: &Policy<'_>, findings: &mut Findings<'_>) {
    for statement in policy.grants().filter(|_| policy.kind == Kind::Trust) {
        let principals = statement.principals.iter().filter(|principals| !principals.negated);
        for (_, item) in
            principals.flat_map(|principals| &principals.items).filter(|(kind, _)| *kind == "Federated")
        {
            let claims: &[&str] =
                if item.text.contains(":saml-provider/") { &["saml:aud"] } else { claims(&item.text) };
            let asked = |claim: &str| statement.is_narrowed_by(|key| key == claim || key.ends_with(claim));
            let missing = claims.iter().filter(|claim| !asked(claim));
            let missing: Vec<&str> = missing.map(|claim| claim.trim_start_matches(':')).collect();
            if let Some(first) = missing.first() {
                let message = format!(
                    "whoever has a token of `{}` may assume the role: nothing is asked of {}",
                    item.text,
                    listed(&missing)
                );
                findings.at(
                    item,
                    message,
                    format!("compare `{first}` with what the tokens of one client and one subject say"),
                );
            }
        }
    }
}

/// What has to be asked of tokens; Amazon, Facebook and the like tell their clients apart by one claim.
fn claims(provider: &str) -> &'static [&'static str] {
    match provider {
        "www.amazon.com" | "graph.facebook.com" => &[":app_id"],
        "accounts.google.com" | "cognito-identity.amazonaws.com" => &[":aud"],
        _ => &[":sub", ":aud"],
    }
}
