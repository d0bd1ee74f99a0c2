//! Which calls a trail records: of connectors that were granted, of models, and of what carries out the work of agents. Every
//! type of resource is one that the user guide of CloudTrail lists for data events.

use std::collections::{BTreeMap, BTreeSet};

use aipolicy_compiler::diagnostic::{Diagnostic, Diagnostics, Severity};
use aipolicy_compiler::ir::{Circumstances, Object, Principal};
use aipolicy_compiler::model::agent::{AgentRuntime, AgentSpec, Gate, Tool};
use aipolicy_compiler::model::connector::{ConnectorKind, ConnectorSpec};
use aipolicy_compiler::model::model::ModelProvider;
use aipolicy_compiler::model::value::Text;
use aipolicy_compiler::model::workload::{Platform, WorkloadSpec};
use aipolicy_compiler::model::workspace::TargetName;
use aipolicy_compiler::model::{Id, Resource};
use aipolicy_compiler::rule;
use aipolicy_compiler::source::Spanned;
use serde_json::Value;

use crate::account::{Account, is_associated, is_direct};
use crate::artifact::Address;
use crate::origin::Origin;
use crate::request::reference;
use crate::tree::Tree;

/// Calls of resources of one type.
pub(super) struct Recorded {
    /// The type, as CloudTrail has it in `resources.type`.
    pub(super) kind: &'static str,
    /// How their ARNs are compared.
    pub(super) operator: &'static str,
    /// The ARNs; all of the account where there is none.
    pub(super) arns: Vec<Tree>,
    pub(super) needs: Vec<Address>,
}

/// A type of resource, and how ARNs in events are compared with those that are known.
type Kind = (&'static str, &'static str);

const OBJECT: Kind = ("AWS::S3::Object", "StartsWith");
const TABLE: Kind = ("AWS::DynamoDB::Table", "Equals");
const FUNCTION: Kind = ("AWS::Lambda::Function", "StartsWith");
const QUEUE: Kind = ("AWS::SQS::Queue", "Equals");
const MACHINE: Kind = ("AWS::StepFunctions::StateMachine", "StartsWith");
const COLLECTION: Kind = ("AWS::AOSS::Collection", "Equals");
const INDEX: Kind = ("AWS::S3Vectors::Index", "Equals");
const BASE: Kind = ("AWS::Bedrock::KnowledgeBase", "Equals");
const ALIAS: Kind = ("AWS::Bedrock::AgentAlias", "Equals");
const GUARDRAIL: Kind = ("AWS::Bedrock::Guardrail", "Equals");
const MODEL: Kind = ("AWS::Bedrock::Model", "Equals");
const PROJECT: Kind = ("AWS::BedrockMantle::Project", "Equals");
const GATEWAY: Kind = ("AWS::BedrockAgentCore::Gateway", "Equals");
const MEMORY: Kind = ("AWS::BedrockAgentCore::Memory", "Equals");
/// What a harness is to CloudTrail: the runtime that it runs on.
const RUNTIME: Kind = ("AWS::BedrockAgentCore::Runtime", "StartsWith");

/// What is recorded of an environment, by type and ARN.
struct Calls<'c, 'a> {
    account: &'c Account<'a>,
    /// What runs here.
    agents: Vec<&'a Resource<AgentSpec>>,
    workloads: Vec<&'a Resource<WorkloadSpec>>,
    /// The agents whose tools use a connector.
    users: BTreeMap<Id<ConnectorSpec>, Vec<&'a Resource<AgentSpec>>>,
    found: BTreeMap<Kind, BTreeMap<String, (Tree, Option<Address>)>>,
}

