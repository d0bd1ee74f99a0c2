//! Where the values of a JSON text stand.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::read::child;

/// The places of some values of a JSON text, as ranges of bytes: of a text, number or the like the value, of an object
/// or list its key, or where it has none its opening bracket. Of a key that is written twice, the last is told.
///
/// `text` is JSON; of anything else some places are missing.
///
/// ```
/// let text = r#"{"Statement": [{"Sid": "A"}]}"#;
/// let wanted = ["/Statement/0/Sid".to_owned(), "/Statement/0".to_owned()];
/// let places = aipolicy_iam::places(text, wanted);
/// assert_eq!(&text[places["/Statement/0/Sid"].clone()], "\"A\"");
/// assert_eq!(places["/Statement/0"], 15..16);
/// ```
#[must_use]
pub fn places(text: &str, pointers: impl IntoIterator<Item = String>) -> BTreeMap<String, Range<usize>> {
    let mut scan = Scan { text, at: 0, wanted: pointers.into_iter().collect(), places: BTreeMap::new() };
    scan.value("", None);
    scan.places
}

struct Scan<'t> {
    text: &'t str,
    at: usize,
    wanted: BTreeSet<String>,
    places: BTreeMap<String, Range<usize>>,
}

impl Scan<'_> {
    /// Reads a value, which stands under a key or in a list; nothing where the text ends.
    fn value(&mut self, pointer: &str, key: Option<&Range<usize>>) -> Option<()> {
        self.blank();
        let start = self.at;
        let first = self.byte()?;
        match first {
            b'{' | b'[' => {
                let place = key.cloned().unwrap_or(start..start + 1);
                self.found(pointer, place);
                self.at += 1;
                if first == b'{' { self.object(pointer)? } else { self.list(pointer)? }
            }
            b'"' => {
                let place = self.string()?;
                self.found(pointer, place);
            }
            _ => {
                let rest = self.text.get(start..)?;
                let length = rest.find([',', '}', ']', ' ', '\t', '\n', '\r']).unwrap_or(rest.len());
                self.at += length;
                self.found(pointer, start..start + length);
            }
        }
        Some(())
    }

    fn object(&mut self, pointer: &str) -> Option<()> {
        while self.next()? != b'}' {
            let key = self.string()?;
            let name: String = serde_json::from_str(self.text.get(key.clone())?).ok()?;
            self.next()?;
            self.at += 1;
            self.value(&child(pointer, &name), Some(&key))?;
        }
        self.at += 1;
        Some(())
    }

    fn list(&mut self, pointer: &str) -> Option<()> {
        let mut index = 0_usize;
        while self.next()? != b']' {
            self.value(&child(pointer, &index.to_string()), None)?;
            index += 1;
        }
        self.at += 1;
        Some(())
    }

    /// The place of the string that begins here.
    fn string(&mut self) -> Option<Range<usize>> {
        let start = self.at;
        self.at += 1;
        loop {
            match self.byte()? {
                b'\\' => self.at += 2,
                b'"' => break,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        Some(start..self.at)
    }

    /// The next byte that is neither white space nor a comma.
    fn next(&mut self) -> Option<u8> {
        self.blank();
        if self.byte()? == b',' {
            self.at += 1;
            self.blank();
        }
        self.byte()
    }

    fn blank(&mut self) {
        while self.byte().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn found(&mut self, pointer: &str, place: Range<usize>) {
        if self.wanted.contains(pointer) {
            self.places.insert(pointer.to_owned(), place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slice<'t>(text: &'t str, pointer: &str) -> Option<&'t str> {
        places(text, [pointer.to_owned()]).get(pointer).map(|place| &text[place.clone()])
    }

    #[test]
    fn every_value_is_found() {
        let text = "{ \"a/b\" : [1, {\"c\\u0064\": \"x\\\"]}\"}, true ,null],\n\t\"é\": {} , \"n\": -1.5e3}";
        assert_eq!(slice(text, "/a~1b"), Some("\"a/b\""));
        assert_eq!(slice(text, "/a~1b/0"), Some("1"));
        assert_eq!(slice(text, "/a~1b/1"), Some("{"));
        assert_eq!(slice(text, "/a~1b/1/cd"), Some("\"x\\\"]}\""));
        assert_eq!(slice(text, "/a~1b/2"), Some("true"));
        assert_eq!(slice(text, "/a~1b/3"), Some("null"));
        assert_eq!(slice(text, "/é"), Some("\"é\""));
        assert_eq!(slice(text, "/n"), Some("-1.5e3"));
        assert_eq!(slice(text, ""), Some("{"));
        assert_eq!(slice(text, "/a~1b/4"), None);
        assert_eq!(slice(r#"{"a": 1, "a": 2}"#, "/a"), Some("2"));
    }

    #[test]
    fn what_is_no_json_ends_early() {
        for text in ["", "{", "{\"a\"", "[1,", "\"\\", "{]", "]", "[}"] {
            assert!(places(text, ["/a/b".to_owned()]).is_empty(), "{text}");
        }
    }
}
