//! Operations as tools: their parameters and the members of their body are the input, each with its place in the request.

use std::collections::BTreeMap;

use aipolicy_compiler::diagnostic::Diagnostics;
use aipolicy_compiler::model::agent::Access;
use aipolicy_compiler::rule;
use aipolicy_compiler::source::Span;
use serde_json::Value;

use super::condition::Condition;
use super::jsonata;
use super::schema::{Kind, Property, Reader, Shape};
use crate::openapi::{Operation, Segment, escaped};

/// Where an input goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Path,
    Query,
    Header,
    Body,
}

/// The request that a tool is.
pub(crate) struct Request {
    pub(crate) operation: Operation,
    /// Where each input goes, and under which name.
    pub(crate) places: BTreeMap<String, (Place, String)>,
}

/// What a parameter may say besides what is read of it.
const PARAMETER: &[&str] = &[
    "name",
    "in",
    "required",
    "schema",
    "description",
    "example",
    "examples",
    "deprecated",
    "style",
    "explode",
];

/// Headers that belong to the request itself, or that prove who sends it.
const RESERVED: &[&str] = &[
    "accept",
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "cookie",
    "expect",
    "host",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// The request of an operation and the shape of its input.
pub(super) fn read(
    operation: Operation,
    access: (Access, Span),
    out: &mut Diagnostics,
) -> Option<(Shape, Request)> {
    check_access(&operation, access, out)?;
    let mut found = Found { properties: Vec::new(), places: BTreeMap::new() };
    let mut reader = Reader::new(&operation.document, out, true);
    found.parameters(&operation, &mut reader);
    found.body(&operation, &mut reader);
    found.check_path(&operation, &mut reader);
    let sound = reader.sound;
    let shape =
        Shape { kind: Kind::Object(found.properties), only: None, description: None, span: operation.span };
    sound.then_some((shape, Request { operation, places: found.places }))
}

/// Rights to read and to write are told apart by the method.
fn check_access(operation: &Operation, (access, span): (Access, Span), out: &mut Diagnostics) -> Option<()> {
    let (fits, message, help) = match access {
        Access::Read => (operation.method == "GET", "reads", "use `access: write`, and a gate"),
        Access::Write => (operation.method != "GET", "writes", "use `access: read`"),
    };
    if fits {
        return Some(());
    }
    let message = format!("a tool that {message} cannot be a {}", operation.method);
    let found = rule::UNSUPPORTED.at(span, message, "").label(operation.span, "the operation");
    out.report(found.help(help));
    None
}

struct Found {
    properties: Vec<Property>,
    places: BTreeMap<String, (Place, String)>,
}

impl Found {
    fn parameters(&mut self, operation: &Operation, reader: &mut Reader<'_>) {
        let mut read: BTreeMap<(String, String), ()> = BTreeMap::new();
        // What the operation says comes before what its path says.
        for level in [&operation.pointer, &operation.item] {
            let list = format!("{level}/parameters");
            let count = operation.document.value.pointer(&list).and_then(Value::as_array).map_or(0, Vec::len);
            for at in 0..count {
                let Some((value, pointer)) = reader.resolve(&format!("{list}/{at}")) else { continue };
                let word = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or("").to_owned();
                if read.insert((word("name"), word("in")), ()).is_none() {
                    self.parameter(value, &pointer, reader);
                }
            }
        }
    }

    fn parameter(&mut self, value: &Value, pointer: &str, reader: &mut Reader<'_>) {
        let Some(map) = value.as_object() else {
            return reader.refuse(pointer, "a parameter is an object", "write `name`, `in` and `schema`");
        };
        let word = |key: &str| map.get(key).and_then(Value::as_str).unwrap_or("");
        let (place, style) = match word("in") {
            "path" => (Place::Path, "simple"),
            "query" => (Place::Query, "form"),
            "header" => (Place::Header, "simple"),
            _ => {
                let message = "a parameter is in the path, the query or a header";
                return reader.refuse(pointer, message, "leave it out");
            }
        };
        if let Some(key) = map.keys().find(|key| !PARAMETER.contains(&key.as_str())) {
            let at = format!("{pointer}/{}", escaped(key));
            reader.refuse(&at, &format!("a state machine cannot do what `{key}` says"), "leave it out");
        }
        if map.get("style").is_some_and(|written| written != style) {
            let message = "a parameter is written in the usual style of its place";
            reader.refuse(&format!("{pointer}/style"), message, "leave `style` out");
        }
        let reserved = |name: &str| {
            RESERVED.contains(&name) || name.starts_with("x-amz") || name.starts_with("x-forwarded")
        };
        if place == Place::Header && reserved(&word("name").to_lowercase()) {
            reader.refuse(pointer, "this header is not for a model to write", "leave it out");
        }
        let required = map.get("required") == Some(&Value::Bool(true));
        if place == Place::Path && !required {
            reader.refuse(pointer, "a parameter in the path is required", "add `required: true`");
        }
        let schema = map.get("schema").unwrap_or(&Value::Null);
        let Some(mut shape) = reader.shape(schema, &format!("{pointer}/schema"), 1) else { return };
        if matches!(shape.kind, Kind::List { .. } | Kind::Object(_)) {
            reader.refuse(pointer, "a parameter is a text, a number or a boolean", "put it into the body");
        }
        if let (None, Some(text)) = (&shape.description, map.get("description").and_then(Value::as_str)) {
            let place = reader.place(&format!("{pointer}/description"));
            shape.description = place.map(|place| (text.to_owned(), place));
        }
        // Inputs are called without `-`, which most headers have.
        let sent = word("name").to_owned();
        let name = if place == Place::Header { sent.replace('-', "_") } else { sent.clone() };
        self.add((Property { name, required, shape }, place, sent), pointer, reader);
    }

    fn body(&mut self, operation: &Operation, reader: &mut Reader<'_>) {
        let pointer = format!("{}/requestBody", operation.pointer);
        if operation.document.value.pointer(&pointer).is_none() {
            return;
        }
        let Some((value, pointer)) = reader.resolve(&pointer) else { return };
        let content = format!("{pointer}/content/{}", escaped("application/json"));
        let Some(schema) = operation.document.value.pointer(&format!("{content}/schema")) else {
            let message = "a body is JSON, and described by a schema";
            return reader.refuse(&pointer, message, "add `content: { application/json: { schema: … } }`");
        };
        if operation.method == "GET" || operation.method == "DELETE" {
            return reader.refuse(&pointer, "this request has no body", "use parameters");
        }
        let Some(shape) = reader.shape(schema, &format!("{content}/schema"), 1) else { return };
        let Kind::Object(properties) = shape.kind else {
            return reader.refuse(&content, "a body is an object", "use `type: object`");
        };
        let needed = value.get("required") == Some(&Value::Bool(true));
        if !needed && properties.iter().any(|property| property.required) {
            let message = "a body that may be missing cannot require members";
            reader.refuse(&pointer, message, "add `required: true` to the body");
        }
        for property in properties {
            let sent = property.name.clone();
            self.add((property, Place::Body, sent), &content, reader);
        }
    }

    fn add(
        &mut self,
        (property, place, sent): (Property, Place, String),
        pointer: &str,
        reader: &mut Reader<'_>,
    ) {
        if !Reader::is_name(&property.name) {
            reader.refuse(pointer, "names of inputs are letters, digits, `_` and `-`", "rename it");
        }
        if self.places.insert(property.name.clone(), (place, sent)).is_some() {
            let message = format!("two inputs of the operation are called `{}`", property.name);
            reader.refuse(pointer, &message, "rename one of them");
        }
        self.properties.push(property);
        self.properties.sort_by(|left, right| left.name.cmp(&right.name));
    }

    /// Every parameter of the path is in it once, and described.
    fn check_path(&self, operation: &Operation, reader: &mut Reader<'_>) {
        let Some(segments) = operation.segments() else {
            let message = "a path has letters, digits and punctuation, and parameters in braces";
            return reader.refuse(&operation.pointer, message, "use another path");
        };
        let mut named: Vec<_> = segments
            .iter()
            .filter_map(|segment| match segment {
                Segment::Parameter(name) => Some(*name),
                Segment::Literal(_) => None,
            })
            .collect();
        named.sort_unstable();
        let described = self.places.iter().filter(|(_, (place, _))| *place == Place::Path);
        let described: Vec<_> = described.map(|(name, _)| name.as_str()).collect();
        if named != described {
            let message = "the path and its parameters do not fit together";
            reader.refuse(&operation.pointer, message, "describe each parameter of the path once");
        }
    }
}

impl Request {
    /// The inputs that go to a place, each with the name that it has there.
    pub(crate) fn inputs(&self, place: Place) -> impl Iterator<Item = (&str, &str)> {
        let there = self.places.iter().filter(move |(_, (found, _))| *found == place);
        there.map(|(name, (_, sent))| (name.as_str(), sent.as_str()))
    }

    /// Where an input goes.
    pub(crate) fn place(&self, input: &str) -> Option<Place> {
        self.places.get(input).map(|(place, _)| *place)
    }

    /// What is asked of texts that become part of a path, since an empty one, or dots, would lead elsewhere.
    pub(super) fn conditions(&self, shape: &Shape, input: &str) -> Vec<Condition> {
        let in_path = |property: &&Property| {
            matches!(property.shape.kind, Kind::Text(_)) && self.place(&property.name) == Some(Place::Path)
        };
        let condition = |property: &Property| {
            let member = jsonata::member(input, &property.name);
            Condition {
                expression: format!("$length({member}) > 0 and {member} != '.' and {member} != '..'"),
                says: format!("{} must be a part of a path", property.name),
                span: property.shape.span,
            }
        };
        shape.properties().iter().filter(in_path).map(condition).collect()
    }
}
