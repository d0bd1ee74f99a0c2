//! Cron expressions as EventBridge Scheduler reads them.

use std::sync::LazyLock;

use schemars::Schema;

use super::{Fault, Scalar, pattern, scalars};

scalars!(Cron);

/// Six fields: minute, hour, day of month, month, day of week, year. One of the two days is `?`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cron(String);

impl Cron {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Cron {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

const MINUTE: &str = "[0-5]?[0-9]";
const HOUR: &str = "(1?[0-9]|2[0-3])";
const DAY: &str = "([1-9]|[12][0-9]|3[01])";
const MONTH: &str = "([1-9]|1[0-2]|JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC)";
const WEEKDAY: &str = "([1-7]|SUN|MON|TUE|WED|THU|FRI|SAT)";
const YEAR: &str = "(19[7-9][0-9]|20[0-9][0-9]|21[0-9][0-9])";

/// A field: every value or a list of values and ranges, each with a step; or what only this field may be.
fn field(value: &str, only: &str) -> String {
    let item = format!("(\\*|{value}(-{value})?)(/[1-9][0-9]?)?");
    let only = if only.is_empty() { String::new() } else { format!("|{only}") };
    format!("({item}(,{item}){{0,11}}{only})")
}

/// The one pattern that reader and schema share.
static PATTERN: LazyLock<String> = LazyLock::new(|| {
    let (minute, hour, month) = (field(MINUTE, ""), field(HOUR, ""), field(MONTH, ""));
    let day = field(DAY, &format!("L|LW|{DAY}W"));
    let weekday = field(WEEKDAY, &format!("L|{WEEKDAY}L|{WEEKDAY}#[1-5]"));
    let year = field(YEAR, "");
    format!("^{minute} {hour} ({day} {month} \\?|\\? {month} {weekday}) {year}$")
});

static SHAPE: LazyLock<Option<regex::Regex>> = LazyLock::new(|| regex::Regex::new(&PATTERN).ok());

impl Scalar for Cron {
    const WANTED: &'static str = "six fields such as `0 6 ? * MON-FRI *`: minute, hour, day of month, month, day of \
                                  week, year, with `?` for one of the days";

    fn parse(text: &str) -> Result<Self, Fault> {
        let fits = SHAPE.as_ref().is_some_and(|shape| shape.is_match(text));
        if fits {
            return Ok(Self(text.to_owned()));
        }
        let fault = Fault::bad(format!("`{text}` is no schedule of EventBridge"));
        Err(match text.strip_prefix("cron(").and_then(|inner| inner.strip_suffix(')')) {
            Some(inner) => fault.help(format!("write `{inner}`")),
            None if text.split(' ').count() == 5 => {
                fault.help("EventBridge has a sixth field for the year, and `?` for one of the days")
            }
            None => fault,
        })
    }

    fn schema() -> Schema {
        pattern::<Self>(&PATTERN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_of_the_documentation_are_read() {
        for text in [
            "0 10 * * ? *",
            "15 12 * * ? *",
            "0 18 ? * MON-FRI *",
            "0 8 1 * ? *",
            "0/10 * ? * MON-FRI *",
            "0/5 8-17 ? * MON-FRI *",
            "0 9 ? * 2#1 *",
            "15 10 ? * 6L 2022-2023",
            "0 0 L * ? *",
            "0 0 3W JAN,FEB ? 2030",
        ] {
            assert!(Cron::parse(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn what_eventbridge_would_refuse_is_refused() {
        for text in [
            "",
            "0 10 * * *",
            "0 10 * * * *",
            "0 10 ? * ? *",
            "60 10 * * ? *",
            "0 24 * * ? *",
            "0 10 32 * ? *",
            "0 10 * 13 ? *",
            "0 10 ? * 0 *",
            "0 10 ? * MON *  ",
            "0 10 * * ? 1969",
            "cron(0 10 * * ? *)",
            "0 10 * * ? *)",
        ] {
            assert!(Cron::parse(text).is_err(), "{text}");
        }
    }
}
