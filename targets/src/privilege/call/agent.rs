//! Calls of an agent itself, beside those of its model: its memory, its guardrail, those it hands work to, and the
//! credentials that it proves itself with.
//!
//! Sources: Bedrock user guide, "Service role for Agents" and "Encryption of agent resources"; AgentCore developer guide,
//! memory and identity; service authorization reference, Amazon Bedrock AgentCore.

use aipolicy_compiler::authorize::Grant;
use aipolicy_compiler::model::Resource;
use aipolicy_compiler::model::agent::{AgentModel, AgentRuntime, AgentSpec};
use aipolicy_compiler::model::connector::ConnectorSpec;
use aipolicy_iam::ArnError;

use super::super::need::{Calls, Needs};
use super::connector::Use;
use super::guardrail;

const DIRECTORY: &str = "workload-identity-directory/default";

/// The service that runs an agent.
pub(in crate::privilege) fn runtime(agent: &Resource<AgentSpec>) -> AgentRuntime {
    agent.spec.runtime.as_ref().map_or(AgentRuntime::AgentCore, |runtime| runtime.value)
}

/// What AgentCore makes under a name: it adds ten characters.
pub(super) fn made(
    needs: &Needs<'_>,
    agent: &Resource<AgentSpec>,
    (kind, name): (&str, Option<String>),
) -> Result<String, ArnError> {
    let region = needs.account.region_of(agent);
    needs.own(("bedrock-agentcore", region), "{}/{}-??????????", &[kind, &name.unwrap_or_default()])
}

/// An identity that AgentCore gives to a harness or a gateway of an agent.
pub(super) struct Identity<'i> {
    pub(super) agent: &'i Resource<AgentSpec>,
    pub(super) name: String,
}

impl Identity<'_> {
    /// On the identity and the directory that it is in.
    pub(super) fn on(&self, needs: &Needs<'_>, calls: Calls) -> Calls {
        let site = ("bedrock-agentcore", needs.account.region_of(self.agent));
        let identity = needs.own(site, "{}/workload-identity/{}-*", &[DIRECTORY, &self.name]);
        calls.on(needs.own(site, DIRECTORY, &[])).on(identity)
    }
}

/// On a provider of credentials in the vault, in the name of an identity.
pub(super) fn vault(
    needs: &Needs<'_>,
    identity: &Identity<'_>,
    (calls, kind, provider): (Calls, &str, &str),
) -> Calls {
    let site = ("bedrock-agentcore", needs.account.region_of(identity.agent));
    let calls = calls.on(needs.own(site, "token-vault/default", &[])).on(needs.own(
        site,
        "token-vault/default/{}/{}",
        &[kind, provider],
    ));
    identity.on(needs, calls)
}

fn role(needs: &Needs<'_>, agent: &Resource<AgentSpec>) -> String {
    needs.account.role(&["agent", agent.name().as_str()])
}

/// Only on what carries the tags that are ours.
pub(super) fn ours(needs: &Needs<'_>, calls: Calls) -> Calls {
    let marks = needs.account.marks().into_iter();
    marks.fold(calls, |calls, (key, value)| calls.where_is(&format!("aws:ResourceTag/{key}"), value))
}

/// What an agent remembers of sessions.
pub(super) fn memory<'a>(all: &mut Needs<'a>, agent: &Resource<AgentSpec>, grant: Grant<'a>) {
    if runtime(agent) == AgentRuntime::AgentCore {
        let events =
            ["CreateEvent", "GetEvent", "ListEvents"].map(|verb| format!("bedrock-agentcore:{verb}"));
        let arn = made(all, agent, ("memory", all.account.memory(agent)));
        let calls = Calls::of(&events.each_ref().map(String::as_str)).on(arn);
        all.add(&role(all, agent), grant, calls);
    }
}