/// Everything that is recorded of an environment. Objects and items whose keys may hold what an agent wants blacked out
/// are not.
pub(super) fn calls(account: &Account<'_>, out: &mut Diagnostics) -> Vec<Recorded> {
    let mut calls = Calls::new(account);
    calls.granted(out);
    if calls.compiles(TargetName::Bedrock) {
        for agent in std::mem::take(&mut calls.agents) {
            calls.agent(agent);
        }
    }
    if calls.compiles(TargetName::Lambda) {
        let workloads = std::mem::take(&mut calls.workloads).into_iter();
        for workload in workloads.filter(|workload| workload.spec.platform.value == Platform::Lambda) {
            calls.workload(workload);
        }
    }
    calls.finish()
}

impl<'c, 'a> Calls<'c, 'a> {
    fn new(account: &'c Account<'a>) -> Self {
        let (agents, workloads) = (Vec::new(), Vec::new());
        let mut calls = Self { account, agents, workloads, users: BTreeMap::new(), found: BTreeMap::new() };
        let graph = account.graph();
        for (principal, grants) in account.input.grants.by_principal() {
            let role = Circumstances::Support("role");
            if !grants.iter().any(|grant| grant.decision.request.circumstances == role) {
                continue;
            }
            match principal {
                Principal::Agent(id) => calls.agents.extend(graph.resource(id)),
                Principal::Workload(id) => calls.workloads.extend(graph.resource(id)),
                Principal::Gateway(_)
                | Principal::Tenant(_)
                | Principal::Route(_)
                | Principal::Environment(_) => {}
            }
        }
        for agent in &calls.agents {
            let used: BTreeSet<_> = agent.spec.tools.iter().filter_map(|tool| tool.connector.id()).collect();
            used.into_iter().for_each(|id| calls.users.entry(id).or_default().push(agent));
        }
        calls
    }

    fn compiles(&self, target: TargetName) -> bool {
        self.account.input.workspace.targets.iter().any(|named| named.value == target)
    }

    fn add(&mut self, kind: Kind, arn: String, origin: Origin) {
        let tree = Tree::text(&arn).from(origin);
        self.found.entry(kind).or_default().insert(arn, (tree, None));
    }

    /// What has an ARN only when it is made.
    fn made(&mut self, kind: Kind, (document, name, member): (&str, Option<String>, &str), origin: Origin) {
        let Some(name) = name else { return };
        let made = Address { target: "bedrock".into(), kind: document.into(), name };
        let tree = reference(&made, member).from(origin);
        self.found.entry(kind).or_default().insert(made.to_string(), (tree, Some(made)));
    }

    /// Connectors and models that anybody in the environment was granted.
    fn granted(&mut self, out: &mut Diagnostics) {
        let account = self.account;
        let mut told = BTreeSet::new();
        for grant in account.input.grants.grants() {
            if let Object::Connector(id) = grant.decision.request.object
                && let Some(connector) = account.graph().resource(id)
                && told.insert(id)
            {
                match self.unsaid(id, connector) {
                    Some(found) => out.report(found),
                    None => self.connector(connector),
                }
            } else if let Object::Model(id) = grant.decision.request.object {
                self.model(account.graph().resource(id).map(|model| model.spec.provider.value));
            }
        }
    }

    /// Models that run in the account. Most calls of them are events of management, and recorded anyway.
    fn model(&mut self, provider: Option<ModelProvider>) {
        let kind = match provider {
            Some(ModelProvider::Bedrock) => MODEL,
            Some(ModelProvider::BedrockMantle) => PROJECT,
            Some(ModelProvider::OpenAiCompatible | ModelProvider::SelfHosted) | None => return,
        };
        self.found.entry(kind).or_default();
    }

