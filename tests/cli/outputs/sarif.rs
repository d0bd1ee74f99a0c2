//! SARIF, against the schema of OASIS.

use serde_json::Value;

use super::{breaks, check, clean, edit, hostile, json, refused};

pub(super) const SCHEMA: &str = "tests/data/sarif-2.1.0.schema.json";

#[test]
fn every_log_keeps_to_the_schema() {
    for (what, (_place, folder), exit) in
        [("clean", clean(), 0), ("refused", refused(), 3), ("hostile", hostile(), 1)]
    {
        let done = check(&folder, "sarif");
        done.expect(exit);
        assert_eq!(breaks(SCHEMA, &json(&done)), Vec::<String>::new(), "{what}");
    }
}

#[test]
fn the_schema_refuses_what_is_no_log() {
    let (_place, folder) = clean();
    let log = json(&check(&folder, "sarif"));
    for (pointer, key) in
        [("/runs/0/tool/driver", "identity"), ("/runs/0", "result"), ("/runs/0/invocations/0", "exit")]
    {
        let mut log = log.clone();
        log.pointer_mut(pointer).unwrap()[key] = Value::from(1);
        assert!(!breaks(SCHEMA, &log).is_empty(), "{pointer}/{key}");
    }
}

#[test]
fn a_result_has_its_rule_its_place_and_what_belongs_to_it() {
    let (_place, folder) = refused();
    let log = json(&check(&folder, "sarif"));
    let run = &log["runs"][0];
    let results = run["results"].as_array().unwrap();
    let leak = results.iter().find(|result| result["ruleId"] == "AIP-RES-002").unwrap();
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
        assert!(rules[index]["help"]["markdown"].as_str().is_none_or(|page| page.starts_with("# ")));
    }
    assert_eq!(leak["level"], "error");
    let place = &leak["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "tenants/payments/routes.yaml");
    assert_eq!(place["region"]["startLine"], 15);
    let related = leak["relatedLocations"].as_array().unwrap();
    assert!(
        related.iter().any(|one| one["physicalLocation"]["artifactLocation"]["uri"] == "models/bedrock.yaml"),
        "{related:#?}"
    );
}

#[test]
fn a_log_names_the_rules_that_were_run_and_what_was_not() {
    let (_place, folder) = refused();
    let log = json(&check(&folder, "sarif"));
    let run = &log["runs"][0];
    let rules: Vec<&str> = run["tool"]["driver"]["rules"]
        .as_array()
        .unwrap()
        .iter()
        .map(|rule| rule["id"].as_str().unwrap())
        .collect();
    for rule in ["AIP-YML-001", "AIP-RTE-015", "AIP-RES-002", "acme-research-without-premium"] {
        assert!(rules.contains(&rule), "{rule}");
    }
    let mut sorted = rules.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(rules, sorted, "each rule once, in the order of codes");
    let missed = run["invocations"][0]["toolExecutionNotifications"].as_array().unwrap();
    let missed: Vec<&str> = missed.iter().map(|one| one["message"]["text"].as_str().unwrap()).collect();
    assert!(
        missed.iter().any(|one| one.contains("artifacts of `prod`") && one.contains("refused")),
        "{missed:?}"
    );
    assert_eq!(run["properties"]["resources"].as_u64(), json(&check(&folder, "json"))["resources"].as_u64());
}

#[test]
fn fingerprints_stay_while_lines_come_and_go_and_are_different() {
    let prints = |folder: &std::path::Path| -> Vec<String> {
        let log = json(&check(folder, "sarif"));
        let results = log["runs"][0]["results"].as_array().unwrap().clone();
        results
            .iter()
            .map(|one| one["partialFingerprints"]["aipolicy/v1"].as_str().unwrap().to_owned())
            .collect()
    };
    let (_place, folder) = refused();
    let before = prints(&folder);
    let mut unique = before.clone();
    unique.sort();
    unique.dedup();
    assert_eq!(unique.len(), before.len());
    edit(
        &folder,
        "tenants/payments/routes.yaml",
        "# A tenth of the requests",
        "# Moved.\n#\n# A tenth of the requests",
    );
    assert_eq!(prints(&folder), before);
}
