//! Seeded mistakes: every rule finds two that its page does not show, is silent once a few lines are corrected, and
//! without the rule they pass.
//!
//! `tests/corpus/CODE.md` holds the mistakes of a rule, a section each: files with the expected findings as comments, and a
//! `diff` block that corrects them. Every seed stands in the workspace in `tests/corpus/base/`.

use std::collections::{BTreeMap, BTreeSet};

use aipolicy_compiler::authorize::SHIPPED;
use aipolicy_compiler::check;
use aipolicy_compiler::rule::RULES;

use crate::harness::annotate::{annotations, leader};
use crate::harness::cases::{Finding, check_file, check_folder, files_of};
use crate::harness::compile::{findings, findings_without, findings_without_check};
use crate::harness::markdown::fences;
use crate::harness::{files_below, read, root};

const FOLDER: &str = "tests/corpus";

/// The most lines in which a mistake and its correction may differ.
const MOST_LINES: usize = 3;

/// Rules without seeds, by how their codes begin, and why.
const EXEMPT: &[(&str, &str)] = &[
    ("AIP-YML-", "about the text of a file: tests/cases/language"),
    ("AIP-LNG-", "about the form of a resource: tests/cases/language"),
    ("AIP-REF-", "about names of resources and files: tests/cases/language"),
    ("AIP-POL-", "about Cedar itself, and what seeds of permits are refused with: tests/cases/language"),
    ("AIP-DAT-015", "about the text of a value, and read with it: tests/cases/language"),
    ("AIP-CMP-", "a target says so when it renders: tests/targets"),
    ("AIP-IAM-009", "a target says so when it renders: tests/targets"),
    ("AIP-PRV-", "a proof says so: tests/cli/outputs"),
    ("AIP-LIF-007", "asked when a plan is made or applied: tests/changes.rs"),
    ("baseline-change", "asked when a plan is applied: tests/cli"),
    ("baseline-support", "permits whatever is asked: nothing that it lets through could be refused"),
    ("baseline-tools", "permits whatever is asked: nothing that it lets through could be refused"),
];

type Files = Vec<(String, String)>;

/// What finds the mistakes of a page.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Check,
    Forbid,
    /// Without it, what is right is refused.
    Permit,
}

struct Rule {
    id: &'static str,
    name: &'static str,
    kind: Kind,
    /// Its own page, whose examples seeds must not repeat.
    page: &'static str,
}

impl Rule {
    /// The code that its mistakes are reported with.
    fn code(&self) -> &'static str {
        if self.kind == Kind::Permit { "AIP-POL-005" } else { self.id }
    }
}

/// Every rule that can be taken out.
fn rules() -> Vec<Rule> {
    let checks = check::all().map(|check| check.rule);
    let checks =
        checks.map(|rule| Rule { id: rule.code, name: rule.name, kind: Kind::Check, page: rule.page });
    let policies = SHIPPED.iter().map(|policy| {
        let mut quoted = policy.text.split('"').skip(1).step_by(2);
        let (id, name) = (quoted.next().unwrap(), quoted.next().unwrap());
        let kind = if id.starts_with("AIP-") { Kind::Forbid } else { Kind::Permit };
        Rule { id, name, kind, page: policy.page }
    });
    checks.chain(policies).filter(|rule| !is_exempt(rule.id)).collect()
}

fn is_exempt(id: &str) -> bool {
    EXEMPT.iter().any(|(start, _)| id.starts_with(start))
}

/// A mistake with its correction.
struct Seed {
    title: String,
    files: Files,
    corrected: Files,
    /// In how many lines the two differ.
    changed: usize,
}

fn seeds(rule: &Rule) -> Vec<Seed> {
    let text = read(&root().join(FOLDER).join(format!("{}.md", rule.id)));
    assert_eq!(text.lines().next(), Some(format!("# {}: {}", rule.id, rule.name).as_str()));
    let diffs = diffs(&text);
    let cases = files_of(&text);
    assert_eq!(
        diffs.len(),
        cases.len(),
        "{}: each section has a title of its own and one `diff` block",
        rule.id
    );
    let seed = |(title, files): (String, Files)| {
        let context = format!("{}: {title}", rule.id);
        let diff = diffs.get(&title).unwrap_or_else(|| panic!("{context}: no `diff` block"));
        let (corrected, changed) = corrected(&context, &files, diff);
        Seed { title, files: in_base(files), corrected: in_base(corrected), changed }
    };
    cases.into_iter().map(seed).collect()
}

/// The files of every seed, under the id of its rule and its title.
pub(crate) fn every_seed() -> Vec<(String, Vec<(String, String)>)> {
    let of_rule = |rule: Rule| {
        let title = move |seed: Seed| (format!("{}: {}", rule.id, seed.title), seed.files);
        seeds(&rule).into_iter().map(title).collect::<Vec<_>>()
    };
    rules().into_iter().flat_map(of_rule).collect()
}

/// The lines of the `diff` block of each section, by its title.
fn diffs(text: &str) -> BTreeMap<String, Vec<String>> {
    let lines: Vec<&str> = text.lines().collect();
    let blocks = fences(&lines).into_iter().filter(|fence| fence.language() == "diff");
    let title = |at: usize| lines[at].trim_start_matches('#').trim().to_owned();
    let owned = |content: &[&str]| content.iter().map(|line| (*line).to_owned()).collect();
    blocks.map(|fence| (title(fence.heading), owned(fence.content(&lines)))).collect()
}

