//! A comparison of two revisions as a comment on a pull request: what to worry about in the first lines, then effects, then
//! what is declared differently, then findings, then documents.

use std::path::{Component, Path, PathBuf};

use aipolicy_compiler::diagnostic::Severity;
use aipolicy_targets::plan::{EffectClass, Origin};

use super::difference::{Difference, Environment, Level, Told};
use crate::findings::counted;
use crate::markdown::{block, code, details, sentence};

/// The longest comment, in bytes: GitHub takes 65,536 characters, and whoever posts it may add something.
const LONGEST: usize = 60_000;
/// What is kept free for the sentence about what is left out.
const CLOSING: usize = 1_000;
/// So many lines stand for all in the first lines of the comment.
const FIRST: usize = 4;
/// So many lines are in a list.
const LISTED: usize = 60;
/// A line of a list has at most so many bytes.
const LONGEST_LINE: usize = 600;

/// A line of a list, and how much it matters: the least first.
type Line = (Worry, String);

/// How much a line matters, from the most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Worry {
    Refused,
    Wider,
    Unclear,
    /// What roles may do by their policies, which follows from what was granted.
    Confirmed,
    Narrower,
    None,
}

/// A part of the comment that is there as a whole or not at all, and what it holds.
struct Section {
    text: String,
    what: String,
}

/// The comment. It begins with a mark by which it is found again, and the same difference makes the same bytes.
pub(super) fn comment(difference: &Difference) -> String {
    let mut text = format!("{}\n{}", marker(&difference.folder), head(difference));
    let mut left_out = Vec::new();
    for section in sections(difference) {
        if text.len() + section.text.len() + CLOSING > LONGEST {
            left_out.push(section.what);
        } else {
            text.push_str(&section.text);
        }
    }
    text.push_str(&closing(difference, &left_out));
    text
}

/// What the comment of a workspace begins with: a comment of HTML, in which nothing can end it.
fn marker(folder: &str) -> String {
    let parts = Path::new(folder).components().filter(|part| !matches!(part, Component::CurDir));
    let folder = parts.collect::<PathBuf>();
    let folder = if folder.as_os_str().is_empty() { ".".into() } else { folder.to_string_lossy() };
    let plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '/' | '_' | '.');
    let folder: String = folder.chars().map(|letter| if plain(letter) { letter } else { '_' }).collect();
    format!("<!-- aipolicy:diff {folder} -->")
}

/// What a reviewer reads first: whether to worry, and about what.
fn head(difference: &Difference) -> String {
    let mark = match difference.level {
        Level::Same => "⚪",
        Level::Narrower => "🟢",
        Level::Unclear => "🟡",
        Level::Wider => "🟠",
        Level::Refused => "🔴",
    };
    let mut text = format!("### {mark} aipolicy: {}\n\n", sentence(&difference.headline));
    let mut lines: Vec<Line> = refusals(difference).chain(declared(difference)).collect();
    lines.extend(difference.environments.iter().flat_map(effects));
    lines.sort();
    lines.dedup();
    lines.retain(|(worry, _)| *worry != Worry::None);
    let more = lines.len().saturating_sub(FIRST);
    lines.into_iter().take(FIRST).for_each(|(_, line)| text.push_str(&line));
    if more > 0 {
        text.push_str(&format!("- and {more} more, below\n"));
    }
    if !text.ends_with("\n\n") {
        text.push('\n');
    }
    let (before, after) = (code(&difference.before), code(&difference.after));
    text.push_str(&format!("{before} to {after}: {}.\n", sentence(&difference.counts())));
    text
}

fn refusals(difference: &Difference) -> impl Iterator<Item = Line> {
    let found = difference.findings.new.iter().chain(&difference.findings.still);
    let stops = found.filter(|told| told.stops());
    stops.map(|told| (Worry::Refused, finding(told)))
}

fn declared(difference: &Difference) -> impl Iterator<Item = Line> {
    difference.declared.iter().map(|one| {
        let text = format!("{}{}", sentence(&one.sentence), place(one.origin.as_ref()));
        (worry(one.class), line(one.class, &text))
    })
}

/// What may happen in an environment, and what roles may do there by their policies.
fn effects(found: &Environment) -> Vec<Line> {
    let name = code(&found.name);
    let told = found.effects.iter().map(|effect| {
        let text = format!("{name}: {}{}", sentence(&effect.sentence), place(effect.origin.as_ref()));
        (worry(effect.class), line(effect.class, &text))
    });
    let confirmed = found.access.iter().map(|access| {
        let worry = if access.class == EffectClass::Widens { Worry::Confirmed } else { worry(access.class) };
        (worry, line(access.class, &format!("{name}, by its policies: {}", sentence(&access.sentence))))
    });
    let missed =
        found.not_compared.iter().map(|why| (Worry::Unclear, line(EffectClass::Mixed, &sentence(why))));
    told.chain(confirmed).chain(missed).collect()
}

