//! `aipolicy policies`.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::{DAY, Done, aipolicy, copy_of, edit, write};
use crate::harness::cvc5::program;

/// A name that no tenant has, a permit that another one makes unnecessary, and a computation that may overflow.
const MISTAKES: &str = r#"@id("typo")
forbid (principal is Agent, action == Action::"invokeModel", resource is Model)
when { principal.tenant.name == "reserch" };

@id("narrow")
permit (principal is Agent, action == Action::"callTool", resource)
when { context.access == "read" };

@id("sum")
@severity("advisory")
forbid (principal, action == Action::"storeData", resource)
when { context.dataClassRank + 1 > 0 };
"#;

#[test]
fn policies_of_the_example_guard() {
    let (_place, folder) = copy_of("acme");
    let said = aipolicy(&folder, &["policies", "--as-of", DAY, "--deny-warnings"]).expect(0);
    assert!(said.contains("2 policies of the workspace: 2 guarding\n"), "{said}");
    assert!(
        said.contains("research-without-premium.cedar:6:1: guarding `acme-research-without-premium`"),
        "{said}"
    );
    assert!(said.contains("would match: Agent/"), "{said}");
    assert!(said.contains("policies that ship: ") && !said.contains("AIP-"), "{said}");
    let all = aipolicy(&folder, &["policies", "--as-of", DAY, "--all"]).expect(0);
    assert!(
        all.contains("policies/baseline/tools.cedar:4:1: deciding `baseline-tools` matches 25 of 25"),
        "{all}"
    );
    assert!(all.contains("about changes `baseline-change`"), "{all}");
}

