//! Queues: all attributes of one, and those that are taken away from one.

use serde_json::{Value, json};

use super::{Calls, nothing, only};
use crate::aws::error::Refusal;
use crate::aws::exchange::Members;

/// Attributes that somebody can set, and what they are where nobody did (API reference of SQS, `SetQueueAttributes`).
const SETTABLE: &[(&str, &[&str])] = &[
    ("DelaySeconds", &["0"]),
    ("KmsDataKeyReusePeriodSeconds", &["300"]),
    ("KmsMasterKeyId", &[""]),
    // It was 256 KiB until queues took more.
    ("MaximumMessageSize", &["1048576", "262144"]),
    ("MessageRetentionPeriod", &["345600"]),
    ("Policy", &[""]),
    ("ReceiveMessageWaitTimeSeconds", &["0"]),
    ("RedriveAllowPolicy", &[""]),
    ("RedrivePolicy", &[""]),
    // A key of AWS KMS takes its place.
    ("SqsManagedSseEnabled", &["true", "false"]),
    ("VisibilityTimeout", &["30"]),
];

/// A queue with its name and all of its attributes.
pub(super) async fn show(calls: &Calls<'_>, members: &Members) -> Result<Value, Refusal> {
    let url = members.get("QueueUrl").cloned().unwrap_or_default();
    let asked = json!({ "QueueUrl": url, "AttributeNames": ["All"] });
    let answer = calls.ask("GetQueueAttributes", asked).await?;
    let name = url.as_str().and_then(|url| url.rsplit('/').next()).unwrap_or("");
    Ok(json!({ "QueueUrl": url, "QueueName": name, "Attributes": answer.get("Attributes") }))
}

/// Sets the attributes of a queue, and all others to what they usually are.
pub(super) async fn reset(calls: &Calls<'_>, members: &Members) -> Result<Value, Refusal> {
    let shown = show(calls, members).await?;
    let mut wanted = members.get("Attributes").and_then(Value::as_object).cloned().unwrap_or_default();
    for name in set(shown.get("Attributes").unwrap_or(&Value::Null)).keys() {
        let usual =
            SETTABLE.iter().find(|(settable, _)| settable == name).and_then(|(_, usual)| usual.first());
        wanted.entry(name.clone()).or_insert_with(|| usual.copied().into());
    }
    let mut asked = only(members, &["QueueUrl"]);
    asked.insert("Attributes".to_owned(), wanted.into());
    calls.ask("SetQueueAttributes", asked.into()).await
}

/// The attributes that somebody has set.
pub(in crate::aws) fn set(attributes: &Value) -> Members {
    let shown = |(name, usual): &(&str, &[&str])| {
        let value = attributes.get(*name)?;
        let is_usual = value.as_str().is_some_and(|value| usual.contains(&value));
        (!is_usual).then(|| ((*name).to_owned(), value.clone()))
    };
    SETTABLE.iter().filter_map(shown).collect()
}

/// Takes an attribute away from a queue.
pub(super) async fn clear(calls: &Calls<'_>, members: &Members, name: &str) -> Result<Value, Refusal> {
    let mut asked = only(members, &["QueueUrl"]);
    asked.insert("Attributes".to_owned(), json!({ name: "" }));
    calls.ask("SetQueueAttributes", asked.into()).await?;
    Ok(nothing())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_that_nobody_set_are_left_out() {
        let shown = json!({
            "QueueArn": "arn:aws:sqs:eu-central-1:1:q",
            "VisibilityTimeout": "30",
            "DelaySeconds": "5",
            "SqsManagedSseEnabled": "false",
            "KmsMasterKeyId": "key",
            "MaximumMessageSize": "1024",
        });
        let expected = json!({ "DelaySeconds": "5", "KmsMasterKeyId": "key", "MaximumMessageSize": "1024" });
        assert_eq!(Value::Object(set(&shown)), expected);
    }
}
