//! The target for Bedrock: machines that run, requests that the vendor's models accept, policies that decide alike.

mod calls;
mod function;
mod keys;
pub(super) mod machines;
mod operations;
mod policies;
mod refusals;
pub(super) mod requests;
pub(super) mod starts;
mod triggers;

use std::sync::LazyLock;

use aipolicy_compiler::model::agent::{AgentSpec, Callers, Tool};
use aipolicy_compiler::model::connector::ConnectorKind;
use serde_json::Value;

use super::document;
use crate::harness::tools::{Client, Tool as Provided};
use crate::harness::workspace::Built;

/// Node with a validator for state machines, and JSONata in the version that Step Functions documents.
pub(super) static NODE: Provided = Provided {
    name: "state-machines",
    client: Client::Npm,
    packages: &["asl-validator@4.0.0", "jsonata@2.0.6"],
    options: &[],
};

/// A schema with everything that a machine can check.
const RICH: &str = r#"{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object",
  "additionalProperties": false,
  "required": ["id", "amount", "lines", "to"],
  "properties": {
    "id": { "type": "string", "pattern": "^[A-Z]{2}-[0-9]{1,6}$", "description": "Number." },
    "amount": { "type": "number", "exclusiveMinimum": 0, "maximum": 999.5 },
    "level": { "type": "integer", "minimum": -3, "exclusiveMaximum": 4 },
    "kind": { "enum": ["it's", "100 %", "{% $x %}", "a\\b", "ü"] },
    "size": { "enum": [1, 2, 3] },
    "only": { "const": "one" },
    "note": { "type": "string", "minLength": 2, "maxLength": 12 },
    "urgent": { "type": "boolean" },
    "lines": {
      "type": "array", "minItems": 1, "maxItems": 3,
      "items": {
        "type": "object", "additionalProperties": false, "required": ["sku"],
        "properties": { "sku": { "type": "string", "maxLength": 5 }, "count": { "type": "integer", "minimum": 1 } }
      }
    },
    "tags": { "type": "array", "items": { "type": "string", "maxLength": 3 } },
    "to": {
      "type": "object", "additionalProperties": false, "required": ["name"],
      "properties": { "name": { "type": "string" }, "zip": { "type": "string", "pattern": "[0-9]{5}$" } }
    }
  }
}"#;

const FLAT: &str = r#"{
  "type": "object", "additionalProperties": false, "required": ["id", "count", "ok"],
  "properties": { "id": { "type": "string" }, "count": { "type": "integer" }, "ok": { "type": "boolean" } }
}"#;

const ONE: &str = r#"{
  "type": "object", "additionalProperties": false, "required": ["id"],
  "properties": { "id": { "type": "string", "minLength": 1 } }
}"#;

const ASK: &str = r#"{
  "type": "object", "additionalProperties": false, "required": ["query", "limit"],
  "properties": { "query": { "type": "string" }, "limit": { "type": "integer", "minimum": 1 } }
}"#;

