//! Roles of triggers: each may start one agent, write down that it did, and take or keep the messages of its own queues.

use aipolicy_compiler::authorize::Grant;
use aipolicy_compiler::ir::{Circumstances, Principal};
use aipolicy_compiler::model::agent::{AgentRuntime, AgentSpec};
use aipolicy_compiler::model::connector::{ConnectorKind, ConnectorSpec};
use aipolicy_compiler::model::trigger::{AgentTrigger, TriggerSource};
use aipolicy_compiler::model::workload::Platform;
use aipolicy_compiler::model::{Ref, Resource};
use aipolicy_iam::Piece;

use super::Writer;
use super::condition::Condition;
use super::gate::{APPEND_LOG, support};
use super::policy::Allow;
use super::trust::Trust;
use crate::account::Account;
use crate::artifact::Artifact;
use crate::origin::Origin;

const START: &[&str] = &["bedrock-agentcore:InvokeHarness"];
const START_CLASSIC: &[&str] = &["bedrock:InvokeAgent"];
const ASK_ALARMS: &[&str] = &["cloudwatch:DescribeAlarms"];
const WRITE_DOWN: &[&str] = &["dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem"];
const TABLE_KEY: &[&str] = &["kms:Decrypt", "kms:GenerateDataKey"];
const CALL: &[&str] = &["lambda:InvokeFunction"];
const WRITE_LOG: &[&str] = &["logs:CreateLogStream", "logs:PutLogEvents"];

/// A granted trigger.
struct Starts<'w> {
    agent: &'w Resource<AgentSpec>,
    trigger: &'w AgentTrigger,
    grant: Grant<'w>,
    /// The name of its function.
    function: String,
}

impl Starts<'_> {
    fn origin(&self) -> Origin {
        Origin::granted(self.grant)
    }

    fn place(&self) -> Origin {
        Origin::written(self.trigger.span())
    }

    fn words(&self, first: &'static str) -> [&str; 3] {
        [first, self.agent.name().as_str(), self.trigger.name()]
    }
}

/// The line that says that new versions of an agent are tried, if they are.
fn tried(agent: &Resource<AgentSpec>) -> Option<Origin> {
    agent.spec.canary().map(|canary| Origin::written(canary.weight.span))
}

impl<'w> Writer<'w> {
    /// The roles of what starts the agent.
    pub(super) fn triggers(&mut self) -> Vec<Artifact> {
        let Some(agent) = self.agent() else { return Vec::new() };
        let grants = self.grants;
        let mut artifacts = Vec::new();
        for grant in grants {
            let Circumstances::Trigger(at) = grant.decision.request.circumstances else { continue };
            let Some(trigger) = agent.spec.triggers.get(at) else { continue };
            let Some(function) = self.account.trigger(agent, trigger) else { continue };
            let starts = Starts { agent, trigger, grant: *grant, function };
            artifacts.extend(self.starter(&starts));
            artifacts.extend(self.scheduler(&starts));
        }
        artifacts
    }

    /// The role of the function.
    fn starter(&mut self, starts: &Starts<'w>) -> Vec<Artifact> {
        let mut allows: Vec<Allow> = self.start(starts).into_iter().collect();
        if self.runtime() == Some(AgentRuntime::BedrockAgents) {
            allows.extend(self.session_key(starts.agent, starts.origin()));
        }
        allows.extend(self.ask_alarms(starts));
        allows.extend(self.write_down(starts));
        match starts.trigger.queue() {
            Some(queue) => allows.extend(self.take(queue)),
            None => allows.extend(self.keep(starts)),
        }
        allows.extend(self.log(starts));
        allows.extend(self.sessions(starts));
        let trust = self.function_trust(starts.place());
        self.documents(&starts.words("trigger"), (&trust, &allows), &starts.origin())
    }

    /// The start of this agent alone: on AgentCore its endpoint, on Agents Classic its alias.
    fn start(&mut self, starts: &Starts<'w>) -> Option<Allow> {
        let agent = starts.agent;
        match self.runtime()? {
            AgentRuntime::AgentCore => {
                let harness = self.made("harness", self.account.harness(agent), agent)?;
                let endpoint = |name: String| format!("{harness}/harness-endpoint/{name}");
                let place = Origin::written(self.account.environment.name_span());
                let tried = tried(agent).map(|tried| (endpoint(self.account.canary_endpoint()), tried));
                let endpoints = std::iter::once((endpoint(self.account.endpoint()), place)).chain(tried);
                let own = (harness.clone(), starts.place());
                let mut allow = support("Start agent", START, own, starts.origin());
                allow.resources.extend(endpoints);
                Some(allow)
            }
            AgentRuntime::BedrockAgents => {
                let id = [Piece::AnyOne; 10];
                let alias = [&[Piece::Literal("agent-alias/")], id.as_slice(), &[Piece::Literal("/")], &id];
                let what = (START_CLASSIC, alias.concat());
                let region = self.account.region_of(agent);
                let place = (region, &starts.place(), starts.origin());
                let mut allow = self.tagged("Start agent", (what.0, &what.1), place)?;
                let name = Origin::written(agent.name_span());
                let own = (agent.name().as_str().to_owned(), name);
                let tried = tried(agent).map(|tried| (Account::canary_tag(agent), tried));
                let both = std::iter::once(own).chain(tried);
                allow.conditions.push(Condition::any("StringEquals", "aws:ResourceTag/aipolicy:agent", both));
                Some(allow)
            }
        }
    }

