//! What starts agents: who may start what, what leads there, and what a trigger cannot do.

use std::collections::BTreeSet;

use serde_json::json;

use super::{everything, files};
use crate::harness::workspace::Built;
use crate::targets::{ACME, at, texts};

const ALL: &str = "eu-central-1:111122223333";

/// The rights of a role: actions with what they are for.
fn rights(built: &Built, policy: &str) -> BTreeSet<(String, String)> {
    let found = built.json(&format!("iam/Policy/{policy}"));
    let statements = at(&found, "/PolicyDocument/Statement").as_array().unwrap().clone();
    let pairs = statements.iter().flat_map(|statement| {
        let resources = texts(&statement["Resource"]);
        texts(&statement["Action"])
            .into_iter()
            .flat_map(move |action| {
                resources.clone().into_iter().map(move |one| (action.to_owned(), one.to_owned()))
            })
            .collect::<Vec<_>>()
    });
    pairs.collect()
}

fn set(pairs: &[(&str, String)]) -> BTreeSet<(String, String)> {
    pairs.iter().map(|(action, resource)| ((*action).to_owned(), resource.clone())).collect()
}

#[test]
fn the_role_of_a_trigger_may_take_messages_start_its_agent_and_write_that_down() {
    let harness = format!("arn:aws:bedrock-agentcore:{ALL}:harness/w_prod_started-??????????");
    let table = format!("arn:aws:dynamodb:{ALL}:table/w-prod-starts-started");
    let key = "arn:aws:kms:eu-central-1:111122223333:key/4b1f0c2e-0000-4000-8000-000000000001".to_owned();
    let log = |name: &str| {
        format!("arn:aws:logs:{ALL}:log-group:/aws/lambda/w-prod-trigger-started-{name}:log-stream:*")
    };
    let records = format!("arn:aws:logs:{ALL}:log-group:/w/traces:log-stream:started/sessions");
    let queue = |name: &str| format!("arn:aws:sqs:{ALL}:{name}");
    let common = |name: &str| {
        set(&[
            ("bedrock-agentcore:InvokeHarness", harness.clone()),
            ("bedrock-agentcore:InvokeHarness", format!("{harness}/harness-endpoint/prod")),
            ("dynamodb:DeleteItem", table.clone()),
            ("dynamodb:GetItem", table.clone()),
            ("dynamodb:PutItem", table.clone()),
            ("kms:Decrypt", key.clone()),
            ("kms:GenerateDataKey", key.clone()),
            ("logs:CreateLogStream", log(name)),
            ("logs:PutLogEvents", log(name)),
            ("logs:PutLogEvents", records.clone()),
        ])
    };
    let mut plain = common("plain");
    plain.extend(set(&[
        ("sqs:DeleteMessage", queue("in")),
        ("sqs:GetQueueAttributes", queue("in")),
        ("sqs:ReceiveMessage", queue("in")),
    ]));
    assert_eq!(rights(everything(), "w-prod-trigger-started-plain"), plain);
    for handed in ["sns", "events", "morning", "hourly"] {
        let mut expected = common(handed);
        expected.extend(set(&[("sqs:SendMessage", queue("failed"))]));
        assert_eq!(rights(everything(), &format!("w-prod-trigger-started-{handed}")), expected, "{handed}");
    }
    let called = set(&[
        ("lambda:InvokeFunction", format!("arn:aws:lambda:{ALL}:function:w-prod-trigger-started-hourly")),
        ("sqs:SendMessage", queue("failed")),
        ("kms:Decrypt", key.clone()),
        ("kms:GenerateDataKey", key.clone()),
    ]);
    assert_eq!(rights(everything(), "w-prod-schedule-started-hourly"), called);
}

