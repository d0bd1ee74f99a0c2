//! What reports say in every format: each is held against the schema of its readers, or against their grammar.

mod gitlab;
mod grammar;
pub(super) mod junit;
mod plans;
mod proofs;
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

/// The formats in which plans and proofs are told as findings.
const OF_FINDINGS: [&str; 3] = ["sarif", "junit", "gitlab"];

/// A finding as formats agree on it: its code, its place, and its fingerprint.
type Told = (String, String, String);

/// Runs a command that writes every format of findings in one run, holds each against its schema, and returns what they
/// agree on.
#[track_caller]
fn told(folder: &Path, command: &[&str], exit: i32) -> Vec<Told> {
    let outputs = OF_FINDINGS.map(|format| format!("--output={format}=told.{format}"));
    let arguments: Vec<_> = command.iter().copied().chain(outputs.iter().map(String::as_str)).collect();
    aipolicy(folder, &arguments).expect(exit);
    let [sarif, junit, gitlab] = OF_FINDINGS.map(|format| {
        let text = std::fs::read_to_string(folder.join(format!("told.{format}"))).unwrap();
        let printed = aipolicy(folder, &[command, &["--format", format]].concat());
        printed.expect(exit);
        assert_eq!(printed.out, text, "{format}");
        text
    });
    let log: Value = serde_json::from_str(&sarif).unwrap();
    assert_eq!(breaks(sarif::SCHEMA, &log), Vec::<String>::new());
    let (results, rules) = (&log["runs"][0]["results"], &log["runs"][0]["tool"]["driver"]["rules"]);
    let results = results.as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let told = results.iter().map(|one| {
        assert_eq!(rules[usize::try_from(one["ruleIndex"].as_u64().unwrap()).unwrap()]["id"], one["ruleId"]);
        let place = &one["locations"][0]["physicalLocation"];
        let place = format!("{}:{}", text(&place["artifactLocation"]["uri"]), place["region"]["startLine"]);
        (text(&one["ruleId"]), place, text(&one["partialFingerprints"]["aipolicy/v1"]))
    });
    let told: Vec<Told> = told.collect();
    let report: Value = serde_json::from_str(&gitlab).unwrap();
    let items = report.as_array().unwrap().iter().map(|one| {
        assert_eq!(breaks(gitlab::SCHEMA, one), Vec::<String>::new());
        let place = format!("{}:{}", text(&one["location"]["path"]), one["location"]["lines"]["begin"]);
        (text(&one["check_name"]), place, text(&one["fingerprint"]))
    });
    assert_eq!(items.collect::<Vec<_>>(), told);
    let stops = results.iter().filter(|one| one["level"] == "error").count();
    assert_eq!(stops > 0, exit != 0, "{results:#?}");
    let cases = junit::cases(&junit);
    assert_eq!(cases.iter().filter(|case| case.get("failure").is_some()).count(), stops);
    let cases = cases.iter().filter_map(|case| {
        let place = text(&case["@name"]).rsplit_once(" at ")?.1.rsplit_once(':').unwrap().0.to_owned();
        Some((text(&case["@classname"]), place))
    });
    let expected = told.iter().map(|(code, place, _)| (code.clone(), place.clone()));
    assert_eq!(cases.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
    told
}

/// Where something is told with a code.
fn places(told: &[Told], code: &str) -> Vec<String> {
    told.iter().filter(|one| one.0 == code).map(|one| one.1.clone()).collect()
}

/// The log that was written last.
fn log_of(folder: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(folder.join("told.sarif")).unwrap()).unwrap()
}

/// The rules that a log says were run.
fn rules_of(log: &Value) -> Vec<&str> {
    let rules = log["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap();
    rules.iter().map(|rule| rule["id"].as_str().unwrap()).collect()
}