    fn connector(&mut self, connector: &Resource<ConnectorSpec>) {
        let region = connector.spec.region.value.as_str();
        let own = |service: &str, resource: String| self.account.arn(service, region, &resource);
        let bucket = |name: &Text, prefix: &str| {
            format!("arn:{}:s3:::{name}/{prefix}", self.account.partition.as_str())
        };
        let (kind, arn, named): (Kind, String, &Spanned<Text>) = match &connector.spec.kind {
            ConnectorKind::S3(place) if place.prefixes.is_empty() => {
                (OBJECT, bucket(&place.bucket.value, ""), &place.bucket)
            }
            ConnectorKind::S3(place) => {
                let arns = place.prefixes.iter();
                let arns: Vec<_> =
                    arns.map(|one| (bucket(&place.bucket.value, one.value.as_str()), one.span)).collect();
                arns.into_iter().for_each(|(arn, span)| self.add(OBJECT, arn, Origin::written(span)));
                return;
            }
            ConnectorKind::DynamoDb(table) => {
                (TABLE, own("dynamodb", format!("table/{}", table.table.value)), &table.table)
            }
            ConnectorKind::Lambda(tool) => {
                (FUNCTION, own("lambda", format!("function:{}", tool.function.value)), &tool.function)
            }
            ConnectorKind::OpenSearch(search) => {
                let id = &search.collection;
                (COLLECTION, own("aoss", format!("collection/{}", id.value)), id)
            }
            ConnectorKind::S3Vectors(place) => {
                let resource = format!("bucket/{}/index/{}", place.bucket.value, place.index.value);
                (INDEX, own("s3vectors", resource), &place.index)
            }
            ConnectorKind::KnowledgeBase(base) => {
                (BASE, own("bedrock", format!("knowledge-base/{}", base.id.value)), &base.id)
            }
            ConnectorKind::Sqs(queue) => (QUEUE, own("sqs", queue.queue.value.to_string()), &queue.queue),
            ConnectorKind::StepFunctions(machine) => {
                let name = &machine.state_machine;
                (MACHINE, own("states", format!("stateMachine:{}", name.value)), name)
            }
            // Reading a secret is an event of management; servers are no resources of AWS.
            ConnectorKind::SecretsManager(_) | ConnectorKind::Http(_) | ConnectorKind::Mcp(_) => return,
        };
        self.add(kind, arn, Origin::written(named.span));
    }

    /// What carries out the work of an agent.
    fn agent(&mut self, agent: &Resource<AgentSpec>) {
        let (account, origin) = (self.account, Origin::written(agent.name_span()));
        let region = account.region_of(agent);
        let here = |service: &str, resource: String| account.arn(service, region, &resource);
        let tools: Vec<_> = agent.spec.tools.iter().filter(|tool| !self.is_associated(agent, tool)).collect();
        let machines: Vec<_> = tools.iter().filter(|tool| !self.is_direct(agent, tool)).collect();
        for tool in &machines {
            let place = Origin::written(tool.name.span);
            if let Some(name) = account.machine(agent, tool) {
                self.add(MACHINE, here("states", format!("stateMachine:{name}")), place.clone());
            }
            let approval = matches!(tool.gate.as_ref().map(|gate| &gate.value), Some(Gate::Approval(_)));
            if let Some(name) = account.approvals(region).filter(|_| approval) {
                self.add(QUEUE, here("sqs", name), place);
            }
        }
        let function = account.function(agent).filter(|_| !machines.is_empty());
        let triggers = agent.spec.triggers.iter().filter_map(|trigger| account.trigger(agent, trigger));
        for name in function.into_iter().chain(triggers) {
            self.add(FUNCTION, here("lambda", format!("function:{name}")), origin.clone());
        }
        if agent.spec.runtime.as_ref().is_some_and(|one| one.value == AgentRuntime::BedrockAgents) {
            return self.classic(agent, origin);
        }
        if !tools.is_empty() {
            self.made(GATEWAY, ("Gateway", account.gateway(agent), "gatewayArn"), origin.clone());
        }
        if agent.spec.memory.is_some() {
            self.made(MEMORY, ("Memory", account.memory(agent), "memory.arn"), origin.clone());
        }
        let runtime = "harness.environment.agentCoreRuntimeEnvironment.agentRuntimeArn";
        self.made(RUNTIME, ("Harness", account.harness(agent), runtime), origin);
    }

