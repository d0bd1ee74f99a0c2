//! A gate is not beside an open door: wherever two tools would share a right of IAM, the check refuses one of them.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{texts, workspace};
use crate::harness::workspace::Built;

/// What a connector is, and how a tool uses it.
type Tool = (&'static str, &'static str);

/// Two tools of one agent, the second behind an approval, and whether the first goes around its gate.
const CASES: &[(Tool, Tool, bool)] = &[
    (("s3: { bucket: b }", "write"), ("s3: { bucket: b, prefixes: [eu/] }", "write"), true),
    (
        ("s3: { bucket: b, prefixes: [eu/x] }", "write"),
        ("s3: { bucket: b, prefixes: [us/, eu/] }", "write"),
        true,
    ),
    (("s3: { bucket: b, prefixes: [us/] }", "write"), ("s3: { bucket: b, prefixes: [eu/] }", "write"), false),
    (("s3: { bucket: c }", "write"), ("s3: { bucket: b }", "write"), false),
    (("s3: { bucket: b }", "read"), ("s3: { bucket: b }", "write"), false),
    (("s3: { bucket: b }", "read"), ("s3: { bucket: b }", "read"), true),
    (
        ("s3: { bucket: b }, partition: { key: x }", "write"),
        ("s3: { bucket: b, prefixes: [t/] }", "write"),
        true,
    ),
    (
        ("s3: { bucket: b }, partition: { key: x }", "write"),
        ("s3: { bucket: b, prefixes: [u/] }", "write"),
        false,
    ),
    (("dynamoDb: { table: a }", "write"), ("dynamoDb: { table: a }, partition: { key: x }", "write"), true),
    (("dynamoDb: { table: a }", "read"), ("dynamoDb: { table: a }", "write"), false),
    (("dynamoDb: { table: a }", "write"), ("dynamoDb: { table: b }", "write"), false),
    (("lambda: { function: f }", "read"), ("lambda: { function: f }", "write"), true),
    (("lambda: { function: f }", "write"), ("lambda: { function: f, qualifier: live }", "write"), true),
    (
        ("lambda: { function: \"f:live\" }", "write"),
        ("lambda: { function: f, qualifier: live }", "write"),
        true,
    ),
    (("lambda: { function: g }", "write"), ("lambda: { function: f }", "write"), false),
    (
        ("openSearch: { collection: c, index: i }", "read"),
        ("openSearch: { collection: c, index: j }", "write"),
        true,
    ),
    (("secretsManager: { secret: s }", "write"), ("secretsManager: { secret: s }", "write"), true),
    (("secretsManager: { secret: s }", "read"), ("secretsManager: { secret: s }", "write"), false),
    (("s3Vectors: { bucket: v, index: i }", "write"), ("s3Vectors: { bucket: v, index: i }", "write"), true),
    (("s3Vectors: { bucket: v, index: i }", "write"), ("s3Vectors: { bucket: v, index: j }", "write"), false),
    (("knowledgeBase: { id: ABCDEFGHIJ }", "read"), ("knowledgeBase: { id: ABCDEFGHIJ }", "read"), true),
    (("sqs: { queue: q }", "write"), ("sqs: { queue: q }", "write"), true),
    (("sqs: { queue: q }", "read"), ("sqs: { queue: q }", "write"), false),
    (("stepFunctions: { stateMachine: m }", "write"), ("stepFunctions: { stateMachine: m }", "write"), true),
    (("stepFunctions: { stateMachine: m }", "read"), ("stepFunctions: { stateMachine: m }", "write"), false),
    (
        ("http: { url: \"https://a.acme.example\" }", "write"),
        ("http: { url: \"https://a.acme.example\" }", "write"),
        true,
    ),
    (
        ("http: { url: \"https://A.acme.example:443/v1\" }", "write"),
        ("http: { url: \"https://a.acme.example/\" }", "write"),
        true,
    ),
    (
        ("http: { url: \"https://a.acme.example/v1\" }", "write"),
        ("http: { url: \"https://a.acme.example/v10\" }", "write"),
        false,
    ),
    (
        ("mcp: { url: \"https://a.acme.example\", version: \"1\" }", "read"),
        ("mcp: { url: \"https://a.acme.example\", version: \"1\" }", "write"),
        true,
    ),
    (
        ("mcp: { url: \"https://a.acme.example\", version: \"1\" }", "write"),
        ("mcp: { url: \"https://b.acme.example\", version: \"1\" }", "write"),
        false,
    ),
    (("sqs: { queue: x }", "write"), ("stepFunctions: { stateMachine: x }", "write"), false),
];

