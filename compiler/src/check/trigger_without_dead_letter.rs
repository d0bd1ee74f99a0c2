//! Triggers of agents, and functions that take messages, which lose what fails.

use super::{Check, Findings, Look};
use crate::diagnostic::{Family, Rule, Severity};
use crate::model::agent::AgentSpec;
use crate::model::workload::{Consumes, Platform, WorkloadSpec};
use crate::resolve::Graph;

static RULE: Rule = Rule {
    code: "AIP-AGT-026",
    name: "trigger-without-dead-letter",
    severity: Severity::Mandatory,
    family: Family::Verdict,
    page: include_str!("trigger_without_dead_letter.md"),
};

pub(super) const CHECK: Check = Check { rule: &RULE, run: Look::Resources(run) };

fn run(graph: &Graph, out: &mut Findings<'_>) {
    for (_, agent) in graph.each::<AgentSpec>() {
        let places = graph.places_of_agent(&agent.spec);
        for trigger in agent.spec.triggers.iter().filter(|trigger| trigger.dead_letter().is_none()) {
            let message = format!(
                "trigger `{}` of agent `{}` has no queue for what fails",
                trigger.name(),
                agent.name()
            );
            let found = RULE.at(trigger.span(), message, "what fails here is lost");
            out.report(&places, found.help("add `deadLetter` with a connector of the kind `sqs`"));
        }
    }
    for (_, workload) in graph.each::<WorkloadSpec>() {
        let spec = &workload.spec;
        let on_lambda = spec.platform.value == Platform::Lambda && spec.dead_letter.is_none();
        let Some(Consumes::Sqs(queue)) = spec.consumes.as_ref().filter(|_| on_lambda) else { continue };
        let message = format!("workload `{}` has no queue for work that fails", workload.name());
        let found = RULE.at(queue.span, message, "what fails here is lost");
        let found = found.help("add `deadLetter` with a connector of the kind `sqs`");
        out.report(&graph.places_of_workload(spec), found);
    }
}
