//! JSON documents in which every value knows its place.

use std::collections::BTreeMap;

use super::parse::{documents, json, readable};
use super::{Node, Value};
use crate::diagnostic::Diagnostics;
use crate::source::{SourceId, SourceMap, Span};

/// A JSON document with the place of each of its values.
#[derive(Debug)]
pub struct PlacedJson {
    /// The document.
    pub value: serde_json::Value,
    /// Places by JSON pointer.
    places: BTreeMap<String, Span>,
}

impl PlacedJson {
    /// Reads one document, with the same refusals as resources.
    ///
    /// # Errors
    /// The findings of the text, of which there is at least one.
    pub fn read(sources: &SourceMap, id: SourceId) -> Result<Self, Diagnostics> {
        readable(sources, id, Self::of)
    }

    /// Reads every document of a text that can be read.
    pub fn all(sources: &SourceMap, id: SourceId) -> Vec<Self> {
        let mut out = Diagnostics::default();
        documents(sources.get(id).text(), id, &mut out)
            .iter()
            .map(|document| Self::of(&document.root))
            .collect()
    }

    fn of(root: &Node<'_>) -> Self {
        let mut places = BTreeMap::new();
        collect(root, &mut String::new(), &mut places);
        Self { value: json(root), places }
    }

    /// The place of the value under a pointer, or of the nearest one above it.
    pub fn place(&self, pointer: &str) -> Option<Span> {
        let mut pointer = pointer;
        loop {
            if let Some(span) = self.places.get(pointer) {
                return Some(*span);
            }
            pointer = pointer.rsplit_once('/')?.0;
        }
    }
}

fn collect(node: &Node<'_>, pointer: &mut String, places: &mut BTreeMap<String, Span>) {
    places.insert(pointer.clone(), node.span);
    let length = pointer.len();
    let mut step = |key: &str, value: &Node<'_>| {
        pointer.push('/');
        pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
        collect(value, pointer, places);
        pointer.truncate(length);
    };
    match &node.value {
        Value::Scalar { .. } => {}
        Value::List(items) => items.iter().enumerate().for_each(|(at, item)| step(&at.to_string(), item)),
        Value::Map(entries) => entries.iter().for_each(|(key, value)| step(&key.value, value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SourceKind;

    #[test]
    fn every_value_knows_its_place() {
        let mut sources = SourceMap::new();
        let id = sources.add("a.json", r#"{ "a/b": [1, { "c": "d" }] }"#, SourceKind::Referenced);
        let read = PlacedJson::read(&sources, id).unwrap();
        let text = |pointer: &str| sources.slice(read.place(pointer).unwrap());
        assert_eq!(text("/a~1b/1/c"), "\"d\"");
        assert_eq!(text("/a~1b/0"), "1");
        assert_eq!(text("/a~1b/0/below"), "1");
        assert_eq!(read.value["a/b"][0], 1);
    }
}
