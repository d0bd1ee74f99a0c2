//! Every rule of the language in Markdown cases, and the exact text that a few findings underline.

use std::collections::BTreeSet;

use aipolicy_compiler::diagnostic::Family;
use aipolicy_compiler::rule;

use crate::harness::cases::check_folder;
use crate::harness::compile::{compile, findings, with_workspace};
use crate::harness::markdown::{Fence, fences};
use crate::harness::{files_below, read, root};

#[test]
fn findings_of_the_language_are_as_its_cases_say() {
    check_folder("tests/cases/language", &findings);
}

/// Rules that no set of texts can break: they are about bytes of files, or about what targets and policies make.
const ELSEWHERE: &[&str] = &[
    "AIP-YML-006",
    "AIP-POL-004",
    "AIP-POL-005",
    "AIP-POL-007",
    "AIP-POL-008",
    "AIP-POL-009",
    "AIP-POL-010",
    "AIP-CMP-001",
    "AIP-CMP-002",
    "AIP-CMP-003",
    "AIP-CMP-006",
    "AIP-CMP-008",
    "AIP-CMP-009",
    "AIP-CMP-010",
    "AIP-IAM-009",
    "AIP-PRV-001",
    "AIP-PRV-002",
    "AIP-PRV-003",
    "AIP-PRV-004",
];

#[test]
fn every_rule_of_the_language_has_a_case() {
    let folder = root().join("tests/cases/language");
    let text: String = files_below(&folder).iter().map(|name| read(&folder.join(name))).collect();
    let lacking: BTreeSet<&str> = rule::RULES
        .iter()
        .map(|rule| rule.code)
        .filter(|code| !text.contains(&format!("[{code}]")))
        .collect();
    assert_eq!(lacking, ELSEWHERE.iter().copied().collect());
}

/// The texts that the findings of one file underline, with their codes, in the order of the file.
fn underlined(text: &str) -> Vec<(String, String)> {
    let file = ("case.yaml".to_owned(), text.to_owned());
    let compiled = compile(&with_workspace(&[file]));
    let found = compiled.diagnostics.iter();
    found
        .map(|found| (found.code.to_string(), compiled.sources.slice(found.primary.span).to_owned()))
        .collect()
}

#[track_caller]
fn expect(spec: &str, expected: &[(&str, &str)]) {
    let text = format!("apiVersion: aipolicy.dev/v1\nkind: Group\nmetadata: {{ name: case }}\nspec:\n{spec}");
    let expected: Vec<_> =
        expected.iter().map(|(code, text)| ((*code).to_owned(), (*text).to_owned())).collect();
    assert_eq!(underlined(&text), expected, "{spec}");
}

#[test]
fn findings_underline_what_is_to_blame_and_no_more() {
    expect("  members: []\n  colour: red\n", &[("AIP-LNG-001", "colour")]);
    expect("  members: []\n  \"colour\": red\n", &[("AIP-LNG-001", "\"colour\"")]);
    expect("  members: ana  # one\n", &[("AIP-LNG-003", "ana")]);
    expect("  members:\n    ana: 1\n    ben: 2\n\n  required: 1\n", &[("AIP-LNG-003", "ana: 1\n    ben: 2")]);
    expect("  members: { ana: 1 }  # map\n", &[("AIP-LNG-003", "{ ana: 1 }")]);
    expect("  members: [[ana, 'ben'], cai]\n", &[("AIP-LNG-003", "[ana, 'ben']")]);
    expect("  members:\n  - - ana\n    - ben\n  - cai\n", &[("AIP-LNG-003", "- ana\n    - ben")]);
    expect("  members: [\"\"]\n", &[("AIP-LNG-004", "\"\"")]);
    expect("  members: []\n  required: 9999999\n", &[("AIP-LNG-006", "9999999")]);
    expect("  members:\n", &[("AIP-LNG-010", "members")]);
    expect("  members: []\n  members: []\n", &[("AIP-YML-004", "members")]);
    expect("  members: [\"gr\u{fc}\\u200be\", x]\n", &[("AIP-YML-005", "\"gr\u{fc}\\u200be\"")]);
    expect(
        "  members: |\n    AKIAIOSFODNN7EXAMPLE\n  required: 1\n",
        &[("AIP-LNG-003", "AKIAIOSFODNN7EXAMPLE")],
    );
}

