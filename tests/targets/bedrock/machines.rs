//! State machines: valid, and run with every input and every answer that matters.

use std::process::Command;

use serde_json::{Value, json};

use super::calls::{inputs, is_allowed};
use super::{Known, NODE, everything, tools};
use crate::harness::program::answer;
use crate::harness::root;
use crate::harness::workspace::Built;
use crate::targets::{ACME, at, texts};

/// A machine with the executions that are asked for.
struct Machine {
    name: String,
    definition: Value,
    cases: Vec<Value>,
}

/// Validates the machines and runs their cases.
fn run(machines: &[Machine]) -> Vec<Value> {
    let one = |machine: &Machine| json!({ "name": machine.name, "definition": machine.definition, "cases": machine.cases });
    let asked = json!({ "machines": machines.iter().map(one).collect::<Vec<_>>() });
    let script = root().join("tests/targets/bedrock/machines.mjs");
    let told = answer(Command::new("node").arg(script).arg(NODE.folder()), &asked.to_string(), "Node 20");
    serde_json::from_str::<Vec<Value>>(&told).unwrap()
}

/// The definitions of a workspace, by the names of their machines.
fn definitions(built: &Built) -> Vec<(String, Value)> {
    let machines = built.sound().into_iter().filter(|one| one.document.address.kind == "StateMachine");
    let read = |text: &str| serde_json::from_str::<Value>(text).unwrap()["definition"].clone();
    machines.map(|one| (one.document.address.name.clone(), read(&one.document.text))).collect()
}

/// The definition of the machine of one tool, in the environment that has it.
fn of(built: &Built, known: &Known<'_>) -> Value {
    let end = format!("-{}-{}", known.agent, known.tool.name.value);
    let found = definitions(built).into_iter().find(|(name, _)| name.ends_with(&end));
    found.unwrap_or_else(|| panic!("no machine ends in {end}")).1
}

#[test]
fn every_machine_is_valid() {
    let mut seen = 0;
    for built in [everything(), &ACME] {
        let of = |(name, definition): (String, Value)| Machine { name, definition, cases: Vec::new() };
        for told in run(&definitions(built).into_iter().map(of).collect::<Vec<_>>()) {
            assert_eq!(told["errors"], json!([]), "{}", told["name"]);
            seen += 1;
        }
    }
    assert!(seen > 25, "{seen}");
}

#[test]
fn a_broken_machine_is_found_out() {
    let (name, mut definition) = definitions(everything()).remove(0);
    definition["States"]["Receive"]["Next"] = "Nowhere".into();
    let told = run(&[Machine { name, definition, cases: Vec::new() }]);
    assert_ne!(told[0]["errors"], json!([]));
}

/// Answers under which everything that is asked for agrees, and calls succeed.
fn agreeing() -> Value {
    let yes = json!([{ "result": { "approved": true, "by": "a@acme.example" } }]);
    let second = json!([{ "result": { "approved": true, "by": "b@acme.example" } }]);
    json!({
        "OpenRecord": [{ "result": {} }], "RecordCall": [{ "result": {} }], "RecordRefusal": [{ "result": {} }],
        "RecordFailure": [{ "result": {} }], "Approve1": yes, "Approve2": second,
        "Verify": [{ "result": { "Payload": { "verified": true } } }],
        "Call": [{ "result": {
            "Payload": 1, "MessageId": 1, "ExecutionArn": 1, "Item": 1, "Items": 1, "Body": 1, "RetrievalResults": 1
        } }],
    })
}

fn called(run: &Value) -> bool {
    at(run, "/tasks").as_array().unwrap().iter().any(|task| task["state"] == "Call")
}

