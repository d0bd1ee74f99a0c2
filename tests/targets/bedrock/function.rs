//! The function that tool calls come through, run by Python beside a stand-in for the SDK.

use std::process::Command;

use serde_json::{Value, json};

use crate::harness::program::answer;
use crate::harness::root;

/// What each call told the agent, and what was asked of Step Functions.
fn told() -> Vec<(String, Value, Value)> {
    let code = "targets/src/bedrock/shared/aipolicy_tools.py";
    let mut command = Command::new("python3");
    command.args(["-B", "tests/targets/bedrock/function_test.py", code]).current_dir(root());
    let told = answer(&mut command, "", "Python 3.11");
    let line = |line: &str| {
        let at = line.find(['{', '[']).unwrap();
        let mut values = serde_json::Deserializer::from_str(&line[at..]).into_iter::<Value>();
        let mut next = || values.next().unwrap().unwrap();
        (line[..at].trim().to_owned(), next(), next())
    };
    told.lines().map(line).collect()
}

#[test]
fn calls_are_handed_to_their_machines_and_nothing_else() {
    let told = told();
    let of = |name: &str| {
        let (_, answer, calls) = told.iter().find(|(found, ..)| found == name).unwrap();
        (answer.clone(), calls.clone())
    };
    let handed = |call: &Value| serde_json::from_str::<Value>(call["input"].as_str().unwrap()).unwrap();
    let input = |call: &Value| json!({ "input": handed(call)["input"] });
    let ids = |name: &str| handed(&of(name).1[0])["ids"].clone();
    let (answer, calls) = of("read");
    assert_eq!(answer, json!({ "result": "paid" }));
    assert_eq!(calls[0]["stateMachineArn"], "arn:tool");
    assert_eq!(input(&calls[0]), json!({ "input": { "invoice": "INV-1" } }));
    assert_eq!(of("refused").0, json!({ "error": "Refused", "cause": "invoice must fit its pattern" }));
    assert_eq!(of("unknown"), (json!({ "error": "UnknownTool" }), json!([])));
    let (answer, calls) = of("refund");
    assert_eq!(answer["status"], "WAITING_FOR_A_DECISION");
    assert_eq!(calls[0]["name"].as_str().unwrap().len(), 64);
    // A repetition has the name of the first call, and Step Functions refuses it.
    assert_eq!(of("again").0, json!({ "status": "ALREADY_ASKED_FOR" }));
    assert_eq!(of("again").1[0]["name"], calls[0]["name"]);
    assert!(of("no key").1[0].get("name").is_none() && of("no object").1[0].get("name").is_none());
    let (answer, calls) = of("classic");
    let given = json!({ "amount": 5, "urgent": true, "tags": ["a"], "requestId": "7", "broken": "five" });
    assert_eq!(input(&calls[0]), json!({ "input": given }));
    assert_eq!(answer["response"]["function"], "issue-refund");
    let body = answer["response"]["functionResponse"]["responseBody"]["TEXT"]["body"].as_str().unwrap();
    assert!(body.contains("WAITING_FOR_A_DECISION"));
    let (answer, calls) = of("operation");
    assert_eq!(calls[0]["stateMachineArn"], "arn:order");
    assert_eq!(input(&calls[0]), json!({ "input": { "id": 7, "note": "n" } }));
    let response = &answer["response"];
    assert_eq!(response["apiPath"], "/orders/{id}");
    assert_eq!(response["responseBody"]["application/json"]["body"], "{\"result\": \"paid\"}");
    let (answer, calls) = of("other path");
    assert_eq!(calls, json!([]));
    assert!(answer["response"]["responseBody"].to_string().contains("UnknownTool"));
    assert_eq!(input(&of("no body").1[0]), json!({ "input": { "id": 7 } }));
    // The ids that a call has elsewhere go with it, and nothing else that is told beside the input.
    assert_eq!(ids("read"), json!({ "request": "request-1" }));
    assert_eq!(ids("classic"), json!({ "session": "session-1" }));
    assert_eq!(ids("traced"), json!({ "request": "request-1", "trace": "5759e988bd862e3fe1be46a994272793" }));
    assert_eq!(ids("odd session"), json!({ "trace": "5759e988bd862e3fe1be46a994272793" }));
}
