//! New versions of agents that nothing takes back.

use super::{Check, Findings, Look};
use crate::diagnostic::{Family, Rule, Severity};
use crate::model::agent::AgentSpec;
use crate::resolve::Graph;

static RULE: Rule = Rule {
    code: "AIP-LIF-008",
    name: "rollout-without-rollback",
    severity: Severity::Mandatory,
    family: Family::Verdict,
    page: include_str!("rollout_without_rollback.md"),
};

pub(super) const CHECK: Check = Check { rule: &RULE, run: Look::Resources(run) };

fn run(graph: &Graph, out: &mut Findings<'_>) {
    for (_, agent) in graph.each::<AgentSpec>() {
        let canary = agent.spec.release.as_ref().and_then(|release| release.canary.as_ref());
        let Some(canary) = canary else { continue };
        let abort = &canary.abort;
        if abort.error_rate.is_none() && abort.p99.is_none() && abort.cost_per_request.is_none() {
            let message = format!("nothing takes a bad version of agent `{}` back", agent.name());
            let found = RULE.at(canary.weight.span, message, "sessions go to it, whatever it does");
            let found = found.label(canary.bake.span, "after this it is the version of everybody");
            let found = found.help("add `errorRate`, `p99` or `costPerRequest` to `abort`");
            out.report(&graph.places_of_agent(&agent.spec), found);
        }
    }
}
