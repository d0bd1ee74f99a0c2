//! The shell of the action, run on real repositories beside a stand-in for the API.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::api::{Api, BOT, TOKEN};
use super::{git, repository};
use crate::harness::root;

/// A shallow checkout of a pull request, as GitHub makes it.
struct Checkout {
    place: tempfile::TempDir,
    base: String,
}

/// What a run of the action gave.
struct Done {
    exit: i32,
    said: String,
    summary: String,
    outputs: String,
}

const ACCESS: (&str, &str) = ("access: read", "access: write\n      gate: confirm");

impl Checkout {
    /// The checkout of a change of a workspace.
    fn of(workspace: &str, change: impl FnOnce(&Path)) -> Self {
        let place = tempfile::tempdir().unwrap();
        let origin = place.path().join("origin");
        std::fs::create_dir(&origin).unwrap();
        repository(&origin, workspace);
        let base = git(&origin, &["rev-parse", "HEAD"]);
        git(&origin, &["config", "uploadpack.allowAnySHA1InWant", "true"]);
        git(&origin, &["checkout", "-q", "-b", "change"]);
        change(&origin.join(workspace));
        git(&origin, &["add", "-A"]);
        git(&origin, &["commit", "-q", "--allow-empty", "-m", "change"]);
        let url = format!("file://{}", origin.display());
        git(place.path(), &["clone", "-q", "--depth", "1", "--branch", "change", &url, "checkout"]);
        Self { place, base }
    }

    fn folder(&self) -> PathBuf {
        self.place.path().join("checkout")
    }

    fn run(&self, api: &Api, more: &[(&str, &str)]) -> Done {
        let temporary = tempfile::tempdir().unwrap();
        let [summary, outputs] = ["summary.md", "outputs"].map(|name| temporary.path().join(name));
        let mut bash = Command::new("bash");
        bash.arg(root().join("integrations/github/review.sh"))
            .current_dir(self.folder())
            .stdin(Stdio::null());
        bash.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        bash.env("HOME", temporary.path()).env("RUNNER_TEMP", temporary.path());
        bash.env("GIT_CONFIG_COUNT", "1")
            .env("GIT_CONFIG_KEY_0", "protocol.file.allow")
            .env("GIT_CONFIG_VALUE_0", "always");
        bash.env("GITHUB_STEP_SUMMARY", &summary).env("GITHUB_OUTPUT", &outputs);
        bash.env("GITHUB_API_URL", &api.address).env("GITHUB_REPOSITORY", "acme/platform");
        bash.env("AIPOLICY_PROGRAM", env!("CARGO_BIN_EXE_aipolicy")).env("AIPOLICY_WORKSPACE", ".");
        bash.env("AIPOLICY_COMMENT", "true").env("AIPOLICY_AUTHOR", BOT).env("AIPOLICY_TOKEN", TOKEN);
        bash.env("AIPOLICY_BASE", &self.base).env("AIPOLICY_PULL", "7").envs(more.iter().copied());
        let done = bash.output().unwrap();
        let text = |path: &Path| std::fs::read_to_string(path).unwrap_or_default();
        let said = [done.stdout, done.stderr].concat();
        Done {
            exit: done.status.code().unwrap_or(-1),
            said: String::from_utf8(said).unwrap(),
            summary: text(&summary),
            outputs: text(&outputs),
        }
    }
}

