//! What the runtime of an agent needs around its model: its gateway with the policy engine, and its memory. These get
//! their ids when they are made: ten characters after the name.

use aipolicy_compiler::ir::{Circumstances, Object};
use aipolicy_compiler::model::Resource;
use aipolicy_compiler::model::agent::{AgentRuntime, AgentSpec};
use aipolicy_compiler::source::Span;
use aipolicy_iam::Piece;

use super::Writer;
use super::condition::Condition;
use super::gate::support;
use super::policy::Allow;
use crate::artifact::Artifact;
use crate::origin::Origin;

const INVOKE_GATEWAY: &[&str] = &["bedrock-agentcore:InvokeGateway"];
const REMEMBER: &[&str] =
    &["bedrock-agentcore:CreateEvent", "bedrock-agentcore:GetEvent", "bedrock-agentcore:ListEvents"];
const AUTHORIZE: &[&str] =
    &["bedrock-agentcore:AuthorizeAction", "bedrock-agentcore:PartiallyAuthorizeActions"];
const READ_ENGINE: &[&str] = &["bedrock-agentcore:GetPolicyEngine"];
const HAND_OVER: &[&str] = &["bedrock:GetAgentAlias", "bedrock:InvokeAgent"];
const SESSION_KEY: &[&str] = &["kms:Decrypt", "kms:GenerateDataKey"];
const FUNCTION: &[&str] = &["lambda:InvokeFunction"];

