//! PromQL as values: names and labels are escaped when they are written, never pasted.

use std::borrow::Cow;
use std::fmt::{self, Display, Formatter};

use aipolicy_compiler::model::budget::BudgetPeriod;

/// A metric with labels that must be equal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Series {
    pub(super) metric: String,
    pub(super) labels: Vec<(&'static str, String)>,
}

/// What stands between two expressions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Times,
    Per,
    Above,
    And,
}

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Expression {
    Number(f64),
    Series(Series),
    /// Growth per second over a window in seconds.
    Rate(Series, u64),
    /// Growth over a window in seconds.
    Increase(Series, u64),
    /// The newest sample of a window in seconds: what is recorded seldom is not there at every moment.
    Last(Series, u64),
    /// Growth by a label since a period of the calendar began, in UTC.
    ToDate(Series, &'static str, BudgetPeriod),
    /// A sum by labels.
    Sum(Vec<&'static str>, Box<Expression>),
    /// A quantile of a histogram.
    Quantile(f64, Box<Expression>),
    Binary(Box<Expression>, Operator, Box<Expression>),
}

impl Series {
    /// All series of a metric.
    pub(super) fn of(metric: impl Into<String>) -> Self {
        Self { metric: metric.into(), labels: Vec::new() }
    }

    /// Those with a label.
    pub(super) fn with(mut self, label: &'static str, value: impl Into<String>) -> Self {
        self.labels.push((label, value.into()));
        self
    }
}

impl Expression {
    /// A sum over everything but some labels.
    pub(super) fn sum_by(labels: impl IntoIterator<Item = &'static str>, of: Self) -> Self {
        Self::Sum(labels.into_iter().collect(), Box::new(of))
    }

    fn binary(self, operator: Operator, right: Self) -> Self {
        Self::Binary(Box::new(self), operator, Box::new(right))
    }

    /// A product.
    pub(super) fn times(self, right: Self) -> Self {
        self.binary(Operator::Times, right)
    }

    /// A quotient.
    pub(super) fn per(self, right: Self) -> Self {
        self.binary(Operator::Per, right)
    }

    /// Those that are larger.
    pub(super) fn above(self, right: Self) -> Self {
        self.binary(Operator::Above, right)
    }

    /// Those that are on both sides.
    pub(super) fn and(self, right: Self) -> Self {
        self.binary(Operator::And, right)
    }

    fn nested(&self) -> String {
        match self {
            Self::Binary(..) => format!("({self})"),
            Self::Number(_)
            | Self::Series(_)
            | Self::Rate(..)
            | Self::Increase(..)
            | Self::Last(..)
            | Self::ToDate(..)
            | Self::Sum(..)
            | Self::Quantile(..) => self.to_string(),
        }
    }
}

impl Display for Operator {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Times => "*",
            Self::Per => "/",
            Self::Above => ">",
            Self::And => "and",
        })
    }
}

impl Display for Series {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.metric)?;
        for (at, (label, value)) in self.labels.iter().enumerate() {
            let before = if at == 0 { '{' } else { ',' };
            write!(formatter, "{before}{label}=\"{}\"", escaped(value))?;
        }
        if self.labels.is_empty() { Ok(()) } else { formatter.write_str("}") }
    }
}

impl Display for Expression {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(formatter, "{number}"),
            Self::Series(series) => write!(formatter, "{series}"),
            Self::Rate(series, seconds) => write!(formatter, "rate({series}[{}])", duration(*seconds)),
            Self::Increase(series, seconds) => {
                write!(formatter, "increase({series}[{}])", duration(*seconds))
            }
            Self::Last(series, seconds) => {
                write!(formatter, "last_over_time({series}[{}])", duration(*seconds))
            }
            Self::ToDate(series, label, period) => {
                let (longest, step) = window(*period);
                let now = told_apart(*period, Some(&format!("max(timestamp({series} @ end()))")));
                let (then, longest, step) = (told_apart(*period, None), duration(longest), duration(step));
                let growth = format!("sum by ({label}) (increase({series}[{step}]))");
                // A subquery has no other way to ask for the time of the whole query than that of its newest sample.
                write!(
                    formatter,
                    "sum_over_time(({growth} * scalar({then} == bool scalar({now})))[{longest}:{step}])"
                )
            }
            Self::Sum(labels, of) => write!(formatter, "sum by ({}) ({of})", labels.join(", ")),
            Self::Quantile(share, of) => write!(formatter, "histogram_quantile({share}, {of})"),
            Self::Binary(left, operator, right) => {
                write!(formatter, "{} {operator} {}", left.nested(), right.nested())
            }
        }
    }
}

/// A text between double quotes.
fn escaped(text: &str) -> Cow<'_, str> {
    if !text.contains(['\\', '"', '\n']) {
        return text.into();
    }
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n").into()
}

const HOUR: u64 = 60 * 60;
const DAY: u64 = 24 * HOUR;

/// Seconds of the longest period, and seconds that are counted at a time.
pub(super) fn window(period: BudgetPeriod) -> (u64, u64) {
    match period {
        BudgetPeriod::Day => (DAY, HOUR / 4),
        BudgetPeriod::Week => (7 * DAY, HOUR),
        BudgetPeriod::Month => (31 * DAY, 3 * HOUR),
        BudgetPeriod::Quarter => (92 * DAY, 12 * HOUR),
        BudgetPeriod::Year => (366 * DAY, DAY),
    }
}

/// What has one value throughout a period and another in the next, at a time, or else when it is evaluated. Weeks begin on
/// Mondays, and the epoch on a Thursday.
fn told_apart(period: BudgetPeriod, time: Option<&str>) -> String {
    let date = time.unwrap_or("");
    match period {
        BudgetPeriod::Day => format!("day_of_month({date})"),
        BudgetPeriod::Week => format!("floor(({} + 259200) / 604800)", time.unwrap_or("vector(time())")),
        BudgetPeriod::Month => format!("month({date})"),
        BudgetPeriod::Quarter => format!("floor((month({date}) - 1) / 3)"),
        BudgetPeriod::Year => format!("year({date})"),
    }
}

/// Seconds as Prometheus writes them, in the largest unit that leaves no rest.
pub(super) fn duration(seconds: u64) -> String {
    let units = [(86_400, "d"), (3600, "h"), (60, "m")];
    let unit = units.into_iter().find(|(length, _)| seconds > 0 && seconds.is_multiple_of(*length));
    let (length, name) = unit.unwrap_or((1, "s"));
    format!("{}{name}", seconds / length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_escaped() {
        let series = Series::of("m").with("team", "a\"} or vector(1) #\\\n");
        assert_eq!(series.to_string(), "m{team=\"a\\\"} or vector(1) #\\\\\\n\"}");
    }

    #[test]
    fn what_is_nested_has_parentheses() {
        let rate = || Expression::Rate(Series::of("m"), 300);
        let expression = rate().per(rate().times(Expression::Number(2.0))).above(Expression::Number(0.5));
        assert_eq!(expression.to_string(), "(rate(m[5m]) / (rate(m[5m]) * 2)) > 0.5");
    }

    #[test]
    fn durations_use_the_largest_unit() {
        let written = [0, 90, 300, 5400, 7200, 259_200].map(duration);
        assert_eq!(written, ["0s", "90s", "5m", "90m", "2h", "3d"]);
    }
}
