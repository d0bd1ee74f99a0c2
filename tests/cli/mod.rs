//! The command line as a process: exit codes, files, and what a user sees.

mod access;
mod apply;
mod aws;
mod canaries;
mod check;
mod cloudformation;
mod examples;
mod forecast;
mod full;
mod iam;
mod import;
mod lint;
mod near;
mod outputs;
mod policies;
mod prove;
mod questions;
mod release;
mod review;
mod signed;
mod state;
mod trials;
mod waivers;
mod walk;

use std::path::{Path, PathBuf};
use std::process::Command;

/// The day on which policies are asked, so that no test depends on today.
const DAY: &str = "2026-11-22";

/// What a run of `aipolicy` gave.
struct Done {
    exit: i32,
    out: String,
    err: String,
}

/// `aipolicy` in a clean environment: the program that was built with the tests, or the one that `AIPOLICY_BINARY` names.
fn plain(folder: &Path, arguments: &[&str]) -> Command {
    let given = std::env::var_os("AIPOLICY_BINARY");
    let mut command = Command::new(given.unwrap_or_else(|| env!("CARGO_BIN_EXE_aipolicy").into()));
    command.args(arguments).current_dir(folder).env_clear();
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("NO_COLOR", "1");
    command
}

/// Runs `aipolicy` in a clean environment.
fn aipolicy(folder: &Path, arguments: &[&str]) -> Done {
    done(&mut plain(folder, arguments))
}

/// Runs a command to its end.
fn done(command: &mut Command) -> Done {
    let done = command.output().unwrap();
    Done {
        exit: done.status.code().unwrap_or(-1),
        out: String::from_utf8(done.stdout).unwrap(),
        err: String::from_utf8(done.stderr).unwrap(),
    }
}

impl Done {
    /// Requires an exit code, and returns everything that was said.
    #[track_caller]
    fn expect(&self, exit: i32) -> String {
        let said = format!("{}{}", self.out, self.err);
        assert_eq!(self.exit, exit, "{said}");
        said
    }
}

/// A copy of an example that a test may change.
fn copy_of(example: &str) -> (tempfile::TempDir, PathBuf) {
    let place = tempfile::tempdir().unwrap();
    let from = crate::harness::root().join("examples").join(example);
    for file in crate::harness::files_below(&from) {
        if file.starts_with("expected/") || file.starts_with(".aipolicy") {
            continue;
        }
        let to = place.path().join(&file);
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(from.join(&file), to).unwrap();
    }
    let folder = place.path().to_path_buf();
    (place, folder)
}

/// Replaces text in a file of a workspace; it must be there exactly once.
#[track_caller]
fn edit(folder: &Path, file: &str, from: &str, to: &str) {
    let path = folder.join(file);
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(text.matches(from).count(), 1, "`{from}` in {file}");
    std::fs::write(path, text.replace(from, to)).unwrap();
}

/// Writes a file of a workspace.
fn write(folder: &Path, file: &str, text: impl AsRef<[u8]>) {
    let path = folder.join(file);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}