impl Writer<'_> {
    /// What an agent may do beside calling its model.
    pub(super) fn runtime_allows(&mut self) -> Vec<Allow> {
        match self.runtime() {
            Some(AgentRuntime::AgentCore) => self.agentcore_allows(),
            Some(AgentRuntime::BedrockAgents) => self.classic_allows(),
            None => Vec::new(),
        }
    }

    /// The collaborators of an agent on Agents Classic. Their ids are not known before they are made, so they are told by
    /// their tags.
    fn classic_allows(&mut self) -> Vec<Allow> {
        let mut allows = Vec::new();
        let Some(agent) = self.agent() else { return allows };
        let region = self.account.region_of(agent);
        let id = [Piece::AnyOne; 10];
        let alias = [&[Piece::Literal("agent-alias/")], id.as_slice(), &[Piece::Literal("/")], &id].concat();
        for grant in self.grants {
            let Object::Agent(other) = grant.decision.request.object else { continue };
            let place = Origin::written(grant.decision.request.span);
            let name = self.account.graph().name(other);
            let sid = format!("Hand over to {name}");
            let allow = self.tagged(&sid, (HAND_OVER, &alias), (region, &place, Origin::granted(*grant)));
            allows.extend(allow.map(|mut allow| {
                allow.conditions.push(Condition::equals(
                    "aws:ResourceTag/aipolicy:agent",
                    name,
                    place.clone(),
                ));
                allow
            }));
            if let Some(other) = self.account.graph().resource(other) {
                allows.extend(self.session_key(other, Origin::granted(*grant)));
            }
        }
        allows
    }

    /// The use of the key for the sessions of an agent on Agents Classic, which whoever calls the agent needs. Source:
    /// Bedrock user guide, encryption of agent resources.
    pub(super) fn session_key(&mut self, agent: &Resource<AgentSpec>, origin: Origin) -> Option<Allow> {
        let key = self.account.classic_key(agent)?;
        let place = Origin::written(key.span);
        let own = [&[Piece::Literal("agent/")], [Piece::AnyOne; 10].as_slice()].concat();
        let region = self.account.region_of(agent);
        let arn = self.pattern("bedrock", (region, self.account.id()), (&own, agent.name_span()))?;
        let sid = format!("Key of {}", agent.name());
        let mut allow = support(&sid, SESSION_KEY, (key.value.as_str().to_owned(), place), origin);
        let (context, place) = ("kms:EncryptionContext:aws:bedrock:arn", Origin::written(agent.name_span()));
        allow.conditions.push(Condition::new("StringLike", context, arn, place));
        Some(allow)
    }

    /// Actions on what carries our marks.
    pub(super) fn tagged(
        &mut self,
        sid: &str,
        (actions, resource): (&'static [&'static str], &[Piece<'_>]),
        (region, place, origin): (&str, &Origin, Origin),
    ) -> Option<Allow> {
        let arn = self.pattern("bedrock", (region, self.account.id()), (resource, place.span))?;
        let mut allow = support(sid, actions, (arn, place.clone()), origin);
        allow.conditions = self
            .account
            .marks()
            .map(|(key, value)| {
                Condition::equals(&format!("aws:ResourceTag/{key}"), value, self.account.default("aws.tags"))
            })
            .into();
        Some(allow)
    }

    fn agentcore_allows(&mut self) -> Vec<Allow> {
        let mut allows = Vec::new();
        let Some(agent) = self.agent() else { return allows };
        allows.extend(self.route_key());
        if agent.spec.callers.is_some() {
            allows.extend(self.client_token());
        } else if let Some(first) = self.called().first()
            && let Some(arn) = self.made("gateway", self.account.gateway(agent), agent)
        {
            let origin = Origin::granted(first.call);
            allows.push(support(
                "Call tools",
                INVOKE_GATEWAY,
                (arn, Origin::written(agent.name_span())),
                origin,
            ));
        }
        let remembers = self.grants.iter().find(|grant| {
            matches!(&grant.decision.request.circumstances, Circumstances::Storage(found) if found.place == "memory")
        });
        if let Some(grant) = remembers
            && let Some(arn) = self.made("memory", self.account.memory(agent), agent)
        {
            let origin = Origin::granted(*grant);
            allows.push(support("Remember", REMEMBER, (arn, Origin::written(agent.name_span())), origin));
        }
        allows
    }

    /// The role of the gateway of an agent on AgentCore: it asks the policy engine, and calls one function.
    pub(super) fn gateway(&mut self) -> Vec<Artifact> {
        let called = self.called();
        let agent = self.agent().filter(|_| self.runtime() == Some(AgentRuntime::AgentCore));
        let (Some(agent), Some(first)) = (agent, called.first()) else { return Vec::new() };
        let (span, region) = (agent.name_span(), self.account.region_of(agent));
        let (origin, place) = (Origin::granted(first.call), Origin::written(span));
        let gateway = self.made("gateway", self.account.gateway(agent), agent);
        let engine = self.made("policy-engine", self.account.engine(agent), agent);
        let (Some(gateway), Some(engine)) = (gateway, engine) else { return Vec::new() };
        let mut authorize = support("Authorize", AUTHORIZE, (gateway, place.clone()), origin.clone());
        authorize.resources.push((engine.clone(), place.clone()));
        let mut allows =
            vec![authorize, support("Read engine", READ_ENGINE, (engine, place.clone()), origin.clone())];
        let behind = called.iter().find(|called| !called.direct).and(self.account.function(agent));
        let function =
            behind.and_then(|name| self.arn("lambda", region, (&format!("function:{name}"), span)));
        allows.extend(
            function.map(|function| support("Call function", FUNCTION, (function, place), origin.clone())),
        );
        allows.extend(self.server_keys(&called));
        let Some(trust) = self.runtime_trust(agent, span) else { return Vec::new() };
        self.documents(&["gateway", agent.name().as_str(), "tools"], (&trust, &allows), &origin)
    }

    /// What AgentCore makes under a name, by the pattern of its ARN.
    pub(super) fn made(
        &mut self,
        kind: &str,
        name: Option<String>,
        agent: &Resource<AgentSpec>,
    ) -> Option<String> {
        let name = name?;
        let mut pieces =
            vec![Piece::Literal(kind), Piece::Literal("/"), Piece::Literal(&name), Piece::Literal("-")];
        pieces.extend([Piece::AnyOne; 10]);
        let (region, span): (_, Span) = (self.account.region_of(agent), agent.name_span());
        self.pattern("bedrock-agentcore", (region, self.account.id()), (&pieces, span))
    }
}