#[test]
fn mistakes_are_told_with_their_lines() {
    let (_place, folder) = copy_of("acme");
    write(&folder, "policies/mistakes.cedar", MISTAKES);
    let said = aipolicy(&folder, &["policies", "--as-of", DAY]).expect(0);
    for wanted in [
        "`typo` matches no request",
        "[policies/mistakes.cedar:2:1]",
        r#"principal.tenant.name == "reserch""#,
        "true for none of 33 requests",
        "would match none of",
        "`narrow` is shadowed by `baseline-tools`",
        "matches each of them, and more: policies/baseline/tools.cedar:4:1",
        "`sum` may error",
        "the result may not fit into 64 bits",
    ] {
        assert!(said.contains(wanted), "{wanted}: {said}");
    }
    aipolicy(&folder, &["policies", "--as-of", DAY, "-D"]).expect(3);
    let said = aipolicy(&folder, &["policies", "--as-of", DAY, "--format", "json"]).expect(0);
    let told: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(told["format"], "aipolicy.policies/1");
    let one = |id: &str| told["policies"].as_array().unwrap().iter().find(|one| one["id"] == id).unwrap();
    assert_eq!((&one("typo")["verdict"], &one("typo")["line"]), (&"vacuous".into(), &2.into()));
    assert_eq!(one("typo")["never"][0]["text"], r#"principal.tenant.name == "reserch""#);
    assert_eq!(one("typo")["combined"]["tried"], one("typo")["combined"]["of"]);
    assert_eq!(one("narrow")["by"][0], "baseline-tools");
    assert_eq!(one("sum")["verdict"], "deciding");
    assert_eq!(one("sum")["mayError"][0]["text"], "context.dataClassRank + 1");
    assert_eq!(one("acme-research-without-premium")["witness"]["asked"], false);
}

/// A policy that cannot be evaluated is told with the request, and stops.
#[test]
fn an_error_is_told_with_its_request() {
    let (_place, folder) = copy_of("acme");
    let policy = "@id(\"entity\") forbid (principal is Agent, action == Action::\"invokeModel\", resource)\nwhen { Tenant::\"payments\".clearanceRank > 90 };\n";
    write(&folder, "policies/entity.cedar", policy);
    let said = aipolicy(&folder, &["policies", "--as-of", DAY]).expect(3);
    assert!(said.contains("`entity` cannot be evaluated for"), "{said}");
    assert!(said.contains("asked for at: tenants/"), "{said}");
    assert!(said.contains("`entity` may error"), "{said}");
}

#[test]
fn one_environment_may_be_meant() {
    let (_place, folder) = copy_of("acme");
    let asked = |more: &[&str]| -> u64 {
        let said =
            aipolicy(&folder, &[&["policies", "--as-of", DAY, "--format", "json"], more].concat()).expect(0);
        serde_json::from_str::<Value>(&said).unwrap()["requests"].as_u64().unwrap()
    };
    assert_eq!(asked(&["-e", "prod"]) + asked(&["-e", "staging"]), asked(&[]));
    aipolicy(&folder, &["policies", "-e", "nowhere"]).expect(1);
}

/// Two folders, of which the second has a wider rule about tiers.
#[test]
fn two_sets_of_policies_are_compared() {
    let (_before, before) = copy_of("acme");
    let (_after, after) = copy_of("acme");
    let paths = [&before, &after].map(|folder| folder.to_str().unwrap().to_owned());
    let compare = |more: &[&str]| {
        aipolicy(&before, &[&["policies", "compare", &paths[0], &paths[1], "--as-of", DAY], more].concat())
    };
    let said = compare(&[]).expect(0);
    assert!(
        said.contains("0 of 29 types of requests decided differently, 0 alike, 29 by the same policies"),
        "{said}"
    );
    let policy = "policies/research-without-premium.cedar";
    edit(&after, policy, "resource has tier && resource.tier == \"premium\"", "resource has tier");
    let said = compare(&[]).expect(2);
    for wanted in [
        "Agent invokeModel Model\n  - newly refused: 18 of 33 that resources make, ",
        "asked for at tenants/research/agents.yaml:8:19",
        "before: permitted by baseline-agent-models (policies/baseline/agent-models.cedar:1:1)",
        "now: forbidden by acme-research-without-premium (policies/research-without-premium.cedar:2:1)",
        "1 of 29 types of requests decided differently",
    ] {
        assert!(said.contains(wanted), "{wanted}: {said}");
    }
    let told: Value =
        serde_json::from_str(&compare(&["--format", "json", "--at-most", "10"]).expect(2)).unwrap();
    assert_eq!(told["format"], "aipolicy.policy-comparison/1");
    let types = told["types"].as_array().unwrap();
    let one = types.iter().find(|one| one["principal"] == "Agent" && one["action"] == "invokeModel").unwrap();
    assert_eq!(one["newlyRefused"]["requests"], 18);
    assert_eq!(one["newlyRefused"]["before"]["decision"], "permitted");
    assert_eq!(one["combined"]["tried"], 10);
    assert!(one.get("newlyPermitted").is_none());
    let said = compare(&["--at-most", "10"]).expect(2);
    assert!(
        said.contains("Agent invokeModel Model: 10 of ") && said.contains("`--at-most` asks more"),
        "{said}"
    );
    // The other way round, what was refused is permitted.
    let turned = ["policies", "compare", &paths[1], &paths[0], "--as-of", DAY];
    assert!(aipolicy(&before, &turned).expect(2).contains("+ newly permitted: 18 of 33"));
    aipolicy(&before, &["policies", "compare", &paths[0], "nowhere"]).expect(1);
}

/// Runs `aipolicy policies` with a solver.
fn with_solver(folder: &Path, arguments: &[&str]) -> Done {
    let done = Command::new(env!("CARGO_BIN_EXE_aipolicy"))
        .args(["policies"])
        .args(arguments)
        .args(["--as-of", DAY])
        .current_dir(folder)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("CVC5", program())
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    Done {
        exit: done.status.code().unwrap_or(-1),
        out: String::from_utf8(done.stdout).unwrap(),
        err: String::from_utf8(done.stderr).unwrap(),
    }
}

/// A threshold that no request of the workspace tells apart is told apart over all requests.
#[test]
fn a_solver_tells_what_no_request_shows() {
    let (_before, before) = copy_of("acme");
    let (_after, after) = copy_of("acme");
    let paths = [&before, &after].map(|folder| folder.to_str().unwrap().to_owned());
    let policy = "policies/personal-writes-are-checked.cedar";
    edit(&after, policy, "context.dataClassRank >= 25", "context.dataClassRank > 25");
    let compare = ["compare", &paths[0], &paths[1]];
    with_solver(&before, &compare).expect(0);
    let said = with_solver(&before, &[&compare[..], &["--symbolic"]].concat()).expect(2);
    for wanted in [
        "0 of 29 types of requests decided differently",
        "over all requests of prod, staging\nAgent callTool Tool\n  + newly permitted: Agent/some-agent callTool Tool/some-tool\n",
        "context.dataClassRank = 25",
        "before: decided by acme-personal-writes-are-checked (policies/personal-writes-are-checked.cedar:2:1)",
        "proven equal: 0 of 1 types",
    ] {
        assert!(said.contains(wanted), "{wanted}: {said}");
    }
    let told = with_solver(&before, &[&compare[..], &["--symbolic", "--format", "json"]].concat()).expect(2);
    let told: Value = serde_json::from_str(&told).unwrap();
    let one = &told["symbolic"][0]["types"][0];
    assert_eq!(one["nothingNewlyRefused"]["verdict"], "proven");
    assert_eq!(one["nothingNewlyPermitted"]["verdict"], "broken");
    assert_eq!(one["nothingNewlyPermitted"]["inWordsOfTheWorkspace"], true);
    // The same in other words is proven equal.
    edit(&after, policy, "context.dataClassRank > 25", "context.dataClassRank >= 25");
    let gates = r#"context.gate == "approval" || context.gate == "verify""#;
    edit(&after, policy, gates, r#"["verify", "approval"].contains(context.gate)"#);
    let said = with_solver(&before, &[&compare[..], &["--symbolic"]].concat()).expect(0);
    assert!(said.contains("proven equal: 1 of 1 type"), "{said}");
}

#[test]
fn a_solver_is_asked_of_the_policies_of_the_workspace() {
    let (_place, folder) = copy_of("acme");
    let said = with_solver(&folder, &["--symbolic", "-D"]).expect(0);
    for wanted in [
        "`acme-personal-writes-are-checked` matches Agent/some-agent callTool Tool/some-tool\n",
        "`acme-research-without-premium` never errors: proven",
        "resource.tier = \"premium\"",
    ] {
        assert!(said.contains(wanted), "{wanted}: {said}");
    }
    write(&folder, "policies/mistakes.cedar", MISTAKES);
    let said = with_solver(&folder, &["--symbolic"]).expect(0);
    assert!(said.contains("`sum` errors for "), "{said}");
    assert!(said.contains("context.dataClassRank = 9223372036854775807"), "{said}");
}

#[test]
fn a_solver_that_is_not_there_is_told() {
    let (_place, folder) = copy_of("acme");
    let run = |named: &str, symbolic: &str| {
        let done = Command::new(env!("CARGO_BIN_EXE_aipolicy"))
            .args(["policies", symbolic, "--as-of", DAY])
            .current_dir(&folder)
            .env_clear()
            .env("CVC5", named)
            .output()
            .unwrap();
        (done.status.code(), String::from_utf8(done.stderr).unwrap())
    };
    let (exit, said) = run("", "--symbolic");
    assert!(
        exit == Some(1) && said.contains("there is no `cvc5`") && said.contains("install cvc5"),
        "{said}"
    );
    let (exit, said) = run("", "--symbolic=if-found");
    assert!(exit == Some(0) && said.contains("nothing is said of all requests"), "{said}");
    let (exit, said) = run("/nowhere/cvc5", "--symbolic=if-found");
    assert!(exit == Some(1) && said.contains("/nowhere/cvc5"), "{said}");
}
