//! The page of every check shows what it reports and what it does not, and both are true.

use std::collections::BTreeSet;

use aipolicy_compiler::check;

use crate::harness::cases::{check_folder, files_of};
use crate::harness::compile::findings;
use crate::harness::workspace::Built;
use crate::targets::workspace;

#[test]
fn every_page_has_the_findings_that_it_notes() {
    check_folder("compiler/src/check", &findings);
}

#[test]
fn what_is_reported_has_the_code_of_the_check_and_what_is_not_has_none() {
    for check in check::all() {
        let rule = check.rule;
        assert!(rule.page.starts_with(&format!("# {} ({})\n", rule.name, rule.code)), "{}", rule.name);
        let (mut reported, mut accepted) = (0, 0);
        for (title, files) in files_of(rule.page) {
            let found = findings(&files);
            let codes: BTreeSet<_> = found.iter().map(|one| one.code.as_str()).collect();
            let not = title.starts_with("What is not");
            assert!(not || title.starts_with("What is reported"), "{}: {title}", rule.name);
            let expected = if not { BTreeSet::new() } else { BTreeSet::from([rule.code]) };
            assert_eq!(codes, expected, "{}: {title}: {found:#?}", rule.name);
            (reported, accepted) = (reported + usize::from(!not), accepted + usize::from(not));
        }
        assert!(reported > 0 && accepted > 0, "{}", rule.name);
    }
}

/// A workspace that breaks these rules, in two environments that give one of them these words and have the others off.
/// Everything is in the first environment; the agent is in the second one too.
fn broken(code: &str, words: [&str; 2]) -> Built {
    let environment = |word: &str| {
        let word_of = |rule: &str| if rule == code { word } else { "off" };
        let rules = ["AIP-AGT-001", "AIP-RTE-002", "AIP-RTE-015"].map(|rule| (rule, word_of(rule)));
        let said = rules.iter().filter(|(_, word)| !word.is_empty());
        let said: Vec<_> = said.map(|(rule, word)| format!("{rule}: {word}")).collect();
        let account = "aws: { accountId: \"111122223333\", regions: [eu-central-1] }";
        format!("{account}, severity: {{ {} }}", said.join(", "))
    };
    let route = |next: &str| {
        format!(
            "gateway: edge, match: {{ tenants: [t] }}, dataClass: internal, primary: [{{ model: m }}], \
             fallback: [{{ route: {next}, on: [throttled, unavailable, timeout] }}]"
        )
    };
    let tool = "tools: [{ name: x, connector: f, access: write }]";
    Built::of(workspace(&[
        ("Environment", "one", &environment(words[0])),
        ("Environment", "two", &environment(words[1])),
        (
            "Tenant",
            "t",
            "owner: a@acme.example, environments: [one, two], clearance: [internal], models: [m]",
        ),
        ("Model", "m", "provider: bedrock, modelId: openai.gpt-oss-20b-1:0"),
        ("Gateway", "edge", "dialect: litellm, environment: one, region: eu-central-1"),
        ("Connector", "f", "dynamoDb: { table: f }, region: eu-central-1, dataClass: internal"),
        ("Agent", "a", &format!("tenant: t, model: {{ model: m }}, {tool}")),
        ("Route", "here", &route("there")),
        ("Route", "there", &route("here")),
    ]))
}

#[test]
fn a_finding_matters_as_much_as_the_strictest_environment_that_it_concerns_says() {
    let cases: &[(&str, [&str; 2], &[&str])] = &[
        ("AIP-AGT-001", ["", ""], &["error"]),
        ("AIP-AGT-001", ["advisory", ""], &["error"]),
        ("AIP-AGT-001", ["", "note"], &["error"]),
        ("AIP-AGT-001", ["advisory", "advisory"], &["warning"]),
        ("AIP-AGT-001", ["note", "advisory"], &["warning"]),
        ("AIP-AGT-001", ["off", "note"], &["note"]),
        ("AIP-AGT-001", ["off", "off"], &[]),
        ("AIP-RTE-015", ["", "off"], &["error", "error"]),
        ("AIP-RTE-015", ["advisory", ""], &["warning", "warning"]),
        ("AIP-RTE-015", ["off", "mandatory"], &[]),
        ("AIP-RTE-002", ["", "off"], &["error"]),
        // Routes that go round are compiled once round, and no further.
        ("AIP-RTE-002", ["advisory", ""], &["warning"]),
        ("AIP-RTE-002", ["off", "mandatory"], &[]),
    ];
    for (code, words, expected) in cases {
        let built = broken(code, *words);
        let found = built.findings();
        let severities: Vec<_> =
            found.iter().filter(|one| one.code == *code).map(|one| one.severity.as_str()).collect();
        assert_eq!(severities, *expected, "{code} {words:?}: {found:#?}");
        assert_eq!(built.artifacts.is_empty(), expected.contains(&"error"), "{code} {words:?}: {found:#?}");
    }
}

#[test]
fn routes_in_a_circle_have_each_route_once() {
    let built = broken("AIP-RTE-002", ["off", "off"]);
    let table = built.json("gateway/RoutingTable/edge");
    for route in table["routes"].as_array().unwrap() {
        let order: Vec<_> = route["targets"].as_array().unwrap().iter().map(|one| &one["priority"]).collect();
        assert_eq!(order, [0, 1], "{route}");
    }
}
