//! A workspace of any size, the same for the same seed: a part that all share, and for each tenant exactly 1 Tenant,
//! 1 Budget, 2 Agents with 3 tools each, 3 Connectors (S3, DynamoDB, Lambda) and 1 Route with a primary and a fallback.
//!
//! Shared: 1 Workspace (packs `baseline` and `residency`, targets `iam` and `gateway`), 2 Environments with log stores,
//! 4 DataStores, 3 Models, 1 DataClass, 1 Guardrail, 1 ResidencyRule, 1 organisation Budget, 20 policies of the
//! organisation (half of them scoped to one tenant), and 1 Gateway for every 100 tenants.

use std::fmt::Write as _;

use crate::random::Random;

/// What is generated for every tenant.
pub(crate) const PER_TENANT: &str = "1 Tenant, 1 Budget, 2 Agents with 3 tools each, 3 Connectors (S3, DynamoDB, Lambda), 1 Route with 1 fallback";
/// What all tenants share.
pub(crate) const SHARED: &str = "1 Workspace, 2 Environments, 4 DataStores, 3 Models, 1 DataClass, 1 Guardrail, \
    1 ResidencyRule, 1 Budget, 1 Gateway for every 100 tenants; packs baseline and residency; 20 policies";
/// Policies of the organisation.
pub(crate) const POLICIES: usize = 20;
/// Tenants that one gateway serves.
const TENANTS_PER_GATEWAY: usize = 100;

/// The texts of a workspace by path.
pub(crate) struct Texts {
    pub(crate) resources: Vec<(String, String)>,
    pub(crate) policies: Vec<(String, String)>,
    /// Files that resources name.
    pub(crate) named: Vec<(String, String)>,
}

/// The texts of a workspace with so many tenants.
pub(crate) fn workspace(tenants: usize, seed: u64) -> Texts {
    let mut random = Random::new(seed);
    let mut resources = vec![("aipolicy.yaml".to_owned(), SHARED_RESOURCES.to_owned())];
    let gateways = tenants.div_ceil(TENANTS_PER_GATEWAY).max(1);
    resources.extend((0..gateways).map(|at| (format!("gateways/edge-{at}.yaml"), gateway(at))));
    resources.extend((0..tenants).map(|at| (format!("tenants/{}.yaml", name(at)), tenant(at, &mut random))));
    Texts {
        resources,
        policies: (0..POLICIES)
            .map(|at| (format!("policies/organisation-{at:02}.cedar"), policy(at)))
            .collect(),
        named: [("prompts/agent.md", PROMPT), ("tools/input.schema.json", TOOL)]
            .map(|(path, text)| (path.to_owned(), text.to_owned()))
            .into(),
    }
}

fn name(tenant: usize) -> String {
    format!("team-{tenant:05}")
}

fn gateway(at: usize) -> String {
    format!(
        "apiVersion: aipolicy.dev/v1\nkind: Gateway\nmetadata: {{ name: edge-{at} }}\nspec:\n  dialect: litellm\n  \
         environment: prod\n  region: eu-central-1\n  endpoint: https://ai-{at}.acme.example\n  replicas: 3\n  \
         telemetry: {{ prometheus: true }}\n"
    )
}

/// Half of the policies hold for one tenant, the others for all; none of them forbids what the generator asks for.
fn policy(at: usize) -> String {
    let principal = match at % 2 {
        0 => format!("principal in Tenant::\"{}\"", name(at / 2)),
        _ => "principal is Agent".to_owned(),
    };
    let (action, resource, condition) = match at % 4 {
        0 => ("callTool", "Tool", "context.access == \"write\" && context.dataClassRank > 25"),
        1 => ("callTool", "Tool", "context.access == \"write\" && !context.idempotent && !context.schema"),
        2 => ("invokeModel", "Model", "resource has tier && resource.tier == \"frontier\""),
        _ => ("readConnector", "Connector", "context.dataClassRank >= 30 && !resource.privateNetwork"),
    };
    format!(
        "// Rule {at} of the organisation.\n@id(\"acme-rule-{at:02}\")\n@title(\"Rule {at} of the organisation\")\n\
         @severity(\"mandatory\")\n@help(\"Ask the platform team.\")\nforbid (\n    {principal},\n    \
         action == Action::\"{action}\",\n    resource is {resource}\n)\nwhen {{ {condition} }};\n"
    )
}

