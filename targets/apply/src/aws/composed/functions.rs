//! Permissions of functions: statements of the policy of one, in the words in which they were asked for.

use serde_json::{Map, Value, json};

use super::{Calls, items, text};
use crate::aws::error::Refusal;
use crate::aws::exchange::Members;

/// Who may call a function.
pub(super) async fn permissions(calls: &Calls<'_>, members: Members) -> Result<Value, Refusal> {
    let answer = calls.ask("GetPolicy", members.into()).await?;
    let policy: Value = serde_json::from_str(text(&answer, "Policy")).map_err(Refusal::unreadable)?;
    let told: Vec<Value> = items(&policy, "Statement").iter().map(permission).collect();
    Ok(json!({ "Permissions": told }))
}

/// A statement as `AddPermission` makes it. What it never makes is told as it is.
fn permission(statement: &Value) -> Value {
    let mut told = Map::new();
    let mut tell = |name: &str, value: &Value| drop(told.insert(name.to_owned(), value.clone()));
    for (key, value) in statement.as_object().into_iter().flatten() {
        match (key.as_str(), value) {
            ("Sid", _) => tell("StatementId", value),
            ("Effect", effect) if effect == "Allow" => {}
            ("Resource", _) => {}
            ("Principal", Value::Object(who)) => match (who.len(), who.get("Service"), who.get("AWS")) {
                (1, Some(one), None) | (1, None, Some(one)) => tell("Principal", one),
                _ => tell("Principal", value),
            },
            ("Condition", Value::Object(conditions)) => {
                let all = conditions.iter().flat_map(|(operator, tests)| {
                    tests.as_object().into_iter().flatten().map(move |(key, value)| (operator, key, value))
                });
                for (operator, key, value) in all {
                    match condition(operator, key) {
                        Some(name) => tell(name, value),
                        None => tell("Condition", &json!(conditions)),
                    }
                }
            }
            _ => tell(key, value),
        }
    }
    Value::Object(told)
}

/// The member of a request that a condition comes from.
fn condition(operator: &str, key: &str) -> Option<&'static str> {
    match (operator, key.to_ascii_lowercase().as_str()) {
        ("ArnLike", "aws:sourcearn") => Some("SourceArn"),
        ("StringEquals", "aws:sourceaccount") => Some("SourceAccount"),
        ("StringEquals", "lambda:eventsourcetoken") => Some("EventSourceToken"),
        ("StringEquals", "aws:principalorgid") => Some("PrincipalOrgID"),
        ("StringEquals", "lambda:functionurlauthtype") => Some("FunctionUrlAuthType"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_told_as_it_was_asked_for() {
        let statement = json!({
            "Sid": "aipolicy",
            "Effect": "Allow",
            "Principal": { "Service": "bedrock.amazonaws.com" },
            "Action": "lambda:InvokeFunction",
            "Resource": "arn:aws:lambda:eu-central-1:1:function:f",
            "Condition": {
                "StringEquals": { "AWS:SourceAccount": "1" },
                "ArnLike": { "AWS:SourceArn": "arn:a" },
            },
        });
        let expected = json!({
            "StatementId": "aipolicy",
            "Principal": "bedrock.amazonaws.com",
            "Action": "lambda:InvokeFunction",
            "SourceAccount": "1",
            "SourceArn": "arn:a",
        });
        assert_eq!(permission(&statement), expected);
    }

    #[test]
    fn what_was_not_asked_for_is_told_as_it_is() {
        let statement = json!({
            "Sid": "x",
            "Effect": "Deny",
            "Principal": { "AWS": "1", "Service": "s" },
            "NotAction": "a",
            "Condition": { "Bool": { "aws:SecureTransport": "true" } },
        });
        let expected = json!({
            "StatementId": "x",
            "Effect": "Deny",
            "Principal": { "AWS": "1", "Service": "s" },
            "NotAction": "a",
            "Condition": { "Bool": { "aws:SecureTransport": "true" } },
        });
        assert_eq!(permission(&statement), expected);
    }
}
