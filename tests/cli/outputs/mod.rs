//! What reports say in every format: each is held against the schema of its readers, or against their grammar.

mod gitlab;
mod grammar;
pub(super) mod junit;
mod sarif;
mod several;

use std::path::Path;

use serde_json::Value;

use super::{DAY, Done, aipolicy, copy_of, edit, write};
use crate::harness::{read, root};

/// What no format may take for its own syntax.
const HOSTILE: &str =
    "]]>&lt;<x a=\"'\">::error::%0A`@team` [a](b)\u{7}\u{1b}[31m\u{fffe}\r\n::notice::gotcha";

/// A workspace that is clean.
fn clean() -> (tempfile::TempDir, std::path::PathBuf) {
    copy_of("quickstart")
}

/// A workspace with a mistake that stops, several warnings and notes, and an environment that is not compiled.
fn refused() -> (tempfile::TempDir, std::path::PathBuf) {
    let (place, folder) = copy_of("acme");
    let (from, to) = (
        "model: nova-lite-reserved, on: [throttled, unavailable, timeout]",
        "model: claude-sonnet-us, on: [throttled]",
    );
    edit(&folder, "tenants/payments/routes.yaml", from, to);
    (place, folder)
}

/// A workspace whose names, messages and paths are written by somebody hostile.
fn hostile() -> (tempfile::TempDir, std::path::PathBuf) {
    let (place, folder) = clean();
    let text = serde_json::to_string(HOSTILE).unwrap();
    let group = format!(
        "apiVersion: aipolicy.dev/v1\nkind: Group\nmetadata: {{ name: {text} }}\nspec: {{ members: [] }}\n"
    );
    write(&folder, "a,b::c%0A<x>`@team`.yaml", group);
    write(&folder, "b.yaml", format!("{text}: {text}\n"));
    (place, folder)
}

/// What `check` prints in a format, with its exit code.
fn check(folder: &Path, format: &str) -> Done {
    aipolicy(folder, &["check", "--format", format, "--as-of", DAY])
}

fn json(done: &Done) -> Value {
    serde_json::from_str(&done.out).unwrap_or_else(|error| panic!("{error}: {}{}", done.out, done.err))
}

/// What a document of JSON breaks of a schema.
fn breaks(schema: &str, document: &Value) -> Vec<String> {
    let schema = serde_json::from_str(&read(&root().join(schema))).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    validator.iter_errors(document).map(|error| format!("{}: {error}", error.instance_path())).collect()
}
