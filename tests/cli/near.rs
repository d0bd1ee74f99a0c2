//! The near miss of `can`: what it tells, written into the workspace, turns the verdict round.

use std::path::Path;

use super::{DAY, aipolicy, edit};

const WORKSPACE: &str = r#"apiVersion: aipolicy.dev/v1
kind: Workspace
metadata: { name: near }
spec: { packs: [baseline, residency], targets: [] }
---
apiVersion: aipolicy.dev/v1
kind: Environment
metadata: { name: prod }
spec: { aws: { accountId: "111122223333", regions: [eu-central-1] } }
---
apiVersion: aipolicy.dev/v1
kind: Tenant
metadata: { name: payments }
spec: { owner: team@acme.example, environments: [prod], clearance: [internal], models: [small] }
---
apiVersion: aipolicy.dev/v1
kind: Model
metadata: { name: small }
spec: { provider: bedrock, modelId: openai.gpt-oss-20b-1:0, processing: { approvedClasses: [internal] } }
---
apiVersion: aipolicy.dev/v1
kind: Model
metadata: { name: large }
spec: { provider: bedrock, modelId: openai.gpt-oss-120b-1:0, processing: { approvedClasses: [public] } }
---
apiVersion: aipolicy.dev/v1
kind: Connector
metadata: { name: papers }
spec: { s3: { bucket: acme-papers }, region: us-east-1, dataClass: internal }
---
apiVersion: aipolicy.dev/v1
kind: Agent
metadata: { name: bot }
spec:
  tenant: payments
  model: { model: large }
  tools:
    - { name: read, connector: papers, access: read }
"#;

const READ: [&str; 3] = ["Agent/bot", "readConnector", "Connector/papers"];
const CALL: [&str; 3] = ["Agent/bot", "invokeModel", "Model/large"];

fn workspace() -> tempfile::TempDir {
    let place = tempfile::tempdir().unwrap();
    std::fs::write(place.path().join("aipolicy.yaml"), WORKSPACE).unwrap();
    place
}

fn can(folder: &Path, question: [&str; 3], exit: i32) -> String {
    let [principal, action, resource] = question;
    aipolicy(folder, &["can", principal, action, resource, "--as-of", DAY]).expect(exit)
}

/// The connector is elsewhere: one region more, or another one, and reading it is permitted.
#[test]
fn one_change_is_enough_and_what_is_told_is_true() {
    let place = workspace();
    let said = can(place.path(), READ, 3);
    for wanted in [
        "  would be allowed if `region` were \"eu-central-1\" instead of \"us-east-1\"\n",
        "  would be allowed if `regions` of Environment/prod (aipolicy.yaml:8:19) held \"us-east-1\" too\n",
    ] {
        assert!(said.contains(wanted), "{said}");
    }
    assert!(!said.contains(" and `"), "one is enough: {said}");
    edit(place.path(), "aipolicy.yaml", "regions: [eu-central-1]", "regions: [eu-central-1, us-east-1]");
    let said = can(place.path(), READ, 0);
    assert!(said.contains("would be denied if "), "{said}");
    let place = workspace();
    edit(place.path(), "aipolicy.yaml", "region: us-east-1", "region: eu-central-1");
    can(place.path(), READ, 0);
}

/// The tenant has neither the model nor an approval for its class: each alone is not enough, and both are.
#[test]
fn two_changes_where_none_alone_is_enough() {
    let place = workspace();
    let said = can(place.path(), CALL, 3);
    let wanted = "`models` of Tenant/payments (aipolicy.yaml:13:19) held Model::\"large\" too";
    let other = "`approvedClasses` of Model/large (aipolicy.yaml:23:19) held \"internal\" too";
    let told = said.lines().find(|line| line.contains(wanted) && line.contains(other));
    assert!(told.is_some_and(|line| line.contains(" and ")), "{said}");
    edit(place.path(), "aipolicy.yaml", "models: [small]", "models: [small, large]");
    let said = can(place.path(), CALL, 3);
    assert!(said.contains(&format!("  would be allowed if {other}\n")), "{said}");
    edit(place.path(), "aipolicy.yaml", "approvedClasses: [public]", "approvedClasses: [public, internal]");
    can(place.path(), CALL, 0);
}

/// A residency rule too: what one forbids, and what a tenant may not, are told together.
#[test]
fn three_changes_where_two_are_not_enough() {
    let place = workspace();
    let rule = "kind: ResidencyRule\nmetadata: { name: eu }\nspec: { appliesTo: { dataClasses: [internal] }, allow: { regions: [eu-north-1] } }\n";
    let with_rule = WORKSPACE.replace("approvedClasses: [public]", "approvedClasses: [restricted]")
        + "---\napiVersion: aipolicy.dev/v1\n"
        + rule;
    std::fs::write(place.path().join("aipolicy.yaml"), with_rule).unwrap();
    let said = can(place.path(), CALL, 3);
    let first =
        said.lines().find(|line| line.contains("would be allowed")).unwrap_or_else(|| panic!("{said}"));
    for part in ["`models` of Tenant/payments", "`approvedClasses` of Model/large", " and "] {
        assert!(first.contains(part), "{first}");
    }
    assert_eq!(first.matches(" and ").count(), 2, "{first}");
}

/// What a waiver excepts is said by the waiver, and what nobody asks for has no verdict to turn round.
#[test]
fn what_nobody_asks_for_has_no_near_miss() {
    let place = workspace();
    let said = can(place.path(), ["Agent/bot", "invokeModel", "Model/small"], 3);
    assert!(said.contains("never asked") && !said.contains("would be"), "{said}");
    let asked =
        ["can", "Agent/bot", "invokeModel", "Model/large", "--context", "region=us-east-1", "--as-of", DAY];
    let said = aipolicy(place.path(), &asked).expect(3);
    assert!(
        said.contains("prod: never asked with region=us-east-1, but with region=eu-central-1\n"),
        "{said}"
    );
}
