//! Documents tell the truth: the paths they name exist, and the commands they show run.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::harness::markdown::{fences, prose};
use crate::harness::root;

use super::{none_of, repository_files, text_of};

const DOCUMENTS: &[&str] = &["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"];

/// Folders that documents may name before they exist.
const LATER: &[&str] = &["analysis", "controller"];

#[test]
fn paths_in_readme_exist() {
    paths_exist("README.md");
}

#[test]
fn paths_in_architecture_exist() {
    paths_exist("ARCHITECTURE.md");
}

#[test]
fn paths_in_contributing_exist() {
    paths_exist("CONTRIBUTING.md");
}

#[test]
fn paths_in_changelog_exist() {
    paths_exist("CHANGELOG.md");
}

#[test]
fn documents_stand_in_the_root() {
    let text = text_of("tests/tidy/documents.rs");
    let untested = DOCUMENTS.iter().filter(|name| !text.contains(&format!("paths_exist(\"{name}\")")));
    none_of(
        "each document has its test of paths",
        &untested.map(|name| (*name).to_owned()).collect::<Vec<_>>(),
    );
}

#[track_caller]
fn paths_exist(document: &str) {
    let places = places();
    let lines = text_of(document);
    let lines: Vec<&str> = lines.lines().collect();
    let mut missing = Vec::new();
    for (at, line) in prose(&lines) {
        let paths = line.split('`').skip(1).step_by(2).filter(|code| is_path(code, &places));
        let absent = paths.filter(|path| !places.iter().any(|place| matches(&pattern(path), place)));
        missing.extend(absent.map(|path| format!("{document}:{}: `{path}`", at + 1)));
    }
    none_of("a path in backticks exists", &missing);
}

/// Returns the files and folders of the repository, and the folders that come later.
fn places() -> BTreeSet<String> {
    let mut places: BTreeSet<String> = LATER.iter().map(|folder| (*folder).to_owned()).collect();
    for file in repository_files() {
        places.extend(Path::new(&file).ancestors().map(|place| place.to_str().unwrap().to_owned()));
    }
    places.remove("");
    places
}

/// Tells whether code in backticks means a path of the repository: one that begins with what the root holds, or a
/// document or setting that would stand there.
fn is_path(code: &str, places: &BTreeSet<String>) -> bool {
    if code.is_empty() || !code.chars().all(|letter| letter.is_alphanumeric() || "_-./<>*…".contains(letter))
    {
        return false;
    }
    match code.split_once('/') {
        Some((first, _)) => places.contains(first) || code.ends_with(".rs"),
        None => {
            code.ends_with(".toml")
                || (code.ends_with(".md") && code.starts_with(|first: char| first.is_uppercase()))
        }
    }
}

/// Turns the placeholders of a path, such as `<name>`, into `*`.
fn pattern(path: &str) -> String {
    let path = path.trim_end_matches('…').trim_end_matches('/');
    let mut pattern = String::new();
    for (index, part) in path.split(['<', '>']).enumerate() {
        pattern.push_str(if index % 2 == 0 { part } else { "*" });
    }
    pattern
}

/// Tells whether a place matches a pattern in which `*` stands for anything but `/`, and `**` for anything.
fn matches(pattern: &str, place: &str) -> bool {
    let Some((before, after)) = pattern.split_once('*') else { return pattern == place };
    let Some(rest) = place.strip_prefix(before) else { return false };
    let (after, is_deep) = after.strip_prefix('*').map_or((after, false), |after| (after, true));
    let is_end = |end: usize| rest.is_char_boundary(end) && (is_deep || !rest[..end].contains('/'));
    (0..=rest.len()).filter(|end| is_end(*end)).any(|end| matches(after, &rest[end..]))
}

#[test]
fn paths_are_recognised_and_matched() {
    let places = BTreeSet::from(["compiler".to_owned(), "compiler/src/check/a.rs".to_owned()]);
    for path in ["compiler/src/", "deny.toml", "README.md", "x/y.rs"] {
        assert!(is_path(path, &places), "{path}");
    }
    for code in ["application/json", "a.yaml", "compiler/src x", "origin/main", "page.md"] {
        assert!(!is_path(code, &places), "{code}");
    }
    assert_eq!(pattern("compiler/src/check/<name>.rs"), "compiler/src/check/*.rs");
    assert!(
        matches("compiler/src/check/*.rs", "compiler/src/check/a.rs")
            && matches("compiler/**", "compiler/a/b")
    );
    assert!(!matches("compiler/*.rs", "compiler/src/a.rs"));
}

/// A command line of a document and the exit code that it must have.
#[derive(Debug, PartialEq, Eq)]
struct Shown {
    /// The line of the document, from 1.
    at: usize,
    command: String,
    exit: i32,
}

/// Returns the `$ ` lines of the fenced `console` blocks.
fn shown(text: &str) -> Vec<Shown> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for fence in fences(&lines).iter().filter(|fence| fence.language() == "console") {
        let commands = fence
            .content(&lines)
            .iter()
            .enumerate()
            .filter_map(|(at, line)| Some((at, line.strip_prefix("$ ")?)));
        found.extend(commands.map(|(at, line)| {
            let (command, exit) = with_exit(line);
            Shown { at: fence.first + at + 1, command: command.to_owned(), exit }
        }));
    }
    found
}

/// Splits a trailing `# exit N` off a command line; without one, 0 is expected.
fn with_exit(line: &str) -> (&str, i32) {
    let told = line
        .rsplit_once("# exit ")
        .and_then(|(command, code)| Some((command.trim(), code.trim().parse().ok()?)));
    told.unwrap_or((line.trim(), 0))
}

