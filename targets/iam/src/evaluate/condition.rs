//! Conditions, compiled: an operator, a key, and the values that the key is compared with.

use core::net::IpAddr;
use std::fmt;

use crate::document::{Conditions, Version};
use crate::operator::{Comparison, Operator, Order, Quantifier};
use crate::pattern::Pattern;
use crate::request::Context;
use crate::value::{Instant, Network, Number, base64, boolean};

/// One key below one operator.
#[derive(Clone, Debug)]
pub(crate) struct Condition {
    /// The operator as written.
    pub(crate) operator: String,
    /// The key as written.
    pub(crate) key: String,
    /// The key in lower case, as requests hold it.
    lowered: String,
    test: Result<(Operator, Test), Flaw>,
}

/// Whether a condition holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Truth {
    Holds,
    Fails,
    /// It cannot be told.
    Unclear(Flaw),
}

/// Why an element of a statement cannot be evaluated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// No condition operator has this name.
    Operator(String),
    /// The policy compares the key with what is no value of the type of the operator.
    Value(String),
    /// The request has under the key what is no value of the type of the operator.
    Requested(String),
    /// The request has several values under the key, and the operator takes one.
    Several(String),
    /// The statement lacks an element that a policy of its kind has, or has one that it may not have.
    Shape(&'static str),
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Operator(name) => write!(f, "`{name}` is no condition operator"),
            Self::Value(value) => {
                write!(f, "the policy compares with `{value}`, which is no value of the operator")
            }
            Self::Requested(value) => {
                write!(f, "the request says `{value}`, which is no value of the operator")
            }
            Self::Several(key) => {
                write!(f, "the request has several values under `{key}`, and the operator takes one")
            }
            Self::Shape(what) => f.write_str(what),
        }
    }
}

/// The values of the policy.
#[derive(Clone, Debug)]
enum Test {
    Patterns(Vec<Pattern>),
    Numbers(Order, Vec<Number>),
    Dates(Order, Vec<Instant>),
    Booleans(Vec<bool>),
    Bytes(Vec<Vec<u8>>),
    Networks(Vec<Network>),
    Absent(Vec<bool>),
}

impl Condition {
    /// Compiles the conditions of a statement.
    pub(crate) fn all(conditions: &Conditions, version: Version) -> Vec<Self> {
        let entries =
            conditions.iter().flat_map(|(operator, keys)| keys.iter().map(move |entry| (operator, entry)));
        let compiled = entries.map(|(operator, (key, values))| Self {
            operator: operator.clone(),
            key: key.clone(),
            lowered: key.to_ascii_lowercase(),
            test: operator
                .parse::<Operator>()
                .map_err(|_| Flaw::Operator(operator.clone()))
                .and_then(|read| Ok((read, Test::new(read.comparison, values, version)?))),
        });
        compiled.collect()
    }

    /// Whether the circumstances pass. `One` value is what an operator without quantifier takes: IAM tells us not to
    /// use it with keys of several, and does not say what happens.
    pub(crate) fn truth(&self, context: &Context) -> Truth {
        let (operator, test) = match &self.test {
            Ok(test) => test,
            Err(flaw) => return Truth::Unclear(flaw.clone()),
        };
        let values = context.values(&self.lowered);
        if let Test::Absent(wanted) = test {
            return Truth::of(wanted.contains(&values.is_empty()));
        }
        match (operator.quantifier, values) {
            (Quantifier::All, []) => Truth::Holds,
            (Quantifier::Any, []) => Truth::of(operator.if_exists),
            (Quantifier::One, []) => Truth::of(operator.negated || operator.if_exists),
            (Quantifier::One, [value]) => test.passes(*operator, value, context),
            (Quantifier::One, _) => Truth::Unclear(Flaw::Several(self.key.clone())),
            (Quantifier::All, values) => {
                let each = values.iter().map(|value| test.passes(*operator, value, context));
                each.fold(Truth::Holds, Truth::and)
            }
            (Quantifier::Any, values) => {
                let each = values.iter().map(|value| test.passes(*operator, value, context));
                each.fold(Truth::Fails, Truth::or)
            }
        }
    }
}

