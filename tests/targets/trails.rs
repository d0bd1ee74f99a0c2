//! Trails of CloudTrail: of what was granted, and of nothing whose name may be what is to be blacked out.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{ACME, at, document, texts};
use crate::harness::workspace::Built;

/// Types of resources with data events. Source: CloudTrail user guide, "Data events supported by AWS CloudTrail".
const DOCUMENTED: &[&str] = &[
    "AWS::AOSS::Collection",
    "AWS::Bedrock::AgentAlias",
    "AWS::Bedrock::AsyncInvoke",
    "AWS::Bedrock::FlowAlias",
    "AWS::Bedrock::Guardrail",
    "AWS::Bedrock::InlineAgent",
    "AWS::Bedrock::KnowledgeBase",
    "AWS::Bedrock::Model",
    "AWS::Bedrock::PromptVersion",
    "AWS::Bedrock::Session",
    "AWS::BedrockAgentCore::Browser",
    "AWS::BedrockAgentCore::CodeInterpreter",
    "AWS::BedrockAgentCore::Gateway",
    "AWS::BedrockAgentCore::Memory",
    "AWS::BedrockAgentCore::Policy",
    "AWS::BedrockAgentCore::PolicyEngine",
    "AWS::BedrockAgentCore::Runtime",
    "AWS::BedrockAgentCore::RuntimeEndpoint",
    "AWS::BedrockAgentCore::TokenVault",
    "AWS::BedrockAgentCore::WorkloadIdentity",
    "AWS::BedrockMantle::Project",
    "AWS::DynamoDB::Stream",
    "AWS::DynamoDB::Table",
    "AWS::Lambda::Function",
    "AWS::S3::AccessPoint",
    "AWS::S3::Object",
    "AWS::S3Vectors::Index",
    "AWS::S3Vectors::VectorBucket",
    "AWS::SNS::Topic",
    "AWS::SQS::Queue",
    "AWS::StepFunctions::Activity",
    "AWS::StepFunctions::StateMachine",
    "AWS::XRay::Trace",
];

const KEY: &str = "arn:aws:kms:eu-central-1:111122223333:key/4b1f0c2e-0000-4000-8000-000000000001";

/// A workspace with a trail into this store, and one connector of every kind that a workload or an agent uses.
fn built(store: &str, redact: &str) -> Built {
    let own =
        "packs: [baseline, residency], targets: [iam, bedrock, lambda, observability], naming: { prefix: w }";
    let environment =
        "aws: { accountId: \"111122223333\", regions: [eu-central-1] }, logging: { audit: s }, severity: { AIP-DAT-014: off }".to_owned();
    let place = "region: eu-central-1, dataClass: internal";
    let connector = |name: &str, kind: &str| document("Connector", name, &format!("{kind}, {place}"));
    let used = ["files", "table", "function", "search", "vectors", "base", "queue", "machine", "secret"];
    let used: Vec<_> = used.iter().map(|name| format!("{{ connector: {name}, access: read }}")).collect();
    let image = format!("111122223333.dkr.ecr.eu-central-1.amazonaws.com/x@sha256:{}", "0".repeat(64));
    let tools = "tools: [{ name: find, connector: cases, access: read, input: { file: x.json } }, \
                 { name: read, connector: papers, access: read, input: { file: x.json } }]";
    let documents = [
        document("Workspace", "w", own),
        document("Environment", "prod", &environment),
        document(
            "Tenant",
            "t",
            "owner: a@acme.example, environments: [prod], clearance: [internal], models: [m]",
        ),
        document("Model", "m", "provider: bedrock, modelId: openai.gpt-oss-20b-1:0"),
        document("DataStore", "s", &format!("{store}, region: eu-central-1, holds: internal")),
        connector("files", "s3: { bucket: files, prefixes: [in/, out/] }"),
        connector("papers", "s3: { bucket: papers }"),
        connector("table", "dynamoDb: { table: items }"),
        connector("cases", "dynamoDb: { table: cases }"),
        connector("function", "lambda: { function: f, qualifier: live }"),
        connector("search", "openSearch: { collection: abc }"),
        connector("vectors", "s3Vectors: { bucket: v, index: i }"),
        connector("base", "knowledgeBase: { id: ABCDEFGHIJ }"),
        connector("queue", "sqs: { queue: q }"),
        connector("machine", "stepFunctions: { stateMachine: m }"),
        connector("secret", "secretsManager: { secret: s }"),
        connector("unused", "s3: { bucket: unused }"),
        document(
            "Workload",
            "job",
            &format!(
                "tenant: t, platform: lambda, image: \"{image}\", uses: {{ connectors: [{}] }}",
                used.join(", ")
            ),
        ),
        document(
            "Agent",
            "a",
            &format!(
                "tenant: t, model: {{ model: m }}, memory: {{ retention: 30d }}, trace: {{ redact: [{redact}] }}, {tools}"
            ),
        ),
    ];
    let schema = r#"{ "type": "object", "additionalProperties": false, "required": ["caseNumber"],
        "properties": { "caseNumber": { "type": "string" } } }"#;
    Built::new(&[("case.yaml".to_owned(), documents.concat()), ("x.json".to_owned(), schema.to_owned())])
}

