//! Budgets with what they notify, and their actions, each with its ARN, which the service does not show.

use serde_json::{Value, json};

use super::{Calls, items, nothing, only, text};
use crate::aws::error::Refusal;
use crate::aws::exchange::Members;

/// A budget with its notifications and their subscribers.
pub(super) async fn show(calls: &Calls<'_>, members: &Members) -> Result<Value, Refusal> {
    let budget = calls.ask("DescribeBudget", members.clone().into()).await?;
    let notified = notified(calls, members).await?;
    let name = members.get("BudgetName").and_then(Value::as_str).unwrap_or("");
    Ok(json!({
        "AccountId": members.get("AccountId"),
        "Budget": budget.get("Budget"),
        "NotificationsWithSubscribers": notified,
        "arn": arn(calls, name),
    }))
}

fn arn(calls: &Calls<'_>, name: &str) -> String {
    format!("arn:{}:budgets::{}:budget/{name}", calls.place.partition, calls.place.account)
}

async fn notified(calls: &Calls<'_>, members: &Members) -> Result<Vec<Value>, Refusal> {
    let asked = only(members, &["AccountId", "BudgetName"]);
    let listed = ("DescribeNotificationsForBudget", "NextToken");
    let mut all = Vec::new();
    for notification in calls.all(listed, asked.clone().into(), "Notifications").await? {
        let mut about = asked.clone();
        about.insert("Notification".to_owned(), notification.clone());
        let listed = ("DescribeSubscribersForNotification", "NextToken");
        let subscribers = calls.all(listed, about.into(), "Subscribers").await?;
        all.push(plain(&json!({ "Notification": notification, "Subscribers": subscribers })));
    }
    Ok(all)
}

/// A notification as somebody asks for it: without its state, and with what is meant where nothing is said.
fn plain(entry: &Value) -> Value {
    let mut entry = entry.clone();
    if let Some(notification) = entry.get_mut("Notification").and_then(Value::as_object_mut) {
        notification.remove("NotificationState");
        notification.entry("ThresholdType").or_insert_with(|| "PERCENTAGE".into());
        let threshold = notification.get("Threshold").and_then(Value::as_f64);
        notification.insert("Threshold".to_owned(), threshold.into());
    }
    entry
}

/// Changes a budget, and makes these its notifications.
pub(super) async fn set(calls: &Calls<'_>, members: &Members) -> Result<Value, Refusal> {
    let (account, budget) = (members.get("AccountId"), members.get("Budget"));
    calls.ask("UpdateBudget", json!({ "AccountId": account, "NewBudget": budget })).await?;
    let name = budget.map_or("", |budget| text(budget, "BudgetName"));
    let about = json!({ "AccountId": account, "BudgetName": name });
    let about: Members = serde_json::from_value(about).map_err(Refusal::unreadable)?;
    let found = notified(calls, &about).await?;
    let wanted = Value::Object(members.clone());
    let wanted: Vec<Value> = items(&wanted, "NotificationsWithSubscribers").iter().map(plain).collect();
    let members_of = |entry: &Value, names: &[&str]| {
        let own = entry.as_object().map(|entry| only(entry, names)).unwrap_or_default();
        Value::Object(about.clone().into_iter().chain(own).collect())
    };
    for entry in found.iter().filter(|entry| !wanted.contains(entry)) {
        calls.ask("DeleteNotification", members_of(entry, &["Notification"])).await?;
    }
    for entry in wanted.iter().filter(|entry| !found.contains(entry)) {
        calls.ask("CreateNotification", members_of(entry, &["Notification", "Subscribers"])).await?;
    }
    Ok(nothing())
}

/// An action of a budget.
pub(super) async fn action(calls: &Calls<'_>, members: Members) -> Result<Value, Refusal> {
    let key = members.get("ActionId").and_then(Value::as_str).unwrap_or("").to_owned();
    let name = members.get("BudgetName").and_then(Value::as_str).unwrap_or("").to_owned();
    let mut shown = calls.ask("DescribeBudgetAction", members.into()).await?;
    if let Some(action) = shown.get_mut("Action").and_then(Value::as_object_mut) {
        action.insert("arn".to_owned(), format!("{}/action/{key}", arn(calls, &name)).into());
    }
    Ok(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notification_is_told_as_it_was_asked_for() {
        let shown = json!({
            "Notification": { "NotificationState": "ALARM", "Threshold": 80, "NotificationType": "ACTUAL" },
            "Subscribers": [],
        });
        let wanted = json!({
            "Notification": { "Threshold": 80.0, "ThresholdType": "PERCENTAGE", "NotificationType": "ACTUAL" },
            "Subscribers": [],
        });
        assert_eq!(plain(&shown), plain(&wanted));
        assert_eq!(plain(&wanted), wanted);
    }
}
