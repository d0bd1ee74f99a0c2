//! What starts agents: for each trigger a function that starts one agent once for each key, and what leads to it.

mod check;
mod dead_letter;
mod event;
mod function;
mod queue;
mod schedule;
mod starts;
mod topic;

use aipolicy_compiler::authorize::Grant;
use aipolicy_compiler::diagnostic::{Diagnostic, Diagnostics};
use aipolicy_compiler::ir::Circumstances;
use aipolicy_compiler::model::agent::AgentRuntime;
use aipolicy_compiler::model::connector::{ConnectorKind, ConnectorSpec};
use aipolicy_compiler::model::reference::Ref;
use aipolicy_compiler::model::trigger::{AgentTrigger, TriggerSource};
use aipolicy_compiler::rule;
use aipolicy_compiler::source::Span;

use super::agent::{Agent, Started};
use super::request::{Request, address};
use super::shared::{plain_name, queue_url};
use super::{agentcore, canary, classic};
use crate::artifact::{Address, Artifact, Trial};
use crate::function::Named;
use crate::origin::Origin;
use crate::tree::Tree;

pub(super) use dead_letter::DeadLetters;
pub(super) use function::code;

/// A trigger that was granted, with the agent that it starts.
struct Trigger<'a> {
    agent: &'a Agent<'a>,
    spec: &'a AgentTrigger,
    /// The name of its function, and of what leads there.
    name: String,
    dead: Queue,
    /// Its grant.
    origin: Origin,
}

/// A queue that somebody else made.
struct Queue {
    name: String,
    url: String,
    arn: String,
    origin: Origin,
}

/// Everything that starts an agent. What services may put into queues for what fails is gathered in `letters`.
pub(super) fn artifacts(
    agent: &Agent<'_>,
    trial: Option<&Trial>,
    letters: &mut DeadLetters,
    out: &mut Diagnostics,
) -> Vec<Artifact> {
    let started = match agent.spec().runtime.as_ref().map(|runtime| runtime.value) {
        Some(AgentRuntime::AgentCore) | None => agentcore::started(agent),
        Some(AgentRuntime::BedrockAgents) => classic::started(agent),
    };
    let Some(mut started) = started else { return Vec::new() };
    if let Some(trial) = trial {
        started.canary = canary::started(agent, trial);
        started.needs.extend(trial.alarms.iter().cloned());
    }
    let triggers: Vec<_> = agent.grants.iter().filter_map(|grant| Trigger::of(agent, *grant, out)).collect();
    let mut artifacts = Vec::new();
    for trigger in &triggers {
        artifacts.extend(trigger.artifacts(&started, letters, out));
    }
    artifacts.extend(triggers.first().into_iter().flat_map(starts::artifacts));
    artifacts
}

impl<'a> Trigger<'a> {
    /// The trigger of a grant, with its queue for what fails.
    fn of(agent: &'a Agent<'a>, grant: Grant<'a>, out: &mut Diagnostics) -> Option<Self> {
        let Circumstances::Trigger(at) = grant.decision.request.circumstances else { return None };
        let spec = agent.resource.spec.triggers.get(at)?;
        let Some(dead) = spec.dead_letter() else {
            out.report(refusal(spec.span(), "what fails here would be lost", "add `deadLetter`"));
            return None;
        };
        let dead = Queue::of(agent, dead, out)?;
        let name = agent.account.trigger(agent.resource, spec)?;
        Some(Self { agent, spec, name, dead, origin: Origin::granted(grant) })
    }

    fn artifacts(
        &self,
        started: &Started,
        letters: &mut DeadLetters,
        out: &mut Diagnostics,
    ) -> Vec<Artifact> {
        check::confirmations(self, out);
        let Some(wait) = check::wait(self, out) else { return Vec::new() };
        let mut artifacts = function::artifacts(self, (started, &wait), out);
        artifacts.extend(match &self.spec.source {
            TriggerSource::Sqs(found) => queue::artifacts(self, found, &wait, out),
            TriggerSource::Sns(found) => topic::artifacts(self, found, letters, out),
            TriggerSource::EventBridge(found) => event::artifacts(self, found, letters, out),
            TriggerSource::Schedule(found) => schedule::artifacts(self, found, out),
        });
        artifacts
    }

    fn address(&self, kind: &str) -> Address {
        address(kind, &self.name)
    }

    /// The ARN of its function.
    fn function_arn(&self) -> String {
        self.agent.account.arn("lambda", &self.agent.region().0, &format!("function:{}", self.name))
    }

    fn default(&self, name: &str) -> Origin {
        self.agent.account.default(name)
    }

    /// Its name as others know it.
    fn named(&self) -> Tree {
        Tree::text(&self.name).from(self.default("origin.name"))
    }

    /// Its function, as every function is.
    fn function(&self) -> Named<'_> {
        let (region, origin) = (self.agent.region(), self.origin.clone());
        Named { target: "bedrock", name: &self.name, region, origin }
    }

    /// The right of one source of a service to call the function.
    fn permission(&self, (service, source): (&str, &str)) -> Artifact {
        let default = || self.default("trigger.permission");
        let members = vec![
            ("FunctionName", self.function_name()),
            ("StatementId", Tree::text("aipolicy").from(default())),
            ("Action", Tree::text("lambda:InvokeFunction").from(self.origin.clone())),
            ("Principal", Tree::text(service).from(default())),
            ("SourceAccount", Tree::text(self.agent.account.id()).from(default())),
            ("SourceArn", Tree::text(source).from(default())),
        ];
        let address = self.address("FunctionPermission");
        let needs = vec![self.address("Function")];
        Request { address, region: self.agent.region(), members, needs }.artifact(&self.origin)
    }

    /// How long a service tries to hand over what starts the agent.
    fn retries(&self) -> Tree {
        let tree = Tree::map([
            ("MaximumRetryAttempts", Tree::integer(185)),
            ("MaximumEventAgeInSeconds", Tree::integer(86_400)),
        ]);
        tree.from(self.default("trigger.delivery"))
    }

    /// Its function, as a document that is there already.
    fn function_name(&self) -> Tree {
        Tree::text(self.address("Function").name).from(self.default("origin.name"))
    }
}

impl Queue {
    /// The queue that a reference names, in the region of the agent.
    fn of(agent: &Agent<'_>, reference: &Ref<ConnectorSpec>, out: &mut Diagnostics) -> Option<Self> {
        let connector = agent.account.graph().get(reference)?;
        let ConnectorKind::Sqs(queue) = &connector.spec.kind else {
            let message = format!("`{}` is no queue", reference.name.value);
            out.report(refusal(reference.name.span, &message, "name a connector of the kind `sqs`"));
            return None;
        };
        let region = agent.region().0;
        if connector.spec.region.value.as_str() != region {
            let message = format!("`{}` is not in {region}, where the agent is", reference.name.value);
            let found = refusal(reference.name.span, &message, "name a queue in the region of the agent");
            out.report(found.label(connector.spec.region.span, "its region"));
            return None;
        }
        let name = plain_name(&queue.queue, out)?.to_owned();
        Some(Self {
            url: queue_url(agent.account, &region, &name),
            arn: agent.account.arn("sqs", &region, &name),
            name,
            origin: Origin::written(queue.queue.span),
        })
    }

    fn arn(&self) -> Tree {
        Tree::text(&self.arn).from(self.origin.clone())
    }
}

/// A place, what a trigger cannot do there, and what helps.
fn refusal(span: Span, message: &str, help: &str) -> Diagnostic {
    rule::UNSUPPORTED.at(span, message, "a trigger cannot do this").help(help)
}
