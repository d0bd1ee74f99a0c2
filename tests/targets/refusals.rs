//! What a target cannot do is refused at the text that asks for it.

use super::workspace;
use crate::harness::workspace::Built;

/// The severity, the code and the text under each finding of a route with these fields, or of more documents.
fn told(route: &str, more: &[(&str, &str, &str)]) -> Vec<(&'static str, String, String)> {
    let cap = if route.contains("caps:") { "" } else { ", caps: { output: 64 }" };
    let route = format!(
        "gateway: edge, match: {{ tenants: [t] }}, dataClass: internal, primary: [{{ model: m }}]{route}{cap}"
    );
    // What is wrong on any gateway is for the checks to say.
    let of_routes = ["006", "008", "010", "013", "014", "017"].map(|rule| format!("AIP-RTE-{rule}: off"));
    let off = format!("{}, AIP-BUD-008: off, AIP-LIF-006: off", of_routes.join(", "));
    let environment =
        format!("aws: {{ accountId: \"111122223333\", regions: [eu-central-1] }}, severity: {{ {off} }}");
    let mut all = vec![
        ("Environment", "prod", environment.as_str()),
        ("Tenant", "t", "owner: a@acme.example, environments: [prod], clearance: [internal], models: [m]"),
        ("Model", "m", "provider: bedrock, modelId: openai.gpt-oss-20b-1:0"),
        ("Route", "chat", route.as_str()),
    ];
    if !more.iter().any(|(kind, ..)| *kind == "Gateway") {
        all.push(("Gateway", "edge", "dialect: litellm, environment: prod, region: eu-central-1"));
    }
    all.extend(more.iter().filter(|(kind, ..)| *kind != "Route"));
    all.extend(more.iter().filter(|(kind, ..)| *kind == "Route"));
    let built = Built::of(workspace(&all));
    let stops = built.findings().iter().any(|one| one.severity == "error");
    assert_eq!(stops, built.artifacts.is_empty());
    let one = |found: &aipolicy_compiler::diagnostic::Diagnostic| {
        (found.severity.word(), found.code.to_string(), built.sources.slice(found.primary.span).to_owned())
    };
    built.diagnostics.iter().map(one).collect()
}

#[track_caller]
fn check(route: &str, more: &[(&str, &str, &str)], severity: &str, place: &str) {
    let found = told(route, more);
    let code = if severity == "note" { "AIP-CMP-008" } else { "AIP-CMP-002" };
    let expected = [(severity, code, place)];
    let found: Vec<_> =
        found.iter().map(|(severity, code, place)| (*severity, code.as_str(), place.as_str())).collect();
    assert_eq!(found, expected, "{route}");
}

#[test]
fn a_plain_route_is_compiled_without_a_word() {
    assert_eq!(told(", caps: { output: 64 }, timeout: { attempt: 5s, total: 60s }", &[]), []);
}

#[test]
fn fields_that_litellm_does_not_have_are_refused() {
    let cases = [
        (", retry: { attempts: 2, budget: 20%, on: [throttled] }", "20%"),
        (", retry: { attempts: 2, on: [context-overflow] }", "context-overflow"),
        (", context: { compress: summarise }", "summarise"),
        (", context: { compress: rewrite }", "rewrite"),
        (", batch: { maxSize: 8 }", "8"),
        (", caps: { input: 8k, output: 64, truncate: oldest-first }", "oldest-first"),
        (", timeout: { total: 60s }", "60s"),
        (", timeout: { attempt: 20s, total: 50s }, retry: { attempts: 3, on: [timeout] }", "50s"),
        (
            ", timeout: { attempt: 20s, total: 30s }, fallback: [{ model: m, on: [throttled, unavailable, timeout] }]",
            "30s",
        ),
    ];
    for (route, place) in cases {
        check(route, &[], "error", place);
    }
    let connector =
        ("Connector", "files", "s3: { bucket: files }, region: eu-central-1, dataClass: internal");
    check(", context: { retrieval: files }", &[connector], "error", "files");
    let store = ("DataStore", "answers", "cache: { name: x }, region: eu-central-1, holds: internal");
    check(", cache: answers", &[store], "error", "answers");
}

#[test]
fn headers_are_refused() {
    let route = "gateway: edge, match: { tenants: [t], headers: { x-team: blue } }, dataClass: internal, caps: { output: 64 }, primary: [{ model: m }]";
    check("", &[("Route", "other", route)], "error", "blue");
}

