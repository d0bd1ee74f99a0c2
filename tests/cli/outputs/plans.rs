//! Plans as findings: what refuses, and what somebody else changed.

use super::{
    DAY, Told, aipolicy, check, clean, copy_of, edit, json, log_of, places, refused, rules_of, told, write,
};

const PLAN: &[&str] = &["plan", "--as-of", DAY];
const DRIFT: &str = "AIP-CMP-010";

#[test]
fn a_plan_without_a_finding_of_its_own_tells_those_of_the_workspace() {
    let (_place, folder) = clean();
    let found = told(&folder, PLAN, 0);
    let checked = json(&check(&folder, "json"));
    assert_eq!(found.len(), checked["findings"].as_array().unwrap().len());
    let log = log_of(&folder);
    let rules = rules_of(&log);
    for rule in ["AIP-POL-007", "AIP-CMP-006", DRIFT, "AIP-RTE-015"] {
        assert!(rules.contains(&rule), "{rule}");
    }
    assert!(!rules.iter().any(|one| one.starts_with("AIP-PRV-")), "nothing is proven by a plan");
    let mut checked = checked["rules"].as_array().unwrap().iter().map(|rule| rule["code"].as_str().unwrap());
    assert!(!checked.any(|code| code == DRIFT || code.starts_with("AIP-PRV-")), "a check makes no plan");
}

#[test]
fn what_somebody_else_changed_is_a_warning_at_the_line_that_asked() {
    let (_place, folder) = clean();
    aipolicy(&folder, &["apply", "--yes", "--as-of", DAY]).expect(0);
    assert_eq!(places(&told(&folder, PLAN, 0), DRIFT), [""; 0]);
    let role = ".aipolicy/world/dev/iam/Role/quickstart-dev-agent-handbook.json";
    edit(&folder, role, "3600", "43200");
    let drifted = told(&folder, PLAN, 0);
    assert_eq!(places(&drifted, DRIFT), ["agent.yaml:4"]);
    let text = std::fs::read_to_string(folder.join("agent.yaml")).unwrap();
    write(&folder, "agent.yaml", format!("# An agent.\n{text}"));
    let moved = told(&folder, PLAN, 0);
    assert_eq!(places(&moved, DRIFT), ["agent.yaml:5"]);
    let print = |told: &[Told]| told.iter().find(|one| one.0 == DRIFT).unwrap().2.clone();
    assert_eq!(print(&drifted), print(&moved), "a line above changes no fingerprint");
    // What nothing asks for any more is told where the environment is named.
    write(&folder, "agent.yaml", text.split("---\n").skip(1).collect::<Vec<_>>().join("---\n"));
    assert_eq!(places(&told(&folder, PLAN, 0), DRIFT), ["environment.yaml:3"]);
    write(&folder, "agent.yaml", text);
    std::fs::remove_file(folder.join(role)).unwrap();
    assert_eq!(places(&told(&folder, PLAN, 0), DRIFT), ["agent.yaml:4"]);
    let log = log_of(&folder).to_string();
    assert!(log.contains("was removed by somebody else in `dev`"), "{log}");
}

#[test]
fn what_refuses_a_plan_is_an_error() {
    let (_place, folder) = clean();
    let theirs = ".aipolicy/world/dev/iam/Role/quickstart-dev-agent-handbook.json";
    write(&folder, theirs, "{\"RoleName\": \"theirs\"}\n");
    assert_eq!(places(&told(&folder, PLAN, 3), "AIP-CMP-006"), ["agent.yaml:4"]);
    let (_place, folder) = clean();
    let forbid = "@id(\"none\")\nforbid (principal, action == Action::\"change\", resource) when { resource.kind == \"Role\" };\n";
    write(&folder, "policies/none.cedar", forbid);
    edit(&folder, "aipolicy.yaml", "  packs:", "  policies: [policies]\n  packs:");
    let found = places(&told(&folder, PLAN, 3), "AIP-POL-007");
    assert!(!found.is_empty() && found.iter().all(|place| place == "environment.yaml:3"), "{found:?}");
}

/// Where there is no plan, files say why; formats of plans are not written.
#[test]
fn a_workspace_that_is_refused_is_told_as_by_a_check() {
    let (_place, folder) = refused();
    let found = told(&folder, PLAN, 3);
    assert_eq!(places(&found, "AIP-RES-002"), ["tenants/payments/routes.yaml:15"]);
    let outputs = ["--output", "json=plan.json", "--output", "sarif=plan.sarif"];
    let done = aipolicy(&folder, &[PLAN, &outputs].concat());
    done.expect(3);
    let exists = ["plan.json", "plan.sarif"].map(|file| folder.join(file).exists());
    assert_eq!((done.out.as_str(), exists), ("", [false, true]));
}

#[test]
fn environments_that_were_not_asked_for_are_not_run() {
    let (_place, folder) = copy_of("acme");
    told(&folder, &[PLAN, &["-e", "staging"]].concat(), 0);
    let log = log_of(&folder).to_string();
    assert!(log.contains("not run: plan of `prod`: the environment was not asked for"), "{log}");
}
