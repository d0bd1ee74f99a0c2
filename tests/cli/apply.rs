//! `aipolicy plan` and `apply` on the embedded world.

use std::path::Path;

use super::{DAY, aipolicy, copy_of, edit, write};

fn apply(folder: &Path) -> String {
    aipolicy(folder, &["apply", "--yes"]).expect(0)
}

#[test]
fn acme_is_planned_applied_and_planned_again_without_changes() {
    let (_place, folder) = copy_of("acme");
    let said = aipolicy(&folder, &["plan", "--as-of", DAY]).expect(0);
    let (effects, documents) = (said.find("\nEffects\n").unwrap(), said.find("\nDocuments\n").unwrap());
    assert!(effects < documents, "effects come first");
    assert!(
        said.contains("agent `invoice-bot` may now read `s3://acme-invoices/eu/` (connector `invoices`)"),
        "{said}"
    );
    assert!(!folder.join(".aipolicy").exists(), "plan only reads");
    aipolicy(&folder, &["plan", "--detailed-exitcode"]).expect(2);
    for environment in ["prod", "staging"] {
        aipolicy(&folder, &["apply", "-e", environment, "--yes"]).expect(0);
    }
    let said = aipolicy(&folder, &["plan", "--detailed-exitcode"]).expect(0);
    assert!(said.contains("prod: no changes") && said.contains("staging: no changes"), "{said}");
}

#[test]
fn a_wider_connector_is_told_as_an_effect() {
    let (_place, folder) = copy_of("quickstart");
    apply(&folder);
    edit(&folder, "agent.yaml", "prefixes: [published/]", "prefixes: [p]");
    let said = aipolicy(&folder, &["plan", "--detailed-exitcode"]).expect(2);
    assert!(said.contains("+ agent `handbook` may now read `s3://quickstart-handbook/p`"), "{said}");
    assert!(said.contains("arn:aws:s3:::quickstart-handbook/p*"), "{said}");
    // The policy of the role, and the machine that makes the call.
    assert!(said.contains("0 to create, 2 to update, 0 to delete"), "{said}");
}

#[test]
fn the_kill_switch_of_an_agent_takes_everything_and_is_told() {
    let (_place, folder) = copy_of("quickstart");
    apply(&folder);
    edit(&folder, "agent.yaml", "  tenant: people\n", "  tenant: people\n  enabled: false\n");
    let said = aipolicy(&folder, &["plan", "--detailed-exitcode"]).expect(2);
    for lost in [
        "may no longer read `s3://quickstart-handbook/published/`",
        "may no longer send requests to route `chat`",
    ] {
        assert!(said.contains(&format!("- agent `handbook` {lost}")), "{lost}: {said}");
    }
    assert!(said.contains("0 to create, 0 to update, 24 to delete") && !said.contains("may now"), "{said}");
    apply(&folder);
    let left = crate::harness::files_below(&folder.join(".aipolicy"));
    assert!(!left.iter().any(|file| file.contains("handbook")), "{left:#?}");
    aipolicy(&folder, &["plan", "--detailed-exitcode"]).expect(0);
}

#[test]
fn a_saved_plan_is_applied_once() {
    let (_place, folder) = copy_of("quickstart");
    aipolicy(&folder, &["plan", "-e", "dev", "-o", "saved.json"]).expect(0);
    aipolicy(&folder, &["apply", "--plan", "saved.json"]).expect(0);
    let said = aipolicy(&folder, &["apply", "saved.json"]).expect(5);
    assert!(said.contains("applied already"), "{said}");
}

#[test]
fn a_saved_plan_is_refused_when_something_changed() {
    let (_place, folder) = copy_of("quickstart");
    aipolicy(&folder, &["plan", "-e", "dev", "-o", "saved.json"]).expect(0);
    edit(&folder, "gateway.yaml", "output: 1024", "output: 2048");
    let said = aipolicy(&folder, &["apply", "--plan", "saved.json"]).expect(5);
    assert!(said.contains("the sources changed"), "{said}");
    edit(&folder, "gateway.yaml", "output: 2048", "output: 1024");
    write(&folder, ".aipolicy/world/dev/iam/Role/theirs.json", "{}\n");
    let said = aipolicy(&folder, &["apply", "--plan", "saved.json"]).expect(5);
    assert!(said.contains("the world changed"), "{said}");
}

