//! Alarms of CloudWatch: on metrics that exist, about things that are made, and told where they are heard.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{ACME, at, document, texts};
use crate::harness::workspace::Built;

/// Metrics with a dimension, as the user guides of the services name them.
const DOCUMENTED: &[(&str, &str, &[&str])] = &[
    ("AWS/States", "StateMachineArn", &["ExecutionsFailed", "ExecutionsTimedOut"]),
    ("AWS/Lambda", "FunctionName", &["Errors", "Throttles"]),
    ("AWS/Bedrock-AgentCore", "Resource", &["SystemErrors", "Throttles"]),
    ("AWS/Bedrock/Guardrails", "GuardrailArn", &["InvocationServerErrors", "InvocationThrottles"]),
    (
        "AWS/Bedrock",
        "ModelId",
        &[
            "InvocationThrottles",
            "InvocationServerErrors",
            "InvocationClientErrors",
            "InvocationLatency",
            "InputTokenCount",
            "OutputTokenCount",
        ],
    ),
];

/// The alarms of a workspace, with the addresses of everything that is made beside them.
fn alarms(built: &Built) -> Vec<(String, Value, BTreeSet<String>)> {
    let mut all = Vec::new();
    for (_, artifacts) in &built.artifacts {
        let made: BTreeSet<_> = artifacts.iter().map(|one| one.document.address.to_string()).collect();
        for one in artifacts.iter().filter(|one| one.document.address.kind == "Alarm") {
            let alarm = serde_json::from_str(&one.document.text).unwrap();
            all.push((one.document.address.name.clone(), alarm, made.clone()));
        }
    }
    all
}

/// Namespace, metric, dimension and its value, of every metric of an alarm.
fn metrics(alarm: &Value) -> Vec<(String, String, String, String)> {
    let plain = |one: &Value| {
        let dimension = at(one, "/Dimensions/0");
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        (
            text(&one["Namespace"]),
            text(&one["MetricName"]),
            text(&dimension["Name"]),
            text(&dimension["Value"]),
        )
    };
    let Some(many) = alarm["Metrics"].as_array() else { return vec![plain(alarm)] };
    let of = |one: &Value| match (one.pointer("/MetricStat/Metric"), one.pointer("/Expression/$join")) {
        (Some(metric), _) => vec![plain(metric)],
        (None, Some(query)) => {
            let before = query[0].as_str().unwrap();
            let words: Vec<_> = before.split(' ').collect();
            let ["SELECT", sum, "FROM", namespace, "WHERE", label, "=", "'"] = words.as_slice() else {
                panic!("{before}")
            };
            assert_eq!(query[2], "'");
            let metric = sum.strip_prefix("SUM(").unwrap().strip_suffix(')').unwrap();
            let value = query[1]["$ref"].as_str().unwrap();
            vec![(namespace.trim_matches('"').into(), metric.into(), (*label).into(), value.into())]
        }
        (None, None) => Vec::new(),
    };
    many.iter().flat_map(of).collect()
}

#[test]
fn alarms_watch_documented_metrics_of_things_that_are_made() {
    let mut seen = BTreeSet::new();
    for (name, alarm, made) in alarms(&ACME) {
        let found = metrics(&alarm);
        assert!(!found.is_empty(), "{name}");
        for (namespace, metric, label, value) in found {
            let known = DOCUMENTED.iter().find(|(known, ..)| *known == namespace).unwrap();
            assert!(
                known.1 == label && known.2.contains(&metric.as_str()),
                "{name}: {namespace} {metric} {label}"
            );
            let kind = match namespace.as_str() {
                "AWS/States" => format!("bedrock/StateMachine/{}", value.rsplit_once(':').unwrap().1),
                "AWS/Lambda" => format!("bedrock/Function/{value}"),
                "AWS/Bedrock" => String::new(),
                _ => value.split_once('#').unwrap().0.to_owned(),
            };
            assert!(kind.is_empty() || made.contains(&kind), "{name} watches {kind}");
            seen.insert(namespace);
        }
        assert_eq!(at(&alarm, "/TreatMissingData"), "notBreaching");
    }
    assert_eq!(seen.len(), DOCUMENTED.len(), "{seen:?}");
}

