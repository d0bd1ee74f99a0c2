//! Proofs as findings: nothing where they hold, and at least one error where they do not.

use super::{DAY, aipolicy, clean, copy_of, edit, log_of, places, refused, rules_of, told};

const RESIDENCY: &[&str] = &["prove", "residency", "-e", "prod", "--as-of", DAY];
const PRIVILEGE: &[&str] = &["prove", "least-privilege", "-e", "prod", "--as-of", DAY];

#[test]
fn a_proof_that_holds_has_no_finding_and_names_its_rules() {
    let (_place, folder) = copy_of("acme");
    assert_eq!(told(&folder, RESIDENCY, 0), []);
    assert_eq!(rules_of(&log_of(&folder)), ["AIP-PRV-001", "AIP-PRV-004"]);
    assert_eq!(told(&folder, PRIVILEGE, 0), []);
    assert_eq!(rules_of(&log_of(&folder)), ["AIP-PRV-002", "AIP-PRV-003", "AIP-PRV-004"]);
    let log = log_of(&folder).to_string();
    assert!(log.contains("not run: least privilege of `staging`"), "{log}");
}

/// Each start from which content leaves is a finding of its own, at the line that says where it ends.
#[test]
fn content_that_leaves_is_told_with_its_way() {
    let (_place, folder) = refused();
    let found = told(&folder, RESIDENCY, 3);
    let leaks = places(&found, "AIP-PRV-001");
    assert!(leaks.len() > 1 && leaks.len() == found.len(), "{found:?}");
    assert!(leaks.iter().all(|place| place.starts_with("models/bedrock.yaml:")), "{leaks:?}");
    let mut prints: Vec<_> = found.iter().map(|one| one.2.clone()).collect();
    prints.sort();
    prints.dedup();
    assert_eq!(prints.len(), found.len());
    let log = log_of(&folder);
    let results = log["runs"][0]["results"].as_array().unwrap();
    let message = |result: &serde_json::Value| result["message"]["text"].as_str().unwrap().to_owned();
    let reader = results.iter().find(|one| message(one).contains("from agent `statement-reader` ends in"));
    let way = reader.unwrap()["relatedLocations"].as_array().unwrap();
    let file = |step: &serde_json::Value| {
        step["physicalLocation"]["artifactLocation"]["uri"].as_str().unwrap().to_owned()
    };
    let (agents, routes) = ("tenants/payments/agents.yaml", "tenants/payments/routes.yaml");
    assert_eq!(way.iter().map(file).collect::<Vec<_>>(), [agents, agents, routes, routes]);
}

#[test]
fn rights_that_somebody_added_or_took_are_told() {
    let (_place, folder) = copy_of("acme");
    aipolicy(&folder, &["apply", "-e", "prod", "--yes", "--as-of", DAY]).expect(0);
    let actual = [PRIVILEGE, &["--actual"]].concat();
    let policy = ".aipolicy/world/prod/iam/Policy/acme-prod-tools-invoice-bot.json";
    edit(&folder, policy, "arn:aws:s3:::acme-invoices/eu/*", "arn:aws:s3:::acme-invoices/*");
    let found = told(&folder, &actual, 3);
    assert_eq!(places(&found, "AIP-PRV-002").len(), found.len());
    edit(&folder, policy, "arn:aws:s3:::acme-invoices/*", "arn:aws:s3:::acme-invoices/eu/2026/*");
    let found = told(&folder, &actual, 3);
    let missing = places(&found, "AIP-PRV-003");
    assert_eq!(missing.len(), found.len());
    assert!(missing.iter().all(|place| place == "tenants/payments/agents.yaml:15"), "{missing:?}");
    std::fs::remove_file(folder.join(policy)).unwrap();
    let found = places(&told(&folder, &actual, 3), "AIP-PRV-004");
    assert!(found.len() == 1 && found[0].starts_with("environments/prod.yaml:"), "{found:?}");
}

/// What is not proven is never silent: without a residency rule there is nothing that a proof could be about.
#[test]
fn nothing_to_prove_is_an_error() {
    let (_place, folder) = clean();
    let found = told(&folder, &["prove", "residency", "--as-of", DAY], 3);
    assert_eq!(places(&found, "AIP-PRV-004"), ["environment.yaml:3"]);
}

/// Where the workspace is refused, nothing is proven of its privileges, and files say why.
#[test]
fn a_workspace_that_is_refused_is_told_as_by_a_check() {
    let (_place, folder) = refused();
    let found = told(&folder, PRIVILEGE, 3);
    assert_eq!(places(&found, "AIP-RES-002"), ["tenants/payments/routes.yaml:15"]);
}
