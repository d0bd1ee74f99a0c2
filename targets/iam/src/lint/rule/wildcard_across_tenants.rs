//! Finds wildcards in the names of what holds data, which reach the data of others.

use crate::action::overlap;
use crate::lint::policy::Policy;
use crate::lint::{Findings, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    code: "AIP-IAM-018",
    name: "wildcard-across-tenants",
    severity: Severity::Error,
    page: include_str!("wildcard_across_tenants.md"),
    check,
};

/// What stands before the name of what holds data, and what ends the name.
const NAMES: &[(&str, &str, &[char])] = &[
    ("s3", "", &['/']),
    ("dynamodb", "table/", &['/']),
    ("sqs", "", &[]),
    ("sns", "", &[':']),
    ("kms", "key/", &[]),
    ("kms", "alias/", &[]),
    ("secretsmanager", "secret:", &[]),
    ("lambda", "function:", &[':']),
    ("states", "stateMachine:", &[':']),
    ("s3vectors", "bucket/", &['/']),
    ("aoss", "collection/", &[]),
    ("bedrock", "knowledge-base/", &[]),
    ("bedrock", "agent-alias/", &['/']),
];

fn check(policy: &Policy<'_>, findings: &mut Findings<'_>) {
    for statement in policy.grants() {
        let by_tag = |key: &str| key.contains("resourcetag/") || key == "kms:resourcealiases";
        if statement.is_narrowed_by(by_tag) {
            continue;
        }
        for item in statement.on() {
            let tenants = owners(&item.text, policy);
            if let [one, other, ..] = tenants.as_slice() {
                let message = format!("`{}` is about resources of `{one}` and of `{other}`", item.text);
                findings.at(item, message, "name the resources of one of them");
            } else if tenants.is_empty()
                && let Some(name) = name(&item.text).filter(|name| name.contains(['*', '?']))
            {
                let message = if name.trim_matches('*').is_empty() {
                    format!("`{}` is about all of them, whoever they belong to", item.text)
                } else {
                    format!("`{name}` is every name like this, whoever it belongs to")
                };
                findings.at(item, message, "write the whole name; below it, a prefix with `*` is fine");
            }
        }
    }
}

fn owners<'a>(pattern: &str, policy: &'a Policy<'_>) -> Vec<&'a str> {
    if resource(pattern).is_none_or(|resource| resource == "*") {
        return Vec::new();
    }
    let all = policy.options.owners.iter().filter(|(_, owned)| overlap(pattern, owned));
    let mut tenants: Vec<&str> = all.map(|(tenant, _)| tenant.as_str()).collect();
    tenants.sort_unstable();
    tenants.dedup();
    tenants
}

/// What stands after the account of an ARN.
fn resource(pattern: &str) -> Option<&str> {
    pattern.splitn(6, ':').nth(5)
}

/// The name of what holds data, unless it is nothing but a wildcard.
fn name(pattern: &str) -> Option<&str> {
    let mut parts = pattern.splitn(6, ':');
    let (service, resource) = (parts.nth(2)?, parts.nth(2)?);
    let known = NAMES.iter().filter(|(known, ..)| *known == service);
    let name =
        known.filter_map(|(_, before, ends)| resource.strip_prefix(before)?.split(*ends).next()).next()?;
    // What Secrets Manager adds to a name.
    let name = if service == "secretsmanager" { name.strip_suffix("-??????").unwrap_or(name) } else { name };
    // Secrets that a service keeps are named by it: `events!connection/…`.
    let is_kept = service == "secretsmanager" && name.contains('!');
    (resource != "*" && !name.is_empty() && !is_kept).then_some(name)
}
