//! Budgets of AWS: what counts, who is told, and who is stopped by whom.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{at, document, texts};
use crate::harness::workspace::Built;

const ENVIRONMENT: &str = "aws: { accountId: \"111122223333\", regions: [eu-central-1] }, severity: { AIP-BUD-003: off, AIP-BUD-006: off }";
const TENANT: &str = "owner: o@acme.example, environments: [prod], clearance: [internal], models: [m, self]";
const ROUTE: &str = "gateway: edge, match: { tenants: [t] }, dataClass: internal, primary: [{ model: m }], caps: { output: 64 }";
const GATEWAY: &str = "dialect: litellm, environment: prod, region: eu-central-1";
const NOTICE: &str = "{ at: 80%, do: notify, to: [a@acme.example] }";

/// A workspace with these budgets: tenant `t` has a gateway and an agent that calls a model itself, `u` such an agent alone,
/// `v` a gateway alone.
fn built(budgets: &[(&str, &str)], gateway: &str) -> Built {
    let own = "packs: [baseline, residency], targets: [iam, gateway, bedrock, observability], naming: { prefix: w }";
    let mut text = document("Workspace", "w", own)
        + &document("Environment", "prod", ENVIRONMENT)
        + &document("Model", "m", "provider: bedrock, modelId: openai.gpt-oss-20b-1:0")
        + &document(
            "Model",
            "self",
            "provider: self-hosted, modelId: a/b, endpoint: \"https://m.example/v1\", regions: [eu-central-1]",
        )
        + &document("Gateway", "edge", &format!("{GATEWAY}{gateway}"))
        + &document("Route", "one", ROUTE)
        + &document("Route", "two", &ROUTE.replace("[t]", "[v]"));
    for tenant in ["t", "u", "v"] {
        text += &document("Tenant", tenant, TENANT);
    }
    for (agent, tenant) in [("of-t", "t"), ("of-u", "u")] {
        text += &document("Agent", agent, &format!("tenant: {tenant}, model: {{ model: m }}"));
    }
    let budget = |(name, spec): &(&str, &str)| document("Budget", name, spec);
    Built::of(text + &budgets.iter().map(budget).collect::<String>())
}

fn watched(budgets: &[(&str, &str)]) -> Built {
    built(budgets, ", telemetry: { prometheus: true }")
}

fn roles(action: &Value) -> Vec<&str> {
    texts(at(action, "/Definition/IamActionDefinition/Roles"))
}

#[test]
fn a_budget_counts_what_the_bill_tells_of_its_scope() {
    let month = "period: month, limit: USD 12.50";
    let spec = |scope: &str| format!("scope: {scope}, {month}, thresholds: [{NOTICE}]");
    let (all, here, of) = (spec("organisation"), spec("{ environment: prod }"), spec("{ tenant: t }"));
    let built = watched(&[("all", &all), ("here", &here), ("of", &of)]);
    let budget = |name: &str| built.json(&format!("observability/Budget/w-prod-{name}"));
    for name in ["all", "here"] {
        let absent =
            json!({ "Not": { "ProductAttributes": { "Key": "model", "MatchOptions": ["ABSENT"] } } });
        assert_eq!(at(&budget(name), "/Budget/FilterExpression"), &absent);
    }
    let of = budget("of");
    let tag = |key: &str, value: &str| json!({ "Tags": { "Key": key, "Values": [value] } });
    let both = json!({ "And": [tag("aipolicy:tenant", "t"), tag("aipolicy:workspace", "w")] });
    assert_eq!(at(&of, "/Budget/FilterExpression"), &both);
    assert_eq!(at(&of, "/Budget/BudgetLimit"), &json!({ "Amount": "12.50", "Unit": "USD" }));
    assert_eq!(at(&of, "/Budget/TimeUnit"), "MONTHLY");
    assert_eq!(at(&of, "/$region"), "us-east-1");
    assert_eq!(at(&of, "/NotificationsWithSubscribers/0/Notification/Threshold"), 80.0);
    // The tags are those of the profile through which the agent of the tenant calls its model.
    let profiles = built.sound().into_iter().filter(|one| one.document.address.kind == "InferenceProfile");
    let tagged = profiles.filter(|one| {
        let profile: Value = serde_json::from_str(&one.document.text).unwrap();
        let tags: Vec<_> = at(&profile, "/tags").as_array().unwrap().clone();
        ["aipolicy:tenant", "aipolicy:workspace"]
            .iter()
            .zip(["t", "w"])
            .all(|(key, value)| tags.contains(&json!({ "key": key, "value": value })))
    });
    assert_eq!(tagged.count(), 1);
}