#[test]
fn characters_that_cannot_be_seen_are_underlined_where_they_stand() {
    for hidden in
        ['\0', '\u{7}', '\u{7f}', '\u{85}', '\u{200b}', '\u{202e}', '\u{2066}', '\u{feff}', '\u{e0041}']
    {
        let comment = format!("  members: [ana]  # gr\u{fc}\u{df}e {hidden}ben\n");
        expect(&comment, &[("AIP-YML-005", &hidden.to_string())]);
        let value = format!("  members: [\"ana{hidden}\"]\n");
        expect(&value, &[("AIP-YML-005", &hidden.to_string())]);
    }
}

#[test]
fn what_is_missing_is_shown_where_its_map_begins() {
    let missing = |spec: &str| {
        let head = "apiVersion: aipolicy.dev/v1\nkind: Environment\nmetadata: { name: case }\nspec:\n";
        let found = underlined(&format!("{head}{spec}"));
        assert!(found.iter().all(|(code, _)| code == "AIP-LNG-002"), "{found:?}");
        found.into_iter().map(|(_, text)| text).collect::<Vec<_>>()
    };
    assert_eq!(missing("  aws: { regions: [] }\n"), ["{ regions"]);
    assert_eq!(missing("  aws:\n    regions: []\n"), ["regions"]);
    assert_eq!(missing("  aws: {}\n"), ["{}"]);
    assert_eq!(missing("  network: {}\n"), ["network"]);
}

#[test]
fn references_and_secrets_are_underlined_without_their_kind_and_quotes() {
    let text = "apiVersion: aipolicy.dev/v1\nkind: Waiver\nmetadata: { name: case }\nspec:\n  rule: AIP-RTE-007\n  \
                resources: [Route/cat, \"Route/dog\"]\n  expires: 2027-03-31\n  owner: AKIAIOSFODNN7EXAMPLE\n  \
                reason: r\n  ticket: t\n";
    let found = underlined(&text.replace("AKIAIOSFODNN7EXAMPLE", "ana"));
    let expected = [("AIP-REF-001", "cat"), ("AIP-REF-001", "dog")];
    assert_eq!(found, expected.map(|(code, text)| (code.to_owned(), text.to_owned())));
    let found = underlined(text);
    assert_eq!(found, [("AIP-DAT-015".to_owned(), "AKIAIOSFODNN7EXAMPLE".to_owned())]);
}

#[test]
fn pages_say_what_why_and_what_to_do() {
    for rule in rule::RULES {
        let parts = ["## Why", "## What to do"];
        assert!(parts.iter().all(|part| rule.page.contains(part)), "{}", rule.name);
        assert!(rule.page.starts_with(&format!("# {}\n", rule.name)), "{}", rule.name);
        let is_language = rule.family == Family::Input && !ELSEWHERE.contains(&rule.code);
        let shows = ["## Refused", "## Accepted"].iter().all(|part| rule.page.contains(part));
        assert!(shows || !is_language, "{} shows no refused and accepted example", rule.name);
    }
}

/// The files of the example under a heading of a page.
fn example(page: &str, heading: &str) -> Vec<(String, String)> {
    let lines: Vec<&str> = page.lines().collect();
    let at = lines.iter().position(|line| *line == heading).unwrap();
    let found = fences(&lines).into_iter().filter(|fence| fence.heading == at);
    let name = |fence: &Fence| match fence.file() {
        Some(file) => file.to_owned(),
        None => format!("example.{}", fence.language()),
    };
    found.map(|fence| (name(&fence), fence.content(&lines).join("\n") + "\n")).collect()
}

#[test]
fn examples_of_pages_are_refused_by_their_own_rule_and_accepted() {
    for rule in rule::RULES.iter().filter(|rule| rule.page.contains("## Refused")) {
        let codes = |heading| findings(&example(rule.page, heading)).into_iter().map(|found| found.code);
        let refused: BTreeSet<_> = codes("## Refused").collect();
        assert_eq!(refused, BTreeSet::from([rule.code.to_owned()]), "{}", rule.name);
        assert_eq!(codes("## Accepted").collect::<Vec<_>>(), [""; 0], "{}", rule.name);
    }
}
