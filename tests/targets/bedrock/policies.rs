//! Lowered Cedar policies: valid against the schema that the vendor's generator makes of the same tools, and deciding like
//! the sources on every call, as far as Cedar can say it.

use std::collections::BTreeMap;
use std::process::Command;

use aipolicy_compiler::model::agent::{Callers, ClaimIs};
use cedar_policy::{
    Authorizer, Context, Decision, Entities, EntityUid, PolicySet, Request, Schema, ValidationMode, Validator,
};
use serde_json::{Value, json};

use super::calls::{inputs, is_allowed};
use super::{Known, everything, tools};
use crate::harness::tools::{Client, Tool};
use crate::harness::workspace::Built;
use crate::targets::{ACME, at};

/// The generator that AgentCore's documentation names, of the authors of Cedar.
static GENERATOR: Tool = Tool {
    name: "cedar-mcp-schema",
    client: Client::Cargo,
    packages: &["cedar-policy-mcp-schema-generator@0.7.0"],
    options: &["--features", "cli"],
};

/// What AgentCore adds the actions of a gateway's tools to, where callers have roles.
const ROLES: &str = r#"@mcp_principal("IamEntity") entity IamEntity = { id: String };"#;

/// The same where callers have tokens: claims are tags.
const TOKENS: &str = r#"@mcp_principal("OAuthUser") entity OAuthUser = { id: String } tags String;"#;

/// The rest of it.
const STUB: &str = r#"
namespace AgentCore {
    CALLER
    @mcp_resource("Gateway")
    entity Gateway;
    action "Mcp";
    @mcp_action("CallTool")
    action "CallTool" in [Action::"Mcp"];
}
"#;

const ARN: &str = "arn:aws:bedrock-agentcore:eu-central-1:111122223333:gateway/w-a1b2c3d4e5";

/// A gateway: the agent that it is for, its tools as they are sent, and its policies as text.
struct Gateway {
    agent: String,
    role: String,
    takes_tokens: bool,
    tools: Vec<Value>,
    policies: Vec<String>,
}

/// The gateways of a workspace's production.
fn gateways(built: &Built) -> Vec<Gateway> {
    built.sound();
    let (_, artifacts) = built.artifacts.iter().find(|(environment, _)| environment == "prod").unwrap();
    let of = |kind: &str| {
        let own = artifacts.iter().filter(|one| one.document.address.target == "bedrock");
        let found = own.filter(move |one| one.document.address.kind == kind);
        found.map(|one| serde_json::from_str::<Value>(&one.document.text).unwrap()).collect::<Vec<_>>()
    };
    let (targets, policies) = (of("GatewayTarget"), of("CedarPolicy"));
    let takes_tokens = |name: &str| {
        let gateways = of("Gateway");
        let own = gateways.iter().find(|one| one["name"] == name).unwrap();
        own["authorizerType"] == "CUSTOM_JWT"
    };
    let mut tools: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for target in targets {
        let gateway = at(&target, "/gatewayIdentifier/$ref").as_str().unwrap();
        let gateway = gateway.split(['/', '#']).nth(2).unwrap();
        let known = ["/lambda/toolSchema/inlinePayload", "/mcpServer/mcpToolSchema/inlinePayload/tools"];
        let listed = known.iter().find_map(|known| target["targetConfiguration"]["mcp"].pointer(known));
        for tool in listed.unwrap().as_array().unwrap() {
            let mut tool = tool.clone();
            let own = tool["name"].as_str().unwrap();
            tool["name"] = format!("{}___{own}", target["name"].as_str().unwrap()).into();
            tools.entry(gateway.to_owned()).or_default().push(tool);
        }
    }
    let mut gateways = Vec::new();
    for (gateway, tools) in tools {
        let gateway = gateway.as_str();
        let named = |policy: &&Value| {
            at(policy, "/definition/cedar/statement/$join/1/$ref")
                == &json!(format!("bedrock/Gateway/{gateway}#gatewayArn"))
        };
        let agent = gateway.split_once("-prod-").unwrap().1.to_owned();
        let prefix = gateway.split_once("-prod-").unwrap().0;
        gateways.push(Gateway {
            role: format!("{prefix}-prod-agent-{agent}"),
            takes_tokens: takes_tokens(gateway),
            agent,
            tools,
            policies: policies.iter().filter(named).map(statement).collect(),
        });
    }
    gateways
}

fn statement(policy: &Value) -> String {
    let parts = at(policy, "/definition/cedar/statement/$join").as_array().unwrap();
    parts.iter().map(|part| part.as_str().unwrap_or(ARN)).collect()
}

