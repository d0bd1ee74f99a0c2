//! Rules and dashboards, which promtool reads, evaluates and fails.

use std::path::Path;
use std::process::{Command, Output};

use aipolicy_targets::artifact::Artifact;
use serde_json::{Value, json};

use super::{ACME, QUICKSTART, at, document, kubernetes};
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

/// What promtool says about a file of rules.
pub(super) fn check(rules: &str) -> (bool, String) {
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

/// A tenant with a gateway and these budgets.
fn with_budgets(budgets: &str) -> Built {
    let own = "packs: [baseline, residency], targets: [iam, gateway, observability], naming: { prefix: w }";
    let documents = [
        document("Workspace", "w", own),
        document("Environment", "e", "aws: { accountId: \"111122223333\", regions: [us-east-1] }"),
        document("Tenant", "t", "owner: a@b.example, environments: [e], clearance: [internal], models: [m]"),
        document("Model", "m", "provider: bedrock, modelId: openai.gpt-oss-20b-1:0"),
        document(
            "Gateway",
            "g",
            "dialect: litellm, environment: e, region: us-east-1, telemetry: { prometheus: true }",
        ),
        document(
            "Route",
            "r",
            "gateway: g, match: { tenants: [t] }, dataClass: internal, caps: { output: 100 }, primary: [{ model: m }]",
        ),
    ];
    let built = Built::of(documents.concat() + budgets);
    assert!(!built.artifacts.is_empty(), "{:?}", built.findings());
    built
}

fn of_kind(built: &Built, kind: &str) -> String {
    of(built, "e", kind)[0].document.text.clone()
}

/// The rules of the examples do what their own tests say.
#[test]
fn examples_pass_the_tests_that_come_with_them() {
    for (built, environment) in [(&*ACME, "prod"), (&*ACME, "staging"), (&*QUICKSTART, "dev")] {
        let text = |kind: &str| of(built, environment, kind)[0].document.text.clone();
        let name = format!("PrometheusRules/{environment}.yaml");
        let tests = text("PrometheusTests").replace(&name, "PrometheusRules/e.yaml");
        let (sound, told) = test(&text("PrometheusRules"), &tests);
        assert!(sound, "{environment}: {told}");
    }
}

/// What KEDA asks Prometheus is an expression that Prometheus takes.
#[test]
fn autoscalers_ask_what_prometheus_can_answer() {
    let of_cluster = |built: &Built| {
        let all = built.sound().into_iter().filter(|one| one.document.address.kind.ends_with("ScaledObject"));
        all.map(|one| serde_saphyr::from_str::<Value>(&one.document.text).unwrap()).collect::<Vec<_>>()
    };
    let objects = [of_cluster(&ACME), of_cluster(kubernetes::everything())].concat();
    let triggers = objects.iter().flat_map(|one| one["spec"]["triggers"].as_array().unwrap());
    let queries: Vec<_> = triggers.filter_map(|trigger| trigger["metadata"]["query"].as_str()).collect();
    assert!(queries.len() > 2, "{queries:?}");
    let rule = |(at, query): (usize, &&str)| json!({ "record": format!("r{at}"), "expr": query });
    let rules: Vec<_> = queries.iter().enumerate().map(rule).collect();
    let (sound, told) = check(&json!({ "groups": [{ "name": "asked", "rules": rules }] }).to_string());
    assert!(sound, "{told}");
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
        "provider: bedrock, modelId: openai.gpt-oss-20b-1:0, inference: onDemand, regions: [us-east-1]";
    let budget = |scope: &str, limit: &str, period: &str| {
        format!("scope: {scope}, period: {period}, limit: {limit}, thresholds: [{{ at: 100%, do: block }}]")
    };
    let notice = "{ at: 60%, do: notify, to: [a@b.example] }";
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
        document(
            "Budget",
            "of-e",
            &budget("{ environment: e }", "USD 90000", "month").replace("[{", &format!("[{notice}, {{")),
        ),
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
        "BudgetNotice",
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

/// Budgets of everybody and of two tenants with limits close to each other.
fn close_limits() -> String {
    let budgets = [
        ("all", "organisation", "month", "USD 1000", "90%"),
        ("here", "{ environment: e }", "month", "USD 990", "60%"),
        ("own", "{ tenant: t }", "month", "USD 980", "90%"),
        ("other", "{ tenant: somebody }", "month", "USD 690", "90%"),
        ("daily", "{ tenant: t }", "day", "USD 40", "90%"),
        ("counted", "{ tenant: t }", "month", "980M tokens", "90%"),
    ];
    let budget = |(name, scope, period, limit, share): &(&str, &str, &str, &str, &str)| {
        let notify = format!("thresholds: [{{ at: {share}, do: notify, to: [a@b.example] }}]");
        document("Budget", name, &format!("scope: {scope}, period: {period}, limit: {limit}, {notify}"))
    };
    let spec = "owner: a@b.example, environments: [e], clearance: [internal], models: [m]";
    let route = "gateway: g, match: { tenants: [somebody] }, dataClass: internal, caps: { output: 100 }, primary: [{ model: m }]";
    let rest = document("Tenant", "somebody", spec) + &document("Route", "s", route);
    rest + &budgets.iter().map(budget).collect::<String>()
}

/// Whoever spends one budget spends those around it too, so the tests name every alert that fires in a world.
#[test]
fn alerts_on_budgets_with_close_limits_are_all_expected() {
    let built = with_budgets(&close_limits());
    let (rules, tests) = (of_kind(&built, "PrometheusRules"), of_kind(&built, "PrometheusTests"));
    let (sound, told) = test(&rules, &tests);
    assert!(sound, "{told}");
    let read: Value = serde_saphyr::from_str(&tests).unwrap();
    let told = |name: &str| -> Vec<String> {
        let all = read["tests"].as_array().unwrap();
        let test = all.iter().find(|test| test["name"] == name).unwrap_or_else(|| panic!("no {name}"));
        let expected = at(test, "/alert_rule_test/0/exp_alerts").as_array().unwrap();
        expected.iter().map(|alert| at(alert, "/exp_labels/budget").as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(told("BudgetBurnFast fires: budget own, tenant t"), ["own", "daily", "all", "here"]);
    assert_eq!(told("BudgetBurnFast fires: budget all"), ["other", "all", "here"]);
    assert_eq!(told("BudgetBurnFast keeps quiet: budget counted, tenant t"), [""; 0]);
    assert_eq!(told("BudgetNotice keeps quiet: budget all, share 90 %, to a@b.example"), ["other", "here"]);
}

/// What is recorded of a period grows throughout it, and begins anew with the next one.
#[test]
fn periods_of_the_calendar_begin_anew() {
    // The epoch is a Thursday. Hours from it to the end of a period, and minutes that are counted at a time.
    let periods = [
        ("day", 24, 15),
        ("week", 96, 60),
        ("month", 744, 180),
        ("quarter", 2160, 720),
        ("year", 8760, 1440),
    ];
    let of = |(period, ..): &(&str, u32, u32)| {
        let spec = format!(
            "scope: {{ tenant: t }}, period: {period}, limit: USD 9, thresholds: [{{ at: 60%, do: notify, to: [a@b.example] }}]"
        );
        document("Budget", period, &spec)
    };
    let built = with_budgets(&periods.iter().map(of).collect::<String>());
    let rules: Value = serde_saphyr::from_str(&of_kind(&built, "PrometheusRules")).unwrap();
    let groups = rules["groups"].as_array().unwrap();
    let recorded: Vec<_> = groups.iter().flat_map(|group| group["rules"].as_array().unwrap()).collect();
    let tests = periods.map(|(period, end, step)| {
        let named = format!("aipolicy:tenant_spend_usd:{period}_to_date");
        let rule = recorded.iter().find(|rule| rule["record"] == named.as_str()).unwrap();
        let expression = rule["expr"].as_str().unwrap();
        let (every, minutes) = if step < 60 { (5, end * 60 + 240) } else { (60, end * 60 + 3 * step) };
        let ask = |minute: u32, least: u32, most: u32| {
            let within = format!("({expression} > bool {least}) * ({expression} <= bool {most})");
            json!({ "expr": within, "eval_time": format!("{minute}m"), "exp_samples": [{ "labels": "{team=\"t\"}", "value": 1 }] })
        };
        let series = json!({ "series": "litellm_spend_metric_total{team=\"t\"}", "values": format!("0+{every}x{}", minutes / every) });
        let end = end * 60;
        json!({
            "interval": format!("{every}m"), "input_series": [series],
            "promql_expr_test": [ask(end - every, end - 3 * step, end), ask(end + step, 0, 3 * step)],
        })
    });
    let tests = json!({ "rule_files": [], "evaluation_interval": "15m", "tests": tests });
    let (sound, told) = test("groups: []", &tests.to_string());
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
    let rule = |(at, expression): (usize, String)| json!({ "record": format!("r{at}"), "expr": expression });
    let rules: Vec<_> = asked.into_iter().enumerate().map(rule).collect();
    let rules = json!({ "groups": [{ "name": "asked", "rules": rules }] });
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
