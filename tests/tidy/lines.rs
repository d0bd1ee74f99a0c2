//! Rules about single lines and names of files: no leftovers, no machine, no vague names.

use super::{none_of, repository_files, text_of};

/// Names that say nothing; a file, folder or module that wants one wants another home.
const VAGUE: &[&str] = &["util", "utils", "helper", "helpers", "common", "misc", "manager", "managers"];

/// Words that mark unfinished work.
const LEFTOVERS: &[&str] =
    &[concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X"), concat!("HA", "CK")];

/// Attributes that silence something without being checked.
const SILENCERS: &[&str] = &[concat!("#[", "ignore"), concat!("#[", "allow("), concat!("#![", "allow(")];

/// Hosts that packages are fetched from, which belong into the machine's configuration.
const HOSTS: &[&str] = &[
    concat!("crates", ".io"),
    concat!("npmjs", ".org"),
    concat!("pypi", ".org"),
    concat!("proxy.golang", ".org"),
];

/// Folders of the machine that something was written on.
const FOLDERS: &[&str] = &[concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/")];

#[test]
fn names_are_telling() {
    let files = repository_files();
    let is_vague = |file: &&String| file.split(['/', '.']).any(|part| VAGUE.contains(&part));
    let found: Vec<String> = files.iter().filter(is_vague).cloned().collect();
    none_of("a file or folder is named for what it holds", &found);
}

#[test]
fn every_source_begins_with_a_sentence() {
    let files = repository_files().into_iter().filter(|file| file.ends_with(".rs"));
    let lacking = files.filter(|file| !begins_with_sentence(&text_of(file)));
    none_of(
        "a `.rs` file begins with a `//!` sentence that says what it holds",
        &lacking.collect::<Vec<_>>(),
    );
}

/// Tells whether the first paragraph is `//!` documentation that ends like a sentence.
fn begins_with_sentence(text: &str) -> bool {
    let paragraph = text.lines().map_while(|line| line.strip_prefix("//! ")).collect::<Vec<_>>().join(" ");
    let starts =
        paragraph.starts_with(|first: char| first.is_uppercase() || first.is_ascii_digit() || first == '`');
    starts && paragraph.trim_end().ends_with(['.', ':', '!'])
}

#[test]
fn nothing_is_left_over() {
    let is_prose_or_code = |file: &str| !file.ends_with(".json") && file != "Cargo.lock" && file != "LICENSE";
    let found = lines_where(is_prose_or_code, |line| {
        LEFTOVERS
            .iter()
            .any(|word| line.split(|letter: char| !letter.is_alphanumeric()).any(|part| part == *word))
    });
    none_of("unfinished work is not marked but finished", &found);
}

#[test]
fn nothing_is_silenced() {
    let is_silenced = |line: &str| SILENCERS.iter().any(|silencer| line.contains(silencer));
    let found = lines_where(|file| file.ends_with(".rs"), is_silenced);
    none_of("suppress with `#[expect(…, reason = \"…\")]`; a test runs or goes", &found);
}

#[test]
fn no_machine_is_named() {
    let found = lines_where(
        |file| file != "Cargo.lock",
        |line| {
            HOSTS.iter().any(|host| line.contains(host))
                || FOLDERS.iter().any(|folder| names_folder(line, folder))
        },
    );
    none_of("hosts of registries and folders of a machine stay out of the repository", &found);
}

/// Tells whether `line` has `folder` at the start of a path, rather than in one or in an address.
fn names_folder(line: &str, folder: &str) -> bool {
    line.match_indices(folder)
        .any(|(at, _)| !line[..at].ends_with(|last: char| last.is_alphanumeric() || "._-}>*".contains(last)))
}

/// Returns the lines of text files that match, with their places.
fn lines_where(is_read: impl Fn(&str) -> bool, is_found: impl Fn(&str) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    for file in repository_files().into_iter().filter(|file| is_read(file)) {
        let Ok(text) = String::from_utf8(std::fs::read(crate::harness::root().join(&file)).unwrap()) else {
            continue;
        };
        let lines = text.lines().enumerate().filter(|(_, line)| is_found(line));
        found.extend(lines.map(|(at, line)| format!("{file}:{}: {}", at + 1, line.trim())));
    }
    found
}

#[test]
fn sentences_and_folders_are_recognised() {
    assert!(begins_with_sentence("//! Reads\n//! files.\n//!\n//! More\n"));
    for text in ["//! reads files.\n", "//! Reads files\n", "use a;\n", "//!\n//! A.\n"] {
        assert!(!begins_with_sentence(text), "{text}");
    }
    let (start, inside) = (format!("cd {}x", FOLDERS[0]), format!("a{}x", FOLDERS[0]));
    assert!(names_folder(&start, FOLDERS[0]) && !names_folder(&inside, FOLDERS[0]));
}
