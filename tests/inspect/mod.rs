//! What policies do over the requests of a workspace: seeded mistakes with corrected twins, and a naive count beside it.

mod compared;
mod naive;
mod seeds;
mod symbolic;

use aipolicy_compiler::inspect::{Inspected, Inspection, Subject, Verdict, inspect};
use aipolicy_compiler::model::environment::EnvironmentSpec;

use crate::harness::compile::{Compiled, compile, today};

/// Two tenants, an agent each, a model of each tier, a tool that writes and one that reads.
const WORKSPACE: &str = r#"
apiVersion: aipolicy.dev/v1
kind: Workspace
metadata: { name: case }
spec: { packs: [], policies: [policies], targets: [] }
---
apiVersion: aipolicy.dev/v1
kind: Environment
metadata: { name: prod }
spec: { aws: { accountId: "111122223333", regions: [eu-central-1, eu-west-1] } }
---
apiVersion: aipolicy.dev/v1
kind: Environment
metadata: { name: lab }
spec: { aws: { accountId: "111122223344", regions: [eu-central-1] }, severity: { quiet: off } }
---
apiVersion: aipolicy.dev/v1
kind: Tenant
metadata: { name: payments }
spec: { owner: pay@acme.example, environments: [prod], clearance: [internal, confidential], models: [small, large] }
---
apiVersion: aipolicy.dev/v1
kind: Tenant
metadata: { name: research }
spec: { owner: lab@acme.example, environments: [prod, lab], clearance: [internal], models: [small] }
---
apiVersion: aipolicy.dev/v1
kind: Model
metadata: { name: small }
spec: { provider: bedrock, modelId: openai.gpt-oss-20b-1:0, regions: [eu-central-1], tier: economy }
---
apiVersion: aipolicy.dev/v1
kind: Model
metadata: { name: large }
spec: { provider: bedrock, modelId: openai.gpt-oss-120b-1:0, regions: [eu-west-1], tier: premium }
---
apiVersion: aipolicy.dev/v1
kind: Connector
metadata: { name: ledger }
spec:
  s3: { bucket: acme-ledger, prefixes: [eu/] }
  region: eu-central-1
  dataClass: confidential
---
apiVersion: aipolicy.dev/v1
kind: Agent
metadata: { name: clerk }
spec:
  tenant: payments
  environments: [prod]
  model: { model: large }
  tools:
    - { name: read-entry, connector: ledger, access: read }
    - { name: write-entry, connector: ledger, access: write, gate: confirm }
---
apiVersion: aipolicy.dev/v1
kind: Agent
metadata: { name: scholar }
spec: { tenant: research, environments: [prod, lab], model: { model: small } }
"#;

/// Permits everything, each action by one policy.
const PERMITS: &str = r#"
@id("models") permit (principal, action == Action::"invokeModel", resource);
@id("reads") permit (principal, action == Action::"readConnector", resource);
@id("writes") permit (principal, action == Action::"writeConnector", resource);
@id("tools") permit (principal, action == Action::"callTool", resource);
@id("support") permit (principal, action == Action::"supportRuntime", resource);
@id("content") permit (principal, action == Action::"storeData", resource);
"#;

/// The workspace with some policies.
fn workspace(policies: &str) -> Compiled {
    let file = |path: &str, text: &str| (path.to_owned(), text.to_owned());
    compile(&[file("aipolicy.yaml", WORKSPACE), file("policies/own.cedar", policies)])
}

/// What every policy does.
fn inspected(compiled: &Compiled) -> Inspection {
    let graph = &compiled.compilation.graph;
    let environments: Vec<_> = graph.each::<EnvironmentSpec>().map(|(id, _)| id).collect();
    let policies = &compiled.compilation.policies;
    assert!(!policies.facts().is_empty(), "{:?}", compiled.diagnostics);
    inspect(&Subject { graph, policies, today: today(), environments: &environments }, |_| true)
}

fn id(compiled: &Compiled, one: &Inspected) -> String {
    compiled.compilation.policies.facts()[one.policy.0 as usize].id.clone()
}

fn word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Decides => "deciding",
        Verdict::Vacuous(_) => "vacuous",
        Verdict::Guards(_) => "guarding",
        Verdict::Shadowed { .. } => "shadowed",
        Verdict::Redundant { .. } => "redundant",
        Verdict::Overridden(_) => "overridden",
        Verdict::Off => "off",
        Verdict::Changes => "changes",
    }
}
