//! JUnit, in the dialect that Jenkins describes. Findings are a suite of cases, one for each finding, each rule without
//! one, and each thing that was not run.

use std::collections::BTreeSet;

use aipolicy_compiler::diagnostic::{Diagnostic, Severity};
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use crate::findings::{Findings, advice};
use crate::ui::harmless;

/// One test of the suite.
pub(crate) struct Case {
    pub(crate) class: String,
    pub(crate) name: String,
    pub(crate) outcome: Outcome,
}

/// What became of a test.
pub(crate) enum Outcome {
    /// Nothing was found, or something that does not stop, with what is said of it.
    Passed(Option<String>),
    Failed {
        kind: &'static str,
        message: String,
        text: String,
    },
    Skipped(String),
}

/// One report with one suite. Findings that do not stop are cases that pass, so that a job is red when it ends so.
pub(crate) fn render(findings: &Findings<'_>) -> String {
    report(&cases(findings), &[("summary", findings.summary())])
}

/// One report with one suite, and what is said about all of it.
pub(crate) fn report(cases: &[Case], properties: &[(&str, String)]) -> String {
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    #[expect(clippy::expect_used, reason = "a vector takes every byte")]
    write(&mut writer, properties, cases).expect("a report in memory");
    let mut text = String::from_utf8_lossy(&writer.into_inner()).into_owned();
    text.push('\n');
    text
}

fn cases(findings: &Findings<'_>) -> Vec<Case> {
    let told: BTreeSet<&str> = findings.found.iter().map(|found| &*found.code).collect();
    let silent = findings.evaluated.rules.iter().filter(|rule| !told.contains(&*rule.code));
    let silent = silent.map(|rule| Case {
        class: rule.code.clone(),
        name: rule.name.clone(),
        outcome: Outcome::Passed(None),
    });
    let missed = findings.evaluated.not_run.iter().map(|missed| Case {
        class: "not run".to_owned(),
        name: missed.what.clone(),
        outcome: Outcome::Skipped(missed.why.clone()),
    });
    findings.found.iter().map(|found| case(findings, found)).chain(silent).chain(missed).collect()
}

fn case(findings: &Findings<'_>, found: &Diagnostic) -> Case {
    let (file, place) = findings.home(found);
    let at = format!("{file}:{}:{}", place.start.line, place.start.column);
    let lines = [at.clone(), found.message.clone()];
    let text = lines.into_iter().chain(advice(found)).collect::<Vec<_>>().join("\n");
    let outcome = match found.severity {
        Severity::Mandatory if found.waived.is_none() => {
            Outcome::Failed { kind: found.severity.word(), message: found.message.clone(), text }
        }
        Severity::Mandatory | Severity::Advisory | Severity::Note => {
            Outcome::Passed(Some(format!("{}: {text}", found.severity.word())))
        }
    };
    Case { class: found.code.to_string(), name: format!("{} at {at}", found.name), outcome }
}

fn write(writer: &mut Writer<Vec<u8>>, properties: &[(&str, String)], cases: &[Case]) -> std::io::Result<()> {
    let count = |of: fn(&Outcome) -> bool| cases.iter().filter(|case| of(&case.outcome)).count().to_string();
    let failed = count(|outcome| matches!(outcome, Outcome::Failed { .. }));
    let skipped = count(|outcome| matches!(outcome, Outcome::Skipped(_)));
    let tests = cases.len().to_string();
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let all = [("tests", &*tests), ("failures", &*failed), ("errors", "0")];
    let suites = writer.create_element("testsuites").with_attributes([("name", "aipolicy")]);
    suites.with_attributes(all).write_inner_content(|writer| {
        let suite = writer.create_element("testsuite").with_attributes([("name", "aipolicy")]);
        let suite = suite.with_attributes(all).with_attributes([("skipped", &*skipped)]);
        suite.write_inner_content(|writer| {
            writer.create_element("properties").write_inner_content(|writer| {
                properties.iter().try_for_each(|(name, value)| property(writer, name, &plain(value)))?;
                property(writer, "version", env!("CARGO_PKG_VERSION"))
            })?;
            cases.iter().try_for_each(|case| element(writer, case))
        })?;
        Ok(())
    })?;
    Ok(())
}

fn property(writer: &mut Writer<Vec<u8>>, name: &str, value: &str) -> std::io::Result<()> {
    writer.create_element("property").with_attributes([("name", name), ("value", value)]).write_empty()?;
    Ok(())
}

fn element(writer: &mut Writer<Vec<u8>>, case: &Case) -> std::io::Result<()> {
    let (class, name) = (plain(&case.class), plain(&case.name));
    let element =
        writer.create_element("testcase").with_attributes([("classname", &*class), ("name", &*name)]);
    match &case.outcome {
        Outcome::Passed(None) => element.write_empty()?,
        Outcome::Passed(Some(text)) => element.write_inner_content(|writer| {
            let out = writer.create_element("system-out");
            out.write_text_content(BytesText::new(&plain(text)))?;
            Ok(())
        })?,
        Outcome::Failed { kind, message, text } => element.write_inner_content(|writer| {
            let failure = writer.create_element("failure").with_attributes([("type", *kind)]);
            let failure = failure.with_attributes([("message", &*plain(message))]);
            failure.write_text_content(BytesText::new(&plain(text)))?;
            Ok(())
        })?,
        Outcome::Skipped(why) => element.write_inner_content(|writer| {
            let skipped = writer.create_element("skipped");
            skipped.with_attributes([("message", &*plain(why))]).write_empty()?;
            Ok(())
        })?,
    };
    Ok(())
}

/// The text without what XML cannot hold.
fn plain(text: &str) -> String {
    harmless(text).replace(['\u{fffe}', '\u{ffff}'], "?")
}
