//! Plain values as Cedar values. They are made as values, not as expressions that Cedar would have to evaluate first.

use cedar_policy::{Context, EntityUid, RestrictedExpression};
pub(super) use cedar_policy_core::ast::Value;
use cedar_policy_core::ast::{self, Literal};

use super::entities::uid_of;
use crate::model::data_class::DataClassSpec;
use crate::model::{Ref, Spec};
use crate::resolve::{Graph, class_rank};

pub(super) fn string(text: &str) -> Value {
    Value::from(text)
}

pub(super) fn bool(value: bool) -> Value {
    Value::from(value)
}

pub(super) fn long(value: u32) -> Value {
    Value::from(i64::from(value))
}

/// A number that may be larger than Cedar's, which then is the largest one.
pub(super) fn clamped(value: u64) -> Value {
    Value::from(i64::try_from(value).unwrap_or(i64::MAX))
}

/// A day, as its first instant. Only Cedar can make one, and it says why where it cannot.
pub(super) fn datetime(day: &str) -> Result<Value, String> {
    const KEY: &str = "day";
    let pair = (KEY.to_owned(), RestrictedExpression::new_datetime(day));
    let context = Context::from_pairs([pair]).map_err(|error| error.to_string())?;
    let value = match context.as_ref() {
        ast::Context::Value(values) => values.get(KEY).cloned(),
        ast::Context::RestrictedResidual(_) => None,
    };
    value.ok_or_else(|| format!("`{day}` is not a day"))
}

pub(super) fn entity(uid: EntityUid) -> Value {
    Value::from(ast::EntityUID::from(uid))
}

pub(super) fn set<'a>(texts: impl IntoIterator<Item = &'a str>) -> Value {
    Value::set_of_lits(texts.into_iter().map(Literal::from), None)
}

/// The entities of references that resolved.
pub(super) fn entities<S: Spec>(graph: &Graph, references: &[Ref<S>]) -> Value {
    let ids = references.iter().filter_map(Ref::id);
    Value::set_of_lits(ids.map(|id| Literal::from(ast::EntityUID::from(uid_of(graph, id)))), None)
}

/// The names of classes.
pub(super) fn class_names(classes: &[Ref<DataClassSpec>]) -> Value {
    set(classes.iter().map(|class| class.name.value.as_str()))
}

/// The rank of the most sensitive of several classes.
pub(super) fn class_rank_of(graph: &Graph, classes: &[Ref<DataClassSpec>]) -> u32 {
    classes.iter().filter_map(Ref::id).map(|class| class_rank(graph, class)).max().unwrap_or(0)
}

/// A record.
pub(super) fn record<const N: usize>(pairs: [(&'static str, Value); N]) -> Value {
    Value::record(pairs, None)
}

/// Keys with their values, as a context.
pub(super) fn context<'k>(pairs: impl IntoIterator<Item = (&'k str, Value)>) -> Context {
    let values = pairs.into_iter().map(|(key, value)| (key.into(), value)).collect();
    Context::from(ast::Context::Value(std::sync::Arc::new(values)))
}
