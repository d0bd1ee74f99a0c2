//! `aipolicy policies`.

use serde_json::Value;

use super::{DAY, aipolicy, copy_of, edit, write};

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
