//! Earlier releases that are applied once more, and versions that callers get before the end of their trial.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::review::git;
use super::{Done, aipolicy, copy_of, edit, write};
use crate::harness::files_below;

/// A repository of an example, whose state is in no commit.
fn repository(example: &str) -> (tempfile::TempDir, PathBuf) {
    let (place, folder) = copy_of(example);
    write(&folder, ".gitignore", ".aipolicy/\n");
    git(&folder, &["init", "-q", "-b", "main"]);
    committed(&folder);
    (place, folder)
}

fn committed(folder: &Path) {
    git(folder, &["add", "-A"]);
    git(folder, &["commit", "-q", "-m", "state of things"]);
}

/// The documents in the world of the environment `dev`.
fn world(folder: &Path) -> BTreeMap<String, String> {
    let world = folder.join(".aipolicy/world/dev");
    let text = |name: String| {
        let text = std::fs::read_to_string(world.join(&name)).unwrap();
        (name, text)
    };
    files_below(&world).into_iter().map(text).collect()
}

fn apply(folder: &Path, more: &[&str]) -> Done {
    aipolicy(folder, &[&["apply", "--yes", "-e", "dev"], more].concat())
}

#[test]
fn an_earlier_release_is_applied_from_its_commit() {
    let (_place, folder) = repository("quickstart");
    apply(&folder, &[]).expect(0);
    let first = world(&folder);
    edit(&folder, "agent.yaml", "steps: 6", "steps: 9");
    committed(&folder);
    apply(&folder, &[]).expect(0);
    let second = world(&folder);
    assert_ne!(first, second);

    let said = apply(&folder, &["--release", "1"]).expect(0);
    assert!(said.contains("release 1 is "), "{said}");
    assert_eq!(world(&folder), first);
    // The sources that are there want the second one still, and say so.
    let said = aipolicy(&folder, &["plan", "-e", "dev", "--detailed-exitcode"]).expect(2);
    assert!(said.contains("asked for by the sources") && !said.contains("by somebody else"), "{said}");
    // The newest release is the third, so that the one before it is the second.
    apply(&folder, &["--release", "previous"]).expect(0);
    assert_eq!(world(&folder), second);
    let said = aipolicy(&folder, &["plan", "-e", "dev", "--detailed-exitcode"]).expect(0);
    assert!(said.contains("no changes"), "{said}");
}

#[test]
fn a_release_that_cannot_be_found_again_is_told() {
    let (_place, folder) = repository("quickstart");
    let said = apply(&folder, &["--release", "previous"]).expect(1);
    assert!(said.contains("`dev` has no release before the last one"), "{said}");
    apply(&folder, &[]).expect(0);
    let said = apply(&folder, &["--release", "7"]).expect(1);
    assert!(said.contains("`dev` has no release 7") && said.contains("the last one is 1"), "{said}");
    let said = apply(&folder, &["--release", "last"]).expect(1);
    assert!(said.contains("a release is a number, or `previous`"), "{said}");

    edit(&folder, "agent.yaml", "steps: 6", "steps: 9");
    apply(&folder, &[]).expect(0);
    let before = world(&folder);
    let said = apply(&folder, &["--release", "2"]).expect(5);
    assert!(said.contains("they were not committed"), "{said}");
    assert_eq!(world(&folder), before);

    let (_place, folder) = copy_of("quickstart");
    apply(&folder, &[]).expect(0);
    let said = apply(&folder, &["--release", "1"]).expect(1);
    assert!(said.contains("was applied from no git repository") && said.contains("sha256:"), "{said}");
}