/// What a trail selects by: each type with the ARNs of its resources, those that are known later by what makes them.
fn selected(selectors: &Value) -> Vec<(String, Vec<String>)> {
    let field = |selector: &Value, name: &str| {
        let fields = selector["FieldSelectors"].as_array().unwrap();
        fields.iter().find(|field| field["Field"] == name).cloned()
    };
    let all = selectors["AdvancedEventSelectors"].as_array().unwrap();
    let data = all.iter().filter(|one| field(one, "eventCategory").unwrap()["Equals"] == json!(["Data"]));
    data.map(|one| {
        let kind = texts(&field(one, "resources.type").unwrap()["Equals"])[0].to_owned();
        let arns = field(one, "resources.ARN").map_or_else(Vec::new, |field| {
            let values = field.get("Equals").or(field.get("StartsWith")).unwrap().as_array().unwrap().clone();
            let text = |value: &Value| value["$ref"].as_str().or(value.as_str()).unwrap().to_owned();
            values.iter().map(text).collect()
        });
        (kind, arns)
    })
    .collect()
}

fn of(built: &Built, kind: &str) -> Value {
    built.json(&format!("observability/{kind}/w-prod-audit"))
}

fn arns<'s>(selected: &'s [(String, Vec<String>)], kind: &str) -> &'s [String] {
    selected.iter().find(|(found, _)| found == kind).map_or(&[], |(_, arns)| arns)
}

#[test]
fn a_trail_covers_the_account_and_keeps_its_records_where_the_store_is() {
    let built = built(
        &format!(
            "s3: {{ bucket: b, prefix: trail/ }}, encryption: {{ kmsKeyArn: \"{KEY}\" }}, immutable: true"
        ),
        "iban",
    );
    let trail = of(&built, "Trail");
    assert_eq!(at(&trail, "/$region"), "eu-central-1");
    assert_eq!((at(&trail, "/S3BucketName"), at(&trail, "/S3KeyPrefix")), (&json!("b"), &json!("trail")));
    assert_eq!(at(&trail, "/KmsKeyId"), KEY);
    for member in ["IsMultiRegionTrail", "IncludeGlobalServiceEvents", "EnableLogFileValidation"] {
        assert_eq!(trail[member], true, "{member}");
    }
    assert_eq!(of(&built, "TrailLogging")["Name"], trail["Name"]);
    let selectors = of(&built, "TrailSelectors");
    assert_eq!(at(&selectors, "/AdvancedEventSelectors/0/FieldSelectors/0/Equals/0"), "Management");
}

