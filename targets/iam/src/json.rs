//! A JSON tree that keeps what `serde_json::Value` loses and a policy depends on: duplicate keys.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// Above this many significant digits two decimal texts can share one `f64`.
const EXACT_DIGITS: usize = 15;

/// One JSON value; objects keep every entry in order, repeated keys included.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    Number(String),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    /// Parses one JSON value. Nesting is bounded by `serde_json` (128 levels), which also bounds every walk
    /// of the tree.
    pub(crate) fn parse(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// The value of a key; the first one where it is written twice.
    pub(crate) fn get(&self, name: &str) -> Option<&Self> {
        let Self::Object(entries) = self else { return None };
        entries.iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// The text, of a string.
    pub(crate) fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// What the value is, for messages.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::Text(_) => "a string",
            Self::List(_) => "a list",
            Self::Object(_) => "an object",
        }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Number(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Number(value.to_string()))
    }

    // A number that changes on its way through `f64` would change what a condition compares, so it is refused; what
    // passes is off by less than one part in 10^15.
    fn visit_f64<E: Error>(self, value: f64) -> Result<Json, E> {
        let text = value.to_string();
        if significant_digits(&text) > EXACT_DIGITS {
            return Err(E::custom("a number with too many digits to be read exactly; write it as a string"));
        }
        Ok(Json::Number(text))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Json, E> {
        Ok(Json::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Json, A::Error> {
        let mut object = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            object.push(entry);
        }
        Ok(Json::Object(object))
    }
}

fn significant_digits(decimal: &str) -> usize {
    let digits: String = decimal.chars().filter(char::is_ascii_digit).collect();
    digits.trim_start_matches('0').trim_end_matches('0').len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: &str) -> Json {
        Json::Text(value.to_owned())
    }

    #[test]
    fn repeated_keys_are_kept_in_order() {
        let parsed = Json::parse(r#"{"b": 1, "a": "x", "b": null}"#).unwrap();
        let expected = vec![
            ("b".to_owned(), Json::Number("1".to_owned())),
            ("a".to_owned(), text("x")),
            ("b".to_owned(), Json::Null),
        ];
        assert_eq!(parsed, Json::Object(expected));
    }

    #[test]
    fn numbers_keep_their_value() {
        for (source, expected) in [
            ("0", "0"),
            ("-7", "-7"),
            ("18446744073709551615", "18446744073709551615"),
            ("0.25", "0.25"),
            ("1.50", "1.5"),
            ("1e3", "1000"),
        ] {
            assert_eq!(Json::parse(source).unwrap(), Json::Number(expected.to_owned()), "{source}");
        }
    }

    #[test]
    fn numbers_that_would_change_are_refused() {
        for source in ["123456789012345678901234567890", "0.12345678901234567", "1e999"] {
            assert!(Json::parse(source).is_err(), "{source}");
        }
    }

    #[test]
    fn deep_nesting_is_an_error_and_not_a_crash() {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let source = format!("{}1{}", open.repeat(10_000), close.repeat(10_000));
            assert!(Json::parse(&source).unwrap_err().to_string().contains("recursion limit"));
            assert!(Json::parse(&open.repeat(10_000)).is_err());
        }
    }

    #[test]
    fn what_is_not_json_is_refused() {
        for source in ["", "{", "{} {}", "{'a': 1}", "{\"a\": 1,}", "\u{feff}{}", r#""\ud800""#, "NaN"] {
            assert!(Json::parse(source).is_err(), "{source:?}");
        }
    }
}
