//! Templates say what documents say: nothing is lost, nothing is added, and everything has an order.

use std::collections::{BTreeMap, BTreeSet};

use aipolicy_targets::artifact::{Artifact, Format};
use serde_json::Value;

use super::{ACME, at, at_once, bedrock, sound, stack, templates, workspaces};
use crate::harness::workspace::Built;
use crate::targets::bedrock::requests::data_keys;

/// What goes without saying in a template, by kind: that an action group is of the draft of its agent, what a right is
/// called, the tags that policies cannot have there, which thing something more is said about, and the name of the module
/// that holds the code.
const UNSAID: &[(&str, &str)] = &[
    ("ActionGroup", "agentVersion"),
    ("AgentCollaborator", "agentVersion"),
    ("AgentKnowledgeBase", "agentVersion"),
    ("Function", "Handler"),
    ("FunctionPermission", "StatementId"),
    ("Policy", "Tags"),
    ("Subscription", "ReturnSubscriptionArn"),
];

/// Keys that are data to the SDK, and have another name in a template.
const RENAMED: &[(&str, &str)] = &[("QueuePolicy", "Policy")];

/// What no stack can do.
const BESIDE: &[&str] =
    &["BucketStatements", "EndpointPolicy", "InvocationLogging", "KeyStatements", "QueueRedrive"];

/// What belongs to its agent, and what says more about a thing of another kind that has the same name.
const OF_AGENTS: &[&str] = &["ActionGroup", "AgentCollaborator", "AgentKnowledgeBase"];
const MORE: &[(&str, &str)] = &[
    ("FunctionConcurrency", "Function"),
    ("LogRetention", "LogGroup"),
    ("RuleTargets", "Rule"),
    ("TimeToLive", "Table"),
];

/// The documents of the two targets that templates replace.
fn documents(built: &'static Built, environment: &str) -> Vec<(&'static Artifact, Value)> {
    let (_, artifacts) = built.artifacts.iter().find(|(own, _)| own == environment).unwrap();
    let ours =
        artifacts.iter().filter(|one| ["iam", "bedrock", "lambda"].contains(&&*one.document.address.target));
    let read = |one: &Artifact| match one.document.format {
        Format::Json => serde_json::from_str(&one.document.text).unwrap(),
        Format::Yaml | Format::Text => Value::String(one.document.text.clone()),
    };
    ours.map(|one| (one, read(one))).collect()
}

/// Everything in a value that is no list and no map, and all keys; texts that hold documents are looked into.
#[derive(Default)]
struct Content {
    leaves: BTreeSet<String>,
    keys: BTreeSet<String>,
}

impl Content {
    fn of(value: &Value) -> Self {
        let mut content = Self::default();
        content.add(value);
        content
    }

