//! Policies of resources: what was granted works with them in force, and whatever is one step beside it does not.

mod proofs;
mod words;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use aipolicy_targets::artifact::Artifact;
use serde_json::Value;

use super::{ACME, QUICKSTART, document};
use crate::harness::workspace::Built;

const ENVIRONMENT: &str = "aws: { accountId: \"111122223333\", regions: [eu-central-1, eu-west-1, eu-north-1, eu-west-3] }, \
     network: { vpc: vpc-1, tls: \"1.2\", endpointAddresses: [10.0.0.0/20], endpoints: { s3: vpce-0a, dynamodb: vpce-0b, \
     sqs: vpce-0c, secretsmanager: vpce-0d, lambda: vpce-0e, states: vpce-0f, bedrock-runtime: vpce-1a, \
     bedrock-runtime.eu-west-1: vpce-1b, bedrock-agent-runtime: vpce-1c, ecr.api: vpce-1d } }, \
     resourcePolicies: { endpoints: [s3, dynamodb, sqs, secretsmanager, lambda, states, bedrock-runtime, \
     bedrock-runtime.eu-west-1, bedrock-agent-runtime], connectors: [files, drafts, key], stores: [audit, prompts] }, \
     logging: { audit: audit, invocations: prompts, traces: traces, spans: spans }, severity: { AIP-CMP-009: off, \
     AIP-BUD-010: off, AIP-DAT-004: off, AIP-DAT-014: off }";

const IMAGE: &str = "111122223333.dkr.ecr.eu-central-1.amazonaws.com/x@sha256:\
                     9f2c1d7be04a6358f1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718";

/// One of everything that a policy of a resource can come from.
fn documents() -> Vec<(&'static str, &'static str, String)> {
    let here = "region: eu-central-1, dataClass: internal";
    let encrypted = |key: &str| {
        format!("encryption: {{ kmsKeyArn: \"arn:aws:kms:eu-central-1:111122223333:key/{key}\" }}")
    };
    let connector = |name, spec: &str| ("Connector", name, format!("{spec}, {here}"));
    let store = |name, spec: &str, key: &str| {
        ("DataStore", name, format!("{spec}, region: eu-central-1, holds: internal, {}", encrypted(key)))
    };
    let used = |names: &[&str], access: &str| {
        names.iter().map(|name| format!("{{ connector: {name}, access: {access} }}, ")).collect::<String>()
    };
    let read = used(&["files", "table", "queue", "key", "base", "machine", "vectors", "elsewhere"], "read");
    let write = used(&["files", "drafts", "table", "queue", "machine", "function"], "write");
    let workload = |uses: String| {
        format!(
            "tenant: t, platform: eks, cluster: pods, image: \"{IMAGE}\", uses: {{ models: [m, far], connectors: [{uses}] }}"
        )
    };
    vec![
        ("Workspace", "w", "packs: [baseline], targets: [iam, bedrock, observability], naming: { prefix: w }".into()),
        ("Environment", "prod", ENVIRONMENT.into()),
        (
            "Tenant",
            "t",
            "owner: a@acme.example, environments: [prod], clearance: [internal], models: [m, far], namespaces: [n]".into(),
        ),
        ("Model", "m", "provider: bedrock, modelId: amazon.nova-lite-v1:0, inference: { profile: eu }, regions: [eu-central-1]".into()),
        ("Model", "far", "provider: bedrock, modelId: openai.gpt-oss-20b-1:0, regions: [eu-west-1]".into()),
        ("Cluster", "pods", "environment: prod, region: eu-central-1, eksName: pods, identity: pod-identity".into()),
        connector("files", &format!("s3: {{ bucket: files, prefixes: [incoming/] }}, network: {{ vpcEndpoint: vpce-0a }}, {}", encrypted("k"))),
        connector("drafts", "s3: { bucket: drafts, delete: true }, exclusive: true"),
        connector("elsewhere", "s3: { bucket: elsewhere, prefixes: [in/] }, network: { vpcEndpoint: vpce-9 }"),
        connector("table", &format!("dynamoDb: {{ table: x, indexes: [i] }}, partition: {{ key: tenant }}, {}", encrypted("k"))),
        connector("queue", &format!("sqs: {{ queue: q }}, {}", encrypted("k"))),
        connector("failed", &format!("sqs: {{ queue: failed }}, {}", encrypted("k"))),
        connector("key", &format!("secretsManager: {{ secret: a/key }}, exclusive: true, network: {{ vpcEndpoint: vpce-0d }}, {}", encrypted("k"))),
        connector("base", "knowledgeBase: { id: ABCDEFGHIJ }"),
        connector("machine", "stepFunctions: { stateMachine: m }"),
        connector("function", "lambda: { function: f }"),
        connector("vectors", &format!("s3Vectors: {{ bucket: v, index: i }}, {}", encrypted("k"))),
        store("audit", "s3: { bucket: audit, prefix: trail/ }, immutable: true", "logs"),
        store("prompts", "s3: { bucket: prompts }", "logs"),
        store("traces", "s3: { bucket: traces, prefix: agents/ }", "logs"),
        store("spans", "xray: { name: prod }", "logs"),
        ("Workload", "reader", workload(read)),
        ("Workload", "writer", workload(write)),
        (
            "Agent",
            "clerk",
            "tenant: t, model: { model: m }, limits: { wallClock: 5m }, instructions: { file: clerk.md }, \
             tools: [{ name: read, connector: drafts, access: read, description: Reads, input: { file: key.json } }], \
             triggers: [{ name: news, sns: { topic: news, deadLetter: failed } }]"
                .into(),
        ),
    ]
}

const INPUT: &str = r#"{"type":"object","properties":{"key":{"type":"string","maxLength":64,"pattern":"^[a-z]+$"}},"required":["key"],"additionalProperties":false}"#;

fn built(change: impl Fn(&mut Vec<(&'static str, &'static str, String)>)) -> Built {
    let mut all = documents();
    change(&mut all);
    let text: String = all.iter().map(|(kind, name, spec)| document(kind, name, spec)).collect();
    let file = |name: &str, text: &str| (name.to_owned(), text.to_owned());
    let instructions = "Help whoever asks for it, and write down what you did.";
    Built::new(&[file("case.yaml", &text), file("key.json", INPUT), file("clerk.md", instructions)])
}

pub(super) fn everything() -> &'static Built {
    static BUILT: LazyLock<Built> = LazyLock::new(|| built(|_| {}));
    &BUILT
}

fn workspaces() -> [&'static Built; 3] {
    [everything(), &ACME, &QUICKSTART]
}

/// The documents of IAM of an environment, by kind and name.
type Documents = BTreeMap<(String, String), Value>;

fn iam(artifacts: &[Artifact]) -> Documents {
    let ours = artifacts.iter().filter(|one| one.document.address.target == "iam");
    ours.map(|one| {
        let address = &one.document.address;
        ((address.kind.clone(), address.name.clone()), serde_json::from_str(&one.document.text).unwrap())
    })
    .collect()
}

fn environments() -> Vec<Documents> {
    let all = workspaces().into_iter().flat_map(|built| {
        built.sound();
        built.artifacts.iter().map(|(_, artifacts)| iam(artifacts))
    });
    all.collect()
}
