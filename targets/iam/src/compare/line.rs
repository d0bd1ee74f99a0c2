//! Values that have an order (numbers, dates, addresses), cut where policies tell them apart.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::collections::BTreeSet;

use fixedbitset::FixedBitSet;

use crate::value::Instant;

/// A value: what it counts, and where it stands among those.
pub(crate) type Point = (Scale, u128);

/// The values from one to another, both included.
pub(crate) type Span = (Point, Point);

/// What values of a line are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Scale {
    /// `false` and `true`.
    Flag,
    /// Numbers, in billionths above the least.
    Number,
    /// Instants, in nanoseconds above the earliest.
    Date,
    /// Addresses of IPv4.
    V4,
    /// Addresses of IPv6.
    V6,
}

impl Scale {
    fn end(self) -> u128 {
        match self {
            Self::Flag => 1,
            Self::V4 => u32::MAX.into(),
            Self::Number | Self::Date | Self::V6 => u128::MAX,
        }
    }

    /// All values of the scale.
    pub(crate) fn whole(self) -> Span {
        ((self, 0), (self, self.end()))
    }
}

/// The values of a key, in pieces that no policy divides.
#[derive(Debug)]
pub(crate) struct Line {
    pieces: Vec<Span>,
}

impl Line {
    /// The pieces into which the spans cut all values of their scale; `None` without spans, or where they are of
    /// several scales, so that one text may stand in several.
    pub(crate) fn cut(spans: &[Span]) -> Option<Self> {
        let mut starts: BTreeSet<Point> = BTreeSet::new();
        let mut scales: BTreeSet<Scale> = spans.iter().map(|span| span.0.0).collect();
        if scales.contains(&Scale::V4) || scales.contains(&Scale::V6) {
            scales.extend([Scale::V4, Scale::V6]);
        }
        if scales.is_empty() || (scales.len() > 1 && scales.first() != Some(&Scale::V4)) {
            return None;
        }
        for ((scale, from), (_, to)) in spans {
            starts.insert((*scale, *from));
            starts.extend(to.checked_add(1).filter(|next| *next <= scale.end()).map(|next| (*scale, next)));
        }
        starts.extend(scales.iter().map(|scale| (*scale, 0)));
        let starts: Vec<Point> = starts.into_iter().collect();
        let ends = starts.iter().skip(1).map(Some).chain([None]);
        let pieces = starts.iter().zip(ends).map(|(start, next)| {
            let last = next.filter(|next| next.0 == start.0).map_or(start.0.end(), |next| next.1 - 1);
            (*start, (start.0, last))
        });
        Some(Self { pieces: pieces.collect() })
    }

    /// How many pieces there are.
    pub(crate) fn len(&self) -> usize {
        self.pieces.len()
    }

    /// The pieces within the spans.
    pub(crate) fn within(&self, spans: &[Span]) -> FixedBitSet {
        let mut found = FixedBitSet::with_capacity(self.pieces.len());
        for (at, (from, to)) in self.pieces.iter().enumerate() {
            if spans.iter().any(|span| span.0 <= *from && *to <= span.1) {
                found.insert(at);
            }
        }
        found
    }

    /// A value of a piece, as a request has it; the roundest that is easily found.
    pub(crate) fn text(&self, piece: usize) -> String {
        let Some(((scale, from), (_, to))) = self.pieces.get(piece) else { return String::new() };
        match scale {
            Scale::Number => decimal(round(*from, *to, UNIT)),
            Scale::Flag => (*from == 1).to_string(),
            Scale::Date => date(round(*from, *to, DAY)),
            Scale::V4 => {
                let value = from.saturating_add(u128::from(from < to));
                IpAddr::from(Ipv4Addr::from_bits(u32::try_from(value).unwrap_or(u32::MAX))).to_string()
            }
            Scale::V6 => Ipv6Addr::from_bits(from.saturating_add(u128::from(from < to))).to_string(),
        }
    }
}

