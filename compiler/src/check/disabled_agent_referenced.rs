//! Collaborators that are switched off: nothing can be handed to them.

use super::{Check, Findings, Look};
use crate::diagnostic::{Family, Rule, Severity};
use crate::model::agent::AgentSpec;
use crate::resolve::Graph;

static RULE: Rule = Rule {
    code: "AIP-AGT-023",
    name: "disabled-agent-referenced",
    severity: Severity::Note,
    family: Family::Verdict,
    page: include_str!("disabled_agent_referenced.md"),
};

pub(super) const CHECK: Check = Check { rule: &RULE, run: Look::Resources(run) };

fn run(graph: &Graph, out: &mut Findings<'_>) {
    let on = graph.each::<AgentSpec>().filter(|(_, agent)| agent.spec.switched_off().is_none());
    for (_, agent) in on {
        for collaborator in &agent.spec.collaborators {
            let other = graph.get(&collaborator.agent);
            let Some(off) = other.and_then(|other| other.spec.switched_off()) else { continue };
            let name = &collaborator.agent.name;
            let message =
                format!("agent `{}` is disabled, so `{}` cannot hand work to it", name.value, agent.name());
            let found = RULE.at(name.span, message, "").label(off, "disabled here");
            let help = "leave it here to have it back when the agent is enabled, or remove it";
            out.report(&graph.places_of_agent(&agent.spec), found.help(help));
        }
    }
}
