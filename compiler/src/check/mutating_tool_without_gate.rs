//! Tools that change something, and nobody is asked.

use super::{Check, Findings, Look, gate_bypassable};
use crate::diagnostic::{Family, Rule, Severity};
use crate::model::agent::{Access, AgentSpec};
use crate::resolve::Graph;

static RULE: Rule = Rule {
    code: "AIP-AGT-001",
    name: "mutating-tool-without-gate",
    severity: Severity::Mandatory,
    family: Family::Verdict,
    page: include_str!("mutating_tool_without_gate.md"),
};

pub(super) const CHECK: Check = Check { rule: &RULE, run: Look::Resources(run) };

fn run(graph: &Graph, out: &mut Findings<'_>) {
    let tools = graph
        .each::<AgentSpec>()
        .flat_map(|(_, agent)| agent.spec.tools.iter().map(move |tool| (agent, tool)));
    for (agent, tool) in tools {
        let ungated = tool.access.value == Access::Write && tool.gate.is_none();
        if ungated && gate_bypassable::gated_by_another(graph, agent, tool).is_none() {
            let message = format!(
                "tool `{}` of agent `{}` changes something without a gate",
                tool.name.value,
                agent.name()
            );
            let help = "add `gate: confirm`, `gate: { approval: … }` or `gate: { verify: … }`";
            let found = RULE.at(tool.access.span, message, "writes").help(help);
            out.report(&graph.places_of_agent(&agent.spec), found);
        }
    }
}
