//! One type for every finding of every phase.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use crate::secret::conceal;
use crate::source::{SourceMap, Span};

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Stops: nothing is approved while it stands.
    Mandatory,
    /// Is shown, and does not stop.
    Advisory,
    /// Informs.
    Note,
}

impl Severity {
    /// The word of the annotation and of machine-readable output.
    pub fn word(self) -> &'static str {
        match self {
            Self::Mandatory => "error",
            Self::Advisory => "warning",
            Self::Note => "note",
        }
    }
}

/// Which kind of answer a finding is, which decides the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// The input cannot be understood (exit code 1).
    Input,
    /// The input is understood, and the answer is no (exit code 3).
    Verdict,
}

/// A kind of finding: its identity, its page, and what it is by default.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// Stable code, for instance `AIP-LNG-001`.
    pub code: &'static str,
    /// Kebab name, for instance `unknown-field`.
    pub name: &'static str,
    /// What it is unless an environment says otherwise.
    pub severity: Severity,
    /// Whether it is about the form of the input or a verdict on it.
    pub family: Family,
    /// The Markdown page that `aipolicy explain` prints.
    pub page: &'static str,
}

impl Rule {
    /// A finding of this rule. The label's text may be empty.
    pub fn at(&'static self, span: Span, message: impl Into<String>, label: impl Into<String>) -> Diagnostic {
        Diagnostic {
            code: Cow::Borrowed(self.code),
            name: Cow::Borrowed(self.name),
            severity: self.severity,
            family: self.family,
            message: shown(message),
            primary: Label { span, text: shown(label) },
            related: Vec::new(),
            note: None,
            help: None,
            about: None,
            waived: None,
        }
    }
}

/// A place and what is to be said about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Where.
    pub span: Span,
    /// What, in a few words.
    pub text: String,
}

/// One finding.
#[must_use = "a diagnostic does nothing until it is reported"]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Stable code; for a Cedar policy its `@id`.
    pub code: Cow<'static, str>,
    /// Kebab name; for a Cedar policy its `@title` or `@id`.
    pub name: Cow<'static, str>,
    /// How much it matters.
    pub severity: Severity,
    /// Form or verdict.
    pub family: Family,
    /// One sentence that stands alone.
    pub message: String,
    /// The place that is to blame.
    pub primary: Label,
    /// Other places that belong to it, also in Cedar files.
    pub related: Vec<Label>,
    /// Why this is so.
    pub note: Option<String>,
    /// What to do.
    pub help: Option<String>,
    /// What tells it from other findings of its rule at its place; without it, its message.
    pub about: Option<BTreeSet<String>>,
    /// The waiver because of which it does not stop.
    pub waived: Option<Arc<Waived>>,
}

/// The waiver that names a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waived {
    /// Its name.
    pub by: String,
    /// Its last day, UTC.
    pub expires: String,
    /// Who answers for it.
    pub owner: String,
    /// Why it is there.
    pub reason: String,
    /// Where it is followed up.
    pub ticket: String,
    /// Where its name is written.
    pub span: Span,
}

/// A text that quotes what somebody wrote, without the credentials in it: findings go to places that many can read.
fn shown(text: impl Into<String>) -> String {
    let text = text.into();
    match conceal(&text) {
        Cow::Borrowed(_) => text,
        Cow::Owned(concealed) => concealed,
    }
}

impl Diagnostic {
    /// Whether nothing is approved while it stands.
    pub fn stops(&self) -> bool {
        self.severity == Severity::Mandatory && self.waived.is_none()
    }

    /// Adds a place that belongs to the finding.
    pub fn label(mut self, span: Span, text: impl Into<String>) -> Self {
        self.related.push(Label { span, text: shown(text) });
        self
    }

    /// Labels in other texts than the one that is to blame.
    pub fn elsewhere(&self) -> impl Iterator<Item = &Label> {
        self.related.iter().filter(|label| label.span.source != self.primary.span.source)
    }

