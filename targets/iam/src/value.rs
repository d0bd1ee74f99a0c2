//! Values that conditions compare by meaning rather than as text: numbers, dates, addresses, bytes.

use core::net::IpAddr;
use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};
use ipnet::IpNet;
use jiff::SignedDuration;
use jiff::civil::{Date, DateTime, Time};

/// The value of `true` or `false`, in any case.
pub(crate) fn boolean(text: &str) -> Option<bool> {
    [(true, "true"), (false, "false")]
        .into_iter()
        .find_map(|(value, word)| text.eq_ignore_ascii_case(word).then_some(value))
}

/// A decimal number, compared exactly whatever its number of digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Number {
    negative: bool,
    /// The digits before the point, without leading zeros.
    whole: String,
    /// The digits after it, without trailing zeros.
    fraction: String,
}

impl Number {
    /// Reads `-12.50`, with an optional sign and fraction.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let has_digits = !whole.is_empty() || !fraction.is_empty();
        if !has_digits || !whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let whole = whole.trim_start_matches('0').to_owned();
        let fraction = fraction.trim_end_matches('0').to_owned();
        let negative = negative && !(whole.is_empty() && fraction.is_empty());
        Some(Self { negative, whole, fraction })
    }

    /// The number of billionths, where it is a whole one and not beyond 20 digits before the point.
    pub(crate) fn billionths(&self) -> Option<i128> {
        if self.whole.len() > 20 || self.fraction.len() > 9 {
            return None;
        }
        let size: i128 = format!("{}{:0<9}", self.whole, self.fraction).parse().ok()?;
        Some(if self.negative { -size } else { size })
    }

    /// The number of so many billionths.
    pub(crate) fn of_billionths(count: i128) -> Self {
        let digits = format!("{:010}", count.unsigned_abs());
        let (whole, fraction) = digits.split_at(digits.len() - 9);
        let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
        Self { negative: count < 0, whole: whole.to_owned(), fraction: fraction.to_owned() }
    }

    fn compare_size(&self, other: &Self) -> Ordering {
        let by_length = self.whole.len().cmp(&other.whole.len());
        by_length.then_with(|| self.whole.cmp(&other.whole)).then_with(|| self.fraction.cmp(&other.fraction))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.negative, other.negative) {
            (false, false) => self.compare_size(other),
            (true, true) => other.compare_size(self),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
        }
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.negative { "-" } else { "" };
        let whole = if self.whole.is_empty() { "0" } else { &self.whole };
        let point = if self.fraction.is_empty() { "" } else { "." };
        write!(f, "{sign}{whole}{point}{}", self.fraction)
    }
}

/// A point in time, in nanoseconds since 1970 in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Instant(i128);

const NANOSECONDS: i128 = 1_000_000_000;
const EPOCH: DateTime = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);

impl Instant {
    /// Reads a date as conditions write it: a format of the W3C profile of ISO 8601, from `2027` to
    /// `2027-03-31T23:59:59.5+02:00`, or seconds since 1970. Four digits are a year.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        if digits.len() != 4 && !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
            let seconds: i64 = text.parse().ok()?;
            return Some(Self(i128::from(seconds) * NANOSECONDS));
        }
        let (date, time) = match text.split_once('T') {
            Some((date, time)) if date.len() == 10 => (date, Some(time)),
            Some(_) => return None,
            None => (text, None),
        };
        let (time, ahead) = time.map_or(Some((Time::midnight(), SignedDuration::ZERO)), time_of)?;
        let local = DateTime::from_parts(date_of(date)?, time);
        Some(Self(local.duration_since(EPOCH).as_nanos() - ahead.as_nanos()))
    }

    /// The point in time so many nanoseconds after 1970 in UTC.
    pub(crate) fn of_nanoseconds(count: i128) -> Self {
        Self(count)
    }

    /// Nanoseconds since 1970 in UTC.
    pub(crate) fn nanoseconds(self) -> i128 {
        self.0
    }
}

impl fmt::Display for Instant {
    /// As ISO 8601 writes it; beyond the years of four digits, in seconds since 1970.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let date =
            SignedDuration::try_from_nanos_i128(self.0).and_then(|ahead| EPOCH.checked_add(ahead).ok());
        match date.filter(|date| date.year() >= 0) {
            Some(date) => write!(f, "{date}Z"),
            None => write!(f, "{}", self.0.div_euclid(NANOSECONDS)),
        }
    }
}

