//! Agents whose sessions end, and may use any number of tokens until then.

use std::collections::BTreeSet;

use super::no_stop_condition::can_be_stopped;
use super::{Check, Findings};
use crate::diagnostic::{Family, Rule, Severity};
use crate::model::agent::AgentSpec;
use crate::model::budget::{BudgetScope, BudgetSpec};
use crate::resolve::Graph;

static RULE: Rule = Rule {
    code: "AIP-BUD-010",
    name: "agent-session-unbounded",
    severity: Severity::Mandatory,
    family: Family::Verdict,
    page: include_str!("agent_session_unbounded.md"),
};

pub(super) const CHECK: Check = Check { rule: &RULE, run };

fn run(graph: &Graph, out: &mut Findings<'_>) {
    let budgeted: BTreeSet<_> = graph
        .each::<BudgetSpec>()
        .filter_map(|(_, budget)| match &budget.spec.scope {
            BudgetScope::Agent(agent) => agent.id(),
            BudgetScope::Organisation | BudgetScope::Environment(_) | BudgetScope::Tenant(_) => None,
        })
        .collect();
    for (id, agent) in graph.each::<AgentSpec>().filter(|(_, agent)| can_be_stopped(&agent.spec)) {
        let Some(limits) = agent.spec.limits.as_ref().filter(|limits| limits.tokens_per_session.is_none())
        else {
            continue;
        };
        let steps = limits.steps.as_ref().map(|steps| steps.span);
        let Some(span) = steps.or(limits.wall_clock.as_ref().map(|time| time.span)) else { continue };
        if budgeted.contains(&id) {
            continue;
        }
        let message = format!("a session of agent `{}` may use any number of tokens", agent.name());
        let found = RULE.at(span, message, "this stops it, whatever it has cost by then");
        let found = found.help("add `tokensPerSession`, or a budget of the agent");
        out.report(&graph.places_of_agent(&agent.spec), found);
    }
}
