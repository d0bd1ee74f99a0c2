//! Agents that strangers can talk into sending out what is sensitive.

use super::{Check, Findings, Look};
use crate::diagnostic::{Diagnostic, Family, Rule, Severity};
use crate::model::Resource;
use crate::model::agent::{AgentSpec, Egress, Gate, InputTrust, Tool};
use crate::resolve::{Graph, class_rank};

static RULE: Rule = Rule {
    code: "AIP-AGT-009",
    name: "toxic-combination",
    severity: Severity::Mandatory,
    family: Family::Verdict,
    page: include_str!("toxic_combination.md"),
};

pub(super) const CHECK: Check = Check { rule: &RULE, run: Look::Resources(run) };

fn run(graph: &Graph, out: &mut Findings<'_>) {
    let on = graph.each::<AgentSpec>().filter(|(_, agent)| agent.spec.switched_off().is_none());
    for (_, agent) in on {
        let places = graph.places_of_agent(&agent.spec);
        combined(graph, agent).into_iter().for_each(|found| out.report(&places, found));
    }
}

/// The least sensitive class that must not get out.
const SENSITIVE: &str = "confidential";

fn combined(graph: &Graph, agent: &Resource<AgentSpec>) -> Option<Diagnostic> {
    let sensitive = class_rank(graph, graph.find(SENSITIVE)?);
    let stated = || agent.spec.tools.iter().filter_map(|tool| Some((tool, tool.trust.as_ref()?)));
    let untrusted = stated()
        .find_map(|(_, trust)| trust.input.as_ref().filter(|input| input.value == InputTrust::Untrusted))?;
    let (sends, egress) = stated().find_map(|(tool, trust)| {
        let egress = trust.egress.as_ref().filter(|egress| egress.value == Egress::External)?;
        (!is_decided(tool)).then_some((tool, egress))
    })?;
    let (read, class) = agent.spec.tools.iter().find_map(|tool| {
        let class = &graph.get(&tool.connector)?.spec.data_class;
        (class_rank(graph, class.id()?) >= sensitive).then_some((tool, class))
    })?;
    let message = format!(
        "strangers can talk agent `{}` into sending {} data out with tool `{}`",
        agent.name(),
        class.name.value,
        sends.name.value
    );
    let found = RULE.at(egress.span, message, "content goes outside");
    let found = found.label(untrusted.span, "anybody may tell the agent something here");
    let found = found.label(read.connector.name.span, format!("{} data comes in here", class.name.value));
    let help = "give the tool that sends a gate (`approval` or `verify`), or make two agents of this one";
    Some(found.help(help))
}

/// Whether somebody or something else decides about each call.
fn is_decided(tool: &Tool) -> bool {
    match tool.gate.as_ref().map(|gate| &gate.value) {
        Some(Gate::Approval(_) | Gate::Verify(_)) => true,
        Some(Gate::Confirm) | None => false,
    }
}
