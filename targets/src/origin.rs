//! Where every value of an artifact comes from.

use aipolicy_compiler::authorize::Grant;
use aipolicy_compiler::ir::PolicyIndex;
use aipolicy_compiler::source::{SourceMap, Span};

/// What caused a value: the place that asked for it, and the policies that permitted it; or a named default.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    /// The place that asked. Defaults have a place too: their line in `<defaults>`.
    pub span: Span,
    /// The policies that permitted it, where a grant is behind it.
    pub policies: Vec<PolicyIndex>,
}

impl Origin {
    /// A value that somebody wrote.
    pub fn written(span: Span) -> Self {
        Self { span, policies: Vec::new() }
    }

    /// A value that follows from a grant.
    pub fn granted(grant: Grant<'_>) -> Self {
        Self { span: grant.decision.request.span, policies: grant.policies.to_vec() }
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
    entries: Vec<(String, u32)>,
    origins: Vec<Origin>,
    uncovered: Vec<String>,
}

impl Trace {
    /// Notes the origin of a value.
    pub fn note(&mut self, pointer: &str, origin: &Origin) {
        let at = self.origins.iter().rposition(|known| known == origin).unwrap_or_else(|| {
            self.origins.push(origin.clone());
            self.origins.len() - 1
        });
        self.entries.push((pointer.to_owned(), u32::try_from(at).unwrap_or(u32::MAX)));
    }

    /// Notes a leaf that has no origin at all.
    pub(crate) fn note_uncovered(&mut self, pointer: &str) {
        self.uncovered.push(pointer.to_owned());
    }

    /// Pointers with the positions of their origins, in the order of the document.
    pub fn entries(&self) -> &[(String, u32)] {
        &self.entries
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
        let covering = self.entries.iter().filter(|(entry, _)| covers(entry));
        let (_, at) = covering.max_by_key(|(entry, _)| entry.len())?;
        self.origins.get(*at as usize)
    }

    /// Pointers of values that a place caused.
    pub fn caused_by(&self, matches: impl Fn(&Origin) -> bool) -> Vec<&str> {
        let wanted = |at: &u32| self.origins.get(*at as usize).is_some_and(&matches);
        self.entries.iter().filter(|(_, at)| wanted(at)).map(|(pointer, _)| pointer.as_str()).collect()
    }
}