#[test]
fn an_edited_plan_is_refused() {
    let (_place, folder) = copy_of("quickstart");
    aipolicy(&folder, &["plan", "-e", "dev", "-o", "saved.json"]).expect(0);
    let text = std::fs::read_to_string(folder.join("saved.json")).unwrap();
    let edited = text.replace("quickstart-handbook/published/*", "quickstart-handbook/*");
    assert_ne!(text, edited);
    write(&folder, "saved.json", edited);
    let said = aipolicy(&folder, &["apply", "--plan", "saved.json"]).expect(5);
    assert!(said.contains("edited"), "{said}");
    assert!(!folder.join(".aipolicy/world").exists(), "nothing was applied");
}

#[test]
fn what_is_not_ours_is_neither_touched_nor_relied_on() {
    let (_place, folder) = copy_of("quickstart");
    let theirs = ".aipolicy/world/dev/iam/Role/quickstart-dev-agent-handbook.json";
    write(&folder, theirs, "{\"RoleName\": \"theirs\"}\n");
    for command in [&["plan"][..], &["apply", "--yes"]] {
        let said = aipolicy(&folder, command).expect(3);
        let found = "`iam/Role/quickstart-dev-agent-handbook` exists already and is not ours";
        assert!(
            said.contains("AIP-CMP-006") && said.contains(found) && said.contains("agent.yaml:4:"),
            "{said}"
        );
    }
    let left = crate::harness::files_below(&folder.join(".aipolicy"));
    assert_eq!(left, ["world/dev/iam/Role/quickstart-dev-agent-handbook.json"], "nothing was applied");
    assert_eq!(std::fs::read_to_string(folder.join(theirs)).unwrap(), "{\"RoleName\": \"theirs\"}\n");
}

#[test]
fn drift_is_named_and_mended() {
    let (_place, folder) = copy_of("quickstart");
    apply(&folder);
    let role = ".aipolicy/world/dev/iam/Role/quickstart-dev-agent-handbook.json";
    edit(&folder, role, "3600", "43200");
    let said = aipolicy(&folder, &["plan", "--detailed-exitcode"]).expect(2);
    assert!(said.contains("changed by somebody else"), "{said}");
    apply(&folder);
    aipolicy(&folder, &["plan", "--detailed-exitcode"]).expect(0);
}

#[test]
fn what_leaves_the_sources_leaves_the_world() {
    let (_place, folder) = copy_of("quickstart");
    apply(&folder);
    let text = std::fs::read_to_string(folder.join("agent.yaml")).unwrap();
    write(&folder, "agent.yaml", text.split("---\n").skip(1).collect::<Vec<_>>().join("---\n"));
    let said = aipolicy(&folder, &["plan"]).expect(0);
    assert!(said.contains("- agent `handbook` may no longer read"), "{said}");
    assert!(said.contains("delete iam/Role/quickstart-dev-agent-handbook"), "{said}");
    apply(&folder);
    assert!(!folder.join(".aipolicy/world/dev/iam/Role/quickstart-dev-agent-handbook.json").exists());
}

#[test]
fn a_policy_can_forbid_a_change() {
    let (_place, folder) = copy_of("quickstart");
    let forbid = "@id(\"no-deletes\")\n@help(\"ask the platform team\")\nforbid (principal, action == Action::\"change\", resource)\n\
                  when { resource.kind == \"Role\" && context.operation == \"create\" };\n";
    write(&folder, "policies/no-deletes.cedar", forbid);
    edit(
        &folder,
        "aipolicy.yaml",
        "packs: [baseline, residency, least-privilege]",
        "policies: [policies]\n  packs: [baseline, residency, least-privilege]",
    );
    for command in [&["plan"][..], &["apply", "--yes"]] {
        let said = aipolicy(&folder, command).expect(3);
        assert!(said.contains("policy `no-deletes` forbids to create `iam/Role/"), "{said}");
    }
    assert!(!folder.join(".aipolicy/world").exists(), "nothing was applied");
}

#[test]
fn nobody_is_asked_where_nobody_is() {
    let (_place, folder) = copy_of("quickstart");
    let said = aipolicy(&folder, &["apply"]).expect(1);
    assert!(said.contains("--yes"), "{said}");
    let (_place, folder) = copy_of("acme");
    let said = aipolicy(&folder, &["apply", "--yes"]).expect(1);
    assert!(said.contains("one environment at a time"), "{said}");
}

#[test]
fn a_provider_that_this_version_lacks_is_named_with_its_line() {
    let (_place, folder) = copy_of("quickstart");
    edit(&folder, "environment.yaml", "  logging:", "  providers: { iam: kubernetes }\n  logging:");
    let said = aipolicy(&folder, &["plan"]).expect(1);
    let expected = "no provider `kubernetes` for the target `iam`";
    assert!(said.contains("environment.yaml:") && said.contains(expected), "{said}");
}
