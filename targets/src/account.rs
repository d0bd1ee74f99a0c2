//! The account that an environment lives in, and what things are called there.

use std::collections::BTreeSet;

use aipolicy_compiler::authorize::Grant;
use aipolicy_compiler::ir::{Circumstances, Invocation, Object, Principal};
use aipolicy_compiler::model::agent::{Access, AgentRuntime, AgentSpec, ApprovalGate, Gate, Tool};
use aipolicy_compiler::model::connector::{ConnectorKind, ConnectorSpec};
use aipolicy_compiler::model::data_store::StoreKind;
use aipolicy_compiler::model::environment::EnvironmentSpec;
use aipolicy_compiler::model::guardrail::GuardrailSpec;
use aipolicy_compiler::model::model::{Inference, ModelProvider, ModelSpec};
use aipolicy_compiler::model::trigger::{AgentTrigger, TriggerSource};
use aipolicy_compiler::model::value::{Arn as AwsArn, Text};
use aipolicy_compiler::model::workload::WorkloadSpec;
use aipolicy_compiler::model::{Ref, Resource};
use aipolicy_compiler::resolve::{Graph, StorePlace};
use aipolicy_compiler::source::{Span, Spanned};
use aipolicy_iam::{Partition, limits};

use crate::input::Input;
use crate::mark::Mark;
use crate::origin::Origin;

/// The longest names of credential providers of AgentCore, and of secrets.
const CREDENTIAL_PROVIDER_NAME: usize = 128;
const SECRET_NAME: usize = 512;

/// An account of AWS, and the names of what an environment has in it.
pub(crate) struct Account<'a> {
    pub(crate) input: Input<'a>,
    pub(crate) environment: &'a Resource<EnvironmentSpec>,
    pub(crate) partition: Partition,
}

impl<'a> Account<'a> {
    pub(crate) fn of(input: Input<'a>) -> Option<Self> {
        let environment = input.grants.graph().resource(input.grants.environment())?;
        let word = environment.spec.aws.partition.as_ref().map_or("aws", |partition| partition.value.word());
        let partition = Partition::ALL.into_iter().find(|known| known.as_str() == word)?;
        Some(Self { input, environment, partition })
    }

