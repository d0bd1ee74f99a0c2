//! The note that the template for GitLab keeps, beside a stand-in for the API.

use std::path::Path;
use std::process::{Command, Stdio};

use super::api::{Api, BOT, Host, TOKEN};
use super::files::TEMPLATE;
use crate::harness::{read, root};

/// The one command of the job.
fn command() -> String {
    let text = read(&root().join(TEMPLATE));
    let (_, job) = text.split_once("\naipolicy-note:\n").unwrap();
    let (_, lines) = job.split_once("    - |\n").unwrap();
    let lines = lines
        .lines()
        .map_while(|line| if line.is_empty() { Some(line) } else { line.strip_prefix("      ") });
    lines.collect::<Vec<_>>().join("\n") + "\n"
}

/// What a run of the job gave: its exit code, and what it said.
fn run(api: &Api, folder: &Path, more: &[(&str, &str)]) -> (i32, String) {
    let mut bash = Command::new("bash");
    bash.args(["-euo", "pipefail", "-c", &command()]).current_dir(folder).stdin(Stdio::null());
    bash.env("CI_API_V4_URL", &api.address).env("AIPOLICY_TOKEN", TOKEN);
    bash.env("CI_MERGE_REQUEST_PROJECT_ID", "12").env("CI_MERGE_REQUEST_IID", "7").envs(more.iter().copied());
    let done = bash.output().unwrap();
    (done.status.code().unwrap_or(-1), String::from_utf8([done.stdout, done.stderr].concat()).unwrap())
}

fn own(api: &Api) -> Vec<String> {
    api.comments().into_iter().filter(|(author, _)| author == BOT).map(|(_, body)| body).collect()
}

#[test]
fn one_note_is_written_then_updated_and_left_when_nothing_differs() {
    let folder = tempfile::tempdir().unwrap();
    let comment = folder.path().join("aipolicy.md");
    let api = Api::of(Host::GitLab, true);
    api.add("mallory", "<!-- aipolicy:diff . -->\nmine");
    for at in 0..150 {
        api.add("somebody", &format!("comment {at}"));
    }
    std::fs::write(&comment, "<!-- aipolicy:diff . -->\n### nothing\n").unwrap();
    assert_eq!(run(&api, folder.path(), &[]), (0, String::new()));
    assert_eq!(api.written(), ["POST /projects/12/merge_requests/7/notes"]);
    assert_eq!(own(&api), ["<!-- aipolicy:diff . -->\n### nothing"]);
    assert_eq!(run(&api, folder.path(), &[]), (0, String::new()));
    assert_eq!(api.written(), Vec::<String>::new(), "the same note is not written again");
    std::fs::write(&comment, "<!-- aipolicy:diff . -->\n### more \u{2795}\n").unwrap();
    assert_eq!(run(&api, folder.path(), &[]), (0, String::new()));
    assert_eq!(api.written(), ["PUT /projects/12/merge_requests/7/notes/152"]);
    assert_eq!(own(&api), ["<!-- aipolicy:diff . -->\n### more \u{2795}"]);
    // Another workspace of the same repository has a note of its own.
    std::fs::write(&comment, "<!-- aipolicy:diff ai -->\n### more\n").unwrap();
    assert_eq!(run(&api, folder.path(), &[]), (0, String::new()));
    assert_eq!(own(&api).len(), 2);
    assert_eq!(api.comments()[0].1, "<!-- aipolicy:diff . -->\nmine", "the note of somebody else stays");
}

#[test]
fn a_token_that_may_not_write_is_told_and_never_shown() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("aipolicy.md"), "<!-- aipolicy:diff . -->\n### more\n").unwrap();
    for (writes, token, code) in [(false, TOKEN, 403), (true, "another", 401)] {
        let api = Api::of(Host::GitLab, writes);
        let (exit, said) = run(&api, folder.path(), &[("AIPOLICY_TOKEN", token)]);
        assert_eq!(exit, 0, "{said}");
        assert!(
            said.contains(&format!("the token may not write notes ({code})")) && !said.contains(token),
            "{said}"
        );
        assert_eq!(own(&api), Vec::<String>::new());
    }
}

#[test]
fn what_is_no_merge_request_or_was_not_compared_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let api = Api::of(Host::GitLab, true);
    let (exit, said) = run(&api, folder.path(), &[]);
    assert!(exit == 1 && said.contains("were not compared"), "{said}");
    std::fs::write(folder.path().join("aipolicy.md"), "<!-- aipolicy:diff . -->\n").unwrap();
    for name in ["CI_MERGE_REQUEST_PROJECT_ID", "CI_MERGE_REQUEST_IID"] {
        for text in ["", "7/../8", "$(touch pwned)", "7\n"] {
            let (exit, said) = run(&api, folder.path(), &[(name, text)]);
            assert!(exit == 1 && said.contains("no number"), "{name}={text}: {said}");
        }
    }
    assert_eq!(api.written(), Vec::<String>::new());
    assert!(!folder.path().join("pwned").exists());
}
