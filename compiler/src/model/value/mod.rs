//! Single values: each is written as text with its unit, and its type is its unit.

mod amount;
mod calendar;
mod cron;
mod currency;
mod identifier;
mod key;
mod literal;
mod quantity;
mod secret;
mod text;

pub use amount::{BudgetLimit, Money, Price, PriceUnit};
pub use calendar::{Date, TimeOfDay, TimeZone};
pub use cron::Cron;
pub use identifier::{AccountId, Arn, Cidr, DottedPath, Jurisdiction, Name, Region};
pub use key::PublicKey;
pub use literal::{Comparison, Fraction, Literal, OneOrMany, OrNone};
pub use quantity::{
    Bytes, Change, Count, CountPer, Cpu, Duration, Growth, Percent, Period, Rate, RateUnit, Tokens,
};
pub use text::{File, Keyed, Text, Texts};

use schemars::Schema;

use crate::diagnostic::{Diagnostic, Rule};
use crate::source::Span;
use crate::yaml::{Core, Node, Reader, Value};

/// Why a text is not a value of its type.
pub(crate) struct Fault {
    rule: &'static Rule,
    message: String,
    help: Option<String>,
}

impl Fault {
    pub(crate) fn new(rule: &'static Rule, message: impl Into<String>) -> Self {
        Self { rule, message: message.into(), help: None }
    }

    pub(crate) fn bad(message: impl Into<String>) -> Self {
        Self::new(&crate::rule::BAD_VALUE, message)
    }

    pub(crate) fn range(message: impl Into<String>) -> Self {
        Self::new(&crate::rule::OUT_OF_RANGE, message)
    }

    pub(crate) fn unit(text: &str, units: &str) -> Self {
        Self::new(&crate::rule::MISSING_UNIT, format!("`{text}` has no unit"))
            .help(format!("units are {units}"))
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The fault as a finding.
    pub(crate) fn at(self, span: Span) -> Diagnostic {
        let found = self.rule.at(span, self.message, "");
        match self.help {
            Some(help) => found.help(help),
            None => found,
        }
    }
}

/// What a value is in YAML.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Text; a number is never meant.
    Text,
    /// Text, and a plain number is looked at too: it may be a count, or lack its unit.
    Either,
    /// A number; text is never converted.
    Number,
}

/// A value that is written as one text.
pub(crate) trait Scalar: Sized {
    /// What is expected, for messages: "a duration such as `30s`".
    const WANTED: &'static str;
    /// Which scalars of YAML it may be.
    const FORM: Form = Form::Text;

    /// Reads the text.
    fn parse(text: &str) -> Result<Self, Fault>;

    /// The JSON Schema that accepts the same texts.
    fn schema() -> Schema;
}

/// Reads a scalar of any type.
pub(crate) fn decode<T: Scalar>(node: &Node<'_>, reader: &mut Reader<'_>) -> Option<T> {
    let Value::Scalar { text, .. } = &node.value else { return reader.wrong_type(node, T::WANTED) };
    let number = matches!(node.core(), Some(Core::Integer(_) | Core::Float(_)));
    let text_is_fine = T::FORM != Form::Number && node.core() == Some(Core::Text);
    if !number && !text_is_fine {
        return reader.wrong_type(node, T::WANTED);
    }
    match T::parse(text) {
        Ok(_) if number && T::FORM == Form::Text => reader.wrong_type(node, T::WANTED),
        Ok(value) => Some(value),
        Err(fault) if number && T::FORM != Form::Number && fault.rule == &crate::rule::BAD_VALUE => {
            reader.wrong_type(node, T::WANTED)
        }
        Err(mut fault) => {
            fault.help.get_or_insert_with(|| format!("expected {}", T::WANTED));
            reader.fail(fault.at(node.span))
        }
    }
}

/// Makes types readable, linkable and describable because they are scalars.
macro_rules! scalars {
    ($($type:ident),+ $(,)?) => {
        $(
            impl $crate::yaml::Decode for $type {
                fn decode(node: &$crate::yaml::Node<'_>, reader: &mut $crate::yaml::Reader<'_>) -> Option<Self> {
                    $crate::model::value::decode(node, reader)
                }
            }

            impl $crate::model::reference::Linked for $type {}

            impl schemars::JsonSchema for $type {
                fn schema_name() -> std::borrow::Cow<'static, str> {
                    stringify!($type).into()
                }

                fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                    <$type as $crate::model::value::Scalar>::schema()
                }
            }
        )+
    };
}
pub(crate) use scalars;

/// The schema of texts that match a pattern; `WANTED` is what editors show.
pub(crate) fn pattern<T: Scalar>(pattern: &str) -> Schema {
    schemars::json_schema!({ "type": "string", "pattern": pattern, "description": capital(T::WANTED) })
}

/// A sentence from a phrase.
pub(crate) fn capital(phrase: &str) -> String {
    let mut letters = phrase.chars();
    letters.next().map_or_else(String::new, |first| format!("{}{}.", first.to_uppercase(), letters.as_str()))
}

/// Splits a text after its leading digits and an optional fraction: `1.5G` is `(1, "5", "G")`.
pub(crate) fn digits(text: &str) -> Option<(u64, &str, &str)> {
    let end = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let (whole, rest) = text.split_at(end);
    let whole = whole.parse().ok()?;
    match rest.strip_prefix('.') {
        Some(rest) => {
            let end = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
            let (fraction, rest) = rest.split_at(end);
            (!fraction.is_empty()).then_some((whole, fraction, rest))
        }
        None => Some((whole, "", rest)),
    }
}

/// Whether a number begins with zeros that other readers take for a sign of another base.
pub(crate) fn is_padded(text: &str) -> bool {
    text.strip_prefix('0').is_some_and(|rest| rest.starts_with(|next: char| next.is_ascii_digit()))
}

/// A decimal number scaled to `places` digits after the point; more digits, or too large a number, give nothing.
pub(crate) fn scaled(whole: u64, fraction: &str, places: usize) -> Option<u64> {
    let missing = places.checked_sub(fraction.len())?;
    let fraction = if fraction.is_empty() { 0 } else { fraction.parse::<u64>().ok()? };
    let fraction = fraction.checked_mul(10_u64.checked_pow(u32::try_from(missing).ok()?)?)?;
    whole.checked_mul(10_u64.checked_pow(u32::try_from(places).ok()?)?)?.checked_add(fraction)
}
