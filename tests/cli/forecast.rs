//! What a forecast tells is what evaluating every single day tells.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use aipolicy_compiler::fingerprint::fingerprints;
use aipolicy_compiler::model::environment::EnvironmentSpec;
use aipolicy_compiler::model::value::Date;
use serde_json::Value;

use super::{aipolicy, write};
use crate::harness::compile::compile_on;
use crate::harness::workspace::ONE_AGENT;

/// The life of the model, and what was agreed with who offers it.
const LIFE: &str = "lifecycle: { status: active, legacyFrom: 2026-12-15, endOfLife: 2027-04-15 }, \
                    processing: { approvedClasses: [internal], agreements: [{ type: DPA, until: 2027-05-05 }] }";

/// Forbids between two days; waived until a day between them.
const POLICY: &str = "\
@id(\"pause\")
forbid (principal is Agent, action == Action::\"invokeModel\", resource is Model)
when { context.today >= datetime(\"2027-02-10\") && context.today < datetime(\"2027-03-20\") };
";

/// Excepts nothing, and lasts longer than a waiver may.
const LONG: &str = "\
apiVersion: aipolicy.dev/v1
kind: Waiver
metadata: { name: long }
spec:
  rule: pause
  resources: [Agent/clerk]
  fingerprints: [klmnopqrstuvwxyz]
  expires: 2027-07-20
  owner: a@acme.example
  reason: agreed
  ticket: T-2
---
";

const FROM: &str = "2026-12-01";
const UNTIL: &str = "2027-05-30";

type State = (BTreeSet<(String, bool, String)>, bool);

fn files(waiver: &str) -> Vec<(String, String)> {
    let file = |path: &str, text: &str| (path.to_owned(), text.to_owned());
    let workspace = ONE_AGENT.replace("modelId:", &format!("{LIFE}, modelId:"));
    vec![
        file("aipolicy.yaml", &workspace),
        file("policies/pause.cedar", POLICY),
        file("waivers.yaml", waiver),
    ]
}

fn day(text: &str) -> Date {
    Date(text.parse().unwrap())
}

fn state(files: &[(String, String)], day: Date) -> State {
    let compiled = compile_on(day, files, None);
    let prints = fingerprints(&compiled.diagnostics, &compiled.sources);
    let found = compiled.diagnostics.iter().zip(prints);
    let found = found.map(|(one, print)| (one.code.to_string(), one.waived.is_some(), print.to_string()));
    let graph = &compiled.compilation.graph;
    let (id, _) = graph.each::<EnvironmentSpec>().next().unwrap();
    (found.collect(), compiled.compilation.decisions.approved(graph, id).is_some())
}

fn listed(change: &Value, key: &str) -> BTreeSet<(String, bool, String)> {
    let text = |one: &Value, key: &str| one[key].as_str().unwrap().to_owned();
    let found = change[key].as_array().unwrap().iter();
    found.map(|one| (text(one, "code"), one["waived"].as_bool().unwrap(), text(one, "fingerprint"))).collect()
}

/// The exit code, on how many days the workspace was evaluated, and what changes by day.
fn forecast(folder: &Path) -> (i32, u64, BTreeMap<String, Value>) {
    let done = aipolicy(folder, &["forecast", "--as-of", FROM, "--until", UNTIL, "--format", "json"]);
    let said: Value = serde_json::from_str(&done.out).unwrap_or_else(|_| panic!("{}{}", done.out, done.err));
    let changes = said["changes"].as_array().unwrap().iter();
    let changes = changes.map(|one| (one["day"].as_str().unwrap().to_owned(), one.clone())).collect();
    (done.exit, said["evaluated"].as_u64().unwrap(), changes)
}

#[test]
fn a_forecast_is_what_every_day_says() {
    let plain = state(&files(""), day("2027-02-11"));
    let (_, _, print) = plain.0.iter().find(|(code, _, _)| code == "pause").unwrap();
    let waiver = format!(
        "apiVersion: aipolicy.dev/v1\nkind: Waiver\nmetadata: {{ name: w }}\nspec: {{ rule: pause, resources: [Agent/clerk], \
         fingerprints: [{print}], expires: 2027-02-28, owner: a@acme.example, reason: agreed, ticket: T-1 }}\n"
    );
    let files = files(&(LONG.to_owned() + &waiver));
    let folder = tempfile::tempdir().unwrap();
    files.iter().for_each(|(path, text)| write(folder.path(), path, text));
    let (exit, evaluated, told) = forecast(folder.path());
    assert_eq!(exit, 3, "an environment is refused on the way");
    assert!(evaluated < 90, "{evaluated} of 180 days leave none to miss");
    let (mut before, mut met) = (state(&files, day(FROM)), 0);
    for at in 1..=day(FROM).until(day(UNTIL)) {
        let today = day(FROM).after(at);
        let after = state(&files, today);
        let change = told.get(&today.to_string());
        assert_eq!(change.is_some(), before != after, "{today}: {before:?} {after:?} {change:?}");
        if let Some(change) = change {
            met += 1;
            assert_eq!(listed(change, "appear"), &after.0 - &before.0, "{today}");
            assert_eq!(listed(change, "disappear"), &before.0 - &after.0, "{today}");
            let flips = |key: &str| !change[key].as_array().unwrap().is_empty();
            assert_eq!((flips("refused"), flips("approved")), (before.1 && !after.1, !before.1 && after.1));
        }
        before = after;
    }
    assert_eq!(met, told.len());
    let days = [
        ("2026-12-15", "the model is legacy"),
        ("2027-01-16", "its end is 89 days away"),
        ("2027-01-21", "the long waiver ends in 180 days"),
        ("2027-02-10", "the policy begins to forbid, which is waived, and the waiver ends within 30 days"),
        ("2027-03-01", "the waiver has expired"),
        ("2027-03-20", "the policy forbids no longer"),
        ("2027-04-16", "the model has ended"),
        ("2027-05-06", "an agreement has ended"),
    ];
    for (day, why) in days {
        assert!(told.contains_key(day), "{day}, {why}: {:?}", told.keys());
    }
}

#[test]
fn what_computes_with_days_is_asked_every_day() {
    let folder = tempfile::tempdir().unwrap();
    let policy =
        POLICY.replace("datetime(\"2027-02-10\")", "datetime(\"2027-02-01\").offset(duration(\"8d24h\"))");
    for (path, text) in files("") {
        let text = if path.ends_with(".cedar") { policy.clone() } else { text };
        if !text.is_empty() {
            write(folder.path(), &path, text);
        }
    }
    let (exit, evaluated, told) = forecast(folder.path());
    assert_eq!((exit, evaluated), (3, 180));
    assert!(told.contains_key("2027-02-10"), "{:?}", told.keys());
    aipolicy(folder.path(), &["forecast", "--until", "soon"]).expect(1);
    let said = aipolicy(folder.path(), &["forecast", "--as-of", FROM, "--until", "+80d"]).expect(3);
    assert!(
        said.contains("2027-02-10\n  + aipolicy.yaml:") && said.contains("`prod` is no longer approved"),
        "{said}"
    );
}
