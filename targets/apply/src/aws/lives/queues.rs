//! Amazon SQS: queues, and settings of queues of others.

use serde_json::{Map, Value};

use super::{PLAIN, TAG_MAP};
use crate::aws::AwsPlace;
use crate::aws::composed::queues::set;
use crate::aws::exchange::Members;
use crate::aws::life::{Life, List, Member, Part, Tags, Update};
use crate::aws::services::Service;

pub(super) const LIVES: &[Life] = &[QUEUE, POLICY, REDRIVE];

const QUEUE: Life = Life {
    words: &["bedrock/ApprovalQueue"],
    service: Service::Queues,
    list: List {
        operation: "ListQueues",
        ask: &[("QueueNamePrefix", "{prefix}")],
        at: "QueueUrls",
        keys: &[("QueueUrl", &["QueueUrl", ""])],
        ..PLAIN.list
    },
    read: Some(("ShowQueue", "")),
    create: ("CreateQueue", ""),
    update: Update::Parts(&[Part { operation: "ResetQueue", members: &["Attributes"], inside: None }]),
    delete: "DeleteQueue",
    identity: &["QueueName"],
    members: &[
        Member::Same("QueueName"),
        Member::As("Attributes", |shown, wanted| attributes(shown.get("Attributes")?, wanted)),
    ],
    texts: &["/Attributes/*"],
    tags: Some(&Tags {
        member: "tags",
        arn: ("QueueUrl", "QueueUrl"),
        keys: "TagKeys",
        operations: ("ListQueueTags", "TagQueue", "UntagQueue"),
        said: "Tags",
        ..TAG_MAP
    }),
    ..PLAIN
};

/// What somebody has set, and what is wanted though it is usual.
fn attributes(shown: &Value, wanted: Option<&Value>) -> Option<Value> {
    let mut told = set(shown);
    for name in wanted.and_then(Value::as_object).into_iter().flat_map(Map::keys) {
        told.extend(shown.get(name).map(|value| (name.clone(), value.clone())));
    }
    (!told.is_empty()).then_some(Value::Object(told))
}

/// The policy of a queue of others, all of which is ours then.
const POLICY: Life = Life {
    words: &["bedrock/QueuePolicy"],
    service: Service::Queues,
    list: List { keys: &[("QueueUrl", &["QueueUrl"])], asked: Some(named), ..PLAIN.list },
    read: Some(("ShowQueue", "")),
    create: ("SetQueueAttributes", ""),
    update: Update::Again,
    delete: "ClearQueuePolicy",
    identity: &["QueueUrl"],
    members: &[
        Member::Key("QueueUrl"),
        Member::As("Attributes", |shown, wanted| settings(shown, wanted, "Policy")),
    ],
    texts: &["/Attributes/*"],
    is_setting: true,
    ..PLAIN
};

/// Where a queue of others sends what nobody could handle. How long a message is hidden stays as it is when this goes.
const REDRIVE: Life = Life {
    words: &["bedrock/QueueRedrive", "lambda/QueueRedrive"],
    delete: "ClearQueueRedrive",
    members: &[
        Member::Key("QueueUrl"),
        Member::As("Attributes", |shown, wanted| settings(shown, wanted, "RedrivePolicy")),
    ],
    ..POLICY
};

/// The attributes that a document names; without one, that without which the setting is not there.
fn settings(shown: &Value, wanted: Option<&Value>, main: &str) -> Option<Value> {
    let shown = shown.get("Attributes")?;
    let said = |name: &str| shown.get(name).filter(|value| **value != "");
    let names = wanted.and_then(Value::as_object).into_iter().flat_map(Map::keys).map(String::as_str);
    let names: Vec<&str> = names.chain([main]).collect();
    let told: Members =
        names.iter().filter_map(|name| Some(((*name).to_owned(), said(name)?.clone()))).collect();
    (!told.is_empty()).then_some(Value::Object(told))
}

/// A setting is known by the name of its queue.
fn named(place: &AwsPlace, region: &str, name: &str) -> Option<Members> {
    let suffix = match place.partition.as_str() {
        "aws-cn" => "amazonaws.com.cn",
        _ => "amazonaws.com",
    };
    let url = format!("https://sqs.{region}.{suffix}/{}/{name}", place.account);
    Some(Members::from_iter([("QueueUrl".to_owned(), url.into())]))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn of_a_queue_of_others_only_what_is_named_is_told() {
        let shown =
            json!({ "Attributes": { "Policy": "{}", "VisibilityTimeout": "30", "DelaySeconds": "1" } });
        let wanted = json!({ "RedrivePolicy": "{}", "VisibilityTimeout": "60" });
        assert_eq!(
            settings(&shown, Some(&wanted), "RedrivePolicy"),
            Some(json!({ "VisibilityTimeout": "30" }))
        );
        assert_eq!(settings(&shown, None, "RedrivePolicy"), None);
        assert_eq!(settings(&shown, None, "Policy"), Some(json!({ "Policy": "{}" })));
        assert_eq!(settings(&json!({ "Attributes": { "Policy": "" } }), None, "Policy"), None);
    }
}