    fn add(&mut self, value: &Value) {
        match value {
            Value::Object(entries) => {
                for (key, value) in entries.iter().filter(|(key, _)| *key != "$ref" && *key != "$region") {
                    self.keys.insert(key.clone());
                    self.add(value);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.add(item)),
            Value::String(text) => {
                self.leaves.insert(text.clone());
                if let Ok(held @ (Value::Object(_) | Value::Array(_))) = serde_json::from_str(text) {
                    self.add(&held);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => _ = self.leaves.insert(value.to_string()),
        }
    }
}

/// The resource of an address, with the stack that it is in.
fn resource<'t>(templates: &'t [(&str, Value)], address: &str) -> Option<(&'t str, &'t Value)> {
    let mut found = templates.iter().flat_map(|(stack, template)| {
        let own = template["Resources"].as_object().unwrap().values();
        own.filter(|one| one["Metadata"]["aipolicy"]["address"] == address).map(|one| (*stack, one))
    });
    let first = found.next();
    assert!(found.next().is_none(), "{address} is there twice");
    first
}

/// The address of what a document is part of, or its own.
fn whole(artifact: &Artifact, document: &Value) -> String {
    let address = &artifact.document.address;
    if OF_AGENTS.contains(&address.kind.as_str()) {
        return document["agentId"]["$ref"].as_str().unwrap().split('#').next().unwrap().to_owned();
    }
    let more = MORE.iter().find(|(kind, _)| *kind == address.kind);
    more.map_or_else(
        || address.to_string(),
        |(_, kind)| format!("{}/{kind}/{}", address.target, address.name),
    )
}

#[test]
fn every_document_is_in_a_template_with_all_that_it_says() {
    for built in workspaces() {
        for (environment, artifacts) in sound(built) {
            let templates = templates(&artifacts);
            for (artifact, mut document) in documents(built, &environment) {
                let address = artifact.document.address.to_string();
                let kind = artifact.document.address.kind.as_str();
                if BESIDE.contains(&kind) {
                    assert!(artifacts.iter().any(|one| one == artifact), "{address} is kept");
                    continue;
                }
                if kind == "FunctionCode" {
                    let all =
                        templates.iter().flat_map(|(_, one)| one["Resources"].as_object().unwrap().values());
                    let holds = |one: &&Value| one["Properties"]["Code"]["ZipFile"] == document;
                    let holders = all.filter(holds).count();
                    let named = format!("{address}#zip");
                    let refers =
                        |(_, other): &&(_, Value)| other["Code"]["ZipFile"]["$ref"] == named.as_str();
                    let wanted = documents(built, &environment).iter().filter(refers).count();
                    assert!(holders == wanted && wanted > 0, "{address}: {holders} of {wanted}");
                    continue;
                }
                assert!(!artifacts.iter().any(|one| one == artifact), "{address} is there as a document too");
                let (stack, found) = resource(&templates, &whole(artifact, &document))
                    .unwrap_or_else(|| panic!("{address} is in no template"));
                let everywhere = if kind == "ServiceControlPolicy" { "organization" } else { "iam" };
                assert_eq!(stack, document["$region"].as_str().unwrap_or(everywhere), "{address}");
                // A function that runs an image has no handler.
                let image = document.get("PackageType").is_some();
                for (_, member) in UNSAID.iter().filter(|(own, _)| *own == kind && !image) {
                    document.as_object_mut().unwrap().remove(*member).unwrap();
                }
                let (said, wanted) = (Content::of(&found["Properties"]), Content::of(&document));
                let lost: Vec<_> = wanted.leaves.difference(&said.leaves).collect();
                assert!(lost.is_empty(), "{address} has lost {lost:#?}");
            }
            for (_, template) in &templates {
                for (id, one) in template["Resources"].as_object().unwrap() {
                    let address = one["Metadata"]["aipolicy"]["address"].as_str().unwrap();
                    let made =
                        |(other, _): &(&Artifact, Value)| other.document.address.to_string() == address;
                    assert!(documents(built, &environment).iter().any(made), "{id} is there for nothing");
                }
            }
        }
    }
}

#[test]
fn names_that_somebody_chose_are_kept() {
    let mut seen = 0;
    for built in workspaces() {
        for (environment, artifacts) in sound(built) {
            let templates = templates(&artifacts);
            let documents = documents(built, &environment);
            let artifacts: Vec<_> = documents.iter().map(|(one, _)| (*one).clone()).collect();
            for (address, keys) in data_keys(&artifacts) {
                let of = |(one, _): &&(&Artifact, Value)| one.document.address.to_string() == address;
                let (artifact, document) = documents.iter().find(of).unwrap();
                let Some((_, found)) = resource(&templates, &whole(artifact, document)) else { continue };
                let said = Content::of(&found["Properties"]);
                let renamed = |key: &String| RENAMED.contains(&(&artifact.document.address.kind, key));
                for key in keys.into_iter().filter(|key| !renamed(key)) {
                    seen += 1;
                    assert!(
                        said.keys.contains(&key) || said.leaves.contains(&key),
                        "{address} has lost `{key}`"
                    );
                }
            }
        }
    }
    assert!(seen > 100, "only {seen} keys");
}

#[test]
fn documents_of_iam_are_the_same() {
    for built in workspaces() {
        for (environment, artifacts) in sound(built) {
            let templates = templates(&artifacts);
            let mut seen = BTreeMap::from([("Role", 0), ("Policy", 0)]);
            for (artifact, document) in documents(built, &environment) {
                let address = &artifact.document.address;
                if address.target != "iam" || BESIDE.contains(&&*address.kind) {
                    continue;
                }
                let (_, found) = resource(&templates, &address.to_string()).unwrap();
                let mut same: Vec<(&str, &str)> = match address.kind.as_str() {
                    "Role" => vec![
                        ("RoleName", "RoleName"),
                        ("Path", "Path"),
                        ("AssumeRolePolicyDocument", "AssumeRolePolicyDocument"),
                        ("MaxSessionDuration", "MaxSessionDuration"),
                        ("AttachedManagedPolicies", "ManagedPolicyArns"),
                        ("Tags", "Tags"),
                    ],
                    "Policy" => vec![
                        ("PolicyName", "ManagedPolicyName"),
                        ("Path", "Path"),
                        ("PolicyDocument", "PolicyDocument"),
                    ],
                    "BucketPolicy" => vec![("Bucket", "Bucket"), ("Policy", "PolicyDocument")],
                    "SecretPolicy" => vec![
                        ("SecretId", "SecretId"),
                        ("ResourcePolicy", "ResourcePolicy"),
                        ("BlockPublicPolicy", "BlockPublicPolicy"),
                    ],
                    "ServiceControlPolicy" => ["Name", "Description", "Type", "Content", "TargetIds", "Tags"]
                        .map(|one| (one, one))
                        .into(),
                    other => panic!("nobody compares a {other}"),
                };
                // Roles of tenants have one.
                let boundary = document.get("PermissionsBoundary");
                same.extend(boundary.map(|_| ("PermissionsBoundary", "PermissionsBoundary")));
                for (member, property) in &same {
                    assert_eq!(document[member], found["Properties"][property], "{address} {member}");
                }
                let said = found["Properties"].as_object().unwrap().len();
                assert_eq!(said, same.len(), "{address} says more");
                *seen.entry(address.kind.as_str()).or_default() += 1;
            }
            assert!(seen["Role"] > 3 && seen["Policy"] > 3, "{seen:?}");
        }
    }
}

/// What a resource waits for: what it names, and what it refers to.
fn waits_for(resource: &Value) -> BTreeSet<String> {
    let named = resource["DependsOn"].as_array().into_iter().flatten();
    let mut found: BTreeSet<String> = named.map(|one| one.as_str().unwrap().to_owned()).collect();
    referred(&resource["Properties"], &mut found);
    found
}

fn referred(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(entries) => {
            for (key, value) in entries {
                if key == "Fn::GetAtt" {
                    found.insert(value[0].as_str().unwrap().to_owned());
                }
                assert!(
                    !["Ref", "Fn::Sub", "Fn::ImportValue", "$ref", "$join"].contains(&key.as_str()),
                    "{key}"
                );
                referred(value, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| referred(item, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn resources_can_be_made_one_after_another() {
    let mut most = 0;
    for built in workspaces() {
        for (environment, artifacts) in sound(built) {
            for (stack, template) in templates(&artifacts) {
                let resources = template["Resources"].as_object().unwrap();
                let mut waiting: BTreeMap<_, _> =
                    resources.iter().map(|(id, one)| (id.clone(), waits_for(one))).collect();
                for (id, others) in &waiting {
                    let gone: Vec<_> =
                        others.iter().filter(|other| !resources.contains_key(*other)).collect();
                    assert!(gone.is_empty(), "{environment} {stack}: {id} waits for {gone:?}");
                }
                let mut rounds = 0;
                while !waiting.is_empty() {
                    let ready: Vec<_> = waiting
                        .iter()
                        .filter(|(_, others)| others.is_empty())
                        .map(|(id, _)| id.clone())
                        .collect();
                    assert!(!ready.is_empty(), "{environment} {stack}: a circle in {waiting:#?}");
                    waiting.retain(|id, _| !ready.contains(id));
                    waiting.values_mut().for_each(|others| others.retain(|other| !ready.contains(other)));
                    rounds += 1;
                }
                most = most.max(rounds);
            }
        }
    }
    assert!(most > 4, "what waits for nothing needs no order: {most} rounds");
}

#[test]
fn what_needs_something_comes_after_it() {
    let (_, artifacts) = sound(&ACME).into_iter().find(|(name, _)| name == "prod").unwrap();
    let templates = templates(&artifacts);
    let wait = |stack: &str, id: &str| {
        let (_, template) = templates.iter().find(|(own, _)| *own == stack).unwrap();
        waits_for(at(template, &format!("/Resources/{id}")))
    };
    // A gateway refuses everything until its policies are there, and they name it.
    let policy = wait("eu-central-1", "CedarPolicyInvoiceBotIssueRefund");
    for needed in ["GatewayInvoiceBot", "PolicyEngineInvoiceBot", "GatewayTargetInvoiceBotTools"] {
        assert!(policy.contains(needed), "{policy:?}");
    }
    // An agent is there before it may call its function, and its alias is made of what works.
    let alias = wait("us-east-1", "AgentAliasCaseAssistantUsProd");
    for needed in
        ["AgentCaseAssistantUs", "FunctionPermissionCaseAssistantUs", "FunctionToolsCaseAssistantUs"]
    {
        assert!(alias.contains(needed), "{alias:?}");
    }
    let permission = wait("us-east-1", "FunctionPermissionCaseAssistantUs");
    assert!(permission.contains("AgentCaseAssistantUs"), "{permission:?}");
    let role = wait("iam", "RoleGateInvoiceBotIssueRefund");
    let policies = ["PolicyBoundaryPayments", "PolicyGateInvoiceBotIssueRefund"];
    assert_eq!(role, policies.map(str::to_owned).into());
}

#[test]
fn a_stack_tells_how_agents_are_called() {
    let callable = [
        "AWS::Bedrock::AgentAlias",
        "AWS::BedrockAgentCore::Gateway",
        "AWS::BedrockAgentCore::HarnessEndpoint",
    ];
    let mut seen = 0;
    for (_, artifacts) in sound(&ACME) {
        for (stack, template) in templates(&artifacts) {
            let resources = template["Resources"].as_object().unwrap().iter();
            let wanted: BTreeSet<_> = resources
                .filter(|(_, one)| callable.contains(&one["Type"].as_str().unwrap()))
                .map(|(id, _)| id)
                .collect();
            let outputs = template["Outputs"].as_object();
            let told: BTreeSet<_> = outputs.into_iter().flatten().map(|(id, _)| id).collect();
            assert_eq!(told, wanted, "{stack}");
            for (id, output) in outputs.into_iter().flatten() {
                assert_eq!(output["Value"]["Fn::GetAtt"][0], *id);
                seen += 1;
            }
        }
    }
    assert!(seen > 8, "{seen} outputs");
}

#[test]
fn what_people_said_outlives_its_stack() {
    for (_, artifacts) in sound(bedrock::everything()) {
        for (_, template) in templates(&artifacts) {
            for (id, one) in template["Resources"].as_object().unwrap() {
                let kept = (one["DeletionPolicy"].as_str(), one["UpdateReplacePolicy"].as_str());
                let wanted = match one["Type"].as_str().unwrap() {
                    "AWS::BedrockAgentCore::Memory" | "AWS::Logs::LogGroup" | "AWS::Logs::LogStream" => {
                        (Some("Retain"), Some("Retain"))
                    }
                    "AWS::DynamoDB::Table" => (Some("Delete"), Some("Delete")),
                    "AWS::Bedrock::GuardrailVersion" | "AWS::SQS::Queue" => (Some("Delete"), Some("Retain")),
                    _ => (None, None),
                };
                assert_eq!(kept, wanted, "{id}");
            }
        }
    }
}

#[test]
fn the_same_input_gives_the_same_templates() {
    let texts = |built: &Built| -> Vec<String> {
        let all = sound(built).into_iter().flat_map(|(_, artifacts)| artifacts);
        all.filter(|one| stack(one).is_some()).map(|one| one.document.text).collect()
    };
    assert_eq!(texts(&ACME), texts(&Built::example_with("examples/acme", at_once)));
}
