//! Values that conditions compare by meaning rather than as text: numbers, dates, addresses, bytes.

use core::net::IpAddr;
use std::cmp::Ordering;

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

/// A point in time, in nanoseconds since 1970 in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Instant(i128);

const NANOSECONDS: i128 = 1_000_000_000;

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
        let days = days_of(date)?;
        let nanoseconds = time.map_or(Some(0), time_of)?;
        Some(Self(i128::from(days) * 86_400 * NANOSECONDS + nanoseconds))
    }
}

impl Instant {
    /// Nanoseconds since 1970 in UTC.
    pub(crate) fn nanoseconds(self) -> i128 {
        self.0
    }
}

/// Days since 1970 of `2027`, `2027-03` or `2027-03-31`.
fn days_of(date: &str) -> Option<i64> {
    let mut fields = date.split('-');
    let year = number(fields.next()?, 4)?;
    let month = fields.next().map_or(Some(1), |field| number(field, 2))?;
    let day = fields.next().map_or(Some(1), |field| number(field, 2))?;
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let longest = match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    if fields.next().is_some() || !(1..=12).contains(&month) || !(1..=longest).contains(&day) {
        return None;
    }
    // Counted from March, so that the day that leap years add is the last of the year.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days_before_month = (153 * month + 2) / 5;
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    const DAYS_TO_1970: i64 = 719_468;
    Some(365 * year + leap_days + days_before_month + day - 1 - DAYS_TO_1970)
}

/// Nanoseconds of `23:59Z`, `23:59:59+02:00` or `23:59:59.5Z`, since the begin of the day in UTC.
fn time_of(text: &str) -> Option<i128> {
    let (clock, offset_minutes) = match text.strip_suffix('Z') {
        Some(clock) => (clock, 0),
        None => {
            let (clock, offset) = text.split_at_checked(text.rfind(['+', '-'])?)?;
            let sign = if offset.starts_with('-') { -1 } else { 1 };
            let (hours, minutes) = offset.get(1..)?.split_once(':')?;
            (clock, sign * (number(hours, 2)? * 60 + number(minutes, 2)?))
        }
    };
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let mut fields = clock.split(':');
    let (hours, minutes) = (number(fields.next()?, 2)?, number(fields.next()?, 2)?);
    let seconds = fields.next().map_or(Some(0), |field| number(field, 2))?;
    if fields.next().is_some() || hours > 23 || minutes > 59 || seconds > 59 {
        return None;
    }
    if fraction.is_empty() || fraction.len() > 9 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let nanoseconds: i128 = format!("{fraction:0<9}").parse().ok()?;
    let whole = (hours * 60 + minutes - offset_minutes) * 60 + seconds;
    Some(i128::from(whole) * NANOSECONDS + nanoseconds)
}

fn number(text: &str, digits: usize) -> Option<i64> {
    if text.len() != digits || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

/// Addresses that share their first bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Network {
    address: IpAddr,
    prefix: u32,
}

impl Network {
    /// Reads `203.0.113.0/24`, `2001:db8::/32`, or one address.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            Some(prefix) if prefix.bytes().all(|byte| byte.is_ascii_digit()) => prefix.parse().ok()?,
            Some(_) => return None,
            None => longest,
        };
        (prefix <= longest).then_some(Self { address, prefix })
    }

    /// Whether the address is one of them.
    pub(crate) fn contains(self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(ours), IpAddr::V4(theirs)) => {
                let differing = u32::from(ours) ^ u32::from(theirs);
                differing.leading_zeros() >= self.prefix
            }
            (IpAddr::V6(ours), IpAddr::V6(theirs)) => {
                let differing = u128::from(ours) ^ u128::from(theirs);
                differing.leading_zeros() >= self.prefix
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

/// The bytes of text in base64 (RFC 4648, section 4, with padding).
pub(crate) fn base64(text: &str) -> Option<Vec<u8>> {
    let text = text.as_bytes();
    let padding = text.iter().rev().take_while(|byte| **byte == b'=').count();
    let (digits, _) = text.split_at_checked(text.len().checked_sub(padding)?)?;
    if !text.len().is_multiple_of(4) || padding > 2 {
        return None;
    }
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    for group in digits.chunks(4) {
        let mut bits: u32 = 0;
        for digit in group {
            bits = (bits << 6) | sextet(*digit)?;
        }
        bits <<= 6 * (4 - group.len());
        let [_, all @ ..] = bits.to_be_bytes();
        bytes.extend(all.iter().take(group.len() - 1));
    }
    Some(bytes)
}

fn sextet(digit: u8) -> Option<u32> {
    Some(u32::from(match digit {
        b'A'..=b'Z' => digit - b'A',
        b'a'..=b'z' => digit - b'a' + 26,
        b'0'..=b'9' => digit - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    }))
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
        ] {
            assert_eq!(Instant::parse(text), None, "{text}");
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
        for text in ["", "1.2.3", "1.2.3.4/33", "::/129", "1.2.3.4/", "1.2.3.4/+8", "1.2.3.4/-1", "x/8"] {
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
        ] {
            assert_eq!(base64(text).as_deref(), Some(bytes.as_bytes()), "{text}");
        }
        for text in ["Zg", "Zg=", "Z===", "Zm9v=", "Zm-v", "====", "Z g="] {
            assert_eq!(base64(text), None, "{text}");
        }
    }
}
