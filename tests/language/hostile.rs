//! Hostile input: nothing panics, nothing takes long, and whatever cannot be meant is an error.

use std::time::{Duration, Instant};

use aipolicy_compiler::diagnostic::Diagnostics;
use aipolicy_compiler::source::{SourceKind, SourceMap};
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng};

use super::{example_files, reading};
use crate::harness::compile::{Compiled, compile, findings, with_workspace};
use crate::harness::tries;

const HEAD: &str = "apiVersion: aipolicy.dev/v1\nkind: Group\nmetadata: { name: hostile }\n";

/// Runs a test on a stack of the size that programs have, so that what overflows there overflows here.
fn on_a_stack(test: fn()) {
    let thread = std::thread::Builder::new().stack_size(16 << 20).spawn(test).unwrap();
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}

/// What mutations splice into files.
const SNIPPETS: &[&str] = &[
    "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
    "{a: {a: {a: {a: {a: {a: {a: {a: {a: {a: {a: {a: {a: {a: {a: {a: {a: {a: ",
    "\n---\n",
    "\n...\n",
    "&a [*a, *a]",
    "<<: *a",
    "!!binary aGk=",
    "%YAML 9.9\n---\n",
    "%TAG ! tag:x,2000:\n---\n",
    "? ",
    ": ",
    "- - - - - - - - - - - - - - - - - - - - ",
    "|\n",
    ">-9\n",
    "\"\\u202e\\ud800\\x00",
    "'",
    "\"",
    "# ",
    "\t",
    "\r",
    "\u{feff}",
    "\u{0}",
    "\u{1b}[2J",
    "\u{202e}",
    "\u{10ffff}",
    "99999999999999999999999999999999999999999999",
    "-9223372036854775809",
    "1e99999",
    "0x",
    "~",
    "null",
    "2027-02-30",
    "USD 99999999999999999999",
    "100.001%",
    "Route/",
    "../../../etc/passwd",
    "AKIAIOSFODNN7EXAMPLE",
    "arn:aws:::::",
    "spec:",
    "kind: Workspace\n",
    "fallback: [{ route: chat, on: [] }]\n",
];

fn mutate(text: &str, random: &mut TestRng) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for _ in 0..random.random_range(1..5) {
        let at = random.random_range(0..=bytes.len());
        let lines: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at] == b'\n').collect();
        match random.random_range(0..7) {
            0 if at < bytes.len() => bytes[at] ^= 1 << random.random_range(0..8),
            1 => bytes.truncate(at),
            2 | 3 if lines.len() > 2 => {
                let first = random.random_range(0..lines.len() - 1);
                let line = bytes[lines[first]..lines[first + 1]].to_vec();
                match random.random_bool(0.5) {
                    true => _ = bytes.splice(lines[first]..lines[first + 1], []).count(),
                    false => _ = bytes.splice(lines[first]..lines[first], line).count(),
                }
            }
            4 => {
                let end = (at + random.random_range(0..40)).min(bytes.len());
                let part = bytes[at..end].to_vec();
                let to = random.random_range(0..=bytes.len());
                bytes.splice(to..to, part);
            }
            _ => {
                let snippet = SNIPPETS[random.random_range(0..SNIPPETS.len())];
                bytes.splice(at..at, snippet.bytes());
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn random(seed: u8) -> TestRng {
    TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32])
}

/// Every finding lies inside its text, on borders of characters.
#[track_caller]
fn is_well_placed(sources: &SourceMap, found: &Diagnostics) {
    for one in found {
        for span in one.related.iter().map(|label| label.span).chain([one.primary.span]) {
            let text = sources.get(span.source).text();
            assert!(text.get(span.start as usize..span.end as usize).is_some(), "{one:?}");
        }
    }
}

#[test]
fn mutated_files_are_read_without_panic() {
    on_a_stack(|| {
        let files = example_files(&[".yaml"]);
        let mut random = random(11);
        let mut refused = 0;
        for turn in 0..tries(300) {
            let text = mutate(&files[turn % files.len()].1, &mut random);
            let mut sources = SourceMap::new();
            sources.add("case.yaml", text, SourceKind::Resources);
            let mut out = Diagnostics::default();
            aipolicy_compiler::read(&sources, &mut out);
            is_well_placed(&sources, &out);
            refused += usize::from(out.has_errors());
        }
        println!("{refused} of {} mutated files are refused", tries(300));
        assert!(refused > 200);
    });
}

