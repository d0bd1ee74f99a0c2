//! Roles: who may assume them, what they are called, and what is too large or too clever for IAM.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use aipolicy_targets::artifact::Artifact;
use serde_json::{Value, json};

use super::iam::everything;
use super::{ACME, at, texts, workspace};
use crate::harness::workspace::Built;

#[test]
fn trust_fits_the_runtime_and_says_for_whom_a_service_acts() {
    let built = everything();
    let trust = |role: &str| {
        at(&built.json(&format!("iam/Role/w-prod-{role}")), "/AssumeRolePolicyDocument/Statement/0").clone()
    };
    let service = |name: &str, source: &str| {
        json!({
            "Effect": "Allow", "Principal": { "Service": name }, "Action": ["sts:AssumeRole"],
            "Condition": { "ArnLike": { "aws:SourceArn": source }, "StringEquals": { "aws:SourceAccount": "111122223333" } }
        })
    };
    let all = "eu-central-1:111122223333";
    assert_eq!(
        trust("agent-reader"),
        service("bedrock-agentcore.amazonaws.com", &format!("arn:aws:bedrock-agentcore:{all}:*"))
    );
    assert_eq!(
        trust("agent-writer"),
        service("bedrock.amazonaws.com", &format!("arn:aws:bedrock:{all}:agent/*"))
    );
    assert_eq!(trust("gateway-tasks"), service("ecs-tasks.amazonaws.com", &format!("arn:aws:ecs:{all}:*")));
    let pod = |namespace: &str, account: &str| {
        json!({
            "Effect": "Allow", "Principal": { "Service": "pods.eks.amazonaws.com" },
            "Action": ["sts:AssumeRole", "sts:TagSession"],
            "Condition": { "StringEquals": {
                "aws:RequestTag/eks-cluster-name": "pods",
                "aws:RequestTag/kubernetes-namespace": namespace,
                "aws:RequestTag/kubernetes-service-account": account,
            } }
        })
    };
    assert_eq!(trust("workload-pod"), pod("pay", "pod"));
    assert_eq!(trust("gateway-podded"), pod("aipolicy-gateways", "podded"));
    let issuer = "oidc.eks.eu-central-1.amazonaws.com/id/ABC123";
    assert_eq!(
        trust("workload-old-pod"),
        json!({
            "Effect": "Allow", "Principal": { "Federated": format!("arn:aws:iam::111122223333:oidc-provider/{issuer}") },
            "Action": ["sts:AssumeRoleWithWebIdentity"],
            "Condition": { "StringEquals": {
                format!("{issuer}:aud"): "sts.amazonaws.com",
                format!("{issuer}:sub"): "system:serviceaccount:pay:old-pod",
            } }
        })
    );
    // Lambda states no source when it assumes a role.
    let lambda = json!({ "Effect": "Allow", "Principal": { "Service": "lambda.amazonaws.com" }, "Action": ["sts:AssumeRole"] });
    assert_eq!(trust("workload-function"), lambda);
}

#[test]
fn roles_carry_the_mark_of_their_workspace_and_attach_their_policies() {
    let built = everything();
    let roles = built.sound().into_iter().filter(|one| one.document.address.kind == "Role");
    for role in roles {
        let found: Value = serde_json::from_str(&role.document.text).unwrap();
        assert_eq!(found["Path"], "/aipolicy/w/prod/");
        let tags = json!([{ "Key": "aipolicy:environment", "Value": "prod" }, { "Key": "aipolicy:workspace", "Value": "w" }]);
        assert_eq!(found["Tags"], tags);
        let named = |need: &aipolicy_targets::artifact::Address| {
            format!("arn:aws:iam::111122223333:policy/aipolicy/w/prod/{}", need.name)
        };
        let mut named_there = texts(&found["AttachedManagedPolicies"]);
        named_there.extend(found["PermissionsBoundary"].as_str());
        assert_eq!(named_there, role.needs.iter().map(named).collect::<Vec<_>>());
        for need in &role.needs {
            assert!(built.all().any(|one| one.document.address == *need), "{need}");
        }
    }
}