#[test]
fn a_machine_lets_through_what_the_schema_and_the_limits_allow() {
    let (mut machines, mut expected) = (Vec::new(), Vec::new());
    for built in [everything(), &ACME] {
        for known in tools(built).into_iter().filter(|known| !known.is_direct) {
            let schema = jsonschema::draft202012::new(&known.schema).unwrap();
            let inputs = inputs(&known.schema, known.tool, 250);
            let mut definition = of(built, &known);
            // Whoever is asked agrees, so that the input alone decides.
            approve_anybody(&mut definition);
            expected
                .push(inputs.iter().map(|input| is_allowed(&schema, known.tool, input)).collect::<Vec<_>>());
            let cases =
                inputs.into_iter().map(|input| json!({ "input": { "input": input }, "answers": agreeing() }));
            let name = format!("{}.{}", known.agent, known.tool.name.value);
            machines.push(Machine { name, definition, cases: cases.collect() });
        }
    }
    let told = run(&machines);
    let (mut allowed, mut refused) = (0, 0);
    for ((machine, told), expected) in machines.iter().zip(&told).zip(&expected) {
        for ((case, run), expected) in
            machine.cases.iter().zip(at(told, "/runs").as_array().unwrap()).zip(expected)
        {
            assert_eq!(called(run), *expected, "{} {}: {run:#}", machine.name, case["input"]);
            if *expected {
                assert_eq!(run["status"], "SUCCEEDED", "{run:#}");
                allowed += 1;
            } else {
                assert_eq!(run["status"], "FAILED");
                refused += 1;
            }
        }
    }
    println!("{allowed} calls allowed, {refused} refused");
    assert!(allowed > 1500 && refused > 700, "{allowed} allowed, {refused} refused");
}

/// Makes the check of approvals accept everybody.
fn approve_anybody(definition: &mut Value) {
    let checks: Vec<String> = definition["States"]
        .as_object()
        .unwrap()
        .keys()
        .filter(|name| name.starts_with("CheckApproval"))
        .cloned()
        .collect();
    for name in checks {
        definition["States"][&name]["Choices"][0]["Condition"] = "{% true %}".into();
    }
}

/// The execution of a tool of the test workspace with these answers instead of agreeing ones.
fn execution(tool: &str, input: &Value, changes: &[(&str, Value)]) -> Value {
    let known = tools(everything()).into_iter().find(|known| known.tool.name.value.as_str() == tool).unwrap();
    let mut answers = agreeing();
    for (state, answer) in changes {
        answers[*state] = answer.clone();
    }
    let cases = vec![json!({ "input": input, "answers": answers })];
    let told = run(&[Machine { name: tool.to_owned(), definition: of(everything(), &known), cases }]);
    at(&told[0], "/runs/0").clone()
}

const GOOD: &str = r#"{ "id": "AB-1", "amount": 12.5, "lines": [{ "sku": "x" }], "to": { "name": "n" } }"#;

fn good() -> Value {
    json!({ "input": serde_json::from_str::<Value>(GOOD).unwrap() })
}

fn answered(result: Value) -> Value {
    json!([{ "result": result }])
}

#[test]
fn anything_but_an_approval_in_time_calls_nothing() {
    let said = |approved: Value, by: Value| answered(json!({ "approved": approved, "by": by }));
    let refusals = [
        json!([]),
        json!([{ "error": "States.Timeout" }]),
        json!([{ "error": "States.TaskFailed" }]),
        said(json!(false), json!("a@acme.example")),
        said(json!("true"), json!("a@acme.example")),
        said(json!(true), json!("z@acme.example")),
        said(json!(true), json!(["a@acme.example"])),
        said(json!(true), json!(null)),
        answered(json!({ "approved": true })),
        answered(json!({})),
        answered(json!("yes")),
        answered(json!([{ "approved": true, "by": "a@acme.example" }])),
        answered(json!(true)),
    ];
    for refusal in refusals {
        let run = execution("pay", &good(), &[("Approve1", refusal.clone())]);
        assert!(!called(&run), "{refusal}: {run:#}");
        assert_eq!(run["status"], "FAILED", "{refusal}");
    }
    let run = execution("pay", &good(), &[]);
    assert!(called(&run) && run["status"] == "SUCCEEDED", "{run:#}");
    let asked = at(&run, "/tasks/1");
    assert_eq!(asked["resource"], "arn:aws:states:::sqs:sendMessage.waitForTaskToken");
    assert_eq!(asked["seconds"], 3600);
    assert_eq!(texts(at(asked, "/arguments/MessageBody/approvers")), ["a@acme.example", "b@acme.example"]);
    assert_eq!(at(asked, "/arguments/MessageBody/taskToken"), "token");
}

