//! Alarms of CloudWatch: on metrics that exist, about things that are made, and told where they are heard.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use aipolicy_targets::artifact::Artifact;
use serde_json::{Value, json};

use super::bedrock::{EVERYTHING, files};
use super::{ACME, at, document, texts};
use crate::harness::workspace::Built;

/// Metrics with a dimension, as the user guides of the services name them.
const DOCUMENTED: &[(&str, &str, &[&str])] = &[
    // What starts sessions says these itself, see `aipolicy_start.py`.
    ("aipolicy", "canary", &["Failed", "Milliseconds"]),
    ("AWS/States", "StateMachineArn", &["ExecutionsAborted", "ExecutionsFailed", "ExecutionsTimedOut"]),
    ("AWS/Lambda", "FunctionName", &["DeadLetterErrors", "Errors", "Throttles"]),
    ("AWS/SQS", "QueueName", &["ApproximateAgeOfOldestMessage", "ApproximateNumberOfMessagesVisible"]),
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
        let known =
            |value: &Value| value.pointer("/$last/$ref").unwrap_or(value).as_str().unwrap().to_owned();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        (
            text(&one["Namespace"]),
            text(&one["MetricName"]),
            text(&dimension["Name"]),
            known(&dimension["Value"]),
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
                "AWS/SQS" if value.starts_with("acme-prod-") => format!("bedrock/ApprovalQueue/{value}"),
                "AWS/SQS" => {
                    let arn = format!(":sqs:{}:111122223333:{value}\"", alarm["$region"].as_str().unwrap());
                    let named = ACME.all().filter(|one| {
                        one.document.address.kind == "QueueRedrive" || one.document.address.kind == "Function"
                    });
                    assert!(named.into_iter().any(|one| one.document.text.contains(&arn)), "{name}: {arn}");
                    String::new()
                }
                "aipolicy" => {
                    let said = format!("\"name\": \"{value}\"");
                    let mut starts = ACME.all().filter(|one| one.document.address.kind == "Function");
                    assert!(starts.any(|one| one.document.text.contains(&said)), "{name}: {said}");
                    String::new()
                }
                "AWS/Bedrock" if !value.contains('#') => String::new(),
                _ => value.split_once('#').unwrap().0.to_owned(),
            };
            assert!(kind.is_empty() || made.contains(&kind), "{name} watches {kind}");
            seen.insert(namespace);
        }
        let of_canary = name.contains("-canary-");
        let missing = if of_canary { "ignore" } else { "notBreaching" };
        assert_eq!(at(&alarm, "/TreatMissingData"), missing, "{name}");
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
            "provider: bedrock, modelId: openai.gpt-oss-20b-1:0, quota: { tokens: 200k tokens/min }",
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
    assert_eq!(at(&alarm("throttles"), "/Dimensions/0/Value"), "openai.gpt-oss-20b-1:0");
}

/// The workspace of the target for Bedrock with somebody to tell, a reserved model and a function that takes messages.
fn agents() -> &'static Built {
    static BUILT: LazyLock<Built> = LazyLock::new(|| {
        let image = format!("111122223333.dkr.ecr.eu-central-1.amazonaws.com/x@sha256:{}", "0".repeat(64));
        let workload = format!(
            "tenant: t, platform: lambda, image: \"{image}\", consumes: {{ sqs: work }}, deadLetter: spare"
        );
        let arn = "arn:aws:bedrock:eu-central-1:111122223333:provisioned-model/abcdefghij01";
        let model = format!(
            "provider: bedrock, modelId: openai.gpt-oss-20b-1:0, inference: {{ provisioned: \"{arn}\" }}"
        );
        let mut documents = EVERYTHING.to_vec();
        documents.extend([
            ("Connector", "spare", "sqs: { queue: spare }, region: eu-central-1, dataClass: internal"),
            ("Workload", "taker", workload.as_str()),
            ("Model", "reserved", model.as_str()),
            ("Agent", "steady", "tenant: t, model: { model: reserved }"),
        ]);
        let mut files = files(&documents);
        let own = &mut files[0].1;
        *own = own.replace("targets: [iam, bedrock]", "targets: [iam, bedrock, lambda, observability]");
        *own = own.replace("models: [m]", "models: [m, reserved]");
        *own = own.replacen("logging: {", &format!("{}, logging: {{", &topics(&["eu-central-1"])[2..]), 1);
        Built::new(&files)
    });
    &BUILT
}

