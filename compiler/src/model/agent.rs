//! `Agent`: a managed agent with its tools, gates and limits.

use std::collections::BTreeSet;

use super::connector::ConnectorSpec;
use super::data_class::DataClassSpec;
use super::environment::EnvironmentSpec;
use super::group::GroupSpec;
use super::guardrail::GuardrailSpec;
use super::macros::{choice, record, words};
use super::model::ModelSpec;
use super::reference::Ref;
use super::route::{CanaryAbort, RouteSpec};
use super::tenant::TenantSpec;
use super::trigger::AgentTrigger;
use super::value::{
    Count, CountPer, Duration, File, Literal, Name, Percent, Rate, Region, Text, Texts, Tokens,
};
use crate::source::{Span, Spanned};

words! {
    /// The service that runs an agent.
    pub enum AgentRuntime {
        /// Bedrock AgentCore.
        AgentCore = "agentcore",
        /// Bedrock Agents Classic, closed to new customers since July 2026.
        BedrockAgents = "bedrock-agents",
    }
}

choice! {
    /// How an agent reaches its model.
    pub enum AgentModel {
        /// Through a route of a gateway.
        Route(Ref<RouteSpec>) = route,
        /// Directly.
        Model(Ref<ModelSpec>) = model,
    }
}

words! {
    /// What a tool does with its connector.
    pub enum Access {
        /// It reads.
        Read = "read",
        /// It writes.
        Write = "write",
    }
}

record! {
    /// What an input may be.
    pub struct Constraint {
        /// The least number.
        min: Option<Spanned<Literal>>,
        /// The greatest number.
        max: Option<Spanned<Literal>>,
        /// The only values.
        one_of: Vec<Spanned<Literal>>,
        /// The greatest length of a text.
        max_length: Option<Spanned<Count>>,
    }
}

words! {
    /// How far input can be trusted.
    pub enum InputTrust {
        /// It comes from within.
        Trusted = "trusted",
        /// It may come from anybody.
        Untrusted = "untrusted",
    }
}

words! {
    /// Where content can go.
    pub enum Egress {
        /// Nowhere.
        None = "none",
        /// Within the organisation.
        Internal = "internal",
        /// Outside.
        External = "external",
    }
}

record! {
    /// What a tool brings in and lets out.
    pub struct Trust {
        /// How far its input can be trusted.
        input: Option<Spanned<InputTrust>>,
        /// Where content can go.
        egress: Option<Spanned<Egress>>,
    }
}

record! {
    /// Somebody must approve each call.
    pub struct ApprovalGate {
        /// Who may.
        from: Vec<Ref<GroupSpec>>,
        /// In which time; no answer is a refusal.
        within: Option<Spanned<Duration>>,
    }
}

record! {
    /// A function must agree to each call.
    pub struct VerifyGate {
        /// The function.
        with: Ref<ConnectorSpec>,
    }
}

choice! {
    /// What stands before a call.
    pub enum Gate {
        /// Somebody approves.
        Approval(ApprovalGate) = approval,
        /// A function agrees.
        Verify(VerifyGate) = verify,
    }
    words {
        /// The user confirms.
        Confirm = "confirm",
    }
}

record! {
    /// A tool of an agent.
    pub struct Tool {
        /// Its name.
        name: Spanned<Name>,
        /// What it uses.
        connector: Ref<ConnectorSpec>,
        /// What it does with it.
        access: Spanned<Access>,
        /// What it is for.
        description: Option<Spanned<Text>>,
        /// The JSON Schema of its input; with `operation`, an OpenAPI document.
        input: Option<File>,
        /// The operation that it is: of the OpenAPI document by its id, or of an MCP server by its name there.
        operation: Option<Spanned<Text>>,
        /// What inputs may be.
        allow: Texts<Constraint>,
        /// The input that makes a repetition harmless.
        idempotency_key: Option<Spanned<Text>>,
        /// What it brings in and lets out.
        trust: Option<Trust>,
        /// How often it may be called, by everybody together.
        rate: Option<Spanned<Rate>>,
        /// What stands before a call.
        gate: Option<Spanned<Gate>>,
    }
}

record! {
    /// The client that an agent is to the issuer of tokens.
    pub struct AgentClient {
        /// Its id.
        id: Spanned<Text>,
        /// The secret that holds its credential.
        secret: Ref<ConnectorSpec>,
    }
}

choice! {
    /// What a claim of a token must be.
    pub enum ClaimIs {
        /// A text.
        Equals(Spanned<Text>) = equals,
        /// A list with one of these texts in it.
        ContainsAny(Vec<Spanned<Text>>) = contains_any,
    }
}

record! {
    /// A claim that a token must have.
    pub struct Claim {
        /// Its name.
        name: Spanned<Text>,
    }
    flatten {
        /// What it must be.
        is: ClaimIs
    }
}

record! {
    /// Callers with a token that an issuer signed.
    pub struct JwtCallers {
        /// Where the issuer says how its tokens are verified: the address of an OpenID configuration.
        discovery_url: Spanned<Text>,
        /// The client that the agent itself is when it calls its tools.
        client: AgentClient,
        /// Other clients that may call, by their ids.
        clients: Vec<Spanned<Text>>,
        /// Whom tokens must be for, one of these; anybody when left out.
        audiences: Vec<Spanned<Text>>,
        /// Scopes that a token must have, all of them.
        scopes: Vec<Spanned<Text>>,
        /// Claims that a token must have, all of them.
        claims: Vec<Claim>,
        /// How often each subject may call.
        rate: Option<Spanned<Rate>>,
    }
}