#[test]
fn two_must_agree_where_two_are_required_and_one_of_them_alone_must_be_enough() {
    let input = json!({ "input": { "id": "x" } });
    let by = |name: &str| answered(json!({ "approved": true, "by": format!("{name}@acme.example") }));
    let cases = [
        ("a", "b", true),
        ("b", "a", true),
        ("a", "a", false),
        ("b", "c", false),
        ("c", "b", false),
        ("a", "z", false),
    ];
    for (first, second, agreed) in cases {
        let run = execution("pay-more", &input, &[("Approve1", by(first)), ("Approve2", by(second))]);
        assert_eq!(called(&run), agreed, "{first} and {second}: {run:#}");
    }
    assert!(!called(&execution("pay-more", &input, &[("Approve2", json!([]))])));
}

#[test]
fn anything_but_a_plain_yes_of_the_function_calls_nothing() {
    let input = json!({ "input": { "id": "x", "count": 1, "ok": true } });
    let payload = |value: Value| answered(json!({ "Payload": value }));
    let refusals = [
        json!([]),
        json!([{ "error": "Lambda.Unknown" }]),
        payload(json!({ "verified": false })),
        payload(json!({ "verified": "true" })),
        payload(json!({})),
        payload(json!(true)),
        payload(json!(null)),
        payload(json!([{ "verified": true }])),
        answered(json!({})),
    ];
    for refusal in refusals {
        let run = execution("agree", &input, &[("Verify", refusal.clone())]);
        assert!(!called(&run) && run["status"] == "FAILED", "{refusal}: {run:#}");
    }
    let run = execution("agree", &input, &[]);
    assert!(called(&run) && run["status"] == "SUCCEEDED", "{run:#}");
    assert_eq!(at(&run, "/tasks/1/arguments/Payload/input"), &input["input"]);
}

#[test]
fn nothing_is_called_that_cannot_be_written_down() {
    let run = execution(
        "pay",
        &good(),
        &[("OpenRecord", json!([{ "error": "CloudWatchLogs.ResourceNotFoundException" }]))],
    );
    assert_eq!(run["error"], "Refused");
    assert_eq!(texts(&run["visited"]), ["Receive", "OpenRecord", "Refused"]);
    let run = execution("pay", &good(), &[("RecordCall", json!([]))]);
    assert!(called(&run) && run["error"] == "Unrecorded", "{run:#}");
    let run = execution("pay", &good(), &[("Call", json!([{ "error": "Lambda.TooManyRequestsException" }]))]);
    assert_eq!(run["error"], "CallFailed");
    assert!(texts(&run["visited"]).contains(&"RecordFailure"));
    assert!(!called(&execution("pay", &json!({}), &[])));
    assert!(!called(&execution("pay", &json!(null), &[])));
}

/// What a call of a tool of the test workspace writes down, with this text among its input.
pub(in crate::targets) fn recorded(tool: &str, text: &str) -> Value {
    let ids = json!({ "session": "session-1", "trace": "5759e988bd862e3fe1be46a994272793" });
    record(&execution(tool, &json!({ "input": { "id": text }, "ids": ids }), &[])).0
}

/// What an execution wrote down, and where.
fn record(run: &Value) -> (Value, Value) {
    let tasks = at(run, "/tasks").as_array().unwrap();
    let written = tasks.iter().find(|task| task["resource"].as_str().unwrap().ends_with(":putLogEvents"));
    let written = written.unwrap_or_else(|| panic!("{run:#}"));
    let message = at(written, "/arguments/LogEvents/0/Message").as_str().unwrap();
    (serde_json::from_str(message).unwrap(), at(written, "/arguments/LogStreamName").clone())
}

