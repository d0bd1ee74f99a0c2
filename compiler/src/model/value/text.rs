//! Free text, texts by key, and files that a resource names.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::{Fault, Scalar, scalars, secret};
use crate::model::macros::record;
use crate::model::reference::{Linked, Reference};
use crate::rule;
use crate::source::Spanned;
use crate::yaml::{Decode, Node, Reader, Value};

scalars!(Text, RelativePath);

/// Free text, not empty, at most 10,000 characters, and not a credential.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Text(String);

impl Text {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Text {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl Scalar for Text {
    const WANTED: &'static str = "text";

    fn parse(text: &str) -> Result<Self, Fault> {
        if text.is_empty() {
            return Err(Fault::bad("the text is empty"));
        }
        if text.len() > 10_000 && text.chars().count() > 10_000 {
            return Err(Fault::range("the text has more than 10,000 characters").help("put it into a file"));
        }
        match secret::fault(text) {
            Some(fault) => Err(fault),
            None => Ok(Self(text.to_owned())),
        }
    }

    fn schema() -> Schema {
        json_schema!({ "type": "string", "minLength": 1, "maxLength": 10_000, "not": secret::schema() })
    }
}

/// A path inside the workspace, with `/`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RelativePath(String);

impl RelativePath {
    /// The path.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Scalar for RelativePath {
    const WANTED: &'static str = "a path inside the workspace such as `prompts/bot.md`";

    fn parse(text: &str) -> Result<Self, Fault> {
        let leaves = |why: &str| Fault::new(&rule::FILE_OUTSIDE, format!("`{text}` {why}"));
        if text.starts_with(['/', '\\', '~']) || text.contains(':') {
            return Err(leaves("is not relative to the workspace"));
        }
        if text.contains('\\') {
            return Err(
                Fault::bad(format!("`{text}` contains a backslash")).help("separate folders with `/`")
            );
        }
        if text.split('/').any(|part| part == "..") {
            return Err(leaves("leaves the workspace through `..`"));
        }
        if text.is_empty() || text.split('/').any(|part| part.is_empty() || part == ".") {
            return Err(Fault::bad(format!("`{text}` is not a plain path")));
        }
        Ok(Self(text.to_owned()))
    }

    fn schema() -> Schema {
        json_schema!({
            "type": "string", "pattern": "^[^/\\\\:~][^\\\\:]*$",
            "not": { "pattern": "(^|/)(\\.{1,2}|)(/|$)" },
            "description": super::capital(Self::WANTED),
        })
    }
}

record! {
    /// A file of the workspace.
    pub struct File {
        /// Its path, relative to the workspace.
        file: Spanned<RelativePath>,
    }
}

/// Values under keys that the writer chooses.
#[derive(Clone, Debug)]
pub struct Texts<T>(pub BTreeMap<String, Spanned<T>>);

impl<T> Default for Texts<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T: Decode> Decode for Texts<T> {
    fn decode(node: &Node<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let Value::Map(entries) = &node.value else { return reader.wrong_type(node, "a map") };
        let mut sound = true;
        let mut values = BTreeMap::new();
        for (key, value) in entries {
            match Spanned::<T>::decode(value, reader) {
                Some(value) => _ = values.insert(key.value.to_string(), value),
                None => sound = false,
            }
        }
        sound.then_some(Self(values))
    }

    fn absent() -> Option<Self> {
        Some(Self::default())
    }
}

impl<T: Linked> Linked for Texts<T> {
    fn each_reference(&mut self, visit: &mut dyn FnMut(Reference<'_>)) {
        for value in self.0.values_mut() {
            value.each_reference(visit);
        }
    }
}

impl<T: JsonSchema> JsonSchema for Texts<T> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("MapOf{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "object", "additionalProperties": generator.subschema_for::<T>() })
    }
}

/// Values under keys that are read like values themselves, for instance references.
#[derive(Clone, Debug)]
pub struct Keyed<K, V>(pub Vec<(K, V)>);

impl<K: Decode, V: Decode> Decode for Keyed<K, V> {
    fn decode(node: &Node<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let Value::Map(entries) = &node.value else { return reader.wrong_type(node, "a map") };
        let mut read = |key: &crate::yaml::Key<'_>, value| {
            let text = Value::Scalar { text: key.value.clone(), plain: false };
            let key = K::decode(&Node { value: text, span: key.span }, reader);
            key.zip(V::decode(value, reader))
        };
        let read: Vec<_> = entries.iter().map(|(key, value)| read(key, value)).collect();
        read.into_iter().collect::<Option<_>>().map(Self)
    }

    fn absent() -> Option<Self> {
        Some(Self(Vec::new()))
    }
}

impl<K: Linked, V: Linked> Linked for Keyed<K, V> {
    fn each_reference(&mut self, visit: &mut dyn FnMut(Reference<'_>)) {
        for (key, value) in &mut self.0 {
            key.each_reference(visit);
            value.each_reference(visit);
        }
    }
}

impl<K: JsonSchema, V: JsonSchema> JsonSchema for Keyed<K, V> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("{}By{}", V::schema_name(), K::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "propertyNames": generator.subschema_for::<K>(),
            "additionalProperties": generator.subschema_for::<V>(),
        })
    }
}

impl<T: JsonSchema> JsonSchema for Spanned<T> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        T::schema_name()
    }

    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}
