//! Alarms one by one: the service shows and removes them in groups.

use serde_json::{Value, json};

use super::{Calls, items};
use crate::aws::error::Refusal;
use crate::aws::exchange::Members;

/// An alarm.
pub(super) async fn one(calls: &Calls<'_>, members: &Members) -> Result<Value, Refusal> {
    let asked = json!({ "AlarmNames": [members.get("AlarmName")], "AlarmTypes": ["MetricAlarm"] });
    let answer = calls.ask("DescribeAlarms", asked).await?;
    let alarm = items(&answer, "MetricAlarms").first();
    Ok(json!({ "Alarm": alarm.ok_or_else(|| Refusal::gone("there is no such alarm"))? }))
}

/// Removes an alarm.
pub(super) async fn delete(calls: &Calls<'_>, members: &Members) -> Result<Value, Refusal> {
    calls.ask("DeleteAlarms", json!({ "AlarmNames": [members.get("AlarmName")] })).await
}
