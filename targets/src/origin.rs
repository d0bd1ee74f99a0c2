//! Where every value of an artifact comes from.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use aipolicy_compiler::authorize::Grant;
use aipolicy_compiler::ir::{PolicyIndex, Waiving};
use aipolicy_compiler::source::{SourceMap, Span};

/// What caused a value: the place that asked for it, and the policies that permitted it; or a named default.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    /// The place that asked. Defaults have a place too: their line in `<defaults>`.
    pub span: Span,
    /// The policies that permitted it, where a grant is behind it.
    pub policies: Arc<[PolicyIndex]>,
    /// The policies that forbid it and are waived, each with its waiver.
    pub waived: Arc<[Waiving]>,
}

impl Origin {
    /// A value that somebody wrote.
    pub fn written(span: Span) -> Self {
        Self { span, policies: Arc::default(), waived: Arc::default() }
    }

    /// A value that follows from a grant.
    pub fn granted(grant: Grant<'_>) -> Self {
        let span = grant.decision.request.span;
        Self { span, policies: grant.policies.into(), waived: grant.waived.into() }
    }

    /// A value that follows from a named default.
    pub fn default(sources: &SourceMap, name: &str) -> Self {
        Self::written(sources.default_span(name))
    }
}

/// The origins of one artifact: pointers, each with the position of its origin. A value whose pointer is not listed
/// has the origin of the nearest listed one above it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    /// The pointers, one after the other.
    pointers: String,
    /// Where each pointer ends, with the position of its origin.
    entries: Vec<(usize, u32)>,
    origins: Vec<Origin>,
    uncovered: Vec<String>,
}

/// Collects the origins of one artifact.
#[derive(Debug, Default)]
pub(crate) struct Tracer<'t> {
    trace: Trace,
    /// The position of each origin.
    known: BTreeMap<&'t Origin, u32>,
    /// The origin that was noted last, which is often the next one.
    last: Option<(&'t Origin, u32)>,
}

impl<'t> Tracer<'t> {
    /// Notes the origin of a value.
    pub(crate) fn note(&mut self, pointer: &str, origin: &'t Origin) {
        let at = match self.last {
            Some((last, at)) if last == origin => at,
            Some(_) | None => self.position(origin),
        };
        self.last = Some((origin, at));
        self.trace.push(pointer, at);
    }

    fn position(&mut self, origin: &'t Origin) -> u32 {
        let next = u32::try_from(self.trace.origins.len()).unwrap_or(u32::MAX);
        let at = *self.known.entry(origin).or_insert(next);
        if at == next {
            self.trace.origins.push(origin.clone());
        }
        at
    }

    /// Notes a leaf that has no origin at all.
    pub(crate) fn note_uncovered(&mut self, pointer: &str) {
        self.trace.uncovered.push(pointer.to_owned());
    }

    /// Everything that was noted.
    pub(crate) fn finish(self) -> Trace {
        self.trace
    }
}

impl Trace {
    /// Everything has one origin.
    pub(crate) fn whole(origin: &Origin) -> Self {
        let mut tracer = Tracer::default();
        tracer.note("", origin);
        tracer.finish()
    }

    fn push(&mut self, pointer: &str, at: u32) {
        self.pointers.push_str(pointer);
        self.entries.push((self.pointers.len(), at));
    }

    /// A copy that lacks one entry, to see whether anything would be missed.
    pub fn without(&self, entry: usize) -> Self {
        let (origins, uncovered) = (self.origins.clone(), self.uncovered.clone());
        let mut rest = Self { pointers: String::new(), entries: Vec::new(), origins, uncovered };
        let others = self.entries().enumerate().filter(|(at, _)| *at != entry);
        others.for_each(|(_, (pointer, at))| rest.push(pointer, at));
        rest
    }

    /// Pointers with the positions of their origins, in the order of the document.
    pub fn entries(&self) -> impl Iterator<Item = (&str, u32)> {
        let starts = std::iter::once(0).chain(self.entries.iter().map(|(end, _)| *end));
        let entries = starts.zip(&self.entries);
        entries.map(|(start, (end, at))| (self.pointers.get(start..*end).unwrap_or(""), *at))
    }

    /// Every origin under its pointer.
    pub(crate) fn by_pointer(&self) -> HashMap<&str, &Origin> {
        self.entries().filter_map(|(pointer, at)| Some((pointer, self.origins.get(at as usize)?))).collect()
    }

    /// The origins.
    pub fn origins(&self) -> &[Origin] {
        &self.origins
    }

    /// Leaves without an origin. There are none, and a test says so for every artifact of every example.
    pub fn uncovered(&self) -> &[String] {
        &self.uncovered
    }

    /// The origin of the value under a JSON pointer: its own, or the nearest one above it.
    pub fn at(&self, pointer: &str) -> Option<&Origin> {
        let covers = |entry: &str| {
            pointer.strip_prefix(entry).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let covering = self.entries().filter(|(entry, _)| covers(entry));
        let (_, at) = covering.max_by_key(|(entry, _)| entry.len())?;
        self.origins.get(at as usize)
    }

    /// Pointers of values that a place caused.
    pub fn caused_by(&self, matches: impl Fn(&Origin) -> bool) -> Vec<&str> {
        let wanted = |at: u32| self.origins.get(at as usize).is_some_and(&matches);
        self.entries().filter(|(_, at)| wanted(*at)).map(|(pointer, _)| pointer).collect()
    }
}