#[test]
fn an_alarm_tells_topics_of_its_own_region_alone() {
    let mut regions = BTreeSet::new();
    for (name, alarm, _) in alarms(&ACME) {
        let own = alarm["$region"].as_str().unwrap();
        let told = texts(at(&alarm, "/AlarmActions"));
        assert!(
            !told.is_empty() && told.iter().all(|arn| arn.split(':').nth(3) == Some(own)),
            "{name}: {told:?}"
        );
        regions.insert(own.to_owned());
    }
    assert!(regions.len() > 1, "{regions:?}");
}

/// A gateway with one model that was measured and has a quota, and these topics.
fn built(notifications: &str) -> Built {
    let own = "packs: [baseline, residency], targets: [iam, gateway, observability], naming: { prefix: w }";
    let environment =
        format!("aws: {{ accountId: \"111122223333\", regions: [eu-central-1] }}{notifications}");
    let documents = [
        document("Workspace", "w", own),
        document("Environment", "prod", &environment),
        document(
            "Tenant",
            "t",
            "owner: a@acme.example, environments: [prod], clearance: [internal], models: [m]",
        ),
        document(
            "Model",
            "m",
            "provider: bedrock, modelId: amazon.nova-micro-v1:0, quota: { tokens: 200k tokens/min }",
        ),
        document("Gateway", "edge", "dialect: litellm, environment: prod, region: eu-central-1"),
        document(
            "Route",
            "r",
            "gateway: edge, match: { tenants: [t] }, dataClass: internal, primary: [{ model: m }], caps: { output: 64 }",
        ),
        document(
            "TrafficProfile",
            "p",
            "route: r, requests: { mean: 40 requests/min }, tokens: { input: { p50: 900 }, output: { p50: 200 } }, \
             latency: { m: { p95: 2s, p99: 5s } }",
        ),
    ];
    Built::of(documents.concat())
}

fn topics(regions: &[&str]) -> String {
    let arn = |(at, region): (usize, &&str)| format!("\"arn:aws:sns:{region}:111122223333:t{at}\"");
    let arns: Vec<_> = regions.iter().enumerate().map(arn).collect();
    format!(", notifications: {{ sns: [{}] }}", arns.join(", "))
}

#[test]
fn limits_come_from_what_was_measured_and_from_quotas() {
    let built = built(&topics(&["eu-central-1"]));
    let alarm = |word: &str| built.json(&format!("observability/Alarm/w-prod-m-eu-central-1-{word}"));
    let slow = alarm("latency-p99");
    assert_eq!((at(&slow, "/Threshold"), at(&slow, "/ExtendedStatistic")), (&json!(7500.0), &json!("p99")));
    assert_eq!(at(&alarm("latency-p95"), "/Threshold"), 3000.0);
    assert_eq!(at(&alarm("tokens"), "/Threshold"), 180_000.0);
    assert_eq!(at(&alarm("tokens"), "/Metrics/0/MetricStat/Period"), 60);
    assert_eq!(at(&alarm("throttles"), "/Dimensions/0/Value"), "amazon.nova-micro-v1:0");
}

#[test]
fn without_somebody_to_tell_there_are_no_alarms() {
    assert!(alarms(&built("")).is_empty());
    assert!(!alarms(&built(&topics(&["eu-central-1"]))).is_empty());
}

#[test]
fn topics_that_hear_nothing_are_told() {
    let told = |notifications: &str| {
        let built = built(notifications);
        let found = built.diagnostics.iter().filter(|one| one.code.starts_with("AIP-CMP"));
        let one = |one: &aipolicy_compiler::diagnostic::Diagnostic| {
            (one.severity.word(), one.code.to_string(), built.sources.slice(one.primary.span).to_owned())
        };
        found.map(one).collect::<Vec<_>>()
    };
    assert_eq!(told(&topics(&["eu-central-1"; 5])), []);
    let abroad = told(&topics(&["us-east-1"]));
    assert_eq!(abroad, [("warning", "AIP-CMP-008".to_owned(), "m".to_owned())]);
    let sixth = "\"arn:aws:sns:eu-central-1:111122223333:t5\"";
    assert_eq!(told(&topics(&["eu-central-1"; 6])), [("error", "AIP-CMP-001".to_owned(), sixth.to_owned())]);
    let queue = "\"arn:aws:sqs:eu-central-1:111122223333:q\"";
    let found = told(&format!(", notifications: {{ sns: [{queue}] }}"));
    assert!(found.contains(&("error", "AIP-CMP-002".to_owned(), queue.to_owned())), "{found:?}");
}
