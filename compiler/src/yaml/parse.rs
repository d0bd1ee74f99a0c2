//! Events of the parser to trees, with the refusals that the parser does not make itself.

use std::borrow::Cow;

use granit_parser::{ErrorKind, Event, Options, Parser, ScalarStyle};

use super::{Core, Key, Node, Value, characters};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::rule;
use crate::source::{SourceId, SourceMap, Span, Spanned};

/// The largest file that is read, in bytes.
const MAX_BYTES: usize = 16 << 20;
/// The deepest nesting of lists and maps.
const MAX_DEPTH: usize = 64;
/// The longest single value, in bytes.
const MAX_SCALAR: usize = 1 << 20;
/// The most values in one document.
const MAX_NODES: usize = 200_000;

/// One document of a file.
#[derive(Debug)]
pub(crate) struct Document<'a> {
    pub(crate) root: Node<'a>,
}

/// Reads every document of a text that can be read; whatever cannot is reported, and the next document is tried.
pub(crate) fn documents<'a>(text: &'a str, source: SourceId, out: &mut Diagnostics) -> Vec<Document<'a>> {
    if text.len() > MAX_BYTES {
        let message = format!("the file has {} bytes, and at most {MAX_BYTES} are read", text.len());
        out.report(
            rule::LIMIT_EXCEEDED.at(Span::new(source, 0, 0), message, "").help("split it into several files"),
        );
        return Vec::new();
    }
    if let Some((at, length, why)) = characters::first_fault(text.strip_prefix('\u{feff}').unwrap_or(text)) {
        let at = at + text.len() - text.strip_prefix('\u{feff}').unwrap_or(text).len();
        out.report(forbidden(Span::new(source, at, at + length), why));
        return Vec::new();
    }
    Loader::new(text, source, out).documents()
}

fn forbidden(span: Span, why: &str) -> Diagnostic {
    rule::FORBIDDEN_CHARACTER
        .at(span, format!("the text contains {why}"), "here")
        .help("remove it; what a reviewer cannot see does not belong in configuration")
}

fn options() -> Options {
    let mut options = Options::default();
    options.emit_comments = false;
    options.emit_unresolved_aliases = true;
    options.flow_nesting_limit = MAX_DEPTH;
    options.block_nesting_limit = MAX_DEPTH;
    options
}

fn too_deep() -> String {
    format!("lists and maps nest deeper than {MAX_DEPTH} levels")
}

struct Loader<'a, 'o> {
    events: Parser<'a, granit_parser::StrInput<'a>>,
    text: &'a str,
    source: SourceId,
    out: &'o mut Diagnostics,
    nodes: usize,
    sound: bool,
}

/// Marks a document that was given up; the reason has been reported.
struct GivenUp;

impl<'a, 'o> Loader<'a, 'o> {
    fn new(text: &'a str, source: SourceId, out: &'o mut Diagnostics) -> Self {
        let events = Parser::new_from_str_with_options(text, options());
        Self { events, text, source, out, nodes: 0, sound: true }
    }

