//! The model of a harness: a model of Bedrock, or a route of a gateway that speaks the interface of OpenAI.

use aipolicy_compiler::diagnostic::Diagnostics;
use aipolicy_compiler::model::agent::AgentModel;
use aipolicy_compiler::model::model::{ModelProvider, ModelSpec};
use aipolicy_compiler::model::reference::Ref;
use aipolicy_compiler::model::route::RouteSpec;

use super::{Agent, refusal};
use crate::artifact::{Address, Artifact};
use crate::bedrock::request::{Request, address};
use crate::bedrock::shared::{profile, tag_map};
use crate::origin::Origin;
use crate::tree::Tree;

/// The model of a harness.
pub(super) struct Model {
    pub(super) member: Tree,
    /// What must exist before.
    pub(super) needs: Option<Address>,
    /// Where the key for a gateway is.
    pub(super) key: Option<Artifact>,
}

/// The member `model` of a harness, and what it needs beside it.
pub(super) fn model(agent: &Agent<'_>, out: &mut Diagnostics) -> Option<Model> {
    match &agent.spec().model.value {
        AgentModel::Model(named) => direct(agent, named, out),
        AgentModel::Route(named) => {
            let key = key(agent)?;
            let needs = Some(key.document.address.clone());
            Some(Model { member: route(agent, named, out)?, needs, key: Some(key) })
        }
    }
}

fn direct(agent: &Agent<'_>, named: &Ref<ModelSpec>, out: &mut Diagnostics) -> Option<Model> {
    let model = agent.account.graph().get(named)?;
    if model.spec.provider.value != ModelProvider::Bedrock {
        let message = format!("whether a harness calls `{}` is not known", model.spec.provider.value.word());
        let help = "use a model with `provider: bedrock`, or a route";
        out.report(refusal(named.name.span, &message, help).label(model.spec.provider.span, "its provider"));
        return None;
    }
    let invoked = profile::invoked(agent.account, (agent.spec(), agent.grants), named)?;
    let mut entries = vec![("modelId", invoked.id)];
    let output = model.spec.limits.as_ref().and_then(|limits| limits.output.as_ref());
    entries.extend(
        output.map(|most| ("maxTokens", Tree::integer(most.value.count()).from(Origin::written(most.span)))),
    );
    let config = Tree::map(entries).from(Origin::written(named.name.span));
    Some(Model { member: Tree::map([("bedrockModelConfig", config)]), needs: invoked.needs, key: None })
}

fn route(agent: &Agent<'_>, named: &Ref<RouteSpec>, out: &mut Diagnostics) -> Option<Tree> {
    let graph = agent.account.graph();
    let gateway = graph.get(&graph.get(named)?.spec.gateway)?;
    let Some(endpoint) = &gateway.spec.endpoint else {
        let message = format!("nothing says where gateway `{}` can be reached", gateway.name());
        let found = refusal(named.name.span, &message, "add `endpoint` to the gateway");
        out.report(found.label(gateway.name_span(), "the gateway"));
        return None;
    };
    let base = format!("{}/v1", endpoint.value.as_str().trim_end_matches('/'));
    let key =
        format!("token-vault/default/apikeycredentialprovider/{}", agent.account.gateway_key(agent.resource));
    let key = agent.account.arn("bedrock-agentcore", agent.account.region_of(agent.resource), &key);
    let entries = vec![
        ("modelId", Tree::text(named.name.value.as_str())),
        ("apiKeyArn", Tree::text(key).from(agent.account.default("agentcore.gatewayKey"))),
        ("apiBase", Tree::text(base).from(Origin::written(endpoint.span))),
        ("apiFormat", Tree::text("chat_completions").from(agent.account.default("agentcore.gatewayKey"))),
    ];
    Some(Tree::map([("openAiModelConfig", Tree::map(entries).from(Origin::written(named.name.span)))]))
}

/// Where the key for the gateway is: in a secret that somebody else keeps.
fn key(agent: &Agent<'_>) -> Option<Artifact> {
    let name = agent.account.gateway_key(agent.resource);
    let tenant = agent.account.graph().get(&agent.spec().tenant)?;
    let secret = agent.account.gateway_secret(tenant.name().as_str());
    let default = || agent.account.default("agentcore.gatewayKey");
    let config = Tree::map([("secretId", Tree::text(secret)), ("jsonKey", Tree::text("key"))]);
    let members = vec![
        ("name", Tree::text(&name).from(agent.account.default("origin.name"))),
        ("apiKeySecretSource", Tree::text("EXTERNAL").from(default())),
        ("apiKeySecretConfig", config.from(default())),
        ("tags", tag_map(agent.account)),
    ];
    let request = Request {
        address: address("ApiKeyProvider", name),
        region: agent.region(),
        members,
        needs: Vec::new(),
    };
    Some(request.artifact(&Origin::written(agent.spec().model.span)))
}
