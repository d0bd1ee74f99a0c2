//! A policy as rules look at it: every text with its place, also where the whole cannot be read.

use std::borrow::Cow;

use super::{Options, around};
use crate::action::{self, Action};
use crate::document::{Document, Effect, Version};
use crate::found::Place;
use crate::json::Json;
use crate::operator::{Comparison, Operator, Quantifier};
use crate::read::{ReadError, child};

/// What a policy is attached to, and so what it decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A role, user or group.
    Identity,
    /// A role, saying who may assume it.
    Trust,
    /// A bucket, queue, key or another resource.
    Resource,
    /// An account or organisation, or a role as its boundary: it says what may be allowed at most, and allows nothing.
    Ceiling,
}

/// A policy.
pub(super) struct Policy<'a> {
    pub(super) kind: Kind,
    pub(super) pointer: String,
    pub(super) version: Version,
    pub(super) statements: Vec<Statement<'a>>,
    /// The policy, where it can be read.
    pub(super) document: Result<Document, Vec<ReadError>>,
    /// Every string of it, where the text has characters outside of Latin-1.
    pub(super) strings: Vec<Text<'a>>,
    /// The text that the policy stands in, where it has characters outside of Latin-1.
    pub(super) text: Option<&'a str>,
    pub(super) tenant: Option<&'a str>,
    pub(super) options: &'a Options,
    is_text: bool,
}

/// A text and its place.
pub(super) struct Text<'a> {
    pub(super) text: Cow<'a, str>,
    pub(super) pointer: String,
}

/// A statement.
pub(super) struct Statement<'a> {
    pub(super) json: &'a Json,
    pub(super) pointer: String,
    pub(super) sid: Option<Text<'a>>,
    pub(super) effect: Option<Effect>,
    pub(super) actions: Option<Actions<'a>>,
    pub(super) resources: Option<Resources<'a>>,
    pub(super) principals: Option<Principals<'a>>,
    pub(super) conditions: Vec<Condition<'a>>,
}

/// `Action` or `NotAction`.
pub(super) struct Actions<'a> {
    pub(super) negated: bool,
    pub(super) pointer: String,
    pub(super) items: Vec<ActionItem<'a>>,
}

/// One entry of `Action`.
pub(super) struct ActionItem<'a> {
    pub(super) text: Text<'a>,
    /// What it stands for; empty for `*`.
    pub(super) actions: Vec<&'static Action>,
}

/// `Resource` or `NotResource`.
pub(super) struct Resources<'a> {
    pub(super) negated: bool,
    pub(super) pointer: String,
    pub(super) items: Vec<Text<'a>>,
}

/// `Principal` or `NotPrincipal`.
pub(super) struct Principals<'a> {
    pub(super) negated: bool,
    pub(super) pointer: String,
    /// The kind (`*` for everyone) and the name.
    pub(super) items: Vec<(&'a str, Text<'a>)>,
}

/// One key of one operator of `Condition`.
pub(super) struct Condition<'a> {
    pub(super) operator_text: &'a str,
    pub(super) operator_pointer: String,
    pub(super) operator: Option<Operator>,
    pub(super) key: &'a str,
    pub(super) pointer: String,
    pub(super) values: Vec<Text<'a>>,
}

/// What stands where a policy cannot be read as JSON.
static NOTHING: Json = Json::Null;

impl<'a> Policy<'a> {
    /// `text` is given where it has characters that AWS refuses.
    pub(super) fn of(place: &'a Place<'a>, options: &'a Options, text: Option<&'a str>) -> Self {
        // Of a policy within a string, pointers count from the policy.
        let pointer = if place.is_text { String::new() } else { place.pointer.clone() };
        let json = place.json.as_deref().unwrap_or(&NOTHING);
        let mut strings = Vec::new();
        if text.is_some() {
            collect(json, &pointer, &mut strings);
        }
        let version = match json.get("Version").and_then(Json::text) {
            Some("2012-10-17") => Version::V2012,
            Some(_) | None => Version::V2008,
        };
        let statements = json.get("Statement").map(|json| elements(json, &child(&pointer, "Statement")));
        Self {
            kind: options.kind.unwrap_or_else(|| around::kind(place, &options.boundaries)),
            version,
            statements: statements.into_iter().flatten().map(|(json, at)| Statement::of(json, at)).collect(),
            document: place.document(&pointer),
            strings,
            text,
            tenant: options.tenant.as_deref().or_else(|| around::tenant(place, &options.tenant_tag)),
            options,
            is_text: place.is_text,
            pointer: place.pointer.clone(),
        }
    }

    /// The place in the whole text of a place in the policy.
    pub(super) fn outer(&self, pointer: &str) -> String {
        if self.is_text { self.pointer.clone() } else { pointer.to_owned() }
    }