    pub(crate) fn graph(&self) -> &'a Graph {
        self.input.grants.graph()
    }

    /// The agents that were granted something here, with all of it.
    pub(crate) fn agents(&self) -> impl Iterator<Item = (&'a Resource<AgentSpec>, Vec<Grant<'a>>)> + use<'a> {
        let graph = self.graph();
        self.input.grants.by_principal().filter_map(|(principal, grants)| {
            let Principal::Agent(id) = principal else { return None };
            Some((graph.resource(id)?, grants))
        })
    }

    /// The other environments that are in the same account.
    pub(crate) fn neighbours(&self) -> impl Iterator<Item = &'a Resource<EnvironmentSpec>> + use<'a> {
        let (id, own) = (self.id(), self.input.grants.environment());
        let others = self.graph().each::<EnvironmentSpec>().filter(move |(other, _)| *other != own);
        others
            .map(|(_, environment)| environment)
            .filter(move |other| other.spec.aws.account_id.value.as_str() == id)
    }

    pub(crate) fn id(&self) -> &'a str {
        self.environment.spec.aws.account_id.value.as_str()
    }

    pub(crate) fn default(&self, name: &str) -> Origin {
        Origin::default(self.input.sources, name)
    }

    /// How objects of the environment are known to be ours.
    fn mark(&self) -> Mark<'a> {
        let workspace = self.input.metadata.name.value.as_str();
        Mark { workspace, environment: self.environment.name().as_str() }
    }

    /// The path of roles and policies that are ours in an environment: their ownership mark.
    pub(crate) fn path(&self) -> String {
        self.mark().path()
    }

    /// The tags that mark an object as ours.
    pub(crate) fn marks(&self) -> [(&'static str, &'a str); 2] {
        self.mark().tags()
    }

    /// A name within a limit, from the prefix of the workspace, the environment and further words.
    pub(crate) fn name(&self, words: &[&str], limit: usize) -> String {
        let naming = self.input.workspace.naming.as_ref();
        let prefix =
            naming.map_or(self.input.metadata.name.value.as_str(), |naming| naming.prefix.value.as_str());
        let mut parts = vec![prefix, self.environment.name().as_str()];
        parts.extend(words);
        aipolicy_iam::bounded_name(&parts, limit)
    }

    /// The name of the role of a principal, by the words that stand for it.
    pub(crate) fn role(&self, words: &[&str]) -> String {
        self.name(words, limits::ROLE_NAME)
    }

    /// The ARN of a role of the target `iam`, by its name.
    pub(crate) fn role_arn(&self, role: &str) -> String {
        self.arn("iam", "", &format!("role{}{role}", self.path()))
    }

    /// An ARN of this account.
    pub(crate) fn arn(&self, service: &str, region: &str, resource: &str) -> String {
        format!("arn:{}:{service}:{region}:{}:{resource}", self.partition.as_str(), self.id())
    }

    /// A name within the limit that the catalog has under an id.
    pub(crate) fn limited_name(&self, words: &[&str], limit: &str) -> Option<String> {
        let longest = self.graph().catalog().limit(limit)?;
        Some(self.name(words, usize::try_from(longest).ok()?))
    }

    /// The region of an agent, as requests are derived for it.
    pub(crate) fn region_of(&self, agent: &Resource<AgentSpec>) -> &'static str {
        let written = agent.spec.region.as_ref().map(|region| region.value.as_str());
        let first = self.environment.spec.aws.regions.first().map(|region| region.value.as_str());
        let id = written.or(first).unwrap_or("");
        self.graph().catalog().region(id).map_or("", |region| region.id.as_str())
    }

    /// The log group for the traces of the environment, and the line that names the store, where it is in this region.
    pub(crate) fn records(&self, region: &str) -> Option<(&'a Spanned<Text>, Span)> {
        let named = self.environment.spec.logging.as_ref()?.traces.as_ref()?;
        let store = &self.graph().get(named)?.spec;
        let StoreKind::CloudWatch(group) = &store.kind else { return None };
        (store.region.value.as_str() == region).then_some((&group.log_group, named.name.span))
    }

    /// The stream that records of ungated calls of an agent share in that group.
    pub(crate) fn calls(&self, agent: &Resource<AgentSpec>) -> String {
        format!("{}/calls", agent.name())
    }

    /// The stream there of the records of sessions that triggers start.
    pub(crate) fn sessions(&self, agent: &Resource<AgentSpec>) -> String {
        format!("{}/sessions", agent.name())
    }

    /// The key of the place where services keep content of a kind for agents, in a region.
    pub(crate) fn kept_key(&self, place: StorePlace, region: &str) -> Option<&'a Spanned<AwsArn>> {
        let (_, store) = self.graph().kept(self.input.grants.environment(), place, region)?;
        Some(&store.spec.encryption.as_ref()?.kms_key_arn)
    }

    /// The one key with which Agents Classic encrypts the sessions and the memory of an agent.
    pub(crate) fn classic_key(&self, agent: &Resource<AgentSpec>) -> Option<&'a Spanned<AwsArn>> {
        let region = self.region_of(agent);
        let memory = || agent.spec.memory.as_ref().and_then(|_| self.kept_key(StorePlace::Memory, region));
        self.kept_key(StorePlace::Session, region).or_else(memory)
    }

    /// The key for the history of a tool's calls: that of the region, or else that of the connector.
    pub(crate) fn history_key(
        &self,
        agent: &Resource<AgentSpec>,
        connector: &'a Resource<ConnectorSpec>,
    ) -> Option<&'a Spanned<AwsArn>> {
        let own = connector.spec.encryption.as_ref().map(|encryption| &encryption.kms_key_arn);
        self.kept_key(StorePlace::Session, self.region_of(agent)).or(own)
    }

    /// The name of the state machine that carries out the calls of a tool.
    pub(crate) fn machine(&self, agent: &Resource<AgentSpec>, tool: &Tool) -> Option<String> {
        let word = if is_gated(tool) { "gate" } else { "tool" };
        let words = [word, agent.name().as_str(), tool.name.value.as_str()];
        self.limited_name(&words, "stepFunctions.stateMachineName")
    }

    /// The name of the function that an agent's tool calls come through.
    pub(crate) fn function(&self, agent: &Resource<AgentSpec>) -> Option<String> {
        self.limited_name(&["tools", agent.name().as_str()], "lambda.functionName")
    }

    /// The name of the gateway that an agent on AgentCore has for its tools.
    pub(crate) fn gateway(&self, agent: &Resource<AgentSpec>) -> Option<String> {
        self.limited_name(&[agent.name().as_str()], "agentcore.gatewayName")
    }

    /// The name of the inference profile through which agents of a tenant call a model, so that its calls are charged to
    /// the tenant. A provisioned model and a global profile have none, and neither do models that are not of Bedrock.
    pub(crate) fn charged(
        &self,
        tenant: &str,
        model: &Resource<ModelSpec>,
        call: &Invocation,
    ) -> Option<String> {
        let provisioned =
            matches!(model.spec.inference.as_ref().map(|one| &one.value), Some(Inference::Provisioned(_)));
        let global = call.profile.as_deref().is_some_and(|profile| profile.starts_with("global."));
        if model.spec.provider.value != ModelProvider::Bedrock || provisioned || global {
            return None;
        }
        let words = [tenant, model.name().as_str(), &call.source];
        self.limited_name(&words, "bedrock.inferenceProfileName")
    }

    /// The guardrail that every call of a model has to pass.
    pub(crate) fn enforced(&self, model: &Resource<ModelSpec>) -> Option<&'a Ref<GuardrailSpec>> {
        let enforced = self.environment.spec.enforced_guardrail.as_ref()?;
        let excepted = enforced.except.iter().any(|named| named.name.value.as_str() == model.name().as_str());
        (!excepted).then_some(&enforced.guardrail)
    }

    /// The regions from which models of Bedrock are called, by the grants of whoever calls.
    pub(crate) fn called_from(&self, grants: &[Grant<'a>]) -> BTreeSet<&'a str> {
        let region = |grant: &Grant<'a>| {
            let request = &grant.decision.request;
            let (Object::Model(id), Circumstances::Invocation(call)) =
                (&request.object, &request.circumstances)
            else {
                return None;
            };
            let of_bedrock = self.graph().resource(*id)?.spec.provider.value == ModelProvider::Bedrock;
            of_bedrock.then_some(call.source.as_ref())
        };
        grants.iter().filter_map(region).collect()
    }

    /// The name of a guardrail in a region.
    pub(crate) fn guardrail(&self, guardrail: &str, region: &str) -> Option<String> {
        self.limited_name(&[guardrail, region], "bedrock.guardrailName")
    }

    /// The name of the policy engine of an agent's gateway.
    pub(crate) fn engine(&self, agent: &Resource<AgentSpec>) -> Option<String> {
        self.worded_name(&[agent.name().as_str()], "agentcore.policyEngineName")
    }

    /// The name of the client that an agent is to the issuer of its callers' tokens.
    pub(crate) fn client(&self, agent: &Resource<AgentSpec>) -> String {
        self.name(&["client", agent.name().as_str()], CREDENTIAL_PROVIDER_NAME)
    }

    /// The name under which the key of an agent for a gateway of models is found.
    pub(crate) fn gateway_key(&self, agent: &Resource<AgentSpec>) -> String {
        self.name(&["key", agent.name().as_str()], CREDENTIAL_PROVIDER_NAME)
    }

    /// The name under which the key of an agent's gateway for a server is found.
    pub(crate) fn server_key(&self, agent: &Resource<AgentSpec>, server: &str) -> String {
        self.name(&["server", agent.name().as_str(), server], CREDENTIAL_PROVIDER_NAME)
    }

    /// The secret that holds the key of a tenant for gateways of models.
    pub(crate) fn gateway_secret(&self, tenant: &str) -> String {
        self.name(&["gateway-key", tenant], SECRET_NAME)
    }

    /// The name of the policy of a tool.
    pub(crate) fn policy(&self, agent: &Resource<AgentSpec>, tool: &str) -> Option<String> {
        self.worded_name(&[agent.name().as_str(), tool], "agentcore.policyName")
    }

    /// The name of an agent's memory.
    pub(crate) fn memory(&self, agent: &Resource<AgentSpec>) -> Option<String> {
        self.worded_name(&[agent.name().as_str()], "agentcore.memoryName")
    }

    /// The name of an agent's harness.
    pub(crate) fn harness(&self, agent: &Resource<AgentSpec>) -> Option<String> {
        self.worded_name(&[agent.name().as_str()], "agentcore.harnessName")
    }

    /// The name of the endpoint of a harness that callers use.
    pub(crate) fn endpoint(&self) -> String {
        let name = self.environment.name().as_str().replace('-', "_");
        let begins = name.starts_with(|first: char| first.is_ascii_alphabetic());
        let name = if begins { name } else { format!("n_{name}") };
        name.chars().take(48).collect()
    }

    /// The name of the endpoint of a harness with the version that is tried.
    pub(crate) fn canary_endpoint(&self) -> String {
        // A name has 48 characters.
        format!("{}_canary", self.endpoint().chars().take(41).collect::<String>())
    }

    /// What sessions and alarms of versions of an agent that are tried are called by, before the version.
    pub(crate) fn name_of_canary(&self, agent: &Resource<AgentSpec>) -> String {
        self.name(&[agent.name().as_str()], 240)
    }

    /// What the names of alarms that end the trial of a version begin with: a word for what they watch and the version follow.
    pub(crate) fn canary_alarms(&self, agent: &Resource<AgentSpec>) -> Option<String> {
        let longest = usize::try_from(self.graph().catalog().limit("cloudwatch.alarmName")?).ok()?;
        Some(self.name(&[agent.name().as_str(), "canary"], longest.checked_sub(16)?))
    }

    /// What the alias of a version that is tried is tagged with in place of the agent, so that only who starts sessions by
    /// triggers may call it.
    pub(crate) fn canary_tag(agent: &Resource<AgentSpec>) -> String {
        format!("{}.canary", agent.name())
    }

    /// The name of an agent on Agents Classic.
    pub(crate) fn classic(&self, agent: &Resource<AgentSpec>) -> Option<String> {
        self.limited_name(&[agent.name().as_str()], "bedrock.agentName")
    }

    /// The name of the alias that callers of an agent on Agents Classic use, after that of the agent.
    pub(crate) fn alias(&self, agent: &Resource<AgentSpec>) -> Option<String> {
        Some(format!("{}.{}", self.classic(agent)?, self.environment.name()))
    }

    /// The name of the alias of the version that is tried, after that of the agent; nothing where none is.
    pub(crate) fn canary_alias(&self, agent: &Resource<AgentSpec>) -> Option<String> {
        agent.spec.canary()?;
        Some(format!("{}-canary", self.alias(agent)?))
    }

    /// The name of the function that starts an agent for a trigger, and of what leads there.
    pub(crate) fn trigger(&self, agent: &Resource<AgentSpec>, trigger: &AgentTrigger) -> Option<String> {
        self.limited_name(&["trigger", agent.name().as_str(), trigger.name()], "lambda.functionName")
    }

    /// The service that hands what starts an agent to its function, and the resource on whose behalf it does; nothing where
    /// a role of ours takes it, or calls the function.
    pub(crate) fn delivers(
        &self,
        agent: &Resource<AgentSpec>,
        trigger: &AgentTrigger,
    ) -> Option<(&'static str, String)> {
        let region = self.region_of(agent);
        match &trigger.source {
            TriggerSource::Sns(found) => {
                Some(("sns.amazonaws.com", self.arn("sns", region, found.topic.value.as_str())))
            }
            TriggerSource::EventBridge(found) => {
                let name = self.trigger(agent, trigger)?;
                let rule = match &found.bus {
                    Some(bus) => format!("rule/{}/{name}", bus.value),
                    None => format!("rule/{name}"),
                };
                Some(("events.amazonaws.com", self.arn("events", region, &rule)))
            }
            TriggerSource::Sqs(_) | TriggerSource::Schedule(_) => None,
        }
    }

    /// The name of the trail of the environment.
    pub(crate) fn trail(&self) -> Option<String> {
        self.limited_name(&["audit"], "cloudtrail.trailName")
    }

    /// The name of the function that a workload is.
    pub(crate) fn workload(&self, workload: &Resource<WorkloadSpec>) -> Option<String> {
        self.limited_name(&["workload", workload.name().as_str()], "lambda.functionName")
    }

    /// The name of the table in which starts of an agent are written down.
    pub(crate) fn starts(&self, agent: &Resource<AgentSpec>) -> Option<String> {
        self.limited_name(&["starts", agent.name().as_str()], "dynamodb.tableName")
    }

    /// The key that this table is encrypted with: that of the first queue for what fails which has one.
    pub(crate) fn starts_key(&self, agent: &Resource<AgentSpec>) -> Option<&'a Spanned<AwsArn>> {
        let queues = agent.spec.triggers.iter().filter_map(|trigger| trigger.dead_letter());
        let mut queues = queues.filter_map(|queue| self.graph().get(queue));
        queues.find_map(|queue| Some(&queue.spec.encryption.as_ref()?.kms_key_arn))
    }

    /// A name that begins with a letter and has `_` where others have `-`.
    fn worded_name(&self, words: &[&str], limit: &str) -> Option<String> {
        let longest = usize::try_from(self.graph().catalog().limit(limit)?).ok()?;
        let name = self.name(words, longest).replace('-', "_");
        if name.starts_with(|first: char| first.is_ascii_alphabetic()) {
            return Some(name);
        }
        Some(format!("n_{}", self.name(words, longest.saturating_sub(2)).replace('-', "_")))
    }

    /// The seconds in which somebody has to approve a call, and what says so.
    pub(crate) fn approved_within(&self, gate: &ApprovalGate) -> (u64, Origin) {
        match &gate.within {
            Some(within) => (within.value.seconds(), Origin::written(within.span)),
            None => (3600, self.default("gate.within")),
        }
    }

    /// The name of the queue in which calls wait for the approval of a group.
    pub(crate) fn approvals(&self, group: &str) -> Option<String> {
        self.limited_name(&["approvals", group], "sqs.queueName")
    }
}

