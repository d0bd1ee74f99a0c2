//! Where the values of a JSON text stand.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::read::child;

/// The places of values of a JSON text, by JSON pointer (RFC 6901): of a text, number or the like the value, of an
/// object or list its key, or where it has none its opening bracket. Of a key that is written twice, the last is told.
///
/// ```
/// let text = r#"{"Statement": [{"Sid": "A"}]}"#;
/// let places = aipolicy_iam::Places::new(text);
/// assert_eq!(&text[places.range("/Statement/0/Sid")], "\"A\"");
/// assert_eq!(places.range("/Statement/0"), 15..16);
/// assert_eq!(places.line("/Statement/0"), 1);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places {
    ranges: BTreeMap<String, Range<usize>>,
    /// Where lines end.
    breaks: Vec<usize>,
}

impl Places {
    /// Reads the text, which should be JSON; what follows a mistake in it has no place of its own.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self::read(text, None)
    }

    /// Reads the text as [`Places::new`] does, and keeps the places of these values, and of those around them.
    #[must_use]
    pub fn of(text: &str, pointers: impl IntoIterator<Item = String>) -> Self {
        let mut wanted = BTreeSet::new();
        for mut pointer in pointers {
            while wanted.insert(pointer.clone()) {
                pointer.truncate(pointer.rfind('/').unwrap_or(0));
            }
        }
        Self::read(text, Some(wanted))
    }

    fn read(text: &str, wanted: Option<BTreeSet<String>>) -> Self {
        let mut scan = Scan { text, at: 0, depth: 0, wanted, ranges: BTreeMap::new() };
        scan.value("", None);
        Self { ranges: scan.ranges, breaks: text.match_indices('\n').map(|(at, _)| at).collect() }
    }

    /// The place of the value, in bytes, or else of the nearest value around it.
    #[must_use]
    pub fn range(&self, pointer: &str) -> Range<usize> {
        let mut pointer = pointer;
        loop {
            if let Some(range) = self.ranges.get(pointer) {
                return range.clone();
            }
            let Some((outer, _)) = pointer.rsplit_once('/') else { return 0..0 };
            pointer = outer;
        }
    }

    /// The line, counted from 1, of the value, or else of the nearest value around it.
    #[must_use]
    pub fn line(&self, pointer: &str) -> usize {
        let start = self.range(pointer).start;
        self.breaks.partition_point(|end| *end < start) + 1
    }
}

/// What is nested deeper has no place; `serde_json` reads no deeper either.
const DEPTH: usize = 128;

struct Scan<'t> {
    text: &'t str,
    at: usize,
    depth: usize,
    /// Every value, where nothing is said.
    wanted: Option<BTreeSet<String>>,
    ranges: BTreeMap<String, Range<usize>>,
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
                self.depth = Some(self.depth + 1).filter(|depth| *depth <= DEPTH)?;
                if first == b'{' {
                    self.object(pointer)?;
                } else {
                    self.list(pointer)?;
                }
                self.depth -= 1;
            }
            b'"' => {
                let place = self.string()?;
                self.found(pointer, place);
            }
            _ => {
                let rest = self.text.get(start..)?;
                let length = rest.find([',', '}', ']', ' ', '\t', '\n', '\r']).unwrap_or(rest.len());
                if length == 0 {
                    // A value has to begin here, and what does not get on would never end.
                    return None;
                }
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
        if self.wanted.as_ref().is_none_or(|wanted| wanted.contains(pointer)) {
            self.ranges.insert(pointer.to_owned(), place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slice<'t>(text: &'t str, pointer: &str) -> &'t str {
        let places = Places::new(text);
        assert_eq!(Places::of(text, [pointer.to_owned()]).range(pointer), places.range(pointer));
        &text[places.range(pointer)]
    }

    #[test]
    fn every_value_has_its_place() {
        let text = "{ \"a/b\" : [1, {\"c\\u0064\": \"x\\\"]}\"}, true ,null],\n\t\"é\": {} , \"n\": -1.5e3}";
        assert_eq!(slice(text, "/a~1b"), "\"a/b\"");
        assert_eq!(slice(text, "/a~1b/0"), "1");
        assert_eq!(slice(text, "/a~1b/1"), "{");
        assert_eq!(slice(text, "/a~1b/1/cd"), "\"x\\\"]}\"");
        assert_eq!(slice(text, "/a~1b/2"), "true");
        assert_eq!(slice(text, "/a~1b/3"), "null");
        assert_eq!(slice(text, "/é"), "\"é\"");
        assert_eq!(slice(text, "/n"), "-1.5e3");
        assert_eq!(slice(text, ""), "{");
        assert_eq!(slice(text, "/a~1b/4"), "\"a/b\"", "the nearest around it");
        assert_eq!(slice(r#"{"a": 1, "a": 2}"#, "/a"), "2");
    }

    #[test]
    fn every_value_has_its_line() {
        let text = "{\n  \"a\": [\n    1, {\"b/c\": null},\n    \"x\\\"]\"\n  ],\n\n  \"d\":\n  {\"e\\u0066\": true}}\n";
        let places = Places::new(text);
        let lines = [
            ("", 1),
            ("/a", 2),
            ("/a/0", 3),
            ("/a/1", 3),
            ("/a/1/b~1c", 3),
            ("/a/2", 4),
            ("/d", 7),
            ("/d/ef", 8),
        ];
        for (pointer, line) in lines {
            assert_eq!(places.line(pointer), line, "{pointer}");
        }
        assert_eq!(places.ranges.len(), lines.len());
        assert_eq!(places.line("/a/1/zzz/0"), 3);
        assert_eq!(places.line("/zzz"), 1);
    }

    #[test]
    fn what_is_no_json_is_no_panic() {
        for text in ["", "\"", "\"\\", "{\"a", "]]}}", "[,,", "{\"a\": [1", "{", "[}", "{]", "ä\u{feff}\"ö"]
        {
            assert!(Places::new(text).line("/a/0") >= 1, "{text}");
        }
        for open in ["[", "{\"a\":"] {
            assert!(Places::new(&open.repeat(1 << 20)).ranges.len() <= DEPTH + 1, "{open}");
        }
    }
}
