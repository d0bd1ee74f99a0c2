//! What targets make of approved grants: documents, where their values come from, and what changes mean.

mod alarms;
mod bedrock;
mod boundaries;
mod budgets;
mod bypass;
mod cloudformation;
mod connectors;
pub(crate) mod control;
mod controls;
mod disabled;
mod effects;
mod gateway;
mod guardrails;
mod hook;
pub(crate) mod iam;
mod influence;
mod kubernetes;
mod lambda;
mod litellm;
mod observability;
mod origins;
mod privilege;
mod queries;
mod refusals;
mod resources;
mod roles;
mod traces;
mod trails;
mod verification;

use std::sync::LazyLock;

use serde_json::Value;

use crate::harness::workspace::Built;

/// The examples, each compiled once.
pub(super) static ACME: LazyLock<Built> = LazyLock::new(|| Built::example("examples/acme"));
pub(super) static QUICKSTART: LazyLock<Built> = LazyLock::new(|| Built::example("examples/quickstart"));

/// A document in one line.
pub(super) fn document(kind: &str, name: &str, spec: &str) -> String {
    format!(
        "---\napiVersion: aipolicy.dev/v1\nkind: {kind}\nmetadata: {{ name: {name} }}\nspec: {{ {spec} }}\n"
    )
}

/// The documents of a workspace that compiles both targets.
pub(super) fn workspace(documents: &[(&str, &str, &str)]) -> String {
    let own = document(
        "Workspace",
        "w",
        "packs: [baseline, residency], targets: [iam, gateway], naming: { prefix: w }",
    );
    own + &documents.iter().map(|(kind, name, spec)| document(kind, name, spec)).collect::<String>()
}

/// The value under a JSON pointer; it must be there.
#[track_caller]
pub(super) fn at<'v>(value: &'v Value, pointer: &str) -> &'v Value {
    value.pointer(pointer).unwrap_or_else(|| panic!("no {pointer} in {value:#}"))
}

/// The texts of a list, or the one text.
pub(super) fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            value.as_str().into_iter().collect()
        }
    }
}
