//! The kill switch: a disabled agent asks for nothing, holds nothing, and stops nobody else.

use aipolicy_compiler::ir::{Object, Principal};
use aipolicy_compiler::model::agent::AgentSpec;
use aipolicy_compiler::model::environment::EnvironmentSpec;
use aipolicy_targets::effects::{Facts, compare, facts};
use aipolicy_targets::plan::EffectClass;

use super::workspace;
use crate::harness::workspace::Built;

/// An agent with a bit of everything, one that may hand work to it, and a route that it uses.
fn built(enabled: bool) -> Built {
    let tools = "tools: [\
        { name: look, connector: files, access: read }, \
        { name: pay, connector: payments, access: write, gate: { approval: { from: [leads] } } }, \
        { name: save, connector: files, access: write, gate: confirm }]";
    let agent = format!(
        "tenant: t, enabled: {enabled}, model: {{ model: m }}, memory: {{ retention: 30d }}, \
         triggers: [{{ schedule: {{ cron: \"0 6 * * ? *\", deadLetter: failed }} }}], collaborators: [{{ agent: chief }}], {tools}"
    );
    let route = "gateway: edge, match: { tenants: [t] }, dataClass: internal, primary: [{ model: m }], \
                 caps: { output: 64 }";
    let region = "region: eu-central-1, dataClass: internal";
    Built::of(workspace(&[
        (
            "Environment",
            "prod",
            "aws: { accountId: \"111122223333\", regions: [eu-central-1] }, severity: { AIP-AGT-004: off, AIP-AGT-011: off, AIP-CMP-009: off, AIP-RTE-009: off }",
        ),
        ("Tenant", "t", "owner: a@acme.example, environments: [prod], clearance: [internal], models: [m]"),
        ("Model", "m", "provider: bedrock, modelId: openai.gpt-oss-20b-1:0"),
        ("Gateway", "edge", "dialect: litellm, environment: prod, region: eu-central-1"),
        ("Route", "chat", route),
        ("Connector", "files", &format!("s3: {{ bucket: acme-files }}, {region}")),
        ("Connector", "payments", &format!("lambda: {{ function: pay }}, {region}")),
        ("Connector", "failed", &format!("sqs: {{ queue: failed }}, {region}")),
        ("Group", "leads", "members: [x@acme.example]"),
        ("Agent", "mopper", &agent),
        ("Agent", "sweeper", &format!("tenant: t, enabled: {enabled}, model: {{ route: chat }}")),
        ("Agent", "chief", "tenant: t, model: { route: chat }, collaborators: [{ agent: mopper }]"),
        (
            "Budget",
            "of-t",
            "scope: { tenant: t }, period: month, limit: USD 9, thresholds: [{ at: 80%, do: notify, to: [a@acme.example] }]",
        ),
        (
            "Budget",
            "of-mopper",
            "scope: { agent: mopper }, period: month, limit: USD 5, thresholds: [{ at: 80%, do: notify, to: [a@acme.example] }]",
        ),
    ]))
}

fn granted(built: &Built) -> Facts {
    let graph = &built.compilation.graph;
    let environment = graph.find::<EnvironmentSpec>("prod").unwrap();
    facts(graph, &built.compilation.decisions, environment, &built.sources)
}

#[test]
fn a_disabled_agent_asks_for_nothing_and_nothing_is_asked_about_it() {
    for enabled in [true, false] {
        let built = built(enabled);
        let graph = &built.compilation.graph;
        for name in ["mopper", "sweeper"] {
            let agent = graph.find::<AgentSpec>(name).unwrap();
            let about =
                |object: &Object| matches!(object, Object::Agent(id) | Object::Tool(id, _) if *id == agent);
            let decisions = built.compilation.decisions.all().iter();
            let count = decisions
                .filter(|one| one.request.principal == Principal::Agent(agent) || about(&one.request.object))
                .count();
            assert_eq!(count > 0, enabled, "{name}: {count}");
        }
    }
}

