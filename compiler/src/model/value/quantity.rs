//! Durations, tokens, rates, shares and sizes.

use schemars::{Schema, json_schema};

use super::{Fault, Form, Scalar, digits, is_padded, pattern, scalars, scaled};
use crate::model::macros::words;

scalars!(Duration, Tokens, Rate, CountPer, Growth, Percent, Change, Bytes, Cpu, Count);

/// A length of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Duration {
    milliseconds: u64,
}

impl Duration {
    /// The length in milliseconds.
    pub fn milliseconds(self) -> u64 {
        self.milliseconds
    }

    /// The length in whole seconds, rounded up.
    pub fn seconds(self) -> u64 {
        self.milliseconds.div_ceil(1000)
    }

    /// The length in whole days, rounded up.
    pub fn days(self) -> u64 {
        self.milliseconds.div_ceil(86_400_000)
    }
}

impl Scalar for Duration {
    const WANTED: &'static str = "a duration such as `30s`, `5m`, `4h` or `30d`";

    fn parse(text: &str) -> Result<Self, Fault> {
        let bad = || Fault::bad(format!("`{text}` is not a duration"));
        let (whole, fraction, unit) = digits(text).ok_or_else(bad)?;
        if !fraction.is_empty() && !unit.is_empty() {
            return Err(bad().help("use a whole number and a smaller unit"));
        }
        let factor = match unit {
            "ms" => 1,
            "s" => 1000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            "" => return Err(Fault::unit(text, "`ms`, `s`, `m`, `h` and `d`")),
            _ => return Err(Fault::bad(format!("`{}` is not a unit of time", unit.trim()))),
        };
        if whole == 0 || whole > 999_999_999 || text.starts_with('0') {
            return Err(Fault::range(format!("`{text}` is not between 1 and 999,999,999")));
        }
        Ok(Self { milliseconds: whole * factor })
    }

    fn schema() -> Schema {
        pattern::<Self>("^[1-9][0-9]{0,8}(ms|s|m|h|d)$")
    }
}

/// A count of tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tokens {
    count: u64,
}

const TOKENS: &str = "([1-9][0-9]{0,11}|[1-9][0-9]{0,8}(\\.[0-9]{1,3})?[kMG])";

impl Tokens {
    /// How many.
    pub fn count(self) -> u64 {
        self.count
    }

    /// Reads a count with an optional `k`, `M` or `G`; decimals need one of these.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let (whole, fraction, suffix) = digits(text).filter(|_| !text.starts_with('0'))?;
        let thousandths = scaled(whole, fraction, 3)?;
        let count = match suffix {
            "" if fraction.is_empty() && whole < 1_000_000_000_000 => whole,
            "k" if whole < 1_000_000_000 => thousandths,
            "M" if whole < 1_000_000_000 => thousandths.checked_mul(1_000)?,
            "G" if whole < 1_000_000_000 => thousandths.checked_mul(1_000_000)?,
            _ => return None,
        };
        Some(Self { count })
    }
}

impl Scalar for Tokens {
    const WANTED: &'static str = "a count of tokens such as `512`, `16k` or `1M`";
    const FORM: Form = Form::Either;

    fn parse(text: &str) -> Result<Self, Fault> {
        let whole = text.strip_prefix('-').unwrap_or(text).bytes().all(|byte| byte.is_ascii_digit());
        Self::read(text).ok_or_else(|| {
            if whole && !text.is_empty() {
                Fault::range(format!("`{text}` is not between 1 and 999,999,999,999"))
            } else {
                Fault::bad(format!("`{text}` is not a count of tokens"))
            }
        })
    }

    fn schema() -> Schema {
        json_schema!({
            "description": super::capital(Self::WANTED),
            "anyOf": [
                { "type": "integer", "minimum": 1, "maximum": 999_999_999_999_u64 },
                { "type": "string", "pattern": format!("^{TOKENS}$") },
            ],
        })
    }
}

words! {
    /// What a rate counts.
    pub enum RateUnit {
        /// Tokens.
        Tokens = "tokens",
        /// Requests.
        Requests = "requests",
    }
}

words! {
    /// The period of a rate.
    pub enum Period {
        /// Per second.
        Second = "s",
        /// Per minute.
        Minute = "min",
        /// Per hour.
        Hour = "h",
        /// Per day.
        Day = "day",
    }
}

impl Period {
    fn read(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|period| period.word() == word)
    }

    /// The period in seconds.
    pub fn seconds(self) -> u64 {
        match self {
            Self::Second => 1,
            Self::Minute => 60,
            Self::Hour => 3600,
            Self::Day => 86_400,
        }
    }
}

