//! Conditions of statements: operators, keys, and values, each with where it comes from.

use std::collections::BTreeMap;

use aipolicy_iam::Conditions;

use crate::origin::Origin;
use crate::tree::Tree;

/// A condition: operator, key, and values, of which one has to match; each with where it comes from.
#[derive(Clone, Debug)]
pub(super) struct Condition {
    pub(super) operator: &'static str,
    pub(super) key: String,
    pub(super) values: Vec<(String, Origin)>,
}

impl Condition {
    /// A condition on one value of a key.
    pub(super) fn new(operator: &'static str, key: &str, value: impl Into<String>, origin: Origin) -> Self {
        Self::any(operator, key, [(value.into(), origin)])
    }

    /// A condition that a key has this value.
    pub(super) fn equals(key: &str, value: impl Into<String>, origin: Origin) -> Self {
        Self::new("StringEquals", key, value, origin)
    }

    /// A condition on several values of a key.
    pub(super) fn any(
        operator: &'static str,
        key: &str,
        values: impl IntoIterator<Item = (String, Origin)>,
    ) -> Self {
        Self { operator, key: key.to_owned(), values: values.into_iter().collect() }
    }

    /// The values, without where they come from.
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        self.values.iter().map(|(value, _)| value.as_str())
    }
}

/// Values with where they come from, in the order in which they were given.
type Values<'c> = Vec<(&'c str, &'c Origin)>;

/// How the values of a key are written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// A sorted list.
    List,
    /// A list in the order given; one value stands alone.
    AsGiven,
}

/// The values of each key of each operator. Conditions on the same key are one to IAM.
fn joined(all: &[Condition]) -> BTreeMap<&'static str, BTreeMap<&str, Values<'_>>> {
    let mut operators: BTreeMap<_, BTreeMap<_, Values<'_>>> = BTreeMap::new();
    for condition in all {
        let keys = operators.entry(condition.operator).or_default();
        let values = condition.values.iter().map(|(value, origin)| (value.as_str(), origin));
        keys.entry(condition.key.as_str()).or_default().extend(values);
    }
    operators
}

/// Conditions as a statement holds them.
pub(super) fn plain(all: &[Condition]) -> Conditions {
    let texts = |values: Values<'_>| values.into_iter().map(|(value, _)| value.to_owned()).collect();
    let keys = |keys: BTreeMap<&str, Values<'_>>| {
        keys.into_iter().map(|(key, values)| (key.to_owned(), texts(values))).collect()
    };
    joined(all).into_iter().map(|(operator, found)| (operator.to_owned(), keys(found))).collect()
}

/// Conditions in which each value can be traced.
pub(super) fn tree(all: &[Condition], form: Form) -> Tree {
    Tree::map(joined(all).into_iter().map(|(operator, keys)| {
        let keys = keys.into_iter().map(|(key, values)| (key.to_owned(), traced(values, form)));
        (operator, Tree::map(keys.collect::<Vec<_>>()))
    }))
}

/// The values of a key, which together say where they come from if that is one place.
fn traced(mut values: Values<'_>, form: Form) -> Tree {
    if form == Form::List {
        values.sort_by_key(|(value, _)| *value);
        values.dedup_by_key(|(value, _)| *value);
    }
    let mut origins = values.iter().map(|(_, origin)| *origin);
    let shared = origins.next().filter(|first| origins.all(|other| other == *first));
    let each = values.iter().map(|(value, origin)| match shared {
        Some(_) => Tree::text(*value),
        None => Tree::text(*value).from((*origin).clone()),
    });
    let tree = match <[Tree; 1]>::try_from(each.collect::<Vec<_>>()) {
        Ok([one]) if form == Form::AsGiven => one,
        Ok(one) => Tree::list(one),
        Err(many) => Tree::list(many),
    };
    match shared {
        Some(origin) => tree.from(origin.clone()),
        None => tree,
    }
}

#[cfg(test)]
mod tests {
    use aipolicy_compiler::source::{SourceId, Span};

    use super::*;

    fn line(start: usize) -> Origin {
        Origin::written(Span::new(SourceId::DEFAULTS, start, start + 1))
    }

    #[test]
    fn conditions_on_one_key_are_traced_to_a_line_each() {
        let all = [
            Condition::equals("aws:SourceVpce", "vpce-2", line(2)),
            Condition::equals("aws:SourceVpce", "vpce-1", line(1)),
            Condition::equals("aws:SourceAccount", "111122223333", line(3)),
        ];
        let tree = tree(&all, Form::List).from(line(9));
        let text =
            r#"{"StringEquals":{"aws:SourceAccount":["111122223333"],"aws:SourceVpce":["vpce-1","vpce-2"]}}"#;
        assert_eq!(serde_json::to_string(&tree).unwrap(), text);
        let trace = tree.trace();
        assert_eq!(trace.at("/StringEquals/aws:SourceVpce/0"), Some(&line(1)));
        assert_eq!(trace.at("/StringEquals/aws:SourceVpce/1"), Some(&line(2)));
        assert_eq!(trace.at("/StringEquals/aws:SourceAccount/0"), Some(&line(3)));
    }

    #[test]
    fn a_value_that_two_lines_ask_for_is_there_once_and_others_keep_their_lines() {
        let all = [
            Condition::equals("aws:SourceVpce", "vpce-1", line(1)),
            Condition::equals("aws:SourceVpce", "vpce-1", line(2)),
            Condition::equals("aws:SourceVpce", "vpce-0", line(3)),
        ];
        let tree = tree(&all, Form::List);
        assert_eq!(
            serde_json::to_string(&tree).unwrap(),
            r#"{"StringEquals":{"aws:SourceVpce":["vpce-0","vpce-1"]}}"#
        );
        let trace = tree.trace();
        assert_eq!(trace.at("/StringEquals/aws:SourceVpce/0"), Some(&line(3)));
        assert_eq!(trace.at("/StringEquals/aws:SourceVpce/1"), Some(&line(1)));
    }

    #[test]
    fn a_trust_policy_keeps_the_order_and_writes_one_value_alone() {
        let values = ["b", "a"].map(|value| (value.to_owned(), line(1)));
        let all = [Condition::any("ArnLike", "aws:SourceArn", values), Condition::equals("k", "v", line(2))];
        let tree = tree(&all, Form::AsGiven);
        let text = r#"{"ArnLike":{"aws:SourceArn":["b","a"]},"StringEquals":{"k":"v"}}"#;
        assert_eq!(serde_json::to_string(&tree).unwrap(), text);
        assert_eq!(tree.trace().at("/StringEquals/k"), Some(&line(2)));
    }

    #[test]
    fn values_of_one_line_are_traced_together() {
        let values = ["b", "a"].map(|value| (value.to_owned(), line(1)));
        let trace =
            tree(&[Condition::any("StringLike", "s3:prefix", values)], Form::List).from(line(9)).trace();
        let pointers: Vec<_> = trace.entries().map(|(pointer, _)| pointer).collect();
        assert_eq!(pointers, ["", "/StringLike/s3:prefix"]);
    }
}
