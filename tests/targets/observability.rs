//! Rules and dashboards, which promtool reads, evaluates and fails.

use std::path::Path;
use std::process::{Command, Output};

use aipolicy_targets::artifact::Artifact;
use serde_json::Value;

use super::{ACME, document};
use crate::harness::debian::Program;
use crate::harness::workspace::Built;

static PROMTOOL: Program = Program {
    name: "promtool",
    package: "prometheus",
    versions: &["promtool, version 2.", "promtool, version 3."],
};

fn promtool(folder: &Path, words: &[&str]) -> (bool, String) {
    let Output { status, stdout, stderr } =
        Command::new(PROMTOOL.path()).args(words).current_dir(folder).output().unwrap();
    (status.success(), String::from_utf8_lossy(&[stdout, stderr].concat()).into_owned())
}

fn of<'b>(built: &'b Built, environment: &str, kind: &str) -> Vec<&'b Artifact> {
    let (_, artifacts) = built.artifacts.iter().find(|(name, _)| name == environment).unwrap();
    artifacts.iter().filter(|one| one.document.address.kind == kind).collect()
}

/// Rules and tests of an environment in a folder.
fn written(rules: &str, tests: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (kind, text) in [("PrometheusRules", rules), ("PrometheusTests", tests)] {
        std::fs::create_dir(folder.path().join(kind)).unwrap();
        std::fs::write(folder.path().join(kind).join("e.yaml"), text).unwrap();
    }
    folder
}

fn check(rules: &str) -> (bool, String) {
    promtool(written(rules, "").path(), &["check", "rules", "PrometheusRules/e.yaml"])
}

fn test(rules: &str, tests: &str) -> (bool, String) {
    promtool(written(rules, tests).path(), &["test", "rules", "PrometheusTests/e.yaml"])
}

#[test]
fn promtool_finds_nothing_in_the_rules_of_acme() {
    for environment in ["prod", "staging"] {
        let rules = of(&ACME, environment, "PrometheusRules");
        let (sound, told) = check(&rules[0].document.text);
        assert!(sound, "{environment}: {told}");
        assert!(told.contains("SUCCESS") && !told.contains("0 rules"), "{environment}: {told}");
    }
}

/// One tenant with one of everything that is watched.
fn small() -> Built {
    let own = document(
        "Workspace",
        "w",
        "packs: [baseline, residency], targets: [iam, gateway, observability], naming: { prefix: w }",
    );
    let route = "gateway: g, match: { tenants: [t] }, dataClass: internal, caps: { output: 100 }, \
        primary: [{ model: m, weight: 90 }, { model: n, weight: 10, canary: { abort: { errorRate: 5%, p99: 8s, costPerRequest: USD 0.02 } } }], \
        fallback: [{ model: o, on: [throttled, unavailable, timeout] }], timeout: { attempt: 20s }, \
        circuitBreaker: { consecutiveFailures: 5, coolDown: 30s }";
    let model =
        "provider: bedrock, modelId: amazon.nova-lite-v1:0, inference: onDemand, regions: [us-east-1]";
    let budget = |scope: &str, limit: &str, period: &str| {
        format!("scope: {scope}, period: {period}, limit: {limit}, thresholds: [{{ at: 100%, do: block }}]")
    };
    let documents = [
        document("Environment", "e", "aws: { accountId: \"111122223333\", regions: [us-east-1] }"),
        document(
            "Tenant",
            "t",
            "owner: a@b.example, environments: [e], clearance: [internal], models: [m, n, o], \
             quota: { tokens: 60k tokens/min }",
        ),
        document(
            "Tenant",
            "u",
            "owner: a@b.example, environments: [e], clearance: [internal], models: [m, n, o]",
        ),
        document("Model", "m", model),
        document("Model", "n", model),
        document("Model", "o", model),
        document(
            "Gateway",
            "g",
            "dialect: litellm, environment: e, region: us-east-1, telemetry: { prometheus: true }",
        ),
        document("Route", "r", route),
        document(
            "Route",
            "s",
            "gateway: g, match: { tenants: [u] }, dataClass: internal, caps: { output: 100 }, primary: [{ model: m }]",
        ),
        document("Budget", "of-t", &budget("{ tenant: t }", "USD 5000", "month")),
        document("Budget", "of-u", &budget("{ tenant: u }", "USD 70", "week")),
        document("Budget", "of-e", &budget("{ environment: e }", "USD 90000", "year")),
        document(
            "TrafficProfile",
            "p",
            "route: r, requests: { mean: 40 requests/min }, tokens: { input: { p50: 900 }, output: { p50: 200 } }, \
             latency: { m: { p95: 2s, p99: 5s } }",
        ),
    ];
    let built = Built::of(own + &documents.concat());
    assert!(!built.artifacts.is_empty(), "{:?}", built.findings());
    built
}

