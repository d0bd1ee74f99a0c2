//! Findings for people: each with the lines that it is about, and one line at the end that counts them.

use std::borrow::Cow;
use std::collections::BTreeSet;

use aipolicy_compiler::diagnostic::{Diagnostic, Label, Report, Severity};
use aipolicy_compiler::fingerprint::Fingerprint;
use aipolicy_compiler::source::{SourceId, SourceMap, Span};
use miette::{GraphicalReportHandler, GraphicalTheme};

use crate::findings::{Findings, excuse};
use crate::ui::harmless;

/// So many findings are shown with their lines, and so many in all; whoever has more reads another format.
const SHOWN: usize = 100;
const TOLD: usize = 1_000;
/// A line longer than this is not shown, since nobody would see what is marked in it.
const LONGEST_LINE: usize = 1_000;
/// Of a line in another file, so many characters are shown.
const LONGEST_QUOTE: usize = 160;

/// All findings, and what they amount to.
pub(crate) fn render(findings: &Findings<'_>, width: usize) -> String {
    let handler = handler(width);
    let quoted = findings.each().flat_map(|(found, _)| labels(found));
    let sources = harmless_sources(findings.sources, quoted);
    let sources = sources.as_ref().unwrap_or(findings.sources);
    let mut text = String::new();
    let mut ordered: Vec<_> = findings.each().collect();
    ordered.sort_by_key(|(found, _)| (found.waived.is_some(), found.severity == Severity::Note));
    for (at, (found, print)) in ordered.into_iter().enumerate().take(TOLD) {
        let whole = at < SHOWN && found.severity != Severity::Note && found.waived.is_none();
        let shown = whole && labels(found).all(|label| is_readable(label.span, sources));
        let render = |text: &mut String| {
            let print = format!("  {}", faint(print));
            handler.render_report(text, &Report::new(&harmless_finding(found, &print), sources)).is_ok()
        };
        if shown && render(&mut text) {
            found.elsewhere().for_each(|label| text.push_str(&elsewhere(findings, label)));
            text.push('\n');
        } else {
            text.push_str(&brief(findings, found, print));
        }
    }
    if findings.found.len() > TOLD {
        let more = findings.found.len() - TOLD;
        text.push_str(&format!("and {more} more, which `--format json` lists\n"));
    }
    for missed in &findings.evaluated.not_run {
        text.push_str(&format!("{}\n", harmless(&missed.sentence())));
    }
    text.push_str(&format!("{}{}\x1b[0m\n", colour(findings), findings.summary()));
    text
}

/// One finding with its lines, which has no fingerprint.
pub(crate) fn quoted(found: &Diagnostic, sources: &SourceMap, width: usize) -> String {
    let harmless_sources = harmless_sources(sources, labels(found));
    let shown = harmless_sources.as_ref().unwrap_or(sources);
    let mut text = String::new();
    let readable = labels(found).all(|label| is_readable(label.span, shown));
    let report = Report::new(&harmless_finding(found, ""), shown);
    if !readable || handler(width).render_report(&mut text, &report).is_err() {
        let at = sources.position(found.primary.span);
        let file = sources.get(found.primary.span.source).path();
        text = format!("{file}:{}:{}: {}\n", at.line, at.column, harmless(&found.message));
    }
    let beside = found.elsewhere().map(|label| line(shown, label, shown.get(label.span.source).path()));
    text + &beside.collect::<String>() + "\n"
}

fn handler(width: usize) -> GraphicalReportHandler {
    GraphicalReportHandler::new_themed(GraphicalTheme::unicode())
        .with_links(false)
        .with_width(width)
        .with_wrap_lines(false)
        .with_context_lines(1)
        .without_cause_chain()
}

fn labels(found: &Diagnostic) -> impl Iterator<Item = &Label> {
    std::iter::once(&found.primary).chain(&found.related)
}

