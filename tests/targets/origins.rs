//! Every value of every artifact says where it comes from, and no statement about that is idle.

use std::collections::BTreeMap;

use aipolicy_compiler::source::SourceId;
use aipolicy_targets::artifact::{Artifact, Format};
use aipolicy_targets::origin::{Origin, Trace};
use serde_json::Value;

use super::{ACME, QUICKSTART, bedrock, cloudformation, gateway, iam, kubernetes};
use crate::harness::workspace::Built;

fn workspaces() -> [&'static Built; 6] {
    [
        iam::everything(),
        gateway::everything(),
        bedrock::everything(),
        kubernetes::everything(),
        &QUICKSTART,
        &ACME,
    ]
}

/// What a workspace compiles to, and its templates of CloudFormation.
fn artifacts(built: &Built) -> Vec<Artifact> {
    let stacks = if std::ptr::eq(built, &*ACME) { &*cloudformation::ACME } else { built };
    let templates = cloudformation::sound(stacks).into_iter().flat_map(|(_, artifacts)| artifacts);
    let templates = templates.filter(|one| one.document.address.target == "cloudformation");
    built.sound().into_iter().cloned().chain(templates).collect()
}

/// The pointers of all leaves of a document; of a text, the text itself.
fn leaves(artifact: &Artifact) -> Vec<String> {
    let value: Value = match artifact.document.format {
        Format::Json => serde_json::from_str(&artifact.document.text).unwrap(),
        Format::Yaml => serde_saphyr::from_str(&artifact.document.text).unwrap(),
        Format::Text => return vec![String::new()],
    };
    let mut found = Vec::new();
    walk(&value, &mut String::new(), &mut found);
    found
}

fn walk(value: &Value, pointer: &mut String, found: &mut Vec<String>) {
    let length = pointer.len();
    let mut step = |key: &str, value: &Value, found: &mut Vec<String>| {
        pointer.push('/');
        pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
        walk(value, pointer, found);
        pointer.truncate(length);
    };
    match value {
        Value::Object(entries) if !entries.is_empty() => {
            entries.iter().for_each(|(key, value)| step(key, value, found));
        }
        Value::Array(items) if !items.is_empty() => {
            items.iter().enumerate().for_each(|(at, value)| step(&at.to_string(), value, found));
        }
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)
        | Value::Object(_) => {
            found.push(pointer.clone());
        }
    }
}

/// The answer to "where does this come from?" for every leaf.
fn answers(trace: &Trace, leaves: &[String]) -> BTreeMap<String, Option<Origin>> {
    leaves.iter().map(|leaf| (leaf.clone(), trace.at(leaf).cloned())).collect()
}

#[test]
fn every_leaf_has_an_origin_that_is_a_place() {
    for built in workspaces() {
        for artifact in &artifacts(built) {
            let address = &artifact.document.address;
            assert_eq!(artifact.trace.uncovered(), [""; 0], "{address}");
            for (leaf, origin) in answers(&artifact.trace, &leaves(artifact)) {
                let origin = origin.unwrap_or_else(|| panic!("{address}{leaf} comes from nowhere"));
                assert!(origin.span.end > origin.span.start, "{address}{leaf} comes from an empty place");
                assert!(!built.sources.slice(origin.span).trim().is_empty(), "{address}{leaf}");
            }
            for origin in artifact.trace.origins() {
                assert!(origin.span.end > origin.span.start, "{address}: an empty origin");
                let grants = origin.span.source != SourceId::DEFAULTS;
                assert!(grants || origin.policies.is_empty(), "{address}: a default that was granted");
            }
        }
    }
}

/// Whether a trace without one of its entries still gives every answer. Maps and lists of their own count too:
/// somebody may point at them.
fn is_idle(artifact: &Artifact, without: usize) -> bool {
    let rest = artifact.trace.without(without);
    let (pointer, _) = artifact.trace.entries().nth(without).unwrap();
    rest.at(pointer) == artifact.trace.at(pointer)
}

#[test]
fn no_entry_can_be_left_out() {
    for built in workspaces() {
        for artifact in &artifacts(built) {
            for (at, (pointer, _)) in artifact.trace.entries().enumerate() {
                assert!(
                    !is_idle(artifact, at),
                    "{}{pointer} says what is said above it",
                    artifact.document.address
                );
            }
        }
    }
}

#[test]
fn a_trace_without_an_entry_is_found_out_by_its_leaves() {
    let built = &*QUICKSTART;
    let artifact = built.sound().into_iter().find(|one| one.document.address.kind == "RoutingTable").unwrap();
    let leaves = leaves(artifact);
    let golden = answers(&artifact.trace, &leaves);
    let mut unseen = Vec::new();
    for without in 0..artifact.trace.entries().count() {
        let rest = artifact.trace.without(without);
        if answers(&rest, &leaves) == golden {
            unseen.push(artifact.trace.entries().nth(without).unwrap().0.to_owned());
        }
    }
    assert_eq!(unseen, [""; 0], "no leaf would miss these");
}

#[test]
fn values_come_from_the_text_that_says_them() {
    let built = gateway::everything();
    let table = built.sound().into_iter().find(|one| one.document.address.kind == "RoutingTable").unwrap();
    let text = |pointer: &str| built.sources.slice(table.trace.at(pointer).unwrap().span);
    let cases = [
        ("/routes/0/timeouts_ms/attempt", "1500ms"),
        ("/routes/0/retry/attempts_per_target", "2"),
        ("/routes/0/output_tokens/max", "1024"),
        ("/routes/0/targets/0/weight", "90"),
        ("/routes/0/targets/1/weight", "10"),
        ("/routes/0/canary/0/cost_per_request", "USD 0.02"),
        ("/tenants/1/limits/tokens_per_minute", "100k tokens/min"),
        ("/tenants/1/budget/micro_units", "USD 12.50"),
        ("/tenants/1/budget/time_zone", "Europe/Berlin"),
        ("/gateway", "edge"),
        ("/format", "gateway.format: aipolicy.routing/1"),
    ];
    for (pointer, written) in cases {
        assert_eq!(text(pointer), written, "{pointer}");
    }
}