#[test]
fn no_artifact_names_a_disabled_agent() {
    let names = |built: &Built| {
        let names: Vec<_> = built.sound().iter().map(|one| one.document.address.to_string()).collect();
        names
    };
    let (on, off) = (built(true), built(false));
    let gone: Vec<_> = names(&on).into_iter().filter(|name| !names(&off).contains(name)).collect();
    let expected = [
        "iam/Policy/w-prod-agent-mopper",
        "iam/Policy/w-prod-agent-sweeper",
        "iam/Policy/w-prod-caller-mopper",
        "iam/Policy/w-prod-gate-mopper-pay",
        "iam/Policy/w-prod-gateway-mopper-tools",
        "iam/Policy/w-prod-schedule-mopper-schedule",
        "iam/Policy/w-prod-tools-mopper",
        "iam/Policy/w-prod-trigger-mopper-schedule",
        "iam/Role/w-prod-agent-mopper",
        "iam/Role/w-prod-agent-sweeper",
        "iam/Role/w-prod-caller-mopper",
        "iam/Role/w-prod-gate-mopper-pay",
        "iam/Role/w-prod-gateway-mopper-tools",
        "iam/Role/w-prod-schedule-mopper-schedule",
        "iam/Role/w-prod-tools-mopper",
        "iam/Role/w-prod-trigger-mopper-schedule",
    ];
    assert_eq!(gone, expected);
    assert!(names(&off).iter().all(|name| names(&on).contains(name)));
    for artifact in off.sound() {
        let text = &artifact.document.text;
        for word in ["mopper", "sweeper", "acme-files", "function:pay"] {
            assert!(!text.contains(word), "{}: {word}", artifact.document.address);
        }
    }
    // What others hold is the same bytes; the boundary of their tenant is that of all its agents.
    for artifact in off.sound() {
        let address = artifact.document.address.to_string();
        if address == "iam/Policy/w-prod-boundary-t" {
            continue;
        }
        assert_eq!(artifact.document.text, on.text(&address), "{address}");
    }
}

#[test]
fn what_a_disabled_agent_loses_are_effects() {
    let found = compare(&granted(&built(true)), &granted(&built(false)));
    assert!(found.iter().all(|effect| effect.class == EffectClass::Narrows), "{found:#?}");
    let said: Vec<_> = found.iter().map(|effect| effect.sentence.as_str()).collect();
    for expected in [
        "agent `mopper` may no longer invoke model `m`",
        "agent `mopper` may no longer read `s3://acme-files/`",
        "agent `mopper` may no longer write to `function pay` (connector `payments`), behind its gate (approval)",
        "agent `mopper` may no longer call tool `mopper.look`",
        "agent `mopper` may no longer hand work to agent `chief`",
        "agent `chief` may no longer hand work to agent `mopper`",
        "agent `mopper` may no longer be started by the clock at `0 6 * * ? *` in UTC",
        "agent `sweeper` may no longer send requests to route `chat`",
        "internal data of `t` may no longer be kept in eu-central-1 (memory",
    ] {
        assert!(said.iter().any(|one| one.starts_with(expected)), "{expected}: {said:#?}");
    }
}

#[test]
fn whoever_refers_to_a_disabled_agent_is_told_and_not_stopped() {
    let (on, off) = (built(true), built(false));
    let disabled = |built: &Built| built.findings().iter().filter(|one| one.code == "AIP-AGT-023").count();
    assert_eq!(disabled(&on), 0);
    // What no target carries is told of the agent while it is enabled, and of the budget.
    let found: Vec<_> = off.diagnostics.iter().filter(|one| one.code != "AIP-CMP-009").collect();
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!((&*found[0].code, found[0].severity.word()), ("AIP-AGT-023", "note"));
    assert_eq!(off.sources.slice(found[0].primary.span), "mopper");
    assert_eq!(off.sources.slice(found[0].related[0].span), "false");
    assert!(!off.artifacts.is_empty());
}
