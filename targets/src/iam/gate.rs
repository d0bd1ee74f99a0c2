//! Roles behind tools. A call is made by the state machine of its tool, never by the agent: what a gate decides about
//! has a role of its own, and the other tools of an agent share one.

use std::collections::BTreeSet;

use aipolicy_compiler::authorize::Grant;
use aipolicy_compiler::ir::{Object, Principal};
use aipolicy_compiler::model::agent::{AgentRuntime, AgentSpec, Gate, Tool};
use aipolicy_compiler::model::connector::{ConnectorKind, ConnectorSpec};
use aipolicy_compiler::model::{Ref, Resource};
use aipolicy_compiler::resolve::StorePlace;
use aipolicy_iam::Piece;

use super::Writer;
use super::condition::Condition;
use super::policy::Allow;
use crate::account::{is_associated, is_direct, is_gated};
use crate::artifact::Artifact;
use crate::origin::Origin;

const START: &[&str] = &["states:StartExecution"];
const START_AND_WAIT: &[&str] = &["states:StartSyncExecution"];
pub(super) const WRITE_LOG: &[&str] = &["logs:CreateLogStream", "logs:PutLogEvents"];
pub(super) const APPEND_LOG: &[&str] = &["logs:PutLogEvents"];
const MAKE_LOG: &[&str] = &["logs:CreateLogGroup"];
const KEY: &[&str] = &["kms:Decrypt", "kms:GenerateDataKey"];
const ASK: &[&str] = &["sqs:SendMessage"];

/// As many machines as a trust policy has room for; more of them are named by what their names begin with.
const LISTED: usize = 10;

/// A granted tool of an agent.
pub(super) struct Called<'w> {
    pub(super) agent: &'w Resource<AgentSpec>,
    pub(super) tool: &'w Tool,
    /// The grant of the tool, and that of its connector.
    pub(super) call: Grant<'w>,
    pub(super) connector: Grant<'w>,
    /// Whether no machine makes the call, but the gateway.
    pub(super) direct: bool,
    /// The function that verifies, with its grant.
    verification: Option<(&'w Ref<ConnectorSpec>, Grant<'w>)>,
}