#[test]
fn mutated_workspaces_are_compiled_without_panic() {
    on_a_stack(|| {
        let mut files = example_files(&[".yaml", ".cedar", ".md", ".json"]);
        files.retain(|(path, _)| path.starts_with("examples/acme/"));
        let mut random = random(12);
        for _ in 0..tries(300) / 30 {
            let mut mutated = files.clone();
            for _ in 0..3 {
                let at = random.random_range(0..mutated.len());
                mutated[at].1 = mutate(&mutated[at].1, &mut random);
            }
            let Compiled { sources, diagnostics, .. } = compile(&mutated);
            is_well_placed(&sources, &diagnostics);
        }
    });
}

/// Reads a text, and expects exactly one finding, with this code.
#[track_caller]
fn refused(text: &str, code: &str) {
    let start = Instant::now();
    let found = reading(text);
    let codes: Vec<_> = found.iter().map(|one| one.code.as_ref()).collect();
    assert_eq!(codes, [code], "{:?}", found.iter().map(|one| &one.message).take(3).collect::<Vec<_>>());
    assert!(start.elapsed() < Duration::from_secs(20), "{code} took {:?}", start.elapsed());
}

#[test]
fn towers_are_refused_by_name() {
    on_a_stack(|| {
        for levels in [70, 20_000] {
            refused(&format!("{HEAD}spec: {{ members: {}", "[".repeat(levels)), "AIP-YML-002");
            refused(&format!("{HEAD}spec: {}{}", "[".repeat(levels), "]".repeat(levels)), "AIP-YML-002");
            refused(&format!("{HEAD}spec: {}", "{a: ".repeat(levels)), "AIP-YML-002");
            refused(&format!("{HEAD}spec:\n{}x", "- ".repeat(levels)), "AIP-YML-002");
            refused(&"? ".repeat(levels), "AIP-YML-002");
        }
        let stairs: String = (1..2_000).map(|level| format!("{}a:\n", " ".repeat(level))).collect();
        refused(&format!("{HEAD}spec:\n{stairs}"), "AIP-YML-002");
    });
}

#[test]
fn a_bomb_of_aliases_is_refused_anchor_by_anchor() {
    let mut text = format!("{HEAD}spec:\n  a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..20 {
        let below = vec![format!("*a{}", level - 1); 9].join(", ");
        text.push_str(&format!("  a{level}: &a{level} [{below}]\n"));
    }
    let found = reading(&text);
    assert_eq!(found.len(), 20 + 19 * 9);
    assert!(found.iter().all(|one| one.code == "AIP-YML-003"));
}

#[test]
fn long_texts_are_refused_by_size() {
    refused(&format!("{HEAD}spec: {{ members: [{}] }}\n", "x".repeat(17 << 20)), "AIP-YML-002");
    refused(&format!("{HEAD}spec: {{ members: [{}] }}\n", "x".repeat(2 << 20)), "AIP-YML-002");
    refused(&format!("{HEAD}spec: {{ members: [\"{}\"] }}\n", "\\x41".repeat(2 << 20)), "AIP-YML-002");
    refused(&format!("{HEAD}spec: {{ members: [{}] }}\n", "x".repeat(20_000)), "AIP-LNG-006");
    refused(&format!("{HEAD}spec: {{ members: [{}] }}\n", "x, ".repeat(250_000)), "AIP-YML-002");
}

#[test]
fn forms_of_nothing_are_nothing() {
    for text in
        ["", "\n", "\u{feff}", "# only\n# comments\n", "---\n", "---\n...\n---\n", "\r\n\r\n", "   \n"]
    {
        assert!(reading(text).is_empty(), "{text:?}");
        let file = ("aipolicy.yaml".to_owned(), text.to_owned());
        let found: Vec<_> = findings(&[file]).into_iter().map(|one| one.code).collect();
        assert_eq!(found, ["AIP-LNG-012"], "{text:?}");
    }
}

#[test]
fn a_mark_of_byte_order_and_other_ends_of_lines_change_nothing() {
    let text = format!("{HEAD}spec:\n  members:\n    - ana@acme.example\n  colour: red\n");
    for text in [text.clone(), format!("\u{feff}{text}"), text.replace('\n', "\r\n")] {
        let file = ("a.yaml".to_owned(), text);
        let compiled = compile(&with_workspace(&[file]));
        let places: Vec<_> = compiled
            .diagnostics
            .iter()
            .map(|one| {
                (compiled.sources.position(one.primary.span).line, compiled.sources.slice(one.primary.span))
            })
            .collect();
        assert_eq!(places, [(7, "colour")]);
    }
}