    fn documents(mut self) -> Vec<Document<'a>> {
        let mut found = Vec::new();
        loop {
            match self.next() {
                Ok(None | Some((Event::StreamEnd, _))) => return found,
                Ok(Some((Event::DocumentStart(..), _))) => self.document(&mut found),
                Ok(Some(_)) => {}
                Err(GivenUp) if self.recover() => {}
                Err(GivenUp) => return found,
            }
        }
    }

    fn document(&mut self, found: &mut Vec<Document<'a>>) {
        (self.nodes, self.sound) = (0, true);
        match self.next() {
            Ok(Some((event, span))) => match self.node(event, span, 0) {
                Ok(Some(root)) if self.sound && root.core() != Some(Core::Null) => {
                    found.push(Document { root });
                }
                Ok(_) => {}
                Err(GivenUp) => _ = self.recover(),
            },
            Ok(None) => {}
            Err(GivenUp) => _ = self.recover(),
        }
    }

    /// Goes on with the next document.
    fn recover(&mut self) -> bool {
        match self.events.proceed_next_document() {
            Ok(more) => more,
            Err(error) => {
                self.syntax(&error);
                false
            }
        }
    }

    fn next(&mut self) -> Result<Option<(Event<'a>, Span)>, GivenUp> {
        match self.events.next_event() {
            None => Ok(None),
            Some(Ok((event, span))) => {
                let range = span.byte_range().unwrap_or(0..0);
                Ok(Some((event, Span::new(self.source, range.start, range.end))))
            }
            Some(Err(error)) => {
                self.syntax(&error);
                Err(GivenUp)
            }
        }
    }

    fn syntax(&mut self, error: &granit_parser::ScanError) {
        let at = error.marker().byte_offset().unwrap_or(0).min(self.text.len());
        let end =
            self.text.get(at..).and_then(|rest| rest.chars().next()).map_or(at, |next| at + next.len_utf8());
        let span = Span::new(self.source, at, end);
        if matches!(error.kind(), ErrorKind::RecursionLimitExceeded) {
            self.out.report(rule::LIMIT_EXCEEDED.at(span, too_deep(), "here"));
            return;
        }
        let message = format!("this is not YAML: {}", error.info().replace('\n', " "));
        let help = "the rest of this document is not read; documents after the next `---` are";
        self.out.report(rule::YAML_SYNTAX.at(span, message, "").help(help));
    }

    /// A node whose first event has been read. `None` stands for one that was refused and reported.
    fn node(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<Option<Node<'a>>, GivenUp> {
        self.nodes += 1;
        if depth > MAX_DEPTH || self.nodes > MAX_NODES {
            return self.too_much(span, depth);
        }
        self.refuse_anchor_and_tag(&event, span);
        match event {
            Event::Scalar(text, style, ..) => Ok(self.scalar(text, style, span)),
            Event::SequenceStart(..) => self.list(span, depth).map(Some),
            Event::MappingStart(..) => self.map(span, depth).map(Some),
            Event::Alias(_) | Event::UnresolvedAlias(_) => {
                self.refuse(span, "an alias", "write the value out; references between resources are names");
                Ok(None)
            }
            Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(..)
            | Event::DocumentEnd
            | Event::Anchor(..)
            | Event::Comment(..)
            | Event::SequenceEnd
            | Event::MappingEnd
            | _ => Ok(None),
        }
    }

    fn too_much(&mut self, span: Span, depth: usize) -> Result<Option<Node<'a>>, GivenUp> {
        let message = if depth > MAX_DEPTH {
            too_deep()
        } else {
            format!("the document has more than {MAX_NODES} values")
        };
        self.out.report(rule::LIMIT_EXCEEDED.at(span, message, "here"));
        Err(GivenUp)
    }

    fn refuse_anchor_and_tag(&mut self, event: &Event<'a>, span: Span) {
        if event.anchor_id().is_some() {
            self.refuse(span, "an anchor", "remove it; values are written out where they are used");
        }
        if event.tag().is_some() {
            self.refuse(span, "a tag", "remove it; the field decides the type of its value");
        }
    }

    fn refuse(&mut self, span: Span, what: &str, help: &str) {
        self.sound = false;
        self.out.report(
            rule::YAML_FEATURE.at(span, format!("{what} is not part of the language"), "").help(help),
        );
    }

    fn scalar(&mut self, text: Cow<'a, str>, style: ScalarStyle, span: Span) -> Option<Node<'a>> {
        if text.len() > MAX_SCALAR {
            let message = format!("the value has {} bytes, and at most {MAX_SCALAR} are read", text.len());
            let start = Span { end: span.start, ..span };
            self.out.report(rule::LIMIT_EXCEEDED.at(start, message, "it starts here"));
            self.sound = false;
            return None;
        }
        if let (Cow::Owned(owned), Some((.., why))) = (&text, characters::first_fault(&text)) {
            debug_assert!(!owned.is_empty());
            self.out.report(forbidden(span, why));
            self.sound = false;
            return None;
        }
        let plain = style == ScalarStyle::Plain;
        let span = match style {
            ScalarStyle::Literal | ScalarStyle::Folded => self.without_blank_end(span),
            ScalarStyle::Plain | ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => span,
        };
        Some(Node { value: Value::Scalar { text, plain }, span })
    }

    fn list(&mut self, start: Span, depth: usize) -> Result<Node<'a>, GivenUp> {
        let mut items: Vec<Node<'a>> = Vec::new();
        loop {
            match self.next()? {
                Some((Event::SequenceEnd, end)) => {
                    let span = self.closed(start, end, items.last());
                    return Ok(Node { value: Value::List(items), span });
                }
                Some((event, span)) => items.extend(self.node(event, span, depth + 1)?),
                None => return Err(GivenUp),
            }
        }
    }

    fn map(&mut self, start: Span, depth: usize) -> Result<Node<'a>, GivenUp> {
        let mut entries: Vec<(Key<'a>, Node<'a>)> = Vec::new();
        loop {
            match self.next()? {
                Some((Event::MappingEnd, end)) => {
                    let span = self.closed(start, end, entries.last().map(|(_, value)| value));
                    self.report_duplicates(&entries);
                    return Ok(Node { value: Value::Map(entries), span });
                }
                Some((event, span)) => entries.extend(self.entry((event, span), depth)?),
                None => return Err(GivenUp),
            }
        }
    }

    fn entry(
        &mut self,
        key: (Event<'a>, Span),
        depth: usize,
    ) -> Result<Option<(Key<'a>, Node<'a>)>, GivenUp> {
        let key = self.node(key.0, key.1, depth + 1)?;
        let Some((event, span)) = self.next()? else { return Err(GivenUp) };
        let value = self.node(event, span, depth + 1)?;
        match (key, value) {
            (Some(Node { value: Value::Scalar { text, .. }, span }), _) if text == "<<" => {
                self.refuse(span, "a merge key", "write the fields out");
                Ok(None)
            }
            (Some(Node { value: Value::Scalar { text, .. }, span }), Some(value)) => {
                Ok(Some((Spanned { value: text, span }, value)))
            }
            (Some(Node { value: Value::List(_) | Value::Map(_), span }), _) => {
                self.refuse(span, "a list or map as a key", "keys are text");
                Ok(None)
            }
            (_, None) | (None, _) => Ok(None),
        }
    }

    /// The parser lets a block of text end where the next token begins.
    fn without_blank_end(&self, span: Span) -> Span {
        let text = self.text.get(span.start as usize..span.end as usize).unwrap_or("");
        Span::new(self.source, span.start as usize, span.start as usize + text.trim_end().len())
    }

    /// Block collections end where their last value ends; flow collections at their bracket.
    fn closed(&self, start: Span, end: Span, last: Option<&Node<'a>>) -> Span {
        let flow = self.text.get(start.start as usize..).is_some_and(|rest| rest.starts_with(['[', '{']));
        let until = match last {
            _ if flow => end.end,
            Some(last) => last.span.end,
            None => start.end,
        };
        Span { end: until.max(start.end), ..start }
    }

    fn report_duplicates(&mut self, entries: &[(Key<'a>, Node<'a>)]) {
        let mut seen: std::collections::BTreeMap<&str, Span> = std::collections::BTreeMap::new();
        for (key, _) in entries {
            match seen.get(key.value.as_ref()) {
                Some(first) => {
                    let message = format!("the key `{}` is written twice", key.value);
                    self.out
                        .report(rule::DUPLICATE_KEY.at(key.span, message, "again").label(*first, "first"));
                    self.sound = false;
                }
                None => _ = seen.insert(&key.value, key.span),
            }
        }
    }
}