#[test]
fn every_alert_fires_when_it_should_and_only_then() {
    let built = small();
    let rules = &of(&built, "e", "PrometheusRules")[0].document.text;
    let tests = &of(&built, "e", "PrometheusTests")[0].document.text;
    for alert in [
        "BreakerOpen",
        "BudgetBurnFast",
        "BudgetBurnSlow",
        "BudgetBurnSteady",
        "CanaryCostHigh",
        "CanaryErrorsHigh",
        "CanaryLatencyHigh",
        "FallbackShareHigh",
        "FallbacksFail",
        "LatencyNearTimeout",
        "LatencyP95High",
        "LatencyP99High",
        "TokenQuotaNear",
        "TokenSpike",
    ] {
        assert!(rules.contains(&format!("alert: {alert}\n")), "no {alert}");
        assert!(tests.contains(&format!("{alert} fires")), "no test of {alert}");
    }
    let (sound, told) = check(rules);
    assert!(sound, "{told}");
    let (sound, told) = test(rules, tests);
    assert!(sound, "{told}");
}

/// A limit that somebody changes in the rules is found by the tests that came with them.
#[test]
fn tests_fail_on_rules_with_another_limit() {
    let built = small();
    let rules = &of(&built, "e", "PrometheusRules")[0].document.text;
    let tests = &of(&built, "e", "PrometheusTests")[0].document.text;
    let looser = rules.replace("0.2\n", "0.9\n");
    assert_ne!(&looser, rules);
    let (sound, told) = test(&looser, tests);
    assert!(!sound && told.contains("FallbackShareHigh fires"), "{told}");
    let tighter = rules.replace("14.4 *", "1 *");
    assert_ne!(&tighter, rules);
    let (sound, told) = test(&tighter, tests);
    assert!(!sound && told.contains("BudgetBurnFast keeps quiet"), "{told}");
}

#[test]
fn dashboards_ask_what_prometheus_can_answer() {
    let rules = &of(&ACME, "prod", "PrometheusRules")[0].document.text;
    let dashboards = of(&ACME, "prod", "GrafanaDashboard");
    assert!(dashboards.len() > 2);
    let mut asked = Vec::new();
    for dashboard in dashboards {
        let value: Value = serde_json::from_str(&dashboard.document.text).unwrap();
        let panels = value["panels"].as_array().unwrap();
        assert!(!panels.is_empty());
        let targets = panels.iter().flat_map(|panel| panel["targets"].as_array().unwrap());
        asked.extend(targets.map(|target| target["expr"].as_str().unwrap().to_owned()));
    }
    let recorded = asked.iter().flat_map(|expression| expression.split(['{', ' ', '(', ')']));
    for name in recorded.filter(|word| word.starts_with("aipolicy:")) {
        assert!(rules.contains(&format!("record: {name}\n")), "nobody records {name}");
    }
    let rule = |(at, expression): (usize, String)| serde_json::json!({ "record": format!("r{at}"), "expr": expression });
    let rules: Vec<_> = asked.into_iter().enumerate().map(rule).collect();
    let rules = serde_json::json!({ "groups": [{ "name": "asked", "rules": rules }] });
    let (sound, told) = check(&rules.to_string());
    assert!(sound, "{told}");
}

#[test]
fn a_budget_of_an_agent_is_said_to_be_unwatched() {
    let found = ACME.findings();
    let unwatched = found.iter().find(|found| found.message.contains("no alert watches"));
    let unwatched = unwatched.unwrap_or_else(|| panic!("{found:#?}"));
    assert!(unwatched.message.contains("invoice-bot-monthly"), "{}", unwatched.message);
}