/// Every kind of connector that a machine can call, every gate, both runtimes.
pub(super) const EVERYTHING: &[(&str, &str, &str)] = &[
    (
        "Environment",
        "prod",
        "aws: { accountId: \"111122223333\", regions: [eu-central-1, eu-west-1] }, logging: { traces: traces }, severity: { AIP-BUD-010: off }",
    ),
    (
        "DataStore",
        "traces",
        "cloudWatch: { logGroup: /w/traces }, region: eu-central-1, holds: internal, retention: 30d",
    ),
    (
        "Tenant",
        "t",
        "owner: a@acme.example, environments: [prod], costCentre: CC-1, clearance: [internal], models: [m]",
    ),
    ("Model", "m", "provider: bedrock, modelId: openai.gpt-oss-20b-1:0"),
    ("Guardrail", "g", "filters: { hate: high }"),
    ("Group", "leads", "members: [a@acme.example, b@acme.example]"),
    (
        "Group",
        "four-eyes",
        "members: [a@acme.example, b@acme.example, c@acme.example], required: 2, notAlone: [b@acme.example, c@acme.example]",
    ),
    (
        "Connector",
        "function",
        "lambda: { function: f, qualifier: live }, region: eu-central-1, dataClass: internal",
    ),
    ("Connector", "check", "lambda: { function: check }, region: eu-central-1, dataClass: internal"),
    (
        "Connector",
        "table",
        "dynamoDb: { table: items }, region: eu-central-1, dataClass: internal, partition: { key: tenant }",
    ),
    (
        "Connector",
        "indexed",
        "dynamoDb: { table: items, indexes: [by-id] }, region: eu-central-1, dataClass: internal",
    ),
    (
        "Connector",
        "files",
        "s3: { bucket: files, prefixes: [in/] }, region: eu-central-1, dataClass: internal, partition: { key: tenant }",
    ),
    (
        "Connector",
        "queue",
        "sqs: { queue: q }, region: eu-central-1, dataClass: internal, \
         encryption: { kmsKeyArn: \"arn:aws:kms:eu-central-1:111122223333:key/4b1f0c2e-0000-4000-8000-000000000001\" }",
    ),
    ("Connector", "ordered", "sqs: { queue: q.fifo }, region: eu-central-1, dataClass: internal"),
    (
        "Connector",
        "token-client",
        "secretsManager: { secret: token-client }, region: eu-central-1, dataClass: internal",
    ),
    ("Connector", "machine", "stepFunctions: { stateMachine: m }, region: eu-central-1, dataClass: internal"),
    ("Connector", "base", "knowledgeBase: { id: ABCDEFGHIJ }, region: eu-central-1, dataClass: internal"),
    (
        "Agent",
        "gated",
        "tenant: t, model: { model: m }, instructions: { file: told.md }, memory: { retention: 30d }, \
         limits: { steps: 5, wallClock: 2m, tokensPerSession: 20k }, trace: { redact: [iban] }, tools: [\
         { name: pay, connector: function, access: write, input: { file: rich.json }, description: Pays., \
           allow: { amount: { max: 500 }, kind: { oneOf: [\"it's\", \"100 %\"] }, note: { maxLength: 10 }, level: { min: -1 } }, \
           gate: { approval: { from: [leads], within: 1h } } }, \
         { name: pay-more, connector: function, access: write, input: { file: one.json }, gate: { approval: { from: [four-eyes], within: 30m } } }, \
         { name: agree, connector: queue, access: write, input: { file: flat.json }, gate: { verify: { with: check } } }]",
    ),
    (
        "Agent",
        "plain",
        "tenant: t, model: { model: m }, instructions: { file: told.md }, tools: [\
         { name: call, connector: function, access: read, input: { file: rich.json } }, \
         { name: get, connector: table, access: read, input: { file: one.json } }, \
         { name: find, connector: indexed, access: read, input: { file: one.json } }, \
         { name: read, connector: files, access: read, input: { file: one.json } }, \
         { name: ask, connector: base, access: read, input: { file: ask.json } }]",
    ),
    (
        "Agent",
        "classic",
        "tenant: t, runtime: bedrock-agents, model: { model: m }, instructions: { file: told.md }, guardrail: g, \
         memory: { retention: 10d }, collaborators: [{ agent: helper, maxDepth: 1 }], tools: [\
         { name: put, connector: table, access: write, input: { file: flat.json }, idempotencyKey: id, gate: confirm }, \
         { name: store, connector: files, access: write, input: { file: flat.json }, idempotencyKey: id, gate: confirm }, \
         { name: send, connector: ordered, access: write, input: { file: flat.json }, idempotencyKey: id, gate: confirm }, \
         { name: start, connector: machine, access: write, input: { file: flat.json }, idempotencyKey: id, gate: { approval: { from: [leads], within: 10m } } }, \
         { name: ask, connector: base, access: read, input: { file: ask.json } }]",
    ),
    (
        "Agent",
        "helper",
        "tenant: t, runtime: bedrock-agents, model: { model: m }, instructions: { file: told.md }, \
         tools: [{ name: know, connector: base, access: read, description: Knows things. }]",
    ),
    (
        "Connector",
        "orders",
        "http: { url: \"https://orders.acme.example/v1/\", openApi: { file: orders.openapi.yaml }, auth: { connection: \
           \"arn:aws:events:eu-central-1:111122223333:connection/orders/4b1f0c2e-0000-4000-8000-000000000003\" } }, \
         region: eu-west-1, dataClass: internal",
    ),
    (
        "Connector",
        "server-key",
        "secretsManager: { secret: server-key }, region: eu-central-1, dataClass: internal",
    ),
    (
        "Connector",
        "terms",
        "mcp: { url: \"https://terms.acme.example/mcp\", version: \"3\", auth: { secret: server-key } }, \
         region: eu-west-1, dataClass: internal",
    ),
    (
        "Agent",
        "reader",
        "tenant: t, model: { model: m }, tools: [\
         { name: find-term, connector: terms, access: read, input: { file: plain.json }, operation: findTerm, \
           allow: { count: { max: 5 } }, rate: 9 requests/s }, \
         { name: list-terms, connector: terms, access: read, input: { file: plain.json } }, \
         { name: get, connector: table, access: read, input: { file: one.json } }]",
    ),
    (
        "Agent",
        "only-remote",
        "tenant: t, model: { model: m }, tools: [\
         { name: list-terms, connector: terms, access: read, input: { file: plain.json } }]",
    ),
    (
        "Agent",
        "clerk",
        "tenant: t, model: { model: m }, tools: [\
         { name: list-lines, connector: orders, access: read, operation: listLines, allow: { limit: { max: 20 } } }, \
         { name: add-line, connector: orders, access: write, operation: addLine, gate: { approval: { from: [leads] } } }, \
         { name: cancel, connector: function, access: write, input: { file: orders.openapi.yaml }, operation: cancelOrder, \
           gate: { verify: { with: check } } }]",
    ),
    (
        "Agent",
        "desk",
        "tenant: t, runtime: bedrock-agents, model: { model: m }, instructions: { file: told.md }, tools: [\
         { name: list-lines, connector: orders, access: read, operation: listLines, description: Lists lines. }, \
         { name: add-line, connector: orders, access: write, operation: addLine, gate: confirm }, \
         { name: call, connector: function, access: read, input: { file: flat.json } }]",
    ),
    (
        "Agent",
        "note",
        "tenant: t, runtime: bedrock-agents, model: { model: m }, instructions: { file: told.md }, tools: [\
         { name: set-note, connector: orders, access: write, operation: replaceNote, gate: { approval: { from: [leads] } } }]",
    ),
    (
        "Agent",
        "open",
        "tenant: t, model: { model: m }, callers: { jwt: { \
           discoveryUrl: \"https://id.acme.example/realms/acme/.well-known/openid-configuration\", \
           client: { id: open-agent, secret: token-client }, clients: [desk, \"shop:1\"], audiences: [tools], \
           scopes: [tools.call, \"tools/extra\"], rate: 5 requests/s, claims: [\
             { name: team, equals: support }, { name: groups, containsAny: [a, b] }] } }, tools: [\
         { name: call, connector: function, access: read, input: { file: rich.json }, rate: 60 requests/min }, \
         { name: get, connector: table, access: read, input: { file: one.json }, rate: 2 requests/s }, \
         { name: pay, connector: queue, access: write, input: { file: flat.json }, gate: { verify: { with: check } } }]",
    ),
    ("Agent", "idle", "tenant: t, model: { model: m }"),
    ("Connector", "in", "sqs: { queue: in }, region: eu-central-1, dataClass: internal"),
    ("Connector", "in-order", "sqs: { queue: in.fifo }, region: eu-central-1, dataClass: internal"),
    ("Connector", "failed-order", "sqs: { queue: failed.fifo }, region: eu-central-1, dataClass: internal"),
    (
        "Connector",
        "failed",
        "sqs: { queue: failed }, region: eu-central-1, dataClass: internal, \
         encryption: { kmsKeyArn: \"arn:aws:kms:eu-central-1:111122223333:key/4b1f0c2e-0000-4000-8000-000000000001\" }",
    ),
    (
        "Agent",
        "started",
        "tenant: t, model: { model: m }, limits: { wallClock: 1m }, triggers: [\
         { name: plain, sqs: { queue: in, deadLetter: failed } }, \
         { name: ordered, sqs: { queue: in-order, deadLetter: failed-order, batchSize: 5, maxReceiveCount: 7 }, \
           input: Do it., idempotency: { key: order.id, retention: 2d }, concurrency: 3 }, \
         { sns: { topic: news, deadLetter: failed }, concurrency: 1 }, \
         { name: events, eventBridge: { source: shop, detailType: [Sold, Returned], deadLetter: failed, detail: \
           { order.kind: { oneOf: [a, 1, true] }, order.total: { min: 5, max: 9 }, place: { prefix: eu }, gift: { exists: false } } } }, \
         { name: morning, schedule: { cron: \"0 6 ? * MON-FRI *\", timeZone: Europe/Berlin, deadLetter: failed } }, \
         { name: hourly, schedule: { rate: 1h, deadLetter: failed } }]",
    ),
    (
        "Agent",
        "started-classic",
        "tenant: t, runtime: bedrock-agents, model: { model: m }, instructions: { file: told.md }, triggers: [\
         { eventBridge: { bus: shop, source: shop, deadLetter: failed } }, \
         { schedule: { rate: 1m, deadLetter: failed } }, { sns: { topic: news, deadLetter: failed } }]",
    ),
];

