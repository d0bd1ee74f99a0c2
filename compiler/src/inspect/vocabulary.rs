//! The words of a workspace: what occurs in contexts, and as attributes of entities.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy_core::ast::{self, Literal, PartialValue, Value, ValueKind};

use super::Subject;
use super::combined::Parts;

/// What occurs where.
#[derive(Clone, Debug, Default)]
pub struct Vocabulary {
    /// In contexts, by action.
    pub context: BTreeMap<String, Shape>,
    /// In entities, by type.
    pub entities: BTreeMap<String, Shape>,
}

/// What occurs in a record or an entity.
#[derive(Clone, Debug, Default)]
pub struct Shape {
    /// By attribute.
    pub words: BTreeMap<String, Words>,
    /// Texts that belong together with a rank.
    pub pairs: Vec<Ranked>,
}

/// A text and its rank, as `dataClass` and `dataClassRank`.
#[derive(Clone, Debug)]
pub struct Ranked {
    /// The attribute with the text.
    pub text: String,
    /// The attribute with the rank.
    pub rank: String,
    /// What occurs.
    pub known: BTreeSet<(String, i64)>,
}

/// Values of an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Words {
    /// Texts.
    Texts(BTreeSet<String>),
    /// Numbers.
    Numbers(BTreeSet<i64>),
    /// Texts in sets.
    TextSets(BTreeSet<String>),
    /// Entities of one type.
    Entity(String),
    /// Something else.
    Other,
}

/// What occurs in a workspace, or why that cannot be told.
pub fn vocabulary(subject: &Subject<'_>) -> Result<Vocabulary, String> {
    let parts = Parts::of(subject, |_| true)?;
    let mut all = Vocabulary::default();
    for (action, context) in parts.occurring() {
        let inner: &ast::Context = context.as_ref();
        if let ast::Context::Value(values) = inner {
            let values = values.iter().map(|(key, value)| (key.to_string(), value));
            all.context.entry(action.word().to_owned()).or_default().add(&values.collect());
        }
    }
    for entity in parts.entities.iter() {
        let inner: &ast::Entity = entity.as_ref();
        let values = inner.attrs().filter_map(|(key, value)| match value {
            PartialValue::Value(value) => Some((key.to_string(), value)),
            PartialValue::Residual(_) => None,
        });
        let kind = inner.uid().entity_type().to_string();
        all.entities.entry(kind).or_default().add(&values.collect());
    }
    Ok(all)
}

impl Shape {
    fn add(&mut self, values: &BTreeMap<String, &Value>) {
        for (key, value) in values {
            let found = words(value);
            let joined = match self.words.remove(key) {
                None => found,
                Some(known) => known.join(found),
            };
            self.words.insert(key.clone(), joined);
            let rank = format!("{key}Rank");
            if let Some((text, number)) = text(value).zip(values.get(&rank).and_then(|rank| number(rank))) {
                self.pair((key, rank), (text, number));
            }
        }
    }

    fn pair(&mut self, (text, rank): (&str, String), pair: (String, i64)) {
        match self.pairs.iter_mut().find(|ranked| ranked.text == text) {
            Some(ranked) => _ = ranked.known.insert(pair),
            None => self.pairs.push(Ranked { text: text.to_owned(), rank, known: BTreeSet::from([pair]) }),
        }
    }
}

impl Words {
    fn join(self, other: Self) -> Self {
        match (self, other) {
            (Self::Texts(left), Self::Texts(right)) => Self::Texts(&left | &right),
            (Self::Numbers(left), Self::Numbers(right)) => Self::Numbers(&left | &right),
            (Self::TextSets(left), Self::TextSets(right)) => Self::TextSets(&left | &right),
            (Self::Entity(left), Self::Entity(right)) if left == right => Self::Entity(left),
            (
                Self::Texts(_) | Self::Numbers(_) | Self::TextSets(_) | Self::Entity(_) | Self::Other,
                Self::Texts(_) | Self::Numbers(_) | Self::TextSets(_) | Self::Entity(_) | Self::Other,
            ) => Self::Other,
        }
    }
}

fn words(value: &Value) -> Words {
    match value.value_kind() {
        ValueKind::Lit(Literal::String(text)) => Words::Texts(BTreeSet::from([text.to_string()])),
        ValueKind::Lit(Literal::Long(number)) => Words::Numbers(BTreeSet::from([*number])),
        ValueKind::Lit(Literal::EntityUID(uid)) => Words::Entity(uid.entity_type().to_string()),
        ValueKind::Set(set) => {
            let texts: Option<BTreeSet<_>> = set.iter().map(text).collect();
            texts.map_or(Words::Other, Words::TextSets)
        }
        ValueKind::Lit(Literal::Bool(_)) | ValueKind::Record(_) | ValueKind::ExtensionValue(_) => {
            Words::Other
        }
    }
}

fn text(value: &Value) -> Option<String> {
    if let ValueKind::Lit(Literal::String(text)) = value.value_kind() { Some(text.to_string()) } else { None }
}

fn number(value: &Value) -> Option<i64> {
    if let ValueKind::Lit(Literal::Long(number)) = value.value_kind() { Some(*number) } else { None }
}