/// A workspace with one agent and what it needs.
fn small(environment: &str, agent: (&str, &str), more: &[(&str, &str, &str)]) -> String {
    let aws = "aws: { accountId: \"111122223333\", regions: [eu-central-1] }";
    let tenant = format!(
        "owner: a@acme.example, environments: [{environment}], clearance: [internal], models: [m], namespaces: [n]"
    );
    let mut all = vec![
        ("Environment", environment, aws),
        ("Tenant", "t", tenant.as_str()),
        ("Model", "m", "provider: bedrock, modelId: openai.gpt-oss-20b-1:0"),
        ("Agent", agent.0, agent.1),
    ];
    all.extend(more);
    workspace(&all)
}

#[test]
fn long_names_are_cut_and_keep_apart_what_they_cut() {
    let name = |end: &str| format!("{}{end}", "a".repeat(60));
    let agent = "tenant: t, model: { model: m }";
    let (one, two) = (name("one"), name("two"));
    let built = Built::of(small(&"e".repeat(63), (&one, agent), &[("Agent", &two, agent)]));
    let addresses: Vec<_> = built.sound().iter().map(|one| one.document.address.clone()).collect();
    let roles: Vec<_> = addresses.iter().filter(|one| one.kind == "Role").collect();
    assert_eq!(roles.len(), 2);
    assert!(roles.iter().all(|role| role.name.len() <= 64), "{roles:?}");
    assert!(addresses.iter().all(|one| one.name.len() <= 128));
    assert_ne!(roles[0].name, roles[1].name);
}

/// An agent with so many tools, each over a table of its own, and the findings or documents of it.
fn agent_with(tools: usize) -> Built {
    agent_with_each(0..tools)
}

/// An agent with these tools, each over a table of its own.
fn agent_with_each(tools: impl Iterator<Item = usize>) -> Built {
    let mut list = String::new();
    let mut connectors = String::new();
    for at in tools {
        write!(list, "{{ name: tool-{at}, connector: c-{at}, access: read }}, ").unwrap();
        let spec = format!(
            "dynamoDb: {{ table: quite-a-long-name-of-a-table-{at} }}, region: eu-central-1, dataClass: internal"
        );
        connectors += &super::document("Connector", &format!("c-{at}"), &spec);
    }
    let agent = format!("tenant: t, model: {{ model: m }}, tools: [{list}]");
    Built::of(small("prod", ("busy", &agent), &[]) + &connectors)
}

#[test]
fn what_does_not_fit_one_policy_is_split_and_nothing_is_lost() {
    let built = agent_with(60);
    let of_tools = |name: &str| name.starts_with("w-prod-tools-busy");
    let policies: Vec<_> = built
        .sound()
        .into_iter()
        .filter(|one| one.document.address.kind == "Policy" && of_tools(&one.document.address.name))
        .collect();
    assert!((2..=10).contains(&policies.len()), "{}", policies.len());
    let mut tables = Vec::new();
    for policy in &policies {
        let found: Value = serde_json::from_str(&policy.document.text).unwrap();
        let document = &found["PolicyDocument"];
        assert!(document.to_string().chars().count() <= 6144);
        for statement in document["Statement"].as_array().unwrap() {
            let read = texts(&statement["Action"]).contains(&"dynamodb:GetItem");
            tables.extend(texts(&statement["Resource"]).into_iter().filter(|_| read).map(str::to_owned));
        }
    }
    tables.sort();
    tables.dedup();
    assert_eq!(tables.len(), 60);
    let role = built.json("iam/Role/w-prod-tools-busy");
    assert_eq!(role["AttachedManagedPolicies"].as_array().unwrap().len(), policies.len());
}

