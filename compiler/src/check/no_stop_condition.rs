//! Agents that run with nobody in front of them and nothing stops.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, VecDeque};

use super::{Check, Findings, Look};
use crate::diagnostic::{Family, Rule, Severity};
use crate::model::agent::{AgentRuntime, AgentSpec};
use crate::model::trigger::AgentTrigger;
use crate::model::{Id, Ref, Resource};
use crate::resolve::Graph;

static RULE: Rule = Rule {
    code: "AIP-AGT-004",
    name: "no-stop-condition",
    severity: Severity::Mandatory,
    family: Family::Verdict,
    page: include_str!("no_stop_condition.md"),
};

pub(super) const CHECK: Check = Check { rule: &RULE, run: Look::Resources(run) };

fn run(graph: &Graph, out: &mut Findings<'_>) {
    let starts = starts(graph);
    for (id, agent) in graph.each::<AgentSpec>().filter(|(_, agent)| can_be_stopped(&agent.spec)) {
        let limits = agent.spec.limits.as_ref();
        let stops = limits.is_some_and(|limits| {
            limits.steps.is_some() || limits.wall_clock.is_some() || limits.tokens_per_session.is_some()
        });
        let Some(start) = starts.get(&id).filter(|_| !stops) else { continue };
        let (once, span) = match start {
            Start::Events(trigger) => (format!("{} have started it", trigger.phrase()), trigger.span()),
            Start::Work(from, named) => (
                format!("agent `{}`, which runs by itself, has handed it work", from.name()),
                named.name.span,
            ),
        };
        let message = format!("nothing stops agent `{}` once {once}", agent.name());
        let found = RULE.at(agent.name_span(), message, "no `limits`").label(span, "nobody watches it");
        let found = found.help("add `limits: { steps: …, wallClock: …, tokensPerSession: … }`");
        out.report(&graph.places_of_agent(&agent.spec), found);
    }
}

/// What has an agent run with nobody in front of it.
enum Start<'g> {
    Events(&'g AgentTrigger),
    /// Another agent that nobody watches, and where it names this one. What stops that one does not stop this one.
    Work(&'g Resource<AgentSpec>, &'g Ref<AgentSpec>),
}

/// Every agent that is on and runs by itself: those that events start, and whom these hand work to, however far.
fn starts(graph: &Graph) -> BTreeMap<Id<AgentSpec>, Start<'_>> {
    let is_on = |agent: &Resource<AgentSpec>| agent.spec.switched_off().is_none();
    // By name, so that the finding says the same when resources are moved.
    let mut agents: Vec<_> = graph.each::<AgentSpec>().filter(|(_, agent)| is_on(agent)).collect();
    agents.sort_by_key(|(_, agent)| agent.name().as_str());
    let started = agents.iter().filter_map(|(id, agent)| Some((*id, agent.spec.triggers.first()?)));
    let mut open: VecDeque<_> = started.clone().map(|(id, _)| id).collect();
    let mut found: BTreeMap<_, _> = started.map(|(id, trigger)| (id, Start::Events(trigger))).collect();
    while let Some(from) = open.pop_front().and_then(|id| graph.resource(id)) {
        for named in from.spec.collaborators.iter().map(|one| &one.agent) {
            let Some(id) = named.id().filter(|id| graph.resource(*id).is_some_and(is_on)) else { continue };
            if let Entry::Vacant(entry) = found.entry(id) {
                entry.insert(Start::Work(from, named));
                open.push_back(id);
            }
        }
    }
    found
}

/// Whether an agent is on, on a runtime that can stop it. Agents Classic holds no limits.
pub(super) fn can_be_stopped(agent: &AgentSpec) -> bool {
    let runtime = agent.runtime.as_ref().map_or(AgentRuntime::AgentCore, |runtime| runtime.value);
    runtime == AgentRuntime::AgentCore && agent.switched_off().is_none()
}
