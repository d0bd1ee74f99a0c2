//! Amazon SNS. It is asked in forms and answers in XML, so that its few operations are told member by member.

use std::collections::HashMap;

use aws_config::SdkConfig;
use serde_json::{Value, json};

use crate::aws::error::Refusal;
use crate::aws::exchange::{Members, apart};

/// Asks the service.
pub(in crate::aws) async fn ask(
    config: &SdkConfig,
    operation: &str,
    members: Members,
) -> Result<Value, Refusal> {
    let client = aws_sdk_sns::Client::new(config);
    let text = |name: &str| apart::<String>(&members, name);
    match operation {
        "GetSubscriptionAttributes" => {
            let call = client.get_subscription_attributes().set_subscription_arn(text("SubscriptionArn"));
            let answer = call.send().await.map_err(Refusal::of)?;
            Ok(json!({ "Attributes": answer.attributes() }))
        }
        "ListSubscriptions" => {
            let call = client.list_subscriptions().set_next_token(text("NextToken"));
            let answer = call.send().await.map_err(Refusal::of)?;
            let told = answer.subscriptions().iter().map(|one| {
                json!({
                    "Endpoint": one.endpoint(),
                    "Protocol": one.protocol(),
                    "SubscriptionArn": one.subscription_arn(),
                    "TopicArn": one.topic_arn(),
                })
            });
            Ok(json!({ "Subscriptions": told.collect::<Vec<_>>(), "NextToken": answer.next_token() }))
        }
        "SetSubscriptionAttributes" => {
            let call = client.set_subscription_attributes().set_subscription_arn(text("SubscriptionArn"));
            let call = call.set_attribute_name(text("AttributeName"));
            let call = call.set_attribute_value(text("AttributeValue"));
            call.send().await.map_err(Refusal::of)?;
            Ok(json!({}))
        }
        "Subscribe" => {
            let call = client.subscribe().set_topic_arn(text("TopicArn")).set_protocol(text("Protocol"));
            let call = call.set_endpoint(text("Endpoint"));
            let call = call.set_attributes(apart::<HashMap<String, String>>(&members, "Attributes"));
            let call = call.set_return_subscription_arn(apart(&members, "ReturnSubscriptionArn"));
            let answer = call.send().await.map_err(Refusal::of)?;
            Ok(json!({ "SubscriptionArn": answer.subscription_arn() }))
        }
        "Unsubscribe" => {
            let call = client.unsubscribe().set_subscription_arn(text("SubscriptionArn"));
            call.send().await.map_err(Refusal::of)?;
            Ok(json!({}))
        }
        other => Err(Refusal::unreadable(format!("`{other}` is no operation that is asked of Amazon SNS"))),
    }
}
