//! What the README of an example shows is what the commands say.

use std::path::Path;

use super::aipolicy;
use crate::harness::{files_below, read, root};

/// A command of a `console` block with the lines that are shown below it.
struct Shown {
    command: String,
    lines: Vec<String>,
}

fn shown(text: &str) -> Vec<Shown> {
    let mut found: Vec<Shown> = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        if let Some(fence) = line.strip_prefix("```") {
            inside = fence == "console";
        } else if let Some(command) = line.strip_prefix("$ ").filter(|_| inside) {
            found.push(Shown { command: command.to_owned(), lines: Vec::new() });
        } else if let Some(last) = found.last_mut().filter(|_| inside) {
            last.lines.push(line.to_owned());
        }
    }
    found
}

/// The examples, at their place in a folder of their own.
fn copy(place: &Path) {
    for file in
        files_below(&root().join("examples/acme")).iter().filter(|file| !file.starts_with("expected/"))
    {
        let to = place.join("examples/acme").join(file);
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(root().join("examples/acme").join(file), to).unwrap();
    }
}

#[test]
fn acme_shows_what_its_commands_say() {
    let place = tempfile::tempdir().unwrap();
    copy(place.path());
    let mut compared = 0;
    for shown in shown(&read(&root().join("examples/acme/README.md"))) {
        if shown.lines.is_empty() {
            continue;
        }
        let words: Vec<_> = shown.command.split_whitespace().collect();
        assert_eq!(words.first(), Some(&"aipolicy"), "{}", shown.command);
        let said = aipolicy(place.path(), &words[1..]).expect(0);
        let mut rest = said.as_str();
        for line in &shown.lines {
            let found = rest.find(line.as_str());
            let found = found.unwrap_or_else(|| {
                panic!("`{}` does not go on with\n{line}\nbut says\n{said}", shown.command)
            });
            rest = &rest[found + line.len()..];
            compared += 1;
        }
    }
    assert!(compared >= 15, "{compared} lines");
}
