//! Least privilege is broken by whatever is changed in what was compiled.

use std::collections::BTreeSet;

use aipolicy_compiler::model::environment::EnvironmentSpec;
use aipolicy_targets::artifact::Document;
use aipolicy_targets::privilege::{Proof, prove};
use serde_json::{Value, json};

use super::ACME;

fn proof(documents: &[Document]) -> Proof {
    let graph = &ACME.compilation.graph;
    let prod = graph.find::<EnvironmentSpec>("prod").unwrap();
    let grants = ACME.compilation.decisions.approved(graph, prod).unwrap();
    prove(grants, &ACME.sources, documents, &aipolicy_targets::capabilities()).unwrap()
}

/// A mistake in a statement, where it has room for one.
type Mistake = fn(&mut Value) -> Option<()>;

/// Mistakes that let more happen.
const WIDER: &[(&str, Mistake)] = &[
    ("a condition less", |statement| {
        let conditions = statement.get_mut("Condition")?.as_object_mut()?;
        let operator = conditions.keys().next_back()?.clone();
        conditions.remove(&operator).map(|_| ())
    }),
    ("any resource", |statement| {
        statement["Resource"] = json!(["*"]);
        Some(())
    }),
    ("the actions of the service", |statement| {
        let action = statement["Action"][0].as_str()?.to_owned();
        let (service, _) = action.split_once(':')?;
        statement["Action"] = json!([format!("{service}:*")]);
        Some(())
    }),
];

/// Mistakes that let less happen.
const NARROWER: &[(&str, Mistake)] = &[
    ("an action less", |statement| {
        let actions = statement["Action"].as_array_mut()?;
        actions.pop().filter(|_| !actions.is_empty()).map(|_| ())
    }),
    ("a resource less, such as the model in one destination of a profile", |statement| {
        let resources = statement["Resource"].as_array_mut()?;
        resources.pop().filter(|_| !resources.is_empty()).map(|_| ())
    }),
    ("a condition more", |statement| {
        statement["Condition"]["Bool"]["aws:MultiFactorAuthPresent"] = json!("true");
        Some(())
    }),
    ("a denial", |statement| {
        statement["Effect"] = json!("Deny");
        Some(())
    }),
];

/// Makes a mistake in the statement at a position of every policy, and tells in whose.
fn mistaken(at: usize, mistake: Mistake) -> (Vec<Document>, BTreeSet<String>) {
    let prod = &ACME.artifacts.iter().find(|(name, _)| name == "prod").unwrap().1;
    let mut roles = BTreeSet::new();
    let documents = prod.iter().map(|artifact| {
        let mut document = artifact.document.clone();
        let address = &document.address;
        // What budgets attach is not attached.
        let apart = address.name.contains("-stop-") || address.name.contains("-boundary-");
        if address.target == "iam" && address.kind == "Role" {
            // A boundary would catch some of them.
            let mut role: Value = serde_json::from_str(&document.text).unwrap();
            role.as_object_mut().unwrap().remove("PermissionsBoundary");
            document.text = role.to_string();
        } else if address.target == "iam" && address.kind == "Policy" && !apart {
            let mut policy: Value = serde_json::from_str(&document.text).unwrap();
            let statement = policy.pointer_mut(&format!("/PolicyDocument/Statement/{at}"));
            if statement.and_then(mistake).is_some() {
                roles.insert(address.name.clone());
                document.text = policy.to_string();
            }
        }
        document
    });
    (documents.collect(), roles)
}

#[test]
fn whatever_is_widened_is_used_by_no_grant() {
    let mut mistakes = 0;
    for (name, mistake) in WIDER {
        for at in 0.. {
            let (documents, roles) = mistaken(at, *mistake);
            if mistaken(at, |_| Some(())).1.is_empty() {
                break;
            }
            let proof = proof(&documents);
            let found: BTreeSet<_> = proof.unused.iter().map(|unused| unused.role.clone()).collect();
            assert_eq!(found, roles, "{name} in statement {at}: {:?}", proof.not_proven);
            mistakes += roles.len();
        }
    }
    assert!(mistakes > 200, "{mistakes}");
}

#[test]
fn whatever_is_narrowed_leaves_a_grant_without_effect() {
    let mut mistakes = 0;
    for (name, mistake) in NARROWER {
        for at in 0.. {
            let (documents, roles) = mistaken(at, *mistake);
            if mistaken(at, |_| Some(())).1.is_empty() {
                break;
            }
            let proof = proof(&documents);
            let found: BTreeSet<_> = proof.ineffective.iter().map(|found| found.role.clone()).collect();
            assert_eq!(found, roles, "{name} in statement {at}: {:?}", proof.not_proven);
            mistakes += roles.len();
        }
    }
    assert!(mistakes > 200, "{mistakes}");
}