fn alarm(name: &str) -> Value {
    agents().json(&format!("observability/Alarm/w-prod-{name}"))
}

/// The text that a value of a document comes from.
fn origin(address: &str, pointer: &str) -> &'static str {
    let built = agents();
    let found = built.sound().into_iter().find(|one| one.document.address.to_string() == address).unwrap();
    built.sources.slice(found.trace.at(pointer).unwrap().span)
}

#[test]
fn models_of_agents_are_counted_under_the_id_of_the_profile_of_their_tenant() {
    let made = "bedrock/InferenceProfile/w-prod-t-m-eu-central-1";
    for word in ["throttles", "server-errors", "client-errors"] {
        let found = alarm(&format!("t-m-eu-central-1-{word}"));
        let id = json!({ "$last": { "$ref": format!("{made}#inferenceProfileArn") } });
        assert_eq!(at(&found, "/Dimensions"), &json!([{ "Name": "ModelId", "Value": id }]));
    }
    let built = agents();
    let is = |one: &&Artifact| one.document.address.name == "w-prod-t-m-eu-central-1-throttles";
    let found = built.sound().into_iter().find(is).unwrap();
    assert!(found.needs.iter().any(|need| need.to_string() == made), "{:?}", found.needs);
    let direct = at(&alarm("reserved-eu-central-1-throttles"), "/Dimensions/0/Value").clone();
    assert_eq!(direct, "arn:aws:bedrock:eu-central-1:111122223333:provisioned-model/abcdefghij01");
}

#[test]
fn whatever_failed_is_told_once_for_each_queue() {
    let about = |metric: &str| -> Vec<String> {
        let all = alarms(agents()).into_iter().filter(|(_, alarm, _)| alarm["MetricName"] == metric);
        all.map(|(_, alarm, _)| at(&alarm, "/Dimensions/0/Value").as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(about("ApproximateNumberOfMessagesVisible"), ["failed", "failed.fifo", "spare"]);
    let found = alarm("failed-eu-central-1-dead-letters");
    assert_eq!((at(&found, "/Statistic"), at(&found, "/Threshold")), (&json!("Maximum"), &json!(0.0)));
    let lost = about("DeadLetterErrors");
    assert!(lost.iter().all(|name| name.starts_with("w-prod-trigger-started-")), "{lost:?}");
    assert_eq!(lost.len(), 7, "{lost:?}");
    for metric in ["Errors", "Throttles"] {
        let watched = about(metric);
        for name in ["w-prod-trigger-started-plain", "w-prod-workload-taker"]
            .iter()
            .copied()
            .chain(lost.iter().map(String::as_str))
        {
            assert!(watched.iter().any(|found| found == name), "{metric} of {name}: {watched:?}");
        }
    }
}

#[test]
fn calls_wait_half_as_long_as_the_shortest_approval() {
    let found = alarm("approvals-eu-central-1-waiting");
    assert_eq!(at(&found, "/MetricName"), "ApproximateAgeOfOldestMessage");
    assert_eq!(at(&found, "/Threshold"), 300.0);
    let address = "observability/Alarm/w-prod-approvals-eu-central-1-waiting";
    assert_eq!(origin(address, "/Threshold"), "10m");
}

/// Only executions of gates are kept, so that somebody can stop them.
#[test]
fn gates_that_somebody_stops_are_told() {
    let stopped = alarms(agents()).into_iter().filter(|(name, ..)| name.ends_with("-aborted"));
    let machines =
        stopped.map(|(_, alarm, _)| at(&alarm, "/Dimensions/0/Value").as_str().unwrap().to_owned());
    let machines: Vec<_> = machines.collect();
    assert!(!machines.is_empty() && machines.iter().all(|arn| arn.contains(":w-prod-gate-")), "{machines:?}");
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