#[test]
fn many_documents_and_many_keys_take_a_time_that_grows_with_them() {
    let timed = |text: &str| {
        let start = Instant::now();
        let found = reading(text).len();
        (start.elapsed(), found)
    };
    let (took, found) = timed(&"---\nx\n".repeat(100_000));
    println!("100,000 documents: {took:?}");
    assert_eq!(found, 100_000);
    assert!(took < Duration::from_secs(60), "{took:?}");

    let labels: String = (0..90_000).map(|at| format!("    k{at}: v\n")).collect();
    let (took, found) = timed(
        &HEAD.replace("{ name: hostile }", &format!("\n  name: hostile\n  labels:\n{labels}spec: {{}}")),
    );
    println!("90,000 labels: {took:?}");
    assert_eq!(found, 0);
    assert!(took < Duration::from_secs(20), "{took:?}");

    let fields: String = (0..90_000).map(|at| format!("  k{at}: v\n")).collect();
    let (took, found) = timed(&format!("{HEAD}spec:\n{fields}"));
    println!("90,000 unknown fields: {took:?}");
    assert_eq!(found, 90_000);
    assert!(took < Duration::from_secs(60), "{took:?}");

    let twice: String = (0..90_000).map(|_| "  k: v\n").collect();
    let (took, found) = timed(&format!("{HEAD}spec:\n{twice}"));
    println!("90,000 of one key: {took:?}");
    assert_eq!(found, 89_999);
    assert!(took < Duration::from_secs(20), "{took:?}");
}

/// Findings on one long line have columns, and counting them must not take the square of its length.
#[test]
fn many_findings_on_one_line_are_placed_in_time() {
    let fields: String = (0..50_000).map(|at| format!("k{at}: v, ")).collect();
    let text = format!("{HEAD}spec: {{ {fields} }}\n");
    let start = Instant::now();
    let found = findings(&[("a.yaml".to_owned(), text)]);
    println!("50,000 findings on one line: {:?}", start.elapsed());
    assert_eq!(found.len(), 50_000);
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
}

fn policy(condition: &str) -> String {
    format!("@id(\"hostile\")\npermit (principal, action, resource)\nwhen {{ {condition} }};\n")
}

/// The codes that are found in a policy.
fn judged(text: &str) -> Vec<String> {
    let start = Instant::now();
    let file = ("hostile.cedar".to_owned(), text.to_owned());
    let found = findings(&[file]).into_iter().map(|one| one.code).collect();
    assert!(start.elapsed() < Duration::from_secs(60), "took {:?}", start.elapsed());
    found
}

#[test]
fn towers_of_cedar_are_refused_before_they_are_parsed() {
    on_a_stack(|| {
        let deep = 10_000;
        for condition in [
            format!("{}true{}", "(".repeat(deep), ")".repeat(deep)),
            format!("{}1{} == 1", "[".repeat(deep), "]".repeat(deep)),
            format!("{}1{} == 1", "{a: ".repeat(deep), "}".repeat(deep)),
            format!("{}true", "!".repeat(deep)),
            format!("{}1 == 1", "-".repeat(deep)),
            format!("{} true", "if true then false else ".repeat(deep)),
            format!("true{}", " && true".repeat(deep)),
            format!("true{}", " || true".repeat(deep)),
            format!("1{} == 1", " + 1".repeat(deep)),
            format!("1{} == 1", " * 1".repeat(deep)),
            format!("principal{} == 1", ".a".repeat(deep)),
            format!("principal{} == 1", "[\"a\"]".repeat(deep)),
            format!("principal{} == 1", ".a()".repeat(deep)),
            format!("{}true{}", "((\n// )\n".repeat(deep), "))".repeat(deep)),
        ] {
            assert_eq!(judged(&policy(&condition)), ["AIP-POL-003"], "{}", &condition[..40]);
        }
    });
}

#[test]
fn other_monsters_of_cedar_are_errors() {
    on_a_stack(|| {
        let opened = "(".repeat(60) + ";";
        for text in [
            opened.repeat(2_000),
            policy("\"never closed"),
            policy(&format!("principal{} == 1", "()".repeat(10_000))),
            "@id(\"a\")\n".repeat(10_000),
            "when ".repeat(10_000),
            "\u{202e}\u{0}".repeat(1_000),
            format!("permit(principal == {}A::\"a\", action, resource);", "A::".repeat(10_000)),
            "permit(principal, action, resource);".repeat(40_000),
            format!("// {}", "x".repeat(2 << 20)),
        ] {
            let found = judged(&text);
            assert!(!found.is_empty(), "{}", text.chars().take(40).collect::<String>());
        }
    });
}

