//! A fingerprint is the same wherever a mistake is written, and another for another mistake.

use std::collections::BTreeSet;

use aipolicy_compiler::fingerprint::fingerprints;
use serde_json::{Map, Value};

use crate::corpus::every_seed;
use crate::harness::cases::files_of;
use crate::harness::compile::{compile, with_workspace};
use crate::harness::{files_below, read, root};

type Files = Vec<(String, String)>;

/// Code, message and fingerprint of each finding.
fn printed(files: &Files) -> Vec<(String, String, String)> {
    let compiled = compile(files);
    let prints = fingerprints(&compiled.diagnostics, &compiled.sources);
    let told = compiled.diagnostics.iter().zip(prints);
    told.map(|(found, print)| (found.code.to_string(), found.message.clone(), print.to_string())).collect()
}

/// The same resources, each in a file of its own with another name, in the opposite order, with the opposite order of
/// their fields, as JSON, with comments.
fn elsewhere(files: &Files) -> Files {
    let is_yaml = |path: &str| path.ends_with(".yaml") && !path.ends_with(".openapi.yaml");
    let mut moved: Files = files.iter().filter(|(path, _)| !is_yaml(path)).cloned().collect();
    let texts = files.iter().filter(|(path, _)| is_yaml(path)).flat_map(|(_, text)| {
        let documents: Vec<&str> = text.split("\n---\n").collect();
        documents.into_iter().map(str::to_owned).collect::<Vec<_>>()
    });
    let documents: Vec<Value> = texts.map(|text| serde_saphyr::from_str(&text).unwrap()).collect();
    for (at, document) in documents.iter().rev().enumerate() {
        let text = serde_json::to_string_pretty(&reversed(document)).unwrap();
        let commented = text.replace('\n', "  # moved\n");
        moved.push((format!("moved/{at:03}.yaml"), format!("\n# {at}\n{commented}\n")));
    }
    moved
}

/// The same value with its keys in the opposite order. Lists keep theirs, which may have a meaning.
fn reversed(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields = fields.iter().rev().map(|(key, value)| (key.clone(), reversed(value)));
            Value::Object(fields.collect::<Map<_, _>>())
        }
        Value::Array(items) => Value::Array(items.iter().map(reversed).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

/// Among routes that match the same, the first one in the order of files is asked, so moving them changes what is meant.
const ABOUT_ORDER: &str = "AIP-RTE-014";

#[test]
fn every_mistake_keeps_its_fingerprint_when_it_is_written_elsewhere() {
    let mut many = 0;
    for (title, files) in every_seed().into_iter().filter(|(title, _)| !title.starts_with(ABOUT_ORDER)) {
        let files = with_workspace(&files);
        let sorted = |files: &Files| {
            let mut found: Vec<_> =
                printed(files).into_iter().map(|(code, _, print)| (code, print)).collect();
            found.sort();
            found
        };
        let (here, there) = (sorted(&files), sorted(&elsewhere(&files)));
        assert_eq!(here, there, "{title}: {:#?}\n{:#?}", printed(&files), printed(&elsewhere(&files)));
        many += here.len();
    }
    println!("{many} findings");
    assert!(many > 100);
}

#[test]
fn no_two_findings_share_a_fingerprint() {
    let mut prints: BTreeSet<(String, String)> = BTreeSet::new();
    let pages =
        files_below(&root().join("compiler/src/check")).into_iter().filter(|file| file.ends_with(".md"));
    let pages = pages.map(|page| read(&root().join("compiler/src/check").join(page)));
    let shown = pages.flat_map(|page| files_of(&page)).collect::<Vec<_>>();
    for (title, files) in every_seed().into_iter().chain(shown) {
        let found = printed(&with_workspace(&files));
        let distinct: BTreeSet<_> = found.iter().map(|(_, _, print)| print).collect();
        assert_eq!(distinct.len(), found.len(), "{title}: {found:#?}");
        prints.extend(found.into_iter().map(|(code, _, print)| (code, print)));
    }
    let distinct: BTreeSet<_> = prints.iter().map(|(_, print)| print).collect();
    assert_eq!(distinct.len(), prints.len(), "rules share a fingerprint");
}
