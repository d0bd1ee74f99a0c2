//! A comparison of two revisions for people at a terminal.

use aipolicy_compiler::diagnostic::Severity;
use aipolicy_targets::plan::{Access, Effect, EffectClass, Origin};

use super::declared::Declared;
use super::difference::{Compared, Difference, Level, Told};
use crate::ui::harmless;

/// Effects, then what is declared differently, then findings, then documents, then what it amounts to.
pub(super) fn text(difference: &Difference) -> String {
    let mut text = String::new();
    for found in &difference.environments {
        let documents: String = found.documents.iter().map(|changed| coloured(&changed.diff)).collect();
        let effects: String =
            found.effects.iter().map(effect).chain(found.access.iter().map(access)).collect();
        let missed =
            found.not_compared.as_ref().map_or_else(String::new, |why| format!("  {}\n", harmless(why)));
        if !(effects.is_empty() && documents.is_empty() && missed.is_empty()) {
            text.push_str(&format!(
                "\x1b[1m{}\x1b[0m\n{effects}{missed}{documents}\n",
                harmless(&found.name)
            ));
        }
    }
    if !difference.declared.is_empty() {
        text.push_str("\x1b[1mdeclared differently\x1b[0m\n");
        text.extend(difference.declared.iter().map(declared));
        text.push('\n');
    }
    let Compared { new, waived, fixed, .. } = &difference.findings;
    let findings = [("new findings", new), ("waived", waived), ("fixed", fixed)];
    for (title, told) in findings.iter().filter(|(_, told)| !told.is_empty()) {
        text.push_str(&format!("\x1b[1m{title}\x1b[0m\n"));
        text.extend(told.iter().map(finding));
        text.push('\n');
    }
    let colour = match difference.level {
        Level::Same | Level::Narrower => "\x1b[1;32m",
        Level::Unclear | Level::Wider => "\x1b[1;33m",
        Level::Refused => "\x1b[1;31m",
    };
    text.push_str(&format!("{colour}{}\x1b[0m\n{}\n", harmless(&difference.headline), difference.counts()));
    text
}

fn effect(effect: &Effect) -> String {
    let (colour, sign) = sign(effect.class);
    format!("  {colour}{sign} {}\x1b[0m{}\n", harmless(&effect.sentence), origin(effect.origin.as_ref()))
}

fn access(access: &Access) -> String {
    let (colour, sign) = sign(access.class);
    format!("  {colour}{sign} {}\x1b[0m (IAM)\n", harmless(&access.sentence))
}

fn declared(one: &Declared) -> String {
    let (colour, sign) = sign(one.class);
    format!("  {colour}{sign} {}\x1b[0m{}\n", harmless(&one.sentence), origin(one.origin.as_ref()))
}

fn finding(told: &Told) -> String {
    let colour = match told.severity {
        Severity::Mandatory => "\x1b[31m",
        Severity::Advisory => "\x1b[33m",
        Severity::Note => "",
    };
    let Told { code, message, file, line, .. } = told;
    let (message, file) = (harmless(message), harmless(file));
    format!("  {colour}{}[{}]\x1b[0m {message} ({file}:{line})\n", told.severity.word(), harmless(code))
}

fn sign(class: EffectClass) -> (&'static str, char) {
    match class {
        EffectClass::Widens => ("\x1b[31m", '+'),
        EffectClass::Narrows => ("\x1b[32m", '-'),
        EffectClass::Mixed | EffectClass::Neutral => ("", '~'),
    }
}

fn origin(origin: Option<&Origin>) -> String {
    origin.map_or_else(String::new, |origin| format!(" ({}:{})", harmless(&origin.file), origin.line))
}

fn coloured(diff: &str) -> String {
    let colour = |line: &str| match line.as_bytes().first() {
        Some(b'+') => "\x1b[32m",
        Some(b'-') => "\x1b[31m",
        Some(b'@') => "\x1b[36m",
        _ => "",
    };
    diff.lines().map(|line| format!("{}{}\x1b[0m\n", colour(line), harmless(line))).collect()
}
