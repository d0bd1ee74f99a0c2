//! MCP servers as targets of a gateway. Nothing but its policies stands before such a call, so it only reads, has no gate,
//! and asks nothing of its input that Cedar cannot say.

use std::collections::BTreeMap;

use aipolicy_compiler::diagnostic::Diagnostics;
use aipolicy_compiler::model::agent::Access;
use aipolicy_compiler::model::connector::{ConnectorKind, McpServer, ServerAuth};
use aipolicy_compiler::model::value::Text;
use aipolicy_compiler::source::{Span, Spanned};
use serde_json::{Number, Value};

use super::gateway::{Addresses, described, schema, target_name, tool_name};
use super::{Agent, refusal};
use crate::artifact::Artifact;
use crate::bedrock::request::{Request, address, reference};
use crate::bedrock::shared::{same_region, tag_map};
use crate::bedrock::tool::Call;
use crate::bedrock::tool::condition::Asks;
use crate::bedrock::tool::schema::{Kind, Shape};
use crate::origin::Origin;
use crate::tree::Tree;

/// A target for each server, with the tools that the agent has there and no others, and the key that it is called with.
pub(super) fn artifacts(agent: &Agent<'_>, addresses: &Addresses, out: &mut Diagnostics) -> Vec<Artifact> {
    let mut servers: BTreeMap<String, Vec<(&Call<'_>, &McpServer)>> = BTreeMap::new();
    for call in agent.calls {
        let Some(server) = call.server() else { continue };
        check(call, server, out);
        let others = servers.entry(target_name(call)).or_default();
        if let Some((other, _)) = others.iter().find(|(other, _)| tool_name(other) == tool_name(call)) {
            let message = format!("`{}` is the tool `{}` already", tool_name(call), other.tool.name.value);
            out.report(refusal(call.tool.name.span, &message, "leave one of them out"));
        }
        if let Some((other, _)) =
            others.iter().find(|(other, _)| other.connector.name() != call.connector.name())
        {
            let message = format!("`{}` and this connector would be one target", other.connector.name());
            out.report(refusal(call.tool.connector.name.span, &message, "rename one of them"));
        }
        others.push((call, server));
    }
    let mut artifacts = Vec::new();
    for (name, calls) in servers {
        artifacts.extend(target(agent, (addresses, &name), &calls, out).unwrap_or_default());
    }
    artifacts
}

fn target(
    agent: &Agent<'_>,
    (addresses, name): (&Addresses, &str),
    calls: &[(&Call<'_>, &McpServer)],
    out: &mut Diagnostics,
) -> Option<Vec<Artifact>> {
    let (first, server) = calls.first()?;
    let key = key(agent, first, server, out)?;
    let tools = calls.iter().map(|(call, _)| {
        let tree = Tree::map([
            ("name", Tree::text(tool_name(call))),
            ("description", described(call)),
            ("inputSchema", schema(&call.shape)),
        ]);
        tree.from(call.origin.clone())
    });
    let default = || agent.account.default("agentcore.server");
    let pinned = Tree::map([("inlinePayload", Tree::map([("tools", Tree::list(tools))]))]);
    let config = Tree::map([
        ("endpoint", Tree::text(server.url.value.as_str()).from(Origin::written(server.url.span))),
        ("mcpToolSchema", pinned),
    ]);
    let provider = Tree::map([
        ("providerArn", reference(&key.document.address, "credentialProviderArn")),
        ("credentialLocation", Tree::text("HEADER")),
        ("credentialParameterName", Tree::text("Authorization")),
        ("credentialPrefix", Tree::text("Bearer")),
    ]);
    let credentials = Tree::map([
        ("credentialProviderType", Tree::text("API_KEY")),
        ("credentialProvider", Tree::map([("apiKeyCredentialProvider", provider)])),
    ]);
    let members = vec![
        ("gatewayIdentifier", reference(&addresses.gateway, "gatewayId")),
        ("name", Tree::text(name).from(default())),
        ("targetConfiguration", Tree::map([("mcp", Tree::map([("mcpServer", config)]))])),
        ("credentialProviderConfigurations", Tree::list([credentials.from(default())])),
    ];
    let needs = vec![addresses.gateway.clone(), key.document.address.clone()];
    let request = Request { address: addresses.target(name), region: agent.region(), members, needs };
    Some(vec![key, request.artifact(&first.used)])
}

/// Where the key for a server is: in a secret that somebody else keeps.
fn key(agent: &Agent<'_>, call: &Call<'_>, server: &McpServer, out: &mut Diagnostics) -> Option<Artifact> {
    let named = match &server.auth {
        Some(ServerAuth::Secret(named)) => named,
        Some(ServerAuth::Connection(arn)) => {
            let message = "a gateway does not use connections of EventBridge";
            out.report(refusal(arn.span, message, "use `auth: { secret: … }`"));
            return None;
        }
        None => {
            let message = "a gateway calls no server that lets in everybody";
            out.report(refusal(server.url.span, message, "add `auth: { secret: … }`"));
            return None;
        }
    };
    let connector = agent.account.graph().get(named)?;
    let granted = agent.grants.iter().find(|grant| grant.decision.request.span == named.name.span)?;
    let ConnectorKind::SecretsManager(source) = &connector.spec.kind else {
        let help = "name a connector with `secretsManager`";
        out.report(refusal(named.name.span, "a credential is in a secret", help));
        return None;
    };
    same_region((connector, named.name.span), &agent.region().0, out)?;
    let name = agent.account.server_key(agent.resource, call.connector.name().as_str());
    let default = || agent.account.default("agentcore.serverKey");
    let secret = Tree::text(source.secret.value.as_str()).from(Origin::written(source.secret.span));
    let config = Tree::map([("secretId", secret), ("jsonKey", Tree::text("key").from(default()))]);
    let members = vec![
        ("name", Tree::text(&name).from(agent.account.default("origin.name"))),
        ("apiKeySecretSource", Tree::text("EXTERNAL").from(default())),
        ("apiKeySecretConfig", config),
        ("tags", tag_map(agent.account)),
    ];
    let address = address("ApiKeyProvider", name);
    let request = Request { address, region: agent.region(), members, needs: Vec::new() };
    Some(request.artifact(&Origin::granted(*granted)))
}

/// Refuses what would stand before the call and cannot, and what nobody would check.
fn check(call: &Call<'_>, server: &McpServer, out: &mut Diagnostics) {
    let tool = call.tool;
    let help = "put a function before the server, and use that as the connector";
    let mut refuse = |span: Span, message: &str| out.report(refusal(span, message, help));
    if tool.access.value == Access::Write {
        refuse(tool.access.span, "a call that changes something goes through a machine, and this one cannot");
    }
    if let Some(gate) = &tool.gate {
        refuse(gate.span, "the gateway calls the server itself, so nothing can stand before the call");
    }
    if let Some(network) = &call.connector.spec.network {
        refuse(network.vpc_endpoint.span, "a gateway calls servers from outside of your network");
    }
    if let Some(partition) = &call.connector.spec.partition {
        refuse(partition.key.span, "a call of a server cannot keep tenants apart");
    }
    for span in unsaid(&call.shape) {
        refuse(span, "nothing but a policy checks calls of an MCP server, and Cedar cannot say this");
    }
    for limit in &call.limits {
        if let Asks::Length(_) = limit.asks {
            refuse(
                limit.span,
                "nothing but a policy checks calls of an MCP server, and Cedar knows no lengths",
            );
        }
    }
    check_names(call, server, out);
}

fn check_names(call: &Call<'_>, server: &McpServer, out: &mut Diagnostics) {
    let plain = |text: &Spanned<Text>, more: &[u8]| {
        text.value.as_str().bytes().all(|byte| byte.is_ascii_alphanumeric() || more.contains(&byte))
    };
    if !server.url.value.as_str().starts_with("https://") || !plain(&server.url, b"/-._~:@!&'()+,;=%") {
        let message = "a gateway calls servers at plain `https` addresses";
        out.report(refusal(server.url.span, message, "correct the address"));
    }
    if let Some(named) = call.tool.operation.as_ref().filter(|named| !plain(named, b"_")) {
        let message = "policies of a gateway know tools that are named by letters, digits and `_`";
        out.report(refusal(named.span, message, "give the tool another name on its server"));
    }
}

/// The places of what a schema asks and Cedar has no exact words for.
fn unsaid(shape: &Shape) -> Vec<Span> {
    let mut found = Vec::new();
    match &shape.kind {
        Kind::Text(rules) => {
            found.extend(rules.least.iter().chain(&rules.most).map(|(_, span)| *span));
            found.extend(rules.pattern.as_ref().map(|(_, span)| *span));
        }
        Kind::Number(rules) => {
            let bounds = [&rules.least, &rules.most, &rules.above, &rules.below].into_iter().flatten();
            let inexact = |number: &Number| !rules.whole || number.as_i64().is_none();
            found.extend(bounds.filter(|(bound, _)| inexact(bound)).map(|(_, span)| *span));
            if let Some((values, span)) = &shape.only
                && values.iter().any(|value| value.as_number().is_none_or(inexact))
            {
                found.push(*span);
            }
        }
        Kind::List { items, least, most } => {
            found.extend(least.iter().chain(most).map(|(_, span)| *span));
            found.extend(asks_more_than_types(items));
        }
        Kind::Object(properties) => found.extend(properties.iter().flat_map(|one| unsaid(&one.shape))),
        Kind::Bool => {}
    }
    if let (Kind::Text(_), Some((values, span))) = (&shape.kind, &shape.only)
        && !values.iter().all(Value::is_string)
    {
        found.push(*span);
    }
    found
}

/// Cedar cannot go through the items of a list: they may ask nothing but their types.
fn asks_more_than_types(shape: &Shape) -> Vec<Span> {
    let mut found = unsaid(shape);
    found.extend(shape.only.as_ref().map(|(_, span)| *span));
    match &shape.kind {
        Kind::Number(rules) => {
            let bounds = [&rules.least, &rules.most, &rules.above, &rules.below];
            found.extend(bounds.into_iter().flatten().map(|(_, span)| *span));
        }
        Kind::Object(properties) => {
            found.extend(properties.iter().flat_map(|one| asks_more_than_types(&one.shape)));
        }
        Kind::List { items, .. } => found.extend(asks_more_than_types(items)),
        Kind::Text(_) | Kind::Bool => {}
    }
    found.sort_unstable();
    found.dedup();
    found
}