fn edit(folder: &Path, (from, to): (&str, &str)) {
    let file = folder.join("agent.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains(from));
    std::fs::write(file, text.replace(from, to)).unwrap();
}

fn commit(folder: &Path) {
    git(folder, &["add", "-A"]);
    git(folder, &["commit", "-q", "-m", "more"]);
}

#[test]
fn one_comment_is_written_then_updated_and_left_when_nothing_differs() {
    let checkout =
        Checkout::of(".", |folder| std::fs::write(folder.join("prompts/more.md"), "More.\n").unwrap());
    let api = Api::start(true);
    api.add("mallory", "<!-- aipolicy:diff . -->\nmine");
    for at in 0..150 {
        api.add("somebody", &format!("comment {at}"));
    }
    let done = checkout.run(&api, &[]);
    assert_eq!(done.exit, 0, "{}", done.said);
    let own = |api: &Api| {
        api.comments()
            .into_iter()
            .filter(|(author, _)| author == BOT)
            .map(|(_, body)| body)
            .collect::<Vec<_>>()
    };
    let first = own(&api);
    assert_eq!(first.len(), 1);
    assert!(first[0].starts_with("<!-- aipolicy:diff . -->\n### ⚪ aipolicy: "), "{}", first[0]);
    assert!(
        done.summary.contains("## aipolicy\n") && done.summary.contains("### ⚪ aipolicy: "),
        "{}",
        done.summary
    );
    assert_eq!(api.written(), ["POST /repos/acme/platform/issues/7/comments"]);
    checkout.run(&api, &[]);
    assert_eq!(api.written(), Vec::<String>::new(), "the same comment is not written again");
    edit(&checkout.folder(), ACCESS);
    commit(&checkout.folder());
    let done = checkout.run(&api, &[]);
    assert_eq!(done.exit, 3, "{}", done.said);
    let second = own(&api);
    assert_eq!(second.len(), 1);
    assert!(second[0].contains("### 🔴 aipolicy: refused") && second[0] != first[0], "{}", second[0]);
    assert_eq!(api.written(), ["PATCH /repos/acme/platform/issues/comments/152"]);
    assert!(done.said.contains("::error file=agent.yaml,line="), "{}", done.said);
    assert_eq!(api.comments()[0].1, "<!-- aipolicy:diff . -->\nmine", "the comment of somebody else stays");
}

#[test]
fn findings_are_annotated_and_handed_on_as_sarif() {
    let checkout = Checkout::of("platform/ai", |folder| edit(folder, ACCESS));
    let api = Api::start(true);
    let done = checkout.run(&api, &[("AIPOLICY_WORKSPACE", "platform/ai")]);
    assert_eq!(done.exit, 3, "{}", done.said);
    assert!(done.said.contains("::error file=platform/ai/agent.yaml,line="), "{}", done.said);
    assert!(
        done.outputs.starts_with("sarif=/") && done.outputs.ends_with("/findings.sarif\n"),
        "{}",
        done.outputs
    );
    assert!(api.comments()[0].1.starts_with("<!-- aipolicy:diff platform/ai -->\n"));
}

#[test]
fn a_token_that_only_reads_costs_the_comment_and_not_the_verdict() {
    let checkout = Checkout::of(".", |_| {});
    let api = Api::start(false);
    let done = checkout.run(&api, &[]);
    assert_eq!(done.exit, 0, "{}", done.said);
    assert!(done.said.contains("::notice::the token may not write comments (403)"), "{}", done.said);
    assert!(done.summary.contains("<!-- aipolicy:diff . -->"), "{}", done.summary);
    assert!(!done.said.contains(TOKEN));
}

#[test]
fn without_a_pull_request_there_is_a_check_and_no_comment() {
    let checkout = Checkout::of(".", |_| {});
    let api = Api::start(true);
    for more in [("AIPOLICY_BASE", ""), ("AIPOLICY_COMMENT", "false")] {
        let done = checkout.run(&api, &[more]);
        assert_eq!(done.exit, 0, "{}", done.said);
        assert!(done.said.contains(" requests, by ") && api.written().is_empty(), "{}", done.said);
    }
}

#[test]
fn a_workspace_that_is_new_has_nothing_to_be_compared_with() {
    let checkout = Checkout::of("ai", |_| {});
    std::fs::rename(checkout.folder().join("ai"), checkout.folder().join("new")).unwrap();
    commit(&checkout.folder());
    let api = Api::start(true);
    let done = checkout.run(&api, &[("AIPOLICY_WORKSPACE", "new")]);
    assert_eq!(done.exit, 0, "{}", done.said);
    assert!(done.said.contains("nothing to compare with") && api.written().is_empty(), "{}", done.said);
}

#[test]
fn no_input_becomes_a_command() {
    let hostile =
        ["$(touch pwned)", "; touch pwned #", "-x", "`touch pwned`", "a\ntouch pwned", "--config=x"];
    let checkout = Checkout::of(".", |_| {});
    let api = Api::start(true);
    for text in hostile {
        for name in ["AIPOLICY_WORKSPACE", "AIPOLICY_BASE", "AIPOLICY_PULL"] {
            let done = checkout.run(&api, &[(name, text)]);
            assert_ne!(done.exit, 0, "{name}={text}: {}", done.said);
        }
        checkout.run(&api, &[("AIPOLICY_COMMENT", text), ("AIPOLICY_AUTHOR", text)]);
        let left = git(&checkout.folder(), &["status", "--porcelain", "--ignored"]);
        assert_eq!(left, "", "{text}");
    }
    assert_eq!(api.written(), Vec::<String>::new());
}
