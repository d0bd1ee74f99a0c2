//! JUnit, against the schema of Jenkins.

use std::process::Command;

use serde_json::Value;

use super::{check, clean, hostile, json, refused};
use crate::harness::program::answer;
use crate::harness::root;
use crate::harness::tools::{Client, Tool};

static XMLSCHEMA: Tool =
    Tool { name: "xmlschema", client: Client::Pip, packages: &["xmlschema==4.3.2"], options: &[] };

/// Reads a report with the schema, and prints what it holds as JSON.
const READ: &str = "
import json, sys, xmlschema
schema = xmlschema.XMLSchema(sys.argv[1])
try:
    print(json.dumps(schema.to_dict(sys.stdin.read())))
except xmlschema.XMLSchemaException as error:
    print(json.dumps({'error': str(error)}))
";

fn read(report: &str) -> Value {
    let schema = root().join("tests/data/junit-10.xsd");
    let mut python = Command::new(XMLSCHEMA.folder().join("bin/python"));
    let told = answer(python.args(["-c", READ]).arg(schema), report, "Python with `xmlschema`");
    serde_json::from_str(&told).unwrap()
}

/// The cases of a report that keeps to the schema.
#[track_caller]
fn cases(report: &str) -> Vec<Value> {
    let read = read(report);
    assert_eq!(read.get("error"), None, "{report}");
    read["testsuite"][0]["testcase"].as_array().unwrap().clone()
}

#[test]
fn every_report_keeps_to_the_schema_and_counts_right() {
    for (what, (_place, folder), exit) in
        [("clean", clean(), 0), ("refused", refused(), 3), ("hostile", hostile(), 1)]
    {
        let done = check(&folder, "junit");
        done.expect(exit);
        let cases = cases(&done.out);
        let found = json(&check(&folder, "json"));
        let with = |part: &str| cases.iter().filter(|case| case.get(part).is_some()).count();
        let of = |severity: &str| {
            found["findings"].as_array().unwrap().iter().filter(|one| one["severity"] == severity).count()
        };
        assert_eq!(with("failure"), of("error"), "{what}");
        assert_eq!(with("system-out"), of("warning") + of("note"), "{what}");
        assert_eq!(with("skipped"), found["notRun"].as_array().unwrap().len(), "{what}");
        let suite = &read(&done.out)["testsuite"][0];
        for (attribute, count) in
            [("@tests", cases.len()), ("@failures", with("failure")), ("@skipped", with("skipped"))]
        {
            assert_eq!(suite[attribute], count.to_string(), "{what}: {attribute}");
        }
    }
}

#[test]
fn the_schema_refuses_what_is_no_report() {
    let (_place, folder) = clean();
    let report = check(&folder, "junit").out;
    assert!(read(&report.replace("classname=", "klass=")).get("error").is_some());
    assert!(
        read(&report.replace("<testcase ", "<test ").replace("</testcase>", "</test>"))
            .get("error")
            .is_some()
    );
}

#[test]
fn a_rule_without_a_finding_passes_and_a_finding_fails_with_its_place() {
    let (_place, folder) = refused();
    let cases = cases(&check(&folder, "junit").out);
    let of = |code: &str| cases.iter().filter(|case| case["@classname"] == code).cloned().collect::<Vec<_>>();
    assert!(
        of("AIP-RTE-015").iter().all(|case| case.get("failure").is_none()) && of("AIP-RTE-015").len() == 1
    );
    let leak = &of("AIP-RES-002")[0];
    assert_eq!(leak["@name"], "inference-profile-leaks-jurisdiction at tenants/payments/routes.yaml:15:16");
    let text = leak["failure"][0]["$"].as_str().unwrap();
    assert!(text.starts_with("tenants/payments/routes.yaml:15:16\n") && text.contains("us-east-1"), "{text}");
    let missed: Vec<_> = of("not run").iter().map(|case| case["@name"].clone()).collect();
    assert_eq!(missed, ["pack `change-control`", "artifacts of `prod`"]);
}