/// The day of `2027`, `2027-03` or `2027-03-31`, the first where none is said.
fn date_of(text: &str) -> Option<Date> {
    let mut fields = text.split('-');
    let year = number(fields.next()?, 4)?;
    let month = fields.next().map_or(Some(1), |field| number(field, 2))?;
    let day = fields.next().map_or(Some(1), |field| number(field, 2))?;
    fields.next().is_none().then(|| Date::new(year, month, day).ok()).flatten()
}

/// The time of `23:59Z`, `23:59:59+02:00` or `23:59:59.5Z`, and how far it is ahead of UTC.
fn time_of(text: &str) -> Option<(Time, SignedDuration)> {
    let (clock, ahead) = match text.strip_suffix('Z') {
        Some(clock) => (clock, SignedDuration::ZERO),
        None => {
            let (clock, offset) = text.split_at_checked(text.rfind(['+', '-'])?)?;
            let ahead =
                clock_of(offset.get(1..)?).filter(|_| offset.len() == 6)?.duration_since(Time::midnight());
            (clock, if offset.starts_with('-') { -ahead } else { ahead })
        }
    };
    Some((clock_of(clock)?, ahead))
}

/// The time of `23:59`, `23:59:59` or `23:59:59.5`.
fn clock_of(text: &str) -> Option<Time> {
    let (clock, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let mut fields = clock.split(':');
    let (hours, minutes) = (number(fields.next()?, 2)?, number(fields.next()?, 2)?);
    let seconds = fields.next().map_or(Some(0), |field| number(field, 2))?;
    if fields.next().is_some() || fraction.is_empty() {
        return None;
    }
    Time::new(hours, minutes, seconds, number(&format!("{fraction:0<9}"), 9)?).ok()
}

fn number<N: FromStr>(text: &str, digits: usize) -> Option<N> {
    if text.len() != digits || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

/// Addresses that share their first bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Network(IpNet);

impl Network {
    /// Reads `203.0.113.0/24`, `2001:db8::/32`, or one address.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let Some((address, prefix)) = text.split_once('/') else {
            return Some(Self(text.parse::<IpAddr>().ok()?.into()));
        };
        let is_number = prefix.bytes().all(|byte| byte.is_ascii_digit());
        let prefix = prefix.parse().ok().filter(|_| is_number)?;
        IpNet::new(address.parse().ok()?, prefix).ok().map(Self)
    }

    /// Whether the address is one of them.
    pub(crate) fn contains(self, address: IpAddr) -> bool {
        self.0.contains(&address)
    }

    /// The first and the last of them.
    pub(crate) fn ends(self) -> (IpAddr, IpAddr) {
        (self.0.network(), self.0.broadcast())
    }
}

/// Base64 of RFC 4648, section 4, with padding. Bits that no byte has are read over, as decoders of Java do.
const BASE64: GeneralPurpose =
    GeneralPurpose::new(&STANDARD, GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true));

