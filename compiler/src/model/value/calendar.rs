//! Days, times of day and time zones.

use schemars::{Schema, json_schema};

use super::{Fault, Scalar, pattern, scalars};

scalars!(Date, TimeOfDay, TimeZone);

/// A calendar day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date(pub jiff::civil::Date);

impl Date {
    /// How many days another day comes after this one.
    pub fn until(self, other: Self) -> i32 {
        self.0.until(other.0).map_or(0, |span| span.get_days())
    }

    /// The day that comes so many days after this one, or before it; the last one of the calendar where there is none.
    pub fn after(self, days: i32) -> Self {
        let moved = self.0.checked_add(jiff::Span::new().days(days));
        Self(moved.unwrap_or(if days < 0 { jiff::civil::Date::MIN } else { jiff::civil::Date::MAX }))
    }
}

impl std::fmt::Display for Date {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}", self.0)
    }
}

impl Scalar for Date {
    const WANTED: &'static str = "a day such as `2027-03-31`";

    fn parse(text: &str) -> Result<Self, Fault> {
        let bad = || Fault::bad(format!("`{text}` is not a day of the calendar"));
        let shape = text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
        text.parse().ok().filter(|_| shape).map(Self).ok_or_else(bad)
    }

    fn schema() -> Schema {
        json_schema!({
            "type": "string", "format": "date", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
            "description": super::capital(Self::WANTED),
        })
    }
}

/// A time of day, to the minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeOfDay {
    /// Minutes since midnight.
    pub minutes: u16,
}

impl Scalar for TimeOfDay {
    const WANTED: &'static str = "a time of day such as `09:00`";

    fn parse(text: &str) -> Result<Self, Fault> {
        let bad = || Fault::bad(format!("`{text}` is not a time of day"));
        let (hours, minutes) = text.split_once(':').filter(|_| text.len() == 5).ok_or_else(bad)?;
        let read = |part: &str, limit: u16| {
            let plain = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
            part.parse::<u16>().ok().filter(|value| plain && *value < limit)
        };
        let (hours, minutes) = read(hours, 24).zip(read(minutes, 60)).ok_or_else(bad)?;
        Ok(Self { minutes: hours * 60 + minutes })
    }

    fn schema() -> Schema {
        pattern::<Self>("^([01][0-9]|2[0-3]):[0-5][0-9]$")
    }
}

/// A time zone of the IANA database that ships with the product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeZone(pub String);

impl Scalar for TimeZone {
    const WANTED: &'static str = "a time zone such as `Europe/Berlin` or `UTC`";

    fn parse(text: &str) -> Result<Self, Fault> {
        let known = jiff::tz::db().available().any(|name| name.as_str() == text);
        if known {
            Ok(Self(text.to_owned()))
        } else {
            Err(Fault::bad(format!("`{text}` is not a known time zone")))
        }
    }

    fn schema() -> Schema {
        let mut names: Vec<_> = jiff::tz::db().available().map(|name| name.as_str().to_owned()).collect();
        names.sort();
        json_schema!({ "description": super::capital(Self::WANTED), "enum": names })
    }
}
