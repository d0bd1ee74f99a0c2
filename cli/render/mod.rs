//! Findings in the formats that people and tools read, one file each.

pub(crate) mod github;
pub(crate) mod gitlab;
pub(crate) mod json;
pub(crate) mod junit;
pub(crate) mod sarif;
pub(crate) mod summary;
pub(crate) mod text;

use crate::findings::Findings;
use crate::output::Kind;

/// How findings are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people.
    #[default]
    Text,
    /// `aipolicy.findings/1`.
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// JUnit, for reports of tests: a case for each rule and each finding.
    Junit,
    /// Annotations of GitHub Actions.
    Github,
    /// The job summary of GitHub Actions, which is added to the end of a file.
    Summary,
    /// A code quality report of GitLab.
    Gitlab,
}

impl Kind for Format {
    fn is_added(self) -> bool {
        self == Self::Summary
    }
}

impl Findings<'_> {
    pub(crate) fn render(&self, format: Format, width: usize) -> String {
        match format {
            Format::Text => text::render(self, width),
            Format::Json => json::render(self),
            Format::Sarif => sarif::render(self),
            Format::Junit => junit::render(self),
            Format::Github => github::render(self),
            Format::Summary => summary::render(self),
            Format::Gitlab => gitlab::render(self),
        }
    }
}