/// Nothing that Cedar has no exact words for.
const PLAIN: &str = r#"{
  "type": "object", "additionalProperties": false, "required": ["term", "count"],
  "properties": {
    "term": { "type": "string" }, "count": { "type": "integer", "minimum": 1, "maximum": 9 },
    "kind": { "enum": ["a", "b"] }, "share": { "type": "number" }, "tags": { "type": "array", "items": { "type": "string" } }
  }
}"#;

const TOLD: &str = "You help the people of Acme with what they ask, and you never guess.\n";

/// The documents of a workspace that compiles roles and agents, and the files that it names.
pub(super) fn files(documents: &[(&str, &str, &str)]) -> Vec<(String, String)> {
    let own = document(
        "Workspace",
        "w",
        "packs: [baseline, residency], targets: [iam, bedrock], naming: { prefix: w }",
    );
    let text =
        own + &documents.iter().map(|(kind, name, spec)| document(kind, name, spec)).collect::<String>();
    let named = [
        ("case.yaml", text.as_str()),
        ("rich.json", RICH),
        ("flat.json", FLAT),
        ("plain.json", PLAIN),
        ("one.json", ONE),
        ("ask.json", ASK),
        ("told.md", TOLD),
        ("orders.openapi.yaml", operations::ORDERS),
    ];
    named.map(|(path, text)| (path.to_owned(), text.to_owned())).to_vec()
}

