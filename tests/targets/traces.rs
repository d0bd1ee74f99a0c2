//! Delivery of traces: from agents to the store that the environment names, and to no other.

use serde_json::{Value, json};

use super::{at, document};
use crate::harness::workspace::Built;

const KEY: &str = "arn:aws:kms:eu-central-1:111122223333:key/4b1f0c2e-0000-4000-8000-000000000001";

/// A workspace with a store of this kind; agent `plain` has nothing to black out, `careful` has, `abroad` runs elsewhere,
/// and `old` on Agents Classic.
fn built(store: &str) -> Built {
    logging(store, "traces: s", String::new())
}

fn logging(store: &str, logging: &str, more: String) -> Built {
    let own = "packs: [baseline, residency], targets: [iam, bedrock, observability], naming: { prefix: w }";
    let environment = format!(
        "aws: {{ accountId: \"111122223333\", regions: [eu-central-1, us-east-1] }}, logging: {{ {logging} }}, severity: {{ AIP-DAT-004: off }}"
    );
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
        document("Environment", "prod", &environment),
        document(
            "Tenant",
            "t",
            "owner: a@acme.example, environments: [prod], clearance: [internal], models: [m]",
        ),
        document("Model", "m", "provider: bedrock, modelId: openai.gpt-oss-20b-1:0"),
        document("Connector", "c", "lambda: { function: f }, region: eu-central-1, dataClass: internal"),
        document("DataStore", "s", &format!("{store}, region: eu-central-1, holds: internal")),
        agent("plain", ""),
        agent("careful", "trace: { redact: [iban] }, "),
        agent("abroad", "region: us-east-1"),
        agent("old", "runtime: bedrock-agents, instructions: { file: told.md }, "),
        more,
    ];
    let told = "You help the people of Acme with what they ask, and you never guess.";
    let files =
        [("case.yaml", documents.concat()), ("x.json", schema.to_owned()), ("told.md", told.to_owned())];
    Built::new(&files.map(|(path, text)| (path.to_owned(), text)))
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
        let words = ["are not delivered; its gates", "stay in us-east-1", "Agents Classic delivers no"];
        words.iter().any(|word| self.message.contains(word))
    }
}

#[test]
fn logs_go_to_the_group_with_its_retention_and_its_key() {
    let store = format!(
        "cloudWatch: {{ logGroup: /w/traces }}, retention: 30d, encryption: {{ kmsKeyArn: \"{KEY}\" }}"
    );
    let built = built(&store);
    let sources =
        ["w-prod-old-memory", "w-prod-plain-gateway", "w-prod-plain-memory", "w-prod-plain-runtime"];
    assert_eq!(names(&built, "DeliverySource"), sources);
    assert_eq!(names(&built, "Delivery"), names(&built, "DeliverySource"));
    let source = built.json("observability/DeliverySource/w-prod-plain-gateway");
    assert_eq!(at(&source, "/logType"), "APPLICATION_LOGS");
    assert_eq!(at(&source, "/resourceArn/$ref"), "bedrock/Gateway/w-prod-plain#gatewayArn");
    // Of Agents Classic there is a log of how it sums up a memory.
    let classic = built.json("observability/DeliverySource/w-prod-old-memory");
    assert_eq!(
        at(&classic, "/resourceArn/$ref"),
        "bedrock/AgentAlias/w-prod-old.prod#agentAlias.agentAliasArn"
    );
    let destination = only(&built, "DeliveryDestination");
    let group = "arn:aws:logs:eu-central-1:111122223333:log-group:/w/traces";
    assert_eq!(at(&destination, "/deliveryDestinationConfiguration/destinationResourceArn"), group);
    assert_eq!(at(&only(&built, "LogRetention"), "/retentionInDays"), 30);
    assert_eq!(at(&only(&built, "LogKey"), "/kmsKeyId"), KEY);
    assert_eq!(told(&built), ["iban", "s", "bedrock-agents"]);
}

#[test]
fn sessions_on_trial_are_delivered_too() {
    let trial = "tenant: t, model: { model: m }, memory: { retention: 30d }, runtime: bedrock-agents, \
        instructions: { file: told.md }, triggers: [{ schedule: { rate: 2h, deadLetter: failed } }], \
        release: { canary: { weight: 10%, bake: 24h, abort: { errorRate: 5% } } }";
    let failed = "sqs: { queue: failed }, region: eu-central-1, dataClass: internal";
    let more = [document("Agent", "trial", trial), document("Connector", "failed", failed)].concat();
    let store = "cloudWatch: { logGroup: /w/traces }, retention: 30d";
    let built = logging(store, "traces: s", more);
    built.sound();
    for end in ["", "-canary"] {
        let source = built.json(&format!("observability/DeliverySource/w-prod-trial-memory{end}"));
        let alias = format!("bedrock/AgentAlias/w-prod-trial.prod{end}#agentAlias.agentAliasArn");
        assert_eq!(at(&source, "/resourceArn/$ref"), &alias);
    }
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
    let agents = ["careful-gateway", "careful-memory", "careful-runtime"];
    let agents = agents.into_iter().chain(["plain-gateway", "plain-memory", "plain-runtime"]);
    let mut found = names(&built, "DeliverySource");
    found.sort();
    assert_eq!(found, agents.map(|name| format!("w-prod-{name}-spans")).collect::<Vec<_>>());
    let runtime = built.json("observability/DeliverySource/w-prod-plain-runtime-spans");
    let made = "bedrock/Harness/w_prod_plain#harness.environment.agentCoreRuntimeEnvironment.agentRuntimeArn";
    assert_eq!(
        (at(&runtime, "/resourceArn/$ref"), at(&runtime, "/logType")),
        (&json!(made), &json!("TRACES"))
    );
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
    assert_eq!(told(&built), ["s", "bedrock-agents"]);
}