#[test]
fn each_trigger_writes_down_its_own_starts_alone() {
    let found = everything().json("iam/Policy/w-prod-trigger-started-events");
    let statements = at(&found, "/PolicyDocument/Statement").as_array().unwrap();
    let written = statements.iter().find(|one| one["Sid"] == "WriteDownStarts").unwrap();
    let condition = json!({
        "ForAllValues:StringEquals": { "dynamodb:LeadingKeys": ["events"] },
        "Null": { "dynamodb:LeadingKeys": ["false"] },
    });
    assert_eq!(written["Condition"], condition);
    let function = everything().json("bedrock/Function/w-prod-trigger-started-events");
    assert_eq!(at(&function, "/Environment/Variables/START/trigger"), "events");
    let table = everything().json("bedrock/Table/w-prod-starts-started");
    assert_eq!(at(&table, "/KeySchema/0"), &json!({ "AttributeName": "trigger", "KeyType": "HASH" }));
    assert_eq!(at(&table, "/SSESpecification/SSEType"), "KMS");
    let forget = everything().json("bedrock/TimeToLive/w-prod-starts-started");
    assert_eq!(at(&forget, "/TimeToLiveSpecification/AttributeName"), "expires");
}

#[test]
fn no_role_of_a_trigger_reaches_what_a_tool_does() {
    for built in [everything(), &*ACME] {
        let policies = built.sound().into_iter().filter(|one| {
            let address = &one.document.address;
            address.kind == "Policy" && address.name.contains("-trigger-")
        });
        for policy in policies {
            let name = &policy.document.address.name;
            for (action, resource) in rights(built, name).into_iter() {
                let started =
                    ["bedrock-agentcore:InvokeHarness", "bedrock:InvokeAgent"].contains(&action.as_str());
                let asks = action == "cloudwatch:DescribeAlarms" && resource.contains(":alarm:acme-prod-");
                let beside = asks
                    || ["dynamodb:", "kms:", "logs:", "sqs:"].iter().any(|prefix| action.starts_with(prefix));
                assert!(started || beside, "{name}: {action} on {resource}");
                if action.starts_with("dynamodb:") {
                    assert!(resource.contains("-starts-"), "{name}: {resource}");
                }
            }
        }
    }
}

#[test]
fn scheduler_takes_its_role_for_the_group_of_the_schedule_alone() {
    let role = everything().json("iam/Role/w-prod-schedule-started-morning");
    let group = format!("arn:aws:scheduler:{ALL}:schedule-group/w-prod-trigger-started-morning");
    let statement = json!({
        "Effect": "Allow", "Principal": { "Service": "scheduler.amazonaws.com" }, "Action": ["sts:AssumeRole"],
        "Condition": { "ArnLike": { "aws:SourceArn": group }, "StringEquals": { "aws:SourceAccount": "111122223333" } }
    });
    assert_eq!(at(&role, "/AssumeRolePolicyDocument/Statement/0"), &statement);
    let schedule = everything().json("bedrock/Schedule/w-prod-trigger-started-morning");
    assert_eq!(schedule["GroupName"], "w-prod-trigger-started-morning");
    assert_eq!(schedule["ScheduleExpression"], "cron(0 6 ? * MON-FRI *)");
    assert_eq!(schedule["ScheduleExpressionTimezone"], "Europe/Berlin");
    // The same for every attempt, so that a repetition is known.
    assert_eq!(at(&schedule, "/Target/Input"), &json!({ "scheduledTime": "<aws.scheduler.scheduled-time>" }));
    let rate =
        |name: &str| everything().json(&format!("bedrock/Schedule/{name}"))["ScheduleExpression"].clone();
    assert_eq!(rate("w-prod-trigger-started-hourly"), "rate(60 minutes)");
    assert_eq!(rate("w-prod-trigger-started-classic-schedule"), "rate(1 minute)");
}