    /// The alarms that end the trial of a version, whatever they watch.
    fn ask_alarms(&mut self, starts: &Starts<'w>) -> Option<Allow> {
        let place = tried(starts.agent)?;
        let region = self.account.region_of(starts.agent);
        let name = format!("alarm:{}-", self.account.canary_alarms(starts.agent)?);
        let pieces = [Piece::Literal(&name), Piece::AnyRun];
        let arn = self.pattern("cloudwatch", (region, self.account.id()), (&pieces, place.span))?;
        Some(support("Ask alarms", ASK_ALARMS, (arn, place), starts.origin()))
    }

    /// The records of this trigger, in the table of the agent.
    fn write_down(&mut self, starts: &Starts<'w>) -> Vec<Allow> {
        let region = self.account.region_of(starts.agent);
        let Some(table) = self.account.starts(starts.agent) else { return Vec::new() };
        let arn = self.arn("dynamodb", region, (&format!("table/{table}"), starts.trigger.span()));
        let Some(arn) = arn else { return Vec::new() };
        let mut allow = support("Write down starts", WRITE_DOWN, (arn, starts.place()), starts.origin());
        let condition =
            |operator, value: &str| Condition::new(operator, "dynamodb:LeadingKeys", value, starts.place());
        let name = starts.trigger.name();
        allow.conditions = vec![condition("ForAllValues:StringEquals", name), condition("Null", "false")];
        let mut allows = vec![allow];
        allows.extend(self.account.starts_key(starts.agent).map(|key| {
            let place = Origin::written(key.span);
            let resource = (key.value.as_str().to_owned(), place.clone());
            let mut allow = support("Key of starts", TABLE_KEY, resource, starts.origin());
            let via = format!("dynamodb.{region}.amazonaws.com");
            allow.conditions.push(Condition::equals("kms:ViaService", via, place));
            allow
        }));
        allows
    }

    /// The right to take messages of a queue, as it was granted.
    fn take(&mut self, queue: &Ref<ConnectorSpec>) -> Vec<Allow> {
        let kind = self.account.graph().get(queue).map(|connector| &connector.spec.kind);
        if !matches!(kind, Some(ConnectorKind::Sqs(_))) {
            let message = format!("`{}` is no queue", queue.name.value);
            self.refuse::<()>(queue.name.span, message, "name a connector of the kind `sqs`");
            return Vec::new();
        }
        self.use_of(queue).into_iter().flat_map(|grant| self.connector(grant)).collect()
    }

    /// The right to put what failed into the queue for it.
    fn keep(&mut self, starts: &Starts<'w>) -> Vec<Allow> {
        let Some(named) = starts.trigger.dead_letter() else { return Vec::new() };
        self.written_by(named, starts.origin())
    }

    /// The log of the function.
    fn log(&mut self, starts: &Starts<'w>) -> Option<Allow> {
        let region = self.account.region_of(starts.agent);
        self.own_stream((&starts.function, region), (starts.place(), starts.origin()))
    }

    /// The right to write records of sessions, into a stream that is there already.
    fn sessions(&mut self, starts: &Starts<'w>) -> Option<Allow> {
        let region = self.account.region_of(starts.agent);
        let (group, _) = self.account.records(region)?;
        let stream = self.account.sessions(starts.agent);
        let resource = format!("log-group:{}:log-stream:{stream}", group.value);
        let arn = self.arn("logs", region, (&resource, group.span))?;
        Some(support("Record sessions", APPEND_LOG, (arn, starts.place()), starts.origin()))
    }

    /// The log of a workload on Lambda.
    pub(super) fn workload_log(&mut self) -> Option<Allow> {
        let Principal::Workload(id) = self.principal else { return None };
        let workload = self.account.graph().resource(id)?;
        if workload.spec.platform.value != Platform::Lambda {
            return None;
        }
        let role = self.grants.iter().find(|grant| super::is_support(grant, "role")).copied()?;
        let region = self.account.environment.spec.aws.regions.first()?;
        let name = self.account.workload(workload)?;
        let place = Origin::written(workload.name_span());
        self.own_stream((&name, region.value.as_str()), (place, Origin::granted(role)))
    }

    /// The right to write into the log group of a function, which is there already.
    fn own_stream(
        &mut self,
        (function, region): (&str, &str),
        (place, origin): (Origin, Origin),
    ) -> Option<Allow> {
        let group = format!("log-group:/aws/lambda/{function}:log-stream:");
        let pieces = [Piece::Literal(&group), Piece::AnyRun];
        let arn = self.pattern("logs", (region, self.account.id()), (&pieces, place.span))?;
        Some(support("Write own log", WRITE_LOG, (arn, place), origin))
    }

    /// The role with which Scheduler calls the function, and keeps what it could not deliver.
    fn scheduler(&mut self, starts: &Starts<'w>) -> Vec<Artifact> {
        let TriggerSource::Schedule(_) = &starts.trigger.source else { return Vec::new() };
        let (region, span) = (self.account.region_of(starts.agent), starts.trigger.span());
        let function = self.arn("lambda", region, (&format!("function:{}", starts.function), span));
        let group = self.arn("scheduler", region, (&format!("schedule-group/{}", starts.function), span));
        let (Some(function), Some(group)) = (function, group) else { return Vec::new() };
        let mut allows = vec![support("Call function", CALL, (function, starts.place()), starts.origin())];
        allows.extend(self.keep(starts));
        let trust: Trust = self.schedule_trust(group, starts.place());
        self.documents(&starts.words("schedule"), (&trust, &allows), &starts.origin())
    }
}
