//! Amazon EventBridge: rules and their targets, schedules and their groups.

use serde_json::Value;

use super::{PLAIN, TAG_MAP};
use crate::aws::life::{Echo, Life, List, Member, Tags, Update, Whole};
use crate::aws::services::Service;

pub(super) const LIVES: &[Life] = &[RULE, TARGETS, GROUP, SCHEDULE];

const TAGS: Tags =
    Tags { member: "Tags", pair: Some(("Key", "Value")), keys: "TagKeys", said: "Tags", ..TAG_MAP };

const RULE: Life = Life {
    words: &["bedrock/Rule"],
    service: Service::Events,
    list: List {
        operation: "ListAllRules",
        ask: &[("NamePrefix", "{prefix}")],
        at: "Rules",
        keys: &[("Name", &["Name"]), ("EventBusName", &["EventBusName"])],
        ..PLAIN.list
    },
    read: Some(("DescribeRule", "")),
    create: ("PutRule", ""),
    update: Update::Again,
    delete: "DeleteRule",
    identity: &["EventBusName", "Name"],
    members: &[
        Member::Same("Name"),
        Member::Same("EventBusName"),
        Member::Same("EventPattern"),
        Member::Same("ScheduleExpression"),
        Member::Same("State"),
        Member::Same("Description"),
        Member::Same("RoleArn"),
    ],
    texts: &["/EventPattern"],
    tags: Some(&Tags { arn: ("ResourceARN", "Arn"), ..TAGS }),
    states: &[],
    ..PLAIN
};

/// All targets of a rule.
const TARGETS: Life = Life {
    words: &["bedrock/RuleTargets"],
    service: Service::Events,
    whole: Some(Whole { word: "bedrock/Rule", keys: &[("Rule", "Name"), ("EventBusName", "EventBusName")] }),
    list: List { operation: "ListTargetsByRule", ..PLAIN.list },
    read: Some(("ListTargetsByRule", "")),
    create: ("SetTargets", ""),
    update: Update::Again,
    delete: "ClearTargets",
    identity: &["EventBusName", "Rule"],
    members: &[
        Member::Key("Rule"),
        Member::Key("EventBusName"),
        Member::As("Targets", |shown, _| {
            shown.get("Targets").filter(|all| **all != Value::Array(Vec::new())).cloned()
        }),
    ],
    texts: &["/Targets/*/Input"],
    states: &[],
    ..PLAIN
};

const GROUP: Life = Life {
    words: &["bedrock/ScheduleGroup"],
    service: Service::Schedules,
    list: List {
        operation: "ListScheduleGroups",
        ask: &[("NamePrefix", "{prefix}")],
        at: "ScheduleGroups",
        keys: &[("Name", &["Name"])],
        ..PLAIN.list
    },
    read: Some(("GetScheduleGroup", "")),
    create: ("CreateScheduleGroup", ""),
    delete: "DeleteScheduleGroup",
    identity: &["Name"],
    members: &[Member::Same("Name")],
    tags: Some(&Tags { arn: ("ResourceArn", "Arn"), ..TAGS }),
    states: &["State"],
    ..PLAIN
};

const SCHEDULE: Life = Life {
    words: &["bedrock/Schedule"],
    service: Service::Schedules,
    whole: Some(Whole { word: "bedrock/ScheduleGroup", keys: &[("GroupName", "Name")] }),
    list: List { operation: "ListSchedules", at: "Schedules", keys: &[("Name", &["Name"])], ..PLAIN.list },
    read: Some(("GetSchedule", "")),
    create: ("CreateSchedule", ""),
    update: Update::By("UpdateSchedule", &[]),
    delete: "DeleteSchedule",
    identity: &["GroupName", "Name"],
    members: &[
        Member::Same("Name"),
        Member::Same("GroupName"),
        Member::Same("ScheduleExpression"),
        Member::Same("ScheduleExpressionTimezone"),
        Member::Same("StartDate"),
        Member::Same("EndDate"),
        Member::Same("Description"),
        Member::Same("FlexibleTimeWindow"),
        Member::Same("State"),
        Member::Same("Target"),
        Member::Same("KmsKeyArn"),
        Member::Same("ActionAfterCompletion"),
    ],
    echoes: &[
        Echo::Usual("/ActionAfterCompletion", r#""NONE""#),
        Echo::Usual("/ScheduleExpressionTimezone", r#""UTC""#),
    ],
    texts: &["/Target/Input"],
    states: &[],
    ..PLAIN
};
