//! What starts agents: queues, topics, events and schedules, and what a start leaves behind.

use super::super::shape::{ATTRIBUTES, DOCUMENT, DROPPED, PAIRS, PLAIN, POLICY, Shape};
use super::{Kind, Place, Removal};

static ENCRYPTION: Shape = Shape::Members(&[("Enabled", "SSEEnabled", &PLAIN)]);
static SCHEDULED: Shape = Shape::Members(&[("Input", "Input", &DOCUMENT)]);

pub(super) static KINDS: &[Kind] = &[
    Kind::resource("EventInvokeConfig", "AWS::Lambda::EventInvokeConfig", Shape::Members(&[])),
    Kind::resource(
        "EventSourceMapping",
        "AWS::Lambda::EventSourceMapping",
        Shape::Members(&[("Tags", "Tags", &PAIRS)]),
    ),
    Kind::new(
        "FunctionConcurrency",
        Place::Rest("Function"),
        Shape::Members(&[("FunctionName", "", &DROPPED)]),
    ),
    Kind::resource("LogGroup", "AWS::Logs::LogGroup", Shape::Members(&[("tags", "Tags", &PAIRS)]))
        .removed(Removal::Retained),
    Kind::resource("LogStream", "AWS::Logs::LogStream", Shape::Members(&[])).removed(Removal::Retained),
    Kind::new("LogRetention", Place::Rest("LogGroup"), Shape::Members(&[("logGroupName", "", &DROPPED)])),
    Kind::resource(
        "QueuePolicy",
        "AWS::SQS::QueueInlinePolicy",
        Shape::Members(&[("QueueUrl", "Queue", &PLAIN), ("Attributes", "", &POLICY)]),
    ),
    Kind::new(
        "QueueRedrive",
        Place::Beside("a stack cannot change a queue that it has not made"),
        Shape::Verbatim,
    ),
    Kind::resource(
        "Rule",
        "AWS::Events::Rule",
        Shape::Members(&[("EventPattern", "EventPattern", &DOCUMENT)]),
    ),
    Kind::new(
        "RuleTargets",
        Place::Rest("Rule"),
        Shape::Members(&[("Rule", "", &DROPPED), ("EventBusName", "", &DROPPED)]),
    ),
    Kind::resource(
        "Schedule",
        "AWS::Scheduler::Schedule",
        Shape::Members(&[("Target", "Target", &SCHEDULED)]),
    ),
    Kind::resource("ScheduleGroup", "AWS::Scheduler::ScheduleGroup", Shape::Members(&[])),
    Kind::resource(
        "Subscription",
        "AWS::SNS::Subscription",
        Shape::Members(&[("Attributes", "", &ATTRIBUTES), ("ReturnSubscriptionArn", "", &DROPPED)]),
    ),
    Kind::resource(
        "Table",
        "AWS::DynamoDB::Table",
        Shape::Members(&[("SSESpecification", "SSESpecification", &ENCRYPTION)]),
    )
    .removed(Removal::Expired),
    Kind::new("TimeToLive", Place::Rest("Table"), Shape::Members(&[("TableName", "", &DROPPED)])),
];