/// Returns the words after `aipolicy` at the start of a command line, past assignments of variables.
fn ours(command: &str) -> Option<Vec<&str>> {
    let mut words = command.split_whitespace().skip_while(|word| word.contains('='));
    (words.next() == Some("aipolicy")).then(|| words.collect())
}

#[test]
fn commands_in_readme_are_commands() {
    let text = text_of("README.md");
    let lines: Vec<&str> = text.lines().collect();
    let mut commands = BTreeSet::new();
    for fence in fences(&lines).iter().filter(|fence| ["console", "sh"].contains(&fence.language())) {
        let shown = fence.content(&lines).iter().filter_map(|line| ours(line.trim_start_matches("$ ")));
        commands
            .extend(shown.filter_map(|words| words.first().copied()).filter(|word| !word.starts_with('-')));
    }
    assert!(!commands.is_empty(), "README.md shows no command of aipolicy");
    let has_help = |command: &str| aipolicy().args([command, "--help"]).output().unwrap().status.success();
    assert!(!has_help("no-such-command"), "aipolicy has help for every word");
    let unknown = commands.into_iter().filter(|command| !has_help(command)).map(str::to_owned);
    none_of("README.md shows commands that aipolicy has", &unknown.collect::<Vec<_>>());
}

fn aipolicy() -> Command {
    Command::new(env!("CARGO_BIN_EXE_aipolicy"))
}

#[test]
fn commands_in_readme_run() {
    let place = tempfile::tempdir().unwrap();
    copy_examples(place.path());
    let (problems, count) = run_all(&text_of("README.md"), place.path());
    assert!(count > 0, "README.md has no `console` block with a line `$ aipolicy …`");
    none_of("the command lines of README.md exit as they say", &problems);
}

/// Copies the repository's examples, without what running them left behind, into `examples` of `place`.
fn copy_examples(place: &Path) {
    for file in repository_files().iter().filter(|file| file.starts_with("examples/")) {
        let target = place.join(file);
        std::fs::create_dir_all(target.parent().unwrap()).unwrap();
        std::fs::copy(root().join(file), target).unwrap();
    }
}

/// Runs the commands of a document in `place`, and returns the problems and how many were run.
///
/// A `cd` is followed from where the one before led or, if there is no such folder, from `place`.
fn run_all(text: &str, place: &Path) -> (Vec<String>, usize) {
    let (mut problems, mut count, mut folder) = (Vec::new(), 0, place.to_path_buf());
    for shown in shown(text) {
        if let Some(next) = shown.command.strip_prefix("cd ") {
            let near = folder.join(next);
            folder = if near.is_dir() { near } else { place.join(next) };
        } else if ours(&shown.command).is_some() {
            count += 1;
            let done = run(&shown.command, &folder);
            problems.extend(problem(&shown, &done));
        }
    }
    (problems, count)
}

/// Runs a command line in a shell that knows `aipolicy` and little else.
fn run(command: &str, folder: &Path) -> Output {
    let binaries = Path::new(env!("CARGO_BIN_EXE_aipolicy")).parent().unwrap();
    let path = std::env::join_paths([binaries, Path::new("/usr/bin"), Path::new("/bin")]).unwrap();
    let mut shell = Command::new("sh");
    shell.args(["-c", command]).current_dir(folder).stdin(Stdio::null());
    shell.env_clear().env("PATH", path).env("HOME", "/nonexistent").env("NO_COLOR", "1").env("TERM", "dumb");
    shell.output().unwrap_or_else(|error| panic!("cannot run `{command}` in {}: {error}", folder.display()))
}

fn problem(shown: &Shown, done: &Output) -> Option<String> {
    let text = String::from_utf8_lossy(&done.stderr);
    let text = if text.trim().is_empty() { String::from_utf8_lossy(&done.stdout) } else { text };
    let tail: Vec<&str> = text.lines().rev().take(12).collect();
    let tail: String = tail.iter().rev().map(|line| format!("\n      {line}")).collect();
    let code = done.status.code();
    let Shown { at, command, exit } = shown;
    (code != Some(*exit))
        .then(|| format!("README.md:{at}: `{command}` exits with {code:?}, not {exit}:{tail}"))
}

#[test]
fn command_lines_are_found_with_their_exit_codes() {
    let text = "```console\n$ cd examples\n$ aipolicy check  # exit 1\nerror: no\n```\n```sh\n$ aipolicy plan\n```\n";
    let expected = [("cd examples", 2, 0), ("aipolicy check", 3, 1)];
    let expected = expected.map(|(command, at, exit)| Shown { at, command: command.to_owned(), exit });
    assert_eq!(shown(text), expected);
    assert_eq!(ours("A=1 aipolicy plan --json"), Some(vec!["plan", "--json"]));
    assert_eq!(ours("cargo test"), None);
}

#[test]
fn commands_run_in_the_folder_shown() {
    let place = tempfile::tempdir().unwrap();
    std::fs::create_dir(place.path().join("examples")).unwrap();
    let text = "```console\n$ cd examples\n$ aipolicy no-such-command 2>&- | pwd; exit 3  # exit 3\n$ cargo none\n```\n";
    assert_eq!(run_all(text, place.path()), (Vec::new(), 1));
    let (problems, _) = run_all(&text.replace("# exit 3", "# exit 4"), place.path());
    assert!(
        problems[0].contains("exits with Some(3), not 4") && problems[0].contains("/examples"),
        "{problems:?}"
    );
}
