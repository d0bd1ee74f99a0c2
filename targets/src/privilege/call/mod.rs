//! From a grant to the calls of AWS that carry it out: written from what the services document, and not from what is
//! compiled, which it is compared with.

mod agent;
mod connector;
mod environment;
mod guardrail;
mod model;
mod tool;
mod trigger;
mod trust;

use std::collections::BTreeMap;

use aipolicy_compiler::authorize::Grant;
use aipolicy_compiler::ir::{Circumstances, Object, Principal};
use aipolicy_compiler::model::agent::{AgentSpec, Gate};
use aipolicy_compiler::model::connector::{ConnectorSpec, ServerAuth};
use aipolicy_compiler::model::workload::WorkloadSpec;
use aipolicy_compiler::model::{Id, Resource};
use aipolicy_compiler::source::Span;

use super::need::Needs;
use crate::account::Account;
use crate::billing;
pub(super) use agent::runtime;
use connector::Use;
use tool::Held;
use trigger::Starts;

/// Everything that the grants of an environment need of roles.
pub(super) fn needs<'a>(account: &'a Account<'a>) -> Needs<'a> {
    let mut all = Needs::new(account);
    for (principal, grants) in account.input.grants.by_principal() {
        let agent = match principal {
            Principal::Agent(id) => account.graph().resource(id),
            Principal::Workload(_)
            | Principal::Gateway(_)
            | Principal::Tenant(_)
            | Principal::Route(_)
            | Principal::Environment(_) => None,
        };
        let asked = agent.map(|agent| asked(&all, agent)).unwrap_or_default();
        for grant in grants {
            note(&mut all, grant, (agent, &asked));
        }
    }
    for stop in billing::stops(account, &billing::Callers::of(account)) {
        environment::stop(&mut all, &stop);
    }
    all
}

