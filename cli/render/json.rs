//! Findings as `aipolicy.findings/1`, for tools of our users.

use aipolicy_compiler::diagnostic::{Diagnostic, Label};
use aipolicy_compiler::fingerprint::Fingerprint;
use serde::Serialize;

use crate::evaluated::{NotRun, RuleRun};
use crate::findings::{Findings, Place, Subject};

/// The version of the format.
const FORMAT: &str = "aipolicy.findings/1";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'f> {
    format: &'static str,
    tool: &'static str,
    #[serde(flatten)]
    subject: Subject,
    summary: String,
    rules: &'f [RuleRun],
    not_run: &'f [NotRun],
    findings: Vec<Finding<'f>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Finding<'f> {
    code: &'f str,
    name: &'f str,
    severity: &'static str,
    message: &'f str,
    fingerprint: String,
    #[serde(flatten)]
    region: Region<'f>,
    labels: Vec<Marked<'f>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'f str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<&'f str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    waived: Option<Exception<'f>>,
}

/// The waiver because of which a finding does not stop.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Exception<'f> {
    by: &'f str,
    expires: &'f str,
    owner: &'f str,
    reason: &'f str,
    ticket: &'f str,
    #[serde(flatten)]
    region: Region<'f>,
}

/// A place and what is said about it. The first one of a finding is its own.
#[derive(Serialize)]
struct Marked<'f> {
    #[serde(flatten)]
    region: Region<'f>,
    text: &'f str,
}

/// Lines and columns from 1, columns in characters, the end exclusive.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region<'f> {
    file: &'f str,
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
}

/// One document with all findings.
pub(crate) fn render(findings: &Findings<'_>) -> String {
    let document = Document {
        format: FORMAT,
        tool: env!("CARGO_PKG_VERSION"),
        subject: findings.subject,
        summary: findings.summary(),
        rules: &findings.evaluated.rules,
        not_run: &findings.evaluated.not_run,
        findings: findings.each().map(|one| finding(findings, one)).collect(),
    };
    written(&document)
}

/// JSON as every file and result of the command line has it: indented, with a final line break.
pub(crate) fn written(value: &impl Serialize) -> String {
    #[expect(clippy::expect_used, reason = "the types hold text, numbers, lists and maps with text as keys")]
    let mut text = serde_json::to_string_pretty(value).expect("a value that JSON can say");
    text.push('\n');
    text
}

fn finding<'f>(findings: &Findings<'f>, (found, print): (&'f Diagnostic, Fingerprint)) -> Finding<'f> {
    let marked = |label: &'f Label| Marked { region: region(findings.place(label.span)), text: &label.text };
    Finding {
        code: &found.code,
        name: &found.name,
        severity: found.severity.word(),
        message: &found.message,
        fingerprint: print.to_string(),
        region: region(findings.place(found.primary.span)),
        labels: std::iter::once(&found.primary).chain(&found.related).map(marked).collect(),
        note: found.note.as_deref(),
        help: found.help.as_deref(),
        waived: found.waived.as_deref().map(|waived| Exception {
            by: &waived.by,
            expires: &waived.expires,
            owner: &waived.owner,
            reason: &waived.reason,
            ticket: &waived.ticket,
            region: region(findings.place(waived.span)),
        }),
    }
}

fn region(place: Place<'_>) -> Region<'_> {
    Region {
        file: place.file,
        line: place.start.line,
        column: place.start.column,
        end_line: place.end.line,
        end_column: place.end.column,
    }
}
