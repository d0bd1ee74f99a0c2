//! Log groups, streams and policies by name: the service lists them by how names begin, or all.

use serde_json::{Value, json};

use super::{Calls, nothing, text};
use crate::aws::error::Refusal;
use crate::aws::exchange::Members;

/// A log group.
pub(super) async fn group(calls: &Calls<'_>, members: &Members) -> Result<Value, Refusal> {
    let name = members.get("logGroupName").and_then(Value::as_str).unwrap_or("");
    let asked = json!({ "logGroupNamePrefix": name });
    let found = calls.all(("DescribeLogGroups", "nextToken"), asked, "logGroups").await?;
    one(found, ("logGroupName", name), "logGroup")
}

/// A stream of a log group.
pub(super) async fn stream(calls: &Calls<'_>, members: &Members) -> Result<Value, Refusal> {
    let name = members.get("logStreamName").and_then(Value::as_str).unwrap_or("");
    let asked = json!({ "logGroupName": members.get("logGroupName"), "logStreamNamePrefix": name });
    let found = calls.all(("DescribeLogStreams", "nextToken"), asked, "logStreams").await?;
    one(found, ("logStreamName", name), "logStream")
}

/// A policy of the logs of a region.
pub(super) async fn policy(calls: &Calls<'_>, members: &Members) -> Result<Value, Refusal> {
    let name = members.get("policyName").and_then(Value::as_str).unwrap_or("");
    let found = calls.all(("DescribeResourcePolicies", "nextToken"), nothing(), "resourcePolicies").await?;
    one(found, ("policyName", name), "resourcePolicy")
}

/// What has a name and not only a beginning of it.
fn one(found: Vec<Value>, (key, name): (&str, &str), under: &str) -> Result<Value, Refusal> {
    let one = found.into_iter().find(|one| text(one, key) == name);
    let one = one.ok_or_else(|| Refusal::gone(&format!("there is no `{name}`")))?;
    Ok(json!({ under: one }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_only_begins_so_is_another() {
        let found = || vec![json!({ "logGroupName": "/a/b-c" }), json!({ "logGroupName": "/a/b" })];
        let told = one(found(), ("logGroupName", "/a/b"), "logGroup").unwrap();
        assert_eq!(told, json!({ "logGroup": { "logGroupName": "/a/b" } }));
        assert!(one(found(), ("logGroupName", "/a"), "logGroup").unwrap_err().is_gone());
    }
}