/// The bytes of text in base64.
pub(crate) fn base64(text: &str) -> Option<Vec<u8>> {
    BASE64.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_compared_exactly() {
        let number = |text: &str| Number::parse(text).unwrap();
        for (less, more) in [
            ("1", "2"),
            ("9", "10"),
            ("-10", "-9"),
            ("-1", "1"),
            ("0.5", "0.51"),
            ("0.09", "0.1"),
            ("9007199254740992", "9007199254740993"),
            ("-0.2", "-0.1"),
            ("0", ".5"),
        ] {
            assert!(number(less) < number(more), "{less} {more}");
        }
        for (one, other) in
            [("1", "1.0"), ("007", "7"), ("-0", "0"), ("+3", "3"), ("1.50", "1.5"), ("2.", "2")]
        {
            assert_eq!(number(one), number(other), "{one} {other}");
        }
        for text in ["", "-", ".", "1e3", "0x1", "1,5", "1.2.3", " 1", "--1", "١"] {
            assert_eq!(Number::parse(text), None, "{text}");
        }
    }

    #[test]
    fn dates_of_all_formats_are_points_in_time() {
        let seconds = |text: &str| Instant::parse(text).map(|Instant(nanoseconds)| nanoseconds / NANOSECONDS);
        for (text, expected) in [
            ("1970", 0),
            ("1970-01-02", 86_400),
            ("2000-02-29T00:00:00Z", 951_782_400),
            ("2000-03", 951_868_800),
            ("2027-01-01T00:00:00Z", 1_798_761_600),
            ("2027-01-01T02:00:00+02:00", 1_798_761_600),
            ("2026-12-31T19:30:00-04:30", 1_798_761_600),
            ("2027-01-01T00:00Z", 1_798_761_600),
            ("1798761600", 1_798_761_600),
            ("0", 0),
            ("-86400", -86_400),
            ("1969-12-31", -86_400),
        ] {
            assert_eq!(seconds(text), Some(expected), "{text}");
        }
        assert!(Instant::parse("2027-01-01T00:00:00.25Z") > Instant::parse("2027-01-01T00:00:00Z"));
        for text in [
            "",
            "soon",
            "2027-13",
            "2027-02-29",
            "2027-1-1",
            "2027-01-01T00:00:00",
            "2027-01T00:00:00Z",
            "2027-01-01T24:00:00Z",
            "2027-01-01 00:00:00Z",
            "2027-01-01T00:00:00.Z",
            "12:00Z",
            "-2027",
            "99999999999999999999",
            "2027-01-01T00:00:60Z",
            "2027-01-01T00:00:00+2:00",
            "2027-01-01T00:00:00+02:60",
        ] {
            assert_eq!(Instant::parse(text), None, "{text}");
        }
    }

    #[test]
    fn values_are_written_as_they_are_read() {
        for text in ["0", "-12.5", "18446744073709551615", "0.000000001", "-0.1"] {
            let number = Number::parse(text).unwrap();
            assert_eq!(number.to_string(), text);
            assert_eq!(Number::of_billionths(number.billionths().unwrap()), number);
        }
        for text in ["0.0000000001", "123456789012345678901"] {
            assert_eq!(Number::parse(text).unwrap().billionths(), None, "{text}");
        }
        for text in
            ["1969-12-31T23:59:59Z", "2000-02-29T12:30:00.25Z", "9999-12-31T23:59:59Z", "253402300800"]
        {
            let instant = Instant::parse(text).unwrap();
            assert_eq!(instant.to_string(), text);
            assert_eq!(Instant::of_nanoseconds(instant.nanoseconds()), instant);
        }
    }

    #[test]
    fn networks_contain_addresses_of_their_family() {
        let contains = |network: &str, address: &str| {
            Network::parse(network).unwrap().contains(address.parse().unwrap())
        };
        assert!(contains("203.0.113.0/24", "203.0.113.255"));
        assert!(!contains("203.0.113.0/24", "203.0.114.0"));
        assert!(contains("203.0.113.7/24", "203.0.113.0"));
        assert!(contains("0.0.0.0/0", "255.255.255.255"));
        assert!(contains("203.0.113.7", "203.0.113.7"));
        assert!(!contains("203.0.113.7", "203.0.113.6"));
        assert!(contains("2001:db8::/32", "2001:db8:1::1"));
        assert!(!contains("2001:db8::/32", "2001:db9::1"));
        assert!(!contains("0.0.0.0/0", "::"));
        assert!(!contains("::/0", "1.2.3.4"));
        let ends = |network: &str| Network::parse(network).unwrap().ends();
        assert_eq!(
            ends("203.0.113.7/24"),
            ("203.0.113.0".parse().unwrap(), "203.0.113.255".parse().unwrap())
        );
        assert_eq!(ends("2001:db8::1"), ("2001:db8::1".parse().unwrap(), "2001:db8::1".parse().unwrap()));
        for text in
            ["", "1.2.3", "1.2.3.4/33", "::/129", "1.2.3.4/", "1.2.3.4/+8", "1.2.3.4/-1", "x/8", "01.2.3.4/8"]
        {
            assert_eq!(Network::parse(text), None, "{text}");
        }
    }

    #[test]
    fn base64_is_that_of_the_standard() {
        for (text, bytes) in [
            ("", ""),
            ("Zg==", "f"),
            ("Zm8=", "fo"),
            ("Zm9v", "foo"),
            ("Zm9vYg==", "foob"),
            ("Zm9vYmE=", "fooba"),
            ("Zm9vYmFy", "foobar"),
            ("Zh==", "f"),
        ] {
            assert_eq!(base64(text).as_deref(), Some(bytes.as_bytes()), "{text}");
        }
        for text in ["Zg", "Zg=", "Z===", "Zm9v=", "Zm-v", "====", "Z g="] {
            assert_eq!(base64(text), None, "{text}");
        }
    }
}