/// Wherever it stands among the others, one tool more changes one policy of the role that makes the call and one of the role
/// that starts it, or puts two in its place.
#[test]
fn one_tool_more_changes_one_policy() {
    let policies = |built: &Built, role: &str| -> BTreeMap<String, String> {
        let all = built.sound().into_iter().map(|one| &one.document);
        let of_role = all.filter(|one| one.address.kind == "Policy" && one.address.name.starts_with(role));
        of_role.map(|one| (one.address.name.clone(), one.text.clone())).collect()
    };
    let all = agent_with(40);
    for new in [0, 17, 39] {
        let without = agent_with_each((0..40).filter(|at| *at != new));
        for role in ["w-prod-tools-busy", "w-prod-caller-busy"] {
            let (before, after) = (policies(&without, role), policies(&all, role));
            let gone = |one: &BTreeMap<_, _>, other: &BTreeMap<_, _>| {
                one.iter().filter(|(name, text)| other.get(*name) != Some(*text)).count()
            };
            assert!(before.len() > 1, "{role} needs several policies");
            assert_eq!(gone(&before, &after), 1, "{role} without tool {new}");
            assert!((1..=2).contains(&gone(&after, &before)), "{role} with tool {new}");
        }
    }
}

#[test]
fn what_does_not_fit_one_role_is_refused_at_its_line() {
    let found = agent_with(400).findings();
    let text = small("prod", ("busy", "x: y"), &[]);
    let line = text.lines().position(|line| line.contains("name: busy")).unwrap() + 1;
    // The role of the tools, and that of the function that starts them.
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(found.iter().all(|one| one.code == "AIP-IAM-009" && one.line >= line), "{found:#?}");
}

#[test]
fn trust_policies_are_small() {
    for built in [everything(), &*ACME] {
        let is_role = |one: &&Artifact| one.document.address.to_string().starts_with("iam/Role/");
        for role in built.sound().into_iter().filter(is_role) {
            let found: Value = serde_json::from_str(&role.document.text).unwrap();
            assert!(found["AssumeRolePolicyDocument"].to_string().len() < 2048, "{}", role.document.address);
        }
    }
}

/// Compiles an agent that reads each of these connectors, and returns the findings of each: the code, and the text
/// under it.
fn refused(connectors: &[String]) -> Vec<Vec<(String, String)>> {
    let tools =
        (0..connectors.len()).map(|at| format!("{{ name: t-{at}, connector: c-{at}, access: read }}, "));
    let agent = format!("tenant: t, model: {{ model: m }}, tools: [{}]", tools.collect::<String>());
    let mut text = small("prod", ("a", &agent), &[]);
    let before = text.lines().count();
    for (at, connector) in connectors.iter().enumerate() {
        let connector = format!("{connector}, region: eu-central-1, dataClass: internal");
        text += &super::document("Connector", &format!("c-{at}"), &connector);
    }
    let built = Built::of(text);
    assert!(built.artifacts.is_empty());
    let mut all = vec![Vec::new(); connectors.len()];
    for found in built.diagnostics.iter() {
        // A connector that cannot be read is missed by the agent too.
        let line = built.sources.position(found.primary.span).line;
        let Some(at) = line.checked_sub(before + 1).map(|line| line / 5) else { continue };
        let place = built.sources.slice(found.primary.span).trim_matches('"');
        all[at].push((found.code.to_string(), place.to_owned()));
    }
    all
}

