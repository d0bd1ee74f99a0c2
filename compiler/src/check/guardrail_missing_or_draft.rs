//! Agents that read what strangers write, and no guardrail in between.

use super::{Check, Findings, Look};
use crate::diagnostic::{Family, Rule, Severity};
use crate::model::Id;
use crate::model::agent::{AgentRuntime, AgentSpec, InputTrust};
use crate::model::environment::EnvironmentSpec;
use crate::resolve::Graph;

static RULE: Rule = Rule {
    code: "AIP-AGT-012",
    name: "guardrail-missing-or-draft",
    severity: Severity::Mandatory,
    family: Family::Verdict,
    page: include_str!("guardrail_missing_or_draft.md"),
};

pub(super) const CHECK: Check = Check { rule: &RULE, run: Look::Resources(run) };

fn run(graph: &Graph, out: &mut Findings<'_>) {
    let classic = graph.each::<AgentSpec>().filter(|(_, agent)| {
        let runtime = agent.spec.runtime.as_ref().map(|runtime| runtime.value);
        runtime == Some(AgentRuntime::BedrockAgents) && agent.spec.switched_off().is_none()
    });
    for (_, agent) in classic.filter(|(_, agent)| agent.spec.guardrail.is_none()) {
        let untrusted = agent.spec.tools.iter().find_map(|tool| {
            let input = tool.trust.as_ref()?.input.as_ref()?;
            (input.value == InputTrust::Untrusted).then_some(input.span)
        });
        let Some(untrusted) = untrusted else { continue };
        let enforced = |place: &Id<EnvironmentSpec>| {
            graph.resource(*place).is_some_and(|place| place.spec.enforced_guardrail.is_some())
        };
        let mut open = graph.places_of_agent(&agent.spec);
        open.retain(|place| !enforced(place));
        if !open.is_empty() {
            let message =
                format!("agent `{}` reads what strangers write, and no guardrail looks at it", agent.name());
            let found = RULE.at(agent.name_span(), message, "").label(untrusted, "anybody may write this");
            let help = "add `guardrail` to the agent, or `enforcedGuardrail` to its environment";
            out.report(&open, found.help(help));
        }
    }
}
