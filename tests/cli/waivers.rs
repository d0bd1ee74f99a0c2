//! A waiver holds until the end of its last day, and every command says the same.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{DAY, aipolicy, copy_of, edit, write};

/// The last day of the waiver, and the days around it.
const DAYS: [(&str, bool); 3] = [("2027-01-30", true), ("2027-01-31", true), ("2027-02-01", false)];

/// A workspace that one forbid stops, and a waiver that names its finding.
fn workspace() -> (tempfile::TempDir, PathBuf) {
    let (place, folder) = copy_of("quickstart");
    write(
        &folder,
        "policies/no-reading.cedar",
        "@id(\"no-reading\")\nforbid (principal is Agent, action == Action::\"readConnector\", resource is Connector);\n",
    );
    edit(&folder, "aipolicy.yaml", "  packs:", "  policies: [policies]\n  packs:");
    let done = aipolicy(&folder, &["check", "--as-of", DAY, "--format", "json"]);
    assert_eq!(done.exit, 3, "{}", done.err);
    let said: Value = serde_json::from_str(&done.out).unwrap();
    let found = said["findings"].as_array().unwrap();
    let found: Vec<_> = found.iter().filter(|found| found["code"] == "no-reading").collect();
    let prints: Vec<_> = found.iter().map(|found| found["fingerprint"].as_str().unwrap()).collect();
    write(
        &folder,
        "waivers.yaml",
        format!(
            "apiVersion: aipolicy.dev/v1\nkind: Waiver\nmetadata: {{ name: reading-for-now }}\nspec:\n  rule: no-reading\n  \
             resources: [Agent/handbook]\n  fingerprints: [{}]\n  expires: 2027-01-31\n  owner: a@acme.example\n  reason: the \
             successor is late\n  ticket: T-1\n",
            prints.join(", ")
        ),
    );
    (place, folder)
}

#[test]
fn every_command_has_the_same_verdict_on_the_days_around_the_last_one() {
    let (_place, folder) = workspace();
    let out = tempfile::tempdir().unwrap();
    let out = out.path().to_str().unwrap();
    let can = ["can", "Agent/handbook", "readConnector", "Connector/staff-handbook"];
    for (day, holds) in DAYS {
        let run = |arguments: &[&str]| aipolicy(&folder, &[arguments, &["--as-of", day]].concat());
        let verdict = if holds { 0 } else { 3 };
        let checked = run(&["check"]).expect(verdict);
        assert_eq!(checked.contains("waived error[no-reading]"), holds, "{day}: {checked}");
        assert_eq!(checked.contains("AIP-LIF-010"), !holds, "{day}: {checked}");
        run(&["build", "--out", &format!("{out}/{day}")]).expect(verdict);
        run(&["plan"]).expect(verdict);
        run(&["prove", "least-privilege"]).expect(verdict);
        let asked = run(&can).expect(verdict);
        assert_eq!(asked.contains("although forbidden by no-reading"), holds, "{day}: {asked}");
        assert_eq!(asked.contains("waived until 2027-01-31 by `reading-for-now`"), holds, "{day}: {asked}");
        let compared = run(&["diff", ".", "."]).expect(verdict);
        assert_eq!(compared.contains("not compared"), !holds, "{day}: {compared}");
        let place = run(&["where", "waivers.yaml:3"]);
        assert_eq!(place.out.contains("allowed"), holds, "{day}: {}{}", place.out, place.err);
        let role = role(&folder);
        let why = run(&["why", &format!("{role}#/RoleName")]).expect(if holds { 0 } else { 1 });
        assert_eq!(
            why.contains("cannot be compiled") || why.contains("not compiled"),
            !holds,
            "{day}: {why}"
        );
        let granted = run(&[
            "can",
            &role.replace("iam/", ""),
            "s3:GetObject",
            "arn:aws:s3:::quickstart-handbook/published/a",
        ]);
        assert_eq!(
            granted.exit == 1 || granted.err.contains("not compiled"),
            !holds,
            "{day}: {}",
            granted.err
        );
    }
    // What was applied while it held stays; nothing more is applied afterwards.
    for (day, holds) in DAYS.into_iter().rev() {
        let said = aipolicy(&folder, &["apply", "--yes", "--as-of", day]);
        assert_eq!(said.exit, if holds { 0 } else { 3 }, "{day}: {}{}", said.out, said.err);
    }
}

/// The role of the agent, as an address.
fn role(folder: &Path) -> String {
    let out = tempfile::tempdir().unwrap();
    let target = out.path().join("out");
    aipolicy(folder, &["build", "--as-of", "2027-01-01", "--out", target.to_str().unwrap()]).expect(0);
    let files = crate::harness::files_below(&target);
    let role = files.iter().find(|file| file.contains("iam/Role/") && file.contains("agent")).unwrap();
    let role = role.split_once('/').unwrap().1;
    role.trim_end_matches(".json").to_owned()
}

/// A plan that was saved on the last day is not carried out on the next one.
#[test]
fn a_saved_plan_does_not_outlive_a_waiver() {
    let (_place, folder) = workspace();
    let name = aipolicy(&folder, &["plan", "--as-of", "2027-01-31", "-o", "saved.plan"]);
    name.expect(0);
    aipolicy(&folder, &["apply", "--plan", "saved.plan", "--as-of", "2027-02-01"]).expect(3);
    aipolicy(&folder, &["apply", "--plan", "saved.plan", "--as-of", "2027-01-31"]).expect(0);
}