/// The guardrail of an agent on Agents Classic.
pub(super) fn guardrail<'a>(all: &mut Needs<'a>, agent: &Resource<AgentSpec>, grant: Grant<'a>) {
    if let Some(named) = &agent.spec.guardrail
        && runtime(agent) == AgentRuntime::BedrockAgents
    {
        let region = all.account.region_of(agent);
        let calls = guardrail::applied(all, region, named);
        all.add(&role(all, agent), grant, calls);
    }
}

/// The alias of an agent on Agents Classic, in the region of whoever calls it.
pub(super) fn alias(
    needs: &Needs<'_>,
    (actions, region): (&[&str], &str),
    called: &Resource<AgentSpec>,
) -> Calls {
    let arn = needs.own(("bedrock", region), "agent-alias/??????????/??????????", &[]);
    let calls = ours(needs, Calls::of(actions).on(arn));
    calls.where_is("aws:ResourceTag/aipolicy:agent", called.name().as_str())
}

/// The key of an agent's sessions on Agents Classic, which whoever calls it uses.
pub(super) fn session_key(needs: &Needs<'_>, agent: &Resource<AgentSpec>) -> Option<Calls> {
    let key = needs.account.classic_key(agent)?.value.as_str();
    let region = needs.account.region_of(agent);
    let calls = Calls::of(&["kms:Decrypt", "kms:GenerateDataKey"]).on(Ok(key.to_owned()));
    let own = needs.own(("bedrock", region), "agent/??????????", &[]).ok()?;
    Some(calls.when("StringLike", "kms:EncryptionContext:aws:bedrock:arn", [own]))
}

/// Work that is handed on to another agent, which Agents Classic alone can do.
pub(super) fn handed_on<'a>(
    all: &mut Needs<'a>,
    (agent, other): (&Resource<AgentSpec>, &Resource<AgentSpec>),
    grant: Grant<'a>,
) {
    if runtime(agent) != AgentRuntime::BedrockAgents {
        return;
    }
    let region = all.account.region_of(agent);
    let hand_over = alias(all, (&["bedrock:GetAgentAlias", "bedrock:InvokeAgent"], region), other);
    let key = session_key(all, other);
    for calls in std::iter::once(hand_over).chain(key) {
        all.add(&role(all, agent), grant, calls);
    }
}

/// The token with which an agent calls the gateway of its tools, and the secret behind it.
pub(super) fn client<'a>(
    all: &mut Needs<'a>,
    (agent, secret): (&Resource<AgentSpec>, &ConnectorSpec),
    grant: Grant<'a>,
) -> Option<()> {
    let harness = Identity { agent, name: all.account.harness(agent)? };
    let provider = all.account.client(agent);
    let token = Calls::of(&["bedrock-agentcore:GetResourceOauth2Token"]);
    let token = vault(all, &harness, (token, "oauth2credentialprovider", &provider));
    let secret = Use::of(all, secret, &grant.decision.request).calls(all);
    for calls in std::iter::once(token).chain(secret) {
        all.add(&role(all, agent), grant, calls);
    }
    Some(())
}

/// The key with which an agent calls a gateway of models, and the secret that it is in.
pub(super) fn route_key<'a>(
    all: &mut Needs<'a>,
    agent: &Resource<AgentSpec>,
    grant: Grant<'a>,
) -> Option<()> {
    let AgentModel::Route(_) = &agent.spec.model.value else { return None };
    let account = all.account;
    let harness = Identity { agent, name: account.harness(agent)? };
    let provider = account.gateway_key(agent);
    let key = Calls::of(&["bedrock-agentcore:GetResourceApiKey"]);
    let key = vault(all, &harness, (key, "apikeycredentialprovider", &provider));
    let name = account.gateway_secret(account.graph().get(&agent.spec.tenant)?.name().as_str());
    let secret = all.own(("secretsmanager", account.region_of(agent)), "secret:{}-??????", &[&name]);
    let read = Calls::of(&["secretsmanager:GetSecretValue"]).on(secret);
    for calls in [key, read] {
        all.add(&role(all, agent), grant, calls);
    }
    Some(())
}
