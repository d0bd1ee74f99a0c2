//! Policies of an organization with what they are attached to.

use serde_json::{Value, json};

use super::{Calls, nothing, only, text};
use crate::aws::error::Refusal;
use crate::aws::exchange::Members;
use crate::aws::reference::at;

/// A policy: what it says, and where it applies.
pub(super) async fn show(calls: &Calls<'_>, members: &Members) -> Result<Value, Refusal> {
    let answer = calls.ask("DescribePolicy", members.clone().into()).await?;
    let mut told =
        at(&answer, "Policy.PolicySummary").and_then(Value::as_object).cloned().unwrap_or_default();
    let content = at(&answer, "Policy.Content").cloned().unwrap_or_default();
    told.insert("Content".to_owned(), content);
    told.insert("TargetIds".to_owned(), targets(calls, members).await?.into());
    Ok(told.into())
}

async fn targets(calls: &Calls<'_>, members: &Members) -> Result<Vec<String>, Refusal> {
    let found = calls.all(("ListTargetsForPolicy", "NextToken"), members.clone().into(), "Targets").await?;
    let mut all: Vec<String> = found.iter().map(|one| text(one, "TargetId").to_owned()).collect();
    all.sort();
    Ok(all)
}

/// Makes a policy, and attaches it.
pub(super) async fn create(calls: &Calls<'_>, members: Members) -> Result<Value, Refusal> {
    let own = only(&members, &["Content", "Description", "Name", "Tags", "Type"]);
    let answer = calls.ask("CreatePolicy", own.into()).await?;
    let key = at(&answer, "Policy.PolicySummary.Id").cloned().unwrap_or_default();
    let keys = Members::from_iter([("PolicyId".to_owned(), key)]);
    attach(calls, &keys, &members).await?;
    Ok(json!({ "Id": keys.get("PolicyId") }))
}

/// Changes a policy, and where it applies.
pub(super) async fn set(calls: &Calls<'_>, members: Members) -> Result<Value, Refusal> {
    let keys = only(&members, &["PolicyId"]);
    let own = only(&members, &["Content", "Description", "Name", "PolicyId"]);
    calls.ask("UpdatePolicy", own.into()).await?;
    attach(calls, &keys, &members).await?;
    Ok(nothing())
}

/// Removes a policy, which applies nowhere any more then.
pub(super) async fn delete(calls: &Calls<'_>, members: &Members) -> Result<Value, Refusal> {
    attach(calls, members, &Members::new()).await?;
    calls.ask("DeletePolicy", members.clone().into()).await
}

async fn attach(calls: &Calls<'_>, keys: &Members, members: &Members) -> Result<(), Refusal> {
    let found = targets(calls, keys).await?;
    let wanted = members.get("TargetIds").and_then(Value::as_array).into_iter().flatten();
    let wanted: Vec<&str> = wanted.filter_map(Value::as_str).collect();
    let about = |target: &str| {
        let target = [("TargetId".to_owned(), Value::from(target))];
        Value::Object(keys.clone().into_iter().chain(target).collect())
    };
    for target in wanted.iter().filter(|target| !found.iter().any(|one| one == *target)) {
        calls.ask("AttachPolicy", about(target)).await?;
    }
    for target in found.iter().filter(|target| !wanted.contains(&target.as_str())) {
        calls.ask("DetachPolicy", about(target)).await?;
    }
    Ok(())
}
