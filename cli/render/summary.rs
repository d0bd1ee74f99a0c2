//! Findings as the summary of a job of GitHub Actions: Markdown, and no more of it than GitHub takes.

use aipolicy_compiler::diagnostic::{Diagnostic, Severity};

use crate::findings::{Findings, advice};
use crate::markdown::{code, sentence};

/// GitHub takes 1 MiB for each step, which others write to as well.
const LONGEST: usize = 500_000;

/// What was found and what was not looked at, those that stop first.
pub(crate) fn render(findings: &Findings<'_>) -> String {
    let mut text = format!("## aipolicy\n\n{}\n", sentence(&findings.summary()));
    let listed: Vec<_> = findings.by_severity().into_iter().map(|found| line(findings, found)).collect();
    if !listed.is_empty() {
        text.push('\n');
    }
    for (at, part) in listed.iter().enumerate() {
        if text.len() + part.len() > LONGEST {
            let more = listed.len() - at;
            text.push_str(&format!("\n{more} more are left out; `--output json=FILE` has all\n"));
            break;
        }
        text.push_str(part);
    }
    if !findings.evaluated.not_run.is_empty() {
        text.push_str("\n### Not run\n\n");
        for missed in &findings.evaluated.not_run {
            text.push_str(&format!("- {}: {}\n", sentence(&missed.what), sentence(&missed.why)));
        }
    }
    text
}

fn line(findings: &Findings<'_>, found: &Diagnostic) -> String {
    let (file, place) = findings.home(found);
    let mark = match found.severity {
        Severity::Mandatory | Severity::Advisory if found.waived.is_some() => "ℹ️",
        Severity::Mandatory => "❌",
        Severity::Advisory => "⚠️",
        Severity::Note => "ℹ️",
    };
    let at = code(&format!("{file}:{}", place.start.line));
    let more: String = advice(found).map(|line| format!("  \n  {}", sentence(&line))).collect();
    format!("- {mark} {} {}, {at}{more}\n", code(&found.code), sentence(&found.message))
}