#[test]
fn messages_come_back_by_themselves_and_then_to_the_queue_for_what_fails() {
    let mapping = everything().json("bedrock/EventSourceMapping/w-prod-trigger-started-ordered");
    assert_eq!(mapping["FunctionResponseTypes"], json!(["ReportBatchItemFailures"]));
    assert_eq!(
        (&mapping["BatchSize"], at(&mapping, "/ScalingConfig/MaximumConcurrency")),
        (&json!(5), &json!(3))
    );
    let function = everything().json("bedrock/Function/w-prod-trigger-started-ordered");
    // Five agents of one minute, ten seconds beside each, and twenty beside all.
    assert_eq!(function["Timeout"], 5 * 70 + 20);
    let redrive = everything().json("bedrock/QueueRedrive/in.fifo");
    assert_eq!(at(&redrive, "/Attributes/VisibilityTimeout"), "2220");
    let policy =
        json!({ "deadLetterTargetArn": format!("arn:aws:sqs:{ALL}:failed.fifo"), "maxReceiveCount": 7 });
    assert_eq!(at(&redrive, "/Attributes/RedrivePolicy"), &policy);
    let start = json!({
        "agent": "started", "role": "arn:aws:iam::111122223333:role/aipolicy/w/prod/w-prod-agent-started",
        "source": "sqs", "trigger": "ordered", "wait": 70, "model": "openai.gpt-oss-20b-1:0",
        "record": { "group": "/w/traces", "stream": "started/sessions" },
        "retention": 172_800, "key": "order.id", "input": "Do it."
    });
    assert_eq!(at(&function, "/Environment/Variables/START"), &start);
}

#[test]
fn what_a_service_or_lambda_loses_is_kept_too() {
    let dead = format!("arn:aws:sqs:{ALL}:failed");
    let topic = everything().json("bedrock/Subscription/w-prod-trigger-started-sns");
    assert_eq!(at(&topic, "/Attributes/RedrivePolicy"), &json!({ "deadLetterTargetArn": dead }));
    let targets = everything().json("bedrock/RuleTargets/w-prod-trigger-started-events");
    assert_eq!(at(&targets, "/Targets/0/DeadLetterConfig/Arn"), &json!(dead));
    for handed in ["sns", "events", "morning"] {
        let function = everything().json(&format!("bedrock/Function/w-prod-trigger-started-{handed}"));
        assert_eq!(at(&function, "/DeadLetterConfig/TargetArn"), &json!(dead));
    }
    let policy = everything().json("bedrock/QueuePolicy/failed");
    let statements = at(&policy, "/Attributes/Policy/Statement").as_array().unwrap();
    let mut told: Vec<_> = statements
        .iter()
        .map(|one| {
            (
                one["Principal"]["Service"].as_str().unwrap(),
                at(one, "/Condition/ArnEquals/aws:SourceArn").as_str().unwrap(),
            )
        })
        .collect();
    told.sort_unstable();
    let rule = |name: &str| format!("arn:aws:events:{ALL}:rule/{name}");
    let (own, shop) =
        (rule("w-prod-trigger-started-events"), rule("shop/w-prod-trigger-started-classic-event-bridge"));
    let news = format!("arn:aws:sns:{ALL}:news");
    assert_eq!(
        told,
        [
            ("events.amazonaws.com", shop.as_str()),
            ("events.amazonaws.com", own.as_str()),
            ("sns.amazonaws.com", news.as_str()),
            ("sns.amazonaws.com", news.as_str()),
        ]
    );
}

#[test]
fn events_are_compared_field_by_field() {
    let rule = everything().json("bedrock/Rule/w-prod-trigger-started-events");
    let pattern = json!({
        "source": ["shop"], "detail-type": ["Sold", "Returned"],
        "detail": {
            "order": { "kind": ["a", 1, true], "total": [{ "numeric": [">=", 5, "<=", 9] }] },
            "place": [{ "prefix": "eu" }], "gift": [{ "exists": false }],
        }
    });
    assert_eq!(rule["EventPattern"], pattern);
    assert_eq!(rule["EventBusName"], "default");
}

#[test]
fn agents_classic_are_started_by_their_alias() {
    let function = everything().json("bedrock/Function/w-prod-trigger-started-classic-sns");
    let variables = at(&function, "/Environment/Variables");
    assert_eq!(
        variables["ALIAS"]["$ref"],
        "bedrock/AgentAlias/w-prod-started-classic.prod#agentAlias.agentAliasId"
    );
    assert!(variables.get("HARNESS").is_none());
    let found = everything().json("iam/Policy/w-prod-trigger-started-classic-sns");
    let start = at(&found, "/PolicyDocument/Statement/0");
    assert_eq!(start["Action"], json!(["bedrock:InvokeAgent"]));
    assert_eq!(
        at(start, "/Condition/StringEquals/aws:ResourceTag~1aipolicy:agent"),
        &json!(["started-classic"])
    );
}