#[test]
fn records_hold_the_decision_and_not_the_input() {
    let run = execution("pay", &good(), &[]);
    let (message, stream) = record(&run);
    assert_eq!(stream, "gated/pay/execution-1");
    assert_eq!(texts(&message["decidedBy"]), ["a@acme.example"]);
    assert_eq!(message["outcome"], "called");
    assert_eq!(message["inputSha256"].as_str().unwrap().len(), 64);
    assert!(!message.to_string().contains("AB-1"));
    // As which role, since when and for how long.
    assert_eq!(message["role"], "arn:role");
    assert!(message["startedAt"].as_str().unwrap().ends_with('Z'));
    assert!((1500..60_000).contains(&message["milliseconds"].as_i64().unwrap()), "{message}");
    // How long until the call, and how long the call; nothing where none was made.
    assert!((1500..60_000).contains(&at(&message, "/call/after").as_i64().unwrap()), "{message}");
    assert!((0..60_000).contains(&at(&message, "/call/milliseconds").as_i64().unwrap()), "{message}");
    let (message, _) = record(&execution("pay", &json!({ "input": { "id": 5 } }), &[]));
    assert!(message["outcome"].as_str().unwrap().contains("must be"), "{message}");
    assert_eq!(message["call"], json!({}));
}

#[test]
fn ungated_calls_are_recorded_too_and_told_by_the_ids_that_they_have_elsewhere() {
    let ids = json!({ "session": "s-1", "request": "r-1", "trace": "5759e988bd862e3fe1be46a994272793" });
    let input = json!({ "input": { "id": "x" }, "ids": ids });
    let run = execution("get", &input, &[]);
    let (message, stream) = record(&run);
    assert_eq!(stream, "plain/calls");
    assert!(everything().sound().iter().any(|one| {
        one.document.address.kind == "LogStream" && one.document.text.contains("\"plain/calls\"")
    }));
    for (name, value) in ids.as_object().unwrap() {
        assert_eq!(&message[name], value);
    }
    assert_eq!((&message["tool"], &message["outcome"]), (&json!("get"), &json!("called")));
    assert_eq!(message["role"], "arn:role");
    assert_eq!(message["decidedBy"], json!([]));
    // Whoever starts a machine may know less, and may not write what is no id.
    let odd = json!({ "input": { "id": "x" }, "ids": { "session": { "a": 1 }, "request": "r".repeat(500) } });
    let (message, _) = record(&execution("get", &odd, &[]));
    assert_eq!((&message["session"], &message["trace"]), (&json!("unknown"), &json!("unknown")));
    assert_eq!(message["request"].as_str().unwrap().len(), 128);
    let lost = execution("get", &input, &[("Call", json!([{ "error": "DynamoDb.Throttled" }]))]);
    assert_eq!(record(&lost).0["outcome"], "the call failed, or its answer was lost");
    // A read that cannot be written down is not answered.
    let unrecorded = execution("get", &input, &[("RecordCall", json!([]))]);
    assert_eq!(unrecorded["error"], "Unrecorded");
    assert!(unrecorded.get("output").is_none(), "{unrecorded}");
}

/// An input of a schema in which every text is this one.
fn filled(schema: &Value, text: &str) -> Value {
    match schema["type"].as_str() {
        Some("object") => {
            let members = schema["properties"].as_object().unwrap().iter();
            Value::Object(members.map(|(name, inner)| (name.clone(), filled(inner, text))).collect())
        }
        Some("array") => json!([filled(&schema["items"], text)]),
        Some("integer" | "number") => json!(1),
        Some("boolean") => json!(true),
        _ => json!(text),
    }
}

