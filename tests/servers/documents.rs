//! The documents of our examples, carried out on the server in the order of their needs: every one has to be taken.

use std::collections::BTreeSet;
use std::time::Instant;

use aipolicy_targets::artifact::Artifact;
use serde_json::{Value, json};

use super::operations::operation_of;
use super::{python, shared};
use crate::harness::program::answer;
use crate::harness::workspace::Built;
use crate::targets::{ACME, QUICKSTART};

/// The documents of an environment, each after those that it needs.
fn in_order(artifacts: &[Artifact]) -> Vec<&Artifact> {
    let (mut done, mut sorted) = (BTreeSet::new(), Vec::new());
    let all: BTreeSet<_> = artifacts.iter().map(|one| &one.document.address).collect();
    while sorted.len() < artifacts.len() {
        let before = sorted.len();
        for one in artifacts {
            let address = &one.document.address;
            let ready = one.needs.iter().all(|need| done.contains(need) || !all.contains(need));
            if ready && done.insert(address.clone()) {
                sorted.push(one);
            }
        }
        assert!(sorted.len() > before, "documents need each other");
    }
    sorted
}

/// A document with the operation that carries it out; text where it is no JSON.
fn task(artifact: &Artifact) -> Value {
    let address = &artifact.document.address;
    let text = &artifact.document.text;
    let document = serde_json::from_str(text).unwrap_or_else(|_| json!(text));
    let operation = operation_of(&format!("{}/{}", address.target, address.kind));
    json!({ "address": address.to_string(), "document": document, "operation": operation })
}

/// Carries out documents in an empty world: how many were carried out, and what was refused.
fn told(tasks: &[Value]) -> Value {
    let server = shared();
    let mut command = python();
    command.args(["-m", "lives.documents"]).env("SERVER", &server.address);
    serde_json::from_str(&answer(&mut command, &json!(tasks).to_string(), "Python 3.11")).unwrap()
}

/// Carries out the documents of each environment: all that are requests, but for those about VPC endpoints, whose ids nobody
/// can choose.
fn carried_out(built: &Built) -> usize {
    built.sound();
    let mut count = 0;
    for (environment, artifacts) in &built.artifacts {
        let tasks: Vec<Value> = in_order(artifacts).into_iter().map(task).collect();
        let is_request = |task: &&Value| {
            !task["operation"].is_null() && !task["address"].as_str().unwrap().contains("/EndpointPolicy/")
        };
        let expected = tasks.iter().filter(is_request).count();
        let start = Instant::now();
        let told = told(&tasks);
        assert_eq!(told["refused"], json!([]), "{environment}: {told:#}");
        assert_eq!(told["done"], expected, "{environment}: {told:#}");
        assert_eq!(told["unshown"], json!([]), "{environment}: asked for and not shown");
        let kinds = told["read"].as_array().unwrap().len();
        println!(
            "{environment}: {expected} documents in {:.1} s, {kinds} kinds read back",
            start.elapsed().as_secs_f64()
        );
        count += expected;
    }
    count
}

#[test]
fn acme_is_carried_out() {
    assert!(carried_out(&ACME) > 300);
}

#[test]
fn quickstart_is_carried_out() {
    assert!(carried_out(&QUICKSTART) > 20);
}

#[test]
fn what_the_services_would_refuse_is_refused() {
    let artifacts = &QUICKSTART.artifacts.first().unwrap().1;
    let good: Vec<Value> = in_order(artifacts).into_iter().map(task).collect();
    let cases = [
        ("bedrock/Harness/", "/maxIterations", json!("20"), "ValidationException"),
        ("bedrock/Gateway/", "/authorizerType", json!("OPEN"), "ValidationException"),
        ("bedrock/Gateway/", "/roleArn", json!("arn:aws:iam::111122223333:role/none"), "unable to assume"),
        ("iam/Role/", "/MaxSessionDuration", json!(60), "ValidationError"),
        ("iam/Policy/", "/PolicyDocument/Statement/0/Sid", json!("a-b"), "MalformedPolicyDocument"),
    ];
    for (kind, pointer, value, words) in cases {
        let mut tasks = good.clone();
        let of_kind = |task: &&mut Value| task["address"].as_str().unwrap().starts_with(kind);
        let task = tasks.iter_mut().find(of_kind).unwrap();
        *task["document"].pointer_mut(pointer).unwrap() = value;
        let address = task["address"].as_str().unwrap().to_owned();
        let refused = told(&tasks)["refused"].to_string();
        assert!(refused.contains(&address) && refused.contains(words), "{kind}{pointer}: {refused}");
    }
}
