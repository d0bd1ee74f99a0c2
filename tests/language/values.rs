//! Scalars: the reader accepts exactly the texts that match the pattern of their schema.

use aipolicy_compiler::model::{KindName, kind_schema};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use regex::Regex;
use serde_json::{Value, json};

use super::is_refused;
use crate::harness::tries;

/// A type with the kind and the rest of a document that has such a field in the place of `@`.
const TYPES: &[(&str, KindName, &str)] = &[
    ("Name", KindName::Group, "metadata: { name: @ }, spec: {}"),
    ("TenantRef", KindName::Agent, "spec: { tenant: @, model: { model: m } }"),
    (
        "Duration",
        KindName::DataStore,
        "spec: { cache: { name: c }, region: eu-central-1, holds: internal, retention: @ }",
    ),
    ("Tokens", KindName::Model, "spec: { provider: bedrock, modelId: m, limits: { context: @ } }"),
    ("Rate", KindName::Model, "spec: { provider: bedrock, modelId: m, quota: { tokens: @ } }"),
    ("Price", KindName::Model, "spec: { provider: bedrock, modelId: m, price: { input: @ } }"),
    (
        "Date",
        KindName::Model,
        "spec: { provider: bedrock, modelId: m, lifecycle: { status: active, endOfLife: @ } }",
    ),
    ("Arn", KindName::Model, "spec: { provider: bedrock, modelId: m, inference: { provisioned: @ } }"),
    ("CountPer", KindName::Agent, "spec: { tenant: t, model: { model: m }, limits: { sessions: @ } }"),
    ("Percent", KindName::Drill, "spec: { fail: [{ throttle: @ }], assert: {} }"),
    ("Change", KindName::Drill, "spec: { fail: [{ price: @ }], assert: {} }"),
    ("PercentBound", KindName::Drill, "spec: { assert: { served: @ } }"),
    ("DurationBound", KindName::Drill, "spec: { assert: { p99: @ } }"),
    ("MoneyBound", KindName::Drill, "spec: { assert: { spend: @ } }"),
    (
        "TokensBound",
        KindName::ModelTest,
        "spec: { model: m, send: { file: f }, expect: { outputTokens: @ } }",
    ),
    ("RelativePath", KindName::ModelTest, "spec: { model: m, send: { file: @ }, expect: {} }"),
    (
        "Growth",
        KindName::TrafficProfile,
        "spec: { route: r, requests: { mean: 1 requests/s, growth: @ }, tokens: { input: { p50: 1 }, output: { p50: 1 } } }",
    ),
    ("Bytes", KindName::Workload, "spec: { tenant: t, platform: lambda, resources: { memory: @ } }"),
    ("Money", KindName::Budget, "spec: { scope: organisation, period: day, limit: USD 1, tolerance: @ }"),
    ("BudgetLimit", KindName::Budget, "spec: { scope: organisation, period: day, limit: @ }"),
    (
        "TimeOfDay",
        KindName::Environment,
        "spec: { aws: { accountId: \"111122223333\", regions: [] }, changeWindows: [{ days: [], from: @, to: \"01:00\" }] }",
    ),
    ("AccountId", KindName::Environment, "spec: { aws: { accountId: @, regions: [] } }"),
    (
        "AnyRef",
        KindName::Waiver,
        "spec: { rule: r, resources: [@], expires: 2027-03-31, owner: o, reason: r, ticket: t }",
    ),
];

/// One type, ready to be asked.
struct Asked {
    name: &'static str,
    patterns: Vec<String>,
    expressions: Vec<Regex>,
    refused: Option<Regex>,
    document: String,
}

impl Asked {
    fn new(name: &'static str, kind: KindName, rest: &str) -> Self {
        let schema = kind_schema(kind);
        let found = &schema["$defs"][name];
        let one = |found: &Value| found["pattern"].as_str().map(str::to_owned);
        let patterns: Vec<String> = match found["anyOf"].as_array() {
            Some(alternatives) => alternatives.iter().filter_map(one).collect(),
            None => one(found).into_iter().collect(),
        };
        assert!(!patterns.is_empty(), "{name} has no pattern: {found}");
        let metadata = if rest.starts_with("metadata") { "" } else { "metadata: { name: n }, " };
        Self {
            name,
            expressions: patterns.iter().map(|pattern| Regex::new(pattern).unwrap()).collect(),
            refused: found["not"]["pattern"].as_str().map(|pattern| Regex::new(pattern).unwrap()),
            document: format!("{{ apiVersion: aipolicy.dev/v1, kind: {kind}, {metadata}{rest} }}"),
            patterns,
        }
    }

    /// What the schema says of a text.
    fn describes(&self, text: &str) -> bool {
        let matches = self.expressions.iter().any(|expression| expression.is_match(text));
        let is_day = || text.parse::<jiff::civil::Date>().is_ok();
        matches
            && self.refused.as_ref().is_none_or(|refused| !refused.is_match(text))
            && (self.name != "Date" || is_day())
    }

