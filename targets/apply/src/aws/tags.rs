//! Tags, which some services keep as a map and others as a list of pairs.

use std::collections::BTreeMap;

use serde_json::Value;

use super::AwsPlace;
use super::exchange::Members;
use super::life::Tags;

/// Whether a tag is one of those that AWS itself sets, and nobody else can set or take away (AWS General Reference, "Tagging your
/// AWS resources").
pub(super) fn is_of_aws(key: &str) -> bool {
    key.starts_with("aws:")
}

/// The tags that somebody has set.
pub(super) fn own(mut tags: BTreeMap<String, String>) -> BTreeMap<String, String> {
    tags.retain(|key, _| !is_of_aws(key));
    tags
}

impl Tags {
    /// Tags as documents and answers write them, by key.
    pub(super) fn read(&self, value: &Value) -> BTreeMap<String, String> {
        let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or("").to_owned();
        match (self.pair, value) {
            (Some((key, own)), Value::Array(items)) => {
                items.iter().map(|item| (text(item.get(key)), text(item.get(own)))).collect()
            }
            (None, Value::Object(members)) => {
                members.iter().map(|(key, value)| (key.clone(), text(Some(value)))).collect()
            }
            _ => BTreeMap::new(),
        }
    }

    /// Tags as requests write them.
    pub(super) fn written(&self, tags: &BTreeMap<String, String>) -> Value {
        match self.pair {
            Some((name, own)) => {
                tags.iter().map(|(key, value)| serde_json::json!({ name: key, own: value })).collect()
            }
            None => tags.iter().map(|(key, value)| (key.clone(), Value::from(value.as_str()))).collect(),
        }
    }

    /// Puts a list of tags into the order of a document that says the same ones.
    pub(super) fn order(&self, members: &mut Members, wanted: &Value) {
        let Some(wanted) = wanted.get(self.member) else { return };
        if members.get(self.member).is_some_and(|found| self.read(found) == self.read(wanted)) {
            members.insert(self.member.to_owned(), wanted.clone());
        }
    }
}

impl AwsPlace {
    /// Whether tags mark something as ours.
    pub(super) fn marks(&self, tags: &BTreeMap<String, String>) -> bool {
        self.mark().tags().into_iter().all(|(key, value)| tags.get(key).is_some_and(|found| found == value))
    }
}
