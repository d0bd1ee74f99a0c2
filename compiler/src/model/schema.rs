//! JSON Schemas of the kinds, from the same declarations that read them.

use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use super::read::API_VERSION;
use super::{KindName, Metadata, spec_schema};

/// The JSON Schema of a kind's document (draft 2020-12).
pub fn kind_schema(kind: KindName) -> Value {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let metadata = generator.subschema_for::<Metadata>();
    let spec = spec_schema(kind, &mut generator);
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": format!("https://aipolicy.dev/v1/{}", kind.schema_file()),
        "title": kind.word(),
        "type": "object",
        "additionalProperties": false,
        "required": ["apiVersion", "kind", "metadata", "spec"],
        "properties": {
            "apiVersion": { "const": API_VERSION },
            "kind": { "const": kind.word() },
            "metadata": metadata,
            "spec": spec,
        },
        "$defs": generator.take_definitions(true),
    })
}

/// The JSON Schema of any document of a workspace: editors pick the kind by `kind`.
pub fn workspace_schema() -> Value {
    let kinds: Vec<_> = KindName::ALL
        .iter()
        .map(|kind| {
            json!({
                "if": { "properties": { "kind": { "const": kind.word() } } },
                "then": { "$ref": kind.schema_file() },
            })
        })
        .collect();
    let words: Vec<_> = KindName::ALL.iter().map(|kind| kind.word()).collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "https://aipolicy.dev/v1/aipolicy.schema.json",
        "title": "aipolicy",
        "type": "object",
        "required": ["apiVersion", "kind", "metadata", "spec"],
        "properties": { "apiVersion": { "const": API_VERSION }, "kind": { "enum": words } },
        "allOf": kinds,
    })
}