#[test]
fn text_that_iam_would_take_for_syntax_is_refused_at_its_place() {
    let kinds: &[fn(&str) -> String] = &[
        |text| format!("s3: {{ bucket: \"{text}\" }}"),
        |text| format!("s3: {{ bucket: b, prefixes: [\"{text}\"] }}"),
        |text| format!("dynamoDb: {{ table: \"{text}\" }}"),
        |text| format!("dynamoDb: {{ table: t, indexes: [\"{text}\"] }}"),
        |text| format!("lambda: {{ function: \"{text}\" }}"),
        |text| format!("secretsManager: {{ secret: \"{text}\" }}"),
        |text| format!("openSearch: {{ collection: \"{text}\" }}"),
        |text| format!("s3Vectors: {{ bucket: v, index: \"{text}\" }}"),
        |text| format!("knowledgeBase: {{ id: \"{text}\" }}"),
        |text| format!("sqs: {{ queue: \"{text}\" }}"),
        |text| format!("stepFunctions: {{ stateMachine: \"{text}\" }}"),
    ];
    for text in ["files-*", "files-?", "*", "${aws:username}", "${aws:PrincipalTag/tenant}"] {
        let connectors: Vec<_> = kinds.iter().map(|kind| kind(text)).collect();
        for (connector, found) in connectors.iter().zip(refused(&connectors)) {
            let told = found.iter().all(|(code, place)| code == "AIP-CMP-002" && place == text);
            assert!(!found.is_empty() && told, "{connector}: {found:?}");
        }
    }
    let endpoint = "s3: { bucket: b }, network: { vpcEndpoint: \"${aws:SourceVpce}\" }".to_owned();
    let found = refused(&[endpoint]);
    assert!(
        !found[0].is_empty() && found[0].iter().all(|(_, place)| place == "${aws:SourceVpce}"),
        "{found:?}"
    );
    let arns =
        ["arn:aws:kms:eu-central-1:111122223333:key/*", "arn:aws:kms:eu-central-1:111122223333:key/${x}"];
    let keys = arns.map(|arn| format!("s3: {{ bucket: b }}, encryption: {{ kmsKeyArn: \"{arn}\" }}"));
    let expected = arns.map(|arn| vec![("AIP-LNG-004".to_owned(), arn.to_owned())]);
    assert_eq!(refused(&keys), expected);
}

#[test]
fn variables_in_what_trust_compares_are_refused() {
    let workload = "tenant: t, platform: eks, cluster: k";
    let cluster = "environment: prod, region: eu-central-1, eksName: \"${aws:x}\", identity: pod-identity";
    let agent = ("a", "tenant: t, model: { model: m }");
    let built = Built::of(small("prod", agent, &[("Cluster", "k", cluster), ("Workload", "x", workload)]));
    let found = built.findings();
    assert_eq!(found.iter().map(|one| one.code.as_str()).collect::<Vec<_>>(), ["AIP-CMP-002"]);
    assert!(built.artifacts.is_empty());
}

#[test]
fn irsa_without_its_provider_is_refused_where_it_is_chosen() {
    let cluster = "environment: prod, region: eu-central-1, eksName: k, identity: irsa";
    let workload = "tenant: t, platform: eks, cluster: k";
    let agent = ("a", "tenant: t, model: { model: m }");
    let built = Built::of(small("prod", agent, &[("Cluster", "k", cluster), ("Workload", "x", workload)]));
    let found: Vec<_> =
        built.diagnostics.iter().map(|one| (&*one.code, built.sources.slice(one.primary.span))).collect();
    assert_eq!(found, [("AIP-CMP-002", "irsa")]);
}

#[test]
fn two_resources_with_one_name_are_refused() {
    let tool = "tools: [{ name: b-c, connector: f, access: write, gate: { approval: { from: [g] } } }]";
    let other = "tools: [{ name: c, connector: f, access: write, gate: { approval: { from: [g] } } }]";
    let agent = |tools: &str| format!("tenant: t, model: {{ model: m }}, {tools}");
    let (one, two) = (agent(tool), agent(other));
    let more = [
        ("Agent", "a-b", two.as_str()),
        ("Connector", "f", "lambda: { function: f }, region: eu-central-1, dataClass: internal"),
        ("Group", "g", "members: [x@acme.example]"),
    ];
    let found = Built::of(small("prod", ("a", &one), &more)).findings();
    assert!(!found.is_empty() && found.iter().all(|one| one.code == "AIP-CMP-003"), "{found:#?}");
}