/// Whether Agents Classic asks a knowledge base by itself for a tool. A tool that says what its input is has a machine
/// that checks it.
pub(crate) fn is_associated(agent: &AgentSpec, tool: &Tool, connector: &Resource<ConnectorSpec>) -> bool {
    let classic = agent.runtime.as_ref().is_some_and(|runtime| runtime.value == AgentRuntime::BedrockAgents);
    let base = matches!(connector.spec.kind, ConnectorKind::KnowledgeBase(_));
    classic && base && tool.access.value == Access::Read && tool.input.is_none() && tool.gate.is_none()
}

/// Whether the gateway of an agent calls the connector itself: an MCP server holds sessions, which no machine does.
pub(crate) fn is_direct(agent: &AgentSpec, connector: &Resource<ConnectorSpec>) -> bool {
    let classic = agent.runtime.as_ref().is_some_and(|runtime| runtime.value == AgentRuntime::BedrockAgents);
    !classic && matches!(connector.spec.kind, ConnectorKind::Mcp(_))
}

/// Whether somebody or something else decides on each call of a tool, and the gate makes it.
pub(crate) fn is_gated(tool: &Tool) -> bool {
    match tool.gate.as_ref().map(|gate| &gate.value) {
        Some(Gate::Approval(_) | Gate::Verify(_)) => true,
        Some(Gate::Confirm) | None => false,
    }
}
