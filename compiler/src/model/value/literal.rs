//! Values whose type the writer chooses, and small wrappers around others.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::{Fault, Form, Scalar, scalars, secret};
use crate::model::reference::{Linked, Reference};
use crate::yaml::{Core, Decode, Node, Reader, Value};

scalars!(Fraction);

/// A text, a whole number, or a boolean.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Literal {
    /// Text.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// `true` or `false`.
    Bool(bool),
}

impl std::fmt::Display for Literal {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(text) => formatter.write_str(text),
            Self::Integer(number) => write!(formatter, "{number}"),
            Self::Bool(value) => write!(formatter, "{value}"),
        }
    }
}

impl Decode for Literal {
    fn decode(node: &Node<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let wanted = "text, a whole number or a boolean";
        let Value::Scalar { text, .. } = &node.value else { return reader.wrong_type(node, wanted) };
        match node.core() {
            Some(Core::Text) => match secret::fault(text) {
                Some(fault) => reader.fail(fault.at(node.span)),
                None => Some(Self::Text(text.to_string())),
            },
            Some(Core::Bool(value)) => Some(Self::Bool(value)),
            Some(Core::Integer(value)) if value.to_string() != **text => {
                let found =
                    crate::rule::BAD_VALUE.at(node.span, format!("`{text}` has another notation"), "");
                reader.fail(found.help(format!("write `{value}`, or quotes if text is meant")))
            }
            Some(Core::Integer(value)) => match i64::try_from(value) {
                Ok(value) => Some(Self::Integer(value)),
                Err(_) => {
                    let message = format!("`{text}` does not fit into 64 bits");
                    reader.fail(crate::rule::OUT_OF_RANGE.at(node.span, message, ""))
                }
            },
            _ => reader.wrong_type(node, wanted),
        }
    }
}

impl Linked for Literal {}

impl JsonSchema for Literal {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Literal".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [
            { "type": "string", "not": secret::schema() },
            { "type": "boolean" },
            { "type": "integer", "minimum": i64::MIN, "maximum": i64::MAX },
        ] })
    }
}

/// A number from 0 to 1 with at most three decimals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fraction {
    /// In thousandths.
    pub thousandths: u16,
}

impl Scalar for Fraction {
    const WANTED: &'static str = "a number from 0 to 1 such as `0.7`";
    const FORM: Form = Form::Number;

    fn parse(text: &str) -> Result<Self, Fault> {
        let bad = || Fault::bad(format!("`{text}` is not a number from 0 to 1"));
        let (whole, fraction, "") = super::digits(text).ok_or_else(bad)? else { return Err(bad()) };
        if super::is_padded(text) {
            return Err(Fault::bad(format!("`{text}` begins with a zero")));
        }
        let value = super::scaled(whole, fraction.trim_end_matches('0'), 3)
            .and_then(|value| u16::try_from(value).ok());
        match value {
            Some(thousandths) if thousandths <= 1000 => Ok(Self { thousandths }),
            _ => Err(Fault::range(format!("`{text}` is not between 0 and 1 with at most three decimals"))),
        }
    }

    fn schema() -> Schema {
        json_schema!({
            "type": "number", "minimum": 0, "maximum": 1, "multipleOf": 0.001,
            "description": super::capital(Self::WANTED),
        })
    }
}

/// A bound on a measured value, for instance `<= 300`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Comparison<T> {
    /// Whether it must be at least the value; at most otherwise.
    pub at_least: bool,
    /// The value.
    pub value: T,
}

impl<T: Scalar> Scalar for Comparison<T> {
    const WANTED: &'static str = "a bound such as `<= 300` or `>= 99%`";

    fn parse(text: &str) -> Result<Self, Fault> {
        let (at_least, rest) = match (text.strip_prefix(">= "), text.strip_prefix("<= ")) {
            (Some(rest), _) => (true, rest),
            (_, Some(rest)) => (false, rest),
            (None, None) => return Err(Fault::bad(format!("`{text}` does not start with `<= ` or `>= `"))),
        };
        T::parse(rest).map(|value| Self { at_least, value })
    }

    fn schema() -> Schema {
        let inner = T::schema().to_value();
        let patterns: Vec<&str> = match inner.get("anyOf").and_then(serde_json::Value::as_array) {
            Some(alternatives) => {
                alternatives.iter().filter_map(|one| one.get("pattern")?.as_str()).collect()
            }
            None => inner.get("pattern").and_then(serde_json::Value::as_str).into_iter().collect(),
        };
        let body = patterns.iter().map(|pattern| pattern.trim_start_matches('^').trim_end_matches('$'));
        let body = body.collect::<Vec<_>>().join("|");
        super::pattern::<Self>(&format!("^(<=|>=) ({body})$"))
    }
}

impl<T: Scalar> Decode for Comparison<T> {
    fn decode(node: &Node<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        super::decode(node, reader)
    }
}

impl<T> Linked for Comparison<T> {}

impl<T: Scalar + JsonSchema> JsonSchema for Comparison<T> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("{}Bound", T::schema_name()).into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        <Self as Scalar>::schema()
    }
}

/// The word `none`, or something.
#[derive(Clone, Debug)]
pub enum OrNone<T> {
    /// Explicitly nothing.
    None,
    /// Something.
    Some(T),
}

impl<T> OrNone<T> {
    /// What is there, if anything.
    pub fn some(&self) -> Option<&T> {
        match self {
            Self::None => None,
            Self::Some(inner) => Some(inner),
        }
    }
}

impl<T: Decode> Decode for OrNone<T> {
    fn decode(node: &Node<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        match &node.value {
            Value::Scalar { text, .. } if text == "none" => Some(Self::None),
            Value::Scalar { .. } | Value::List(_) | Value::Map(_) => T::decode(node, reader).map(Self::Some),
        }
    }
}

impl<T: Linked> Linked for OrNone<T> {
    fn each_reference(&mut self, visit: &mut dyn FnMut(Reference<'_>)) {
        if let Self::Some(inner) = self {
            inner.each_reference(visit);
        }
    }
}

impl<T: JsonSchema> JsonSchema for OrNone<T> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("{}OrNone", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [{ "const": "none" }, generator.subschema_for::<T>()] })
    }
}

/// One value, or a list of them.
#[derive(Clone, Debug)]
pub struct OneOrMany<T>(pub Vec<T>);

impl<T: Decode> Decode for OneOrMany<T> {
    fn decode(node: &Node<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        match &node.value {
            Value::List(_) => Vec::decode(node, reader).map(Self),
            Value::Scalar { .. } | Value::Map(_) => T::decode(node, reader).map(|one| Self(vec![one])),
        }
    }
}

impl<T: Linked> Linked for OneOrMany<T> {
    fn each_reference(&mut self, visit: &mut dyn FnMut(Reference<'_>)) {
        self.0.each_reference(visit);
    }
}

impl<T: JsonSchema> JsonSchema for OneOrMany<T> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("OneOrMany{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let one = generator.subschema_for::<T>();
        json_schema!({ "anyOf": [one, { "type": "array", "items": one }] })
    }
}