fn worry(class: EffectClass) -> Worry {
    match class {
        EffectClass::Widens => Worry::Wider,
        EffectClass::Mixed => Worry::Unclear,
        EffectClass::Narrows => Worry::Narrower,
        EffectClass::Neutral => Worry::None,
    }
}

fn line(class: EffectClass, text: &str) -> String {
    let word = match class {
        EffectClass::Widens => "**wider**",
        EffectClass::Narrows => "narrower",
        EffectClass::Mixed => "**changed**",
        EffectClass::Neutral => "declared",
    };
    bounded(&format!("- {word}: {text}"))
}

fn finding(told: &Told) -> String {
    let word = match told.severity {
        Severity::Mandatory | Severity::Advisory | Severity::Note if told.waived.is_some() => "waived",
        Severity::Mandatory => "**error**",
        Severity::Advisory => "warning",
        Severity::Note => "note",
    };
    let origin = Origin { file: told.file.clone(), line: told.line };
    bounded(&format!("- {word}: {} {}{}", code(&told.code), sentence(&told.message), place(Some(&origin))))
}

fn place(origin: Option<&Origin>) -> String {
    origin.map_or_else(String::new, |origin| {
        format!(" ({})", code(&format!("{}:{}", origin.file, origin.line)))
    })
}

/// A line that is not too long. One that is becomes code as a whole, so that nothing in it is cut in half.
fn bounded(line: &str) -> String {
    if line.len() <= LONGEST_LINE {
        return format!("{line}\n");
    }
    let short: String = line.trim_start_matches("- ").chars().take(LONGEST_LINE / 4).collect();
    format!("- {}\n", code(&format!("{short}…")))
}

/// Everything below the first lines, in the order of its weight.
fn sections(difference: &Difference) -> Vec<Section> {
    let mut all = Vec::new();
    for found in &difference.environments {
        let lines = effects(found).into_iter().map(|(_, line)| line);
        all.extend(list(&format!("Effects in {}", code(&found.name)), lines.collect()));
    }
    all.extend(list("Declared differently", declared(difference).map(|(_, line)| line).collect()));
    let findings = &difference.findings;
    all.extend(list("New findings", findings.new.iter().map(finding).collect()));
    all.extend(list("Waived findings", findings.waived.iter().map(finding).collect()));
    all.extend(list("Fixed findings", findings.fixed.iter().map(finding).collect()));
    let weighty = |told: &&Told| told.severity != Severity::Note && told.waived.is_none();
    let still: Vec<_> = findings.still.iter().filter(weighty).map(finding).collect();
    if !still.is_empty() {
        let what = counted(still.len(), "finding");
        let body = clipped(still);
        let text = format!("\n{}", details(&format!("{what} still there, in"), &difference.after, &body));
        all.push(Section { text, what: "findings that are still there".to_owned() });
    }
    for found in &difference.environments {
        for changed in &found.documents {
            let what = format!("document {}", code(&format!("{}/{}", found.name, changed.file)));
            let subject = format!("{}/{}", found.name, changed.file);
            let text =
                format!("\n{}", details(changed.action.word(), &subject, &block("diff", &changed.diff)));
            all.push(Section { text, what });
        }
    }
    all
}

fn list(title: &str, lines: Vec<String>) -> Option<Section> {
    let many = lines.len();
    (many > 0).then(|| Section {
        text: format!("\n#### {title}\n\n{}", clipped(lines)),
        what: format!("{} ({many})", title.to_lowercase()),
    })
}

/// The first lines of a list, and how many more there are.
fn clipped(mut lines: Vec<String>) -> String {
    let more = lines.len().saturating_sub(LISTED);
    lines.truncate(LISTED);
    let more = (more > 0).then(|| format!("- and {more} more\n"));
    lines.into_iter().chain(more).collect()
}

/// What is left out, and how to see it.
fn closing(difference: &Difference, left_out: &[String]) -> String {
    if left_out.is_empty() {
        return String::new();
    }
    let (documents, other): (Vec<_>, Vec<_>) =
        left_out.iter().partition(|what| what.starts_with("document "));
    let mut told: Vec<String> = other.into_iter().take(FIRST).cloned().collect();
    if !documents.is_empty() {
        told.push(counted(documents.len(), "document"));
    }
    let Difference { before, after, folder, .. } = difference;
    let command = code(&format!("aipolicy diff {before} {after} -C {folder}"));
    let text = format!(
        "\nLeft out, since a comment is not longer than this: {}. {command} shows all.\n",
        told.join(", ")
    );
    if text.len() > CLOSING {
        format!("\nLeft out: {}. `aipolicy diff` shows all.\n", counted(left_out.len(), "section"))
    } else {
        text
    }
}