    /// Says why.
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.note = Some(shown(note));
        self
    }

    /// Says what tells it from other findings of its rule at its place, where the message does not say all of it, or
    /// says more.
    pub fn about(mut self, about: impl IntoIterator<Item = String>) -> Self {
        self.about = Some(about.into_iter().collect());
        self
    }

    /// Says what to do.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(shown(help));
        self
    }
}

/// The findings of a run, in the order of discovery until they are sorted.
#[derive(Clone, Debug, Default)]
pub struct Diagnostics {
    found: Vec<Diagnostic>,
}

impl Diagnostics {
    /// Adds a finding.
    pub fn report(&mut self, diagnostic: Diagnostic) {
        self.found.push(diagnostic);
    }

    /// Adds the findings of another collection.
    pub fn append(&mut self, mut other: Self) {
        self.found.append(&mut other.found);
    }

    /// Whether anything stops.
    pub fn has_errors(&self) -> bool {
        self.found.iter().any(Diagnostic::stops)
    }

    /// Whether something stops that is of this family.
    pub fn has_errors_of(&self, family: Family) -> bool {
        self.found.iter().any(|found| found.stops() && found.family == family)
    }

    /// All findings.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.found.iter()
    }

    /// All findings, to be changed.
    pub(crate) fn iter_mut(&mut self) -> std::slice::IterMut<'_, Diagnostic> {
        self.found.iter_mut()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.found.len()
    }

    /// Sorts by place, then code, and drops repetitions, so that the order of phases and threads does not show.
    pub fn sort(&mut self, sources: &SourceMap) {
        let key = |found: &Diagnostic| {
            let span = found.primary.span;
            (
                sources.get(span.source).path().to_owned(),
                span.start,
                found.code.clone(),
                found.message.clone(),
            )
        };
        self.found.sort_by_cached_key(key);
        self.found.dedup();
    }
}

impl<'a> IntoIterator for &'a Diagnostics {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// A finding together with the texts it points into, as `miette` renders it.
#[derive(Debug)]
pub struct Report {
    finding: Diagnostic,
    source: NamedText,
}

#[derive(Debug)]
struct NamedText {
    name: String,
    text: Arc<str>,
}

impl Report {
    /// Joins a finding with its text. Labels in other texts are not part of it: see [`Diagnostic::elsewhere`].
    pub fn new(finding: &Diagnostic, sources: &SourceMap) -> Self {
        let home = finding.primary.span.source;
        let related = finding.related.iter().filter(|label| label.span.source == home).cloned().collect();
        let source = sources.get(home);
        let source = NamedText { name: source.path().to_owned(), text: source.shared_text() };
        Self { finding: Diagnostic { related, ..finding.clone() }, source }
    }
}

impl std::fmt::Display for Report {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.finding.message)
    }
}

impl std::error::Error for Report {}

impl miette::SourceCode for NamedText {
    fn read_span<'a>(
        &'a self,
        span: &miette::SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn miette::SpanContents<'a> + 'a>, miette::MietteError> {
        let inner = self.text.as_bytes().read_span(span, before, after)?;
        Ok(Box::new(miette::MietteSpanContents::new_named(
            self.name.clone(),
            inner.data(),
            *inner.span(),
            inner.line(),
            inner.column(),
            inner.line_count(),
        )))
    }
}

impl miette::Diagnostic for Report {
    fn code<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        Some(Box::new(&self.finding.code))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.finding.severity {
            Severity::Mandatory => miette::Severity::Error,
            Severity::Advisory => miette::Severity::Warning,
            Severity::Note => miette::Severity::Advice,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        let why = self.finding.note.as_ref().map(|note| format!("why: {note}"));
        let lines: Vec<_> = why.into_iter().chain(self.finding.help.clone()).collect();
        (!lines.is_empty()).then(|| Box::new(lines.join("\n")) as Box<dyn std::fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        Some(&self.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = miette::LabeledSpan> + '_>> {
        let labels = std::iter::once(&self.finding.primary).chain(&self.finding.related);
        Some(Box::new(labels.map(|label| {
            let text = (!label.text.is_empty()).then(|| label.text.clone());
            let length = (label.span.end - label.span.start) as usize;
            miette::LabeledSpan::new(text, label.span.start as usize, length)
        })))
    }
}
