//! `import` in a world of files, and what may keep it from being done.

use super::{aipolicy, copy_of, edit, write};
use crate::harness::files_below;

const ROLE: &str = "iam/Role/quickstart-dev-agent-handbook";
const THEIRS: &str = ".aipolicy/world/dev/iam/Role/quickstart-dev-agent-handbook.json";
const IMPORT: [&str; 4] = ["import", ROLE, "quickstart-dev-agent-handbook.json", "--yes"];

#[test]
fn a_file_of_others_is_adopted_and_then_changed() {
    let (_place, folder) = copy_of("quickstart");
    write(&folder, THEIRS, "{\"RoleName\": \"theirs\"}\n");
    let said = aipolicy(&folder, &["plan"]).expect(3);
    assert!(said.contains(&format!("`aipolicy import {ROLE} ID -e dev`")), "{said}");
    let said = aipolicy(&folder, &["import", "iam/Role/quickstart-dev-agent-handbok", "x"]).expect(1);
    assert!(said.contains(&format!("`{ROLE}` is the nearest")), "{said}");
    let said = aipolicy(&folder, &["import", ROLE, "other"]).expect(1);
    assert!(said.contains("it asks for the file `iam/Role/quickstart-dev-agent-handbook.json`"), "{said}");
    write(&folder, ".aipolicy/world/dev/iam/Role/other.json", "{}\n");
    let said = aipolicy(&folder, &["import", ROLE, "other", "--yes"]).expect(3);
    assert!(said.contains("that is the file `iam/Role/other.json`"), "{said}");
    let said = aipolicy(&folder, &IMPORT[..3]).expect(1);
    assert!(said.contains("nobody is there to ask"), "{said}");
    assert!(!folder.join(".aipolicy/state").exists(), "nothing was begun");

    aipolicy(&folder, &IMPORT).expect(0);
    assert_eq!(std::fs::read_to_string(folder.join(THEIRS)).unwrap(), "{\"RoleName\": \"theirs\"}\n");
    let journal = std::fs::read_to_string(folder.join(".aipolicy/state/dev/journal.jsonl")).unwrap();
    let words = ["release-started", "\"action\":\"adopt\"", "\"kind\":\"outcome\"", "release-finished"];
    let places: Vec<_> = words.iter().map(|word| journal.find(word)).collect();
    assert!(places.is_sorted() && places[0].is_some(), "{places:?}: {journal}");
    let said = aipolicy(&folder, &IMPORT).expect(0);
    assert!(said.contains("is ours already: nothing to do"), "{said}");
    let said = aipolicy(&folder, &["plan", "--detailed-exitcode"]).expect(2);
    assert!(said.contains(&format!("update {ROLE} (asked for by the sources")), "{said}");
    assert!(!said.contains("somebody else"), "{said}");
    aipolicy(&folder, &["apply", "--yes"]).expect(0);
    aipolicy(&folder, &["plan", "--detailed-exitcode"]).expect(0);
    std::fs::remove_file(folder.join("agent.yaml")).unwrap();
    aipolicy(&folder, &["apply", "--yes"]).expect(0);
    let left = files_below(&folder.join(".aipolicy/world/dev/iam/Role"));
    assert!(left.contains(&"other.json".to_owned()), "{left:?}");
    assert!(!left.iter().any(|file| file.contains("agent-handbook")), "{left:?}");
}

#[test]
fn policies_are_asked_as_about_an_update() {
    let (_place, folder) = copy_of("quickstart");
    write(&folder, THEIRS, "{\"RoleName\": \"theirs\"}\n");
    let policy = "@id(\"no-updates\") forbid (principal, action == Action::\"change\", resource)\n\
                  when { context.operation == \"update\" };\n";
    write(&folder, "policies/no-updates.cedar", policy);
    let workspace = std::fs::read_to_string(folder.join("aipolicy.yaml")).unwrap();
    assert!(!workspace.contains("policies:"), "{workspace}");
    edit(&folder, "aipolicy.yaml", "spec:\n", "spec:\n  policies: [policies]\n");
    let said = aipolicy(&folder, &IMPORT).expect(3);
    assert!(said.contains("no-updates") && said.contains(ROLE), "{said}");
    assert!(!folder.join(".aipolicy/state").exists(), "nothing was begun");
}
