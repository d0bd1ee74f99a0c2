//! Triggers that lose what fails.

use super::{Check, Findings};
use crate::diagnostic::{Family, Rule, Severity};
use crate::model::agent::AgentSpec;
use crate::resolve::Graph;

static RULE: Rule = Rule {
    code: "AIP-AGT-026",
    name: "trigger-without-dead-letter",
    severity: Severity::Mandatory,
    family: Family::Verdict,
    page: include_str!("trigger_without_dead_letter.md"),
};

pub(super) const CHECK: Check = Check { rule: &RULE, run };

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
}
