//! Findings as SARIF 2.1.0, which code scanning reads.

use std::collections::BTreeMap;

use aipolicy_compiler::authorize::policy_page;
use aipolicy_compiler::diagnostic::{Diagnostic, Label, Severity, Waived};
use aipolicy_compiler::fingerprint::Fingerprint;
use aipolicy_compiler::source::Span;
use serde::Serialize;

use super::json::written;
use super::{Findings, excuse};

#[derive(Serialize)]
struct Log<'f> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run<'f>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run<'f> {
    tool: Tool<'f>,
    column_kind: &'static str,
    results: Vec<Outcome<'f>>,
}

#[derive(Serialize)]
struct Tool<'f> {
    driver: Driver<'f>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver<'f> {
    name: &'static str,
    semantic_version: &'static str,
    rules: Vec<Described<'f>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Described<'f> {
    id: &'f str,
    name: &'f str,
    short_description: Text<'f>,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<Page>,
}

#[derive(Serialize)]
struct Text<'f> {
    text: &'f str,
}

#[derive(Serialize)]
struct Page {
    text: &'static str,
    markdown: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Outcome<'f> {
    rule_id: &'f str,
    rule_index: usize,
    level: &'static str,
    message: Message,
    locations: Vec<Location<'f>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_locations: Vec<Location<'f>>,
    partial_fingerprints: BTreeMap<&'static str, String>,
    /// Empty where nothing is waived; one that is left out would leave open whether something is.
    suppressions: Vec<Suppression<'f>>,
}

#[derive(Serialize)]
struct Suppression<'f> {
    kind: &'static str,
    status: &'static str,
    justification: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<Location<'f>>,
}

#[derive(Serialize)]
struct Message {
    text: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location<'f> {
    physical_location: Physical,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Text<'f>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Physical {
    artifact_location: File,
    region: Region,
}

#[derive(Serialize)]
struct File {
    uri: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: usize,
    start_column: usize,
    end_line: usize,
    end_column: usize,
}

/// One log with one run.
pub(crate) fn render(findings: &Findings<'_>) -> String {
    let rules: BTreeMap<&str, &str> =
        findings.found.iter().map(|found| (&*found.code, &*found.name)).collect();
    let codes: BTreeMap<&str, usize> = rules.keys().copied().zip(0..).collect();
    let results = findings.each().map(|one| outcome(findings, one, &codes)).collect();
    let driver = Driver {
        name: "aipolicy",
        semantic_version: env!("CARGO_PKG_VERSION"),
        rules: rules.into_iter().map(|(id, name)| described(id, name)).collect(),
    };
    written(&Log {
        schema: "https://json.schemastore.org/sarif-2.1.0.json",
        version: "2.1.0",
        runs: [Run { tool: Tool { driver }, column_kind: "unicodeCodePoints", results }],
    })
}

fn described<'f>(id: &'f str, name: &'f str) -> Described<'f> {
    let lint = || aipolicy_iam::lint::find_rule(id).map(|rule| rule.page);
    let page =
        aipolicy_compiler::find_rule(id).map(|rule| rule.page).or_else(lint).or_else(|| policy_page(id));
    Described {
        id,
        name,
        short_description: Text { text: name },
        help: page.map(|page| Page { text: page, markdown: page }),
    }
}

fn outcome<'f>(
    findings: &Findings<'f>,
    (found, print): (&'f Diagnostic, Fingerprint),
    codes: &BTreeMap<&str, usize>,
) -> Outcome<'f> {
    let more = [found.note.as_ref().map(|note| format!("Why: {note}")), found.help.clone()];
    let message: Vec<_> = std::iter::once(found.message.clone()).chain(more.into_iter().flatten()).collect();
    Outcome {
        rule_id: &found.code,
        rule_index: codes.get(&*found.code).copied().unwrap_or(0),
        level: match found.severity {
            Severity::Mandatory => "error",
            Severity::Advisory => "warning",
            Severity::Note => "note",
        },
        message: Message { text: message.join("\n") },
        locations: location(findings, found.primary.span, None).into_iter().collect(),
        related_locations: found.related.iter().filter_map(|label| related(findings, label)).collect(),
        partial_fingerprints: BTreeMap::from([("aipolicy/v1", print.to_string())]),
        suppressions: found.waived.iter().map(|waived| suppression(findings, waived)).collect(),
    }
}

fn suppression<'f>(findings: &Findings<'f>, waived: &Waived) -> Suppression<'f> {
    Suppression {
        kind: "external",
        status: "accepted",
        justification: excuse(waived),
        location: location(findings, waived.span, None),
    }
}

fn related<'f>(findings: &Findings<'f>, label: &'f Label) -> Option<Location<'f>> {
    location(findings, label.span, Some(Text { text: &label.text }))
}

fn location<'f>(findings: &Findings<'f>, span: Span, message: Option<Text<'f>>) -> Option<Location<'f>> {
    let place = findings.place(span);
    let region = Region {
        start_line: place.start.line,
        start_column: place.start.column,
        end_line: place.end.line,
        end_column: place.end.column,
    };
    let artifact_location = File { uri: uri(&findings.path(span)?) };
    Some(Location { physical_location: Physical { artifact_location, region }, message })
}

fn uri(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'/');
    let written = |byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    path.bytes().map(written).collect()
}
