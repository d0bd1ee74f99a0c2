//! The function that verifies a gated call: asked of Cedar, and granted to the gate alone.

use serde_json::json;

use super::{ACME, at, workspace};
use crate::harness::workspace::Built;

/// An agent whose tool is verified by a connector that says this.
fn verified_by(connector: &str) -> Built {
    Built::of(workspace(&[
        ("Environment", "prod", "aws: { accountId: \"111122223333\", regions: [eu-central-1] }"),
        ("Tenant", "t", "owner: a@acme.example, environments: [prod], clearance: [internal], models: [m]"),
        ("Model", "m", "provider: bedrock, modelId: openai.gpt-oss-20b-1:0"),
        ("Connector", "cases", "dynamoDb: { table: cases }, region: eu-central-1, dataClass: internal"),
        ("Connector", "check", connector),
        (
            "Agent",
            "clerk",
            "tenant: t, model: { model: m }, tools: [\
             { name: open, connector: cases, access: write, gate: { verify: { with: check } } }]",
        ),
    ]))
}

/// The code and the text under each finding.
fn told(built: &Built) -> Vec<(String, &str)> {
    let found = built.diagnostics.iter();
    found.map(|one| (one.code.to_string(), built.sources.slice(one.primary.span))).collect()
}

#[test]
fn the_gate_may_call_the_function_and_the_agent_may_not() {
    let lambda = "lambda: { function: check, qualifier: live }, region: eu-central-1, dataClass: internal";
    let built = verified_by(lambda);
    let gate = built.json("iam/Policy/w-prod-gate-clerk-open");
    let statements = at(&gate, "/PolicyDocument/Statement").as_array().unwrap();
    let function = "arn:aws:lambda:eu-central-1:111122223333:function:check:live";
    let at = statements.iter().position(|one| one["Sid"] == "VerifyByCheck").unwrap();
    let expected = json!({
        "Sid": "VerifyByCheck", "Effect": "Allow", "Action": ["lambda:InvokeFunction"], "Resource": [function]
    });
    assert_eq!(statements[at], expected);
    assert_eq!(statements.len(), 2);
    assert!(!built.text("iam/Policy/w-prod-agent-clerk").contains("lambda:"));
    let artifact =
        built.all().find(|one| one.document.address.to_string() == "iam/Policy/w-prod-gate-clerk-open");
    let trace = &artifact.unwrap().trace;
    let origin = trace.at(&format!("/PolicyDocument/Statement/{at}/Action/0")).unwrap();
    assert_eq!(built.sources.slice(origin.span), "check");
    let text = built.sources.get(origin.span.source).text();
    assert_eq!(origin.span.start as usize, text.find("with: check").unwrap() + "with: ".len());
    let by: Vec<_> =
        origin.policies.iter().filter_map(|by| built.compilation.decisions.policy(*by)).collect();
    assert_eq!(by.iter().map(|policy| policy.id.as_str()).collect::<Vec<_>>(), ["baseline-connectors"]);
}

#[test]
fn cedar_decides_about_the_function() {
    let elsewhere = "lambda: { function: check }, region: us-east-1, dataClass: internal";
    assert_eq!(told(&verified_by(elsewhere)), [("AIP-POL-005".to_owned(), "check")]);
    let secret = "lambda: { function: check }, region: eu-central-1, dataClass: restricted";
    assert_eq!(told(&verified_by(secret)), [("AIP-DAT-001".to_owned(), "check")]);
}

#[test]
fn what_is_no_function_cannot_verify() {
    let queue = "sqs: { queue: check }, region: eu-central-1, dataClass: internal";
    assert_eq!(told(&verified_by(queue)), [("AIP-CMP-002".to_owned(), "check")]);
}

#[test]
fn every_verified_tool_of_the_example_has_its_function() {
    for (gate, sid) in [
        ("acme-prod-gate-dispute-clerk-open-dispute", "VerifyByDisputeCheck"),
        ("acme-prod-gate-statement-reader-ask-for-review", "VerifyByReviewCheck"),
    ] {
        assert!(ACME.text(&format!("iam/Policy/{gate}")).contains(sid), "{gate}");
    }
}
