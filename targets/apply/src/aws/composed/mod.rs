//! What services show or change in several calls only, or in other words than those of documents, told as one operation.

mod alarms;
mod budgets;
mod events;
mod functions;
mod logs;
mod organizations;
pub(super) mod queues;
mod tables;
pub(super) mod topics;
mod trails;

use aws_config::SdkConfig;
use serde_json::{Value, json};

use super::AwsPlace;
use super::error::Refusal;
use super::exchange::Members;
use super::services::Service;

/// Asks a service for an operation of its own, or for one of these.
pub(super) async fn ask(
    (service, config, place): (Service, &SdkConfig, &AwsPlace),
    operation: &str,
    members: Members,
) -> Result<Value, Refusal> {
    let calls = Calls { service, config, place };
    match operation {
        "ClearQueuePolicy" => queues::clear(&calls, &members, "Policy").await,
        "ClearQueueRedrive" => queues::clear(&calls, &members, "RedrivePolicy").await,
        "ResetQueue" => queues::reset(&calls, &members).await,
        "ShowQueue" => queues::show(&calls, &members).await,
        "ListPermissions" => functions::permissions(&calls, members).await,
        "ClearTargets" => events::clear(&calls, &members).await,
        "ListAllRules" => events::rules(&calls, &members).await,
        "SetTargets" => events::set(&calls, &members).await,
        "ClearTimeToLive" => tables::clear(&calls, members).await,
        "DescribeLogGroup" => logs::group(&calls, &members).await,
        "DescribeLogStream" => logs::stream(&calls, &members).await,
        "ShowLogPolicy" => logs::policy(&calls, &members).await,
        "ListSubscriptionsTo" => topics::subscriptions(&calls, &members).await,
        "SetSubscription" => topics::set(&calls, &members).await,
        "DeleteAlarm" => alarms::delete(&calls, &members).await,
        "DescribeAlarm" => alarms::one(&calls, &members).await,
        "SetBudget" => budgets::set(&calls, &members).await,
        "ShowBudget" => budgets::show(&calls, &members).await,
        "ShowBudgetAction" => budgets::action(&calls, members).await,
        "ClearTraceDestination" => {
            calls.ask("UpdateTraceSegmentDestination", json!({ "Destination": "XRay" })).await
        }
        "ClearSelectors" => trails::clear(&calls, &members).await,
        "ListOwnTrails" => trails::own(&calls).await,
        "ListTrailLogging" => trails::logging(&calls, members).await,
        "ListTrailTags" => trails::tags(&calls, &members).await,
        "RemoveTrailTags" => trails::untag(&calls, &members).await,
        "CreateControlPolicy" => organizations::create(&calls, members).await,
        "DeleteControlPolicy" => organizations::delete(&calls, &members).await,
        "SetControlPolicy" => organizations::set(&calls, members).await,
        "ShowControlPolicy" => organizations::show(&calls, &members).await,
        _ => service.ask(config, operation, members).await,
    }
}

/// A service that is asked.
struct Calls<'a> {
    service: Service,
    config: &'a SdkConfig,
    place: &'a AwsPlace,
}

impl Calls<'_> {
    async fn ask(&self, operation: &str, members: Value) -> Result<Value, Refusal> {
        let members = serde_json::from_value(members).map_err(Refusal::unreadable)?;
        self.service.ask(self.config, operation, members).await
    }

    /// All items of a list, page after page; pages go on under this member.
    async fn all(
        &self,
        (operation, token): (&str, &str),
        members: Value,
        place: &str,
    ) -> Result<Vec<Value>, Refusal> {
        let mut members = members;
        let mut all = Vec::new();
        loop {
            let page = self.ask(operation, members.clone()).await?;
            all.extend(items(&page, place).iter().cloned());
            match (page.get(token).and_then(Value::as_str), &mut members) {
                (Some(next), Value::Object(members)) if !next.is_empty() => {
                    members.insert(token.to_owned(), next.into());
                }
                _ => return Ok(all),
            }
        }
    }
}

/// The items of a list in an answer.
fn items<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Some members of a request.
fn only(members: &Members, names: &[&str]) -> Members {
    let named = members.iter().filter(|(name, _)| names.contains(&name.as_str()));
    named.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// A member as a text.
fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or("")
}

fn nothing() -> Value {
    json!({})
}
