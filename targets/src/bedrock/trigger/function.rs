//! The function of a trigger. It starts one agent, and knows nothing else.

use aipolicy_compiler::diagnostic::Diagnostics;
use aipolicy_compiler::model::agent::AgentModel;
use aipolicy_compiler::model::trigger::{AgentTrigger, TriggerSource};

use super::check::Wait;
use super::{Started, Trigger, starts};
use crate::account::Account;
use crate::artifact::{Address, Artifact};
use crate::bedrock::request::{Members, Request, address, reference, role};
use crate::bedrock::shared::{self, tag_map};
use crate::origin::Origin;
use crate::tree::Tree;

const CODE: &str = include_str!("aipolicy_start.py");

/// The code of every such function.
pub(in crate::bedrock) fn code(account: &Account<'_>) -> Artifact {
    Artifact::text(code_address(), CODE, &account.default("trigger.function"))
}

fn code_address() -> Address {
    address("FunctionCode", "aipolicy_start.py")
}

/// Whether a service hands over what starts the agent and does not wait, so that Lambda keeps what fails.
fn is_handed_over(trigger: &AgentTrigger) -> bool {
    match trigger.source {
        TriggerSource::Sqs(_) => false,
        TriggerSource::Sns(_) | TriggerSource::EventBridge(_) | TriggerSource::Schedule(_) => true,
    }
}

/// The function with its log.
pub(super) fn artifacts(
    trigger: &Trigger<'_>,
    (started, wait): (&Started, &Wait),
    out: &mut Diagnostics,
) -> Vec<Artifact> {
    let agent = trigger.agent;
    let Some(table) = starts::own_address(agent) else { return Vec::new() };
    let logs = trigger.function().logs(agent.account);
    let (role, role_address) = role(agent.account, &["trigger", agent.name(), trigger.spec.name()]);
    let default = || trigger.default("trigger.function");
    let mut variables: Members = started.variables.iter().map(|(key, value)| (*key, value.clone())).collect();
    variables.push(("START", start(trigger, (started, wait))));
    variables.push(("TABLE", Tree::text(&table.name).from(trigger.default("origin.name"))));
    let mut members: Members = vec![
        ("FunctionName", trigger.named()),
        ("Runtime", Tree::text("python3.13").from(default())),
        ("Handler", Tree::text("aipolicy_start.handler").from(default())),
        ("Role", role),
        ("Code", Tree::map([("ZipFile", reference(&code_address(), "zip"))]).from(default())),
        ("Timeout", Tree::integer(wait.function).from(wait.origin.clone())),
        ("MemorySize", Tree::integer(256).from(default())),
    ];
    if is_handed_over(trigger.spec) {
        members.push(("DeadLetterConfig", Tree::map([("TargetArn", trigger.dead.arn())])));
    }
    members.push(("Environment", Tree::map([("Variables", Tree::map(variables))])));
    members.push(("LoggingConfig", trigger.function().log(agent.account)));
    members.push(("Tags", tag_map(agent.account)));
    let mut needs = vec![role_address, code_address(), table];
    needs.extend(started.needs.iter().cloned());
    needs.extend(logs.iter().map(|one| one.document.address.clone()));
    needs.extend(starts::sessions_address(agent));
    let made = Request { address: trigger.address("Function"), region: agent.region(), members, needs };
    let made = made.artifact(&trigger.origin);
    super::check::environment(trigger, &made, out);
    let limits = limits(trigger);
    logs.into_iter().chain([made]).chain(limits).collect()
}

/// The model of an agent that calls one itself.
fn model(trigger: &Trigger<'_>) -> Option<Tree> {
    let agent = trigger.agent;
    let AgentModel::Model(named) = &agent.spec().model.value else { return None };
    let id = &agent.account.graph().get(named)?.spec.model_id;
    Some(Tree::text(id.value.as_str()).from(Origin::written(id.span)))
}

/// What the function is told about its trigger, and what it tells in records of sessions.
fn start(trigger: &Trigger<'_>, (started, wait): (&Started, &Wait)) -> Tree {
    let (spec, agent) = (trigger.spec, trigger.agent);
    let idempotency = spec.idempotency.as_ref();
    let mut entries = vec![
        ("agent", Tree::text(agent.name()).from(Origin::written(agent.resource.name_span()))),
        ("role", role(agent.account, &["agent", agent.name()]).0),
        ("source", Tree::text(spec.word())),
        ("trigger", Tree::text(spec.name())),
        ("wait", Tree::integer(wait.agent).from(wait.origin.clone())),
    ];
    entries.extend(started.canary.iter().map(|canary| ("canary", canary.clone())));
    entries.extend(model(trigger).map(|model| ("model", model)));
    entries.extend(shared::record_group(agent.account, agent.resource).map(|(group, origin)| {
        let stream = Tree::text(agent.account.sessions(agent.resource));
        let stream = stream.from(trigger.default("bedrock.record"));
        ("record", Tree::map([("group", Tree::text(group).from(origin)), ("stream", stream)]))
    }));
    let retention = idempotency.and_then(|found| found.retention.as_ref());
    entries.push(match retention {
        Some(time) => ("retention", Tree::integer(time.value.seconds()).from(Origin::written(time.span))),
        None => ("retention", Tree::integer(86_400).from(trigger.default("trigger.retention"))),
    });
    let key = idempotency.and_then(|found| found.key.as_ref());
    entries.extend(key.map(|key| ("key", Tree::text(key.value.as_str()).from(Origin::written(key.span)))));
    let input = spec.input.as_ref();
    entries.extend(
        input.map(|input| ("input", Tree::text(input.value.as_str()).from(Origin::written(input.span)))),
    );
    Tree::map(entries)
}

/// How often the function runs at once and is tried again, where Lambda keeps what it is handed.
fn limits(trigger: &Trigger<'_>) -> Vec<Artifact> {
    if !is_handed_over(trigger.spec) {
        return Vec::new();
    }
    let retries = || trigger.default("trigger.retries");
    let again = vec![
        ("FunctionName", trigger.function_name()),
        ("Qualifier", Tree::text("$LATEST").from(retries())),
        ("MaximumRetryAttempts", Tree::integer(2).from(retries())),
        ("MaximumEventAgeInSeconds", Tree::integer(21_600).from(retries())),
    ];
    let (address, region) = (trigger.address("EventInvokeConfig"), trigger.agent.region());
    let again = Request { address, region, members: again, needs: vec![trigger.address("Function")] };
    let mut made = vec![again.artifact(&trigger.origin)];
    if let Some(limit) = &trigger.spec.concurrency {
        let number = Tree::integer(limit.value.0).from(Origin::written(limit.span));
        made.push(trigger.function().concurrency(trigger.agent.account, number));
    }
    made
}
