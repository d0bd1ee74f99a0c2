//! Calls of what starts an agent: it starts this agent, writes down that it did, and takes or keeps its messages.
//!
//! Sources: Lambda developer guide, "Using Lambda with Amazon SQS"; EventBridge Scheduler user guide, "Setting up the
//! execution role"; AgentCore developer guide, harness.

use aipolicy_compiler::authorize::Grant;
use aipolicy_compiler::model::Resource;
use aipolicy_compiler::model::agent::{AgentRuntime, AgentSpec};
use aipolicy_compiler::model::trigger::{AgentTrigger, TriggerSource};

use super::super::need::{Calls, Needs};
use super::agent::{alias, made, runtime, session_key};
use super::connector::{Use, leading, through};
use super::trust;
use crate::account::Account;

/// A trigger of an agent.
#[derive(Clone, Copy)]
pub(super) struct Starts<'t> {
    pub(super) agent: &'t Resource<AgentSpec>,
    pub(super) trigger: &'t AgentTrigger,
}

impl Starts<'_> {
    /// The role of the function that starts the agent, or of the schedule that calls the function.
    pub(super) fn role(self, needs: &Needs<'_>, word: &str) -> String {
        needs.account.role(&[word, self.agent.name().as_str(), self.trigger.name()])
    }

    pub(super) fn note<'a>(self, all: &mut Needs<'a>, grant: Grant<'a>) {
        let (account, region) = (all.account, all.account.region_of(self.agent));
        let function = account.trigger(self.agent, self.trigger).unwrap_or_default();
        let role = self.role(all, "trigger");
        let mut calls = self.start(all, region);
        calls.extend(self.alarms(all, region));
        calls.extend(self.written_down(all, region));
        let streams = all.own(("logs", region), "log-group:/aws/lambda/{}:log-stream:*", &[&function]);
        calls.push(Calls::of(&["logs:CreateLogStream", "logs:PutLogEvents"]).on(streams));
        if let Some((group, _)) = account.records(region) {
            let names = [group.value.as_str(), &account.sessions(self.agent)];
            let stream = all.own(("logs", region), "log-group:{}:log-stream:{}", &names);
            calls.push(Calls::of(&["logs:PutLogEvents"]).on(stream));
        }
        // Messages that fail stay in the queue that they came from, and SQS moves them.
        if self.trigger.queue().is_none() {
            calls.extend(self.kept(all));
        }
        for calls in calls {
            all.add(&role, grant, calls);
        }
        all.assumed(&role, grant, trust::function());
        if let TriggerSource::Schedule(_) = &self.trigger.source {
            let role = self.role(all, "schedule");
            let arn = all.own(("lambda", region), "function:{}", &[&function]);
            let call = Calls::of(&["lambda:InvokeFunction"]).on(arn);
            for calls in std::iter::once(call).chain(self.kept(all)) {
                all.add(&role, grant, calls);
            }
            let group = all.own(("scheduler", region), "schedule-group/{}", &[&function]);
            let scheduler = trust::service(all, "scheduler.amazonaws.com", group);
            all.assumed(&role, grant, scheduler);
        }
    }

    /// The start of this agent alone.
    fn start(self, needs: &Needs<'_>, region: &str) -> Vec<Calls> {
        match runtime(self.agent) {
            AgentRuntime::AgentCore => {
                let harness = made(needs, self.agent, ("harness", needs.account.harness(self.agent)));
                let at = needs.account.endpoint();
                let endpoint = harness.clone().map(|arn| format!("{arn}/harness-endpoint/{at}"));
                let mut call =
                    Calls::of(&["bedrock-agentcore:InvokeHarness"]).on(harness.clone()).on(endpoint);
                if self.agent.spec.canary().is_some() {
                    let at = needs.account.canary_endpoint();
                    call = call.on(harness.map(|arn| format!("{arn}/harness-endpoint/{at}")));
                }
                vec![call]
            }
            AgentRuntime::BedrockAgents => {
                let mut invoke = alias(needs, (&["bedrock:InvokeAgent"], region), self.agent);
                if self.agent.spec.canary().is_some() {
                    let tag = Account::canary_tag(self.agent);
                    invoke = invoke.where_is("aws:ResourceTag/aipolicy:agent", &tag);
                }
                std::iter::once(invoke).chain(session_key(needs, self.agent)).collect()
            }
        }
    }

    /// The alarms that end the trial of a version, which the function asks before it sends a session there.
    fn alarms(self, needs: &Needs<'_>, region: &str) -> Option<Calls> {
        self.agent.spec.canary()?;
        let name = needs.account.canary_alarms(self.agent).unwrap_or_default();
        let arn = needs.own(("cloudwatch", region), "alarm:{}-*", &[&name]);
        Some(Calls::of(&["cloudwatch:DescribeAlarms"]).on(arn))
    }

    /// Starts that were made, in the rows of this trigger.
    fn written_down(self, needs: &Needs<'_>, region: &str) -> Vec<Calls> {
        let table = needs.account.starts(self.agent).unwrap_or_default();
        let arn = needs.own(("dynamodb", region), "table/{}", &[&table]);
        let rows = Calls::of(&["dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem"]).on(arn);
        let key = needs.account.starts_key(self.agent).map(|key| {
            let calls = Calls::of(&["kms:Decrypt", "kms:GenerateDataKey"]);
            through(calls.on(Ok(key.value.as_str().to_owned())), ("dynamodb", region))
        });
        std::iter::once(leading(rows, self.trigger.name())).chain(key).collect()
    }

    /// What failed, in the queue for it.
    fn kept(self, needs: &Needs<'_>) -> Vec<Calls> {
        let queue = self.trigger.dead_letter().and_then(|queue| needs.account.graph().get(queue));
        queue.map(|queue| Use::filling(&queue.spec).calls(needs)).unwrap_or_default()
    }
}