fn is_readable(span: Span, sources: &SourceMap) -> bool {
    let text = sources.get(span.source).text();
    let at = |offset: u32| text.as_bytes().get(..offset as usize).unwrap_or_default();
    let after = text.as_bytes().get(span.end as usize..).unwrap_or_default();
    let breaks = |byte: &u8| *byte == b'\n';
    let before = at(span.start).iter().rev().take(LONGEST_LINE).position(breaks);
    let before = before.or((at(span.start).len() < LONGEST_LINE).then_some(0));
    let rest = after.iter().take(LONGEST_LINE).position(breaks).or((after.len() < LONGEST_LINE).then_some(0));
    let inside = sources.slice(span).lines().all(|line| line.len() < LONGEST_LINE);
    !text.is_empty() && before.is_some() && rest.is_some() && inside
}

/// A label in another file: where, what, and the line.
fn elsewhere(findings: &Findings<'_>, label: &Label) -> String {
    line(findings.sources, label, findings.place(label.span).file)
}

fn line(sources: &SourceMap, label: &Label, file: &str) -> String {
    let at = sources.position(label.span);
    let line = sources.get(label.span.source).text().lines().nth(at.line - 1).unwrap_or("");
    let line: String = line.trim().chars().take(LONGEST_QUOTE).collect();
    let at = format!("{file}:{}:{}", at.line, at.column);
    format!("  {}: {at}\n    {}\n", harmless(&label.text), harmless(&line))
}

/// `file:line:column: error[CODE]: message`, the fingerprint, and why it is waived or what to do.
fn brief(findings: &Findings<'_>, found: &Diagnostic, print: Fingerprint) -> String {
    let place = findings.place(found.primary.span);
    let head = format!("{}:{}:{}: ", place.file, place.start.line, place.start.column);
    let help = || found.help.as_ref().map_or_else(String::new, |help| format!("  help: {help}\n"));
    let (waived, more) = match &found.waived {
        Some(waived) => ("waived ", format!("  {}\n", excuse(waived))),
        None => ("", help()),
    };
    let message = harmless(&found.message);
    let word = found.severity.word();
    format!("{head}{waived}{word}[{}]: {message}  {}\n{}", found.code, faint(print), harmless(&more))
}

fn colour(findings: &Findings<'_>) -> &'static str {
    let standing = findings.found.iter().filter(|found| found.waived.is_none());
    match standing.map(|found| found.severity).min() {
        Some(Severity::Mandatory) => "\x1b[1;31m",
        Some(Severity::Advisory) => "\x1b[1;33m",
        Some(Severity::Note) | None => "\x1b[1;32m",
    }
}

/// A fingerprint, which is for those who look for it.
fn faint(print: Fingerprint) -> String {
    format!("\x1b[2m{print}\x1b[0m")
}

fn harmless_finding(found: &Diagnostic, print: &str) -> Diagnostic {
    let label = |label: &Label| Label { text: harmless(&label.text).into_owned(), span: label.span };
    let named = if found.name == found.code { String::new() } else { format!(" {}", found.name) };
    Diagnostic {
        code: format!("{}{print}", harmless(&format!("{}{named}", found.code))).into(),
        message: harmless(&found.message).into_owned(),
        primary: label(&found.primary),
        related: found.related.iter().map(label).collect(),
        note: found.note.as_deref().map(|note| harmless(note).into_owned()),
        help: found.help.as_deref().map(|help| harmless(help).into_owned()),
        ..found.clone()
    }
}

/// The same texts, those that are quoted without what nobody should see; nothing when there is no such thing. Spans still fit.
fn harmless_sources<'l>(sources: &SourceMap, quoted: impl Iterator<Item = &'l Label>) -> Option<SourceMap> {
    let quoted: BTreeSet<SourceId> = quoted.map(|label| label.span.source).collect();
    let shown = |id: SourceId, text: &'_ str| match quoted.contains(&id) {
        true => harmless(text).into_owned(),
        false => text.to_owned(),
    };
    let is_harmless = |id: &SourceId| matches!(harmless(sources.get(*id).text()), Cow::Borrowed(_));
    if quoted.iter().all(is_harmless) {
        return None;
    }
    let mut map = SourceMap::new();
    for (id, source) in sources.iter().skip(1) {
        map.add(source.path(), shown(id, source.text()), source.kind());
    }
    Some(map)
}