impl Truth {
    fn of(holds: bool) -> Self {
        if holds { Self::Holds } else { Self::Fails }
    }

    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Fails, _) | (_, Self::Fails) => Self::Fails,
            (Self::Unclear(flaw), _) | (_, Self::Unclear(flaw)) => Self::Unclear(flaw),
            (Self::Holds, Self::Holds) => Self::Holds,
        }
    }

    fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Holds, _) | (_, Self::Holds) => Self::Holds,
            (Self::Unclear(flaw), _) | (_, Self::Unclear(flaw)) => Self::Unclear(flaw),
            (Self::Fails, Self::Fails) => Self::Fails,
        }
    }
}

impl Test {
    fn new<'v>(
        comparison: Comparison,
        values: impl IntoIterator<Item = &'v String>,
        version: Version,
    ) -> Result<Self, Flaw> {
        let values = values.into_iter();
        Ok(match comparison {
            Comparison::Text { fold } => {
                Self::Patterns(values.map(|value| Pattern::exact(value, version, fold)).collect())
            }
            Comparison::Like => Self::Patterns(values.map(|value| Pattern::like(value, version)).collect()),
            Comparison::Arn => Self::Patterns(values.map(|value| Pattern::arn(value, version)).collect()),
            Comparison::Number(order) => Self::Numbers(order, parsed(values, Number::parse)?),
            Comparison::Date(order) => Self::Dates(order, parsed(values, Instant::parse)?),
            Comparison::Bool => Self::Booleans(parsed(values, boolean)?),
            Comparison::Binary => Self::Bytes(parsed(values, base64)?),
            Comparison::Address => Self::Networks(parsed(values, Network::parse)?),
            Comparison::Null => Self::Absent(parsed(values, boolean)?),
        })
    }

    fn passes(&self, operator: Operator, value: &str, context: &Context) -> Truth {
        match self.equals_one(value, context) {
            Some(equals) => Truth::of(equals != operator.negated),
            None => Truth::Unclear(Flaw::Requested(value.to_owned())),
        }
    }

    /// Whether the value compares with one of the policy; `None` when it is no value of the operator.
    fn equals_one(&self, value: &str, context: &Context) -> Option<bool> {
        Some(match self {
            Self::Patterns(patterns) => {
                patterns.iter().any(|pattern| pattern.matches(value, |key| context.value(key)))
            }
            Self::Numbers(order, numbers) => {
                let value = Number::parse(value)?;
                numbers.iter().any(|number| order.holds(&value, number))
            }
            Self::Dates(order, dates) => {
                let value = Instant::parse(value)?;
                dates.iter().any(|date| order.holds(&value, date))
            }
            Self::Booleans(booleans) => booleans.contains(&boolean(value)?),
            Self::Bytes(all) => all.contains(&base64(value)?),
            Self::Networks(networks) => {
                let address: IpAddr = value.parse().ok()?;
                networks.iter().any(|network| network.contains(address))
            }
            Self::Absent(wanted) => wanted.contains(&false),
        })
    }
}

fn parsed<'v, T>(
    values: impl Iterator<Item = &'v String>,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Vec<T>, Flaw> {
    values.map(|value| parse(value).ok_or_else(|| Flaw::Value(value.clone()))).collect()
}

impl Order {
    /// Whether the value of the request stands so to the one of the policy.
    fn holds<T: Ord>(self, requested: &T, written: &T) -> bool {
        match self {
            Self::Equal => requested == written,
            Self::Less => requested < written,
            Self::LessOrEqual => requested <= written,
            Self::Greater => requested > written,
            Self::GreaterOrEqual => requested >= written,
        }
    }
}
