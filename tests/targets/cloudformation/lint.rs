//! Templates against `cfn-lint`, which knows the schemas of every resource type.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::{Value, json};

use super::{QUICKSTART, bedrock, sound, templates, workspaces};
use crate::harness::program::answer;
use crate::harness::tools::{Client, Tool};

static LINTER: Tool = Tool {
    name: "cfn-lint",
    client: Client::Pip,
    packages: &[
        "cfn-lint==1.58.0",
        "jsonpatch==1.47",
        "jsonpointer==3.12",
        "mpmath==1.3.0",
        "networkx==3.6.1",
        "PyYAML==6.0.3",
        "regex==2026.11.15",
        "sympy==1.14.0",
        "typing_extensions==4.16.0",
    ],
    options: &["--only-binary=:all:"],
};

/// What the linter finds in templates for regions: the rule, the name of the template, the place, and the message.
/// Everything counts, hints too, but for one: a text is put together by `Fn::Join`, since `Fn::Sub` would read it.
fn findings(templates: &[(String, &str, Value)]) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let mut regions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, stack, template) in templates {
        std::fs::write(folder.path().join(name), serde_json::to_string_pretty(template).unwrap()).unwrap();
        // Roles and policies are the same everywhere.
        let everywhere = ["iam", "organization"].contains(stack);
        regions.entry(if everywhere { "us-east-1" } else { stack }).or_default().push(name);
    }
    let mut found = Vec::new();
    for (region, names) in regions {
        let mut linter = Command::new(LINTER.folder().join("bin/python"));
        linter.arg(LINTER.folder().join("bin/cfn-lint"));
        linter.current_dir(folder.path()).args(["--regions", region, "--include-checks", "I"]);
        linter.args(["--ignore-checks", "I1022", "--configure-rule", "E3012:strict=true"]);
        linter.args(["--format", "json", "--non-zero-exit-code", "none", "--"]).args(names);
        let told: Vec<Value> = serde_json::from_str(&answer(&mut linter, "", "Python 3.11")).unwrap();
        found.extend(told.iter().map(|one| {
            let place: Vec<_> = one["Location"]["Path"].as_array().into_iter().flatten().map(word).collect();
            format!(
                "{} {} {} {}",
                word(&one["Rule"]["Id"]),
                word(&one["Filename"]),
                place.join("/"),
                word(&one["Message"])
            )
        }));
    }
    found
}

fn word(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[test]
fn every_template_is_one_that_the_service_takes() {
    let mut all = Vec::new();
    for (at, built) in workspaces().into_iter().enumerate() {
        for (environment, artifacts) in sound(built) {
            let found = templates(&artifacts);
            assert!(found.iter().any(|(stack, _)| *stack == "iam"), "{environment} has no roles");
            all.extend(found.into_iter().map(|(stack, template)| {
                (format!("{at}-{environment}-{stack}.json"), stack.to_owned(), template)
            }));
        }
    }
    let all: Vec<_> =
        all.iter().map(|(name, stack, one)| (name.clone(), stack.as_str(), one.clone())).collect();
    assert!(all.len() > 8, "{} templates", all.len());
    assert_eq!(findings(&all), [""; 0]);
}

/// A change of a template: the type of a resource, a pointer in it, the new value (without one, it goes), and the rule that
/// finds it.
type Change = (&'static str, &'static str, Option<Value>, &'static str);

#[test]
fn what_the_service_would_refuse_is_found() {
    let changes: [Change; 12] = [
        ("AWS::IAM::Role", "/Properties/AssumeRolePolicyDocument", None, "E3003"),
        (
            "AWS::IAM::ManagedPolicy",
            "/Properties/PolicyDocument/Statement/0/Effect",
            Some(json!("Permit")),
            "E3510",
        ),
        ("AWS::IAM::ManagedPolicy", "/Properties/PolicyName", Some(json!("x")), "E3002"),
        ("AWS::Bedrock::Agent", "/Properties/AgentName", None, "E3003"),
        (
            "AWS::Bedrock::Agent",
            "/Properties/ActionGroups/0/FunctionSchema/functions",
            Some(json!([])),
            "E3002",
        ),
        ("AWS::Bedrock::AgentAlias", "/Properties/AgentId/Fn::GetAtt/1", Some(json!("Id")), "E1010"),
        ("AWS::BedrockAgentCore::Gateway", "/Properties/AuthorizerType", Some(json!("OPEN")), "E3030"),
        ("AWS::BedrockAgentCore::Gateway", "/DependsOn", Some(json!(["Nobody"])), "E3005"),
        ("AWS::BedrockAgentCore::Harness", "/Properties/MaxIterations", Some(json!("twelve")), "E3012"),
        (
            "AWS::BedrockAgentCore::Policy",
            "/Type",
            Some(json!("AWS::BedrockAgentCore::CedarPolicy")),
            "E3006",
        ),
        ("AWS::SQS::Queue", "/Properties/MessageRetentionPeriod", Some(json!("1209600")), "E3012"),
        ("AWS::StepFunctions::StateMachine", "/Properties/DefinitionString", Some(json!("{}")), "E3601"),
    ];
    let artifacts = sound(bedrock::everything()).remove(0).1;
    let mut broken: Vec<_> = templates(&artifacts);
    let mut wanted = Vec::new();
    for (kind, pointer, value, code) in changes {
        let (id, place) = broken.iter_mut().find_map(|(_, template)| resource(template, kind)).unwrap();
        wanted.push((id, code, pointer));
        let (above, key) = pointer.rsplit_once('/').unwrap();
        match (place.pointer_mut(above).unwrap(), value) {
            (Value::Array(items), Some(value)) => items[key.parse::<usize>().unwrap()] = value,
            (place, Some(value)) => place[key] = value,
            (place, None) => _ = place.as_object_mut().unwrap().remove(key).unwrap(),
        }
    }
    let named = broken.into_iter().map(|(stack, template)| (format!("{stack}.json"), stack, template));
    let found = findings(&named.collect::<Vec<_>>());
    for (id, code, pointer) in wanted {
        let is_told = |one: &String| one.starts_with(code) && one.contains(&format!("Resources/{id}/"));
        assert!(found.iter().any(is_told), "{id}{pointer}: {found:#?}");
    }
}

/// The first resource of a type, with its name.
fn resource<'t>(template: &'t mut Value, kind: &str) -> Option<(String, &'t mut Value)> {
    let mut resources = template["Resources"].as_object_mut()?.iter_mut();
    resources.find(|(_, one)| one["Type"] == kind).map(|(id, one)| (id.clone(), one))
}

#[test]
fn a_region_without_a_resource_type_is_found() {
    let artifacts = sound(&QUICKSTART).remove(0).1;
    let template = templates(&artifacts).into_iter().find(|(stack, _)| *stack == "eu-central-1").unwrap().1;
    let found = findings(&[("a.json".to_owned(), "mx-central-1", template)]);
    assert!(found.iter().any(|one| one.starts_with("E3006")), "{found:#?}");
}
