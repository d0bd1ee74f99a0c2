//! Amazon CloudWatch Logs: groups, and settings of groups.

use super::{PLAIN, TAG_MAP};
use crate::aws::life::{Life, List, Member, Tags, Update, Whole};
use crate::aws::services::Service;

pub(super) const LIVES: &[Life] = &[GROUP, RETENTION, RETENTION_OF_OTHERS, STREAM, KEY];

/// The groups of our functions. How long they keep what is said and under which key is told by others.
const GROUP: Life = Life {
    words: &["bedrock/LogGroup", "lambda/LogGroup"],
    service: Service::Logs,
    list: List {
        operation: "DescribeLogGroups",
        ask: &[("logGroupNamePrefix", "/aws/lambda/{prefix}")],
        at: "logGroups",
        keys: &[("logGroupName", &["logGroupName"])],
        ..PLAIN.list
    },
    read: Some(("DescribeLogGroup", "logGroup")),
    create: ("CreateLogGroup", ""),
    delete: "DeleteLogGroup",
    identity: &["logGroupName"],
    members: &[Member::Same("logGroupName")],
    tags: Some(&Tags { arn: ("resourceArn", "logGroupArn"), ..TAG_MAP }),
    ..PLAIN
};

const RETENTION: Life = Life {
    words: &["bedrock/LogRetention", "lambda/LogRetention"],
    service: Service::Logs,
    whole: Some(Whole { word: "bedrock/LogGroup", keys: &[("logGroupName", "logGroupName")] }),
    list: List { operation: "DescribeLogGroup", ..PLAIN.list },
    read: Some(("DescribeLogGroup", "")),
    create: ("PutRetentionPolicy", ""),
    update: Update::Again,
    delete: "DeleteRetentionPolicy",
    identity: &["logGroupName"],
    members: &[Member::Key("logGroupName"), Member::At("retentionInDays", "/logGroup/retentionInDays")],
    ..PLAIN
};

/// A group of others cannot be found by the name of the document: what nobody asks for any more stays as it is.
const RETENTION_OF_OTHERS: Life = Life {
    words: &["observability/LogRetention"],
    whole: None,
    list: List { keys: &[("logGroupName", &["logGroupName"])], asked: Some(|_, _, _| None), ..PLAIN.list },
    is_setting: true,
    ..RETENTION
};

/// A stream holds what was said: one that nobody asks for any more stays.
const STREAM: Life = Life {
    words: &["bedrock/LogStream"],
    service: Service::Logs,
    list: List {
        keys: &[("logGroupName", &["logGroupName"]), ("logStreamName", &["logStreamName"])],
        asked: Some(|_, _, _| None),
        ..PLAIN.list
    },
    read: Some(("DescribeLogStream", "")),
    create: ("CreateLogStream", ""),
    delete: "DeleteLogStream",
    identity: &["logGroupName", "logStreamName"],
    members: &[Member::Key("logGroupName"), Member::At("logStreamName", "/logStream/logStreamName")],
    is_setting: true,
    ..PLAIN
};

const KEY: Life = Life {
    words: &["observability/LogKey"],
    create: ("AssociateKmsKey", ""),
    delete: "DisassociateKmsKey",
    members: &[Member::Key("logGroupName"), Member::At("kmsKeyId", "/logGroup/kmsKeyId")],
    ..RETENTION_OF_OTHERS
};