choice! {
    /// Who calls the tools of an agent.
    pub enum Callers {
        /// Those who have a token.
        Jwt(JwtCallers) = jwt,
    }
}

record! {
    /// An agent that work may be handed to.
    pub struct Collaborator {
        /// The agent.
        agent: Ref<AgentSpec>,
        /// How deep work may be handed on.
        max_depth: Option<Spanned<Count>>,
    }
}

record! {
    /// What stops an agent.
    pub struct AgentLimits {
        /// Steps of a session.
        steps: Option<Spanned<Count>>,
        /// Time of a session.
        wall_clock: Option<Spanned<Duration>>,
        /// Tokens of a session.
        tokens_per_session: Option<Spanned<Tokens>>,
        /// Failures in a row.
        consecutive_failures: Option<Spanned<Count>>,
        /// Sessions per period.
        sessions: Option<Spanned<CountPer>>,
        /// Sessions at once.
        concurrent: Option<Spanned<Count>>,
    }
}

record! {
    /// What an agent remembers between sessions.
    pub struct AgentMemory {
        /// How long.
        retention: Option<Spanned<Duration>>,
        /// Where; the region of the agent when left out.
        region: Option<Spanned<Region>>,
    }
}

record! {
    /// What is recorded of an agent.
    pub struct AgentTrace {
        /// Fields that are blacked out.
        redact: Vec<Spanned<Text>>,
        /// How long it is kept.
        retention: Option<Spanned<Duration>>,
    }
}

record! {
    /// How a new version is tried.
    pub struct ReleaseCanary {
        /// Share of the sessions.
        weight: Spanned<Percent>,
        /// For how long.
        bake: Spanned<Duration>,
        /// What ends the trial.
        abort: CanaryAbort,
    }
}

record! {
    /// How a new version goes out.
    pub struct Release {
        /// How it is tried.
        canary: Option<ReleaseCanary>,
    }
}

record! {
    /// A managed agent.
    pub struct AgentSpec {
        /// Whose it is.
        tenant: Ref<TenantSpec>,
        /// `false` switches it off.
        enabled: Option<Spanned<bool>>,
        /// Where it runs; where its tenant does when left out.
        environments: Vec<Ref<EnvironmentSpec>>,
        /// The service that runs it; AgentCore when left out.
        runtime: Option<Spanned<AgentRuntime>>,
        /// Its region; the first of the environment when left out.
        region: Option<Spanned<Region>>,
        /// How it reaches its model.
        model: Spanned<AgentModel>,
        /// What it is told.
        instructions: Option<File>,
        /// What content must pass.
        guardrail: Option<Ref<GuardrailSpec>>,
        /// Classes of data that it may handle.
        clearance: Vec<Ref<DataClassSpec>>,
        /// Its tools.
        tools: Vec<Tool>,
        /// Who calls its tools; the agent alone, by its role, when left out.
        callers: Option<Spanned<Callers>>,
        /// Agents that work may be handed to.
        collaborators: Vec<Collaborator>,
        /// What starts it.
        triggers: Vec<AgentTrigger>,
        /// What stops it.
        limits: Option<AgentLimits>,
        /// What it remembers.
        memory: Option<AgentMemory>,
        /// What is recorded of it.
        trace: Option<AgentTrace>,
        /// How a new version goes out.
        release: Option<Release>,
    }
}

impl AgentSpec {
    /// Where the agent is switched off; nothing while it is on. An agent that is off asks for nothing, so it holds
    /// nothing.
    pub fn switched_off(&self) -> Option<Span> {
        self.enabled.as_ref().filter(|enabled| !enabled.value).map(|enabled| enabled.span)
    }

    /// How new versions are tried, if they are.
    pub fn canary(&self) -> Option<&ReleaseCanary> {
        self.release.as_ref()?.canary.as_ref()
    }
}

/// Who may call, so that a reviewer sees what changes: in one order, whatever the order of writing.
impl std::fmt::Display for JwtCallers {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let list = |texts: &[Spanned<Text>]| {
            let texts: BTreeSet<_> = texts.iter().map(|text| text.value.as_str()).collect();
            texts.into_iter().collect::<Vec<_>>().join(", ")
        };
        write!(formatter, "tokens of {} for client {}", self.discovery_url.value, self.client.id.value)?;
        if !self.clients.is_empty() {
            write!(formatter, ", {}", list(&self.clients))?;
        }
        for (name, texts) in [("audience", &self.audiences), ("scope", &self.scopes)] {
            if !texts.is_empty() {
                write!(formatter, "; {name} {}", list(texts))?;
            }
        }
        for claim in &self.claims {
            match &claim.is {
                ClaimIs::Equals(text) => write!(formatter, "; {} is {}", claim.name.value, text.value)?,
                ClaimIs::ContainsAny(texts) => {
                    write!(formatter, "; {} has one of {}", claim.name.value, list(texts))?;
                }
            }
        }
        Ok(())
    }
}

impl Callers {
    /// The client of the agent itself.
    pub fn client(&self) -> &AgentClient {
        let Self::Jwt(callers) = self;
        &callers.client
    }

    /// Who may call, as a word for policies.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Jwt(_) => "jwt",
        }
    }
}