/// Applies a diff, whose hunks are parted by `@@`, to the one place among the files that it fits.
fn corrected(context: &str, files: &Files, diff: &[String]) -> (Files, usize) {
    let plain = |(path, text): &(String, String)| (path.clone(), without_annotations(path, text));
    let mut files: Vec<(String, Vec<String>)> = files.iter().map(plain).collect();
    let mut changed = 0;
    for hunk in diff.split(|line| line.starts_with("@@")) {
        let side = |sign: char| -> Vec<String> {
            let lines = hunk.iter().filter(|line| line.starts_with(' ') || line.starts_with(sign));
            lines.map(|line| line[1..].to_owned()).collect()
        };
        let (old, new) = (side('-'), side('+'));
        assert!(!old.is_empty(), "{context}: a hunk without a line of the mistake");
        let places = files.iter().enumerate().flat_map(|(file, (_, lines))| {
            let windows = lines.windows(old.len()).enumerate();
            windows.filter(|(_, lines)| *lines == old).map(move |(at, _)| (file, at))
        });
        let places: Vec<(usize, usize)> = places.collect();
        let [(file, at)] = places[..] else {
            panic!("{context}: a hunk fits {} places: {hunk:#?}", places.len())
        };
        files[file].1.splice(at..at + old.len(), new);
        let count = |sign: char| hunk.iter().filter(|line| line.starts_with(sign)).count();
        changed += count('-').max(count('+'));
    }
    let text = |lines: Vec<String>| lines.iter().flat_map(|line| [line, "\n"]).collect();
    (files.into_iter().map(|(path, lines)| (path, text(lines))).collect(), changed)
}

fn without_annotations(path: &str, text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().collect();
    let notes = annotations(&lines, leader(path)).unwrap();
    let column = |at: usize| notes.iter().find(|note| note.at == at).map(|note| note.column);
    let kept = lines.iter().enumerate().filter_map(|(at, line)| match column(at) {
        Some(0) => None,
        Some(column) => Some(line[..column].to_owned()),
        None => Some((*line).to_owned()),
    });
    kept.collect()
}

/// The files with the workspace that every seed stands in, unless they have their own of a name.
fn in_base(mut files: Files) -> Files {
    let base = root().join(FOLDER).join("base");
    for name in files_below(&base) {
        if !files.iter().any(|(path, _)| *path == name) {
            let text = read(&base.join(&name));
            files.push((name, text));
        }
    }
    files
}

#[test]
fn every_mistake_is_found_at_its_line_and_nothing_else_is() {
    check_folder(FOLDER, &|files| findings(&in_base(files.to_vec())));
}

/// Rules of which a mistake has no words: what would say it is refused.
#[test]
fn what_cannot_be_said_is_refused() {
    check_file("tests/cases/impossible.md", &|files| findings(&in_base(files.to_vec())));
}

#[test]
fn every_rule_has_two_seeds_of_its_own() {
    let mut problems = Vec::new();
    let present = files_below(&root().join(FOLDER)).into_iter().filter(|file| !file.starts_with("base/"));
    let present: BTreeSet<String> = present.collect();
    let rules = rules();
    for rule in &rules {
        if !present.contains(&format!("{}.md", rule.id)) {
            problems.push(format!("{} has no page in {FOLDER}", rule.id));
            continue;
        }
        let seeds = seeds(rule);
        let expected =
            |seed: &Seed| seed.files.iter().any(|(_, text)| text.contains(&format!("[{}]", rule.code())));
        let on_page =
            |seed: &Seed| files_of(rule.page).iter().any(|(_, files)| files.contains(&seed.files[0]));
        let few = |seed: &Seed| (1..=MOST_LINES).contains(&seed.changed);
        if seeds.len() < 2 {
            problems.push(format!("{} has fewer than two seeds", rule.id));
        }
        let wrong = seeds.iter().filter(|seed| !expected(seed) || on_page(seed) || !few(seed));
        problems.extend(wrong.map(|seed| {
            format!(
                "{}: {}: {} lines differ, or it is not about the rule, or its page has it",
                rule.id, seed.title, seed.changed
            )
        }));
    }
    let known: BTreeSet<String> = rules.iter().map(|rule| format!("{}.md", rule.id)).collect();
    let unknown = present.difference(&known);
    problems.extend(unknown.map(|file| format!("{FOLDER}/{file} is about no rule")));
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn every_exemption_is_about_a_rule() {
    let codes =
        RULES.iter().map(|rule| rule.code).chain(SHIPPED.iter().filter_map(|one| one.text.split('"').nth(1)));
    let codes: Vec<&str> = codes.collect();
    for (start, why) in EXEMPT {
        assert!(codes.iter().any(|code| code.starts_with(start)), "{start}: {why}");
    }
    let seeded: BTreeSet<&str> = rules().iter().map(|rule| rule.id).collect();
    let forgotten: Vec<_> = codes.iter().filter(|code| !is_exempt(code) && !seeded.contains(*code)).collect();
    assert_eq!(forgotten, [&""; 0]);
}

#[test]
fn every_correction_is_silent() {
    for rule in rules() {
        for seed in seeds(&rule) {
            let found = findings(&seed.corrected);
            assert_eq!(found, [], "{}: {}", rule.id, seed.title);
        }
    }
}

fn count(found: &[Finding], code: &str) -> usize {
    found.iter().filter(|one| one.code == code).count()
}

#[test]
fn without_a_rule_its_mistakes_pass() {
    for rule in rules() {
        for seed in seeds(&rule) {
            let (passes, why) = match rule.kind {
                Kind::Check => {
                    (count(&findings_without_check(rule.id, &seed.files), rule.id) == 0, "still found")
                }
                Kind::Forbid => (count(&findings_without(rule.id, &seed.files), rule.id) == 0, "still found"),
                Kind::Permit => {
                    (count(&findings_without(rule.id, &seed.corrected), rule.code()) > 0, "not needed")
                }
            };
            assert!(passes, "{}: {}: {why} without the rule", rule.id, seed.title);
        }
    }
}
