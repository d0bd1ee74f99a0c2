//! What is known about a policy from what is around it: what it is attached to, and whose it is.

use std::collections::BTreeSet;

use super::policy::Kind;
use crate::found::Place;
use crate::json::Json;

/// Whether AWS manages the policy.
pub(super) fn is_of_aws(place: &Place<'_>) -> bool {
    let is_of_aws = |object: &&Json| {
        object.get("Arn").and_then(Json::text).is_some_and(|arn| arn.contains(":iam::aws:policy/"))
    };
    place.around.iter().any(is_of_aws)
}

/// The names of the policies that are boundaries of somebody: `PermissionsBoundary` is an ARN, or an object that holds one.
pub(super) fn boundaries(json: &Json) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut waiting = vec![json];
    while let Some(next) = waiting.pop() {
        match next {
            Json::Object(entries) => {
                let named = next.get("PermissionsBoundary").or_else(|| next.get("permissions_boundary"));
                let arn = named.and_then(|named| named.get("PermissionsBoundaryArn").or(Some(named)));
                let name = arn.and_then(Json::text).and_then(|arn| arn.rsplit('/').next());
                names.extend(name.map(str::to_owned));
                waiting.extend(entries.iter().map(|(_, value)| value));
            }
            Json::List(items) => waiting.extend(items),
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::Text(_) => {}
        }
    }
    names
}

/// Whether CloudFormation has yet to compute a value in the policy.
pub(super) fn is_unresolved(place: &Place<'_>) -> bool {
    place.json.as_ref().is_ok_and(|json| has_function(json))
}

fn has_function(json: &Json) -> bool {
    match json {
        Json::Object(entries) => {
            let is_function = |key: &str| key == "Ref" || key.starts_with("Fn::");
            entries.iter().any(|(key, value)| is_function(key) || has_function(value))
        }
        Json::List(items) => items.iter().any(has_function),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::Text(_) => false,
    }
}

/// Whose the role or policy is, as the nearest tag of this key says.
pub(super) fn tenant<'a>(place: &Place<'a>, key: &str) -> Option<&'a str> {
    place.around.iter().rev().find_map(|object| tag(object, key))
}

/// What the policy is attached to, as what is around it says, or else its form.
pub(super) fn kind(place: &Place<'_>, boundaries: &BTreeSet<String>) -> Kind {
    if place.is_trust() {
        return Kind::Trust;
    }
    let is_boundary = |object: &&Json| {
        let name = ["PolicyName", "ManagedPolicyName"].iter().find_map(|key| object.get(key)?.text());
        name.is_some_and(|name| boundaries.contains(name))
    };
    if place.around.iter().any(is_boundary) {
        return Kind::Ceiling;
    }
    let beside = |name: &str| place.around.last().and_then(|parent| parent.get(name));
    let summary = beside("PolicySummary").and_then(|summary| summary.get("Type"));
    let words = [beside("Type"), beside("PolicyType"), summary]
        .map(|word| word.and_then(Json::text).unwrap_or_default());
    if words.iter().any(|word| word.ends_with("_CONTROL_POLICY")) {
        return Kind::Ceiling;
    }
    if beside("IsDefaultVersion").is_some()
        || (place.field == "PolicyDocument" && beside("PolicyName").is_some())
    {
        return Kind::Identity;
    }
    place.json.as_ref().map_or(Kind::Identity, |json| of_form(json))
}

/// What a policy is that stands alone: one that names principals is attached to a resource, or to a role where it is
/// about nothing but assuming it.
fn of_form(policy: &Json) -> Kind {
    let statements = match policy.get("Statement") {
        Some(Json::List(items)) => items.iter().collect(),
        Some(one) => vec![one],
        None => Vec::new(),
    };
    let has = |names: [&str; 2]| {
        statements.iter().any(|statement| names.iter().any(|name| statement.get(name).is_some()))
    };
    let assumes = |statement: &&Json| match statement.get("Action") {
        Some(Json::List(items)) => items.iter().all(is_assumption),
        Some(one) => is_assumption(one),
        None => false,
    };
    if !has(["Principal", "NotPrincipal"]) {
        return Kind::Identity;
    }
    if !has(["Resource", "NotResource"]) && statements.iter().all(assumes) {
        return Kind::Trust;
    }
    Kind::Resource
}

fn is_assumption(action: &Json) -> bool {
    action
        .text()
        .is_some_and(|action| action.get(..4).is_some_and(|service| service.eq_ignore_ascii_case("sts:")))
}

/// The value of a tag, in either form in which documents write tags.
fn tag<'a>(json: &'a Json, wanted: &str) -> Option<&'a str> {
    match json.get("Tags").or_else(|| json.get("tags"))? {
        Json::List(tags) => {
            let is_wanted = |tag: &&Json| tag.get("Key").and_then(Json::text) == Some(wanted);
            tags.iter().find(is_wanted)?.get("Value")?.text()
        }
        tags @ (Json::Object(_) | Json::Null | Json::Bool(_) | Json::Number(_) | Json::Text(_)) => {
            tags.get(wanted)?.text()
        }
    }
}
