//! Text to trees in which every key and value knows its place, with all problems of a file in one pass.

mod characters;
mod enclosing;
mod fields;
mod parse;
mod placed;
mod suggest;

pub use enclosing::enclosing;
pub(crate) use fields::{Decode, Fields, Reader, camel, list};
pub use parse::read_json;
pub(crate) use parse::{Document, documents};
pub use placed::PlacedJson;
pub use suggest::nearest;

use std::borrow::Cow;

use crate::source::{Span, Spanned};

/// A value of a document and its place.
#[derive(Debug)]
pub(crate) struct Node<'a> {
    pub(crate) value: Value<'a>,
    pub(crate) span: Span,
}

/// What a node holds. Scalars are kept as text; what they mean is decided by whoever reads them.
#[derive(Debug)]
pub(crate) enum Value<'a> {
    Scalar { text: Cow<'a, str>, plain: bool },
    List(Vec<Node<'a>>),
    Map(Vec<(Key<'a>, Node<'a>)>),
}

/// A key with its place.
pub(crate) type Key<'a> = Spanned<Cow<'a, str>>;

/// What a plain scalar is under the YAML 1.2 core schema; `no`, `on` and `010` hold no surprise here.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Core {
    Null,
    Bool(bool),
    Integer(i128),
    Float(f64),
    Text,
}

impl Node<'_> {
    /// What the scalar is, or nothing for lists and maps.
    pub(crate) fn core(&self) -> Option<Core> {
        match &self.value {
            Value::Scalar { text, plain: true } => Some(core(text)),
            Value::Scalar { plain: false, .. } => Some(Core::Text),
            Value::List(_) | Value::Map(_) => None,
        }
    }

    /// The word for what this is, for messages.
    pub(crate) fn what(&self) -> &'static str {
        match (&self.value, self.core()) {
            (Value::List(_), _) => "a list",
            (Value::Map(_), _) => "a map",
            (_, Some(Core::Null)) => "nothing",
            (_, Some(Core::Bool(_))) => "a boolean",
            (_, Some(Core::Integer(_) | Core::Float(_))) => "a number",
            (_, Some(Core::Text) | None) => "text",
        }
    }
}

fn core(text: &str) -> Core {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Core::Null,
        "true" | "True" | "TRUE" => Core::Bool(true),
        "false" | "False" | "FALSE" => Core::Bool(false),
        _ => number(text),
    }
}

fn number(text: &str) -> Core {
    if !text.starts_with(|first: char| first.is_ascii_digit() || matches!(first, '+' | '-' | '.')) {
        return Core::Text;
    }
    let radix = |digits: &str, radix| i128::from_str_radix(digits, radix).ok();
    let integer = match text.get(..2) {
        Some("0x") => radix(text.get(2..).unwrap_or(""), 16),
        Some("0o") => radix(text.get(2..).unwrap_or(""), 8),
        _ => text.parse().ok(),
    };
    if let Some(value) = integer {
        return Core::Integer(value);
    }
    let special =
        matches!(text.trim_start_matches(['+', '-']), ".inf" | ".Inf" | ".INF" | ".nan" | ".NaN" | ".NAN");
    let shape = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'));
    match text.parse::<f64>() {
        _ if special => Core::Float(f64::NAN),
        Ok(value) if shape => Core::Float(value),
        _ => Core::Text,
    }
}

#[cfg(test)]
mod tests {
    use super::{Core, core};

    #[test]
    fn the_core_schema_has_no_surprises() {
        for text in ["no", "off", "y", "NO", "1_000", "12:30:45", "2025-01-01", "1e", "0x", "5m", "-", "."] {
            assert_eq!(core(text), Core::Text, "{text}");
        }
        assert_eq!(core("010"), Core::Integer(10));
        assert_eq!(core("0x1F"), Core::Integer(31));
        assert_eq!(core("0o10"), Core::Integer(8));
        assert_eq!(core("-3"), Core::Integer(-3));
        assert_eq!(core("1.5"), Core::Float(1.5));
        assert_eq!(core("~"), Core::Null);
    }
}
