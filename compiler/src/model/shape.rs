//! What the declarations of shapes have in common.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value as Json, json};

use crate::diagnostic::Diagnostic;
use crate::rule;
use crate::source::Span;
use crate::yaml::{Core, Decode, Fields, Node, Reader, Value, nearest};

/// A map with named fields.
pub(crate) trait Record: Sized {
    /// Reads the fields; `also` names further ones that a caller has read.
    fn decode_fields(fields: &mut Fields<'_, '_>, also: &[&str], reader: &mut Reader<'_>) -> Option<Self>;
}

/// Alternatives of which exactly one is written.
pub(crate) trait Choice: Sized {
    /// The Rust names of the keys.
    const KEYS: &'static [&'static str];

    /// Reads the one that is written.
    fn take(fields: &mut Fields<'_, '_>, reader: &mut Reader<'_>) -> Option<Self>;

    /// Key, schema and documentation of each.
    fn properties(generator: &mut SchemaGenerator) -> Vec<(String, Schema, &'static str)>;
}

/// The key of a Rust field name.
pub(crate) fn key(field: &str) -> String {
    crate::yaml::camel(field)
}

/// The single key that is present among alternatives; several are reported, and none is noted.
pub(crate) fn only_key(
    fields: &mut Fields<'_, '_>,
    keys: &[&'static str],
    reader: &mut Reader<'_>,
) -> Option<&'static str> {
    let present: Vec<_> =
        keys.iter().filter_map(|name| fields.find(name).map(|(key, _)| (*name, key.span))).collect();
    match present.as_slice() {
        [(only, _)] => Some(only),
        [] => {
            let names: Vec<_> = keys.iter().map(|name| key(name)).collect();
            let message = format!("one of {} is missing", crate::yaml::list(&names));
            let found = rule::EXACTLY_ONE.at(fields.head(), message, "");
            fields.lack(names, found);
            None
        }
        [(_, first), (_, second), ..] => {
            let names: Vec<_> = keys.iter().map(|name| key(name)).collect();
            let message = format!("only one of {} may be written", crate::yaml::list(&names));
            reader.fail(rule::EXACTLY_ONE.at(*second, message, "the second").label(*first, "the first"))
        }
    }
}

/// Whether a node is this word.
pub(crate) fn is_word(node: &Node<'_>, word: &str) -> bool {
    matches!(&node.value, Value::Scalar { text, .. } if text == word)
}

/// The fields of a choice, or a report that names its words.
pub(crate) fn choice_fields<'n, 'a>(
    node: &'n Node<'a>,
    words: &[&str],
    reader: &mut Reader<'_>,
) -> Option<Fields<'n, 'a>> {
    match (&node.value, words) {
        (Value::Map(_), _) | (_, []) => Fields::of(node, reader),
        (Value::Scalar { text, .. }, _) if node.core() == Some(Core::Text) => {
            let message = format!("expected a map or {}, found `{text}`", crate::yaml::list(words));
            unknown_word(text, rule::BAD_VALUE.at(node.span, message, ""), words, reader)
        }
        _ => reader.wrong_type(node, &format!("a map or {}", crate::yaml::list(words))),
    }
}

/// A word whose meaning the caller decides.
pub(crate) struct Word {
    text: String,
    span: Span,
}

impl Word {
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Reports a word that is not one of those that are known.
    pub(crate) fn unknown<T>(&self, known: &[&str], reader: &mut Reader<'_>) -> Option<T> {
        let message = format!("`{}` is not one of {}", self.text, crate::yaml::list(known));
        unknown_word(&self.text, rule::BAD_VALUE.at(self.span, message, ""), known, reader)
    }
}

fn unknown_word<T>(text: &str, found: Diagnostic, known: &[&str], reader: &mut Reader<'_>) -> Option<T> {
    reader.fail(match nearest(text, known.iter().copied()) {
        Some(near) => found.help(format!("`{near}` is the nearest")),
        None => found,
    })
}

impl Decode for Word {
    fn decode(node: &Node<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        match (&node.value, node.core()) {
            (Value::Scalar { text, .. }, Some(Core::Text)) => {
                Some(Self { text: text.to_string(), span: node.span })
            }
            _ => reader.wrong_type(node, "a word"),
        }
    }
}

/// Collects the JSON Schema of a record.
pub(crate) struct ObjectSchema {
    description: String,
    properties: Map<String, Json>,
    required: Vec<String>,
    alternatives: Vec<Json>,
}

impl ObjectSchema {
    pub(crate) fn new(doc: &str) -> Self {
        Self {
            description: tidy(doc),
            properties: Map::new(),
            required: Vec::new(),
            alternatives: Vec::new(),
        }
    }

    pub(crate) fn field<T: Decode + JsonSchema>(
        &mut self,
        field: &str,
        doc: &str,
        generator: &mut SchemaGenerator,
    ) {
        let name = key(field);
        if T::absent().is_none() {
            self.required.push(name.clone());
        }
        self.properties.insert(name, described(generator.subschema_for::<T>(), doc));
    }

    pub(crate) fn one_of(&mut self, properties: Vec<(String, Schema, &'static str)>) {
        for (name, schema, doc) in properties {
            self.alternatives.push(json!({ "required": [name] }));
            self.properties.insert(name, described(schema, doc));
        }
    }

    pub(crate) fn finish(self) -> Schema {
        let mut schema = json_schema!({
            "type": "object",
            "additionalProperties": false,
            "properties": self.properties,
        });
        let object = schema.ensure_object();
        if !self.description.is_empty() {
            object.insert("description".into(), self.description.into());
        }
        if !self.required.is_empty() {
            object.insert("required".into(), self.required.into());
        }
        if !self.alternatives.is_empty() {
            object.insert("oneOf".into(), self.alternatives.into());
        }
        schema
    }
}

fn described(schema: Schema, doc: &str) -> Json {
    let doc = tidy(doc);
    let mut value = schema.to_value();
    refuse_null(&mut value);
    if let (Some(object), false) = (value.as_object_mut(), doc.is_empty()) {
        object.insert("description".into(), doc.into());
    }
    value
}

/// A field may be left out, and is never null; `schemars` says otherwise of an `Option`.
fn refuse_null(schema: &mut Json) {
    let null = json!({ "type": "null" });
    let Some(object) = schema.as_object_mut() else { return };
    if let Some(Json::Array(words)) = object.get_mut("enum") {
        words.retain(|word| !word.is_null());
    }
    match object.get_mut("type") {
        Some(Json::Array(types)) => {
            types.retain(|one| one != "null");
            if let [only] = types.as_slice() {
                let only = only.clone();
                object.insert("type".into(), only);
            }
        }
        Some(_) | None => {
            let is_alone = object.len() == 1;
            let Some(Json::Array(alternatives)) = object.get_mut("anyOf") else { return };
            alternatives.retain(|one| *one != null);
            if let ([only], true) = (alternatives.as_slice(), is_alone) {
                *schema = only.clone();
            }
        }
    }
}

/// Doc comments arrive with a leading space per line.
fn tidy(doc: &str) -> String {
    doc.lines().map(str::trim).collect::<Vec<_>>().join("\n").trim().to_owned()
}

/// The schema of a [`choice`](super::macros): its words, or a map with exactly one of its keys.
pub(crate) fn choice_schema(
    doc: &str,
    words: &[&str],
    properties: Vec<(String, Schema, &'static str)>,
) -> Schema {
    let mut object = ObjectSchema::new(doc);
    object.one_of(properties);
    let map = object.finish();
    if words.is_empty() {
        return map;
    }
    json_schema!({ "description": tidy(doc), "anyOf": [{ "enum": words }, map] })
}

/// The schema of a [`tagged`](super::macros) map: the schema of each variant with its word.
pub(crate) fn tagged_schema(doc: &str, tag: &str, variants: Vec<(&str, Schema)>) -> Schema {
    let variants: Vec<_> =
        variants.into_iter().map(|(word, schema)| with_tag(schema, &key(tag), word)).collect();
    json_schema!({ "description": tidy(doc), "oneOf": variants })
}

fn with_tag(schema: Schema, tag: &str, word: &str) -> Json {
    let mut value = schema.to_value();
    if let Some(properties) = value.get_mut("properties").and_then(Json::as_object_mut) {
        properties.insert(tag.to_owned(), json!({ "const": word }));
    }
    if let Some(object) = value.as_object_mut() {
        let required = object.entry("required").or_insert_with(|| json!([]));
        if let Some(names) = required.as_array_mut() {
            names.push(tag.into());
        }
    }
    value
}

/// The schema of a closed set of words.
pub(crate) fn words_schema(doc: &str, words: &[(&str, &str)]) -> Schema {
    let variants: Vec<_> =
        words.iter().map(|(word, doc)| json!({ "const": word, "description": tidy(doc) })).collect();
    json_schema!({ "description": tidy(doc), "oneOf": variants })
}