#[test]
fn formats_show_what_is_waived_and_by_whom() {
    let (_place, folder) = workspace();
    let check = |format: &str| aipolicy(&folder, &["check", "--as-of", "2027-01-02", "--format", format]).out;
    let said: Value = serde_json::from_str(&check("json")).unwrap();
    let found = said["findings"].as_array().unwrap();
    let waived: Vec<_> = found.iter().filter(|found| found["code"] == "no-reading").collect();
    assert!(!waived.is_empty());
    for one in waived {
        assert_eq!(one["waived"]["by"], "reading-for-now");
        assert_eq!(one["waived"]["expires"], "2027-01-31");
        assert_eq!(one["waived"]["ticket"], "T-1");
        assert_eq!((&one["waived"]["file"], &one["waived"]["line"]), (&"waivers.yaml".into(), &3.into()));
        assert_eq!(one["severity"], "error");
    }
    let said: Value = serde_json::from_str(&check("sarif")).unwrap();
    for result in said["runs"][0]["results"].as_array().unwrap() {
        let suppressed = result["suppressions"].as_array().unwrap();
        assert_eq!(suppressed.len(), usize::from(result["ruleId"] == "no-reading"), "{result}");
        for one in suppressed {
            assert_eq!((&one["kind"], &one["status"]), (&"external".into(), &"accepted".into()));
            assert!(one["justification"].as_str().unwrap().contains("the successor is late"), "{one}");
        }
    }
    assert!(check("github").contains("::notice file=agent.yaml"), "{}", check("github"));
    assert!(!check("github").contains("::error"));
    let built = tempfile::tempdir().unwrap();
    let target = built.path().join("out");
    aipolicy(&folder, &["build", "--as-of", "2027-01-02", "--out", target.to_str().unwrap()]).expect(0);
    let files = crate::harness::files_below(&target);
    let origins = files.iter().filter(|file| file.ends_with("origins.json"));
    let origins: String = origins.map(|file| std::fs::read_to_string(target.join(file)).unwrap()).collect();
    assert!(origins.contains("\"no-reading\": \"reading-for-now\""), "origins name the waiver");
}

/// Whoever reads a plan or a comment sees which grants are there because of a waiver alone, and until when.
#[test]
fn effects_name_the_waiver_behind_a_grant() {
    let (_place, folder) = workspace();
    let (_before, before) = copy_of("quickstart");
    edit(&before, "agent.yaml", "spec:\n  tenant: people", "spec:\n  enabled: false\n  tenant: people");
    let day = ["--as-of", "2027-01-02"];
    let under = "(connector `staff-handbook`), under waiver `reading-for-now` until 2027-01-31";
    let named = |text: &str| text.matches("under waiver").count();
    let plan = aipolicy(&folder, &[&["plan"], &day[..]].concat()).expect(0);
    assert!(
        plan.contains("agent `handbook` may now read `s3://quickstart-handbook/published/` ")
            && plan.contains(under),
        "{plan}"
    );
    let effects: Value =
        serde_json::from_str(&aipolicy(&folder, &[&["plan", "--format", "json"], &day[..]].concat()).out)
            .unwrap();
    let effects = effects["effects"].as_array().unwrap();
    let waived: Vec<_> = effects.iter().filter(|effect| effect.get("waivers").is_some()).collect();
    assert!(
        !waived.is_empty() && waived.len() == named(&plan) && waived.len() < effects.len(),
        "{effects:#?}"
    );
    for effect in &waived {
        assert_eq!(effect["action"], "readConnector");
        assert_eq!(
            effect["waivers"],
            serde_json::json!([{ "waiver": "reading-for-now", "until": "2027-01-31" }])
        );
    }
    for comment in [
        &["plan", "--format", "markdown"][..],
        &["diff", before.to_str().unwrap(), ".", "--format", "markdown"],
    ] {
        let said = aipolicy(&folder, &[comment, &day[..]].concat()).out;
        assert!(said.contains("under waiver `reading-for-now` until `2027-01-31`"), "{comment:?}: {said}");
        for line in said.lines().filter(|line| line.contains("under waiver")) {
            assert!(line.contains("may now read") && line.contains("`staff-handbook`"), "{line}");
        }
    }
    let back = aipolicy(&folder, &[&["diff", ".", before.to_str().unwrap()], &day[..]].concat()).out;
    assert!(back.contains("which it might under waiver `reading-for-now` until 2027-01-31"), "{back}");
    aipolicy(&folder, &[&["plan", "-o", "saved.plan"], &day[..]].concat()).expect(0);
    aipolicy(&folder, &[&["apply", "--plan", "saved.plan"], &day[..]].concat()).expect(0);
}

/// The waiver of the example takes effect, is shown, and covers nothing else of its route.
#[test]
fn the_waiver_of_acme_takes_effect() {
    let (_place, folder) = copy_of("acme");
    let check = || aipolicy(&folder, &["check", "--as-of", DAY]).expect(0);
    let said = check();
    let line = said.lines().find(|line| line.contains("[AIP-RTE-007]")).unwrap();
    assert!(line.contains("waived warning[AIP-RTE-007]: route `support-triage`"), "{line}");
    assert!(said.contains("waived by `triage-without-fallback` until 2027-03-31"), "{said}");
    edit(&folder, "org/waivers.yaml", "Route/support-triage", "Route/support-answer");
    let said = check();
    assert!(
        said.contains("AIP-RTE-007 no-fallback-for-critical-tier") && said.contains("AIP-LIF-016"),
        "{said}"
    );
}
