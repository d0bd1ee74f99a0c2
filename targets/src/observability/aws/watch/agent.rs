//! What agents are made of: machines of their tools, functions, gateways and guardrails.

use aipolicy_compiler::authorize::Grant;
use aipolicy_compiler::ir::Object;
use aipolicy_compiler::model::Resource;
use aipolicy_compiler::model::agent::{AgentRuntime, AgentSpec, Tool};
use aipolicy_compiler::model::trigger::{AgentTrigger, TriggerSource};

use super::{Subject, granted_trigger};
use crate::account::{Account, is_associated, is_direct, is_gated};
use crate::artifact::Address;
use crate::observability::aws::alarm::{Alarm, Metric, Statistic};
use crate::origin::Origin;
use crate::request::reference;
use crate::tree::Tree;

/// An agent that was granted something.
pub(super) struct Agent<'a> {
    pub(super) account: &'a Account<'a>,
    pub(super) resource: &'a Resource<AgentSpec>,
}

impl Agent<'_> {
    pub(super) fn alarms(&self, grants: &[Grant<'_>]) -> Vec<Alarm> {
        let called = |grant: &Grant<'_>| {
            let Object::Tool(_, at) = grant.decision.request.object else { return None };
            self.resource.spec.tools.get(at).filter(|tool| !self.is_associated(tool))
        };
        let tools: Vec<&Tool> = grants.iter().filter_map(called).collect();
        let machines: Vec<_> = tools.iter().filter(|tool| !self.is_direct(tool)).collect();
        let mut alarms: Vec<_> = machines.iter().flat_map(|tool| self.machine(tool)).collect();
        if !machines.is_empty() {
            alarms.extend(self.function());
        }
        if !tools.is_empty() {
            alarms.extend(self.gateway());
        }
        alarms.extend(self.guardrail());
        let triggers = grants.iter().filter_map(|grant| granted_trigger(self.resource, grant));
        alarms.extend(triggers.flat_map(|trigger| self.starter(trigger)));
        alarms
    }

    fn is_associated(&self, tool: &Tool) -> bool {
        let connector = self.account.graph().get(&tool.connector);
        connector.is_some_and(|connector| is_associated(&self.resource.spec, tool, connector))
    }

    /// Whether the gateway calls the connector of a tool itself, so that there is no machine.
    fn is_direct(&self, tool: &Tool) -> bool {
        let connector = self.account.graph().get(&tool.connector);
        connector.is_some_and(|connector| is_direct(&self.resource.spec, connector))
    }

    /// The region of the agent, and what says so.
    fn region(&self) -> (String, Origin) {
        let written = self.resource.spec.region.as_ref().map(|region| Origin::written(region.span));
        let origin = written.unwrap_or_else(|| self.account.default("agent.region"));
        (self.account.region_of(self.resource).to_owned(), origin)
    }

    fn subject(&self) -> Subject<'_> {
        Subject {
            account: self.account,
            told: format!("agent {}", self.resource.name()),
            words: vec![self.resource.name().as_str()],
            region: self.region(),
            origin: Origin::written(self.resource.name_span()),
        }
    }

    fn alarm(&self, words: &[&str], metric: Metric, limit: (f64, (u64, u64), &str)) -> Alarm {
        self.subject().alarm(words, metric, limit)
    }

    /// Executions that fail, refusals among them, those that nobody answered in time, and those of gates that somebody stopped.
    fn machine(&self, tool: &Tool) -> Vec<Alarm> {
        let Some(name) = self.account.machine(self.resource, tool) else { return Vec::new() };
        let machine = format!("stateMachine:{name}");
        let arn = self.account.arn("states", self.account.region_of(self.resource), &machine);
        let metric = |name| Metric::One {
            namespace: "AWS/States",
            name,
            dimension: ("StateMachineArn", Tree::text(&arn)),
            statistic: Statistic::Sum,
        };
        let word = tool.name.value.as_str();
        let alarm =
            |told, name, most| self.alarm(&[word, told], metric(name), (most, (900, 1), "alarms.machines"));
        let stopped = is_gated(tool).then(|| alarm("aborted", "ExecutionsAborted", 0.0));
        let failed =
            [alarm("failed", "ExecutionsFailed", 4.0), alarm("timed-out", "ExecutionsTimedOut", 0.0)];
        failed.into_iter().chain(stopped).collect()
    }

    /// The function that tool calls come through.
    fn function(&self) -> Vec<Alarm> {
        let Some(name) = self.account.function(self.resource) else { return Vec::new() };
        self.subject().function(&["function"], &name)
    }

    /// The function that starts the agent for a trigger. What it cannot put into its queue for what fails is lost.
    fn starter(&self, trigger: &AgentTrigger) -> Vec<Alarm> {
        let Some(name) = self.account.trigger(self.resource, trigger) else { return Vec::new() };
        let words = ["trigger", trigger.name()];
        let mut alarms = self.subject().function(&words, &name);
        match &trigger.source {
            TriggerSource::Sqs(_) => {}
            TriggerSource::Sns(_) | TriggerSource::EventBridge(_) | TriggerSource::Schedule(_) => {
                let metric = super::of_function("DeadLetterErrors", &name);
                let words = [words[0], words[1], "lost"];
                alarms.push(self.alarm(&words, metric, (0.0, (300, 1), "alarms.deadLetters")));
            }
        }
        alarms
    }

    fn is_classic(&self) -> bool {
        self.resource.spec.runtime.as_ref().is_some_and(|one| one.value == AgentRuntime::BedrockAgents)
    }

    /// The guardrail of an agent on Agents Classic. What it does not let through is its work, and no problem.
    fn guardrail(&self) -> Vec<Alarm> {
        let region = self.account.region_of(self.resource);
        let named = self.resource.spec.guardrail.as_ref().filter(|_| self.is_classic());
        let Some(name) = named.and_then(|named| self.account.guardrail(named.name.value.as_str(), region))
        else {
            return Vec::new();
        };
        let made = Address { target: "bedrock".into(), kind: "Guardrail".into(), name };
        let alarm = |word: &str, name| {
            let metric = Metric::Any {
                namespace: "AWS/Bedrock/Guardrails",
                name,
                label: "GuardrailArn",
                resource: reference(&made, "guardrailArn"),
            };
            let alarm = self.alarm(&["guardrail", word], metric, (0.0, (300, 2), "alarms.guardrails"));
            Alarm { needs: vec![made.clone()], ..alarm }
        };
        vec![alarm("errors", "InvocationServerErrors"), alarm("throttles", "InvocationThrottles")]
    }

    /// The gateway for the tools of an agent on AgentCore. The developer guide of AgentCore ("Gateway observability data")
    /// names the metrics and the dimension; the construct library of the AWS CDK names the namespace.
    fn gateway(&self) -> Vec<Alarm> {
        let Some(name) = self.account.gateway(self.resource).filter(|_| !self.is_classic()) else {
            return Vec::new();
        };
        let made = Address { target: "bedrock".into(), kind: "Gateway".into(), name };
        let alarm = |word: &str, name| {
            let metric = Metric::Any {
                namespace: "AWS/Bedrock-AgentCore",
                name,
                label: "Resource",
                resource: reference(&made, "gatewayArn"),
            };
            let alarm = self.alarm(&["gateway", word], metric, (0.0, (300, 2), "alarms.gateways"));
            Alarm { needs: vec![made.clone()], ..alarm }
        };
        vec![alarm("errors", "SystemErrors"), alarm("throttles", "Throttles")]
    }
}