    fn agrees(&self, text: &str) {
        let document = self.document.replace('@', &json!(text).to_string());
        let (described, refused) = (self.describes(text), is_refused(&document));
        let reader = if refused { "refuses" } else { "accepts" };
        assert_ne!(
            described, refused,
            "{}: the reader {reader} {text:?}, and its pattern does not",
            self.name
        );
    }
}

fn types() -> impl Iterator<Item = Asked> {
    TYPES.iter().map(|(name, kind, rest)| Asked::new(name, *kind, rest))
}

fn runner() -> TestRunner {
    let random = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    TestRunner::new_with_rng(Config::default(), random)
}

/// A text that a pattern describes, and what makes another one of it.
fn matching(pattern: &str, runner: &mut TestRunner) -> String {
    let bare = pattern.trim_start_matches('^').trim_end_matches('$');
    let strategy = proptest::string::string_regex(bare).unwrap();
    let is_seen = |letter: char| letter.is_ascii_graphic() || letter == ' ';
    let visible = strategy.prop_filter("it can be seen", move |text: &String| text.chars().all(is_seen));
    visible.new_tree(runner).unwrap().current()
}

/// Letters that a careless reader takes for others: digits of other scripts, a long s, a Kelvin sign.
const LETTERS: &str = "0159 .:-/%+<>=_kMGsdh\u{663}\u{ff11}\u{17f}\u{212a}\u{e9}\u{a0}AZaz*~\\";

fn mutated(text: &str, runner: &mut TestRunner) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    for _ in 0..=runner.rng().random_range(0..2) {
        let at = runner.rng().random_range(0..=letters.len());
        let letter = LETTERS.chars().nth(runner.rng().random_range(0..LETTERS.chars().count())).unwrap();
        match runner.rng().random_range(0..4) {
            0 => letters.insert(at, letter),
            1 if at < letters.len() => letters[at] = letter,
            2 if at < letters.len() => _ = letters.remove(at),
            _ if at < letters.len() => letters.insert(at, letters[at]),
            _ => {}
        }
    }
    letters.into_iter().collect()
}

#[test]
fn texts_that_match_are_accepted_and_their_mutants_iff_they_match() {
    let mut runner = runner();
    let (mut tried, mut still_match) = (0, 0);
    for asked in types() {
        for turn in 0..tries(150) {
            let text = matching(&asked.patterns[turn % asked.patterns.len()], &mut runner);
            asked.agrees(&text);
            let mutant = mutated(&text, &mut runner);
            asked.agrees(&mutant);
            tried += 2;
            still_match += usize::from(asked.describes(&mutant));
        }
    }
    println!("{tried} texts, of which {still_match} mutants still match");
    assert!(still_match > tried / 20 && still_match < tried / 2, "{still_match} of {tried}");
}

#[test]
fn texts_at_the_edges_agree() {
    let edges = [
        "",
        " ",
        "0",
        "-0",
        "00",
        "1",
        "-1",
        "1.",
        ".5",
        "1e3",
        "0x1",
        "0%",
        "00%",
        "100%",
        "100.00%",
        "100.01%",
        "0.001%",
        "99.999%",
        "0s",
        "01s",
        "999999999d",
        "1000000000d",
        "1 s",
        "1S",
        "1k",
        "0k",
        "0.5k",
        "1.5k",
        "1.5",
        "999999999999",
        "1000000000000",
        "999999999.999G",
        "1k tokens",
        "0 tokens",
        "USD 0",
        "USD 0.0",
        "USD 00",
        "USD 999999999999.999999",
        "USD 1000000000000",
        "USD 1.",
        "USD .5",
        "usd 1",
        "USD\u{a0}1",
        "USD 1.0000001",
        "24:00",
        "23:59",
        "00:60",
        "2027-02-28",
        "2027-02-29",
        "2028-02-29",
        "0000-01-01",
        "2027-13-01",
        "2027-00-10",
        "2027-01-32",
        "+002027-01-01",
        "2027-01-01T00:00",
        "a/b",
        "../a",
        "a/..",
        "a/./b",
        "...",
        "a..b",
        ".",
        "~",
        "a~",
        "/a",
        "a/",
        "a//b",
        "C:a",
        "a\\b",
        "Route/a",
        "Route/",
        "/a",
        "Route/a/b",
        "Agent/-a",
        "a-",
        "-a",
        "a",
        "1 per day",
        "1 per week",
        "1tokens/min",
        "1 tokens/minute",
        "+50%",
        "-100%",
        "+-5%",
        "\u{2212}5%",
        "1Mi",
        "0Mi",
        "999999Gi",
        "1000000Mi",
        "1MiB",
        "<= 1",
        "<=1",
        "< 1",
        ">= 1%",
        "<= 1s",
        ">= USD 1",
        "<= >= 1",
    ];
    let long =
        ["a".repeat(63), "a".repeat(64), "1".repeat(40), format!("{}%", "9".repeat(30)), "9".repeat(400)];
    for asked in types() {
        edges.iter().for_each(|text| asked.agrees(text));
        long.iter().for_each(|text| asked.agrees(text));
    }
}