/// What somebody wants blacked out may stand anywhere in an input, so no text of an input is in any record.
#[test]
fn no_text_of_an_input_reaches_a_record() {
    const CANARY: &str = "Canary7f3a";
    let (mut machines, mut called_with) = (Vec::new(), 0);
    for built in [everything(), &ACME] {
        for known in tools(built).into_iter().filter(|known| !known.is_direct) {
            let mut definition = of(built, &known);
            approve_anybody(&mut definition);
            let input = json!({ "input": filled(&known.schema, CANARY) });
            let failing = json!([{ "error": CANARY }]);
            let cases = [agreeing(), json!({ "Call": failing, "OpenRecord": [{ "result": {} }] })];
            let cases = cases.map(|answers| json!({ "input": input, "answers": answers })).to_vec();
            machines.push(Machine { name: known.tool.name.value.to_string(), definition, cases });
        }
    }
    for told in run(&machines) {
        for run in at(&told, "/runs").as_array().unwrap() {
            let tasks = at(run, "/tasks").as_array().unwrap();
            let is_log = |task: &&Value| task["resource"].as_str().unwrap().contains("cloudwatchlogs");
            for task in tasks.iter().filter(is_log) {
                assert!(!task.to_string().contains(CANARY), "{}: {task:#}", told["name"]);
            }
            called_with += usize::from(called(run) && run.to_string().contains(CANARY));
        }
    }
    assert!(called_with > 10, "{called_with}");
}

#[test]
fn inputs_become_requests() {
    let flat = json!({ "input": { "id": "x", "count": 5, "ok": true } });
    let (one, ask) = (json!({ "input": { "id": "x" } }), json!({ "input": { "query": "why?", "limit": 3 } }));
    let item =
        json!({ "tenant": { "S": "t" }, "id": { "S": "x" }, "count": { "N": "5" }, "ok": { "BOOL": true } });
    let key = json!({ "tenant": { "S": "t" }, "id": { "S": "x" } });
    let body = &flat["input"];
    let cases = [
        (
            "put",
            &flat,
            "dynamodb:putItem",
            json!({
            "TableName": "items", "Item": item, "ConditionExpression": "attribute_not_exists(#key)",
            "ExpressionAttributeNames": { "#key": "id" } }),
        ),
        ("get", &one, "dynamodb:getItem", json!({ "TableName": "items", "Key": key })),
        (
            "find",
            &one,
            "aws-sdk:dynamodb:query",
            json!({
            "TableName": "items", "IndexName": "by-id", "KeyConditionExpression": "#k0 = :v0",
            "ExpressionAttributeNames": { "#k0": "id" }, "ExpressionAttributeValues": { ":v0": { "S": "x" } } }),
        ),
        ("read", &one, "aws-sdk:s3:getObject", json!({ "Bucket": "files", "Key": "in/t/x" })),
        (
            "store",
            &flat,
            "aws-sdk:s3:putObject",
            json!({
            "Bucket": "files", "Key": "in/t/x.json", "Body": body, "ContentType": "application/json", "IfNoneMatch": "*" }),
        ),
        (
            "send",
            &flat,
            "sqs:sendMessage",
            json!({
            "QueueUrl": "https://sqs.eu-central-1.amazonaws.com/111122223333/q.fifo", "MessageBody": body,
            "MessageDeduplicationId": "x", "MessageGroupId": "classic" }),
        ),
        (
            "start",
            &flat,
            "states:startExecution",
            json!({
            "StateMachineArn": "arn:aws:states:eu-central-1:111122223333:stateMachine:m", "Input": body, "Name": "x" }),
        ),
        (
            "ask",
            &ask,
            "aws-sdk:bedrockagentruntime:retrieve",
            json!({
            "KnowledgeBaseId": "ABCDEFGHIJ", "RetrievalQuery": { "Text": "why?" },
            "RetrievalConfiguration": { "VectorSearchConfiguration": { "NumberOfResults": 3 } } }),
        ),
    ];
    let connection =
        "arn:aws:events:eu-central-1:111122223333:connection/orders/4b1f0c2e-0000-4000-8000-000000000003";
    let proof = json!({ "ConnectionArn": connection });
    let path = json!({ "input": { "id": "a/../b?c=d#ü", "exact": true, "X_Trace": "ab12" } });
    let line = json!({ "input": { "id": "x", "sku": "s", "count": 2, "limit": "3", "tags": ["t"] } });
    let (empty, seven) = (json!({ "input": {} }), json!({ "input": { "id": 7 } }));
    let cases = cases.into_iter().chain([
        (
            "list-lines",
            &path,
            "http:invoke",
            json!({
            "ApiEndpoint": "https://orders.acme.example/v1/orders/a%2F..%2Fb%3Fc%3Dd%23%C3%BC/lines", "Method": "GET",
            "Authentication": proof, "Headers": { "X-Trace": "ab12" }, "QueryParameters": { "exact": "true" } }),
        ),
        (
            "add-line",
            &line,
            "http:invoke",
            json!({
            "ApiEndpoint": "https://orders.acme.example/v1/orders/x/lines", "Method": "POST", "Authentication": proof,
            "QueryParameters": { "limit": "3" }, "RequestBody": { "sku": "s", "count": 2, "tags": ["t"] } }),
        ),
        (
            "set-note",
            &empty,
            "http:invoke",
            json!({
            "ApiEndpoint": "https://orders.acme.example/v1/orders", "Method": "PUT", "Authentication": proof,
            "RequestBody": {} }),
        ),
        (
            "cancel",
            &seven,
            "lambda:invoke",
            json!({ "FunctionName": "arn:aws:lambda:eu-central-1:111122223333:function:f:live", "Payload": { "id": 7 } }),
        ),
    ]);
    for (tool, input, resource, arguments) in cases {
        let run = execution(tool, input, &[]);
        let tasks = at(&run, "/tasks").as_array().unwrap();
        let call =
            tasks.iter().find(|task| task["state"] == "Call").unwrap_or_else(|| panic!("{tool}: {run:#}"));
        assert_eq!(call["resource"], format!("arn:aws:states:::{resource}"), "{tool}");
        assert_eq!(call["arguments"], arguments, "{tool}");
    }
}

