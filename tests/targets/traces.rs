//! Delivery of traces: from agents to the store that the environment names, and to no other.

use serde_json::{Value, json};

use super::{at, document};
use crate::harness::workspace::Built;

const KEY: &str = "arn:aws:kms:eu-central-1:111122223333:key/4b1f0c2e-0000-4000-8000-000000000001";

/// A workspace with a store of this kind; agent `plain` has nothing to black out, `careful` has, `abroad` runs elsewhere.
fn built(store: &str) -> Built {
    let own = "packs: [baseline, residency], targets: [iam, bedrock, observability], naming: { prefix: w }";
    let environment =
        "aws: { accountId: \"111122223333\", regions: [eu-central-1, us-east-1] }, logging: { traces: s }";
    let schema = r#"{ "type": "object", "additionalProperties": false, "required": ["id"], "properties": { "id": { "type": "string" } } }"#;
    let agent = |name: &str, more: &str| {
        let tool = "tools: [{ name: read, connector: c, access: read, input: { file: x.json } }]";
        let tool = if more.contains("us-east-1") { "" } else { tool };
        document(
            "Agent",
            name,
            &[&format!("tenant: t, model: {{ model: m }}, memory: {{ retention: 30d }}, {more}"), tool]
                .concat(),
        )
    };
    let documents = [
        document("Workspace", "w", own),
        document("Environment", "prod", environment),
        document(
            "Tenant",
            "t",
            "owner: a@acme.example, environments: [prod], clearance: [internal], models: [m]",
        ),
        document("Model", "m", "provider: bedrock, modelId: amazon.nova-micro-v1:0"),
        document("Connector", "c", "lambda: { function: f }, region: eu-central-1, dataClass: internal"),
        document("DataStore", "s", &format!("{store}, region: eu-central-1, holds: internal")),
        agent("plain", ""),
        agent("careful", "trace: { redact: [iban] }, "),
        agent("abroad", "region: us-east-1"),
    ];
    Built::new(&[("case.yaml".to_owned(), documents.concat()), ("x.json".to_owned(), schema.to_owned())])
}

/// The names of the documents of a kind.
fn names(built: &Built, kind: &str) -> Vec<String> {
    let all = built.sound().into_iter().filter(|one| one.document.address.kind == kind);
    all.map(|one| one.document.address.name.clone()).collect()
}

fn only(built: &Built, kind: &str) -> Value {
    let names = names(built, kind);
    let [name] = names.as_slice() else { panic!("{kind}: {names:?}") };
    built.json(&format!("observability/{kind}/{name}"))
}

/// The texts at which delivery is said to differ.
fn told(built: &Built) -> Vec<String> {
    let found = built.diagnostics.iter().filter(|one| one.notes_about_delivery());
    found.map(|one| built.sources.slice(one.primary.span).to_owned()).collect()
}

trait AboutDelivery {
    fn notes_about_delivery(&self) -> bool;
}

impl AboutDelivery for aipolicy_compiler::diagnostic::Diagnostic {
    fn notes_about_delivery(&self) -> bool {
        self.message.contains("are not delivered; its gates") || self.message.contains("stay in us-east-1")
    }
}

#[test]
fn logs_go_to_the_group_with_its_retention_and_its_key() {
    let store = format!(
        "cloudWatch: {{ logGroup: /w/traces }}, retention: 30d, encryption: {{ kmsKeyArn: \"{KEY}\" }}"
    );
    let built = built(&store);
    assert_eq!(names(&built, "DeliverySource"), ["w-prod-plain-gateway", "w-prod-plain-memory"]);
    assert_eq!(names(&built, "Delivery"), names(&built, "DeliverySource"));
    let source = built.json("observability/DeliverySource/w-prod-plain-gateway");
    assert_eq!(at(&source, "/logType"), "APPLICATION_LOGS");
    assert_eq!(at(&source, "/resourceArn/$ref"), "bedrock/Gateway/w-prod-plain#gatewayArn");
    let destination = only(&built, "DeliveryDestination");
    let group = "arn:aws:logs:eu-central-1:111122223333:log-group:/w/traces";
    assert_eq!(at(&destination, "/deliveryDestinationConfiguration/destinationResourceArn"), group);
    assert_eq!(at(&only(&built, "LogRetention"), "/retentionInDays"), 30);
    assert_eq!(at(&only(&built, "LogKey"), "/kmsKeyId"), KEY);
    assert_eq!(told(&built), ["iban", "s"]);
}

#[test]
fn logs_go_to_the_folder_of_a_bucket() {
    let built = built("s3: { bucket: b, prefix: traces/ }, retention: 31d");
    let place = "/deliveryDestinationConfiguration/destinationResourceArn";
    assert_eq!(at(&only(&built, "DeliveryDestination"), place), "arn:aws:s3:::b/traces");
    assert!(names(&built, "LogRetention").is_empty());
}

/// Spans hold no inputs, so they are delivered for every agent of the region.
#[test]
fn spans_go_to_x_ray_and_are_kept_where_they_have_a_retention() {
    let built =
        built(&format!("xray: {{ name: x }}, retention: 90d, encryption: {{ kmsKeyArn: \"{KEY}\" }}"));
    let agents = ["careful-gateway", "careful-memory", "plain-gateway", "plain-memory"];
    let mut found = names(&built, "DeliverySource");
    found.sort();
    assert_eq!(found, agents.map(|name| format!("w-prod-{name}")));
    let destination = only(&built, "DeliveryDestination");
    assert_eq!(at(&destination, "/deliveryDestinationType"), "XRAY");
    assert!(destination.get("deliveryDestinationConfiguration").is_none());
    let spans = only(&built, "TraceDestination");
    assert_eq!(at(&spans, "/Destination"), "CloudWatchLogs");
    assert_eq!(at(&spans, "/CloudWatchLogsConfiguration/SpansLogGroupKmsKeyId"), KEY);
    assert_eq!(at(&only(&built, "LogRetention"), "/logGroupName"), "aws/spans");
    let statement = at(&only(&built, "LogPolicy"), "/policyDocument/Statement/0").clone();
    assert_eq!(statement["Action"], json!(["logs:PutLogEvents"]));
    assert_eq!(at(&statement, "/Condition/StringEquals/aws:SourceAccount"), "111122223333");
    assert_eq!(told(&built), ["s"]);
}

#[test]
fn a_retention_that_a_group_cannot_have_is_refused() {
    let built = built("cloudWatch: { logGroup: /w/traces }, retention: 31d");
    let found = built.diagnostics.iter().find(|one| one.code == "AIP-CMP-001");
    let found = found.unwrap_or_else(|| panic!("{:#?}", built.findings()));
    assert_eq!(built.sources.slice(found.primary.span), "31d");
    assert!(found.help.as_ref().is_some_and(|help| help.contains("`30d`")), "{:?}", found.help);
}
