//! Documents as trees in which every value can say where it comes from.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::{self, Write as _};

use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::origin::{Origin, Trace, Tracer};

/// A key of a map. Most are words of a format, which need no memory of their own.
pub(crate) type Key = Cow<'static, str>;

/// A value with its origin; without one, it has that of the value around it.
#[derive(Clone, Debug, PartialEq)]
pub struct Tree {
    origin: Option<Origin>,
    value: Value,
}

/// What a tree is at its root.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Bool(bool),
    Integer(i64),
    Decimal(f64),
    Text(String),
    List(Vec<Tree>),
    Map(Vec<(Key, Tree)>),
    /// A text that holds a document.
    Document(String, Box<Tree>),
}

impl Tree {
    fn of(value: Value) -> Self {
        Self { origin: None, value }
    }

    /// A text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::of(Value::Text(text.into()))
    }

    /// A whole number; beyond 64 bits it is the largest one.
    pub fn integer(value: impl TryInto<i64>) -> Self {
        Self::of(Value::Integer(value.try_into().unwrap_or(i64::MAX)))
    }

    /// A number with decimals.
    pub fn decimal(value: f64) -> Self {
        Self::of(Value::Decimal(value))
    }

    /// `true` or `false`.
    pub fn bool(value: bool) -> Self {
        Self::of(Value::Bool(value))
    }

    /// A list.
    pub fn list(items: impl IntoIterator<Item = Self>) -> Self {
        Self::of(Value::List(items.into_iter().collect()))
    }

    /// A map in the order given.
    pub fn map<K: Into<Key>>(entries: impl IntoIterator<Item = (K, Self)>) -> Self {
        Self::of(Value::Map(entries.into_iter().map(|(key, value)| (key.into(), value)).collect()))
    }

    /// A text that holds a whole document. Pointers go on into the document.
    pub fn document(text: String, inner: Self) -> Self {
        Self { origin: inner.origin.clone(), value: Value::Document(text, Box::new(inner)) }
    }

    /// A value of JSON, its maps in the order of those of another tree; keys that are not there come last, by name. There
    /// is no tree of `null`, which is how services write that a member is not there.
    pub fn from_json(value: &serde_json::Value, like: Option<&Self>) -> Option<Self> {
        use serde_json::Value as Json;
        Some(match value {
            Json::Null => return None,
            Json::Bool(value) => Self::bool(*value),
            Json::Number(number) => match number.as_i64() {
                Some(whole) => Self::integer(whole),
                None => Self::decimal(number.as_f64()?),
            },
            Json::String(text) => Self::text(text),
            Json::Array(items) => {
                let likes = like.map_or(&[][..], Self::items).iter().map(Some).chain(std::iter::repeat(None));
                Self::list(items.iter().zip(likes).filter_map(|(item, like)| Self::from_json(item, like)))
            }
            Json::Object(members) => {
                let known = like.map_or(&[][..], Self::entries);
                let place =
                    |key: &String| known.iter().position(|(own, _)| own == key).unwrap_or(known.len());
                let mut found: Vec<(&String, &Json)> = members.iter().collect();
                found.sort_by_key(|(key, _)| (place(key), *key));
                let entry = |(key, value): (&String, &Json)| {
                    let like = like.and_then(|like| like.get(key));
                    Some((key.clone(), Self::from_json(value, like)?))
                };
                Self::map(found.into_iter().filter_map(entry))
            }
        })
    }

    /// Says where the value comes from.
    pub fn from(mut self, origin: Origin) -> Self {
        self.origin = Some(origin);
        self
    }

    /// Says where the value comes from, unless that is known already.
    pub fn or_from(mut self, origin: &Origin) -> Self {
        self.origin.get_or_insert_with(|| origin.clone());
        self
    }

    /// The text, if it is one.
    pub(crate) fn as_text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) | Value::Document(text, _) => Some(text),
            Value::Bool(_) | Value::Integer(_) | Value::Decimal(_) | Value::List(_) | Value::Map(_) => None,
        }
    }

    /// What it is.
    pub(crate) fn value(&self) -> &Value {
        &self.value
    }

    /// Where it comes from, if that is said here.
    pub(crate) fn origin(&self) -> Option<&Origin> {
        self.origin.as_ref()
    }

    /// The entries of a map; of anything else there are none.
    pub(crate) fn entries(&self) -> &[(Key, Self)] {
        match &self.value {
            Value::Map(entries) => entries,
            Value::Bool(_)
            | Value::Integer(_)
            | Value::Decimal(_)
            | Value::Text(_)
            | Value::List(_)
            | Value::Document(..) => &[],
        }
    }

    /// The items of a list; of anything else there are none.
    fn items(&self) -> &[Self] {
        match &self.value {
            Value::List(items) => items,
            Value::Bool(_)
            | Value::Integer(_)
            | Value::Decimal(_)
            | Value::Text(_)
            | Value::Map(_)
            | Value::Document(..) => &[],
        }
    }

    /// The value under a key of a map.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        self.entries().iter().find(|(own, _)| own == key).map(|(_, value)| value)
    }

    /// Adds an item to a list.
    pub(crate) fn push(&mut self, item: Self) {
        if let Value::List(items) = &mut self.value {
            items.push(item);
        }
    }

    /// A tree that was read from a text, with the origins that were noted when the text was written. Every value says
    /// its own, so that it can be put elsewhere.
    pub(crate) fn traced(mut self, trace: &Trace) -> Self {
        self.place(&mut String::new(), None, &trace.by_pointer());
        self
    }

    fn place<'t>(
        &mut self,
        pointer: &mut String,
        around: Option<&'t Origin>,
        known: &HashMap<&str, &'t Origin>,
    ) {
        let origin = known.get(pointer.as_str()).copied().or(around);
        self.origin = origin.cloned();
        let length = pointer.len();
        match &mut self.value {
            Value::List(items) => {
                for (at, item) in items.iter_mut().enumerate() {
                    _ = write!(pointer, "/{at}");
                    item.place(pointer, origin, known);
                    pointer.truncate(length);
                }
            }
            Value::Map(entries) => {
                for (key, value) in entries {
                    push_key(pointer, key);
                    value.place(pointer, origin, known);
                    pointer.truncate(length);
                }
            }
            Value::Document(_, inner) => inner.place(pointer, around, known),
            Value::Bool(_) | Value::Integer(_) | Value::Decimal(_) | Value::Text(_) => {}
        }
    }

    /// The origins of everything inside, by pointer.
    pub fn trace(&self) -> Trace {
        let mut tracer = Tracer::default();
        self.note(&mut String::new(), None, &mut tracer);
        tracer.finish()
    }

    fn note<'t>(&'t self, pointer: &mut String, around: Option<&'t Origin>, trace: &mut Tracer<'t>) {
        let origin = self.origin.as_ref().or(around);
        match (&self.origin, around) {
            (Some(own), around) if Some(own) != around => trace.note(pointer, own),
            _ => {}
        }
        let length = pointer.len();
        match &self.value {
            Value::List(items) if !items.is_empty() => {
                for (at, item) in items.iter().enumerate() {
                    _ = write!(pointer, "/{at}");
                    item.note(pointer, origin, trace);
                    pointer.truncate(length);
                }
            }
            Value::Map(entries) if !entries.is_empty() => {
                for (key, value) in entries {
                    push_key(pointer, key);
                    value.note(pointer, origin, trace);
                    pointer.truncate(length);
                }
            }
            Value::Document(_, inner) => inner.note(pointer, origin, trace),
            Value::Bool(_)
            | Value::Integer(_)
            | Value::Decimal(_)
            | Value::Text(_)
            | Value::List(_)
            | Value::Map(_) => {
                if origin.is_none() {
                    trace.note_uncovered(pointer);
                }
            }
        }
    }
}