/// What is within the bounds is evaluated, by threads whose stacks are small.
#[test]
fn the_largest_policies_that_are_read_can_be_evaluated() {
    on_a_stack(|| {
        let mut files = example_files(&[".yaml", ".cedar", ".md", ".json"]);
        files.retain(|(path, _)| path.starts_with("examples/acme/"));
        let sound = compile(&files).diagnostics.len();
        for condition in [
            format!("{}false{}", "(".repeat(60), ")".repeat(60)),
            format!("false{}", " || false".repeat(900)),
            format!("true{} && false", " && true".repeat(900)),
            format!("\"{}\" like \"{}b\"", "a".repeat(5_000), "*a".repeat(3_000)),
            format!("1{} == 0", " + 1".repeat(900)),
            format!("{}false", "!!".repeat(2)),
            format!("{}false", "if false then true else ".repeat(60)),
        ] {
            files.push(("hostile.cedar".to_owned(), policy(&condition).replace("permit", "forbid")));
            let found = compile(&files).diagnostics;
            let new: Vec<_> = found.iter().take(3).collect();
            assert_eq!(found.len(), sound, "{}: {new:?}", &condition[..20]);
            files.pop();
        }
    });
}

/// Circles of every kind of reference end.
#[test]
fn circles_of_references_end() {
    on_a_stack(|| {
        let document = |kind: &str, name: &str, spec: &str| {
            format!(
                "apiVersion: aipolicy.dev/v1\nkind: {kind}\nmetadata: {{ name: {name} }}\nspec: {spec}\n---\n"
            )
        };
        let mut text = document(
            "Environment",
            "prod",
            "{ aws: { accountId: \"111122223333\", regions: [eu-central-1] } }",
        );
        text += &document("Gateway", "edge", "{ dialect: envoy, environment: prod, region: eu-central-1 }");
        text += &document(
            "Tenant",
            "t",
            "{ owner: o, environments: [prod], clearance: [internal], models: [a, b] }",
        );
        for (one, other) in [("a", "b"), ("b", "a")] {
            let spec = format!(
                "{{ provider: bedrock, modelId: m, lifecycle: {{ status: legacy, successor: {other} }} }}"
            );
            text += &document("Model", one, &spec);
            let spec = format!(
                "{{ tenant: t, model: {{ model: a }}, collaborators: [{{ agent: {other} }}, {{ agent: {one} }}] }}"
            );
            text += &document("Agent", one, &spec);
            let spec = format!("{{ scope: organisation, parent: {other}, period: month, limit: USD 1 }}");
            text += &document("Budget", one, &spec);
            let spec = format!(
                "{{ knowledgeBase: {{ id: KB, sources: [{other}, {one}] }}, region: eu-central-1, dataClass: internal }}"
            );
            text += &document("Connector", one, &spec);
        }
        let far = 200;
        for at in 0..far {
            let spec = format!(
                "{{ gateway: edge, match: {{ tenants: [t] }}, dataClass: internal, fallback: [{{ route: r{}, on: [] }}, {{ route: r{at}, on: [] }}] }}",
                (at + 1) % far,
            );
            text += &document("Route", &format!("r{at}"), &spec);
        }
        let found = findings(&[("a.yaml".to_owned(), text)]);
        let circles = found.iter().filter(|one| one.code == "AIP-RTE-002").count();
        assert!(circles > 0, "{circles} circles");
    });
}

/// Cedar's validator is silent about a policy for which its stack is too small, so each must fit that is read.
#[test]
fn the_largest_policies_that_are_read_are_validated() {
    for condition in [
        format!("principal{} == 1", ".a".repeat(990)),
        format!("principal{} == 1", "[\"a\"]".repeat(990)),
        format!("principal.a{}", " && true".repeat(980)),
        format!("{}principal.a", "false || ".repeat(980)),
        format!("principal.a{} == 1", " + 1".repeat(980)),
        format!("{}1 == principal.a", "1 * ".repeat(980)),
        format!("{}principal.a{}", "(".repeat(60), ")".repeat(60)),
        format!("{}principal.a", "if principal.a then true else ".repeat(60)),
        format!("[{}principal.a].isEmpty()", "1, ".repeat(20_000)),
    ] {
        let found = judged(&policy(&condition));
        assert!(found.contains(&"AIP-POL-002".to_owned()), "{}: {found:?}", &condition[..30]);
    }
}
