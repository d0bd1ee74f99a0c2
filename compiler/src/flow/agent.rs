//! Content that agents have: their sessions, models, tools, memory, triggers, and what they hand over.

use super::path::Node;
use super::{Content, Flow, Way, start, step};
use crate::model::Resource;
use crate::model::agent::{AgentModel, AgentSpec, Gate, Tool};
use crate::model::connector::ServerAuth;
use crate::model::reference::Ref;

/// One start for each agent of the environment that is switched on.
pub(super) fn starts<'g>(flow: &mut Flow<'g>) -> Vec<Way<'g>> {
    let agents = flow.graph.each::<AgentSpec>();
    let on = agents.filter(|(_, agent)| agent.spec.switched_off().is_none());
    let here: Vec<_> =
        on.filter(|(_, agent)| flow.is_here(&flow.graph.places_of_agent(&agent.spec))).collect();
    here.into_iter().map(|(_, agent)| of(flow, agent)).collect()
}

fn of<'g>(flow: &mut Flow<'g>, agent: &'g Resource<AgentSpec>) -> Way<'g> {
    let spec = &agent.spec;
    let own = spec.clearance.as_slice();
    let classes = if own.is_empty() { flow.clearance(&spec.tenant) } else { own };
    let class = flow.most_sensitive(classes.iter().filter_map(Ref::id));
    let content = Content { class, tenant: spec.tenant.id() };
    let region = spec.region.as_ref().map_or_else(|| flow.home(), |region| region.value.as_str());
    let place = spec.region.as_ref().map_or(agent.name_span(), |region| region.span);

    let mut next = vec![flow.rests(content, step("is kept as the state of sessions", "", place), region)];
    next.extend(match &spec.model.value {
        AgentModel::Model(model) => flow.calls(content, ("is sent to model", model), region),
        AgentModel::Route(route) => flow.sends(content, route),
    });
    if let Some(callers) = &spec.callers {
        let secret = &callers.value.client().secret;
        next.extend(flow.uses(content, ("shows who it is with connector", secret)));
    }
    for tool in &spec.tools {
        next.push(tool_of(flow, content, tool, region));
    }
    if let Some(memory) = &spec.memory {
        let written = memory.region.as_ref();
        let span = written.map(|region| region.span).or(memory.retention.as_ref().map(|word| word.span));
        let at = written.map_or(region, |region| region.value.as_str());
        next.push(flow.rests(content, step("is remembered", "", span.unwrap_or(agent.name_span())), at));
    }
    for trigger in &spec.triggers {
        next.extend(trigger.queue().and_then(|queue| flow.uses(content, ("comes from connector", queue))));
        let failed = trigger.dead_letter();
        next.extend(
            failed.and_then(|queue| flow.uses(content, ("goes, when it fails, to connector", queue))),
        );
        if trigger.is_handed_over() {
            next.push(flow.rests(content, step("is held until it is taken", "", trigger.span()), region));
        }
    }
    next.extend(handed_over(flow, agent));
    Node::new(start("agent", agent), next)
}

/// A tool: its connector, what decides about a call and proves who makes it, and the calls that wait.
fn tool_of<'g>(flow: &mut Flow<'g>, content: Content, tool: &'g Tool, region: &str) -> Way<'g> {
    let mut next: Vec<_> = flow.uses(content, ("uses connector", &tool.connector)).into_iter().collect();
    let auth = flow.graph.get(&tool.connector).and_then(|connector| connector.spec.kind.auth());
    if let Some(ServerAuth::Secret(secret)) = auth {
        next.extend(flow.uses(content, ("shows who it is with connector", secret)));
    }
    if let Some(gate) = &tool.gate {
        if let Gate::Verify(verify) = &gate.value {
            next.extend(flow.uses(content, ("asks connector", &verify.with)));
        }
        if matches!(gate.value, Gate::Verify(_) | Gate::Approval(_)) {
            next.push(flow.rests(content, step("waits for a decision", "", gate.span), region));
        }
    }
    Node::new(step("calls tool", tool.name.value.as_str(), tool.name.span), next)
}

/// What an agent hands over to an agent whose tenant is under fewer rules may go anywhere. All others have a start of their
/// own, from which what they get is followed.
fn handed_over<'g>(flow: &Flow<'g>, agent: &'g Resource<AgentSpec>) -> Vec<Way<'g>> {
    let others = agent.spec.collaborators.iter().filter_map(|one| {
        let other = flow.graph.get(&one.agent)?;
        let is_on = other.spec.switched_off().is_none();
        let is_elsewhere = other.spec.tenant.id() != agent.spec.tenant.id();
        (is_on && is_elsewhere).then_some((one, other))
    });
    let leaving = others.filter_map(|(one, other)| {
        let class = flow.most_sensitive(other.spec.clearance.iter().filter_map(Ref::id));
        let ours = flow.graph.residency(class, agent.spec.tenant.id())?;
        let theirs = flow.graph.residency(class, other.spec.tenant.id());
        let is_as_strict = theirs.is_some_and(|theirs| theirs.regions.is_subset(&ours.regions));
        let content = Content { class, tenant: agent.spec.tenant.id() };
        let here = step("is handed to agent", other.name().as_str(), one.agent.name.span);
        (!is_as_strict).then(|| flow.rests(content, here, "unknown"))
    });
    leaving.collect()
}
