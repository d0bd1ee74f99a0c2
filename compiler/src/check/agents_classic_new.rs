//! Agents on a service that takes no new customers.

use super::{Check, Findings, Look};
use crate::diagnostic::{Family, Rule, Severity};
use crate::model::agent::{AgentRuntime, AgentSpec};
use crate::resolve::Graph;

static RULE: Rule = Rule {
    code: "AIP-AGT-017",
    name: "agents-classic-new",
    severity: Severity::Advisory,
    family: Family::Verdict,
    page: include_str!("agents_classic_new.md"),
};

pub(super) const CHECK: Check = Check { rule: &RULE, run: Look::Resources(run) };

fn run(graph: &Graph, out: &mut Findings<'_>) {
    for (_, agent) in graph.each::<AgentSpec>() {
        let Some(runtime) = &agent.spec.runtime else { continue };
        if runtime.value == AgentRuntime::BedrockAgents {
            let message =
                format!("agent `{}` runs on Agents Classic, which takes no new customers", agent.name());
            let help = "use `agentcore` where what it refuses is not needed";
            let found = RULE.at(runtime.span, message, "closed to new customers since 2026-07-30").help(help);
            out.report(&graph.places_of_agent(&agent.spec), found);
        }
    }
}