    fn classic(&mut self, agent: &Resource<AgentSpec>, origin: Origin) {
        let account = self.account;
        for alias in [account.alias(agent), account.canary_alias(agent)] {
            self.made(ALIAS, ("AgentAlias", alias, "agentAlias.agentAliasArn"), origin.clone());
        }
        if let Some(named) = &agent.spec.guardrail {
            let name = account.guardrail(named.name.value.as_str(), account.region_of(agent));
            self.made(GUARDRAIL, ("Guardrail", name, "guardrailArn"), origin);
        }
    }

    fn workload(&mut self, workload: &Resource<WorkloadSpec>) {
        let Some(name) = self.account.workload(workload) else { return };
        let Some(region) = self.account.environment.spec.aws.regions.first() else { return };
        let arn = self.account.arn("lambda", region.value.as_str(), &format!("function:{name}"));
        self.add(FUNCTION, arn, Origin::written(workload.name_span()));
    }

    fn is_associated(&self, agent: &Resource<AgentSpec>, tool: &Tool) -> bool {
        let connector = self.account.graph().get(&tool.connector);
        connector.is_some_and(|connector| is_associated(&agent.spec, tool, connector))
    }

    fn is_direct(&self, agent: &Resource<AgentSpec>, tool: &Tool) -> bool {
        let connector = self.account.graph().get(&tool.connector);
        connector.is_some_and(|connector| is_direct(&agent.spec, connector))
    }

    /// CloudTrail names objects and items by their keys, and a tool makes these from its input. Nothing is recorded of
    /// those that an input may name which is to be blacked out.
    fn unsaid(&self, id: Id<ConnectorSpec>, connector: &Resource<ConnectorSpec>) -> Option<Diagnostic> {
        if !matches!(connector.spec.kind, ConnectorKind::S3(_) | ConnectorKind::DynamoDb(_)) {
            return None;
        }
        self.users.get(&id).into_iter().flatten().find_map(|agent| {
            let mut tools = agent.spec.tools.iter().filter(|tool| tool.connector.id() == Some(id));
            let redacted = &agent.spec.trace.as_ref()?.redact;
            let found = tools.find_map(|tool| redacted.iter().find(|field| self.may_hold(tool, field)))?;
            let message = format!(
                "CloudTrail names what is in `{}` by its key, which may hold this, so calls of it are not recorded",
                connector.name()
            );
            let note = rule::APPROXIMATED.at(found.span, message, "CloudTrail does this differently");
            Some(Diagnostic { severity: Severity::Note, ..note })
        })
    }

    /// Whether an input of a tool may have a member of this name. One that nobody can read may have any.
    fn may_hold(&self, tool: &Tool, field: &Spanned<Text>) -> bool {
        let source = tool.input.as_ref().and_then(|input| self.account.graph().file(input));
        let text = source.map(|source| self.account.input.sources.get(source).text());
        let schema = text.and_then(|text| serde_json::from_str::<Value>(text).ok());
        schema.is_none_or(|schema| names(&schema, field.value.as_str()))
    }

    fn finish(self) -> Vec<Recorded> {
        let recorded = |((kind, operator), found): (Kind, BTreeMap<_, (Tree, Option<Address>)>)| {
            let (arns, needs): (Vec<_>, Vec<_>) = found.into_values().unzip();
            Recorded { kind, operator, arns, needs: needs.into_iter().flatten().collect() }
        };
        self.found.into_iter().map(recorded).collect()
    }
}

/// Whether a schema has a member of this name anywhere.
fn names(schema: &Value, name: &str) -> bool {
    match schema {
        Value::Object(members) => {
            members.contains_key(name) || members.values().any(|inner| names(inner, name))
        }
        Value::Array(items) => items.iter().any(|inner| names(inner, name)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}
