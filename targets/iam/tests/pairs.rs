//! Pairs of policies as people write them: how the second relates to the first is said beside each, and must be proven.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking, and prints figures for whoever asks with `--nocapture`"
)]

use std::collections::BTreeMap;
use std::path::Path;

use aipolicy_iam::{Change, Comparison, Document, Policies, Relation, Request, compare, read};
use serde_json::{Value, json};

/// Of all pairs, so many of a hundred may be without proof.
const NOT_PROVEN: usize = 5;

/// Two sets of policies, and what is said of them.
struct Pair {
    /// The file and the headings.
    name: String,
    before: Vec<Layered>,
    after: Vec<Layered>,
    expected: Expected,
}

/// What a pair says of itself.
#[derive(Clone, Default)]
struct Expected {
    relation: String,
    /// Which differences are of actions and resources that nobody knows.
    unknown: Vec<&'static str>,
    /// Why it cannot be proven.
    reason: String,
}

/// A policy and where it belongs.
#[derive(Clone)]
struct Layered {
    layer: String,
    document: Document,
}

/// Reads one file: a `##` heading begins with the policies `before`, and of `both` sides; each `###` heading below it
/// has those `after`.
#[derive(Default)]
struct Reader {
    file: String,
    base: String,
    edit: String,
    both: Vec<Layered>,
    before: Vec<Layered>,
    after: Vec<Layered>,
    expected: Expected,
    pairs: Vec<Pair>,
}

impl Reader {
    fn read(mut self, text: &str) -> Vec<Pair> {
        let mut fence: Option<(Vec<String>, String)> = None;
        for line in text.lines() {
            match (&mut fence, line) {
                (Some((words, body)), "```") => {
                    let (words, body) = (std::mem::take(words), std::mem::take(body));
                    self.policy(&words, &body);
                    fence = None;
                }
                (Some((_, body)), line) => body.push_str(line),
                (None, line) => {
                    if let Some(words) = line.strip_prefix("```json ") {
                        fence = Some((words.split(' ').map(str::to_owned).collect(), String::new()));
                    } else {
                        self.line(line);
                    }
                }
            }
        }
        self.finish();
        self.pairs
    }

    fn line(&mut self, line: &str) {
        if let Some(heading) = line.strip_prefix("## ") {
            self.finish();
            heading.clone_into(&mut self.base);
            self.both.clear();
            self.before.clear();
        } else if let Some(heading) = line.strip_prefix("### ") {
            self.finish();
            heading.clone_into(&mut self.edit);
        } else if let Some(item) = line.strip_prefix("- ") {
            let (what, said) = item.split_once(": ").unwrap_or_else(|| panic!("{}: {line}", self.file));
            match what {
                "expect" => said.clone_into(&mut self.expected.relation),
                "known" => {
                    self.expected.unknown = match said {
                        "no" => vec!["gained", "lost"],
                        "gained" => vec!["lost"],
                        "lost" => vec!["gained"],
                        other => panic!("{}: {other}", self.file),
                    }
                }
                "because" => said.clone_into(&mut self.expected.reason),
                "truth" => {}
                other => panic!("{}: {other}", self.file),
            }
        }
    }

    fn policy(&mut self, words: &[String], body: &str) {
        let document = document(body, &format!("{}: {}: {}", self.file, self.base, self.edit));
        let of_resource = document.statements.iter().any(|statement| statement.principal.is_some());
        let usual = if of_resource { "resource" } else { "identity" };
        let layer = words.get(1).map_or(usual, String::as_str).to_owned();
        let layered = Layered { layer, document };
        match words[0].as_str() {
            "before" => self.before.push(layered),
            "after" => self.after.push(layered),
            "both" => self.both.push(layered),
            other => panic!("{}: {other}", self.file),
        }
    }

    fn finish(&mut self) {
        if self.edit.is_empty() {
            return;
        }
        let name = format!("{}: {}: {}", self.file, self.base, std::mem::take(&mut self.edit));
        let after = std::mem::take(&mut self.after);
        assert!(!self.before.is_empty() && !after.is_empty(), "{name}");
        self.pairs.push(Pair {
            name,
            before: [self.both.clone(), self.before.clone()].concat(),
            after: [self.both.clone(), after].concat(),
            expected: std::mem::take(&mut self.expected),
        });
    }
}

