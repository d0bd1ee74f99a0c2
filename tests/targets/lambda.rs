//! Workloads on Lambda: functions within the limits, their queue, and as many at once as quota and budget keep busy.

use serde_json::json;

use super::{at, document, texts};
use crate::harness::workspace::Built;

const IMAGE: &str = "111122223333.dkr.ecr.eu-central-1.amazonaws.com/sorter@sha256:\
                     9f2c1d7be04a6358f1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718";

/// A workspace with one workload, in which some words are others.
fn built(edits: &[(&str, &str)]) -> Built {
    let workload = format!(
        "tenant: t, platform: lambda, image: \"{IMAGE}\", uses: {{ routes: [chat] }}, consumes: {{ sqs: work }}, \
         deadLetter: failed, timeout: 2m, resources: {{ memory: 1Gi, architecture: arm64 }}"
    );
    let queue = |name: &str| format!("sqs: {{ queue: {name} }}, region: eu-central-1, dataClass: internal");
    let documents = [
        ("Workspace", "w", "packs: [baseline, residency], targets: [iam, lambda], naming: { prefix: w }".to_owned()),
        (
            "Environment",
            "prod",
            "aws: { accountId: \"111122223333\", regions: [eu-central-1] }, severity: { AIP-CMP-009: off }".into(),
        ),
        (
            "Tenant",
            "t",
            "owner: a@acme.example, environments: [prod], clearance: [internal], models: [m], \
             quota: { tokens: 60k tokens/min, requests: 120 requests/min }"
                .into(),
        ),
        ("Model", "m", "provider: bedrock, modelId: openai.gpt-oss-20b-1:0".into()),
        (
            "Gateway",
            "edge",
            "dialect: litellm, environment: prod, region: eu-central-1, endpoint: \"https://ai.acme.example/\"".into(),
        ),
        (
            "Route",
            "chat",
            "gateway: edge, match: { tenants: [t] }, dataClass: internal, primary: [{ model: m }], \
             caps: { input: 9k, output: 1k }, timeout: { total: 60s }"
                .into(),
        ),
        ("Connector", "failed", queue("failed")),
        ("Connector", "ordered", queue("failed.fifo")),
        ("Connector", "same", queue("work")),
        ("Connector", "table", "dynamoDb: { table: x }, region: eu-central-1, dataClass: internal".into()),
        ("Workload", "sorter", workload),
    ];
    let mut text: String = documents.iter().map(|(kind, name, spec)| document(kind, name, spec)).collect();
    for (from, to) in edits {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    Built::of(text)
}

#[test]
fn a_workload_is_a_function_of_its_image() {
    let built = built(&[]);
    let function = built.json("lambda/Function/w-prod-workload-sorter");
    assert_eq!(function["Code"], json!({ "ImageUri": IMAGE }));
    assert_eq!(function["PackageType"], "Image");
    assert_eq!((&function["Timeout"], &function["MemorySize"]), (&json!(120), &json!(1024)));
    assert_eq!(function["Architectures"], json!(["arm64"]));
    let variables = json!({ "OPENAI_BASE_URL": "https://ai.acme.example/v1" });
    assert_eq!(at(&function, "/Environment/Variables"), &variables);
    let retention = built.json("lambda/LogRetention/w-prod-workload-sorter");
    assert_eq!(retention["retentionInDays"], 30);
    assert_eq!(at(&function, "/LoggingConfig/LogGroup"), &retention["logGroupName"]);
}

#[test]
fn there_are_as_many_at_once_as_quota_keeps_busy() {
    // 60k tokens a minute are six requests of 10k tokens that take a minute each.
    for (edits, most) in [
        (vec![], 6),
        (vec![("60k tokens/min", "20k tokens/min")], 2),
        (vec![("120 requests/min", "3 requests/min")], 3),
        (vec![("total: 60s", "total: 30s")], 3),
    ] {
        let built = built(&edits);
        let limit = built.json("lambda/FunctionConcurrency/w-prod-workload-sorter");
        assert_eq!(limit["ReservedConcurrentExecutions"], most, "{edits:?}");
        let mapping = built.json("lambda/EventSourceMapping/w-prod-workload-sorter");
        assert_eq!(at(&mapping, "/ScalingConfig/MaximumConcurrency"), most);
    }
}

#[test]
fn messages_that_fail_come_back_and_then_wait_for_somebody() {
    let built = built(&[]);
    let mapping = built.json("lambda/EventSourceMapping/w-prod-workload-sorter");
    assert_eq!(mapping["EventSourceArn"], "arn:aws:sqs:eu-central-1:111122223333:work");
    assert_eq!(mapping["FunctionResponseTypes"], json!(["ReportBatchItemFailures"]));
    let redrive = built.json("lambda/QueueRedrive/work");
    assert_eq!(at(&redrive, "/Attributes/VisibilityTimeout"), "720");
    let policy = json!({ "deadLetterTargetArn": "arn:aws:sqs:eu-central-1:111122223333:failed", "maxReceiveCount": 5 });
    assert_eq!(at(&redrive, "/Attributes/RedrivePolicy"), &policy);
}

#[test]
fn its_role_takes_messages_and_writes_its_own_log() {
    let built = built(&[]);
    let policy = built.json("iam/Policy/w-prod-workload-sorter");
    let statements = at(&policy, "/PolicyDocument/Statement").as_array().unwrap();
    let actions: Vec<_> = statements.iter().flat_map(|one| texts(&one["Action"])).collect();
    let expected = [
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        "sqs:ReceiveMessage",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
    ];
    assert_eq!(actions, expected);
    let log =
        "arn:aws:logs:eu-central-1:111122223333:log-group:/aws/lambda/w-prod-workload-sorter:log-stream:*";
    assert_eq!(statements[1]["Resource"], json!([log]));
}

#[test]
fn what_lambda_cannot_do_is_refused_at_its_line() {
    let digest = "@sha256:9f2c1d7be04a6358f1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718";
    let cases = [
        (("dkr.ecr.eu-central-1", "dkr.ecr.us-east-1"), "an image of ECR in eu-central-1"),
        ((digest, ":latest"), "by its digest"),
        (("deadLetter: failed", "deadLetter: table"), "`table` is no queue"),
        (("deadLetter: failed", "deadLetter: same"), "cannot take what fails in `work`"),
        (("deadLetter: failed", "deadLetter: ordered"), "are not of one type"),
        ((", endpoint: \"https://ai.acme.example/\"", ""), "no address that a function could call"),
        (("60k tokens/min, requests: 120 requests/min", "5k tokens/min"), "keeps none busy"),
        ((", timeout: { total: 60s }", ""), "cannot be computed"),
        (
            ("regions: [eu-central-1] }", "regions: [eu-central-1] }, network: { vpc: vpc-0a1b2c3d }"),
            "outside of `vpc-0a1b2c3d`",
        ),
    ];
    for (edit, message) in cases {
        let built = built(&[edit]);
        let found: Vec<_> = built.diagnostics.iter().filter(|one| one.code == "AIP-CMP-002").collect();
        assert_eq!(found.len(), 1, "{edit:?}: {:#?}", built.findings());
        assert!(found[0].message.contains(message), "{}", found[0].message);
    }
}
