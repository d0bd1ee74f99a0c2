//! Findings as a code quality report of GitLab, which shows them beside the lines of a merge request.

use aipolicy_compiler::diagnostic::{Diagnostic, Severity};
use aipolicy_compiler::fingerprint::Fingerprint;
use serde::Serialize;

use super::json::written;
use crate::findings::{Findings, advice};

#[derive(Serialize)]
struct Issue<'f> {
    description: String,
    check_name: &'f str,
    fingerprint: String,
    severity: &'static str,
    location: Location,
}

#[derive(Serialize)]
struct Location {
    path: String,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: usize,
}

/// One issue per finding. The format has no place for what was not run, which other formats tell.
pub(crate) fn render(findings: &Findings<'_>) -> String {
    written(&findings.each().map(|(found, print)| issue(findings, found, print)).collect::<Vec<_>>())
}

fn issue<'f>(findings: &Findings<'f>, found: &'f Diagnostic, print: Fingerprint) -> Issue<'f> {
    let (path, place) = findings.home(found);
    let description: Vec<_> = std::iter::once(found.message.clone()).chain(advice(found)).collect();
    Issue {
        description: format!("{}: {}", found.code, description.join("; ")),
        check_name: &found.code,
        fingerprint: print.to_string(),
        severity: match found.severity {
            Severity::Mandatory | Severity::Advisory if found.waived.is_some() => "info",
            Severity::Mandatory => "blocker",
            Severity::Advisory => "major",
            Severity::Note => "info",
        },
        location: Location { path, lines: Lines { begin: place.start.line } },
    }
}
