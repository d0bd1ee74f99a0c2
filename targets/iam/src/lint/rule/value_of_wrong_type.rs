//! Finds values that an operator, or a condition key, never compares with anything.

use crate::action::{self, ConditionKey, ValueType};
use crate::lint::policy::Policy;
use crate::lint::{Findings, Rule, Severity};
use crate::operator::Comparison;
use crate::value::{Instant, Network, Number};

pub(super) const RULE: Rule = Rule {
    code: "AIP-IAM-033",
    name: "value-of-wrong-type",
    severity: Severity::Error,
    page: include_str!("value_of_wrong_type.md"),
    check,
};

fn check(policy: &Policy<'_>, findings: &mut Findings<'_>) {
    for condition in policy.statements.iter().flat_map(|statement| &statement.conditions) {
        let Some(operator) = condition.operator else { continue };
        for value in condition.values.iter().filter(|value| !value.text.contains("${")) {
            if let Some(wanted) = mistake(operator.comparison, &value.text) {
                let message =
                    format!("`{}` is not {wanted}, which `{}` compares", value.text, condition.operator_text);
                findings.at(value, message, format!("write {wanted}"));
            }
        }
        if let Some(key) = known(condition.key)
            && let Some(proper) = unfit(operator.comparison, key.value)
        {
            let message = format!("`{}` is never compared by `{}`", key.name, condition.operator_text);
            findings.report(&condition.pointer, message, format!("use {proper}"));
        }
    }
}

/// What a value should be, where it is not.
fn mistake(comparison: Comparison, value: &str) -> Option<&'static str> {
    let is_truth = || ["true", "false"].iter().any(|word| value.eq_ignore_ascii_case(word));
    let (fits, wanted) = match comparison {
        Comparison::Bool | Comparison::Null => (is_truth(), "`true` or `false`"),
        Comparison::Number(_) => (Number::parse(value).is_some(), "a number"),
        Comparison::Date(_) => (Instant::parse(value).is_some(), "a date such as `2027-03-31T00:00:00Z`"),
        Comparison::Address => {
            (Network::parse(value).is_some(), "an address or a range such as `203.0.113.0/24`")
        }
        Comparison::Arn => (value == "*" || value.split(':').count() >= 6, "an ARN with its six parts"),
        Comparison::Text { .. } | Comparison::Like | Comparison::Binary => return None,
    };
    (!fits).then_some(wanted)
}

fn known(name: &str) -> Option<&'static ConditionKey> {
    action::global_key(name).or_else(|| action::service(name.split(':').next()?)?.key(name))
}

/// The operators that a key asks for, where this one cannot compare it.
fn unfit(comparison: Comparison, key: ValueType) -> Option<&'static str> {
    let is_time = matches!(key, ValueType::Date | ValueType::Numeric);
    let fits = match comparison {
        Comparison::Bool => key == ValueType::Bool,
        Comparison::Address => key == ValueType::IpAddress,
        Comparison::Number(_) | Comparison::Date(_) => is_time,
        Comparison::Text { .. } | Comparison::Like => key != ValueType::IpAddress,
        Comparison::Arn | Comparison::Binary | Comparison::Null => true,
    };
    let proper = match key {
        ValueType::Bool => "`Bool`",
        ValueType::IpAddress => "`IpAddress` or `NotIpAddress`",
        ValueType::Numeric => "an operator of numbers, such as `NumericLessThan`",
        ValueType::Date => "an operator of dates, such as `DateLessThan`",
        ValueType::Arn => "`ArnLike`",
        ValueType::String => "an operator of texts, such as `StringEquals`",
    };
    (!fits).then_some(proper)
}