/// Adds a key to a JSON pointer.
fn push_key(pointer: &mut String, key: &str) {
    pointer.push('/');
    if key.contains(['~', '/']) {
        pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
    } else {
        pointer.push_str(key);
    }
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

/// Reads a tree in the order in which it is written.
struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Tree;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a text, a number, a boolean, a list or a map")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Tree, E> {
        Ok(Tree::bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Tree, E> {
        Ok(Tree::integer(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Tree, E> {
        Ok(Tree::integer(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Tree, E> {
        Ok(Tree::decimal(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Tree, E> {
        Ok(Tree::text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut found: A) -> Result<Tree, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = found.next_element()? {
            items.push(item);
        }
        Ok(Tree::of(Value::List(items)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut found: A) -> Result<Tree, A::Error> {
        let mut entries = Vec::new();
        while let Some((key, value)) = found.next_entry::<String, Tree>()? {
            entries.push((Key::from(key), value));
        }
        Ok(Tree::of(Value::Map(entries)))
    }
}

impl Serialize for Tree {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.value {
            Value::Bool(value) => serializer.serialize_bool(*value),
            Value::Integer(value) => serializer.serialize_i64(*value),
            Value::Decimal(value) => serializer.serialize_f64(*value),
            Value::Text(text) | Value::Document(text, _) => serializer.serialize_str(text),
            Value::List(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                items.iter().try_for_each(|item| list.serialize_element(item))?;
                list.end()
            }
            Value::Map(entries) => {
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                entries.iter().try_for_each(|(key, value)| map.serialize_entry(key, value))?;
                map.end()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aipolicy_compiler::source::{SourceId, Span};

    fn origin(start: usize) -> Origin {
        Origin::written(Span::new(SourceId::DEFAULTS, start, start + 1))
    }

    #[test]
    fn a_value_without_an_origin_has_that_of_what_is_around_it() {
        let inner = Tree::map([("x", Tree::integer(1)), ("y", Tree::integer(2).from(origin(9)))]);
        let tree = Tree::map([("a/b", inner.from(origin(5))), ("c", Tree::text("t"))]);
        let trace = tree.trace();
        assert_eq!(trace.at("/a~1b/x"), Some(&origin(5)));
        assert_eq!(trace.at("/a~1b/y"), Some(&origin(9)));
        assert_eq!(trace.at("/c"), None);
        assert_eq!(trace.uncovered(), ["/c"]);
    }

    #[test]
    fn a_document_in_a_text_keeps_its_origins() {
        let inner = Tree::map([("x", Tree::integer(1)), ("y", Tree::integer(2).from(origin(9)))]);
        let inner = Tree::document("x: 1".into(), inner.from(origin(5)));
        let trace = Tree::map([("a.yaml", inner)]).from(origin(1)).trace();
        assert_eq!(trace.at("/a.yaml"), Some(&origin(5)));
        assert_eq!(trace.at("/a.yaml/x"), Some(&origin(5)));
        assert_eq!(trace.at("/a.yaml/y"), Some(&origin(9)));
        assert_eq!(trace.uncovered(), [""; 0]);
    }

    #[test]
    fn a_tree_that_is_read_says_what_the_written_one_said() {
        let inner = Tree::map([("y", Tree::integer(1)), ("x", Tree::decimal(0.5).from(origin(9)))]);
        let list = Tree::list([Tree::bool(true), Tree::text("t").from(origin(3))]);
        let written = Tree::map([("a/b", inner.from(origin(5))), ("c", list)]).from(origin(1));
        let text = serde_json::to_string(&written).unwrap();
        let read: Tree = serde_json::from_str(&text).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), text);
        let read = read.traced(&written.trace());
        assert_eq!(read.trace(), written.trace());
        let moved = read.get("a/b").unwrap().get("y").unwrap();
        assert_eq!(moved.origin(), Some(&origin(5)));
    }

    #[test]
    fn an_empty_list_is_a_leaf() {
        assert_eq!(Tree::map([("a", Tree::list([]))]).trace().uncovered(), ["/a"]);
    }
}
