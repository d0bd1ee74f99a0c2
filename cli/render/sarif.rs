//! Findings as SARIF 2.1.0, which code scanning reads.

use std::collections::BTreeMap;

use aipolicy_compiler::authorize::policy_page;
use aipolicy_compiler::diagnostic::{Diagnostic, Label, Severity, Waived};
use aipolicy_compiler::fingerprint::Fingerprint;
use serde::Serialize;

use super::json::written;
use crate::evaluated::{NotRun, RuleRun};
use crate::findings::{Findings, Place, Subject, advice, excuse};

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
    invocations: [Invocation; 1],
    column_kind: &'static str,
    results: Vec<Outcome<'f>>,
    properties: Subject,
}

/// That the tool came to its end, and what it did not look at.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Invocation {
    execution_successful: bool,
    tool_execution_notifications: Vec<Notification>,
}

#[derive(Serialize)]
struct Notification {
    level: &'static str,
    message: Message,
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
    #[serde(skip_serializing_if = "Option::is_none")]
    default_configuration: Option<Configuration>,
}

#[derive(Serialize)]
struct Configuration {
    level: &'static str,
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

/// One log with one run. Its rules are those that were run, and those of findings.
pub(crate) fn render(findings: &Findings<'_>) -> String {
    let mut rules: BTreeMap<&str, Described<'_>> =
        findings.evaluated.rules.iter().map(|rule| (&*rule.code, described(rule))).collect();
    for found in findings.found {
        let rule = rules.entry(&found.code).or_insert_with(|| named(found));
        rule.help = rule.help.take().or_else(|| page(&found.code));
    }
    let codes: BTreeMap<&str, usize> = rules.keys().copied().zip(0..).collect();
    let results = findings.each().map(|one| outcome(findings, one, &codes)).collect();
    let driver = Driver {
        name: "aipolicy",
        semantic_version: env!("CARGO_PKG_VERSION"),
        rules: rules.into_values().collect(),
    };
    let notifications = findings.evaluated.not_run.iter().map(notification).collect();
    let invocation = Invocation { execution_successful: true, tool_execution_notifications: notifications };
    written(&Log {
        schema: "https://json.schemastore.org/sarif-2.1.0.json",
        version: "2.1.0",
        runs: [Run {
            tool: Tool { driver },
            invocations: [invocation],
            column_kind: "unicodeCodePoints",
            results,
            properties: findings.subject,
        }],
    })
}

fn notification(missed: &NotRun) -> Notification {
    Notification { level: "warning", message: Message { text: missed.sentence() } }
}

/// A rule that was run. Its page is told where it found something, since all pages together are long.
fn described(rule: &RuleRun) -> Described<'_> {
    let configuration = rule.severity.map(|severity| Configuration { level: level(severity) });
    Described {
        id: &rule.code,
        name: &rule.name,
        short_description: Text { text: &rule.name },
        help: None,
        default_configuration: configuration,
    }
}

fn named(found: &Diagnostic) -> Described<'_> {
    Described {
        id: &found.code,
        name: &found.name,
        short_description: Text { text: &found.name },
        help: None,
        default_configuration: None,
    }
}

fn page(code: &str) -> Option<Page> {
    let lint = || aipolicy_iam::lint::find_rule(code).map(|rule| rule.page);
    let page =
        aipolicy_compiler::find_rule(code).map(|rule| rule.page).or_else(lint).or_else(|| policy_page(code));
    page.map(|page| Page { text: page, markdown: page })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Mandatory => "error",
        Severity::Advisory => "warning",
        Severity::Note => "note",
    }
}

fn outcome<'f>(
    findings: &Findings<'f>,
    (found, print): (&'f Diagnostic, Fingerprint),
    codes: &BTreeMap<&str, usize>,
) -> Outcome<'f> {
    let message: Vec<_> = std::iter::once(found.message.clone()).chain(advice(found)).collect();
    let (file, place) = findings.home(found);
    Outcome {
        rule_id: &found.code,
        rule_index: codes.get(&*found.code).copied().unwrap_or(0),
        level: level(found.severity),
        message: Message { text: message.join("\n") },
        locations: vec![location(&file, &place, None)],
        related_locations: found.related.iter().filter_map(|label| related(findings, label)).collect(),
        partial_fingerprints: BTreeMap::from([("aipolicy/v1", print.to_string())]),
        suppressions: found.waived.iter().map(|waived| suppression(findings, waived)).collect(),
    }
}

fn suppression<'f>(findings: &Findings<'f>, waived: &Waived) -> Suppression<'f> {
    let file = findings.path(waived.span);
    Suppression {
        kind: "external",
        status: "accepted",
        justification: excuse(waived),
        location: file.map(|file| location(&file, &findings.place(waived.span), None)),
    }
}

fn related<'f>(findings: &Findings<'f>, label: &'f Label) -> Option<Location<'f>> {
    let file = findings.path(label.span)?;
    Some(location(&file, &findings.place(label.span), Some(Text { text: &label.text })))
}

fn location<'f>(file: &str, place: &Place<'_>, message: Option<Text<'f>>) -> Location<'f> {
    let region = Region {
        start_line: place.start.line,
        start_column: place.start.column,
        end_line: place.end.line,
        end_column: place.end.column,
    };
    let artifact_location = File { uri: uri(file) };
    Location { physical_location: Physical { artifact_location, region }, message }
}

fn uri(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'/');
    let written = |byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    path.bytes().map(written).collect()
}