/// Reads one YAML document into JSON under the core schema, with the same refusals as resources.
///
/// # Errors
/// The findings of the text, of which there is at least one.
pub fn read_json(sources: &SourceMap, id: SourceId) -> Result<serde_json::Value, Diagnostics> {
    readable(sources, id, json)
}

/// Makes something of the one document of a text, if JSON can hold it.
pub(super) fn readable<T>(
    sources: &SourceMap,
    id: SourceId,
    make: impl FnOnce(&Node<'_>) -> T,
) -> Result<T, Diagnostics> {
    let mut out = Diagnostics::default();
    let found = documents(sources.get(id).text(), id, &mut out);
    found.iter().for_each(|document| refuse_not_finite(&document.root, &mut out));
    match found.first() {
        Some(document) if !out.has_errors() => Ok(make(&document.root)),
        _ if out.has_errors() => Err(out),
        _ => {
            out.report(rule::YAML_SYNTAX.at(Span::new(id, 0, 0), "the file is empty", ""));
            Err(out)
        }
    }
}

/// A number that JSON can hold; past 64 bits it is the nearest one.
fn integer(value: i128) -> serde_json::Value {
    #[expect(clippy::cast_precision_loss, reason = "JSON readers keep such numbers as floating point too")]
    let nearest = value as f64;
    let small = i64::try_from(value).map(serde_json::Value::from);
    small.or_else(|_| u64::try_from(value).map(serde_json::Value::from)).unwrap_or_else(|_| nearest.into())
}

/// Reports every number that JSON does not have.
fn refuse_not_finite(node: &Node<'_>, out: &mut Diagnostics) {
    match &node.value {
        Value::Scalar { text, .. } => {
            if node.core().is_some_and(|core| matches!(core, Core::Float(value) if !value.is_finite())) {
                let message = format!("`{text}` is not a number that JSON can hold");
                out.report(rule::BAD_VALUE.at(node.span, message, ""));
            }
        }
        Value::List(items) => items.iter().for_each(|item| refuse_not_finite(item, out)),
        Value::Map(entries) => entries.iter().for_each(|(_, value)| refuse_not_finite(value, out)),
    }
}

pub(super) fn json(node: &Node<'_>) -> serde_json::Value {
    match &node.value {
        Value::Scalar { text, .. } => match node.core().unwrap_or(Core::Text) {
            Core::Null => serde_json::Value::Null,
            Core::Bool(value) => value.into(),
            Core::Integer(value) => integer(value),
            Core::Float(value) => value.into(),
            Core::Text => text.as_ref().into(),
        },
        Value::List(items) => items.iter().map(json).collect(),
        Value::Map(entries) => {
            entries.iter().map(|(key, value)| (key.value.to_string(), json(value))).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The texts of all collections and scalars of a file, outer ones first, and the codes of what is found.
    fn read(text: &str) -> (Vec<String>, Vec<String>) {
        let mut out = Diagnostics::default();
        let found = documents(text, SourceId::DEFAULTS, &mut out);
        let mut texts = Vec::new();
        found.iter().for_each(|document| collect(&document.root, text, &mut texts));
        (texts, out.iter().map(|found| found.code.to_string()).collect())
    }

    fn collect(node: &Node<'_>, text: &str, texts: &mut Vec<String>) {
        texts.push(text[node.span.start as usize..node.span.end as usize].to_owned());
        match &node.value {
            Value::Scalar { .. } => {}
            Value::List(items) => items.iter().for_each(|item| collect(item, text, texts)),
            Value::Map(entries) => entries.iter().for_each(|(key, value)| {
                texts.push(format!("{}:", &text[key.span.start as usize..key.span.end as usize]));
                collect(value, text, texts);
            }),
        }
    }

    #[test]
    fn flow_collections_reach_from_bracket_to_bracket() {
        assert_eq!(
            read("[ a, [b], { c: d } ] # e\n").0,
            ["[ a, [b], { c: d } ]", "a", "[b]", "b", "{ c: d }", "c:", "d"]
        );
        assert_eq!(read("{}\n").0, ["{}"]);
        assert_eq!(read("[\n  a,\n]\n").0, ["[\n  a,\n]", "a"]);
    }

    #[test]
    fn block_collections_reach_from_the_first_key_to_the_last_value() {
        let (texts, codes) = read("a:\n  b: 1\n\n# c\nd:\n- e\n- f: 2\n  g:\n\n");
        let whole = "a:\n  b: 1\n\n# c\nd:\n- e\n- f: 2\n  g";
        let list = "e\n- f: 2\n  g";
        assert_eq!(
            texts,
            [whole, "a:", "b: 1", "b:", "1", "d:", list, "e", "f: 2\n  g", "f:", "2", "g:", ""]
        );
        assert_eq!(codes, [""; 0]);
    }

    #[test]
    fn texts_end_where_their_last_letter_does() {
        assert_eq!(read("a: |\n  one\n  two\n\nb: 1\n").0[2], "one\n  two");
        assert_eq!(read("- >-\n  one\n\n  two\n- b\n").0[1], "one\n\n  two");
        assert_eq!(read("- 'it''s'\n- \"\\u00fc\"\n").0[1..], ["'it''s'", "\"\\u00fc\""]);
    }

    #[test]
    fn reading_goes_on_with_the_next_document() {
        for broken in ["a: [", "a: b: c", "\"open", "a:\n\t- b", "- a\nb", "%YAML 3.0", "a: &x\n  *y", "[[}"]
        {
            let (texts, codes) = read(&format!("before\n---\n{broken}\n---\nafter\n"));
            assert_eq!(texts, ["before", "after"], "{broken}");
            assert!(!codes.is_empty(), "{broken}");
        }
    }

    #[test]
    fn a_document_that_is_too_large_is_given_up_alone() {
        let many = "x, ".repeat(MAX_NODES);
        assert_eq!(
            read(&format!("[{many}]\n---\nafter\n")),
            (vec!["after".to_owned()], vec!["AIP-YML-002".to_owned()])
        );
    }

    #[test]
    fn empty_documents_are_nothing_and_marks_of_byte_order_are_skipped() {
        assert_eq!(read("---\n---\n# a\n---\n~\n...\n"), (Vec::new(), Vec::new()));
        assert_eq!(read("\u{feff}a\n").0, ["a"]);
        assert_eq!(read("a\u{feff}\n").1, ["AIP-YML-005"]);
    }
}
