//! Tables: when items end is taken away by saying so of the attribute that says it.

use serde_json::{Value, json};

use super::Calls;
use crate::aws::error::Refusal;
use crate::aws::exchange::Members;
use crate::aws::reference::at;

/// Lets the items of a table live for ever.
pub(super) async fn clear(calls: &Calls<'_>, members: Members) -> Result<Value, Refusal> {
    let shown = calls.ask("DescribeTimeToLive", members.clone().into()).await?;
    let attribute = at(&shown, "TimeToLiveDescription.AttributeName");
    let mut asked = members;
    let specification = json!({ "Enabled": false, "AttributeName": attribute });
    asked.insert("TimeToLiveSpecification".to_owned(), specification);
    calls.ask("UpdateTimeToLive", asked.into()).await
}