#[test]
fn a_retention_that_a_group_cannot_have_is_refused() {
    let built = built("cloudWatch: { logGroup: /w/traces }, retention: 31d");
    let found = built.diagnostics.iter().find(|one| one.code == "AIP-CMP-001");
    let found = found.unwrap_or_else(|| panic!("{:#?}", built.findings()));
    assert_eq!(built.sources.slice(found.primary.span), "31d");
    assert!(found.help.as_ref().is_some_and(|help| help.contains("`30d`")), "{:?}", found.help);
}

/// A store for spans, beside one for logs.
fn spans(kind: &str) -> String {
    document("DataStore", "x", &format!("{kind}, region: eu-central-1, holds: internal, retention: 30d"))
}

#[test]
fn logs_and_spans_go_to_stores_of_their_own() {
    let built = logging(
        "cloudWatch: { logGroup: /w/traces }, retention: 90d",
        "traces: s, spans: x",
        spans("xray: { name: x }"),
    );
    let mut kinds: Vec<_> = names(&built, "DeliveryDestination");
    kinds.sort();
    assert_eq!(kinds, ["w-prod-traces-cwl", "w-prod-traces-xray"]);
    let kept = |name: &str| built.json(&format!("observability/LogRetention/w-prod-{name}"));
    assert_eq!(
        (&kept("traces")["retentionInDays"], &kept("spans")["retentionInDays"]),
        (&json!(90), &json!(30))
    );
    assert_eq!(kept("spans")["logGroupName"], "aws/spans");
    // Both of one agent, under names that differ.
    let sources = names(&built, "DeliverySource");
    assert!(sources.contains(&"w-prod-plain-runtime".to_owned()), "{sources:?}");
    assert!(sources.contains(&"w-prod-plain-runtime-spans".to_owned()), "{sources:?}");
}

#[test]
fn spans_are_kept_by_x_ray_and_once() {
    let group = "cloudWatch: { logGroup: /w/traces }";
    for (store, other) in
        [(group, "cloudWatch: { logGroup: /w/spans }"), ("xray: { name: y }", "xray: { name: x }")]
    {
        let built = logging(store, "traces: s, spans: x", spans(other));
        let refused: Vec<_> = built.diagnostics.iter().filter(|one| one.code == "AIP-CMP-002").collect();
        let [refused] = refused.as_slice() else { panic!("{:#?}", built.findings()) };
        assert_eq!(built.sources.slice(refused.primary.span), "x");
        assert!(built.artifacts.is_empty());
    }
}

#[test]
fn calls_of_an_agent_in_another_region_are_not_recorded_there() {
    let built = built("cloudWatch: { logGroup: /w/traces }");
    let records = |name: &str| {
        built.text(&format!("bedrock/StateMachine/w-prod-tool-{name}-read")).contains("/w/traces")
    };
    assert!(records("plain") && records("careful") && records("old"));
    let elsewhere = logging("cloudWatch: { logGroup: /w/traces }", "traces: x", {
        document("DataStore", "x", "cloudWatch: { logGroup: /w/traces }, region: us-east-1, holds: internal")
    });
    assert!(!elsewhere.text("bedrock/StateMachine/w-prod-tool-plain-read").contains("/w/traces"));
    assert!(names(&elsewhere, "LogStream").is_empty());
    let told = elsewhere.diagnostics.iter().filter(|one| one.message.contains("are not recorded"));
    assert_eq!(told.count(), 3);
}

#[test]
fn invocations_go_to_a_log_group_with_a_role_that_may_write_there_and_nothing_else() {
    let store = format!(
        "cloudWatch: {{ logGroup: /w/calls }}, retention: 30d, encryption: {{ kmsKeyArn: \"{KEY}\" }}"
    );
    let built = logging(&store, "invocations: s", String::new());
    let logging = built.json("bedrock/InvocationLogging/w-prod-eu-central-1");
    let config = at(&logging, "/loggingConfig/cloudWatchConfig");
    assert_eq!(config["logGroupName"], "/w/calls");
    assert_eq!(config["roleArn"], "arn:aws:iam::111122223333:role/aipolicy/w/prod/w-prod-invocations");
    let policy = built.json("iam/Policy/w-prod-invocations");
    let stream =
        "arn:aws:logs:eu-central-1:111122223333:log-group:/w/calls:log-stream:aws/bedrock/modelinvocations";
    let statements = at(&policy, "/PolicyDocument/Statement").as_array().unwrap();
    assert_eq!(statements.len(), 1);
    assert_eq!(statements[0]["Resource"], json!([stream]));
    assert_eq!(statements[0]["Action"], json!(["logs:CreateLogStream", "logs:PutLogEvents"]));
    let role = built.json("iam/Role/w-prod-invocations");
    let trust = at(&role, "/AssumeRolePolicyDocument/Statement/0");
    assert_eq!(at(trust, "/Principal/Service"), "bedrock.amazonaws.com");
    assert_eq!(at(trust, "/Condition/ArnLike/aws:SourceArn"), "arn:aws:bedrock:eu-central-1:111122223333:*");
    assert_eq!(at(trust, "/Condition/StringEquals/aws:SourceAccount"), "111122223333");
    assert_eq!(at(&built.json("observability/LogRetention/w-prod-invocations"), "/retentionInDays"), 30);
    assert_eq!(at(&built.json("observability/LogKey/w-prod-invocations"), "/kmsKeyId"), KEY);
}
