//! What services keep for agents is encrypted with the key of its region, and with that of the connector where there is none.

use serde_json::Value;

use super::super::{ACME, at, texts};
use super::files;
use crate::harness::workspace::Built;

const OF_STORE: &str = "arn:aws:kms:eu-central-1:111122223333:key/4b1f0c2e-0000-4000-8000-000000000001";
const OF_CONNECTOR: &str = "arn:aws:kms:eu-central-1:111122223333:key/4b1f0c2e-0000-4000-8000-000000000002";

/// An agent with a gated and an ungated tool, in an environment that says this.
fn built(environment: &str) -> Built {
    let aws = "aws: { accountId: \"111122223333\", regions: [eu-central-1, us-east-1] }";
    let store = |kind: &str, region: &str| {
        format!(
            "{kind}: {{ name: x }}, region: {region}, holds: internal, encryption: {{ kmsKeyArn: \"{}\" }}",
            OF_STORE.replace("eu-central-1", region)
        )
    };
    Built::new(&files(&[
        ("Environment", "prod", &format!("{aws}{environment}")),
        ("Tenant", "t", "owner: a@acme.example, environments: [prod], clearance: [internal], models: [m]"),
        ("Model", "m", "provider: bedrock, modelId: openai.gpt-oss-20b-1:0"),
        ("Group", "g", "members: [x@acme.example]"),
        ("DataStore", "sessions", &store("session", "eu-central-1")),
        ("DataStore", "memories", &store("memory", "eu-central-1")),
        ("DataStore", "elsewhere", &store("session", "us-east-1")),
        (
            "Connector",
            "c",
            &format!(
                "dynamoDb: {{ table: t }}, region: eu-central-1, dataClass: internal, encryption: {{ kmsKeyArn: \"{OF_CONNECTOR}\" }}"
            ),
        ),
        (
            "Agent",
            "bot",
            "tenant: t, model: { model: m }, memory: { retention: 30d }, tools: [{ name: look, connector: c, access: read, input: { file: flat.json } }, \
             { name: book, connector: c, access: write, input: { file: flat.json }, gate: { approval: { from: [g], within: 1h } } }]",
        ),
    ]))
}

#[test]
fn what_rests_is_encrypted_with_the_key_of_its_region() {
    let built = built(", stores: [sessions, memories, elsewhere]");
    let gate = built.json("bedrock/StateMachine/w-prod-gate-bot-book");
    assert_eq!(at(&gate, "/encryptionConfiguration/kmsKeyId"), OF_STORE);
    let queue = built.json("bedrock/ApprovalQueue/w-prod-approvals-eu-central-1");
    assert_eq!(at(&queue, "/Attributes/KmsMasterKeyId"), OF_STORE);
    assert_eq!(queue.pointer("/Attributes/SqsManagedSseEnabled"), None);
    assert_eq!(at(&built.json("bedrock/Memory/w_prod_bot"), "/encryptionKeyArn"), OF_STORE);
    let express = built.json("bedrock/StateMachine/w-prod-tool-bot-look");
    assert_eq!(
        express.pointer("/encryptionConfiguration"),
        None,
        "an express execution leaves nothing behind"
    );
    let uses = keys(&built.json("iam/Policy/w-prod-gate-bot-book"));
    let expected =
        [("EncryptTheQuestion", OF_STORE), ("KeepHistoryOfBook", OF_STORE), ("KeyC", OF_CONNECTOR)];
    assert_eq!(uses, expected.map(|(sid, key)| (sid.to_owned(), key.to_owned())));
}

#[test]
fn without_a_store_the_history_takes_the_key_of_the_connector() {
    let built = built("");
    let gate = built.json("bedrock/StateMachine/w-prod-gate-bot-book");
    assert_eq!(at(&gate, "/encryptionConfiguration/kmsKeyId"), OF_CONNECTOR);
    let queue = built.json("bedrock/ApprovalQueue/w-prod-approvals-eu-central-1");
    assert_eq!(at(&queue, "/Attributes/SqsManagedSseEnabled"), "true");
    assert_eq!(built.json("bedrock/Memory/w_prod_bot").pointer("/encryptionKeyArn"), None);
    let uses = keys(&built.json("iam/Policy/w-prod-gate-bot-book"));
    let expected = [("KeepHistoryOfBook", OF_CONNECTOR), ("KeyC", OF_CONNECTOR)];
    assert_eq!(uses, expected.map(|(sid, key)| (sid.to_owned(), key.to_owned())));
}

/// The statements about keys, with the key that each names.
fn keys(policy: &Value) -> Vec<(String, String)> {
    let statements = at(policy, "/PolicyDocument/Statement").as_array().unwrap();
    let about = |one: &&Value| texts(&one["Action"]).iter().any(|action| action.starts_with("kms:"));
    let mut found: Vec<_> = statements
        .iter()
        .filter(about)
        .map(|one| (one["Sid"].as_str().unwrap().to_owned(), texts(&one["Resource"]).join(" ")))
        .collect();
    found.sort();
    found
}

/// Whoever calls an agent on Agents Classic uses its key, and for an agent alone.
#[test]
fn a_trigger_may_use_the_key_of_the_agent_that_it_starts() {
    let policy = ACME.json("iam/Policy/acme-prod-trigger-case-assistant-event-bridge");
    let statements = at(&policy, "/PolicyDocument/Statement").as_array().unwrap();
    let key = statements.iter().find(|one| one["Sid"] == "KeyOfCaseAssistant").unwrap();
    assert_eq!(texts(&key["Action"]), ["kms:Decrypt", "kms:GenerateDataKey"]);
    assert_eq!(texts(&key["Resource"]), [OF_STORE]);
    let context = at(key, "/Condition/StringLike/kms:EncryptionContext:aws:bedrock:arn");
    assert_eq!(texts(context), ["arn:aws:bedrock:eu-central-1:111122223333:agent/??????????"]);
}
