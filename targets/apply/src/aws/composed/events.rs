//! Rules of all event buses, and the targets of one as a whole.

use serde_json::{Value, json};

use super::{Calls, items, nothing, only, text};
use crate::aws::error::Refusal;
use crate::aws::exchange::Members;

/// The rules of all buses whose names begin as asked.
pub(super) async fn rules(calls: &Calls<'_>, members: &Members) -> Result<Value, Refusal> {
    let mut all = Vec::new();
    for bus in calls.all(("ListEventBuses", "NextToken"), nothing(), "EventBuses").await? {
        let mut asked = only(members, &["NamePrefix"]);
        asked.insert("EventBusName".to_owned(), text(&bus, "Name").into());
        all.extend(calls.all(("ListRules", "NextToken"), asked.into(), "Rules").await?);
    }
    Ok(json!({ "Rules": all }))
}

/// Makes these the targets of a rule, and no others.
pub(super) async fn set(calls: &Calls<'_>, members: &Members) -> Result<Value, Refusal> {
    let answer = calls.ask("PutTargets", members.clone().into()).await?;
    whole(&answer)?;
    let wanted: Vec<&str> = members
        .get("Targets")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .map(|one| text(one, "Id"))
        .collect();
    remove(calls, members, |id| !wanted.contains(&id)).await
}

/// Takes all targets away from a rule.
pub(super) async fn clear(calls: &Calls<'_>, members: &Members) -> Result<Value, Refusal> {
    remove(calls, members, |_| true).await
}

async fn remove(
    calls: &Calls<'_>,
    members: &Members,
    which: impl Fn(&str) -> bool,
) -> Result<Value, Refusal> {
    let rule = only(members, &["Rule", "EventBusName"]);
    let found = calls.all(("ListTargetsByRule", "NextToken"), rule.clone().into(), "Targets").await?;
    let gone: Vec<&str> = found.iter().map(|one| text(one, "Id")).filter(|id| which(id)).collect();
    if !gone.is_empty() {
        let mut asked = rule;
        asked.insert("Ids".to_owned(), gone.into());
        whole(&calls.ask("RemoveTargets", asked.into()).await?)?;
    }
    Ok(nothing())
}

/// The service says yes also where it refuses some of the targets.
fn whole(answer: &Value) -> Result<(), Refusal> {
    match items(answer, "FailedEntries") {
        [] => Ok(()),
        failed => Err(Refusal::unreadable(format!("targets are refused: {}", json!(failed)))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_yes_with_refused_targets_is_a_no() {
        assert!(whole(&json!({ "FailedEntryCount": 0, "FailedEntries": [] })).is_ok());
        let failed =
            json!({ "FailedEntryCount": 1, "FailedEntries": [{ "TargetId": "a", "ErrorCode": "no" }] });
        assert!(whole(&failed).is_err());
    }
}
