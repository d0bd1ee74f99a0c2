//! Findings with everything that is needed to tell them: texts, places, what was looked at, and what was not.

use std::fmt;
use std::path::{Component, Path};

use aipolicy_compiler::diagnostic::{Diagnostic, Diagnostics, Rule, Severity, Waived};
use aipolicy_compiler::fingerprint::{Fingerprint, fingerprints};
use aipolicy_compiler::rule;
use aipolicy_compiler::source::{Position, SourceKind, SourceMap, Span};
use serde::Serialize;

use crate::evaluated::{self, Evaluated};
use crate::workspace::Workspace;

/// The file that a finding is shown in when it is about what ships with the product alone.
const HOME: &str = "aipolicy.yaml";

/// Findings with everything that is needed to tell them.
pub(crate) struct Findings<'w> {
    pub(crate) found: &'w Diagnostics,
    /// Their fingerprints, in their order.
    prints: Vec<Fingerprint>,
    pub(crate) sources: &'w SourceMap,
    /// What was looked at.
    pub(crate) subject: Subject,
    /// By which rules, and which were not run.
    pub(crate) evaluated: Evaluated,
    /// The folder of the workspace as it was named, with a `/` at its end unless it is empty.
    prefix: String,
}

/// What findings are about, counted.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Subject {
    /// A workspace.
    Workspace {
        /// How many resources were read.
        resources: usize,
        /// How many requests they make.
        requests: usize,
    },
    /// Policies of IAM.
    Policies {
        /// How many were read.
        policies: usize,
    },
}

/// Where a finding is, as tools want it: lines and columns from 1, the end exclusive.
pub(crate) struct Place<'w> {
    pub(crate) file: &'w str,
    pub(crate) start: Position,
    pub(crate) end: Position,
}

impl<'w> Findings<'w> {
    pub(crate) fn new(workspace: &'w Workspace, found: &'w Diagnostics) -> Self {
        Self {
            found,
            prints: fingerprints(found, &workspace.sources),
            sources: &workspace.sources,
            subject: Subject::Workspace {
                resources: workspace.written(),
                requests: workspace.compilation.decisions.all().len(),
            },
            evaluated: evaluated::of_workspace(workspace),
            prefix: prefix(&workspace.root),
        }
    }

    /// Findings of a plan, with all that was found before it was made.
    pub(crate) fn of_plan(workspace: &'w Workspace, found: &'w Diagnostics) -> Self {
        let mut findings = Self::new(workspace, found);
        findings.evaluated.rules.extend(evaluated::of_rules(rule::OF_PLANS).rules);
        findings.evaluated.rules.sort();
        findings
    }

    /// Findings of a proof, which these rules tell.
    pub(crate) fn of_proof(workspace: &'w Workspace, found: &'w Diagnostics, rules: &[&Rule]) -> Self {
        Self { evaluated: evaluated::of_rules(rules), ..Self::new(workspace, found) }
    }

    /// Findings in files whose paths are those by which the command was told of them.
    pub(crate) fn of_policies(sources: &'w SourceMap, found: &'w Diagnostics, policies: usize) -> Self {
        let subject = Subject::Policies { policies };
        let prints = fingerprints(found, sources);
        let evaluated = evaluated::of_policies();
        Self { found, prints, sources, subject, evaluated, prefix: String::new() }
    }

    /// Every finding with its fingerprint.
    pub(crate) fn each(&self) -> impl Iterator<Item = (&'w Diagnostic, Fingerprint)> + Clone {
        self.found.iter().zip(self.prints.iter().copied())
    }

