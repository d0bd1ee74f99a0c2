//! Agents that events start and nothing stops.

use super::{Check, Findings};
use crate::diagnostic::{Family, Rule, Severity};
use crate::model::agent::{AgentRuntime, AgentSpec};
use crate::resolve::Graph;

static RULE: Rule = Rule {
    code: "AIP-AGT-004",
    name: "no-stop-condition",
    severity: Severity::Mandatory,
    family: Family::Verdict,
    page: include_str!("no_stop_condition.md"),
};

pub(super) const CHECK: Check = Check { rule: &RULE, run };

fn run(graph: &Graph, out: &mut Findings<'_>) {
    for (_, agent) in graph.each::<AgentSpec>().filter(|(_, agent)| runs_alone(&agent.spec)) {
        let limits = agent.spec.limits.as_ref();
        let stops = limits.is_some_and(|limits| {
            limits.steps.is_some() || limits.wall_clock.is_some() || limits.tokens_per_session.is_some()
        });
        let Some(trigger) = agent.spec.triggers.first().filter(|_| !stops) else { continue };
        let message =
            format!("nothing stops agent `{}` once {} have started it", agent.name(), trigger.phrase());
        let found =
            RULE.at(agent.name_span(), message, "no `limits`").label(trigger.span(), "nobody watches it");
        let found = found.help("add `limits: { steps: …, wallClock: …, tokensPerSession: … }`");
        out.report(&graph.places_of_agent(&agent.spec), found);
    }
}

/// Whether an agent is started by events, on a runtime that can stop it.
fn runs_alone(agent: &AgentSpec) -> bool {
    can_be_stopped(agent) && !agent.triggers.is_empty()
}

/// Whether an agent is on, on a runtime that can stop it. Agents Classic holds no limits.
pub(super) fn can_be_stopped(agent: &AgentSpec) -> bool {
    let runtime = agent.runtime.as_ref().map_or(AgentRuntime::AgentCore, |runtime| runtime.value);
    runtime == AgentRuntime::AgentCore && agent.switched_off().is_none()
}