/// The schema that the generator makes of a gateway's tools.
fn schema(gateway: &Gateway) -> Schema {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let listed = json!({ "result": { "tools": gateway.tools } });
    let stub = STUB.replace("CALLER", if gateway.takes_tokens { TOKENS } else { ROLES });
    let done = Command::new(GENERATOR.folder().join("bin/cedar-policy-mcp-schema-generator"))
        .arg("generate")
        .arg(write("stub.cedarschema", &stub))
        .arg(write("tools.json", &listed.to_string()))
        .args(["--encode-numbers-as-decimal", "--objects-as-records"])
        .output()
        .unwrap();
    assert!(done.status.success(), "{}: {}", gateway.agent, String::from_utf8_lossy(&done.stderr));
    Schema::from_cedarschema_str(&String::from_utf8(done.stdout).unwrap()).unwrap().0
}

fn problems(schema: &Schema, policies: &PolicySet) -> Vec<String> {
    let found = Validator::new(schema.clone()).validate(policies, ValidationMode::Strict);
    found
        .validation_errors()
        .map(ToString::to_string)
        .chain(found.validation_warnings().map(ToString::to_string))
        .collect()
}

#[test]
fn the_generators_schema_takes_every_policy() {
    let mut seen = 0;
    for gateway in [everything(), &*ACME].into_iter().flat_map(gateways) {
        let schema = schema(&gateway);
        assert_eq!(gateway.policies.len(), gateway.tools.len(), "{}", gateway.agent);
        for text in &gateway.policies {
            assert!((35..=10_000).contains(&text.len()));
            assert_eq!(problems(&schema, &text.parse().unwrap()), [""; 0], "{text}");
            let wrong =
                text.replace("context.input", "context.inputs").replace("principal.id", "principal.arn");
            let wrong = if gateway.takes_tokens { wrong.replace("OAuthUser", "IamEntity") } else { wrong };
            assert_ne!(problems(&schema, &wrong.parse().unwrap()), [""; 0], "{wrong}");
            seen += 1;
        }
    }
    assert!(seen > 12, "{seen}");
}

/// The input as Cedar sees it: whole numbers as they are, other numbers as decimals.
fn context(value: &Value, shape: &Value) -> Option<Value> {
    match (value, shape["type"].as_str()?) {
        (Value::Number(number), "number") => {
            let text = number.to_string();
            let (whole, fraction) = text.split_once('.').unwrap_or((&text, "0"));
            (fraction.len() <= 4 && !text.contains('e')).then(|| json!(format!("{whole}.{fraction}")))
        }
        (Value::Array(items), "array") => items.iter().map(|item| context(item, &shape["items"])).collect(),
        (Value::Object(members), "object") => {
            let member = |(name, value): (&String, &Value)| {
                Some((name.clone(), context(value, shape["properties"].get(name)?)?))
            };
            members.iter().map(member).collect::<Option<serde_json::Map<_, _>>>().map(Value::Object)
        }
        (value, _) => Some(value.clone()),
    }
}

/// Who calls: a role in a session, or the subject of a token with its claims.
struct Caller {
    kind: &'static str,
    id: String,
    claims: Vec<(&'static str, String)>,
}

impl Caller {
    fn role(name: &str) -> Self {
        let id = format!("arn:aws:sts::111122223333:assumed-role/{name}/session");
        Self { kind: "IamEntity", id, claims: Vec::new() }
    }

