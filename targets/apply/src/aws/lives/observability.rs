//! What is watched: deliveries of logs, stored queries, traces, trails and alarms.

use serde_json::json;

use super::{PLAIN, TAG_MAP, untold};
use crate::aws::exchange::Members;
use crate::aws::life::{Echo, Life, List, Member, Tags, Update, Whole};
use crate::aws::services::Service;

pub(super) const LIVES: &[Life] =
    &[SOURCE, DESTINATION, DELIVERY, QUERY, LOG_POLICY, TRACES, TRAIL, LOGGING, SELECTORS, ALARM];

const TAGS: Tags = Tags { arn: ("resourceArn", "arn"), ..TAG_MAP };

const SOURCE: Life = Life {
    words: &["observability/DeliverySource"],
    service: Service::Logs,
    list: List {
        operation: "DescribeDeliverySources",
        at: "deliverySources",
        keys: &[("name", &["name"])],
        ..PLAIN.list
    },
    read: Some(("GetDeliverySource", "deliverySource")),
    create: ("PutDeliverySource", "deliverySource"),
    delete: "DeleteDeliverySource",
    members: &[
        Member::Same("name"),
        Member::At("resourceArn", "/resourceArns/0"),
        Member::Same("logType"),
        Member::Same("deliverySourceConfiguration"),
    ],
    tags: Some(&TAGS),
    ..PLAIN
};

const DESTINATION: Life = Life {
    words: &["observability/DeliveryDestination"],
    service: Service::Logs,
    list: List {
        operation: "DescribeDeliveryDestinations",
        at: "deliveryDestinations",
        keys: &[("name", &["name"])],
        ..PLAIN.list
    },
    read: Some(("GetDeliveryDestination", "deliveryDestination")),
    create: ("PutDeliveryDestination", "deliveryDestination"),
    update: Update::Again,
    delete: "DeleteDeliveryDestination",
    members: &[
        Member::Same("name"),
        Member::Same("deliveryDestinationType"),
        Member::Same("outputFormat"),
        Member::Same("deliveryDestinationConfiguration"),
    ],
    tags: Some(&TAGS),
    ..PLAIN
};

const DELIVERY: Life = Life {
    words: &["observability/Delivery"],
    service: Service::Logs,
    list: List { operation: "DescribeDeliveries", at: "deliveries", keys: &[("id", &["id"])], ..PLAIN.list },
    read: Some(("GetDelivery", "delivery")),
    create: ("CreateDelivery", "delivery"),
    delete: "DeleteDelivery",
    identity: &["deliveryDestinationArn", "deliverySourceName"],
    members: &[
        Member::Same("deliverySourceName"),
        Member::Same("deliveryDestinationArn"),
        Member::Same("recordFields"),
        Member::Same("fieldDelimiter"),
        Member::Same("s3DeliveryConfiguration"),
    ],
    // A delivery carries every field of its source unless somebody chooses.
    echoes: &[Echo::Any("/recordFields")],
    tags: Some(&TAGS),
    ..PLAIN
};

