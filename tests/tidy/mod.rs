//! The tidy rules: what the compiler of Rust cannot see but the house promises.

mod caps;
mod direction;
mod documents;
mod folders;
mod io;
mod lines;
mod sources;

use std::path::Path;
use std::process::Command;

use crate::harness::root;

/// A crate of the workspace.
pub(crate) struct Crate {
    pub(crate) name: &'static str,
    /// The folder of its `Cargo.toml`, relative to the root of the repository; empty for the root itself.
    pub(crate) folder: &'static str,
    /// The file that its module tree begins with.
    pub(crate) root: &'static str,
    /// Pure crates do no IO.
    pub(crate) is_pure: bool,
    /// The crates of the workspace that it may depend on.
    pub(crate) may_use: &'static [&'static str],
}

/// The crates, each using only those above it.
pub(crate) const CRATES: &[Crate] = &[
    Crate {
        name: "aipolicy-iam",
        folder: "targets/iam",
        root: "targets/iam/src/lib.rs",
        is_pure: true,
        may_use: &[],
    },
    Crate {
        name: "aipolicy-compiler",
        folder: "compiler",
        root: "compiler/src/lib.rs",
        is_pure: true,
        may_use: &[],
    },
    Crate {
        name: "aipolicy-targets",
        folder: "targets",
        root: "targets/src/lib.rs",
        is_pure: true,
        may_use: &["aipolicy-compiler", "aipolicy-iam"],
    },
    Crate {
        name: "aipolicy-apply",
        folder: "targets/apply",
        root: "targets/apply/src/lib.rs",
        is_pure: false,
        may_use: &["aipolicy-targets", "aipolicy-compiler", "aipolicy-iam"],
    },
    Crate {
        name: "aipolicy-analysis",
        folder: "analysis",
        root: "analysis/src/lib.rs",
        is_pure: false,
        may_use: &["aipolicy-compiler"],
    },
    Crate {
        name: "aipolicy-scale",
        folder: "tests/scale",
        root: "tests/scale/main.rs",
        is_pure: false,
        may_use: &["aipolicy-targets", "aipolicy-compiler", "aipolicy-iam"],
    },
    Crate {
        name: "aipolicy",
        folder: "",
        root: "cli/main.rs",
        is_pure: false,
        may_use: &[
            "aipolicy-analysis",
            "aipolicy-apply",
            "aipolicy-targets",
            "aipolicy-compiler",
            "aipolicy-iam",
        ],
    },
];

/// Returns the files of the repository, tracked or about to be, as sorted paths relative to its root.
pub(crate) fn repository_files() -> Vec<String> {
    let arguments = ["ls-files", "--cached", "--others", "--exclude-standard"];
    let listed = output(Command::new("git").args(arguments));
    let mut files: Vec<String> = listed.lines().map(str::to_owned).collect();
    files.retain(|file| root().join(file).is_file());
    files.sort();
    files.dedup();
    assert!(!files.is_empty(), "git lists no files");
    files
}

/// Runs a program in the root of the repository and returns what it printed.
pub(crate) fn output(command: &mut Command) -> String {
    let done = command.current_dir(root()).output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(done.status.success(), "{command:?}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

/// Reads a file of the repository, or fails the test by naming it.
#[track_caller]
pub(crate) fn text_of(path: &str) -> String {
    crate::harness::read(&root().join(path))
}

/// Returns the last part of a path without its extension.
pub(crate) fn stem(path: &str) -> &str {
    Path::new(path).file_stem().unwrap().to_str().unwrap()
}

/// Fails with the problems found, one per line, under a sentence that says the rule.
#[track_caller]
pub(crate) fn none_of(rule: &str, problems: &[String]) {
    assert!(problems.is_empty(), "{rule}:\n  {}", problems.join("\n  "));
}