    /// The place of the policy itself, as rules name it.
    pub(super) fn inner(&self) -> &str {
        if self.is_text { "" } else { &self.pointer }
    }

    /// The statements that allow, unless allowing gives nothing here.
    pub(super) fn grants(&self) -> impl Iterator<Item = &Statement<'a>> {
        let gives = self.kind != Kind::Ceiling;
        self.statements.iter().filter(move |statement| gives && statement.effect == Some(Effect::Allow))
    }

    pub(super) fn denials(&self) -> impl Iterator<Item = &Statement<'a>> {
        self.statements.iter().filter(|statement| statement.effect == Some(Effect::Deny))
    }
}

impl<'a> Statement<'a> {
    fn of(json: &'a Json, pointer: String) -> Self {
        let text = |name: &str| {
            let text = json.get(name)?.text()?;
            Some(Text { text: Cow::Borrowed(text), pointer: child(&pointer, name) })
        };
        let either = |plain: &'static str, negated: &'static str| {
            let found = json.get(plain).map(|json| (false, json, plain));
            let (is_negated, json, name) =
                found.or_else(|| json.get(negated).map(|json| (true, json, negated)))?;
            Some((is_negated, json, child(&pointer, name)))
        };
        let effect = json.get("Effect").and_then(Json::text);
        Self {
            json,
            sid: text("Sid"),
            effect: [Effect::Allow, Effect::Deny].into_iter().find(|known| effect == Some(known.as_str())),
            actions: either("Action", "NotAction").map(|(negated, json, pointer)| {
                let items = texts(json, &pointer).into_iter().map(ActionItem::of).collect();
                Actions { negated, pointer, items }
            }),
            resources: either("Resource", "NotResource").map(|(negated, json, pointer)| {
                let items = texts(json, &pointer);
                Resources { negated, pointer, items }
            }),
            principals: either("Principal", "NotPrincipal").map(|(negated, json, pointer)| {
                let items = principals(json, &pointer);
                Principals { negated, pointer, items }
            }),
            conditions: json
                .get("Condition")
                .map(|json| conditions(json, &child(&pointer, "Condition")))
                .unwrap_or_default(),
            pointer,
        }
    }

    /// The entries of `Action`; none of `NotAction`.
    pub(super) fn named(&self) -> &[ActionItem<'a>] {
        match &self.actions {
            Some(actions) if !actions.negated => &actions.items,
            Some(_) | None => &[],
        }
    }

    /// The entries of `Resource`; none of `NotResource`.
    pub(super) fn on(&self) -> &[Text<'a>] {
        match &self.resources {
            Some(resources) if !resources.negated => &resources.items,
            Some(_) | None => &[],
        }
    }

    /// The actions that the statement is about, where all of them are known.
    pub(super) fn known_actions(&self) -> Option<Vec<&'static Action>> {
        let actions = self.actions.as_ref().filter(|actions| !actions.negated)?;
        let all_known = actions.items.iter().all(|item| !item.actions.is_empty());
        let all = actions.items.iter().flat_map(|item| item.actions.iter().copied());
        (all_known && !actions.items.is_empty()).then(|| all.collect())
    }

    /// Whether the statement is about an action, such as `iam:PassRole`, whatever else it is about.
    pub(super) fn covers(&self, name: &str) -> bool {
        self.named().iter().any(|item| item.covers(name))
    }

    /// Whether a resource is among those named, as `*` alone or with others.
    pub(super) fn is_on_everything(&self) -> bool {
        self.on().iter().any(|item| item.text == "*")
    }

    /// The actions that do not have the key of a condition, where all actions are known and some have it.
    pub(super) fn lacking(&self, condition: &Condition<'_>) -> Vec<&'static Action> {
        let Some(actions) = self.known_actions().filter(|_| action::global_key(condition.key).is_none())
        else {
            return Vec::new();
        };
        let has = |action: &&Action| action.key_of_service(condition.key).is_some();
        if actions.iter().any(&has) {
            actions.into_iter().filter(|action| !has(action)).collect()
        } else {
            Vec::new()
        }
    }

    /// Whether the statement is about everything but some actions.
    pub(super) fn denies_all_but(&self) -> bool {
        self.actions.as_ref().is_some_and(|actions| actions.negated)
    }

    /// Whether the statement holds only where a key whose name passes has a value of those written.
    pub(super) fn is_narrowed_by(&self, is_wanted: impl Fn(&str) -> bool) -> bool {
        self.conditions
            .iter()
            .any(|condition| condition.narrows() && is_wanted(&condition.key.to_ascii_lowercase()))
    }

    /// Whether the statement holds only where the request has the key.
    pub(super) fn requires(&self, key: &str) -> bool {
        self.conditions.iter().any(|condition| {
            let is_null = condition.operator.is_some_and(|operator| operator.comparison == Comparison::Null);
            let is_false = condition.values.iter().all(|value| value.text.eq_ignore_ascii_case("false"));
            condition.key.eq_ignore_ascii_case(key) && if is_null { is_false } else { condition.narrows() }
        })
    }
}

