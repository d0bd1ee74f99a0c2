//! Values that have an order (numbers, dates, addresses), cut where policies tell them apart.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::collections::BTreeSet;

use fixedbitset::FixedBitSet;

use crate::value::{Instant, Network, Number, boolean};

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
            Scale::Number => Number::of_billionths(distance(round(*from, *to, UNIT))).to_string(),
            Scale::Flag => (*from == 1).to_string(),
            Scale::Date => Instant::of_nanoseconds(distance(round(*from, *to, DAY))).to_string(),
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

/// How far a place is above zero.
fn distance(point: u128) -> i128 {
    (point ^ ZERO).cast_signed()
}

/// The place so far above zero.
fn above_zero(scale: Scale, distance: i128) -> Point {
    (scale, distance.cast_unsigned() ^ ZERO)
}

/// The place of a boolean.
pub(crate) fn flag(text: &str) -> Option<Point> {
    boolean(text).map(|value| (Scale::Flag, value.into()))
}

/// The place of a number; `None` for what has more than nine decimal places, or is no number.
pub(crate) fn number(text: &str) -> Option<Point> {
    Some(above_zero(Scale::Number, Number::parse(text)?.billionths()?))
}

/// The place of a date.
pub(crate) fn instant(text: &str) -> Option<Point> {
    Some(above_zero(Scale::Date, Instant::parse(text)?.nanoseconds()))
}

/// The addresses of a block such as `10.0.0.0/8`, or of one address.
pub(crate) fn addresses(text: &str) -> Option<Span> {
    let place = |address: IpAddr| match address {
        IpAddr::V4(address) => (Scale::V4, u128::from(address.to_bits())),
        IpAddr::V6(address) => (Scale::V6, address.to_bits()),
    };
    let (first, last) = Network::parse(text)?.ends();
    Some((place(first), place(last)))
}
