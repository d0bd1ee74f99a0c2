//! What a workspace has words for, as a policy that forbids everything else. A counterexample within it can be read; it is
//! looked for first, and says nothing about what is outside.

use std::collections::{BTreeMap, BTreeSet};

use aipolicy_compiler::inspect::{Ranked, Shape, Vocabulary, Words};
use cedar_policy::{Policy, PolicyId, RequestEnv};
use serde_json::{Value, json};

use crate::shown::paths;

/// What the policy is called.
const NAME: &str = "aipolicy-domain";
/// So far attributes of attributes are followed.
const DEPTH: usize = 2;

/// A forbid for both sides of a comparison, about what some policies look at.
pub(crate) fn forbid(vocabulary: &Vocabulary, kind: &RequestEnv, policies: &[&Policy]) -> Option<Policy> {
    let body = condition(vocabulary, kind, policies)?;
    let any = json!({ "op": "All" });
    let policy = json!({
        "effect": "forbid", "principal": any, "action": any, "resource": any,
        "conditions": [{ "kind": "unless", "body": body }],
    });
    Policy::from_json(Some(PolicyId::new(NAME)), policy).ok()
}

/// A policy that matches within the vocabulary alone.
pub(crate) fn narrow(policy: &Policy, vocabulary: &Vocabulary, kind: &RequestEnv) -> Option<Policy> {
    let body = condition(vocabulary, kind, &[policy])?;
    let mut text = policy.to_json().ok()?;
    text.get_mut("conditions")?.as_array_mut()?.insert(0, json!({ "kind": "when", "body": body }));
    Policy::from_json(Some(policy.id().clone()), text).ok()
}

/// That a request is made of words that the workspace has, where policies look.
fn condition(vocabulary: &Vocabulary, kind: &RequestEnv, policies: &[&Policy]) -> Option<Value> {
    let mut named: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for uid in policies.iter().flat_map(|policy| policy.entity_literals()) {
        named.entry(uid.type_name().to_string()).or_default().insert(uid.id().unescaped().to_owned());
    }
    let looked = policies.iter().flat_map(|policy| paths(policy));
    let looked = looked.flat_map(|path| path.split('.').map(str::to_owned).collect::<Vec<_>>()).collect();
    let domain = Domain { vocabulary, named, looked };
    let ends = [("principal", kind.principal()), ("resource", kind.resource())];
    let ends = ends
        .into_iter()
        .flat_map(|(word, kind)| domain.entity(&json!({ "Var": word }), &kind.to_string(), DEPTH));
    let shape = vocabulary.context.get(kind.action().id().unescaped());
    let context =
        shape.into_iter().flat_map(|shape| domain.attributes(&json!({ "Var": "context" }), shape, DEPTH));
    ends.chain(context).reduce(|left, right| json!({ "&&": { "left": left, "right": right } }))
}

struct Domain<'v> {
    vocabulary: &'v Vocabulary,
    /// Names that policies speak of, by type.
    named: BTreeMap<String, BTreeSet<String>>,
    /// Attributes that policies look at. More would only keep the solver busy.
    looked: BTreeSet<String>,
}

impl Domain<'_> {
    /// An entity has a name that nobody has, or one that policies speak of, and attributes like others of its type.
    fn entity(&self, place: &Value, kind: &str, depth: usize) -> Vec<Value> {
        let some = format!("some-{}", kind.to_lowercase());
        let names = std::iter::once(&some).chain(self.named.get(kind).into_iter().flatten());
        let is = |name: &String| {
            let uid = json!({ "Value": { "__entity": { "type": kind, "id": name } } });
            json!({ "==": { "left": place, "right": uid } })
        };
        let shape = self.vocabulary.entities.get(kind).filter(|_| depth > 0);
        let attributes = shape.into_iter().flat_map(|shape| self.attributes(place, shape, depth - 1));
        any(names.map(is)).into_iter().chain(attributes).collect()
    }

    fn attributes(&self, place: &Value, shape: &Shape, depth: usize) -> Vec<Value> {
        let looked = shape.words.iter().filter(|(name, _)| self.looked.contains(*name));
        let words = looked.flat_map(|(name, words)| {
            let has = json!({ "has": { "left": place, "attr": name } });
            let conditions = self.words(&attribute(place, name), words, depth);
            let yes = json!({ "Value": true });
            // Only `if` lets the validator know that an attribute is there.
            conditions
                .into_iter()
                .map(move |one| json!({ "if-then-else": { "if": has, "then": one, "else": yes } }))
        });
        let ranked = shape
            .pairs
            .iter()
            .filter(|one| self.looked.contains(&one.text) && self.looked.contains(&one.rank));
        let pairs = ranked.filter_map(|Ranked { text, rank, known }| {
            let is = |name: &str, value: Value| {
                json!({ "==": { "left": attribute(place, name), "right": { "Value": value } } })
            };
            let both = known.iter().map(|(word, number)| {
                json!({ "&&": { "left": is(text, json!(word)), "right": is(rank, json!(number)) } })
            });
            any(both)
        });
        words.chain(pairs).collect()
    }

    fn words(&self, own: &Value, words: &Words, depth: usize) -> Vec<Value> {
        match words {
            Words::Texts(known) => is_one_of(own, known),
            Words::Numbers(known) => is_one_of(own, known),
            Words::Entity(kind) => self.entity(own, kind, depth),
            Words::TextSets(_) | Words::Other => Vec::new(),
        }
    }
}

fn attribute(place: &Value, name: &str) -> Value {
    json!({ ".": { "left": place, "attr": name } })
}

/// Equalities are easier for a solver than sets.
fn is_one_of<T: serde::Serialize>(own: &Value, values: &BTreeSet<T>) -> Vec<Value> {
    let is = |value| json!({ "==": { "left": own, "right": { "Value": value } } });
    any(values.iter().map(is)).into_iter().collect()
}

fn or(left: Value, right: Value) -> Value {
    json!({ "||": { "left": left, "right": right } })
}

fn any(all: impl Iterator<Item = Value>) -> Option<Value> {
    all.reduce(or)
}
