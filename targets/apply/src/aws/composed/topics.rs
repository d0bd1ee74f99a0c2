//! Subscriptions of functions to topics of others.

use serde_json::{Value, json};

use super::{Calls, nothing, text};
use crate::aws::error::Refusal;
use crate::aws::exchange::Members;

/// Attributes of a subscription that somebody can set.
pub(in crate::aws) const SETTABLE: &[&str] = &[
    "DeliveryPolicy",
    "FilterPolicy",
    "FilterPolicyScope",
    "RawMessageDelivery",
    "RedrivePolicy",
    "ReplayPolicy",
    "SubscriptionRoleArn",
];

/// The subscriptions whose endpoint is a function.
pub(super) async fn subscriptions(calls: &Calls<'_>, members: &Members) -> Result<Value, Refusal> {
    let name = members.get("FunctionName").and_then(Value::as_str).unwrap_or("");
    let end = format!(":function:{name}");
    let mut found = calls.all(("ListSubscriptions", "NextToken"), nothing(), "Subscriptions").await?;
    found.retain(|one| text(one, "Endpoint").ends_with(&end));
    Ok(json!({ "Subscriptions": found }))
}

/// Sets the attributes of a subscription, and takes the others away.
pub(super) async fn set(calls: &Calls<'_>, members: &Members) -> Result<Value, Refusal> {
    let arn = members.get("SubscriptionArn").cloned().unwrap_or_default();
    let shown = calls.ask("GetSubscriptionAttributes", json!({ "SubscriptionArn": arn })).await?;
    let shown = shown.get("Attributes").unwrap_or(&Value::Null);
    for (name, value) in changes(members.get("Attributes").unwrap_or(&Value::Null), shown) {
        let asked = json!({ "SubscriptionArn": arn, "AttributeName": name, "AttributeValue": value });
        calls.ask("SetSubscriptionAttributes", asked).await?;
    }
    Ok(nothing())
}

/// What each attribute is set to.
fn changes(wanted: &Value, shown: &Value) -> Vec<(&'static str, String)> {
    let told = |name: &&'static str| match (wanted.get(*name), shown.get(*name)) {
        (Some(value), found) if Some(value) != found => {
            Some((*name, value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
        }
        (None, Some(_)) => Some((*name, usual(name).to_owned())),
        (None | Some(_), _) => None,
    };
    SETTABLE.iter().filter_map(told).collect()
}

/// What an attribute says where nobody has set it.
pub(in crate::aws) fn usual(name: &str) -> &'static str {
    match name {
        "RawMessageDelivery" => "false",
        "FilterPolicyScope" => "MessageAttributes",
        "FilterPolicy" | "RedrivePolicy" | "DeliveryPolicy" | "ReplayPolicy" => "{}",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_set_and_what_nobody_wants_is_cleared() {
        let wanted = json!({ "RedrivePolicy": "{\"a\":1}", "SubscriptionRoleArn": "r" });
        let shown = json!({ "RawMessageDelivery": "true", "SubscriptionRoleArn": "r", "Owner": "1" });
        let expected =
            [("RawMessageDelivery", "false".to_owned()), ("RedrivePolicy", "{\"a\":1}".to_owned())];
        assert_eq!(changes(&wanted, &shown), expected);
    }
}