#[test]
fn a_name_leads_to_one_route() {
    let route = |task: &str| {
        format!(
            "gateway: edge, match: {{ tenants: [t], task: {task} }}, dataClass: internal, caps: {{ output: 64 }}, primary: [{{ model: m }}]"
        )
    };
    let (talk, chat) = (route("talk"), route("chat"));
    check("", &[("Route", "one", &talk), ("Route", "two", &talk)], "error", "talk");
    check("", &[("Route", "one", &chat)], "error", "chat");
    let own = route("one");
    assert_eq!(told("", &[("Route", "one", &own)]), []);
}

#[test]
fn budgets_that_litellm_cannot_keep_are_refused() {
    let budget = |limit: &str, threshold: &str| {
        format!("scope: {{ tenant: t }}, period: month, limit: {limit}, thresholds: [{{ {threshold} }}]")
    };
    let cases = [
        (budget("USD 5", "at: 50%, do: shift, to: economy"), "error", "economy"),
        (budget("USD 5", "at: 50%, do: block"), "error", "50%"),
        (budget("EUR 5", "at: 100%, do: block"), "error", "EUR 5"),
        (budget("1M tokens", "at: 100%, do: block"), "error", "1M tokens"),
        (budget("USD 5", "at: 100%, do: block"), "note", "100%"),
    ];
    for (budget, severity, place) in &cases {
        check("", &[("Budget", "b", budget)], severity, place);
    }
    assert_eq!(
        told("", &[("Budget", "b", &budget("EUR 5", "at: 50%, do: notify, to: [a@acme.example]"))]),
        [("error", "AIP-CMP-009".to_owned(), "50%".to_owned())]
    );
}

#[test]
fn what_litellm_does_a_little_differently_is_said() {
    check(", circuitBreaker: { consecutiveFailures: 5, coolDown: 30s }", &[], "note", "5");
    check(
        ", retry: { attempts: 2, on: [throttled], backoff: { base: 200ms, max: 2s } }",
        &[],
        "note",
        "200ms",
    );
    check(", fallback: [{ model: m, on: [timeout] }]", &[], "note", "timeout");
    assert_eq!(told(", fallback: [{ model: m, on: [context-overflow, content-refused] }]", &[]), []);
    let canary = "gateway: edge, match: { tenants: [t] }, dataClass: internal, caps: { output: 64 }, \
                  primary: [{ model: m, weight: 100, canary: { abort: { p99: 8s } } }]";
    check("", &[("Route", "x", canary)], "note", "8s");
}

#[test]
fn dialects_that_are_not_compiled_are_refused() {
    for dialect in ["envoy", "envoy-ai-gateway", "agentcore"] {
        let gateway = format!("dialect: {dialect}, environment: prod, region: eu-central-1");
        check("", &[("Gateway", "edge", &gateway)], "error", dialect);
    }
}

#[test]
fn iam_refuses_what_it_cannot_say() {
    let model = |spec: &'static str| {
        [
            ("Model", "x", spec),
            (
                "Tenant",
                "u",
                "owner: a@acme.example, environments: [prod], \
        clearance: [internal], models: [x]",
            ),
            ("Agent", "a", "tenant: u, model: { model: x }"),
        ]
    };
    let profile = "provider: bedrock-mantle, modelId: openai.gpt-oss-120b, inference: { profile: eu }";
    let unknown =
        "provider: bedrock, modelId: openai.gpt-6-sol, inference: { profile: us }, regions: [us-east-1]";
    for (spec, place) in [(profile, "profile"), (unknown, "profile")] {
        let found = told("", &model(spec));
        assert!(
            found.iter().any(|(severity, code, text)| *severity == "error"
                && code == "AIP-CMP-002"
                && text.contains(place)),
            "{found:?}"
        );
    }
    let tool = |connector: &'static str, access: &str| {
        let agent = format!(
            "tenant: t, model: {{ model: m }}, tools: [{{ name: x, connector: c, access: {access}, gate: confirm }}]"
        );
        let mut found = told("", &[("Connector", "c", connector), ("Agent", "a", &agent)]);
        // That nobody asks the user is told too.
        found.retain(|(_, code, _)| code != "AIP-CMP-009");
        found
    };
    let base = "knowledgeBase: { id: ABCDEFGHIJ }, region: eu-central-1, dataClass: internal";
    assert_eq!(tool(base, "write"), [("error", "AIP-CMP-002".to_owned(), "c".to_owned())]);
    let apart = "sqs: { queue: q }, region: eu-central-1, dataClass: internal, partition: { key: tenant }";
    assert_eq!(tool(apart, "read"), [("error", "AIP-CMP-002".to_owned(), "tenant".to_owned())]);
}