/// Tokens or requests per period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rate {
    /// How many.
    pub amount: u64,
    /// Of what.
    pub unit: RateUnit,
    /// In which period.
    pub period: Period,
}

impl Rate {
    /// The rate per minute, rounded up.
    pub fn per_minute(self) -> u64 {
        let scaled = u128::from(self.amount) * 60;
        u64::try_from(scaled.div_ceil(u128::from(self.period.seconds()))).unwrap_or(u64::MAX)
    }
}

impl Scalar for Rate {
    const WANTED: &'static str = "a rate such as `200k tokens/min` or `600 requests/min`";
    const FORM: Form = Form::Either;

    fn parse(text: &str) -> Result<Self, Fault> {
        let bad = || Fault::bad(format!("`{text}` is not a rate"));
        let units = "`tokens` and `requests`, each per `/s`, `/min`, `/h` or `/day`";
        let Some((amount, rest)) = text.split_once(' ') else {
            return Err(if Tokens::read(text).is_some() { Fault::unit(text, units) } else { bad() });
        };
        let amount = Tokens::read(amount).ok_or_else(bad)?.count();
        let (unit, period) = rest.split_once('/').ok_or_else(|| Fault::unit(text, units))?;
        let unit = RateUnit::ALL.iter().copied().find(|known| known.word() == unit).ok_or_else(bad)?;
        let period = Period::read(period).ok_or_else(bad)?;
        Ok(Self { amount, unit, period })
    }

    fn schema() -> Schema {
        pattern::<Self>(&format!("^{TOKENS} (tokens|requests)/(s|min|h|day)$"))
    }
}

/// A count per hour or day, for instance of sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CountPer {
    /// How many.
    pub count: u64,
    /// In which period.
    pub period: Period,
}

impl Scalar for CountPer {
    const WANTED: &'static str = "a count per period such as `5000 per day`";
    const FORM: Form = Form::Either;

    fn parse(text: &str) -> Result<Self, Fault> {
        let bad = || Fault::bad(format!("`{text}` is not a count per period"));
        let Some((count, period)) = text.split_once(" per ") else {
            let number = Tokens::read(text).is_some();
            return Err(if number { Fault::unit(text, "`per hour` and `per day`") } else { bad() });
        };
        let count = Tokens::read(count).ok_or_else(bad)?.count();
        match period {
            "hour" => Ok(Self { count, period: Period::Hour }),
            "day" => Ok(Self { count, period: Period::Day }),
            _ => Err(bad()),
        }
    }

    fn schema() -> Schema {
        pattern::<Self>(&format!("^{TOKENS} per (hour|day)$"))
    }
}

/// A share of a whole, in hundredths of a percent, from 0% to 100%.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Percent {
    basis_points: u32,
}

const PERCENT: &str = "(100(\\.0{1,2})?|(0|[1-9][0-9]?)(\\.[0-9]{1,2})?)%";

impl Percent {
    /// The share in hundredths of a percent.
    pub fn basis_points(self) -> u32 {
        self.basis_points
    }

    fn read(text: &str) -> Option<Self> {
        let (whole, fraction, "%") = digits(text)? else { return None };
        let basis_points = u32::try_from(scaled(whole, fraction, 2)?).ok()?;
        (basis_points <= 10_000 && !is_padded(text)).then_some(Self { basis_points })
    }
}

impl Scalar for Percent {
    const WANTED: &'static str = "a share such as `80%`, from 0% to 100%";
    const FORM: Form = Form::Either;

    fn parse(text: &str) -> Result<Self, Fault> {
        match Self::read(text) {
            Some(share) => Ok(share),
            None if digits(text).is_some_and(|(_, _, rest)| rest.is_empty()) => Err(Fault::unit(text, "`%`")),
            None => Err(Fault::bad(format!("`{text}` is not a share"))),
        }
    }

    fn schema() -> Schema {
        pattern::<Self>(&format!("^{PERCENT}$"))
    }
}

/// A relative change such as `+50%`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// Hundredths of a percent, negative for less.
    pub basis_points: i32,
}

impl Scalar for Change {
    const WANTED: &'static str = "a change such as `+50%` or `-20%`";

    fn parse(text: &str) -> Result<Self, Fault> {
        let bad = || Fault::bad(format!("`{text}` is not a change"));
        let (sign, share) = match (text.strip_prefix('+'), text.strip_prefix('-')) {
            (Some(rest), _) => (1, rest),
            (_, Some(rest)) => (-1, rest),
            (None, None) => return Err(bad().help("write the sign, `+` or `-`")),
        };
        let points = i32::try_from(Percent::read(share).ok_or_else(bad)?.basis_points).map_err(|_| bad())?;
        Ok(Self { basis_points: sign * points })
    }

