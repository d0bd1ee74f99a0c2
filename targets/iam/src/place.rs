//! On which lines the values of a JSON text stand.

use std::collections::BTreeMap;

/// The lines of every value of a JSON text, by JSON pointer (RFC 6901).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places {
    lines: BTreeMap<String, usize>,
}

impl Places {
    /// Reads the text, which should be JSON; what follows a mistake in it may stand on any line.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let mut scanner = Scanner { line: 1, ..Scanner::default() };
        let mut rest = text;
        while let Some(token) = rest.chars().next() {
            let length = match token {
                '"' => scanner.string(rest),
                other => {
                    scanner.mark(other);
                    other.len_utf8()
                }
            };
            let (read, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
            scanner.line += read.matches('\n').count();
            rest = after;
        }
        Self { lines: scanner.lines }
    }

    /// The line, counted from 1, of the value, or else of the nearest value around it.
    #[must_use]
    pub fn line(&self, pointer: &str) -> usize {
        let mut pointer = pointer;
        loop {
            if let Some(line) = self.lines.get(pointer) {
                return *line;
            }
            let Some((outer, _)) = pointer.rsplit_once('/') else { return 1 };
            pointer = outer;
        }
    }
}

/// Where the scanner stands.
#[derive(Default)]
struct Scanner {
    line: usize,
    path: Vec<Step>,
    expects_key: bool,
    in_scalar: bool,
    lines: BTreeMap<String, usize>,
}

enum Step {
    Field(String),
    Item(usize),
}

impl Scanner {
    /// Takes a string, and returns its length with its quotes.
    fn string(&mut self, rest: &str) -> usize {
        let mut escaped = false;
        let closes = |c: char| {
            let is_end = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            is_end
        };
        let inside = rest.get(1..).unwrap_or("");
        let length = inside.find(closes).map_or(rest.len(), |end| end + 2);
        if self.expects_key {
            let key: String =
                rest.get(..length).and_then(|key| serde_json::from_str(key).ok()).unwrap_or_default();
            if let Some(Step::Field(current)) = self.path.last_mut() {
                *current = key;
            }
            self.place();
        } else {
            self.value();
        }
        length
    }

    /// Takes a character outside of strings.
    fn mark(&mut self, token: char) {
        let starts_scalar = !self.in_scalar && !token.is_whitespace();
        match token {
            '{' => {
                self.value();
                self.path.push(Step::Field(String::new()));
                self.expects_key = true;
            }
            '[' => {
                self.value();
                self.path.push(Step::Item(0));
                self.expects_key = false;
            }
            '}' | ']' => {
                self.path.pop();
                self.expects_key = false;
            }
            ':' => self.expects_key = false,
            ',' => match self.path.last_mut() {
                Some(Step::Item(index)) => *index += 1,
                Some(Step::Field(_)) => self.expects_key = true,
                None => {}
            },
            _ if starts_scalar => self.value(),
            _ => {}
        }
        self.in_scalar = !token.is_whitespace() && !matches!(token, '{' | '}' | '[' | ']' | ':' | ',');
    }

    /// A value begins; that of a field stands where its key does.
    fn value(&mut self) {
        if !matches!(self.path.last(), Some(Step::Field(_))) {
            self.place();
        }
    }

    fn place(&mut self) {
        let steps = self.path.iter().map(|step| match step {
            Step::Field(key) => format!("/{}", key.replace('~', "~0").replace('/', "~1")),
            Step::Item(index) => format!("/{index}"),
        });
        self.lines.entry(steps.collect()).or_insert(self.line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_has_its_line() {
        let text = "{\n  \"a\": [\n    1, {\"b/c\": null},\n    \"x\\\"]\"\n  ],\n\n  \"d\":\n  {\"e\\u0066\": true}}\n";
        let places = Places::new(text);
        for (pointer, line) in [
            ("", 1),
            ("/a", 2),
            ("/a/0", 3),
            ("/a/1", 3),
            ("/a/1/b~1c", 3),
            ("/a/2", 4),
            ("/d", 7),
            ("/d/ef", 8),
        ] {
            assert_eq!(places.lines.get(pointer), Some(&line), "{pointer}");
        }
        assert_eq!(places.lines.len(), 8);
        assert_eq!(places.line("/a/1/zzz/0"), 3);
        assert_eq!(places.line("/zzz"), 1);
    }

    #[test]
    fn what_is_no_json_is_no_panic() {
        for text in ["", "\"", "\"\\", "{\"a", "]]}}", "[,,", "{\"a\": [1", "ä\u{feff}\"ö"] {
            assert!(Places::new(text).line("/a/0") >= 1, "{text}");
        }
    }
}
