//! Where a JSON document has policies, and what each of them is.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::Options;
use super::policy::Kind;
use crate::json::Json;
use crate::read::child;

/// Policies deeper than this are not looked for; `serde_json` reads no deeper either.
const DEPTH: usize = 128;

/// The policies of a document.
#[derive(Default)]
pub(super) struct Found<'a> {
    pub(super) policies: Vec<Place<'a>>,
    /// How many belong to AWS.
    pub(super) left_out: usize,
    /// How many have functions of CloudFormation in them.
    pub(super) unresolved: usize,
}

/// A policy and where it stands.
pub(super) struct Place<'a> {
    pub(super) json: Cow<'a, Json>,
    pub(super) pointer: String,
    /// Whether it is written as a string.
    pub(super) is_text: bool,
    pub(super) kind: Kind,
    /// Whose the role or policy is, as its tags say.
    pub(super) tenant: Option<&'a str>,
}

/// What the objects around a value say about it.
#[derive(Clone, Copy)]
struct Around<'a> {
    key: &'a str,
    parent: Option<&'a Json>,
    tenant: Option<&'a str>,
    /// Whether it is a policy that is a boundary.
    is_boundary: bool,
    depth: usize,
}

pub(super) fn policies<'a>(json: &'a Json, options: &Options) -> Found<'a> {
    let mut bounds = boundaries(json);
    bounds.extend(options.boundaries.iter().cloned());
    let mut finder = Finder { found: Found::default(), options, boundaries: bounds };
    finder.walk(json, "", Around { key: "", parent: None, tenant: None, is_boundary: false, depth: 0 });
    finder.found
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

struct Finder<'a, 'o> {
    found: Found<'a>,
    options: &'o Options,
    boundaries: BTreeSet<String>,
}

impl<'a> Finder<'a, '_> {
    fn walk(&mut self, json: &'a Json, pointer: &str, around: Around<'a>) {
        if around.depth > DEPTH {
            return;
        }
        match json {
            _ if is_policy(json) => self.add(Cow::Borrowed(json), pointer, around),
            Json::Text(text) => {
                if let Some(policy) = policy_in(text) {
                    self.add(Cow::Owned(policy), pointer, around);
                }
            }
            Json::Object(entries) => {
                let is_of_aws =
                    json.get("Arn").and_then(Json::text).is_some_and(|arn| arn.contains(":iam::aws:policy/"));
                let is_old = json.get("IsDefaultVersion") == Some(&Json::Bool(false));
                if is_of_aws || is_old {
                    self.found.left_out += usize::from(is_of_aws);
                    return;
                }
                let tenant = tag(json, &self.options.tenant_tag).or(around.tenant);
                let is_boundary = around.is_boundary || self.is_boundary(json);
                for (key, value) in entries {
                    let depth = around.depth + 1;
                    let around = Around { key, parent: Some(json), tenant, is_boundary, depth };
                    self.walk(value, &child(pointer, key), around);
                }
            }
            Json::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    let around = Around { depth: around.depth + 1, ..around };
                    self.walk(item, &child(pointer, &index.to_string()), around);
                }
            }
            Json::Null | Json::Bool(_) | Json::Number(_) => {}
        }
    }

    /// Whether an object is a policy by the name of a boundary.
    fn is_boundary(&self, json: &Json) -> bool {
        let name = ["PolicyName", "ManagedPolicyName"].iter().find_map(|key| json.get(key)?.text());
        name.is_some_and(|name| self.boundaries.contains(name))
    }

    fn add(&mut self, json: Cow<'a, Json>, pointer: &str, around: Around<'a>) {
        if has_function(&json) {
            self.found.unresolved += 1;
            return;
        }
        let kind = self.options.kind.unwrap_or_else(|| kind(&json, around));
        let is_text = matches!(json, Cow::Owned(_));
        self.found.policies.push(Place {
            json,
            pointer: pointer.to_owned(),
            is_text,
            kind,
            tenant: around.tenant,
        });
    }
}

/// An object with statements, at least one of which says what a statement says.
fn is_policy(json: &Json) -> bool {
    let is_statement =
        |json: &Json| ["Effect", "Action", "NotAction"].iter().any(|name| json.get(name).is_some());
    match json.get("Statement") {
        Some(Json::List(items)) => items.iter().any(is_statement),
        Some(one) => is_statement(one),
        None => false,
    }
}

/// Whether a value is left to CloudFormation to compute.
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

/// The policy that a text holds, as JSON or percent-encoded JSON.
fn policy_in(text: &str) -> Option<Json> {
    let text = text.trim_start();
    let json = if text.starts_with('{') { Cow::Borrowed(text) } else { Cow::Owned(decoded(text)?) };
    let json = json.contains("Statement").then(|| Json::parse(&json).ok()).flatten()?;
    is_policy(&json).then_some(json)
}

fn decoded(text: &str) -> Option<String> {
    if !text.starts_with("%7B") && !text.starts_with("%7b") {
        return None;
    }
    let mut pieces = text.split('%');
    let mut bytes = pieces.next()?.as_bytes().to_vec();
    for piece in pieces {
        let (code, rest) = piece.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(code, 16).ok()?);
        bytes.extend(rest.bytes());
    }
    String::from_utf8(bytes).ok()
}

fn kind(policy: &Json, around: Around<'_>) -> Kind {
    if around.is_boundary {
        return Kind::Ceiling;
    }
    let beside = |name: &str| around.parent.and_then(|parent| parent.get(name));
    if ["AssumeRolePolicyDocument", "assume_role_policy"]
        .iter()
        .any(|key| key.eq_ignore_ascii_case(around.key))
    {
        return Kind::Trust;
    }
    let summary = beside("PolicySummary").and_then(|summary| summary.get("Type"));
    let words = [beside("Type"), beside("PolicyType"), summary]
        .map(|word| word.and_then(Json::text).unwrap_or_default());
    if words.iter().any(|word| word.ends_with("_CONTROL_POLICY")) {
        return Kind::Ceiling;
    }
    if beside("IsDefaultVersion").is_some()
        || (around.key == "PolicyDocument" && beside("PolicyName").is_some())
    {
        return Kind::Identity;
    }
    of_form(policy)
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
