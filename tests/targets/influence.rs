//! What `where` lists for a line is everything that another word on that line would change.

use std::collections::BTreeMap;

use aipolicy_targets::artifact::Artifact;
use aipolicy_targets::influence::shaped_by;

use crate::harness::workspace::Built;
use crate::harness::{files_below, read, root};

/// Another word for a word, where both mean something in most places.
const OTHER: &[(&str, &str)] = &[
    ("access: read", "access: write"),
    ("egress: none", "egress: internal"),
    ("enabled: true", "enabled: false"),
    ("input: untrusted", "input: trusted"),
    ("connector: invoices", "connector: statements"),
    ("model: claude-haiku", "model: claude-sonnet"),
    ("[confidential, personal]", "[personal]"),
    ("oneOf: [EUR]", "oneOf: [EUR, USD]"),
    ("qualifier: live", "qualifier: next"),
    ("Refunds a payment", "Pays back a payment"),
];

/// Every file of the example, as a workspace has them.
fn files() -> Vec<(String, String)> {
    let folder = root().join("examples/acme");
    let names = files_below(&folder).into_iter().filter(|name| !name.starts_with("expected/"));
    names.map(|name| (name.clone(), read(&folder.join(&name)))).collect()
}

/// The line with another word or number on it.
fn changed(line: &str) -> Option<String> {
    if let Some((word, other)) = OTHER.iter().find(|(word, _)| line.contains(word)) {
        return Some(line.replacen(word, other, 1));
    }
    let start = line.find(|letter: char| letter.is_ascii_digit())?;
    let digits: String = line[start..].chars().take_while(char::is_ascii_digit).collect();
    let next = digits.parse::<u64>().ok()?.checked_add(1)?;
    Some(format!("{}{next}{}", &line[..start], &line[start + digits.len()..]))
}

fn documents(built: &Built) -> BTreeMap<String, &Artifact> {
    let environments = built.artifacts.iter();
    let all = environments.flat_map(|(name, artifacts)| artifacts.iter().map(move |one| (name, one)));
    all.map(|(name, one)| (format!("{name}/{}", one.document.address), one)).collect()
}

/// The addresses that are listed for a line.
fn listed(built: &Built, file: &str, line: usize) -> Vec<String> {
    let sources = &built.sources;
    let source = sources.find(file).unwrap();
    let mut all = Vec::new();
    for (environment, artifacts) in &built.artifacts {
        let direct = artifacts.iter().filter(|artifact| {
            let on_line =
                |span| (sources.position(span).line..=sources.end_position(span).line).contains(&line);
            artifact.trace.origins().iter().any(|origin| origin.span.source == source && on_line(origin.span))
        });
        let shaped = shaped_by(artifacts, (sources, built.compilation.graph.bundle()), (source, line));
        all.extend(direct.chain(shaped).map(|one| format!("{environment}/{}", one.document.address)));
    }
    all
}

#[test]
fn whatever_another_word_would_change_is_listed() {
    let every = std::env::var("AIPOLICY_CASES").map_or(5, |_| 1);
    let files = files();
    let before = Built::new(&files);
    let was = documents(&before);
    let mut candidates = Vec::new();
    for (at, (file, text)) in
        files.iter().enumerate().filter(|(_, (file, _))| file.starts_with("tenants/payments/"))
    {
        let lines = text.lines().enumerate();
        candidates.extend(lines.filter_map(|(line, found)| Some((at, file, line, changed(found)?))));
    }
    let (mut compiled, mut missing) = (0, Vec::new());
    for (at, file, line, other) in candidates.into_iter().step_by(every) {
        let mut files = files.clone();
        let lines = files[at].1.lines().enumerate();
        files[at].1 = lines
            .map(|(found, text)| if found == line { format!("{other}\n") } else { format!("{text}\n") })
            .collect();
        let after = Built::new(&files);
        let is = documents(&after);
        let environments =
            |built: &Built| built.artifacts.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        if environments(&before) != environments(&after) {
            continue;
        }
        compiled += 1;
        let known = [listed(&before, file, line + 1), listed(&after, file, line + 1)].concat();
        let differs = |address: &&String| {
            let text =
                |all: &BTreeMap<String, &Artifact>| all.get(*address).map(|one| one.document.text.clone());
            text(&was) != text(&is)
        };
        let all = was.keys().chain(is.keys().filter(|address| !was.contains_key(*address)));
        let unlisted = all.filter(differs).filter(|address| !known.contains(address));
        missing.extend(unlisted.map(|address| format!("{file}:{}: {address}", line + 1)));
    }
    assert!(compiled >= 10, "{compiled} changes compiled");
    assert_eq!(missing, Vec::<String>::new(), "of {compiled} changes");
}