const QUERY: Life = Life {
    words: &["observability/QueryDefinition"],
    service: Service::Logs,
    list: List {
        operation: "DescribeQueryDefinitions",
        ask: &[("queryDefinitionNamePrefix", "{prefix}")],
        at: "queryDefinitions",
        keys: &[("queryDefinitionId", &["queryDefinitionId"])],
        on_demand: true,
        ..PLAIN.list
    },
    create: ("PutQueryDefinition", ""),
    update: Update::By("PutQueryDefinition", &[]),
    delete: "DeleteQueryDefinition",
    members: &[
        Member::Same("name"),
        Member::Same("queryLanguage"),
        Member::Same("queryString"),
        Member::Same("logGroupNames"),
        Member::Same("parameters"),
    ],
    echoes: &[Echo::Usual("/queryLanguage", r#""CWLI""#), Echo::Usual("/parameters", "[]")],
    is_setting: true,
    is_doubled: true,
    ..PLAIN
};

/// There is one of a name.
const LOG_POLICY: Life = Life {
    words: &["observability/LogPolicy"],
    service: Service::Logs,
    list: List {
        keys: &[("policyName", &["policyName"])],
        asked: Some(|place, _, _| {
            Some(Members::from_iter([("policyName".to_owned(), format!("{}traces", place.prefix).into())]))
        }),
        ..PLAIN.list
    },
    read: Some(("ShowLogPolicy", "resourcePolicy")),
    create: ("PutResourcePolicy", ""),
    update: Update::Again,
    delete: "DeleteResourcePolicy",
    identity: &["policyName"],
    members: &[Member::Same("policyName"), Member::Same("policyDocument")],
    texts: &["/policyDocument"],
    is_setting: true,
    ..PLAIN
};

/// One for an account and region. Without it traces go to X-Ray, and where they go is all that is shown.
const TRACES: Life = Life {
    words: &["observability/TraceDestination"],
    service: Service::Traces,
    list: List { asked: Some(|_, _, _| Some(Members::new())), ..PLAIN.list },
    read: Some(("GetTraceSegmentDestination", "")),
    create: ("UpdateTraceSegmentDestination", ""),
    update: Update::Again,
    delete: "ClearTraceDestination",
    identity: &[],
    members: &[
        Member::As("Destination", |shown, _| shown.get("Destination").filter(|to| **to != "XRay").cloned()),
        untold("CloudWatchLogsConfiguration"),
    ],
    is_setting: true,
    states: &["Status"],
    ..PLAIN
};

const TRAIL: Life = Life {
    words: &["observability/Trail"],
    service: Service::Trails,
    list: List { operation: "ListOwnTrails", at: "trailList", keys: &[("Name", &["Name"])], ..PLAIN.list },
    read: Some(("GetTrail", "Trail")),
    create: ("CreateTrail", ""),
    update: Update::By("UpdateTrail", &[]),
    delete: "DeleteTrail",
    identity: &["Name"],
    members: &[
        Member::Same("Name"),
        Member::Same("S3BucketName"),
        Member::Same("S3KeyPrefix"),
        Member::Same("SnsTopicName"),
        Member::Same("IncludeGlobalServiceEvents"),
        Member::Same("IsMultiRegionTrail"),
        Member::At("EnableLogFileValidation", "/LogFileValidationEnabled"),
        Member::At("CloudWatchLogsLogGroupArn", "/CloudWatchLogsLogGroupArn"),
        Member::At("CloudWatchLogsRoleArn", "/CloudWatchLogsRoleArn"),
        Member::Same("KmsKeyId"),
        Member::Same("IsOrganizationTrail"),
    ],
    echoes: &[Echo::Usual("/IsOrganizationTrail", "false")],
    tags: Some(&Tags {
        member: "TagsList",
        arn: ("ResourceId", "TrailARN"),
        pair: Some(("Key", "Value")),
        keys: "TagKeys",
        operations: ("ListTrailTags", "AddTags", "RemoveTrailTags"),
        said: "TagsList",
    }),
    ..PLAIN
};

const LOGGING: Life = Life {
    words: &["observability/TrailLogging"],
    service: Service::Trails,
    whole: Some(Whole { word: "observability/Trail", keys: &[("Name", "Name")] }),
    list: List { operation: "ListTrailLogging", at: "Logging", ..PLAIN.list },
    create: ("StartLogging", ""),
    delete: "StopLogging",
    identity: &["Name"],
    members: &[Member::Same("Name")],
    ..PLAIN
};

const SELECTORS: Life = Life {
    words: &["observability/TrailSelectors"],
    service: Service::Trails,
    whole: Some(Whole { word: "observability/Trail", keys: &[("TrailName", "Name")] }),
    list: List { operation: "GetEventSelectors", ..PLAIN.list },
    read: Some(("GetEventSelectors", "")),
    create: ("PutEventSelectors", ""),
    update: Update::Again,
    delete: "ClearSelectors",
    identity: &["TrailName"],
    members: &[
        Member::Key("TrailName"),
        Member::As("AdvancedEventSelectors", |shown, _| {
            shown.get("AdvancedEventSelectors").filter(|all| **all != json!([])).cloned()
        }),
    ],
    ..PLAIN
};

const ALARM: Life = Life {
    words: &["bedrock/Alarm", "observability/Alarm"],
    service: Service::Alarms,
    list: List {
        operation: "DescribeAlarms",
        ask: &[("AlarmNamePrefix", "{prefix}")],
        at: "MetricAlarms",
        keys: &[("AlarmName", &["AlarmName"])],
        ..PLAIN.list
    },
    read: Some(("DescribeAlarm", "Alarm")),
    create: ("PutMetricAlarm", ""),
    update: Update::Again,
    delete: "DeleteAlarm",
    identity: &["AlarmName"],
    members: &[
        Member::Same("AlarmName"),
        Member::Same("AlarmDescription"),
        Member::Same("ActionsEnabled"),
        Member::Same("OKActions"),
        Member::Same("AlarmActions"),
        Member::Same("InsufficientDataActions"),
        Member::Same("MetricName"),
        Member::Same("Namespace"),
        Member::Same("Statistic"),
        Member::Same("ExtendedStatistic"),
        Member::Same("Dimensions"),
        Member::Same("Period"),
        Member::Same("Unit"),
        Member::Same("EvaluationPeriods"),
        Member::Same("DatapointsToAlarm"),
        Member::Same("Threshold"),
        Member::Same("ComparisonOperator"),
        Member::Same("TreatMissingData"),
        Member::Same("EvaluateLowSampleCountPercentile"),
        Member::Same("Metrics"),
        Member::Same("ThresholdMetricId"),
    ],
    echoes: &[
        Echo::Usual("/ActionsEnabled", "true"),
        Echo::Usual("/OKActions", "[]"),
        Echo::Usual("/AlarmActions", "[]"),
        Echo::Usual("/InsufficientDataActions", "[]"),
        Echo::Usual("/Dimensions", "[]"),
        Echo::Usual("/Metrics", "[]"),
        Echo::Usual("/TreatMissingData", r#""missing""#),
    ],
    tags: Some(&Tags {
        member: "Tags",
        arn: ("ResourceARN", "AlarmArn"),
        pair: Some(("Key", "Value")),
        keys: "TagKeys",
        said: "Tags",
        ..TAG_MAP
    }),
    states: &[],
    ..PLAIN
};
