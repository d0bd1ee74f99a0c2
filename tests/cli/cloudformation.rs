//! `build --format cloudformation`: what is written, what is said about it, and what `why` answers.

use std::path::Path;

use super::{DAY, Done, aipolicy, copy_of, edit};
use crate::harness::files_below;

fn build(folder: &Path, out: &Path, format: &str) -> Done {
    let out = out.to_str().unwrap();
    aipolicy(folder, &["build", "--as-of", DAY, "--out", out, "--format", format])
}

#[test]
fn templates_take_the_place_of_documents_and_back() {
    let (_place, folder) = copy_of("quickstart");
    let out = tempfile::tempdir().unwrap();
    build(&folder, out.path(), "documents").expect(0);
    let documents = files_below(out.path());
    let said = build(&folder, out.path(), "cloudformation").expect(0);
    assert!(said.contains("has no resource type for the logging of invocations"), "{said}");
    assert!(said.contains("environment.yaml:9:27"), "{said}");
    let templates = files_below(out.path());
    let ours: Vec<_> = templates.iter().filter(|file| !documents.contains(file)).collect();
    let wanted = ["iam.json", "eu-central-1.json"].map(|name| format!("dev/cloudformation/Template/{name}"));
    assert!(ours.len() == 2 && wanted.iter().all(|file| ours.contains(&file)), "{ours:?}");
    let of = |target: &str| templates.iter().filter(|file| file.starts_with(target)).collect::<Vec<_>>();
    assert_eq!(of("dev/iam/"), ["dev/iam/BucketStatements/quickstart-dev-quickstart-ai-logs.json"]);
    assert_eq!(of("dev/bedrock/"), ["dev/bedrock/InvocationLogging/quickstart-dev-eu-central-1.json"]);
    assert!(!of("dev/gateway/").is_empty(), "other targets stay as they are");
    let read = |name: &str| std::fs::read_to_string(out.path().join("dev").join(name)).unwrap();
    for beside in ["origins.json", "manifest.json"] {
        assert!(read(beside).contains("cloudformation/Template/iam.json"), "{beside}");
    }
    let again = build(&folder, out.path(), "cloudformation").expect(0);
    assert!(again.contains("dev: 0 files written"), "{again}");
    build(&folder, out.path(), "documents").expect(0);
    assert_eq!(files_below(out.path()), documents);
}

#[test]
fn what_a_template_cannot_say_leaves_nothing_behind() {
    let (_place, folder) = copy_of("quickstart");
    let out = tempfile::tempdir().unwrap();
    let prompt = folder.join("prompts/handbook.md");
    std::fs::write(&prompt, "Say {{resolve:ssm:greeting}} to everybody who asks you for something.\n")
        .unwrap();
    build(&folder, out.path(), "documents").expect(0);
    let before = files_below(out.path());
    let said = build(&folder, out.path(), "cloudformation").expect(3);
    assert!(said.contains("AIP-CMP-002") && said.contains("agent.yaml"), "{said}");
    assert!(said.contains("nothing was written"), "{said}");
    assert_eq!(files_below(out.path()), before);
}

#[test]
fn why_answers_for_a_value_of_a_template() {
    let (_place, folder) = copy_of("acme");
    for file in ["tenants/payments/agents.yaml", "tenants/support/agents.yaml"] {
        let text = std::fs::read_to_string(folder.join(file)).unwrap();
        let kept = text.split_inclusive('\n').filter(|line| !line.starts_with("  release: "));
        std::fs::write(folder.join(file), kept.collect::<String>()).unwrap();
    }
    let why = |value: &str| aipolicy(&folder, &["why", value, "--as-of", DAY]);
    let gate = "Resources/StateMachineGateInvoiceBotIssueRefund/Properties/DefinitionString/States/Approve1/TimeoutSeconds";
    let said = why(&format!("prod/cloudformation/Template/eu-central-1#/{gate}")).expect(0);
    assert!(said.contains("14400") && said.contains("within: 4h"), "{said}");
    // Only one of the environments has this role.
    let role = "Resources/RoleGateInvoiceBotIssueRefund/Properties/RoleName";
    let said = why(&format!("cloudformation/Template/iam.json#/{role}")).expect(0);
    assert!(said.starts_with("prod/cloudformation/Template/iam.json"), "{said}");
    why(&format!("cloudformation/Template/iam#/{role}s")).expect(1);
    why("cloudformation/Template/eu-west-9").expect(1);
}

#[test]
fn a_target_that_is_not_compiled_has_no_template() {
    let (_place, folder) = copy_of("quickstart");
    edit(&folder, "aipolicy.yaml", "iam, ", "");
    let out = tempfile::tempdir().unwrap();
    build(&folder, out.path(), "cloudformation").expect(0);
    let found = files_below(out.path());
    assert!(!found.iter().any(|file| file.ends_with("Template/iam.json")), "{found:?}");
}