#[test]
fn calls_of_what_was_granted_are_recorded() {
    let built = built("s3: { bucket: b }", "iban");
    let selected = selected(&of(&built, "TrailSelectors"));
    let place = "eu-central-1:111122223333";
    let expected = [
        (
            "AWS::S3::Object",
            ["files/in/", "files/out/", "papers/"].map(|place| format!("arn:aws:s3:::{place}")).into(),
        ),
        (
            "AWS::DynamoDB::Table",
            vec![
                format!("arn:aws:dynamodb:{place}:table/cases"),
                format!("arn:aws:dynamodb:{place}:table/items"),
            ],
        ),
        (
            "AWS::Lambda::Function",
            ["f", "w-prod-tools-a", "w-prod-workload-job"]
                .map(|name| format!("arn:aws:lambda:{place}:function:{name}"))
                .into(),
        ),
        ("AWS::AOSS::Collection", vec![format!("arn:aws:aoss:{place}:collection/abc")]),
        ("AWS::S3Vectors::Index", vec![format!("arn:aws:s3vectors:{place}:bucket/v/index/i")]),
        ("AWS::Bedrock::KnowledgeBase", vec![format!("arn:aws:bedrock:{place}:knowledge-base/ABCDEFGHIJ")]),
        ("AWS::SQS::Queue", vec![format!("arn:aws:sqs:{place}:q")]),
        (
            "AWS::StepFunctions::StateMachine",
            ["m", "w-prod-tool-a-find", "w-prod-tool-a-read"]
                .map(|name| format!("arn:aws:states:{place}:stateMachine:{name}"))
                .into(),
        ),
        ("AWS::Bedrock::Model", vec![]),
        ("AWS::BedrockAgentCore::Gateway", vec!["bedrock/Gateway/w-prod-a#gatewayArn".into()]),
        ("AWS::BedrockAgentCore::Memory", vec!["bedrock/Memory/w_prod_a#memory.arn".into()]),
        (
            "AWS::BedrockAgentCore::Runtime",
            vec![
                "bedrock/Harness/w_prod_a#harness.environment.agentCoreRuntimeEnvironment.agentRuntimeArn"
                    .into(),
            ],
        ),
    ];
    for (kind, expected) in &expected {
        assert_eq!(arns(&selected, kind), *expected, "{kind}");
    }
    let kinds: BTreeSet<_> = selected.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(kinds, expected.iter().map(|(kind, _)| *kind).collect());
}

/// An item is named by its key, and the key is what the tool is given.
#[test]
fn nothing_is_recorded_whose_name_may_be_what_is_blacked_out() {
    let built = built("s3: { bucket: b }", "iban, caseNumber");
    let selected = selected(&of(&built, "TrailSelectors"));
    assert_eq!(
        arns(&selected, "AWS::DynamoDB::Table"),
        ["arn:aws:dynamodb:eu-central-1:111122223333:table/items"]
    );
    assert_eq!(
        arns(&selected, "AWS::S3::Object"),
        ["files/in/", "files/out/"].map(|place| format!("arn:aws:s3:::{place}"))
    );
    let told: Vec<_> = built
        .diagnostics
        .iter()
        .filter(|one| one.message.contains("CloudTrail"))
        .map(|one| (&*one.code, built.sources.slice(one.primary.span)))
        .collect();
    assert_eq!(told, [("AIP-CMP-008", "caseNumber"); 2]);
}

#[test]
fn a_trail_is_written_to_a_bucket_alone() {
    let built = built("cloudWatch: { logGroup: /w/audit }", "iban");
    let found: Vec<_> = built.findings().into_iter().filter(|one| one.code == "AIP-CMP-002").collect();
    assert_eq!(found.len(), 1, "{:#?}", built.findings());
    assert!(built.artifacts.is_empty());
}

#[test]
fn selectors_name_documented_types_alone() {
    let mut seen = BTreeSet::new();
    for (_, artifacts) in &ACME.artifacts {
        for one in artifacts.iter().filter(|one| one.document.address.kind == "TrailSelectors") {
            for (kind, arns) in selected(&serde_json::from_str(&one.document.text).unwrap()) {
                assert!(DOCUMENTED.contains(&kind.as_str()), "{kind}");
                assert!(arns.iter().all(|arn| !arn.contains('*')), "{kind}: {arns:?}");
                seen.insert(kind);
            }
        }
    }
    assert!(seen.len() > 9, "{seen:?}");
}

#[test]
fn sessions_on_trial_are_recorded_like_all_others() {
    let documents = ACME.all().filter(|one| one.document.address.kind == "TrailSelectors");
    let text: String = documents.map(|one| one.document.text.as_str()).collect();
    for end in ["", "-canary"] {
        let alias =
            format!("bedrock/AgentAlias/acme-prod-case-assistant.prod{end}#agentAlias.agentAliasArn\"");
        assert!(text.contains(&alias), "{alias}");
    }
}
