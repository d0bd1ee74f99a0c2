//! Plain values as Cedar values.

use cedar_policy::{EntityUid, RestrictedExpression as Value};

use super::entities::uid_of;
use crate::model::data_class::DataClassSpec;
use crate::model::{Ref, Spec};
use crate::resolve::{Graph, class_rank};

pub(super) fn string(text: &str) -> Value {
    Value::new_string(text.to_owned())
}

pub(super) fn bool(value: bool) -> Value {
    Value::new_bool(value)
}

pub(super) fn long(value: u32) -> Value {
    Value::new_long(i64::from(value))
}

/// A number that may be larger than Cedar's, which then is the largest one.
pub(super) fn clamped(value: u64) -> Value {
    Value::new_long(i64::try_from(value).unwrap_or(i64::MAX))
}

/// A day, as its first instant.
pub(super) fn datetime(day: &str) -> Value {
    Value::new_datetime(day)
}

pub(super) fn entity(uid: EntityUid) -> Value {
    Value::new_entity_uid(uid)
}

pub(super) fn set<'a>(texts: impl IntoIterator<Item = &'a str>) -> Value {
    Value::new_set(texts.into_iter().map(string))
}

/// The entities of references that resolved.
pub(super) fn entities<S: Spec>(graph: &Graph, references: &[Ref<S>]) -> Value {
    let ids = references.iter().filter_map(Ref::id);
    Value::new_set(ids.map(|id| entity(uid_of(graph, id))))
}

/// The names of classes.
pub(super) fn class_names(classes: &[Ref<DataClassSpec>]) -> Value {
    set(classes.iter().map(|class| class.name.value.as_str()))
}

/// The rank of the most sensitive of several classes.
pub(super) fn class_rank_of(graph: &Graph, classes: &[Ref<DataClassSpec>]) -> u32 {
    classes.iter().filter_map(Ref::id).map(|class| class_rank(graph, class)).max().unwrap_or(0)
}

/// A record from pairs whose keys differ.
pub(super) fn record(pairs: Vec<(String, Value)>) -> Value {
    #[expect(clippy::expect_used, reason = "the keys are words of the schema, each written once")]
    Value::new_record(pairs).expect("different keys")
}