#[test]
fn a_budget_stops_those_who_spend_it_and_nobody_else() {
    let spec = |scope: &str| {
        format!(
            "scope: {scope}, period: day, limit: USD 5, thresholds: [{NOTICE}, {{ at: 100%, do: block }}]"
        )
    };
    let (all, of_t, of_u, of_v) =
        (spec("organisation"), spec("{ tenant: t }"), spec("{ tenant: u }"), spec("{ tenant: v }"));
    let built = watched(&[("all", &all), ("of-t", &of_t), ("of-u", &of_u), ("of-v", &of_v)]);
    let action = |name: &str| built.json(&format!("observability/BudgetAction/w-prod-{name}"));
    assert_eq!(roles(&action("all")), ["w-prod-agent-of-t", "w-prod-agent-of-u", "w-prod-gateway-edge"]);
    assert_eq!(roles(&action("of-t")), ["w-prod-agent-of-t"]);
    assert_eq!(roles(&action("of-u")), ["w-prod-agent-of-u"]);
    let made: BTreeSet<_> = built.sound().into_iter().map(|one| one.document.address.to_string()).collect();
    assert!(!made.contains("observability/BudgetAction/w-prod-of-v"), "a gateway serves other tenants too");
    assert!(!made.contains("observability/Budget/w-prod-of-v"), "nothing on the bill says that it is of `v`");
    // Each may be stopped by its own budgets alone, and only that way.
    let policy = built.json("iam/Policy/w-prod-budgets");
    let statements = at(&policy, "/PolicyDocument/Statement").as_array().unwrap();
    assert_eq!(statements.len(), 3);
    for statement in statements {
        assert_eq!(texts(&statement["Action"]), ["iam:AttachRolePolicy", "iam:DetachRolePolicy"]);
        let attached = texts(at(statement, "/Condition/ArnEquals/iam:PolicyARN"));
        let [attached] = attached.as_slice() else { panic!("{statement:#}") };
        let name = attached.rsplit_once("stop-").unwrap().1;
        let action = action(name);
        assert_eq!(at(&action, "/Definition/IamActionDefinition/PolicyArn"), attached);
        let allowed = texts(&statement["Resource"]).into_iter().map(|arn| arn.rsplit_once('/').unwrap().1);
        assert_eq!(allowed.collect::<Vec<_>>(), roles(&action));
        let denial = built.json(&format!("iam/Policy/w-prod-stop-{name}"));
        let denied = at(&denial, "/PolicyDocument/Statement");
        assert_eq!(denied.as_array().unwrap().len(), 1);
        assert_eq!(at(denied, "/0/Effect"), "Deny");
        let actions = [
            "bedrock:InvokeModel",
            "bedrock:InvokeModelWithResponseStream",
            "bedrock-mantle:CreateInference",
        ];
        assert_eq!(texts(at(denied, "/0/Action")), actions);
    }
}

#[test]
fn without_a_budget_that_stops_nobody_may_attach_anything() {
    let built = watched(&[(
        "all",
        &format!("scope: organisation, period: day, limit: USD 5, thresholds: [{NOTICE}]"),
    )]);
    let made = built.sound().into_iter().map(|one| one.document.address.to_string());
    let found: Vec<_> =
        made.filter(|address| address.contains("budgets") || address.contains("-stop-")).collect();
    assert_eq!(found, [""; 0]);
}

/// The severity and the text under each finding that is about a budget.
fn told(built: &Built) -> Vec<(&'static str, String, String)> {
    let found = built.diagnostics.iter().filter(|one| one.code.starts_with("AIP-CMP"));
    let one = |one: &aipolicy_compiler::diagnostic::Diagnostic| {
        (one.severity.word(), one.code.to_string(), built.sources.slice(one.primary.span).to_owned())
    };
    found.map(one).collect()
}

