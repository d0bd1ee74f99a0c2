//! Tools that change something once more when a run is repeated.

use super::{Check, Findings, Look};
use crate::diagnostic::{Family, Rule, Severity};
use crate::model::agent::{Access, AgentSpec};
use crate::resolve::Graph;

static RULE: Rule = Rule {
    code: "AIP-RTE-009",
    name: "retry-non-idempotent-tool",
    severity: Severity::Mandatory,
    family: Family::Verdict,
    page: include_str!("retry_non_idempotent_tool.md"),
};

pub(super) const CHECK: Check = Check { rule: &RULE, run: Look::Resources(run) };

fn run(graph: &Graph, out: &mut Findings<'_>) {
    let on = graph.each::<AgentSpec>().filter(|(_, agent)| agent.spec.switched_off().is_none());
    for (_, agent) in on {
        let Some(trigger) = agent.spec.triggers.first() else { continue };
        let writes = agent.spec.tools.iter().filter(|tool| tool.access.value == Access::Write);
        for tool in writes.filter(|tool| tool.idempotency_key.is_none()) {
            let message = format!(
                "tool `{}` of agent `{}` changes something again when a run is repeated",
                tool.name.value,
                agent.name()
            );
            let found = RULE.at(tool.name.span, message, "no `idempotencyKey`");
            let found = found.label(trigger.span(), "what fails is handed to the agent again");
            let found = found.help("add `idempotencyKey` with the input that makes a repetition harmless");
            out.report(&graph.places_of_agent(&agent.spec), found);
        }
    }
}