    fn schema() -> Schema {
        pattern::<Self>(&format!("^[+-]{PERCENT}$"))
    }
}

/// Growth per month such as `5% per month`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Growth {
    /// The share by which it grows each month.
    pub monthly: Percent,
}

impl Scalar for Growth {
    const WANTED: &'static str = "growth such as `5% per month`";
    const FORM: Form = Form::Either;

    fn parse(text: &str) -> Result<Self, Fault> {
        let share = text.strip_suffix(" per month").and_then(Percent::read);
        share.map(|monthly| Self { monthly }).ok_or_else(|| {
            if Percent::read(text).is_some() || digits(text).is_some_and(|(_, _, rest)| rest.is_empty()) {
                Fault::unit(text, "`% per month`")
            } else {
                Fault::bad(format!("`{text}` is not a growth"))
            }
        })
    }

    fn schema() -> Schema {
        pattern::<Self>(&format!("^{PERCENT} per month$"))
    }
}

/// An amount of memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bytes {
    /// In mebibytes.
    pub mebibytes: u64,
}

impl Scalar for Bytes {
    const WANTED: &'static str = "an amount of memory such as `512Mi` or `16Gi`";
    const FORM: Form = Form::Either;

    fn parse(text: &str) -> Result<Self, Fault> {
        let bad = || Fault::bad(format!("`{text}` is not an amount of memory"));
        let (whole, fraction, unit) = digits(text).ok_or_else(bad)?;
        if !fraction.is_empty() && !unit.is_empty() {
            return Err(bad().help("use a whole number and a smaller unit"));
        }
        if unit.is_empty() {
            return Err(Fault::unit(text, "`Mi` and `Gi`"));
        }
        if !(1..=999_999).contains(&whole) || text.starts_with('0') {
            return Err(Fault::range(format!("`{text}` is not between 1 and 999,999")));
        }
        match unit {
            "Mi" => Ok(Self { mebibytes: whole }),
            "Gi" => Ok(Self { mebibytes: whole * 1024 }),
            _ => Err(bad()),
        }
    }

    fn schema() -> Schema {
        pattern::<Self>("^[1-9][0-9]{0,5}(Mi|Gi)$")
    }
}

/// Processor time, in the notation of Kubernetes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cpu {
    /// In thousandths of a processor.
    pub millis: u64,
}

impl Scalar for Cpu {
    const WANTED: &'static str = "processors such as `250m` (a quarter of one) or `2`";
    const FORM: Form = Form::Either;

    fn parse(text: &str) -> Result<Self, Fault> {
        let bad = || Fault::bad(format!("`{text}` is not an amount of processor time"));
        let (whole, fraction, unit) = digits(text).ok_or_else(bad)?;
        if !fraction.is_empty() {
            return Err(bad().help("write thousandths, for instance `1500m`"));
        }
        if !(1..=999_999).contains(&whole) || text.starts_with('0') {
            return Err(Fault::range(format!("`{text}` is not between 1 and 999,999")));
        }
        match unit {
            "m" => Ok(Self { millis: whole }),
            "" => Ok(Self { millis: whole * 1000 }),
            _ => Err(bad()),
        }
    }

    fn schema() -> Schema {
        json_schema!({
            "description": super::capital(Self::WANTED),
            "oneOf": [
                { "type": "integer", "minimum": 1, "maximum": 999_999 },
                { "type": "string", "pattern": "^[1-9][0-9]{0,5}m?$" },
            ],
        })
    }
}

/// A whole number from 0 to 1,000,000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Count(pub u32);

impl Scalar for Count {
    const WANTED: &'static str = "a whole number from 0 to 1,000,000";
    const FORM: Form = Form::Number;

    fn parse(text: &str) -> Result<Self, Fault> {
        let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        match text.parse::<u32>() {
            _ if is_padded(text) => Err(Fault::bad(format!("`{text}` begins with a zero"))),
            Ok(count) if plain && count <= 1_000_000 => Ok(Self(count)),
            _ if text.trim_start_matches('-').bytes().all(|byte| byte.is_ascii_digit()) => {
                Err(Fault::range(format!("`{text}` is not between 0 and 1,000,000")))
            }
            _ => Err(Fault::bad(format!("`{text}` is not a whole number"))),
        }
    }

    fn schema() -> Schema {
        json_schema!({ "type": "integer", "minimum": 0, "maximum": 1_000_000, "description": super::capital(Self::WANTED) })
    }
}