#[test]
fn what_aws_budgets_cannot_do_is_refused_where_it_is_written() {
    let (unsupported, limit) = ("AIP-CMP-002", "AIP-CMP-001");
    let mails = (0..11).map(|at| format!("a{at}@acme.example")).collect::<Vec<_>>().join(", ");
    let topic = |name: &str| format!("\"arn:aws:sns:eu-central-1:111122223333:{name}\"");
    let shares = (0..6).map(|at| format!("{{ at: 5{at}%, do: notify, to: [a@acme.example] }}"));
    let shares = shares.collect::<Vec<_>>().join(", ");
    let to =
        |to: &str| format!("period: day, limit: USD 5, thresholds: [{{ at: 50%, do: notify, to: [{to}] }}]");
    let cases = [
        (format!("period: week, limit: USD 5, thresholds: [{NOTICE}]"), unsupported, "week"),
        (format!("period: day, limit: EUR 5, thresholds: [{NOTICE}]"), unsupported, "EUR 5"),
        (format!("period: day, limit: 5M tokens, thresholds: [{NOTICE}]"), unsupported, "5M tokens"),
        (to("\"#alerts\""), unsupported, "\"#alerts\""),
        (
            to("\"arn:aws:sqs:eu-central-1:111122223333:q\""),
            unsupported,
            "\"arn:aws:sqs:eu-central-1:111122223333:q\"",
        ),
        (to(&mails), limit, "a10@acme.example"),
        (to(&[topic("a"), topic("b")].join(", ")), limit, &topic("b")),
        (format!("period: day, limit: USD 5, thresholds: [{shares}]"), limit, "55%"),
        (format!("period: day, limit: USD 5, thresholds: [{NOTICE}, {NOTICE}]"), limit, "80%"),
    ];
    for (spec, code, place) in cases {
        let built = watched(&[("b", &format!("scope: {{ tenant: u }}, {spec}"))]);
        assert_eq!(told(&built), [("error", code.to_owned(), place.to_owned())], "{spec}");
    }
    let silent = "scope: organisation, period: day, limit: USD 5, thresholds: [{ at: 100%, do: block }]";
    let found = told(&watched(&[("silent", silent)]));
    assert!(found.contains(&("error", unsupported.to_owned(), "silent".to_owned())), "{found:?}");
    let shift =
        "scope: organisation, period: day, limit: USD 5, thresholds: [{ at: 90%, do: shift, to: economy }]";
    assert_eq!(told(&watched(&[("b", shift)])), [("error", unsupported.to_owned(), "economy".to_owned())]);
}

#[test]
fn what_nobody_counts_cannot_be_told() {
    let spec = format!("scope: {{ tenant: v }}, period: week, limit: 5M tokens, thresholds: [{NOTICE}]");
    let found = told(&built(&[("b", &spec)], ""));
    assert_eq!(found, [("error", "AIP-CMP-002".to_owned(), "80%".to_owned())]);
    assert_eq!(told(&watched(&[("b", &spec)])), []);
}

#[test]
fn differences_are_told() {
    let spec = |more: &str| {
        format!("scope: {{ tenant: t }}, period: day, limit: USD 5, {more}thresholds: [{NOTICE}]")
    };
    let note = |place: &str| ("note", "AIP-CMP-008".to_owned(), place.to_owned());
    assert_eq!(told(&watched(&[("b", &spec(""))])), [note("USD 5")]);
    let zone = told(&watched(&[("b", &spec("timeZone: Europe/Berlin, "))]));
    assert_eq!(zone, [note("Europe/Berlin"), note("USD 5")]);
    // What the bill cannot tell is watched where it goes through a gateway, and that is said.
    let week = spec("").replace("day", "week");
    assert_eq!(told(&watched(&[("b", &week)])), [note("week")]);
}

/// A role keeps room for each policy that a budget may attach to it.
#[test]
fn budgets_find_room_at_the_roles_that_they_stop() {
    let spec = format!(
        "scope: organisation, period: day, limit: USD 5, thresholds: [{NOTICE}, {{ at: 100%, do: block }}]"
    );
    let names: Vec<_> = (0..10).map(|at| format!("b{at}")).collect();
    let all: Vec<_> = names.iter().map(|name| (name.as_str(), spec.as_str())).collect();
    assert!(watched(&all[..9]).findings().iter().all(|one| one.severity != "error"));
    let found = watched(&all).findings();
    assert!(found.iter().any(|one| one.code == "AIP-IAM-009"), "{found:#?}");
}