/// Why an agent asks for a connector.
#[derive(Clone, Copy)]
enum Asked<'t> {
    /// A tool uses it.
    Tool(Held<'t>),
    /// It decides on the calls of a tool.
    Verification(Held<'t>),
    /// It has the secret of the client that the agent is.
    Client,
    /// It has the key of a server.
    Server(&'t str),
    /// Its messages start the agent.
    Queue(Starts<'t>),
}

/// The connectors that an agent asks for, by where it does.
type Reasons<'t> = BTreeMap<Span, Asked<'t>>;

fn asked<'a>(needs: &Needs<'a>, agent: &'a Resource<AgentSpec>) -> Reasons<'a> {
    let mut reasons = BTreeMap::new();
    for tool in &agent.spec.tools {
        let Some(held) = Held::of(needs, agent, tool) else { continue };
        reasons.insert(tool.connector.name.span, Asked::Tool(held));
        if let Some(Gate::Verify(verify)) = tool.gate.as_ref().map(|gate| &gate.value) {
            reasons.insert(verify.with.name.span, Asked::Verification(held));
        }
        let server = needs.account.graph().get(&tool.connector);
        if let Some(server) = server
            && let Some(ServerAuth::Secret(secret)) = server.spec.kind.auth()
        {
            reasons.insert(secret.name.span, Asked::Server(server.name().as_str()));
        }
    }
    if let Some(callers) = &agent.spec.callers {
        reasons.insert(callers.value.client().secret.name.span, Asked::Client);
    }
    for trigger in &agent.spec.triggers {
        if let Some(queue) = trigger.queue() {
            reasons.insert(queue.name.span, Asked::Queue(Starts { agent, trigger }));
        }
    }
    reasons
}

/// An agent, if one asks, with the connectors that it asks for.
type Asker<'g, 'a> = (Option<&'a Resource<AgentSpec>>, &'g Reasons<'a>);

/// Notes what one grant needs.
fn note<'a>(all: &mut Needs<'a>, grant: Grant<'a>, (agent, asked): Asker<'_, 'a>) {
    let request = &grant.decision.request;
    let graph = all.account.graph();
    match (&request.object, &request.circumstances) {
        (Object::Model(id), Circumstances::Invocation(call)) => {
            if let Some(found) = graph.resource(*id) {
                model::note(all, grant, (found, call));
            }
        }
        (Object::Connector(id), _) => {
            if let Some(connector) = graph.resource(*id) {
                connected(all, grant, (connector, agent, asked));
            }
        }
        (Object::Tool(_, at), _) => {
            let tool = agent.and_then(|agent| Some((agent, agent.spec.tools.get(*at)?)));
            if let Some(held) = tool.and_then(|(agent, tool)| Held::of(all, agent, tool)) {
                held.call(all, grant);
            }
        }
        (_, Circumstances::Trigger(at)) => {
            let trigger = agent.and_then(|agent| Some((agent, agent.spec.triggers.get(*at)?)));
            if let Some((agent, trigger)) = trigger {
                Starts { agent, trigger }.note(all, grant);
            }
        }
        (_, Circumstances::Support(need)) => support(all, grant, (need, agent)),
        (_, Circumstances::Storage(storage)) => {
            if let Some(agent) = agent.filter(|_| storage.place == "memory") {
                agent::memory(all, agent, grant);
            }
        }
        (Object::Route(_), _) => _ = agent.and_then(|agent| agent::route_key(all, agent, grant)),
        (Object::Agent(other), _) => {
            if let Some((agent, other)) = agent.zip(graph.resource(*other)) {
                agent::handed_on(all, (agent, other), grant);
            }
        }
        // Who runs where, and whose namespace it is, is for the cluster to say.
        (Object::Region(_) | Object::Cluster(_) | Object::DataStore(_) | Object::Environment(_), _)
        | (Object::Model(_), _) => {}
    }
}

/// A granted use of a connector, which whoever makes the call needs.
fn connected<'a>(
    all: &mut Needs<'a>,
    grant: Grant<'a>,
    (connector, agent, asked): (&'a Resource<ConnectorSpec>, Option<&'a Resource<AgentSpec>>, &Reasons<'a>),
) {
    let span = grant.decision.request.span;
    let used = Use::of(all, &connector.spec, &grant.decision.request);
    let role = match (agent, asked.get(&span).copied()) {
        (Some(_), Some(Asked::Tool(held))) => {
            _ = held.connector(all, grant);
            return;
        }
        (Some(agent), Some(Asked::Client)) => {
            _ = agent::client(all, (agent, &connector.spec), grant);
            return;
        }
        (Some(agent), Some(Asked::Server(server))) => {
            _ = tool::server_key(all, (agent, grant), (server, &connector.spec));
            return;
        }
        (Some(_), Some(Asked::Verification(held))) => held.role(all),
        (Some(_), Some(Asked::Queue(starts))) => starts.role(all, "trigger"),
        (_, _) => all.role_of(grant.decision.request.principal),
    };
    for calls in used.calls(all) {
        all.add(&role, grant, calls);
    }
}

/// What is needed around other grants.
fn support<'a>(
    all: &mut Needs<'a>,
    grant: Grant<'a>,
    (need, agent): (&str, Option<&'a Resource<AgentSpec>>),
) {
    let graph = all.account.graph();
    let request = &grant.decision.request;
    if need == "role"
        && let Some(assumed) = trust::of(all, request.principal)
    {
        let role = all.role_of(request.principal);
        all.assumed(&role, grant, assumed);
    }
    let workload = |id: Id<WorkloadSpec>| graph.resource(id);
    match (need, request.principal, &request.object) {
        ("role", Principal::Agent(_), _) => {
            if let Some(agent) = agent {
                agent::guardrail(all, agent, grant);
            }
        }
        ("role", Principal::Workload(id), _) => {
            if let Some(workload) = workload(id) {
                environment::own_log(all, workload, grant);
            }
        }
        ("trigger", Principal::Workload(id), _) => {
            if let Some(workload) = workload(id) {
                environment::consumed(all, workload, grant);
            }
        }
        ("logs", _, Object::DataStore(id)) => {
            let named = all.account.environment.spec.logging.as_ref().and_then(|it| it.invocations.as_ref());
            let here = named.is_some_and(|named| named.name.span == request.span);
            if let Some(store) = graph.resource(*id).filter(|_| here) {
                environment::invocations(all, store, grant);
            }
        }
        _ => {}
    }
}
