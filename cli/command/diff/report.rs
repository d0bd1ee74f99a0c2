//! A comparison of two revisions, as text, as JSON and as a comment on a pull request.

use aipolicy_targets::plan::{Access, Action, Effect, EffectClass};
use serde::Serialize;

use crate::error::Exit;
use crate::findings::counted;
use crate::ui::harmless;

/// The version of the format.
const FORMAT: &str = "aipolicy.diff/1";
/// GitHub takes comments of 65,536 characters; what is around ours needs a little.
const COMMENT: usize = 60_000;

/// What differs between two revisions.
#[derive(Serialize)]
pub(super) struct Difference {
    format: &'static str,
    before: String,
    after: String,
    environments: Vec<Environment>,
}

/// What differs in an environment.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Environment {
    pub(super) name: String,
    pub(super) effects: Vec<Effect>,
    pub(super) access: Vec<Access>,
    pub(super) documents: Vec<Changed>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) not_compared: Option<String>,
}

/// A document that differs.
#[derive(Serialize)]
pub(super) struct Changed {
    pub(super) file: String,
    pub(super) action: Action,
    pub(super) diff: String,
}

impl Difference {
    pub(super) fn new(before: &str, after: &str, environments: Vec<Environment>) -> Self {
        Self { format: FORMAT, before: before.into(), after: after.into(), environments }
    }

    pub(super) fn exit(&self) -> Exit {
        let differs = |found: &Environment| !found.effects.is_empty() || !found.documents.is_empty();
        if self.environments.iter().any(differs) {
            Exit::Changes
        } else if self.environments.iter().any(|found| found.not_compared.is_some()) {
            Exit::Refused
        } else {
            Exit::Clean
        }
    }

    fn summary(&self) -> String {
        let effects = || self.environments.iter().flat_map(|found| &found.effects);
        let count = |class| effects().filter(|effect| effect.class == class).count();
        let documents: usize = self.environments.iter().map(|found| found.documents.len()).sum();
        format!(
            "{} that widen, {} that narrow, {} changed",
            counted(count(EffectClass::Widens), "effect"),
            count(EffectClass::Narrows),
            counted(documents, "document"),
        )
    }
}

/// For people.
pub(super) fn text(difference: &Difference) -> String {
    let mut text = String::new();
    for found in &difference.environments {
        let documents: String = found.documents.iter().map(|changed| coloured(&changed.diff)).collect();
        let effects: String =
            found.effects.iter().map(effect).chain(found.access.iter().map(access)).collect();
        let missed = found.not_compared.as_ref().map_or_else(String::new, |why| format!("  {why}\n"));
        if !(effects.is_empty() && documents.is_empty() && missed.is_empty()) {
            text.push_str(&format!("\x1b[1m{}\x1b[0m\n{effects}{missed}{documents}\n", found.name));
        }
    }
    text.push_str(&format!("{}\n", difference.summary()));
    text
}

fn effect(effect: &Effect) -> String {
    let (colour, sign) = sign(effect.class);
    format!("  {colour}{sign} {}\x1b[0m{}\n", harmless(&effect.sentence), origin(effect))
}

fn access(access: &Access) -> String {
    let (colour, sign) = sign(access.class);
    format!("  {colour}{sign} {}\x1b[0m (IAM)\n", harmless(&access.sentence))
}

fn sign(class: EffectClass) -> (&'static str, char) {
    match class {
        EffectClass::Widens => ("\x1b[31m", '+'),
        EffectClass::Narrows => ("\x1b[32m", '-'),
        EffectClass::Mixed | EffectClass::Neutral => ("", '~'),
    }
}

fn origin(effect: &Effect) -> String {
    let origin = effect.origin.as_ref();
    origin.map_or_else(String::new, |origin| format!(" ({}:{})", origin.file, origin.line))
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

/// A comment that can be updated in place: summary, effects, documents; what does not fit is counted.
pub(super) fn markdown(difference: &Difference) -> String {
    let mut text = String::from("<!-- aipolicy diff -->\n");
    let (before, after) = (&difference.before, &difference.after);
    text.push_str(&format!("### aipolicy: `{before}` to `{after}`\n\n{}\n", difference.summary()));
    for found in
        difference.environments.iter().filter(|found| !(found.effects.is_empty() && found.access.is_empty()))
    {
        let listed = found.effects.iter().map(|effect| {
            let class = effect.class.word();
            format!("- **{class}**: {}{}\n", effect.sentence, origin(effect))
        });
        let confirmed = found.access.iter().map(|access| {
            let class = access.class.word();
            format!("- **{class}** (IAM): {}\n", access.sentence)
        });
        fill(&mut text, format!("\n#### {}\n\n", found.name), listed.chain(confirmed).collect());
    }
    for missed in difference.environments.iter().filter_map(|found| found.not_compared.as_ref()) {
        text.push_str(&format!("\n> {missed}\n"));
    }
    for found in &difference.environments {
        fill(
            &mut text,
            String::new(),
            found.documents.iter().map(|changed| document(found, changed)).collect(),
        );
    }
    text
}

/// Adds a heading and as many parts as fit.
fn fill(text: &mut String, heading: String, parts: Vec<String>) {
    text.push_str(&heading);
    for (at, part) in parts.iter().enumerate() {
        if text.len() + part.len() > COMMENT {
            text.push_str(&format!("\n… and {} more\n", parts.len() - at));
            return;
        }
        text.push_str(part);
    }
}

fn document(environment: &Environment, changed: &Changed) -> String {
    let fence = "`".repeat(longest_run(&changed.diff).max(2) + 1);
    let (name, file, action) = (&environment.name, &changed.file, changed.action.word());
    let head = format!("\n<details><summary>{action} <code>{name}/{file}</code></summary>\n\n");
    format!("{head}{fence}diff\n{}\n{fence}\n\n</details>\n", changed.diff.trim_end())
}

/// The most backticks in a row, which a fence must outnumber.
fn longest_run(text: &str) -> usize {
    text.split(|letter| letter != '`').map(str::len).max().unwrap_or(0)
}