impl<'a> ActionItem<'a> {
    fn of(text: Text<'a>) -> Self {
        let actions = if text.text == "*" { Vec::new() } else { action::actions_matching(&text.text) };
        Self { text, actions }
    }

    pub(super) fn is_wild(&self) -> bool {
        self.text.text.contains(['*', '?'])
    }

    pub(super) fn covers(&self, name: &str) -> bool {
        let named = |action: &&'static Action| name.split_once(':') == Some((action.service, action.name));
        self.text.text == "*" || self.actions.iter().any(named)
    }
}

impl Condition<'_> {
    /// Whether a request without the key passes.
    pub(super) fn passes_without_key(&self) -> bool {
        self.operator.is_some_and(|operator| match operator.quantifier {
            Quantifier::All => true,
            Quantifier::Any => operator.if_exists,
            Quantifier::One => {
                operator.if_exists || (operator.negated && operator.comparison != Comparison::Null)
            }
        })
    }

    /// Whether the condition asks for the key, with one of the values that are written, of which none is `*`.
    fn narrows(&self) -> bool {
        let compares = |operator: Operator| !operator.negated && operator.comparison != Comparison::Null;
        let is_open = self.values.iter().any(|value| value.text.trim_matches('*').is_empty());
        self.operator.is_some_and(compares) && !self.passes_without_key() && !is_open
    }

    pub(super) fn is(&self, key: &str) -> bool {
        self.key.eq_ignore_ascii_case(key)
    }
}

/// The account that a principal names, or is.
pub(super) fn account(principal: &str) -> &str {
    principal.split(':').nth(4).unwrap_or(principal)
}

/// Whether a principal is a whole account.
pub(super) fn is_account(principal: &str) -> bool {
    let digits = account(principal);
    let is_root = principal == digits || principal.ends_with(":root");
    is_root && digits.len() == 12 && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// The entries of a list; anything else is its only one.
fn elements<'a>(json: &'a Json, pointer: &str) -> Vec<(&'a Json, String)> {
    match json {
        Json::List(items) => {
            items.iter().enumerate().map(|(index, item)| (item, child(pointer, &index.to_string()))).collect()
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::Text(_) | Json::Object(_) => {
            vec![(json, pointer.to_owned())]
        }
    }
}

fn texts<'a>(json: &'a Json, pointer: &str) -> Vec<Text<'a>> {
    let text = |(json, pointer): (&'a Json, String)| {
        let text = match json {
            Json::Text(text) | Json::Number(text) => Cow::Borrowed(text.as_str()),
            Json::Bool(value) => Cow::Borrowed(if *value { "true" } else { "false" }),
            Json::Null | Json::List(_) | Json::Object(_) => return None,
        };
        Some(Text { text, pointer })
    };
    elements(json, pointer).into_iter().filter_map(text).collect()
}

fn principals<'a>(json: &'a Json, pointer: &str) -> Vec<(&'a str, Text<'a>)> {
    match json {
        Json::Object(kinds) => {
            let of_kind = |(kind, json): &'a (String, Json)| {
                texts(json, &child(pointer, kind)).into_iter().map(move |text| (kind.as_str(), text))
            };
            kinds.iter().flat_map(of_kind).collect()
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::Text(_) | Json::List(_) => {
            texts(json, pointer).into_iter().map(|text| ("*", text)).collect()
        }
    }
}

fn conditions<'a>(json: &'a Json, pointer: &str) -> Vec<Condition<'a>> {
    let Json::Object(operators) = json else { return Vec::new() };
    let mut conditions = Vec::new();
    for (operator, keys) in operators {
        let operator_pointer = child(pointer, operator);
        let Json::Object(keys) = keys else { continue };
        for (key, values) in keys {
            let pointer = child(&operator_pointer, key);
            conditions.push(Condition {
                operator_text: operator,
                operator_pointer: operator_pointer.clone(),
                operator: operator.parse().ok(),
                key,
                values: texts(values, &pointer),
                pointer,
            });
        }
    }
    conditions
}

fn collect<'a>(json: &'a Json, pointer: &str, strings: &mut Vec<Text<'a>>) {
    match json {
        Json::Text(text) => strings.push(Text { text: Cow::Borrowed(text), pointer: pointer.to_owned() }),
        Json::List(items) => {
            items
                .iter()
                .enumerate()
                .for_each(|(index, item)| collect(item, &child(pointer, &index.to_string()), strings));
        }
        Json::Object(entries) => {
            for (key, value) in entries {
                strings.push(Text { text: Cow::Borrowed(key), pointer: child(pointer, key) });
                collect(value, &child(pointer, key), strings);
            }
        }
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}
