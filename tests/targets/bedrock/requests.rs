//! Requests against the service models of the vendor's SDK.

use std::collections::BTreeMap;
use std::process::Command;

use aipolicy_targets::artifact::Artifact;
use serde_json::{Value, json};

use super::everything;
use crate::harness::program::answer;
use crate::harness::root;
use crate::harness::tools::{Client, Tool};
use crate::harness::workspace::Built;
use crate::targets::{ACME, QUICKSTART};

static BOTOCORE: Tool = Tool {
    name: "service-models",
    client: Client::Pip,
    packages: &["botocore==1.44.5", "regex==2026.11.15"],
    options: &["--only-binary=:all:"],
};

/// The documents of an environment for the script.
fn documents(artifacts: &[Artifact]) -> Vec<Value> {
    let read = |text: &str| serde_json::from_str::<Value>(text).unwrap_or(Value::Null);
    let own = artifacts.iter().filter(|one| {
        let requested = !read(&one.document.text)["$region"].is_null();
        ["bedrock", "lambda"].contains(&one.document.address.target.as_str()) || requested
    });
    own.map(
        |one| json!({ "address": one.document.address.to_string(), "document": read(&one.document.text) }),
    )
    .collect()
}

fn asked(documents: &[Value], arguments: &[&str]) -> String {
    let python = BOTOCORE.folder().join("bin/python");
    let script = root().join("tests/targets/bedrock/requests.py");
    let mut command = Command::new(python);
    answer(command.arg("-B").arg(script).args(arguments), &json!(documents).to_string(), "Python 3.11")
}

fn findings(documents: &[Value]) -> Vec<String> {
    serde_json::from_str(&asked(documents, &[])).unwrap()
}

/// For each request, the keys that somebody chose, which are no members of the SDK.
pub(in crate::targets) fn data_keys(artifacts: &[Artifact]) -> BTreeMap<String, Vec<String>> {
    serde_json::from_str(&asked(&documents(artifacts), &["keys"])).unwrap()
}

fn environments(built: &'static Built) -> impl Iterator<Item = Vec<Value>> {
    built.sound();
    built.artifacts.iter().map(|(_, artifacts)| documents(artifacts))
}

#[test]
fn every_request_is_one_that_its_service_takes() {
    let mut seen = std::collections::BTreeSet::new();
    for built in [everything(), &*ACME, &*QUICKSTART] {
        for documents in environments(built) {
            assert_eq!(findings(&documents), [""; 0]);
            let kinds = documents
                .iter()
                .map(|one| one["address"].as_str().unwrap().split('/').nth(1).unwrap().to_owned());
            seen.extend(kinds);
        }
    }
    for kind in [
        "Harness",
        "InferenceProfile",
        "Gateway",
        "GatewayRateLimit",
        "Oauth2Provider",
        "CedarPolicy",
        "Memory",
        "Agent",
        "AgentAlias",
        "Guardrail",
        "StateMachine",
        "Function",
        "Alarm",
        "Delivery",
        "DeliveryDestination",
        "DeliverySource",
        "LogKey",
        "LogPolicy",
        "TraceDestination",
        "Trail",
        "TrailLogging",
        "TrailSelectors",
        "EventSourceMapping",
        "LogStream",
        "QueryDefinition",
        "QueueRedrive",
        "QueuePolicy",
        "Subscription",
        "Rule",
        "RuleTargets",
        "Schedule",
        "ScheduleGroup",
        "Table",
        "TimeToLive",
        "LogGroup",
        "LogRetention",
        "FunctionConcurrency",
        "EventInvokeConfig",
        "Budget",
        "BudgetAction",
        "BucketPolicy",
        "EndpointPolicy",
        "SecretPolicy",
    ] {
        assert!(seen.contains(kind), "no {kind} among {seen:?}");
    }
}

#[test]
fn what_a_service_would_refuse_is_found() {
    let good = environments(everything()).next().unwrap();
    let position = |kind: &str| {
        let is = |one: &Value| one["address"].as_str().unwrap().starts_with(&format!("bedrock/{kind}/"));
        good.iter().position(is).unwrap_or_else(|| panic!("no {kind}"))
    };
    let cases = [
        ("Gateway", "/authorizerType", json!("OPEN"), "does not fit"),
        (
            "Gateway",
            "/policyEngineConfiguration/arn/$ref",
            json!("bedrock/PolicyEngine/none#policyEngineArn"),
            "nobody makes",
        ),
        ("GatewayTarget", "/gatewayIdentifier/$ref", json!("x#gatewayId"), "nobody makes"),
        ("GatewayRateLimit", "/entries/0/requests/0/period", json!("hour"), "does not fit"),
        ("Oauth2Provider", "/oauth2ProviderConfigInput", json!({}), "of the members of a union"),
        ("Harness", "/maxIterations", json!("12"), "no whole number"),
        ("Harness", "/maxSteps", json!(12), "has no member"),
        ("Agent", "/instruction", json!("too short"), "does not fit"),
        ("StateMachine", "/$region", json!("europe"), "is sent to"),
        ("EventSourceMapping", "/BatchSize", json!(0), "is not between"),
        ("EventSourceMapping", "/FunctionResponseTypes/0", json!("Partial"), "does not fit"),
        ("Schedule", "/FlexibleTimeWindow/Mode", json!("NEVER"), "does not fit"),
        ("RuleTargets", "/Targets/0/RetryPolicy/MaximumRetryAttempts", json!(186), "is not between"),
        ("Table", "/BillingMode", json!("FREE"), "does not fit"),
        ("Guardrail", "/contentPolicyConfig/filtersConfig", json!([]), "is not between"),
    ];
    for (kind, pointer, value, told) in cases {
        let mut documents = good.clone();
        let document = &mut documents[position(kind)]["document"];
        match document.pointer_mut(pointer) {
            Some(place) => *place = value,
            None => _ = document.as_object_mut().unwrap().insert(pointer[1..].to_owned(), value),
        }
        let found = findings(&documents);
        assert!(found.iter().any(|one| one.contains(told)), "{kind}{pointer}: {found:?}");
    }
    let engine = good
        .iter()
        .find(|one| one["address"].as_str().unwrap().starts_with("bedrock/PolicyEngine/"))
        .unwrap();
    let mut documents = good.clone();
    let wrong = format!("{}#policyEngineName", engine["address"].as_str().unwrap());
    documents[position("Gateway")]["document"]["policyEngineConfiguration"]["arn"]["$ref"] = wrong.into();
    assert!(findings(&documents).iter().any(|one| one.contains("answers with no")));
}