/// A policy. Statements alone are of the present version.
fn document(body: &str, name: &str) -> Document {
    let json: Value = serde_json::from_str(body).unwrap_or_else(|error| panic!("{name}: {error}: {body}"));
    let whole = json.get("Statement").is_some();
    let json = if whole { json } else { json!({"Version": "2012-10-17", "Statement": json}) };
    read(&json.to_string()).unwrap_or_else(|errors| panic!("{name}: {errors:?}"))
}

fn policies(layers: &[Layered]) -> Policies {
    layers.iter().fold(Policies::default(), |all, Layered { layer, document }| match layer.as_str() {
        "identity" => all.identity("policy", document),
        "boundary" => all.boundary("boundary", document),
        "session" => all.session("session", document),
        "resource" => all.resource("resource", document),
        "scp" => all.service_control([("scp", document)]),
        other => panic!("{other} is no layer"),
    })
}

/// Whether the policies allow a request; those of a resource, whatever the policies of its caller say.
fn allows(layers: &[Layered], request: &Request) -> bool {
    let policies = policies(layers);
    if layers.iter().any(|one| one.layer == "resource") {
        return policies.resource_allows(request);
    }
    policies.decide(request).is_allowed()
}

fn pairs() -> Vec<Pair> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pairs");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let is_theme = |path: &&std::path::PathBuf| path.file_name().is_some_and(|name| name != "README.md");
    let read = |path: &std::path::PathBuf| {
        let file = path.file_stem().unwrap().to_str().unwrap().to_owned();
        Reader { file, ..Reader::default() }.read(&std::fs::read_to_string(path).unwrap())
    };
    files.iter().filter(is_theme).flat_map(read).collect()
}

/// What is wrong with the comparison of a pair.
fn problems(pair: &Pair, compared: &Comparison) -> Vec<String> {
    let mut problems = Vec::new();
    let relation = compared.relation().to_string();
    if relation != pair.expected.relation {
        problems.push(format!("is {relation} and should be {}", pair.expected.relation));
    }
    let sides = [
        ("gained", &compared.gained, [&pair.after, &pair.before]),
        ("lost", &compared.lost, [&pair.before, &pair.after]),
    ];
    for (side, change, [mine, other]) in sides {
        match change {
            Change::Nothing => {}
            Change::NotProven(reasons) => {
                let reason = &pair.expected.reason;
                if reason.is_empty() || !reasons.iter().any(|one| one.contains(reason)) {
                    problems.push(format!("is not proven because {reasons:?}"));
                }
            }
            Change::Shown(differences) => {
                for one in differences {
                    let witness = serde_json::to_string(&one.witness).unwrap();
                    if !allows(mine, &one.witness) || allows(other, &one.witness) {
                        problems.push(format!("has a witness that does not show it: {witness}"));
                    }
                    if one.known == pair.expected.unknown.contains(&side) {
                        problems.push(format!("has a witness that is known: {}: {witness}", one.known));
                    }
                }
            }
        }
    }
    problems
}

fn print(pair: &Pair, compared: &Comparison) {
    println!("{}: {}", pair.name, compared.relation());
    for (sign, change) in [('+', &compared.gained), ('-', &compared.lost)] {
        match change {
            Change::Nothing => {}
            Change::Shown(differences) => {
                for one in differences {
                    println!("  {sign} {}", serde_json::to_string(&one.witness).unwrap());
                }
            }
            Change::NotProven(reasons) => println!("  {sign} ? {}", reasons.join("; ")),
        }
    }
}

#[test]
fn pairs_relate_as_is_said_of_them() {
    let mut counts = BTreeMap::<String, usize>::new();
    let mut wrong = Vec::new();
    let pairs = pairs();
    for pair in &pairs {
        let compared = compare(&policies(&pair.before), &policies(&pair.after));
        print(pair, &compared);
        *counts.entry(compared.relation().to_string()).or_default() += 1;
        wrong.extend(problems(pair, &compared).iter().map(|problem| format!("{} {problem}", pair.name)));
    }
    let not_proven = counts.get(&Relation::NotProven.to_string()).copied().unwrap_or_default();
    let permille = not_proven * 1000 / pairs.len();
    println!("{} pairs: {counts:?}", pairs.len());
    println!("not proven: {not_proven} of {}, {}.{} %", pairs.len(), permille / 10, permille % 10);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(pairs.len() >= 200, "{}", pairs.len());
    assert!(permille <= NOT_PROVEN * 10, "{not_proven} of {} are not proven", pairs.len());
}