    /// Those that stop first, for readers who see only the first few.
    pub(crate) fn by_severity(&self) -> Vec<&'w Diagnostic> {
        let mut found: Vec<_> = self.found.iter().collect();
        found.sort_by_key(|found| (found.waived.is_some(), found.severity));
        found
    }

    pub(crate) fn place(&self, span: Span) -> Place<'w> {
        let source = self.sources.get(span.source);
        Place {
            file: source.path(),
            start: self.sources.position(span),
            end: self.sources.end_position(span),
        }
    }

    /// The path of a source from where the command was called; nothing for what ships with the product.
    pub(crate) fn path(&self, span: Span) -> Option<String> {
        let source = self.sources.get(span.source);
        match source.kind() {
            SourceKind::Defaults | SourceKind::Policies { shipped: true } => None,
            SourceKind::Resources | SourceKind::Policies { shipped: false } | SourceKind::Referenced => {
                Some(format!("{}{}", self.prefix, source.path()))
            }
        }
    }

    /// Where tools show a finding: its own place, or the nearest that is a file of the user.
    pub(crate) fn home(&self, found: &Diagnostic) -> (String, Place<'w>) {
        let places = std::iter::once(&found.primary).chain(&found.related);
        let shown =
            places.map(|label| label.span).find_map(|span| Some((self.path(span)?, self.place(span))));
        shown.unwrap_or_else(|| {
            let start = Position { line: 1, column: 1 };
            (format!("{}{HOME}", self.prefix), Place { file: HOME, start, end: start })
        })
    }

    /// "2 errors, 1 warning, 1 waived", or "no findings".
    pub(crate) fn count(&self) -> String {
        let (waived, standing): (Vec<_>, Vec<_>) =
            self.found.iter().partition(|found| found.waived.is_some());
        let count = |severity| standing.iter().filter(|found| found.severity == severity).count();
        let words = [
            (count(Severity::Mandatory), "error"),
            (count(Severity::Advisory), "warning"),
            (count(Severity::Note), "note"),
        ];
        let told = words.iter().filter(|(many, _)| *many > 0).map(|(many, word)| counted(*many, word));
        let waived = (!waived.is_empty()).then(|| format!("{} waived", waived.len()));
        let told: Vec<_> = told.chain(waived).collect();
        if told.is_empty() { "no findings".to_owned() } else { told.join(", ") }
    }

    /// What was found, in what, and by how many rules.
    pub(crate) fn summary(&self) -> String {
        let rules = counted(self.evaluated.rules.len(), "rule");
        format!("{} in {}, by {rules}", self.count(), self.subject)
    }
}

/// What is said of a finding beside its message: why, what to do, and because of which waiver it does not stop.
pub(crate) fn advice(found: &Diagnostic) -> impl Iterator<Item = String> {
    let why = found.note.as_ref().map(|note| format!("why: {note}"));
    let help = found.help.as_ref().map(|help| format!("help: {help}"));
    why.into_iter().chain(help).chain(found.waived.as_deref().map(excuse))
}

/// Why a finding does not stop, as a sentence.
pub(crate) fn excuse(waived: &Waived) -> String {
    let Waived { by, expires, owner, reason, ticket, .. } = waived;
    format!("waived by `{by}` until {expires}: {reason} ({ticket}, {owner})")
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Workspace { resources, requests } => {
                write!(f, "{} and {}", counted(resources, "resource"), counted(requests, "request"))
            }
            Self::Policies { policies: 1 } => f.write_str("1 policy"),
            Self::Policies { policies } => write!(f, "{policies} policies"),
        }
    }
}

/// "1 error", "2 errors".
pub(crate) fn counted(many: usize, word: &str) -> String {
    format!("{many} {word}{}", if many == 1 { "" } else { "s" })
}

fn prefix(folder: &Path) -> String {
    let here = std::env::current_dir().and_then(|here| here.canonicalize()).ok();
    let below = folder.canonicalize().ok().zip(here);
    let below = below.and_then(|(folder, here)| Some(folder.strip_prefix(here).ok()?.to_owned()));
    let folder = below.as_deref().unwrap_or(folder);
    let parts = folder.components().filter(|part| !matches!(part, Component::CurDir));
    let text = parts.collect::<std::path::PathBuf>().to_string_lossy().replace('\\', "/");
    if text.is_empty() { text } else { format!("{}/", text.trim_end_matches('/')) }
}