/// The one finding of an agent with this trigger.
fn found(agent: &str, queues: &str) -> (String, String, String) {
    let base = "aws: { accountId: \"111122223333\", regions: [eu-central-1, eu-west-1] }, severity: { AIP-AGT-004: off, AIP-BUD-010: off }";
    let tenant = "owner: a@acme.example, environments: [prod], clearance: [internal], models: [m]";
    let spec = format!("tenant: t, model: {{ model: m }}, {agent}");
    let failed = format!("sqs: {{ queue: failed }}, region: eu-central-1, dataClass: internal{queues}");
    let documents = [
        ("Environment", "prod", base),
        ("Tenant", "t", tenant),
        ("Model", "m", "provider: bedrock, modelId: openai.gpt-oss-20b-1:0"),
        ("Connector", "failed", failed.as_str()),
        ("Connector", "in", "sqs: { queue: in }, region: eu-central-1, dataClass: internal"),
        ("Connector", "far", "sqs: { queue: far }, region: eu-west-1, dataClass: internal"),
        (
            "Connector",
            "narrow",
            "sqs: { queue: n }, region: eu-central-1, dataClass: internal, network: { vpcEndpoint: vpce-0a1b2c3d }",
        ),
        ("Agent", "bot", spec.as_str()),
    ];
    let built = Built::new(&files(&documents));
    let found: Vec<_> = built.diagnostics.iter().collect();
    assert_eq!(found.len(), 1, "{agent}: {found:#?}");
    let line = built.sources.slice(found[0].primary.span).to_owned();
    (found[0].code.to_string(), found[0].message.clone(), line)
}

#[test]
fn what_a_trigger_cannot_do_is_refused_at_its_line() {
    let queue = |more: &str| format!("triggers: [{{ sqs: {{ queue: in, deadLetter: failed{more} }} }}]");
    let cases = [
        (queue(", batchSize: 11"), "11", "1 to 10 messages at once"),
        (queue(", maxReceiveCount: 0"), "0", "1 to 1000 attempts"),
        (queue(" }, concurrency: 1, idempotency: { retention: 1d"), "1", "2 to 1000 functions at once"),
        (format!("limits: {{ wallClock: 15m }}, {}", queue("")), "15m", "no time within the 900 s"),
        (format!("limits: {{ wallClock: 5m }}, {}", queue(", batchSize: 3")), "5m", "works for 900 s"),
        ("triggers: [{ sqs: { queue: narrow, deadLetter: failed } }]".into(), "narrow", "through a VPC endpoint"),
        ("triggers: [{ sns: { topic: news, deadLetter: far } }]".into(), "far", "is not in eu-central-1"),
        ("triggers: [{ sns: { topic: news.fifo, deadLetter: failed } }]".into(), "news.fifo", "to queues only"),
        ("triggers: [{ sns: { topic: \"a:b\", deadLetter: failed } }]".into(), "\"a:b\"", "is not a name of letters"),
        ("triggers: [{ schedule: { rate: 90s, deadLetter: failed } }]".into(), "90s", "whole minutes"),
        (
            "triggers: [{ eventBridge: { source: s, deadLetter: failed, detail: { a: { oneOf: [b], prefix: c } } } }]".into(),
            "{ oneOf: [b], prefix: c }",
            "compared in one way",
        ),
        (
            "triggers: [{ eventBridge: { source: s, deadLetter: failed, detail: { a: { min: b } } } }]".into(),
            "b",
            "is no number",
        ),
    ];
    for (agent, line, message) in cases {
        let (code, told, at) = found(&agent, "");
        assert_eq!((code.as_str(), at.as_str()), ("AIP-CMP-002", line), "{agent}: {told}");
        assert!(told.contains(message), "{told}");
    }
}