fn built(first: Tool, second: Tool, agents: &[(&str, String)]) -> Built {
    let connector = |kind: &str| format!("{kind}, region: eu-central-1, dataClass: internal");
    let (one, other) = (connector(first.0), connector(second.0));
    let mut all = vec![
        (
            "Environment",
            "prod",
            "aws: { accountId: \"111122223333\", regions: [eu-central-1] }, severity: { AIP-CMP-009: off }",
        ),
        ("Tenant", "t", "owner: a@acme.example, environments: [prod], clearance: [internal], models: [m]"),
        ("Model", "m", "provider: openai-compatible, modelId: m, endpoint: \"https://m.acme.example\""),
        ("Group", "leads", "members: [x@acme.example]"),
        ("Connector", "one", one.as_str()),
        ("Connector", "other", other.as_str()),
    ];
    all.extend(agents.iter().map(|(name, spec)| ("Agent", *name, spec.as_str())));
    Built::of(workspace(&all))
}

fn agent(tools: &[String]) -> String {
    format!("tenant: t, model: {{ model: m }}, tools: [{}]", tools.join(", "))
}

fn tool(connector: &str, access: &str, gate: &str) -> String {
    format!("{{ name: {connector}-tool, connector: {connector}, access: {access}{gate} }}")
}

/// What the role of an agent's tools may do where, apart from keys, and from lists that are bound to prefixes.
fn rights(built: &Built, agent: &str) -> BTreeSet<(String, String)> {
    let beside = ["kms:Decrypt", "kms:GenerateDataKey", "s3:ListBucket", "dynamodb:DescribeTable"];
    let mut rights = BTreeSet::new();
    let policies = built.sound().into_iter().filter(|one| {
        one.document.address.kind == "Policy" && one.document.address.name == format!("w-prod-tools-{agent}")
    });
    for policy in policies {
        let found: Value = serde_json::from_str(&policy.document.text).unwrap();
        for statement in found["PolicyDocument"]["Statement"].as_array().unwrap() {
            for action in texts(&statement["Action"]).into_iter().filter(|action| !beside.contains(action)) {
                let resources = texts(&statement["Resource"]).into_iter();
                rights.extend(resources.map(|resource| (action.to_owned(), resource.to_owned())));
            }
        }
    }
    rights
}

/// Whether two patterns, in which only the last letter may be `*`, have a resource in common.
fn meet(left: &str, right: &str) -> bool {
    let (one, other) = (left.trim_end_matches('*'), right.trim_end_matches('*'));
    let wide = |pattern: &str, plain: &str| pattern != plain;
    one == other
        || (wide(left, one) && other.starts_with(one))
        || (wide(right, other) && one.starts_with(other))
}

#[test]
fn the_check_refuses_at_least_what_iam_would_allow() {
    let approval = ", gate: { approval: { from: [leads] } }";
    for (first, second, expected) in CASES {
        let open = if first.1 == "write" { ", gate: confirm" } else { "" };
        let other = if second.1 == "write" { ", gate: confirm" } else { "" };
        let together = agent(&[tool("one", first.1, open), tool("other", second.1, approval)]);
        let mut found = built(*first, *second, &[("both", together)]).findings();
        found.retain(|found| found.code != "AIP-CMP-009");
        let codes: Vec<_> = found.iter().map(|one| one.code.as_str()).collect();
        assert_eq!(codes == ["AIP-AGT-002"], *expected, "{first:?} {second:?}: {found:#?}");
        assert!(*expected || codes.is_empty(), "{first:?} {second:?}: {found:#?}");
        let alone = [
            ("first", agent(&[tool("one", first.1, open)])),
            ("second", agent(&[tool("other", second.1, other)])),
        ];
        let apart = built(*first, *second, &alone);
        let (first_rights, second_rights) = (rights(&apart, "first"), rights(&apart, "second"));
        let shared = first_rights.iter().any(|(action, resource)| {
            second_rights.iter().any(|(other, held)| action == other && meet(resource, held))
        });
        assert!(!shared || *expected, "{first:?} {second:?}: {first_rights:?} {second_rights:?}");
    }
}

#[test]
fn the_tool_that_goes_around_is_to_blame_and_the_gate_is_shown() {
    let approval = ", gate: { approval: { from: [leads] } }";
    let same = ("lambda: { function: f }", "write");
    for open in ["", ", gate: confirm"] {
        let both = agent(&[tool("one", "write", open), tool("other", "write", approval)]);
        let built = built(same, same, &[("both", both)]);
        let found: Vec<_> = built.diagnostics.iter().collect();
        assert_eq!(found.len(), 1, "{found:#?}");
        assert_eq!(found[0].code, "AIP-AGT-002");
        let (sources, blamed) = (&built.sources, found[0].primary.span);
        let text = sources.get(blamed.source).text();
        let open_tool = "connector: one, access: ";
        assert_eq!(blamed.start as usize, text.find(open_tool).unwrap() + open_tool.len());
        assert_eq!(sources.slice(blamed), "write");
        assert!(sources.slice(found[0].related[0].span).contains("approval"), "{found:#?}");
        let scopes: Vec<_> = found[0].related[1..].iter().map(|label| label.text.as_str()).collect();
        assert_eq!(scopes, ["`one` is function f", "`other` is function f"]);
    }
}
