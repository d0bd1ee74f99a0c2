//! Whether two documents mean the same, and what is to be done about it.

use super::{Action, Actual, Change, Desired, DesiredDocument, EffectClass, Observed, Reason};
use crate::artifact::{Address, Document, Format};

/// Members of a document whose order means nothing to the service that they are for.
const SETS: &[&str] = &["AttachedManagedPolicies", "Tags"];

/// Whether two documents mean the same: JSON without regard to the order of keys; policy documents, tags and attached
/// policies as sets.
pub fn equivalent(left: &Document, right: &Document) -> bool {
    if left.text == right.text {
        return left.format == right.format;
    }
    let read = |document: &Document| match document.format {
        Format::Json => serde_json::from_str::<serde_json::Value>(&document.text).ok().map(canonical),
        Format::Yaml | Format::Text => None,
    };
    left.format == right.format && read(left).is_some_and(|value| Some(value) == read(right))
}

/// Policy documents inside a document take their canonical form.
fn canonical(value: serde_json::Value) -> serde_json::Value {
    use serde_json::Value;
    match value {
        Value::Object(map) if map.contains_key("Statement") => policy(Value::Object(map)),
        Value::Object(map) => map.into_iter().map(member).collect(),
        Value::Array(items) => items.into_iter().map(canonical).collect(),
        other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => other,
    }
}

fn member((key, value): (String, serde_json::Value)) -> (String, serde_json::Value) {
    let mut value = canonical(value);
    if let (true, Some(items)) = (SETS.contains(&key.as_str()), value.as_array_mut()) {
        items.sort_by_cached_key(ToString::to_string);
    }
    (key, value)
}

fn policy(value: serde_json::Value) -> serde_json::Value {
    match aipolicy_iam::read(&value.to_string()) {
        Ok(document) => format!("{:?}", document.canonical()).into(),
        Err(_) => value,
    }
}

/// What is to be done so that a document exists as it should.
pub(super) fn wanted(address: &Address, wanted: &DesiredDocument, actual: &Actual) -> Option<Change> {
    let found = actual.documents.get(address);
    if found.is_some_and(|found| !found.owned || equivalent(&found.document, &wanted.document)) {
        return None;
    }
    Some(change(wanted, found, reason(address, found, Some(&wanted.document), actual)))
}

/// The change that makes a document what it should be.
pub(super) fn change(wanted: &DesiredDocument, found: Option<&Observed>, reason: Reason) -> Change {
    Change {
        address: wanted.document.address.clone(),
        action: if found.is_some() { Action::Update } else { Action::Create },
        reason,
        effect: EffectClass::Neutral,
        before: found.map(|found| found.document.clone()),
        after: Some(wanted.document.clone()),
        after_changes: wanted.needs.clone(),
        origins: wanted.origins.clone(),
    }
}

/// What is to be done about a document of ours that should no longer exist.
pub(super) fn gone(
    address: &Address,
    found: &Observed,
    desired: &Desired,
    actual: &Actual,
) -> Option<Change> {
    let kept = desired.documents.contains_key(address) || !found.owned;
    (!kept).then(|| Change {
        address: address.clone(),
        action: Action::Delete,
        reason: reason(address, Some(found), None, actual),
        effect: EffectClass::Neutral,
        before: Some(found.document.clone()),
        after: None,
        after_changes: Vec::new(),
        origins: Vec::new(),
    })
}

fn reason(address: &Address, found: Option<&Observed>, wanted: Option<&Document>, actual: &Actual) -> Reason {
    let last = actual.last_applied.get(address);
    let drifted = last != found.map(|found| found.document.digest()).as_ref();
    let asked = last != wanted.map(Document::digest).as_ref();
    match (asked, drifted) {
        (true, true) => Reason::SourcesAndDrift,
        (false, _) => Reason::Drift,
        (true, false) => Reason::Sources,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(text: &str) -> Document {
        Document { address: "iam/Policy/p".parse().unwrap(), format: Format::Json, text: text.into() }
    }

    #[test]
    fn a_policy_that_says_the_same_is_no_change() {
        let left = document(
            r#"{"P":{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":"*"}]}}"#,
        );
        let right = document(
            r#"{"P":{"Version":"2012-10-17","Statement":{"Resource":["*"],"Effect":"Allow","Action":["S3:PutObject","s3:GetObject"]}}}"#,
        );
        assert!(equivalent(&left, &right));
        let other = document(
            r#"{"P":{"Version":"2012-10-17","Statement":{"Resource":["*"],"Effect":"Allow","Action":["s3:PutObject"]}}}"#,
        );
        assert!(!equivalent(&left, &other));
    }

    #[test]
    fn tags_and_attached_policies_are_sets() {
        let left = document(
            r#"{"Tags":[{"Key":"a","Value":"1"},{"Key":"b","Value":"2"}],"AttachedManagedPolicies":["x","y"]}"#,
        );
        let right = document(
            r#"{"Tags":[{"Value":"2","Key":"b"},{"Key":"a","Value":"1"}],"AttachedManagedPolicies":["y","x"]}"#,
        );
        assert!(equivalent(&left, &right));
        let other = document(
            r#"{"Tags":[{"Key":"a","Value":"1"},{"Key":"b","Value":"2"}],"AttachedManagedPolicies":["x","x"]}"#,
        );
        assert!(!equivalent(&left, &other));
    }

    #[test]
    fn an_order_of_keys_is_no_change_and_a_value_is() {
        assert!(equivalent(&document(r#"{"a":1,"b":[1,2]}"#), &document(r#"{"b":[1,2],"a":1}"#)));
        assert!(!equivalent(&document(r#"{"a":1,"b":[1,2]}"#), &document(r#"{"b":[2,1],"a":1}"#)));
    }
}