#[test]
fn removing_a_gate_is_refused() {
    let folder = root().join("examples/acme");
    let files = crate::harness::files_below(&folder);
    let files: Vec<_> = files
        .into_iter()
        .filter(|name| !name.starts_with("expected/"))
        .map(|name| (name.clone(), crate::harness::read(&folder.join(&name))))
        .collect();
    let gates = "      gate: ";
    let mut removed = 0;
    for (at, (name, text)) in files.iter().enumerate().filter(|(_, (name, _))| name.ends_with("agents.yaml"))
    {
        for gate in text.lines().filter(|line| line.starts_with(gates)) {
            let mut changed = files.clone();
            changed[at].1 = text.replacen(&format!("{gate}\n"), "", 1);
            let found = crate::harness::compile::findings(&changed);
            assert!(found.iter().any(|one| one.code == "AIP-AGT-001" && one.file == *name), "{name}: {gate}");
            removed += 1;
        }
    }
    assert!(removed >= 5, "{removed}");
}

#[test]
fn the_history_of_calls_has_the_key_of_their_connector() {
    let built = everything();
    let machine = built.json("bedrock/StateMachine/w-prod-gate-gated-agree");
    let key = "arn:aws:kms:eu-central-1:111122223333:key/4b1f0c2e-0000-4000-8000-000000000001";
    assert_eq!(at(&machine, "/encryptionConfiguration/kmsKeyId"), key);
    let policy = built.json("iam/Policy/w-prod-gate-gated-agree");
    let statements = at(&policy, "/PolicyDocument/Statement").as_array().unwrap();
    let history = statements.iter().find(|one| one["Sid"] == "KeepHistoryOfAgree").unwrap();
    let own = "arn:aws:states:eu-central-1:111122223333:stateMachine:w-prod-gate-gated-agree";
    let context = "/Condition/StringEquals/kms:EncryptionContext:aws:states:stateMachineArn";
    assert_eq!(texts(at(history, context)), [own]);
    assert_eq!(texts(&history["Resource"]), [key]);
    assert!(
        built.json("bedrock/StateMachine/w-prod-gate-gated-pay").get("encryptionConfiguration").is_none()
    );
}