pub(super) fn everything() -> &'static Built {
    static BUILT: LazyLock<Built> = LazyLock::new(|| Built::new(&files(EVERYTHING)));
    &BUILT
}

/// A tool of a workspace: its agent, what it is, and the schema of its input.
pub(super) struct Known<'b> {
    pub(super) agent: &'b str,
    pub(super) tool: &'b Tool,
    pub(super) callers: Option<&'b Callers>,
    pub(super) schema: Value,
    /// Whether the gateway calls a server for it, and no machine.
    pub(super) is_direct: bool,
}

/// Every tool of a workspace, as its sources say.
pub(super) fn tools(built: &Built) -> Vec<Known<'_>> {
    let graph = &built.compilation.graph;
    let agents = graph.each::<AgentSpec>();
    let tools = agents.flat_map(|(_, agent)| agent.spec.tools.iter().map(move |tool| (agent, tool)));
    let known = tools.filter_map(|(agent, tool)| {
        let callers = agent.spec.callers.as_ref().map(|callers| &callers.value);
        let agent = agent.name().as_str();
        let written = || {
            let source = graph.file(tool.input.as_ref()?).unwrap();
            Some(serde_json::from_str(built.sources.get(source).text()).unwrap())
        };
        let schema = operations::schema(tool).or_else(written)?;
        let kind = &graph.get(&tool.connector).unwrap().spec.kind;
        Some(Known { agent, tool, callers, schema, is_direct: matches!(kind, ConnectorKind::Mcp(_)) })
    });
    known.collect()
}
