//! On which days something can change by itself: those that are written, and what policies and checks count from them.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use crate::catalog::Catalog;
use crate::check::DAYS_AHEAD;
use crate::model::value::Date;
use crate::source::{Source, SourceKind, SourceMap};

/// Methods of Cedar by which a policy may count days in another way than by adding a number that is written.
const COUNTING: [&str; 8] =
    ["durationSince", "toDate", "toTime", "toMilliseconds", "toSeconds", "toMinutes", "toHours", "toDays"];
/// A policy that adds in more ways than this is asked every day.
const MOST_SUMS: usize = 64;
/// What is said of a day begins on it, or ends with it.
const AROUND: RangeInclusive<i32> = 0..=1;
/// A time may be on the day before the one that is written, or the one after, by its time zone.
const AROUND_TIME: RangeInclusive<i32> = -1..=2;

/// The days after the first one, until the last one, on which a finding or a verdict may be another one than on the day
/// before. It is every day where a policy counts days in a way that cannot be told from its text.
pub fn days(sources: &SourceMap, catalog: &Catalog, (from, until): (Date, Date)) -> BTreeSet<Date> {
    let Some(ahead) = ahead(sources) else {
        return (1..=from.until(until)).map(|days| from.after(days)).collect();
    };
    let written = sources.iter().flat_map(|(_, source)| dates(source.text()));
    let models = catalog.models();
    let known = models.flat_map(|model| [&model.lifecycle.legacy_from, &model.lifecycle.end_of_life]);
    let known = known.flatten().flat_map(|day| dates(day));
    let around = |(day, around): (Date, RangeInclusive<i32>)| {
        let counted = ahead.iter().flat_map(move |days| around.clone().map(move |more| more - days));
        counted.map(move |days| day.after(days))
    };
    written.chain(known).flat_map(around).filter(|day| from < *day && *day <= until).collect()
}

/// So many days before or after one that is written something may change; nothing where that cannot be told.
fn ahead(sources: &SourceMap) -> Option<BTreeSet<i32>> {
    let mut ahead: BTreeSet<_> = DAYS_AHEAD.into();
    let is_policies = |source: &Source| matches!(source.kind(), SourceKind::Policies { .. });
    for (_, source) in sources.iter().filter(|(_, source)| is_policies(source)) {
        ahead.extend(sums(source.text())?);
    }
    Some(ahead)
}

/// What the durations of a file of policies add up to, each taken once, in either direction, or not at all.
fn sums(text: &str) -> Option<BTreeSet<i32>> {
    let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    if text.split(|letter| !is_word(letter)).any(|word| COUNTING.contains(&word)) {
        return None;
    }
    let text: String = text.split_whitespace().collect();
    let mut sums: BTreeSet<i32> = [0].into();
    for rest in text.split("duration").skip(1) {
        let (number, _) = rest.strip_prefix("(\"")?.split_once("d\")")?;
        let days: i32 = number.parse().ok()?;
        sums =
            sums.iter().flat_map(|sum| [*sum, sum.saturating_add(days), sum.saturating_sub(days)]).collect();
        if sums.len() > MOST_SUMS {
            return None;
        }
    }
    Some(sums)
}

/// Every day that a text holds, and which days around it are meant.
fn dates(text: &str) -> impl Iterator<Item = (Date, RangeInclusive<i32>)> {
    let words = text.split_inclusive(|letter: char| !(letter.is_ascii_digit() || letter == '-'));
    words.filter_map(|word| {
        let (day, rest) = word.split_at_checked(10)?;
        Some((day.parse().ok().map(Date)?, if rest == "T" { AROUND_TIME } else { AROUND }))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Option<Vec<i32>> {
        Some(sums(text)?.into_iter().collect())
    }

    #[test]
    fn what_a_policy_adds_is_counted() {
        assert_eq!(of("context.today >= datetime(\"2027-01-01\")"), Some(vec![0]));
        assert_eq!(
            of("context.today.offset(duration(\"90d\")) > resource.endOfLife"),
            Some(vec![-90, 0, 90])
        );
        assert_eq!(of("a.offset( duration (\n \"-5d\" ) )"), Some(vec![-5, 0, 5]));
        let twice = "a.offset(duration(\"2d\")) < b.offset(duration(\"30d\"))";
        assert_eq!(of(twice), Some(vec![-32, -30, -28, -2, 0, 2, 28, 30, 32]));
    }

    #[test]
    fn what_cannot_be_told_is_every_day() {
        for text in [
            "a.durationSince(b) < duration(\"30d\")",
            "a.toTime() < duration(\"30d\")",
            "duration(\"30d\").toDays() < 5",
            "a.offset(duration(\"1d12h\")) < b",
            "a.offset(duration(\"30\\u{64}\")) < b",
        ] {
            assert_eq!(of(text), None, "{text}");
        }
        let many: String = (0..5).map(|power| format!("duration(\"{}d\")", 3_i32.pow(power))).collect();
        assert_eq!(of(&many), None);
    }
}
