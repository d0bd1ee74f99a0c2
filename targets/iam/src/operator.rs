//! Condition operators, as `Condition` names them: `StringLike`, `ForAllValues:ArnNotLikeIfExists`, `Null`.

use std::str::FromStr;

/// A condition operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Operator {
    /// How many of the values of the request have to pass.
    pub(crate) quantifier: Quantifier,
    /// How a value of the request is compared with a value of the policy.
    pub(crate) comparison: Comparison,
    /// Whether a value passes when it compares with none of the policy, rather than with one.
    pub(crate) negated: bool,
    /// `…IfExists`: whether a request without the key passes.
    pub(crate) if_exists: bool,
}

/// How many of the values that a request has under a key have to pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Quantifier {
    /// The only one, for keys with one value.
    One,
    /// `ForAllValues:`: all, which is also so when there is none.
    All,
    /// `ForAnyValue:`: at least one.
    Any,
}

/// How a value of the request is compared with a value of the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Comparison {
    /// `String…Equals`, and whether case makes no difference.
    Text {
        /// `…IgnoreCase`.
        fold: bool,
    },
    /// `StringLike`.
    Like,
    /// `ArnLike` and `ArnEquals`, which AWS documents as the same.
    Arn,
    /// `Numeric…`.
    Number(Order),
    /// `Date…`.
    Date(Order),
    /// `Bool`.
    Bool,
    /// `BinaryEquals`.
    Binary,
    /// `IpAddress`.
    Address,
    /// `Null`: whether the key is absent.
    Null,
}

/// How the value of the request stands to the one of the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Order {
    /// The same.
    Equal,
    /// Before it.
    Less,
    /// Before it or the same.
    LessOrEqual,
    /// After it.
    Greater,
    /// After it or the same.
    GreaterOrEqual,
}

/// Every operator without quantifier and `IfExists`, which AWS compares without case; from "IAM JSON policy
/// elements: Condition operators".
const OPERATORS: [(&str, Comparison, bool); 27] = [
    ("StringEquals", Comparison::Text { fold: false }, false),
    ("StringNotEquals", Comparison::Text { fold: false }, true),
    ("StringEqualsIgnoreCase", Comparison::Text { fold: true }, false),
    ("StringNotEqualsIgnoreCase", Comparison::Text { fold: true }, true),
    ("StringLike", Comparison::Like, false),
    ("StringNotLike", Comparison::Like, true),
    ("ArnEquals", Comparison::Arn, false),
    ("ArnNotEquals", Comparison::Arn, true),
    ("ArnLike", Comparison::Arn, false),
    ("ArnNotLike", Comparison::Arn, true),
    ("NumericEquals", Comparison::Number(Order::Equal), false),
    ("NumericNotEquals", Comparison::Number(Order::Equal), true),
    ("NumericLessThan", Comparison::Number(Order::Less), false),
    ("NumericLessThanEquals", Comparison::Number(Order::LessOrEqual), false),
    ("NumericGreaterThan", Comparison::Number(Order::Greater), false),
    ("NumericGreaterThanEquals", Comparison::Number(Order::GreaterOrEqual), false),
    ("DateEquals", Comparison::Date(Order::Equal), false),
    ("DateNotEquals", Comparison::Date(Order::Equal), true),
    ("DateLessThan", Comparison::Date(Order::Less), false),
    ("DateLessThanEquals", Comparison::Date(Order::LessOrEqual), false),
    ("DateGreaterThan", Comparison::Date(Order::Greater), false),
    ("DateGreaterThanEquals", Comparison::Date(Order::GreaterOrEqual), false),
    ("Bool", Comparison::Bool, false),
    ("BinaryEquals", Comparison::Binary, false),
    ("IpAddress", Comparison::Address, false),
    ("NotIpAddress", Comparison::Address, true),
    ("Null", Comparison::Null, false),
];

/// Every operator as AWS writes it.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    OPERATORS.into_iter().map(|(name, ..)| name)
}

/// A name that is no condition operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct UnknownOperator;

impl FromStr for Operator {
    type Err = UnknownOperator;

    fn from_str(name: &str) -> Result<Self, UnknownOperator> {
        let name = name.to_ascii_lowercase();
        let (quantifier, name) = match name.split_once(':') {
            None => (Quantifier::One, name.as_str()),
            Some(("forallvalues", name)) => (Quantifier::All, name),
            Some(("foranyvalue", name)) => (Quantifier::Any, name),
            Some(_) => return Err(UnknownOperator),
        };
        let (name, if_exists) = name.strip_suffix("ifexists").map_or((name, false), |name| (name, true));
        let (_, comparison, negated) = OPERATORS
            .into_iter()
            .find(|(known, ..)| known.eq_ignore_ascii_case(name))
            .ok_or(UnknownOperator)?;
        if comparison == Comparison::Null && (if_exists || quantifier != Quantifier::One) {
            return Err(UnknownOperator);
        }
        Ok(Self { quantifier, comparison, negated, if_exists })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str) -> Operator {
        name.parse().unwrap()
    }

    #[test]
    fn names_have_no_case() {
        assert_eq!(read("STRINGLIKE"), read("StringLike"));
        assert_eq!(read("forallvalues:stringlikeifexists"), read("ForAllValues:StringLikeIfExists"));
    }

    #[test]
    fn an_operator_is_read_in_its_parts() {
        let like = Operator {
            quantifier: Quantifier::One,
            comparison: Comparison::Like,
            negated: false,
            if_exists: false,
        };
        assert_eq!(read("StringLike"), like);
        assert_eq!(read("StringNotLike"), Operator { negated: true, ..like });
        assert_eq!(read("StringLikeIfExists"), Operator { if_exists: true, ..like });
        assert_eq!(read("ForAllValues:StringLike"), Operator { quantifier: Quantifier::All, ..like });
        assert_eq!(read("ForAnyValue:StringLike"), Operator { quantifier: Quantifier::Any, ..like });
        assert_eq!(read("ArnEquals"), read("ArnLike"));
    }

    #[test]
    fn what_is_no_operator_is_refused() {
        for name in [
            "",
            "StringLik",
            "ForSome:StringLike",
            "NullIfExists",
            "ForAllValues:Null",
            "StringLike ",
            "IfExists",
        ] {
            assert_eq!(name.parse::<Operator>(), Err(UnknownOperator), "{name}");
        }
    }
}
