//! `aipolicy test`: what it runs, what it says of what tests miss, and how it ends.

use serde_json::Value;

use super::outputs::junit::cases;
use super::{DAY, aipolicy, copy_of, edit};

const TESTS: &str = "tests/policies.yaml";

#[test]
fn the_tests_of_acme_pass_and_notice_every_change() {
    let (_place, folder) = copy_of("acme");
    let said = aipolicy(&folder, &["test", "--as-of", DAY]).expect(0);
    for wanted in [
        "  ok    3 a customer who confirms is not enough: deny\n",
        "values that clauses had: 19 of 19 (100 %)\n",
        "changes of policies that a case notices: 24 of 24 (100 %)\n",
        "9 passed, 0 failed\n",
    ] {
        assert!(said.contains(wanted), "{wanted}\n{said}");
    }
}

/// A case that fails is told with its line, the policies that decided and where; and what tests reach is told all the same.
#[test]
fn a_case_that_fails_says_why() {
    let (_place, folder) = copy_of("acme");
    edit(
        &folder,
        TESTS,
        "    context: { gate: confirm }\n    expect: deny",
        "    context: { gate: confirm }\n    expect: allow",
    );
    let said = aipolicy(&folder, &["test", "--as-of", DAY]).expect(3);
    for wanted in [
        "  FAIL  3 a customer who confirms is not enough: allow\n",
        "at tests/policies.yaml:50:13",
        "expected allow, but forbidden by acme-personal-writes-are-checked (policies/personal-writes-are-checked.cedar:2:1) \
         (prod, dataClass=personal, gate=confirm, access=write)\n",
        "values that clauses had: 19 of 19",
        // What only this case noticed, no case that passes notices.
        "survived at policies/personal-writes-are-checked.cedar:2:1: `acme-personal-writes-are-checked`: the policy is gone\n",
        "8 passed, 1 failed\n",
    ] {
        assert!(said.contains(wanted), "{wanted}\n{said}");
    }
    edit(
        &folder,
        TESTS,
        "    by: [acme-personal-writes-are-checked]\n",
        "    by: [acme-research-without-premium]\n    notBy: [baseline-tools]\n",
    );
    let said = aipolicy(&folder, &["test", "--as-of", DAY]).expect(3);
    assert!(said.contains("acme-research-without-premium (policies/research-without-premium.cedar:2:1) does not match, and should"), "{said}");
    assert!(
        said.contains("baseline-tools (policies/baseline/tools.cedar:1:1) matches, and should not"),
        "{said}"
    );
}

#[test]
fn what_no_case_reaches_is_told_with_the_clause_that_came_closest() {
    let (_place, folder) = copy_of("acme");
    let said = aipolicy(&folder, &["test", "--test", "premium-models", "--as-of", DAY]).expect(0);
    let scope = "`action == Action::\"callTool\"` was never true: it was false in all ";
    let inside = "`context.gate == \"verify\"` was never looked at: `action == Action::\"callTool\"` was false in the ";
    assert!(said.contains(scope) && said.contains(inside), "{said}");
}

#[test]
fn a_measure_below_its_bound_refuses() {
    let (_place, folder) = copy_of("acme");
    aipolicy(&folder, &["test", "--min-coverage", "100", "--min-killed", "100", "--as-of", DAY]).expect(0);
    edit(&folder, TESTS, "    entities: { Model/claude-haiku: { tier: [] } }\n", "");
    let said = aipolicy(&folder, &["test", "--min-coverage", "95", "--as-of", DAY]).expect(3);
    for wanted in [
        "the coverage of clauses is 18 of 19 (94 %), and 95 % are asked for\n",
        "`resource has tier` was never false: it was true in all ",
    ] {
        assert!(said.contains(wanted), "{said}");
    }
    let junit = aipolicy(&folder, &["test", "--min-coverage", "95", "--format", "junit", "--as-of", DAY]).out;
    let failed = |case: &&Value| case.get("failure").is_some();
    let (cases, below) = (cases(&junit), "measures");
    assert_eq!(cases.len(), 10);
    assert_eq!(cases.iter().filter(failed).map(|case| &case["@classname"]).collect::<Vec<_>>(), [below]);
}

/// The three formats tell the same, in one run.
#[test]
fn formats_agree() {
    let (_place, folder) = copy_of("acme");
    edit(
        &folder,
        TESTS,
        "    context: { gate: confirm }\n    expect: deny",
        "    context: { gate: confirm }\n    expect: allow",
    );
    let run = ["test", "--as-of", DAY, "--output", "json=test.json", "--output", "junit=test.xml"];
    let said = aipolicy(&folder, &run).expect(3);
    let json: Value =
        serde_json::from_str(&std::fs::read_to_string(folder.join("test.json")).unwrap()).unwrap();
    assert_eq!(json["format"], "aipolicy.test/1");
    let all = json["cases"].as_array().unwrap();
    let junit = cases(&std::fs::read_to_string(folder.join("test.xml")).unwrap());
    assert_eq!(all.len(), junit.len());
    for (one, case) in all.iter().zip(&junit) {
        assert_eq!(one["test"], case["@classname"]);
        assert_eq!(one["passed"], Value::Bool(case.get("failure").is_none()), "{case}");
        let line = format!(
            "{} {}: {}",
            one["number"],
            one["title"].as_str().unwrap(),
            one["expect"].as_str().unwrap()
        );
        assert!(said.contains(&line), "{line}");
    }
    let noticed = json["changes"]["all"].as_array().unwrap().iter().filter(|one| !one["noticedBy"].is_null());
    assert_eq!(noticed.count() as u64, json["changes"]["noticed"].as_u64().unwrap());
    assert_eq!(json["changes"]["made"], 24);
}

#[test]
fn nothing_to_run_and_nothing_understood_are_errors() {
    let (_place, folder) = copy_of("quickstart");
    let said = aipolicy(&folder, &["test", "--as-of", DAY]).expect(1);
    assert!(said.contains("there is no case to run"), "{said}");
    let (_place, folder) = copy_of("acme");
    let said = aipolicy(&folder, &["test", "--test", "premium-model", "--as-of", DAY]).expect(1);
    assert!(said.contains("`premium-models` is the nearest"), "{said}");
    edit(&folder, TESTS, "context: { gate: confirm }", "context: { gat: confirm }");
    for command in ["test", "check"] {
        let said = aipolicy(&folder, &[command, "--as-of", DAY]).expect(1);
        assert!(said.contains("AIP-POL-010") && said.contains("did you mean `gate`?"), "{said}");
    }
}
