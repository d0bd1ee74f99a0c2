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

/// Every operator without quantifier and `IfExists`, in lower case, since AWS compares names so; from "IAM JSON policy
/// elements: Condition operators".
const OPERATORS: [(&str, Comparison, bool); 27] = [
    ("stringequals", Comparison::Text { fold: false }, false),
    ("stringnotequals", Comparison::Text { fold: false }, true),
    ("stringequalsignorecase", Comparison::Text { fold: true }, false),
    ("stringnotequalsignorecase", Comparison::Text { fold: true }, true),
    ("stringlike", Comparison::Like, false),
    ("stringnotlike", Comparison::Like, true),
    ("arnequals", Comparison::Arn, false),
    ("arnnotequals", Comparison::Arn, true),
    ("arnlike", Comparison::Arn, false),
    ("arnnotlike", Comparison::Arn, true),
    ("numericequals", Comparison::Number(Order::Equal), false),
    ("numericnotequals", Comparison::Number(Order::Equal), true),
    ("numericlessthan", Comparison::Number(Order::Less), false),
    ("numericlessthanequals", Comparison::Number(Order::LessOrEqual), false),
    ("numericgreaterthan", Comparison::Number(Order::Greater), false),
    ("numericgreaterthanequals", Comparison::Number(Order::GreaterOrEqual), false),
    ("dateequals", Comparison::Date(Order::Equal), false),
    ("datenotequals", Comparison::Date(Order::Equal), true),
    ("datelessthan", Comparison::Date(Order::Less), false),
    ("datelessthanequals", Comparison::Date(Order::LessOrEqual), false),
    ("dategreaterthan", Comparison::Date(Order::Greater), false),
    ("dategreaterthanequals", Comparison::Date(Order::GreaterOrEqual), false),
    ("bool", Comparison::Bool, false),
    ("binaryequals", Comparison::Binary, false),
    ("ipaddress", Comparison::Address, false),
    ("notipaddress", Comparison::Address, true),
    ("null", Comparison::Null, false),
];

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
        let (_, comparison, negated) =
            OPERATORS.into_iter().find(|(known, ..)| *known == name).ok_or(UnknownOperator)?;
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
