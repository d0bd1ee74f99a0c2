//! The function of a trigger, run by Python beside stand-ins for the SDK.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::harness::program::answer;
use crate::harness::root;

/// What each start told its service, what it asked of the agent, and what is written down after it.
static TOLD: LazyLock<BTreeMap<String, Value>> = LazyLock::new(|| {
    let code = "targets/src/bedrock/trigger/aipolicy_start.py";
    let mut command = Command::new("python3");
    command.args(["-B", "tests/targets/bedrock/start_test.py", code]).current_dir(root());
    let told = answer(&mut command, "", "Python 3.11");
    let read = |line: &str| serde_json::from_str::<Value>(line).unwrap();
    told.lines().map(read).map(|one| (one["name"].as_str().unwrap().to_owned(), one)).collect()
});

fn sessions(name: &str) -> Vec<&'static str> {
    let calls = TOLD[name]["calls"].as_array().unwrap().iter();
    let of = |call: &'static Value| call.get("runtimeSessionId").or(call.get("sessionId"));
    calls.map(|call| of(call).unwrap().as_str().unwrap()).collect()
}

fn failed(name: &str) -> Vec<&'static str> {
    let failed = TOLD[name]["told"]["batchItemFailures"].as_array().unwrap();
    failed.iter().map(|one| one["itemIdentifier"].as_str().unwrap()).collect()
}

#[test]
fn an_agent_is_started_once_for_each_message() {
    let call = &TOLD["first"]["calls"][0];
    assert_eq!((&call["harnessArn"], &call["qualifier"]), (&json!("arn:harness"), &json!("prod")));
    let content = json!([{ "text": "Do it." }, { "text": "{\"id\": 7}" }]);
    assert_eq!(call["messages"], json!([{ "role": "user", "content": content }]));
    assert_eq!(failed("first"), [""; 0]);
    assert_eq!((sessions("again").len(), failed("again").len()), (0, 0));
    // After the time for which a key is remembered, it is another start in the same session.
    assert_eq!(sessions("later"), sessions("first"));
}