/// Numbers are held in billionths.
const UNIT: u128 = 1_000_000_000;
/// Nanoseconds of a day.
const DAY: u128 = 86_400 * UNIT;
/// Where zero stands.
const ZERO: u128 = 1 << 127;

/// The value between two that is the multiple of `unit` closest above the lower, or zero; the lower itself where there
/// is none.
fn round(from: u128, to: u128, unit: u128) -> u128 {
    if from <= ZERO && ZERO <= to {
        return ZERO;
    }
    let above =
        |value: u128| (value - ZERO).checked_next_multiple_of(unit).and_then(|one| one.checked_add(ZERO));
    let found = if from > ZERO { above(from) } else { Some(ZERO - (ZERO - to).next_multiple_of(unit)) };
    found.filter(|one| (from..=to).contains(one)).unwrap_or(from)
}

fn decimal(point: u128) -> String {
    let (sign, distance) = if point < ZERO { ("-", ZERO - point) } else { ("", point - ZERO) };
    let (whole, part) = (distance / UNIT, distance % UNIT);
    let part = format!("{part:09}");
    match part.trim_end_matches('0') {
        "" => format!("{sign}{whole}"),
        digits => format!("{sign}{whole}.{digits}"),
    }
}

/// A date as ISO 8601 writes it, or, beyond the years of four digits and between seconds, in seconds since 1970.
fn date(point: u128) -> String {
    let seconds =
        point.checked_sub(ZERO).filter(|distance| distance % UNIT == 0).map(|distance| distance / UNIT);
    let Some((days, second)) =
        seconds.map(|all| (all / 86_400, all % 86_400)).filter(|(days, _)| *days < DAYS)
    else {
        return decimal(point);
    };
    let is_leap =
        |year: u128| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let (mut year, mut day) = (1970, days);
    while day >= 365 + u128::from(is_leap(year)) {
        day -= 365 + u128::from(is_leap(year));
        year += 1;
    }
    let mut month = 1;
    for length in [31, 28 + u128::from(is_leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30] {
        if day < length {
            break;
        }
        day -= length;
        month += 1;
    }
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{:02}T{hour:02}:{minute:02}:{second:02}Z", day + 1)
}

/// The days from 1970 to the year 10000.
const DAYS: u128 = 2_932_897;

/// The place of a boolean.
pub(crate) fn flag(text: &str) -> Option<Point> {
    let value = [(0, "false"), (1, "true")].into_iter().find(|(_, word)| text.eq_ignore_ascii_case(word));
    value.map(|(value, _)| (Scale::Flag, value))
}

/// The place of a number; `None` for what has more than nine decimal places, or is no number.
pub(crate) fn number(text: &str) -> Option<Point> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 20 || part.len() > 9 || !is_digits(whole) || !is_digits(part) {
        return None;
    }
    let distance: u128 = format!("{whole}{part:0<9}").parse().ok()?;
    Some((Scale::Number, if negative { ZERO - distance } else { ZERO + distance }))
}

/// The place of a date.
pub(crate) fn instant(text: &str) -> Option<Point> {
    Some((Scale::Date, ZERO.checked_add_signed(Instant::parse(text)?.nanoseconds())?))
}

/// The addresses of a block such as `10.0.0.0/8`, or of one address.
pub(crate) fn addresses(text: &str) -> Option<Span> {
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, Some(bits.parse::<u32>().ok()?)),
        None => (text, None),
    };
    let (scale, value, width) = match address.parse::<IpAddr>().ok()? {
        IpAddr::V4(address) => (Scale::V4, u128::from(address.to_bits()), 32_u32),
        IpAddr::V6(address) => (Scale::V6, address.to_bits(), 128),
    };
    let free = width.checked_sub(bits.unwrap_or(width))?;
    let mask = 1_u128.checked_shl(free).map_or(u128::MAX, |one| one - 1);
    Some(((scale, value & !mask), (scale, value | mask)))
}
