//! The gateway of an agent: the one way to its tools, guarded by a policy engine that denies what no policy permits.

use std::collections::BTreeSet;

use aipolicy_compiler::diagnostic::Diagnostics;
use aipolicy_compiler::rule;

use super::{Agent, Validators, authorizer, policy, rate, server};
use crate::artifact::{Address, Artifact};
use crate::bedrock::request::{Request, address, reference, role};
use crate::bedrock::shared::{function, tag_map};
use crate::bedrock::tool::Call;
use crate::bedrock::tool::schema::{Kind, Shape};
use crate::origin::Origin;
use crate::tree::Tree;

/// The name of the target behind which machines are.
const TARGET: &str = "tools";

/// The addresses of what a gateway is made of.
pub(super) struct Addresses {
    pub(super) gateway: Address,
    pub(super) engine: Address,
    /// Where tools are: behind machines, and on MCP servers.
    pub(super) targets: Vec<Address>,
}

impl Addresses {
    pub(super) fn of(agent: &Agent<'_>) -> Option<Self> {
        let gateway = agent.account.gateway(agent.resource)?;
        let engine = agent.account.engine(agent.resource)?;
        let names: BTreeSet<_> = agent.calls.iter().map(target_name).collect();
        let target = |name: &String| address("GatewayTarget", format!("{gateway}.{name}"));
        Some(Self {
            targets: names.iter().map(target).collect(),
            gateway: address("Gateway", gateway),
            engine: address("PolicyEngine", engine),
        })
    }
}

impl Addresses {
    /// The target of this name.
    pub(super) fn target(&self, name: &str) -> Address {
        address("GatewayTarget", format!("{}.{name}", self.gateway.name))
    }
}

/// The target that a tool is behind. Its name is a part of names in a Cedar schema, which have no `-`.
pub(super) fn target_name(call: &Call<'_>) -> String {
    if call.server().is_none() {
        return TARGET.to_owned();
    }
    let capital = |part: &str| {
        let (first, rest) = part.split_at(part.len().min(1));
        first.to_uppercase() + rest
    };
    let parts = call.connector.name().as_str().split('-').map(capital);
    format!("mcp{}", parts.collect::<String>())
}

/// A tool as the gateway calls it: on a server, by the name that it has there.
pub(super) fn tool_name(call: &Call<'_>) -> String {
    let named = call.server().and(call.tool.operation.as_ref());
    named.map_or_else(|| call.tool.name.value.as_str().replace('-', "_"), |named| named.value.to_string())
}

/// What a tool is for.
pub(super) fn described(call: &Call<'_>) -> Tree {
    let written = call.tool.description.as_ref();
    written.map_or_else(
        || Tree::text(call.tool.name.value.as_str()),
        |text| Tree::text(text.value.as_str()).from(Origin::written(text.span)),
    )
}

/// The engine, the gateway, its target, and a policy for each tool.
pub(super) fn artifacts(
    agent: &Agent<'_>,
    validators: &mut Validators,
    out: &mut Diagnostics,
) -> Vec<Artifact> {
    let (Some(addresses), Some(first)) = (Addresses::of(agent), agent.calls.first()) else {
        return Vec::new();
    };
    if addresses.gateway.name.contains("--") {
        let message = "a gateway cannot have `--` in its name";
        out.report(rule::TARGET_LIMIT.at(agent.resource.name_span(), message, "").help("rename the agent"));
        return Vec::new();
    }
    let origin = first.origin.clone();
    let mut artifacts = vec![engine(agent, &addresses, &origin), gateway(agent, &addresses, &origin, out)];
    artifacts.extend(target(agent, &addresses));
    artifacts.extend(server::artifacts(agent, &addresses, out));
    artifacts.extend(policy::artifacts((agent, &addresses), validators, out));
    artifacts.extend(rate::artifacts(agent, &addresses, out));
    artifacts
}

