//! Trails of a region, and what is said about them elsewhere: their tags, whether they log, and what.

use serde_json::{Value, json};

use super::{Calls, items, text};
use crate::aws::error::Refusal;
use crate::aws::exchange::Members;

/// The trails whose home is the region that is asked.
pub(super) async fn own(calls: &Calls<'_>) -> Result<Value, Refusal> {
    calls.ask("DescribeTrails", json!({ "includeShadowTrails": false })).await
}

/// The tags of a trail.
pub(super) async fn tags(calls: &Calls<'_>, members: &Members) -> Result<Value, Refusal> {
    let asked = json!({ "ResourceIdList": [members.get("ResourceId")] });
    let found = calls.all(("ListTags", "NextToken"), asked, "ResourceTagList").await?;
    let all: Vec<&Value> = found.iter().flat_map(|one| items(one, "TagsList")).collect();
    Ok(json!({ "TagsList": all }))
}

/// Takes tags away from a trail.
pub(super) async fn untag(calls: &Calls<'_>, members: &Members) -> Result<Value, Refusal> {
    let keys = members.get("TagKeys").and_then(Value::as_array).into_iter().flatten();
    let keys: Vec<Value> = keys.map(|key| json!({ "Key": key })).collect();
    let asked = json!({ "ResourceId": members.get("ResourceId"), "TagsList": keys });
    calls.ask("RemoveTags", asked).await
}

/// A trail that logs; nothing for one that does not.
pub(super) async fn logging(calls: &Calls<'_>, members: Members) -> Result<Value, Refusal> {
    let status = calls.ask("GetTrailStatus", members.clone().into()).await?;
    let logs = status.get("IsLogging").is_some_and(|logs| logs == true);
    let name = logs.then(|| json!({ "Name": members.get("Name") }));
    Ok(json!({ "Logging": name.into_iter().collect::<Vec<_>>() }))
}

/// Lets a trail log what it logs where nobody says anything: every event of management.
pub(super) async fn clear(calls: &Calls<'_>, members: &Members) -> Result<Value, Refusal> {
    let name = text(&json!(members), "TrailName").to_owned();
    let usual = json!([{ "ReadWriteType": "All", "IncludeManagementEvents": true, "DataResources": [] }]);
    calls.ask("PutEventSelectors", json!({ "TrailName": name, "EventSelectors": usual })).await
}