/// Everything of one tenant, in one file.
fn tenant(at: usize, random: &mut Random) -> String {
    let class = random.one_of(&["internal", "confidential", "personal"]);
    let (tokens, requests, money) = (random.within(1, 9), random.within(100, 900), random.within(500, 9_000));
    let tenant = name(at);
    let gateway = at / TENANTS_PER_GATEWAY;
    let mut text = format!(
        "# {tenant}: generated.\napiVersion: aipolicy.dev/v1\nkind: Tenant\nmetadata: {{ name: {tenant} }}\nspec:\n  \
         owner: {tenant}@acme.example\n  costCentre: CC-{at:05}\n  environments: [prod, staging]\n  \
         clearance: [internal, confidential, personal]\n  models: [haiku, sonnet, nova]\n  modelAccess: any\n  \
         namespaces: [{tenant}]\n  quota: {{ tokens: {tokens}M tokens/min, requests: {requests} requests/min }}\n---\n\
         apiVersion: aipolicy.dev/v1\nkind: Budget\nmetadata: {{ name: {tenant}-monthly }}\nspec:\n  \
         scope: {{ tenant: {tenant} }}\n  parent: organisation-monthly\n  period: month\n  limit: USD {money}\n  \
         tolerance: USD 50\n  thresholds:\n    - {{ at: 80%, do: notify, to: [{tenant}@acme.example] }}\n    \
         - {{ at: 100%, do: block }}\n"
    );
    connectors(&tenant, class, &mut text);
    let primary = random.one_of(&["haiku", "sonnet"]);
    _ = write!(
        text,
        "---\napiVersion: aipolicy.dev/v1\nkind: Route\nmetadata: {{ name: {tenant}-chat }}\nspec:\n  \
         gateway: edge-{gateway}\n  match: {{ tenants: [{tenant}], task: {tenant}-task }}\n  dataClass: {class}\n  \
         criticality: normal\n  qualityFloor: standard\n  primary:\n    - {{ model: {primary} }}\n  fallback:\n    \
         - {{ model: nova, on: [throttled, unavailable, timeout] }}\n  \
         caps: {{ input: 16k, output: 1024, truncate: refuse }}\n  timeout: {{ attempt: 20s, total: 100s }}\n  \
         retry: {{ attempts: 2, on: [throttled, unavailable] }}\n"
    );
    agent((&tenant, "front"), ("prod", &format!("{{ route: {tenant}-chat }}")), &mut text);
    agent((&tenant, "back"), ("staging", &format!("{{ model: {primary} }}")), &mut text);
    text
}

fn connectors(tenant: &str, class: &str, text: &mut String) {
    let key = "arn:aws:kms:eu-central-1:111122223333:key/4b1f0c2e-0000-4000-8000-000000000002";
    let kinds = [
        ("documents", format!("s3: {{ bucket: acme-{tenant}-documents, prefixes: [eu/, shared/] }}"), true),
        ("ledger", format!("dynamoDb: {{ table: {tenant}-ledger, indexes: [by-date] }}"), true),
        ("action", format!("lambda: {{ function: {tenant}-action, qualifier: live }}"), false),
    ];
    for (word, source, encrypted) in kinds {
        _ = write!(
            text,
            "---\napiVersion: aipolicy.dev/v1\nkind: Connector\nmetadata: {{ name: {tenant}-{word} }}\nspec:\n  \
             {source}\n  region: eu-central-1\n  dataClass: {class}\n"
        );
        if encrypted {
            _ = writeln!(text, "  encryption: {{ kmsKeyArn: \"{key}\" }}");
        }
    }
}

fn agent((tenant, word): (&str, &str), (environment, model): (&str, &str), text: &mut String) {
    _ = write!(
        text,
        "---\napiVersion: aipolicy.dev/v1\nkind: Agent\nmetadata: {{ name: {tenant}-{word} }}\nspec:\n  \
         tenant: {tenant}\n  enabled: true\n  environments: [{environment}]\n  runtime: agentcore\n  \
         model: {model}\n  instructions: {{ file: prompts/agent.md }}\n  guardrail: customers\n  \
         clearance: [confidential, personal]\n  tools:\n"
    );
    for (tool, connector, access) in
        [("read-document", "documents", "read"), ("look-up", "ledger", "read"), ("act", "action", "write")]
    {
        _ = write!(
            text,
            "    - name: {tool}\n      connector: {tenant}-{connector}\n      access: {access}\n      \
             description: Does what its name says.\n      input: {{ file: tools/input.schema.json }}\n      \
             trust: {{ input: untrusted, egress: none }}\n"
        );
    }
    text.push_str(
        "      idempotencyKey: requestId\n      gate: confirm\n  limits: { steps: 12, wallClock: 5m, tokensPerSession: 200k }\n  \
         memory: { retention: 30d }\n",
    );
}

const PROMPT: &str = "Answer questions about documents, and act when you are asked to.\n";
const TOOL: &str = "{ \"type\": \"object\", \"additionalProperties\": false, \"properties\": {} }\n";
const SHARED_RESOURCES: &str = include_str!("shared.yaml");