impl<'w> Writer<'w> {
    /// The tools that the agent was granted and whose calls a state machine makes.
    pub(super) fn called(&self) -> Vec<Called<'w>> {
        let Some(agent) = self.agent() else { return Vec::new() };
        let found = agent.spec.tools.iter().enumerate().filter_map(|(at, tool)| {
            let call = self.grants.iter().find(
                |grant| matches!(grant.decision.request.object, Object::Tool(_, found) if found == at),
            )?;
            let connector = self.use_of(&tool.connector)?;
            let named = self.account.graph().get(&tool.connector)?;
            if is_associated(&agent.spec, tool, named) {
                return None;
            }
            let verification = match tool.gate.as_ref().map(|gate| &gate.value) {
                Some(Gate::Verify(verify)) => Some((&verify.with, self.use_of(&verify.with)?)),
                Some(Gate::Approval(_) | Gate::Confirm) | None => None,
            };
            let direct = is_direct(&agent.spec, named);
            Some(Called { agent, tool, call: *call, connector, direct, verification })
        });
        found.collect()
    }

    /// The grant to use a connector that was asked for at this place.
    pub(super) fn use_of(&self, reference: &Ref<ConnectorSpec>) -> Option<Grant<'w>> {
        let asked = |grant: &&Grant<'_>| {
            let request = &grant.decision.request;
            request.span == reference.name.span && matches!(request.object, Object::Connector(_))
        };
        self.grants.iter().find(asked).copied()
    }

    /// The roles of the machines that make calls, and of the function that starts them.
    pub(super) fn tools(&mut self) -> Vec<Artifact> {
        let called: Vec<_> = self.called().into_iter().filter(|called| !called.direct).collect();
        let mut artifacts = Vec::new();
        for gated in called.iter().filter(|called| is_gated(called.tool)) {
            artifacts.extend(self.gate(gated));
        }
        let plain: Vec<_> = called.iter().filter(|called| !is_gated(called.tool)).collect();
        artifacts.extend(self.plain(&plain));
        artifacts.extend(self.caller(&called));
        artifacts
    }

    /// The role of a gate, with the calls that it makes.
    fn gate(&mut self, gated: &Called<'w>) -> Vec<Artifact> {
        let Some(machine) = self.machine(gated) else { return Vec::new() };
        let gate = gated.tool.gate.as_ref().map_or(gated.tool.name.span, |gate| gate.span);
        let trust = self.gate_trust(vec![machine], Origin::written(gate));
        let allows = self.gate_allows(gated);
        let words = ["gate", gated.agent.name().as_str(), gated.tool.name.value.as_str()];
        self.documents(&words, (&trust, &allows), &Origin::granted(gated.call))
    }

    /// What a gate needs: the call that it makes, and before it whatever decides, and the record of the decision.
    fn gate_allows(&mut self, gated: &Called<'w>) -> Vec<Allow> {
        let mut allows = self.connector(gated.connector);
        allows.extend(self.server(gated));
        allows.extend(self.history(gated));
        allows.extend(self.approval(gated));
        allows.extend(self.record(gated));
        let Some((reference, grant)) = gated.verification else { return allows };
        let kind = self.account.graph().get(reference).map(|connector| &connector.spec.kind);
        if !matches!(kind, Some(ConnectorKind::Lambda(_))) {
            let message = format!("`{}` is no function, and cannot verify a call", reference.name.value);
            self.refuse::<()>(reference.name.span, message, "name a connector of the kind `lambda`");
            return allows;
        }
        let verifies = |allow: Allow| Allow { sid: format!("Verify by {}", reference.name.value), ..allow };
        allows.extend(self.connector(grant).into_iter().map(verifies));
        allows
    }

    /// The use of the key for the history of executions, which holds what was sent to the connector.
    fn history(&mut self, called: &Called<'w>) -> Option<Allow> {
        let connector = self.account.graph().get(&called.tool.connector)?;
        let key = self.account.history_key(called.agent, connector)?;
        let place = Origin::written(key.span);
        let machine = self.machine(called)?;
        let sid = format!("Keep history of {}", called.tool.name.value);
        let resource = (key.value.as_str().to_owned(), place);
        let mut allow = support(&sid, KEY, resource, Origin::granted(called.call));
        let context = "kms:EncryptionContext:aws:states:stateMachineArn";
        allow.conditions.push(Condition::equals(context, machine, Origin::written(called.tool.name.span)));
        Some(allow)
    }

    /// The right to ask for an approval, in the queue of the region, and to use the key of the queue.
    fn approval(&mut self, gated: &Called<'w>) -> Vec<Allow> {
        let Some(gate) = &gated.tool.gate else { return Vec::new() };
        let Gate::Approval(_) = &gate.value else { return Vec::new() };
        let (region, granted) = (self.account.region_of(gated.agent), Origin::granted(gated.call));
        let queue = self.account.approvals(region);
        let queue = queue.and_then(|queue| self.arn("sqs", region, (&queue, gate.span)));
        let ask = queue
            .map(|arn| support("Ask for approval", ASK, (arn, Origin::written(gate.span)), granted.clone()));
        let encrypt = self.account.kept_key(StorePlace::Session, region).map(|key| {
            let place = Origin::written(key.span);
            let resource = (key.value.as_str().to_owned(), place.clone());
            let mut allow = support("Encrypt the question", KEY, resource, granted.clone());
            let via = format!("sqs.{region}.amazonaws.com");
            allow.conditions.push(Condition::equals("kms:ViaService", via, place));
            allow
        });
        ask.into_iter().chain(encrypt).collect()
    }

    /// The right to write down what was decided, in streams of its own.
    fn record(&mut self, gated: &Called<'w>) -> Option<Allow> {
        let region = self.account.region_of(gated.agent);
        let (group, _) = self.account.records(region)?;
        let own = format!(":log-stream:{}/{}/", gated.agent.name(), gated.tool.name.value);
        let pieces = [
            Piece::Literal("log-group:"),
            Piece::Literal(group.value.as_str()),
            Piece::Literal(&own),
            Piece::AnyRun,
        ];
        let arn = self.pattern("logs", (region, self.account.id()), (&pieces, group.span))?;
        Some(support("Record", WRITE_LOG, (arn, Origin::written(group.span)), Origin::granted(gated.call)))
    }

    /// The right to write down ungated calls, in a stream that is there already.
    fn records(&mut self, first: &Called<'w>) -> Option<Allow> {
        let region = self.account.region_of(first.agent);
        let (group, _) = self.account.records(region)?;
        let resource = format!("log-group:{}:log-stream:{}", group.value, self.account.calls(first.agent));
        let arn = self.arn("logs", region, (&resource, group.span))?;
        Some(support("Record", APPEND_LOG, (arn, Origin::written(group.span)), Origin::granted(first.call)))
    }

    /// The role that the machines of ungated tools share.
    fn plain(&mut self, plain: &[&Called<'w>]) -> Vec<Artifact> {
        let Some(first) = plain.first() else { return Vec::new() };
        let mut allows = Vec::new();
        for called in plain {
            allows.extend(self.connector(called.connector));
            allows.extend(self.server(called));
        }
        allows.extend(self.records(first));
        let machines = if plain.len() > LISTED {
            self.any_machine(first).into_iter().collect()
        } else {
            plain.iter().filter_map(|called| self.machine(called)).collect()
        };
        // Tools may share a connector, and a connection.
        let mut seen = BTreeSet::new();
        allows.retain(|allow| {
            let resources = allow.resources.iter().map(|(arn, _)| arn.clone()).collect::<Vec<_>>();
            seen.insert((allow.sid.clone(), resources))
        });
        let trust = self.gate_trust(machines, Origin::written(first.tool.name.span));
        let words = ["tools", first.agent.name().as_str()];
        self.documents(&words, (&trust, &allows), &Origin::granted(first.call))
    }

    /// Machines of ungated tools, of this environment.
    fn any_machine(&mut self, called: &Called<'_>) -> Option<String> {
        let prefix = self.account.name(&["tool-"], usize::MAX);
        let pieces = [Piece::Literal("stateMachine:"), Piece::Literal(&prefix), Piece::AnyRun];
        let region = self.account.region_of(called.agent);
        self.pattern("states", (region, self.account.id()), (&pieces, called.tool.name.span))
    }

    /// The role of the function that an agent's calls come through: it starts machines, and nothing else.
    fn caller(&mut self, called: &[Called<'w>]) -> Vec<Artifact> {
        let Some(first) = called.first() else { return Vec::new() };
        let mut allows = Vec::new();
        for one in called {
            let actions = if is_gated(one.tool) { START } else { START_AND_WAIT };
            let Some(arn) = self.machine(one) else { continue };
            let place = Origin::written(one.tool.name.span);
            let sid = format!("Start {}", one.tool.name.value);
            allows.push(support(&sid, actions, (arn, place), Origin::granted(one.call)));
        }
        allows.extend(self.own_log(first));
        let trust = self.function_trust(Origin::written(first.agent.name_span()));
        let words = ["caller", first.agent.name().as_str()];
        self.documents(&words, (&trust, &allows), &Origin::granted(first.call))
    }

    /// The log of a function.
    fn own_log(&mut self, first: &Called<'w>) -> Vec<Allow> {
        let Some(function) = self.account.function(first.agent) else { return Vec::new() };
        let (region, span) = (self.account.region_of(first.agent), first.agent.name_span());
        let group = format!("log-group:/aws/lambda/{function}");
        let streams = [Piece::Literal(&group), Piece::Literal(":log-stream:"), Piece::AnyRun];
        let streams = self.pattern("logs", (region, self.account.id()), (&streams, span));
        let group = self.arn("logs", region, (&group, span));
        let place = Origin::written(span);
        let mut allows = Vec::new();
        allows.extend(
            group.map(|arn| {
                support("Make own log", MAKE_LOG, (arn, place.clone()), Origin::granted(first.call))
            }),
        );
        allows.extend(streams.map(|arn| {
            support("Write own log", WRITE_LOG, (arn, place.clone()), Origin::granted(first.call))
        }));
        allows
    }

    /// The state machine of a tool, by the name that it gets.
    pub(super) fn machine(&mut self, called: &Called<'_>) -> Option<String> {
        let name = self.account.machine(called.agent, called.tool)?;
        let region = self.account.region_of(called.agent);
        self.arn("states", region, (&format!("stateMachine:{name}"), called.tool.name.span))
    }

    /// The service that runs the agent; AgentCore where nothing is said.
    pub(super) fn runtime(&self) -> Option<AgentRuntime> {
        let agent = self.agent()?;
        Some(agent.spec.runtime.as_ref().map_or(AgentRuntime::AgentCore, |runtime| runtime.value))
    }

    /// Whether the principal uses a connector itself: a workload does, and Agents Classic with a knowledge base.
    pub(super) fn calls_itself(&self, grant: &Grant<'_>) -> bool {
        let Some(agent) = self.agent() else { return !matches!(self.principal, Principal::Agent(_)) };
        agent.spec.tools.iter().any(|tool| {
            let named = self.account.graph().get(&tool.connector);
            let own = grant.decision.request.span == tool.connector.name.span;
            own && named.is_some_and(|connector| is_associated(&agent.spec, tool, connector))
        })
    }
}

/// A statement that follows from a grant and names one resource.
pub(super) fn support(
    sid: &str,
    actions: &'static [&'static str],
    resource: (String, Origin),
    origin: Origin,
) -> Allow {
    Allow {
        sid: sid.to_owned(),
        about: sid.to_owned(),
        actions,
        resources: vec![resource],
        conditions: Vec::new(),
        origin,
    }
}
