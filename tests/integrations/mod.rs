//! What others run us with: an action of GitHub, a template for GitLab, hooks of pre-commit; each held against the validator
//! of its owner, and run against real repositories.

mod api;
mod files;
mod note;
mod review;

use std::path::Path;
use std::process::Command;

use crate::harness::program::answer;
use crate::harness::{files_below, root};

/// Runs git in a folder, without the settings of whoever runs the tests.
fn git(folder: &Path, arguments: &[&str]) -> String {
    let own = ["-c", "user.name=a", "-c", "user.email=a@acme.example", "-c", "protocol.file.allow=always"];
    let mut git = Command::new("git");
    git.args(own).args(arguments).current_dir(folder).env("GIT_CONFIG_GLOBAL", "/dev/null");
    answer(&mut git, "", "git").trim().to_owned()
}

/// A repository whose workspace is in a folder, committed on `main`.
fn repository(folder: &Path, workspace: &str) {
    let from = root().join("examples/quickstart");
    for file in files_below(&from)
        .iter()
        .filter(|file| !file.starts_with("expected/") && !file.starts_with(".aipolicy"))
    {
        let to = folder.join(workspace).join(file);
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(from.join(file), to).unwrap();
    }
    git(folder, &["init", "-q", "-b", "main"]);
    git(folder, &["add", "-A"]);
    git(folder, &["commit", "-q", "-m", "base"]);
}