fn engine(agent: &Agent<'_>, addresses: &Addresses, origin: &Origin) -> Artifact {
    let members = vec![
        ("name", Tree::text(&addresses.engine.name).from(agent.account.default("origin.name"))),
        ("tags", tag_map(agent.account)),
    ];
    let address = addresses.engine.clone();
    Request { address, region: agent.region(), members, needs: Vec::new() }.artifact(origin)
}

fn gateway(agent: &Agent<'_>, addresses: &Addresses, origin: &Origin, out: &mut Diagnostics) -> Artifact {
    let default = |name: &str| agent.account.default(name);
    let (role, role_address) = role(agent.account, &["gateway", agent.name(), "tools"]);
    let engine = Tree::map([
        ("arn", reference(&addresses.engine, "policyEngineArn")),
        ("mode", Tree::text("ENFORCE")),
    ]);
    let mut members = vec![
        ("name", Tree::text(&addresses.gateway.name).from(default("origin.name"))),
        ("roleArn", role),
        ("protocolType", Tree::text("MCP").from(default("agentcore.gateway"))),
    ];
    members.extend(authorizer::members(agent, out));
    members.extend([
        ("policyEngineConfiguration", engine.from(default("agentcore.policyEngine"))),
        ("tags", tag_map(agent.account)),
    ]);
    let needs = vec![role_address, addresses.engine.clone()];
    Request { address: addresses.gateway.clone(), region: agent.region(), members, needs }.artifact(origin)
}

/// The target behind which machines are, through the function that starts them.
fn target(agent: &Agent<'_>, addresses: &Addresses) -> Option<Artifact> {
    let calls: Vec<_> = agent.calls.iter().filter(|call| call.server().is_none()).collect();
    let first = calls.first()?;
    let arn = function::own_arn(agent.account, agent.resource)?;
    let tools = calls.iter().map(|call| {
        let tree = Tree::map([
            ("name", Tree::text(tool_name(call))),
            ("description", described(call)),
            ("inputSchema", schema(&call.shape)),
        ]);
        tree.from(call.origin.clone())
    });
    let lambda = Tree::map([
        ("lambdaArn", Tree::text(arn).from(agent.account.default("origin.name"))),
        ("toolSchema", Tree::map([("inlinePayload", Tree::list(tools))])),
    ]);
    let credentials = Tree::map([("credentialProviderType", Tree::text("GATEWAY_IAM_ROLE"))]);
    let members = vec![
        ("gatewayIdentifier", reference(&addresses.gateway, "gatewayId")),
        ("name", Tree::text(TARGET).from(agent.account.default("agentcore.gateway"))),
        ("targetConfiguration", Tree::map([("mcp", Tree::map([("lambda", lambda)]))])),
        (
            "credentialProviderConfigurations",
            Tree::list([credentials]).from(agent.account.default("agentcore.gateway")),
        ),
    ];
    let mut needs = vec![addresses.gateway.clone()];
    needs.extend(function::own_address(agent.account, agent.resource));
    let request = Request { address: addresses.target(TARGET), region: agent.region(), members, needs };
    Some(request.artifact(&first.origin))
}

/// The part of a schema that a gateway has words for. The rest is asked by policies and by the tool's machine.
pub(super) fn schema(shape: &Shape) -> Tree {
    let mut entries = vec![("type", Tree::text(shape.word()))];
    entries.extend(
        shape
            .description
            .as_ref()
            .map(|(text, span)| ("description", Tree::text(text).from(Origin::written(*span)))),
    );
    match &shape.kind {
        Kind::Object(properties) => {
            let members = properties.iter().map(|one| (one.name.clone(), schema(&one.shape)));
            entries.push(("properties", Tree::map(members)));
            let required = properties.iter().filter(|one| one.required);
            entries.push(("required", Tree::list(required.map(|one| Tree::text(&one.name)))));
        }
        Kind::List { items, .. } => entries.push(("items", schema(items))),
        Kind::Text(_) | Kind::Number(_) | Kind::Bool => {}
    }
    Tree::map(entries).from(Origin::written(shape.span))
}