#[test]
fn the_policies_that_are_there_now_have_to_permit_an_earlier_release() {
    let (_place, folder) = repository("quickstart");
    apply(&folder, &[]).expect(0);
    edit(&folder, "agent.yaml", "steps: 6", "steps: 9");
    edit(&folder, "aipolicy.yaml", "  targets:", "  policies: [policies]\n  targets:");
    let frozen = "@id(\"frozen\")\nforbid (principal, action == Action::\"change\", resource) when { resource.kind == \"Harness\" };\n";
    write(&folder, "policies/none.cedar", "");
    committed(&folder);
    apply(&folder, &[]).expect(0);
    let before = world(&folder);
    write(&folder, "policies/frozen.cedar", frozen);
    let said = apply(&folder, &["--release", "1"]).expect(3);
    assert!(said.contains("policy `frozen` forbids to update `bedrock/Harness/"), "{said}");
    assert!(said.contains("the policies that are there now refuse the changes"), "{said}");
    // What cannot be understood permits nothing.
    write(&folder, "policies/frozen.cedar", "forbid (");
    apply(&folder, &["--release", "1"]).expect(1);
    assert_eq!(world(&folder), before);
    std::fs::remove_file(folder.join("policies/frozen.cedar")).unwrap();
    apply(&folder, &["--release", "1"]).expect(0);
    assert_ne!(world(&folder), before);
}

/// An agent that a schedule starts, whose new versions are tried.
const CLOCK: &str = r#"apiVersion: aipolicy.dev/v1
kind: Agent
metadata: { name: clock }
spec:
  tenant: people
  environments: [dev]
  model: { model: nova-lite }
  instructions: { file: prompts/handbook.md }
  clearance: [internal]
  limits: { wallClock: 5m, steps: 6, tokensPerSession: 50k }
  triggers:
    - { name: hourly, schedule: { rate: 1h, deadLetter: failed } }
  release: { canary: { weight: 20%, bake: 1h, abort: { errorRate: 5% } } }
---
apiVersion: aipolicy.dev/v1
kind: Connector
metadata: { name: failed }
spec:
  sqs: { queue: quickstart-failed }
  region: eu-central-1
  dataClass: internal
"#;

/// What callers of the agent get, and what is tried, by the digests of their states.
fn live(folder: &Path) -> [String; 2] {
    ["dev", "dev_canary"].map(|endpoint| {
        let file = format!("bedrock/HarnessEndpoint/quickstart_dev_clock.{endpoint}.json");
        let document: serde_json::Value = serde_json::from_str(&world(folder)[&file]).unwrap();
        document["description"].as_str().unwrap().to_owned()
    })
}

#[test]
fn an_earlier_release_and_whoever_is_promoted_wait_for_no_trial() {
    let (_place, folder) = repository("quickstart");
    write(&folder, "clock.yaml", CLOCK);
    committed(&folder);
    apply(&folder, &[]).expect(0);
    let [first, tried] = live(&folder);
    assert_eq!(first, tried);
    edit(&folder, "clock.yaml", "steps: 6", "steps: 9");
    committed(&folder);
    apply(&folder, &[]).expect(0);
    let [callers, second] = live(&folder);
    assert!(callers == first && second != first, "it is tried");

    // A saved plan that promotes is applied as it was saved.
    let said = aipolicy(&folder, &["plan", "-e", "dev", "--promote", "clock", "-o", "p.json"]).expect(0);
    assert!(said.contains("of `clock` is given to callers at once"), "{said}");
    aipolicy(&folder, &["apply", "p.json"]).expect(0);
    assert_eq!(live(&folder), [second.clone(), second]);

    apply(&folder, &["--release", "1"]).expect(0);
    assert_eq!(live(&folder), [first.clone(), first], "at once, and both");

    let said = apply(&folder, &["--promote", "handbook"]).expect(1);
    assert!(said.contains("new versions of `handbook` are not tried"), "{said}");
}

#[test]
fn a_plan_that_was_saved_while_something_was_tried_is_stale_once_that_is_over() {
    let (_place, folder) = repository("quickstart");
    write(&folder, "clock.yaml", CLOCK.replace("bake: 1h", "bake: 3s"));
    apply(&folder, &[]).expect(0);
    edit(&folder, "clock.yaml", "steps: 6", "steps: 9");
    apply(&folder, &[]).expect(0);
    aipolicy(&folder, &["plan", "-e", "dev", "-o", "p.json"]).expect(0);
    std::thread::sleep(std::time::Duration::from_secs(4));
    let said = aipolicy(&folder, &["apply", "p.json"]).expect(5);
    assert!(said.contains("how new versions do on trial changed"), "{said}");
    apply(&folder, &[]).expect(0);
    let [callers, tried] = live(&folder);
    assert_eq!(callers, tried);
}
