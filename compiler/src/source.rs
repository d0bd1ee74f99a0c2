//! Source texts and places in them.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, LazyLock, OnceLock};

/// Identifies one text of a [`SourceMap`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(u32);

impl SourceId {
    /// The source that holds the named defaults of the product.
    pub const DEFAULTS: Self = Self(0);

    /// The position of this source in its map.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A half-open byte range in one source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The text that the range belongs to.
    pub source: SourceId,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// A range of bytes; what lies beyond 4 GiB is clamped, since sources are bounded far below.
    pub fn new(source: SourceId, start: usize, end: usize) -> Self {
        let clamp = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
        Self { source, start: clamp(start), end: clamp(end.max(start)) }
    }

    /// From the beginning of this range to the end of another one.
    pub fn to(self, end: Self) -> Self {
        Self { end: end.end.max(self.end), ..self }
    }

    /// Whether another range lies within this one.
    pub fn contains(self, other: Self) -> bool {
        self.source == other.source && self.start <= other.start && other.end <= self.end
    }
}

/// A value and the place where it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spanned<T> {
    /// What was written.
    pub value: T,
    /// Where.
    pub span: Span,
}

/// What a source is, which decides how it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceKind {
    /// Named defaults that ship with the product.
    Defaults,
    /// A YAML file with resources.
    Resources,
    /// A Cedar file; `shipped` for those of the packs.
    Policies {
        /// Whether it belongs to a pack of the product.
        shipped: bool,
    },
    /// A file that a resource names, for instance the instructions of an agent.
    Referenced,
}

impl SourceKind {
    /// Whether a file of this name holds resources: every YAML file does, but for documents of OpenAPI, which are named
    /// `*.openapi.yaml`.
    pub fn is_resources(name: &str) -> bool {
        let stem = name.strip_suffix(".yaml").or_else(|| name.strip_suffix(".yml"));
        stem.is_some_and(|stem| !stem.ends_with(".openapi"))
    }
}

/// One text with the path under which people know it.
#[derive(Clone, Debug)]
pub struct Source {
    path: String,
    text: Arc<str>,
    kind: SourceKind,
    lines: OnceLock<Vec<u32>>,
}

impl Source {
    /// Path relative to the workspace, with `/`; or a name in angle brackets for what ships with the product.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The whole text, shared.
    pub fn shared_text(&self) -> Arc<str> {
        Arc::clone(&self.text)
    }

    /// What the source is.
    pub fn kind(&self) -> SourceKind {
        self.kind
    }

    fn line_starts(&self) -> &[u32] {
        self.lines.get_or_init(|| {
            let breaks = self.text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
            std::iter::once(0)
                .chain(breaks.map(|(at, _)| u32::try_from(at + 1).unwrap_or(u32::MAX)))
                .collect()
        })
    }

    /// Line and column of a byte offset.
    pub fn position(&self, offset: u32) -> Position {
        let starts = self.line_starts();
        let line = starts.partition_point(|start| *start <= offset).max(1);
        let start = starts.get(line - 1).copied().unwrap_or(0);
        let before = self.text.get(start as usize..offset as usize).unwrap_or("");
        Position { line, column: before.chars().count() + 1 }
    }
}

/// A place as people count: both start at 1, the column in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

/// All texts of one run. The first one always holds the defaults.
#[derive(Clone, Debug)]
pub struct SourceMap {
    sources: Vec<Source>,
}

const DEFAULTS: &str = include_str!("defaults.yaml");

impl Default for SourceMap {
    fn default() -> Self {
        Self::new()
    }
}

impl SourceMap {
    /// A map that holds the defaults alone.
    pub fn new() -> Self {
        let mut map = Self { sources: Vec::new() };
        map.add("<defaults>", DEFAULTS, SourceKind::Defaults);
        map
    }

    /// Adds a text and returns its id.
    pub fn add(&mut self, path: impl Into<String>, text: impl Into<Arc<str>>, kind: SourceKind) -> SourceId {
        let id = SourceId(u32::try_from(self.sources.len()).unwrap_or(u32::MAX));
        self.sources.push(Source { path: path.into(), text: text.into(), kind, lines: OnceLock::new() });
        id
    }

    /// The source with this id. Ids come from [`SourceMap::add`] of the same map; a foreign one gives the defaults.
    pub fn get(&self, id: SourceId) -> &Source {
        #[expect(clippy::expect_used, reason = "`new` adds the defaults, so there is always a first source")]
        self.sources.get(id.index()).or(self.sources.first()).expect("the defaults")
    }

    /// Every source with its id, in the order in which they were added.
    pub fn iter(&self) -> impl Iterator<Item = (SourceId, &Source)> {
        self.sources
            .iter()
            .enumerate()
            .map(|(at, source)| (SourceId(u32::try_from(at).unwrap_or(u32::MAX)), source))
    }

    /// The source with this path.
    pub fn find(&self, path: &str) -> Option<SourceId> {
        self.iter().find(|(_, source)| source.path == path).map(|(id, _)| id)
    }

    /// The text under a span.
    pub fn slice(&self, span: Span) -> &str {
        self.get(span.source).text().get(span.start as usize..span.end as usize).unwrap_or("")
    }

    /// The line that a span starts in.
    pub fn line(&self, span: Span) -> &str {
        self.get(span.source).text().lines().nth(self.position(span).line - 1).unwrap_or("")
    }

    /// Where a span starts.
    pub fn position(&self, span: Span) -> Position {
        self.get(span.source).position(span.start)
    }

    /// Where a span ends (exclusive).
    pub fn end_position(&self, span: Span) -> Position {
        self.get(span.source).position(span.end)
    }

    /// The line of the named default, so that what nobody wrote still has an honest place.
    /// An unknown name gives the first line, which a test excludes.
    pub fn default_span(&self, name: &str) -> Span {
        static LINES: LazyLock<BTreeMap<&str, Range<usize>>> = LazyLock::new(default_lines);
        if let Some(line) = LINES.get(name) {
            return Span::new(SourceId::DEFAULTS, line.start, line.end);
        }
        Span::new(SourceId::DEFAULTS, 0, 0)
    }
}

/// The line of each named default.
fn default_lines() -> BTreeMap<&'static str, Range<usize>> {
    let mut lines = BTreeMap::new();
    let mut at = 0;
    for line in DEFAULTS.split_inclusive('\n') {
        if let Some((name, _)) = line.split_once(':') {
            lines.entry(name).or_insert(at..at + line.trim_end().len());
        }
        at += line.len();
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_characters_from_one() {
        let mut map = SourceMap::new();
        let id = map.add("a.yaml", "ab\nwörld: 1\n", SourceKind::Resources);
        let span = Span::new(id, 3 + 8, 3 + 9);
        assert_eq!(map.slice(span), "1");
        assert_eq!(map.position(span), Position { line: 2, column: 8 });
        assert_eq!(map.position(Span::new(id, 0, 0)), Position { line: 1, column: 1 });
    }

    #[test]
    fn a_default_has_its_line() {
        let map = SourceMap::new();
        let span = map.default_span("iam.maxSessionDuration");
        assert!(map.slice(span).starts_with("iam.maxSessionDuration:"));
        assert!(map.position(span).line > 1);
    }
}