    fn token(claims: &[(&'static str, &str)]) -> Self {
        let claims = claims.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        Self { kind: "OAuthUser", id: "somebody".to_owned(), claims }
    }

    fn entity(&self) -> Value {
        let uid = json!({ "type": format!("AgentCore::{}", self.kind), "id": self.id });
        let tags: serde_json::Map<_, _> =
            self.claims.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        let mut entity = json!({ "uid": uid, "attrs": { "id": self.id }, "parents": [] });
        if !tags.is_empty() {
            entity["tags"] = tags.into();
        }
        entity
    }
}

/// The claims of the agent's own token, as its source asks for them.
fn claims_of(known: &Known<'_>) -> Vec<(&'static str, String)> {
    let Some(Callers::Jwt(callers)) = known.callers else { return Vec::new() };
    let scopes: Vec<_> = callers.scopes.iter().map(|scope| scope.value.as_str()).collect();
    let mut claims = vec![("client_id", callers.client.id.value.to_string()), ("scope", scopes.join(" "))];
    claims.extend(callers.claims.iter().filter_map(|claim| match &claim.is {
        ClaimIs::Equals(value) => {
            Some((claim.name.value.to_string().leak() as &'static str, value.value.to_string()))
        }
        ClaimIs::ContainsAny(_) => None,
    }));
    claims
}

/// A caller that decides with the policies of a gateway.
struct Engine<'g> {
    gateway: &'g Gateway,
    schema: Schema,
    policies: PolicySet,
}

impl Engine<'_> {
    fn permits(&self, caller: &Caller, tool: &str, input: &Value) -> bool {
        let ends = [tool.replace('-', "_"), tool.to_owned()].map(|name| format!("___{name}"));
        let is = |one: &&Value| ends.iter().any(|end| one["name"].as_str().unwrap().ends_with(end));
        let sent = self.gateway.tools.iter().find(is).unwrap();
        let action: EntityUid =
            format!("AgentCore::Action::\"{}\"", sent["name"].as_str().unwrap()).parse().unwrap();
        let entities = Entities::from_json_value(json!([caller.entity()]), Some(&self.schema)).unwrap();
        let Some(input) = context(input, &sent["inputSchema"]) else { return false };
        // An input that does not fit the schema is refused before any policy is asked.
        let Ok(context) = Context::from_json_value(json!({ "input": input }), Some((&self.schema, &action)))
        else {
            return false;
        };
        let principal = format!("AgentCore::{}::\"{}\"", caller.kind, caller.id).parse().unwrap();
        let resource = format!("AgentCore::Gateway::\"{ARN}\"").parse().unwrap();
        let Ok(request) = Request::new(principal, action, resource, context, Some(&self.schema)) else {
            return false;
        };
        let answer = Authorizer::new().is_authorized(&request, &self.policies, &entities);
        assert_eq!(answer.diagnostics().errors().count(), 0, "{answer:?}");
        answer.decision() == Decision::Allow
    }
}

/// A schema without what Cedar has no word for.
fn sayable(schema: &Value) -> Value {
    let mut schema = schema.clone();
    for key in ["pattern", "not", "minLength", "maxLength", "minItems", "maxItems"] {
        schema.as_object_mut().unwrap().remove(key);
    }
    if let Some(members) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        members.values_mut().for_each(|member| *member = sayable(member));
    }
    if let Some(items) = schema.get_mut("items") {
        *items = typed(items);
    }
    schema
}

/// A schema of which only the types are left: Cedar cannot go through the items of a list.
fn typed(schema: &Value) -> Value {
    let mut schema = sayable(schema);
    for key in ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "enum", "const"] {
        schema.as_object_mut().unwrap().remove(key);
    }
    if let Some(members) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        members.values_mut().for_each(|member| *member = typed(member));
    }
    schema
}

#[test]
fn lowered_policies_decide_like_the_sources() {
    let (mut permitted, mut denied, mut left_to_machines) = (0, 0, 0);
    for built in [everything(), &*ACME] {
        let known = tools(built);
        for gateway in &gateways(built) {
            let policies = gateway.policies.join("\n").parse().unwrap();
            let engine = Engine { gateway, schema: schema(gateway), policies };
            for one in known.iter().filter(|one| one.agent == gateway.agent) {
                let counts = compare(&engine, one);
                permitted += counts.0;
                denied += counts.1;
                left_to_machines += counts.2;
            }
        }
    }
    println!("{permitted} permitted, {denied} denied, {left_to_machines} left to machines");
    assert!(permitted + denied >= 10_000, "{permitted} permitted, {denied} denied");
    assert!(
        permitted > 4000 && denied > 2000 && left_to_machines > 50,
        "{permitted}, {denied}, {left_to_machines}"
    );
}

/// Compares a policy with its source on many calls; returns how many were permitted, denied, and permitted though the
/// whole source says no.
fn compare(engine: &Engine<'_>, known: &Known<'_>) -> (usize, usize, usize) {
    let whole = jsonschema::draft202012::new(&known.schema).unwrap();
    let part = jsonschema::draft202012::new(&sayable(&known.schema)).unwrap();
    let mut tool = known.tool.clone();
    tool.allow.0.values_mut().for_each(|limit| limit.value.max_length = None);
    let named = known.tool.operation.as_ref().filter(|_| known.is_direct);
    let name = named.map_or(known.tool.name.value.as_str(), |named| named.value.as_str());
    let own = match known.callers {
        None => Caller::role(&engine.gateway.role),
        Some(_) => Caller { kind: "OAuthUser", id: "agent".to_owned(), claims: claims_of(known) },
    };
    let mut counts = (0, 0, 0);
    for (at, input) in inputs(&known.schema, known.tool, 800).into_iter().enumerate() {
        let permits = engine.permits(&own, name, &input);
        if is_beyond(&input) {
            assert!(!permits, "{}.{name} {input}", known.agent);
            continue;
        }
        assert_eq!(permits, is_allowed(&part, &tool, &input), "{}.{name} {input}", known.agent);
        // Nothing else checks what a server is asked.
        assert!(!known.is_direct || permits == is_allowed(&whole, known.tool, &input), "{name} {input}");
        // What the whole source allows is never denied.
        let allowed = is_allowed(&whole, known.tool, &input);
        assert!(permits || !allowed, "{}.{name} {input}", known.agent);
        if at % 50 == 0 && known.callers.is_none() {
            assert!(!engine.permits(&Caller::role("w-prod-agent-other"), name, &input));
            assert!(!engine.permits(&Caller::role(&format!("{}x", engine.gateway.role)), name, &input));
        }
        counts.0 += usize::from(permits);
        counts.1 += usize::from(!permits);
        counts.2 += usize::from(permits && !allowed);
    }
    counts
}