#[test]
fn a_session_is_named_by_what_a_repetition_has_too() {
    let session = sessions("first")[0];
    assert_eq!(session.len(), 64);
    assert!(session.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let by_key = sessions("by key");
    assert_eq!(by_key.len(), 1, "two messages with one key are one start");
    assert_ne!(by_key[0], session);
    assert_eq!(sessions("event").len(), 1);
    assert_eq!(sessions("event again").len(), 0);
    assert_eq!((sessions("clock").len(), sessions("clock again").len()), (1, 0));
}

#[test]
fn what_fails_comes_back_alone_and_may_be_tried_again() {
    assert_eq!(failed("no key"), ["m4"]);
    assert_eq!(failed("not JSON"), ["m5"]);
    assert_eq!(failed("broken"), ["m6"]);
    assert_eq!(sessions("broken").len(), 2);
    assert_eq!(failed("slow"), ["m8"], "an agent that was stopped has not done its work");
    assert_eq!(TOLD["event broken"]["told"], json!({ "raised": "ClientError" }));
    let states = |name: &str| TOLD[name]["states"].as_array().unwrap().iter().all(|state| state == "done");
    assert!(states("slow") && states("event broken"), "nothing that failed is written down");
}

#[test]
fn messages_of_a_group_keep_their_order() {
    assert_eq!(failed("in order"), ["m9", "m10"]);
    assert_eq!(sessions("in order").len(), 2, "the one that failed, and the one of another group");
}

#[test]
fn nobody_starts_what_another_is_about_to_start() {
    assert_eq!((failed("running"), sessions("running").len()), (vec!["m12"], 0));
    assert_eq!((failed("abandoned").len(), sessions("abandoned").len()), (0, 1));
}

#[test]
fn digests_are_written_down_and_no_content() {
    for (name, one) in TOLD.iter() {
        for item in one["items"].as_array().unwrap() {
            let text = item.to_string();
            assert!(!text.contains("\\\"id\\\"") && !text.contains("fine"), "{name}: {text}");
        }
    }
}

#[test]
fn agents_classic_are_started_by_their_alias_and_nobody_confirms() {
    let call = &TOLD["classic"]["calls"][0];
    assert_eq!((&call["agentId"], &call["agentAliasId"]), (&json!("AGENT"), &json!("ALIAS")));
    assert_eq!(call["inputText"], "Do it.\n\n\"fine\"");
    assert_eq!(failed("classic confirm"), ["m14"]);
}

/// What a start wrote into the log group for traces.
fn record(name: &str) -> Value {
    let records = TOLD[name]["records"].as_array().unwrap();
    let [record] = records.as_slice() else { panic!("{name}: {records:?}") };
    let place = (&record["logGroupName"], &record["logStreamName"]);
    assert_eq!(place, (&json!("/w/traces"), &json!("a/sessions")));
    serde_json::from_str(record["logEvents"][0]["message"].as_str().unwrap()).unwrap()
}

/// Model, tokens, calls, role and durations of a session, in one record.
pub(in crate::targets) fn session() -> Value {
    record("traced")
}

#[test]
fn one_record_tells_a_session_with_model_tokens_calls_role_and_durations() {
    let told = session();
    assert_eq!(told["session"], sessions("traced")[0]);
    assert_eq!(told["trace"], "5759e988bd862e3fe1be46a994272793");
    assert_eq!(
        (&told["agent"], &told["trigger"], &told["role"]),
        (&json!("a"), &json!("t"), &json!("arn:role"))
    );
    assert_eq!(told["modelId"], "amazon.nova-micro-v1:0");
    assert_eq!(told["usage"], json!({ "inputTokens": 250, "outputTokens": 50 }));
    assert_eq!(told["calls"], json!([{ "tool": "tools___read", "after": 0, "milliseconds": 2000 }]));
    assert_eq!((&told["milliseconds"], &told["outcome"]), (&json!(2000), &json!("done")));
    assert!(told["startedAt"].as_str().unwrap().ends_with("+00:00"), "{told}");
    assert_eq!(record("slow")["outcome"], "NotStarted");
    assert!(TOLD["again"]["records"].as_array().unwrap().is_empty(), "what was not started has no record");
}

#[test]
fn traces_of_agents_classic_become_records_too() {
    let told = record("classic");
    assert_eq!(told["modelId"], "amazon.nova-lite-v1:0");
    assert_eq!(told["usage"], json!({ "inputTokens": 70, "outputTokens": 7 }));
    let tools: Vec<_> = told["calls"].as_array().unwrap().iter().map(|call| &call["tool"]).collect();
    assert_eq!(tools, ["find", "GET /orders/{id}"]);
    assert!(told["calls"].as_array().unwrap().iter().all(|call| call["milliseconds"].is_u64()));
    assert_eq!(TOLD["classic"]["calls"][0]["enableTrace"], true);
}

#[test]
fn nothing_that_was_said_is_in_a_record_or_a_log() {
    for (name, one) in TOLD.iter() {
        for written in [&one["records"], &one["printed"]] {
            assert!(!written.to_string().contains("Canary7f3a"), "{name}: {written}");
        }
    }
}

/// The agent has done its work, and is not started again because of a log.
#[test]
fn a_record_that_cannot_be_written_starts_nothing_again() {
    assert_eq!((failed("unrecorded").len(), sessions("unrecorded").len()), (0, 1));
    assert!(TOLD["unrecorded"]["printed"].to_string().contains("ResourceNotFoundException"));
}

/// Where the sessions of a run went: the version that is tried, and in all.
fn tried(name: &str, member: &str, place: &str) -> (Vec<&'static str>, usize) {
    let calls = TOLD[name]["calls"].as_array().unwrap();
    let there = calls.iter().filter(|call| call[member] == place);
    let session = |call: &'static Value| call.get("runtimeSessionId").or(call.get("sessionId"));
    (there.map(|call| session(call).unwrap().as_str().unwrap()).collect(), calls.len())
}

/// The metrics that a run said in its log.
fn measured(name: &str) -> Vec<Value> {
    let printed = TOLD[name]["printed"].as_array().unwrap().iter();
    let lines = printed.filter_map(|line| serde_json::from_str::<Value>(line.as_str()?).ok());
    lines.filter(|line| line.get("_aws").is_some()).collect()
}

#[test]
fn a_share_of_the_sessions_goes_to_the_version_that_is_tried_and_always_the_same() {
    let (there, all) = tried("shared", "qualifier", "prod_canary");
    assert_eq!(all, 400);
    assert!((60..140).contains(&there.len()), "about a quarter: {}", there.len());
    assert_eq!(tried("shared again", "qualifier", "prod_canary").0, there, "a repetition goes where it went");
    let (classic, all) = tried("classic shared", "agentAliasId", "TRIED");
    assert_eq!((classic, all), (there, 400), "on either runtime");
}

#[test]
fn what_became_of_sessions_on_trial_is_measured_and_of_no_others() {
    let (there, _) = tried("shared", "qualifier", "prod_canary");
    let metrics = measured("shared");
    assert_eq!(metrics.len(), there.len());
    // 250 tokens for 2 USD a million, 50 for 10.
    let expected = json!({ "canary": "a-1", "Failed": 0, "Milliseconds": 2000, "Dollars": 0.001 });
    let mut found = metrics[0].clone();
    let head = found.as_object_mut().unwrap().remove("_aws").unwrap();
    assert_eq!(found, expected);
    let group = &head["CloudWatchMetrics"][0];
    assert_eq!((&group["Namespace"], &group["Dimensions"]), (&json!("aipolicy"), &json!([["canary"]])));
    let names: Vec<_> = group["Metrics"].as_array().unwrap().iter().map(|one| &one["Name"]).collect();
    assert_eq!(names, ["Failed", "Milliseconds", "Dollars"]);
    let (there, _) = tried("tried broken", "qualifier", "prod_canary");
    let failed = measured("tried broken");
    assert!(!there.is_empty() && failed.len() == there.len());
    assert!(failed.iter().all(|one| one["Failed"] == 1), "{failed:?}");
    assert!(measured("classic shared").iter().all(|one| one.get("Dollars").is_none()));
    assert_eq!(measured("traced"), [""; 0], "nothing is tried there");
}

#[test]
fn nothing_is_tried_once_an_alarm_rang_or_when_nobody_can_tell() {
    for name in ["rung", "missing", "unasked"] {
        let (there, all) = tried(name, "qualifier", "prod_canary");
        assert_eq!((there.len(), all), (0, 400), "{name}");
        assert_eq!(tried(name, "qualifier", "prod").0.len(), 400, "{name}: callers have the other one");
    }
}
