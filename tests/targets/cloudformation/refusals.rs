//! What a template cannot say is refused at the line that asked for it, and nothing comes out.

use aipolicy_targets::artifact::{Artifact, Format};

use super::{Finding, bedrock, written};
use crate::harness::workspace::Built;

const AGENT: (&str, &str, &str) = (
    "Agent",
    "clerk",
    "tenant: t, runtime: bedrock-agents, model: { model: m }, instructions: { file: told.md }, tools: [\
     { name: call, connector: function, access: read, input: { file: one.json } }]",
);

/// A workspace with one agent, and files of its own instead of the usual ones.
fn workspace(agents: &[(&str, &str, &str)], files: &[(&str, &str)]) -> Built {
    let mut documents: Vec<_> =
        bedrock::EVERYTHING.iter().filter(|(kind, ..)| *kind != "Agent").copied().collect();
    documents.extend(agents);
    let mut all = bedrock::files(&documents);
    for (path, text) in files {
        all.iter_mut().find(|(own, _)| own == path).unwrap().1 = (*text).to_owned();
    }
    Built::new(&all)
}

#[track_caller]
fn refused(built: &Built, change: impl Fn(&mut Vec<Artifact>)) -> Finding {
    let one = written(built, change).remove(0);
    assert!(one.artifacts.is_none(), "nothing was refused");
    let errors: Vec<_> = one.findings.into_iter().filter(|found| found.severity == "error").collect();
    assert_eq!(errors.len(), 1, "{errors:#?}");
    errors.into_iter().next().unwrap()
}

#[test]
fn what_nobody_thought_of_is_refused() {
    let built = workspace(&[AGENT], &[]);
    let found = refused(&built, |artifacts| {
        let engine = artifacts.iter_mut().find(|one| one.document.address.kind == "Agent").unwrap();
        engine.document.address.kind = "Robot".into();
    });
    assert!(found.message.contains("`bedrock/Robot/w-prod-clerk`"), "{found:?}");
}

#[test]
fn a_document_in_another_format_is_refused() {
    let built = workspace(&[AGENT], &[]);
    let found = refused(&built, |artifacts| {
        let one = artifacts.iter_mut().find(|one| one.document.address.kind == "AgentAlias").unwrap();
        one.document.format = Format::Yaml;
    });
    assert!(found.message.contains("not written in JSON"), "{found:?}");
}

#[test]
fn text_that_the_service_would_replace_is_refused_at_its_line() {
    let text = "You help people, and say {{resolve:secretsmanager:prod/key:SecretString:key}} to all.\n";
    let found = refused(&workspace(&[AGENT], &[("told.md", text)]), |_| {});
    assert!(found.message.contains("{{resolve:…}}"), "{found:?}");
    assert_eq!(found.file, "case.yaml");
    let schema = r#"{ "type": "object", "additionalProperties": false, "required": ["id"], "properties":
        { "id": { "type": "string", "maxLength": 9, "description": "As {{resolve:ssm:id}} has it." } } }"#;
    let found = refused(&workspace(&[AGENT], &[("one.json", schema)]), |_| {});
    assert_eq!(found.file, "one.json");
}

#[test]
fn what_a_text_that_holds_a_document_cannot_say_is_refused() {
    let built = workspace(&[AGENT], &[]);
    let comment = "\"Calls call for clerk\"";
    let cases = [
        ("\"{{resolve:ssm:x}}\"", "{{resolve:…}}"),
        ("{ \"{{resolve:ssm:x}}\": 1 }", "{{resolve:…}}"),
        ("{ \"$ref\": \"bedrock/Agent/w-prod-clerk#agent.agentId\" }", "from inside of a text"),
    ];
    for (text, told) in cases {
        let found = refused(&built, |artifacts| {
            let machine =
                artifacts.iter_mut().find(|one| one.document.address.kind == "StateMachine").unwrap();
            assert!(machine.document.text.contains(comment));
            machine.document.text = machine.document.text.replace(comment, text);
        });
        assert!(found.message.contains(told), "{found:?}");
    }
}

#[test]
fn a_part_is_where_its_whole_is() {
    let built = workspace(&[AGENT], &[]);
    let found = refused(&built, |artifacts| {
        for one in artifacts.iter_mut().filter(|one| one.document.address.kind == "ActionGroup") {
            one.document.text = one.document.text.replace("eu-central-1", "eu-west-1");
        }
    });
    assert!(found.message.contains("belongs to nothing here"), "{found:?}");
}

#[test]
fn names_that_the_service_would_take_for_functions_are_refused_at_their_line() {
    let schema = r#"{ "type": "object", "additionalProperties": false, "required": ["Ref"],
        "properties": { "Ref": { "type": "string", "maxLength": 9 } } }"#;
    let found = refused(&workspace(&[AGENT], &[("one.json", schema)]), |_| {});
    assert!(found.message.contains("`Ref`"), "{found:?}");
    assert_eq!((found.file.as_str(), found.line), ("one.json", 2));
}

#[test]
fn nothing_refers_to_another_region() {
    let built = workspace(&[AGENT], &[]);
    let found = refused(&built, |artifacts| {
        for one in artifacts.iter_mut().filter(|one| one.document.address.kind == "AgentAlias") {
            one.document.text = one.document.text.replace("eu-central-1", "eu-west-1");
        }
    });
    assert!(
        found.message.contains("cannot refer to `bedrock/Agent/w-prod-clerk#agent.agentId`"),
        "{found:?}"
    );
}

#[test]
fn two_resources_never_have_one_name() {
    let second = |name| ("Agent", name, AGENT.2);
    let one = written(&workspace(&[second("bot-1"), second("bot1")], &[]), |_| {}).remove(0);
    assert!(one.artifacts.is_none());
    let found = one.findings.iter().find(|found| found.message.contains("`AgentBot1`")).unwrap();
    assert_eq!(found.code, "AIP-CMP-003", "{found:?}");
}

#[test]
fn a_template_that_is_too_large_is_refused_at_its_environment() {
    let names: Vec<String> = (0..90).map(|at| format!("agent{at}")).collect();
    let agents: Vec<_> = names.iter().map(|name| ("Agent", name.as_str(), AGENT.2)).collect();
    let one = written(&workspace(&agents, &[]), |_| {}).remove(0);
    assert!(one.artifacts.is_none());
    assert!(one.findings.iter().all(|found| found.code == "AIP-CMP-001"), "{:#?}", one.findings);
    for most in ["resources, and CloudFormation takes 500", "bytes, and CloudFormation takes 1000000"] {
        assert!(one.findings.iter().any(|found| found.message.contains(most)), "{:#?}", one.findings);
    }
}
