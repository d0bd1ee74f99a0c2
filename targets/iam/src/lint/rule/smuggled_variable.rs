//! Finds policy variables that are not what they look like.

use crate::action;
use crate::document::Version;
use crate::lint::policy::{Policy, Statement, Text};
use crate::lint::{Findings, Rule, Severity, did_you_mean};

pub(super) const RULE: Rule = Rule {
    code: "AIP-IAM-020",
    name: "smuggled-variable",
    severity: Severity::Error,
    page: include_str!("smuggled_variable.md"),
    check,
};

/// Keys whose value the caller writes into the request, or into its session.
const WRITTEN: &[&str] = &[
    "aws:useragent",
    "aws:referer",
    "aws:userid",
    "aws:sourceidentity",
    "aws:tagkeys",
    "sts:rolesessionname",
];

fn check(policy: &Policy<'_>, findings: &mut Findings<'_>) {
    for statement in &policy.statements {
        for item in statement.actions.iter().flat_map(|actions| &actions.items) {
            if item.text.text.contains("${") {
                let message = format!("`{}` has a variable, which actions do not have", item.text.text);
                findings.at(&item.text, message, "name the actions");
            }
        }
        for (is_negated, item) in placed(statement) {
            for name in variables(&item.text) {
                if let Some((message, help)) = mistake(name, is_negated, policy) {
                    findings.at(item, message, help);
                }
            }
        }
    }
}

/// The texts in which variables are replaced; of `NotResource` or not.
fn placed<'s, 'a>(statement: &'s Statement<'a>) -> impl Iterator<Item = (bool, &'s Text<'a>)> {
    let resources = statement.resources.iter();
    let resources = resources.flat_map(|one| one.items.iter().map(move |item| (one.negated, item)));
    let values = statement.conditions.iter().flat_map(|condition| &condition.values);
    resources.chain(values.map(|value| (false, value)))
}

/// The names of the variables in a text; `${*}`, `${?}` and `${$}` are characters.
fn variables(text: &str) -> impl Iterator<Item = &str> {
    let names = text.split("${").skip(1).filter_map(|rest| rest.split_once('}')).map(|(inside, _)| inside);
    names.filter(|inside| !matches!(*inside, "*" | "?" | "$"))
}

fn mistake(inside: &str, is_negated: bool, policy: &Policy<'_>) -> Option<(String, String)> {
    let name = inside.split(',').next().unwrap_or(inside).trim();
    let lower = name.to_ascii_lowercase();
    if policy.version == Version::V2008 {
        let message = format!("`${{{name}}}` is plain text in a policy of this version");
        return Some((message, "write `\"Version\": \"2012-10-17\"`".to_owned()));
    }
    let is_written = WRITTEN.contains(&lower.as_str())
        || ["aws:requesttag/", "sts:requestcontext/"].iter().any(|family| lower.starts_with(family))
        || lower.contains(":x-amz-");
    if is_written {
        let message = format!("`${{{name}}}` is whatever the caller writes into its request");
        return Some((
            message,
            "use a key that the caller cannot choose, such as `aws:PrincipalTag/…` of a role".to_owned(),
        ));
    }
    if is_negated {
        let message = format!("without a value for `${{{name}}}`, `NotResource` leaves nothing out");
        return Some((message, "use `Resource`, which a variable without a value never matches".to_owned()));
    }
    unknown(name)
}

fn unknown(name: &str) -> Option<(String, String)> {
    // Identity providers have keys of their own, named after their host.
    let prefix = name.split(':').next().unwrap_or(name);
    if prefix.contains('.') || prefix.eq_ignore_ascii_case("saml") {
        return None;
    }
    let known = action::global_key(name).or_else(|| action::service(prefix)?.key(name));
    match known {
        None => {
            let near = did_you_mean(name, action::global_keys().map(|key| key.name));
            let help = near
                .map_or_else(|| "name a condition key".to_owned(), |near| format!("`{near}` is the nearest"));
            Some((format!("`${{{name}}}` is no condition key that anybody knows, and so has no value"), help))
        }
        Some(key) if key.many => Some((
            format!("`${{{name}}}` may have several values, and so is never replaced"),
            "use a key with one value".to_owned(),
        )),
        Some(_) => None,
    }
}
