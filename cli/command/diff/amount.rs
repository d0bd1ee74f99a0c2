//! Amounts as resources have them, compared where they are of one kind.

use std::cmp::Ordering;

use serde_json::Value;

/// Periods of budgets, from the shortest: the same limit over a shorter one lets more be spent.
const PERIODS: &[&str] = &["day", "week", "month", "quarter", "year"];
/// Strengths of filters, from the weakest.
const STRENGTHS: &[&str] = &["none", "low", "medium", "high"];

/// Which of two amounts is larger; nothing where they cannot be compared.
pub(super) fn order(left: &Value, right: &Value) -> Option<Ordering> {
    if let (Some(left), Some(right)) = (left.as_f64(), right.as_f64()) {
        return left.partial_cmp(&right);
    }
    if let (Some(left), Some(right)) = (left.as_bool(), right.as_bool()) {
        return Some(left.cmp(&right));
    }
    let (left, right) = (left.as_str()?, right.as_str()?);
    let in_words = [PERIODS, STRENGTHS].iter().find_map(|words| {
        let at = |text| words.iter().position(|word| *word == text);
        Some(at(left)?.cmp(&at(right)?))
    });
    in_words.or_else(|| {
        let ((left, unit), (right, other)) = (read(left)?, read(right)?);
        if unit == other { left.partial_cmp(&right) } else { None }
    })
}

/// A number and what it counts.
fn read(text: &str) -> Option<(f64, String)> {
    if let Some(day) = day(text) {
        return Some((day, "day".into()));
    }
    let (prefix, rest) = match text.split_once(' ') {
        Some((currency, rest)) if currency.bytes().all(|byte| byte.is_ascii_uppercase()) => (currency, rest),
        _ => ("", text),
    };
    let end = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(rest.len());
    let (digits, suffix) = rest.split_at_checked(end)?;
    let number: f64 = digits.parse().ok()?;
    let (factor, unit) = unit(suffix)?;
    Some((number * factor, format!("{prefix} {unit}")))
}

/// A day such as `2027-03-31`, as a number that grows with it.
fn day(text: &str) -> Option<f64> {
    let date: jiff::civil::Date = text.parse().ok().filter(|_| text.len() == 10)?;
    Some(f64::from(date.year()) * 400.0 + f64::from(date.month()) * 32.0 + f64::from(date.day()))
}

/// What stands behind a number: how much of its unit that is, and the unit.
fn unit(suffix: &str) -> Option<(f64, String)> {
    let (factor, rest) = match suffix.chars().next() {
        Some('k') => (1e3, suffix.get(1..)?),
        Some('M') if !suffix.starts_with("Mi") => (1e6, suffix.get(1..)?),
        _ => (1.0, suffix),
    };
    let times = [("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3600.0), ("d", 86400.0)];
    if let Some((_, seconds)) = times.iter().find(|(word, _)| *word == rest) {
        return Some((*seconds, "time".into()));
    }
    let sizes = [("Ki", 1024.0), ("Mi", 1024.0 * 1024.0), ("Gi", 1024.0 * 1024.0 * 1024.0)];
    if let Some((_, bytes)) = sizes.iter().find(|(word, _)| *word == rest) {
        return Some((*bytes, "bytes".into()));
    }
    let rates = [("/s", 1.0), ("/min", 60.0), ("/h", 3600.0), ("/d", 86400.0)];
    match rates.iter().find_map(|(word, seconds)| Some((rest.strip_suffix(word)?, seconds))) {
        Some((what, seconds)) => Some((factor / seconds, format!("{} a second", what.trim()))),
        None => Some((factor, rest.trim().to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering::{Equal, Greater, Less};

    use serde_json::json;

    use super::order;

    #[test]
    fn amounts_of_one_kind_are_compared() {
        let cases = [
            (json!("USD 5000"), json!("USD 5001"), Some(Less)),
            (json!("USD 5k"), json!("USD 5000"), Some(Equal)),
            (json!("USD 5"), json!("EUR 5"), None),
            (json!("200k"), json!("1M"), Some(Less)),
            (json!("90s"), json!("1m"), Some(Greater)),
            (json!("5m"), json!("5M"), None),
            (json!("2M tokens/min"), json!("1M tokens/s"), Some(Less)),
            (json!("2M tokens/min"), json!("1 requests/s"), None),
            (json!("month"), json!("day"), Some(Greater)),
            (json!("high"), json!("none"), Some(Greater)),
            (json!("2027-03-31"), json!("2027-04-01"), Some(Less)),
            (json!(12), json!(2.5), Some(Greater)),
            (json!(true), json!(false), Some(Greater)),
            (json!("a"), json!("b"), None),
        ];
        for (left, right, expected) in cases {
            assert_eq!(order(&left, &right), expected, "{left} {right}");
            assert_eq!(order(&right, &left), expected.map(std::cmp::Ordering::reverse), "{right} {left}");
        }
    }
}