/// Whether there is a number that Cedar cannot hold. JSON has no bounds for numbers, and Cedar has 64 bits.
fn is_beyond(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.as_f64().unwrap().abs() > 9e18,
        Value::Array(items) => items.iter().any(is_beyond),
        Value::Object(members) => members.values().any(is_beyond),
        Value::Null | Value::Bool(_) | Value::String(_) => false,
    }
}

#[test]
fn inputs_at_the_limits_fall_on_the_right_side() {
    let gateways = gateways(&ACME);
    let gateway = gateways.iter().find(|one| one.agent == "invoice-bot").unwrap();
    let engine =
        Engine { gateway, schema: schema(gateway), policies: gateway.policies.join("\n").parse().unwrap() };
    let own = Caller::role("acme-prod-agent-invoice-bot");
    let refund = |amount: Value, currency: &str| json!({ "payment": "PAY-0000000001", "amount": amount, "currency": currency, "reason": "r", "requestId": "x" });
    let cases: BTreeMap<i64, bool> = [
        (i64::MIN, false),
        (-1, false),
        (0, false),
        (1, true),
        (499, true),
        (500, true),
        (501, false),
        (i64::MAX, false),
    ]
    .into();
    for (amount, permitted) in cases {
        let found = engine.permits(&own, "issue-refund", &refund(json!(amount), "EUR"));
        assert_eq!(found, permitted, "{amount}");
    }
    for (amount, currency) in
        [(json!(5), "USD"), (json!(5), "eur"), (json!("5"), "EUR"), (json!(5.5), "EUR"), (json!(null), "EUR")]
    {
        assert!(!engine.permits(&own, "issue-refund", &refund(amount, currency)));
    }
    let other = Caller::role("acme-prod-agent-dispute-clerk");
    assert!(!engine.permits(&other, "issue-refund", &refund(json!(5), "EUR")));
}

#[test]
fn tokens_call_with_exactly_the_claims_that_the_source_names() {
    let gateways = gateways(everything());
    let gateway = gateways.iter().find(|one| one.agent == "open").unwrap();
    let engine =
        Engine { gateway, schema: schema(gateway), policies: gateway.policies.join("\n").parse().unwrap() };
    let scopes = "tools.call tools/extra";
    let cases: &[(&[(&str, &str)], bool)] = &[
        (&[("client_id", "open-agent"), ("scope", scopes), ("team", "support")], true),
        (&[("client_id", "desk"), ("scope", scopes), ("team", "support"), ("sub", "x")], true),
        (&[("client_id", "shop:1"), ("scope", "a tools/extra tools.call b"), ("team", "support")], true),
        (&[("client_id", "shop"), ("scope", scopes), ("team", "support")], false),
        (&[("scope", scopes), ("team", "support")], false),
        (&[("client_id", "desk"), ("team", "support")], false),
        (&[("client_id", "desk"), ("scope", "tools.call"), ("team", "support")], false),
        (&[("client_id", "desk"), ("scope", "tools.calls tools/extra"), ("team", "support")], false),
        (&[("client_id", "desk"), ("scope", "xtools.call tools/extra"), ("team", "support")], false),
        (&[("client_id", "desk"), ("scope", "tools.call,tools/extra"), ("team", "support")], false),
        (&[("client_id", "desk"), ("scope", scopes), ("team", "supporters")], false),
        (&[("client_id", "desk"), ("scope", scopes)], false),
    ];
    for (claims, permitted) in cases {
        let caller = Caller::token(claims);
        for tool in ["get", "pay"] {
            let input = match tool {
                "get" => json!({ "id": "x" }),
                _ => json!({ "id": "x", "count": 1, "ok": true }),
            };
            assert_eq!(engine.permits(&caller, tool, &input), *permitted, "{claims:?}");
            assert!(!engine.permits(&caller, tool, &json!({ "id": 5 })));
        }
    }
}
