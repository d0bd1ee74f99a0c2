//! Queries over what is written of an agent: every column is a field that some record has, and none is what was said.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::bedrock::machines::recorded;
use super::bedrock::starts::session;
use super::{ACME, at, texts};

/// A text that stands wherever somebody said something.
const SAID: &str = "Canary7f3a";

/// What services write, with the fields that their user guides name.
fn written_by_services() -> [(&'static str, Value); 3] {
    let arn = "arn:aws:bedrock-agentcore:eu-central-1:111122223333:runtime/x-a1b2c3d4e5";
    [
        // Bedrock user guide: model invocation logging.
        (
            "invocation",
            json!({
                "schemaType": "ModelInvocationLog", "schemaVersion": "1.0", "timestamp": "2026-11-22T10:00:00Z",
                "accountId": "111122223333", "region": "eu-central-1", "requestId": "request-2", "operation": "Converse",
                "identity": { "arn": "arn:aws:sts::111122223333:assumed-role/acme-prod-agent-paper-reader/session" },
                "modelId": "amazon.nova-lite-v1:0",
                "input": { "inputBodyJson": { "messages": SAID }, "inputTokenCount": 120 },
                "output": { "outputBodyJson": { "output": SAID }, "outputTokenCount": 34 }
            }),
        ),
        // AgentCore developer guide: generated runtime observability data, provided span data.
        (
            "span",
            json!({
                "traceId": "5759e988bd862e3fe1be46a994272793", "spanId": "a", "name": "AgentCore.Runtime.Invoke",
                "startTimeUnixNano": 1, "attributes": {
                    "aws.operation.name": "InvokeAgentRuntime", "aws.resource.arn": arn, "aws.request_id": "request-1",
                    "session.id": "session-1", "latency_ms": 1500
                }
            }),
        ),
        // The same guide: application log data.
        (
            "log",
            json!({
                "timestamp": 1, "resource_arn": arn, "request_id": "request-1", "session_id": "session-1",
                "trace_id": "5759e988bd862e3fe1be46a994272793", "span_id": "a", "operation": "InvokeAgentRuntime",
                "request_payload": { "prompt": SAID }, "response_payload": { "text": SAID }
            }),
        ),
    ]
}

/// The text of a query, with what is known later as `REF`.
fn text(query: &Value) -> String {
    let parts = at(query, "/queryString/$join").as_array().unwrap();
    parts.iter().map(|part| part.as_str().unwrap_or("REF")).collect()
}

/// The columns of a query, each with the fields that are looked for.
fn columns(text: &str) -> Vec<(String, Vec<String>)> {
    let listed = text.strip_prefix("fields @timestamp, ").unwrap().split("\n| filter ").next().unwrap();
    let mut rest = listed;
    let mut found = Vec::new();
    while !rest.is_empty() {
        let (fields, after) = match rest.strip_prefix("coalesce(") {
            Some(inner) => inner.split_once(") as ").unwrap(),
            None => rest.split_once(" as ").unwrap(),
        };
        let (name, after) = after.split_once(", ").unwrap_or((after, ""));
        found.push((name.to_owned(), fields.split(", ").map(str::to_owned).collect()));
        rest = after;
    }
    found
}

/// The fields of a record as CloudWatch finds them: names of members, joined by points.
fn fields(record: &Value, before: &str, found: &mut BTreeMap<String, Value>) {
    for (name, value) in record.as_object().into_iter().flatten() {
        let name = if before.is_empty() { name.clone() } else { format!("{before}.{name}") };
        found.insert(name.clone(), value.clone());
        fields(value, &name, found);
    }
}

fn row(columns: &[(String, Vec<String>)], record: &Value) -> BTreeMap<String, Value> {
    let mut known = BTreeMap::new();
    fields(record, "", &mut known);
    let value = |names: &Vec<String>| names.iter().find_map(|name| known.get(name)).cloned();
    columns.iter().filter_map(|(column, names)| Some((column.clone(), value(names)?))).collect()
}

fn query(agent: &str) -> Value {
    ACME.json(&format!("observability/QueryDefinition/acme-prod-{agent}-trace"))
}

#[test]
fn a_query_puts_together_what_is_written_of_an_agent() {
    let query = query("invoice-bot");
    assert_eq!(
        texts(&query["logGroupNames"]),
        ["/acme/prod/ai-invocations", "/acme/prod/ai-traces", "aws/spans"]
    );
    let columns = columns(&text(&query));
    let call = row(&columns, &recorded("get", "x"));
    assert_eq!((&call["step"], &call["asRole"]), (&json!("get"), &json!("arn:role")));
    assert_eq!((&call["inSession"], &call["became"]), (&json!("session-1"), &json!("called")));
    assert_eq!(call["inputDigest"].as_str().unwrap().len(), 64);
    assert!(call["tookMilliseconds"].is_u64() && call["callMilliseconds"].is_u64(), "{call:?}");
    assert!(call["started"].is_string());
    // What a trigger starts has everything in one row.
    let started = row(&columns, &session());
    assert_eq!(started["model"], "amazon.nova-micro-v1:0");
    assert_eq!((&started["inputTokens"], &started["outputTokens"]), (&json!(250), &json!(50)));
    for column in ["step", "inSession", "inTrace", "asRole", "became", "started", "tookMilliseconds"] {
        assert!(started.contains_key(column), "{column}");
    }
    let [invocation, span, log] = written_by_services().map(|(_, record)| row(&columns, &record));
    assert_eq!(invocation["model"], "amazon.nova-lite-v1:0");
    assert_eq!((&invocation["inputTokens"], &invocation["outputTokens"]), (&json!(120), &json!(34)));
    assert!(invocation["asRole"].as_str().unwrap().contains(":assumed-role/"));
    assert_eq!((&span["tookMilliseconds"], &span["step"]), (&json!(1500), &json!("InvokeAgentRuntime")));
    // A call, the spans and the logs of one trace and one session meet; requests of services do as well.
    for column in ["inSession", "inTrace"] {
        assert!(call[column] == span[column] && span[column] == log[column], "{column}");
    }
    assert_eq!(span["inRequest"], log["inRequest"]);
}

#[test]
fn every_field_is_one_that_some_record_has_and_none_is_what_was_said() {
    let columns = columns(&text(&query("invoice-bot")));
    let mut records: Vec<_> = written_by_services().map(|(_, record)| record).to_vec();
    records.extend([recorded("get", SAID), session()]);
    let mut known = BTreeMap::new();
    records.iter().for_each(|record| fields(record, "", &mut known));
    // What a span has when something failed.
    known.insert("attributes.error_type".to_owned(), json!("throttle"));
    for name in columns.iter().flat_map(|(_, names)| names) {
        assert!(known.contains_key(name), "{name}");
    }
    for record in &records {
        let row = row(&columns, record);
        assert!(row.values().all(|value| !value.to_string().contains(SAID)), "{row:?}");
    }
}

#[test]
fn a_query_is_about_its_agent_alone() {
    let query = query("invoice-bot");
    let text = text(&query);
    let filter = text.split("\n| ").find(|part| part.starts_with("filter ")).unwrap();
    let role = ACME.json("iam/Role/acme-prod-agent-invoice-bot")["RoleName"].as_str().unwrap().to_owned();
    assert!(filter.starts_with(&format!(
        "filter (agent = 'invoice-bot') or (identity.arn like ':assumed-role/{role}/') or "
    )));
    let parts = at(&query, "/queryString/$join").as_array().unwrap();
    let made: Vec<_> = parts.iter().filter_map(|part| part["$ref"].as_str()).collect();
    assert_eq!(
        made,
        [
            "bedrock/Gateway/acme-prod-invoice-bot#gatewayArn",
            "bedrock/Memory/acme_prod_invoice_bot#memory.arn",
            "bedrock/Harness/acme_prod_invoice_bot#harness.environment.agentCoreRuntimeEnvironment.agentRuntimeArn",
        ]
    );
}

#[test]
fn a_query_reads_groups_of_its_own_region() {
    let built = ACME.sound();
    let queries = built.into_iter().filter(|one| one.document.address.kind == "QueryDefinition");
    let names: Vec<_> = queries.map(|one| one.document.address.name.as_str()).collect();
    assert!(names.contains(&"acme-prod-case-assistant-trace"), "{names:?}");
    // It runs in the US, and the log groups are in the EU.
    assert!(!names.contains(&"acme-prod-case-assistant-us-trace"), "{names:?}");
}
