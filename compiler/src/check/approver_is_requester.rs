//! Decisions that nobody else can make.

use std::collections::BTreeSet;

use super::{Check, Findings, Look};
use crate::diagnostic::{Diagnostic, Family, Rule, Severity};
use crate::model::Ref;
use crate::model::agent::{AgentSpec, Gate, Tool};
use crate::model::connector::{ConnectorKind, ConnectorSpec};
use crate::model::environment::{Approvals, EnvironmentSpec};
use crate::resolve::Graph;

static RULE: Rule = Rule {
    code: "AIP-AGT-003",
    name: "approver-is-requester",
    severity: Severity::Mandatory,
    family: Family::Verdict,
    page: include_str!("approver_is_requester.md"),
};

pub(super) const CHECK: Check = Check { rule: &RULE, run: Look::Resources(run) };

fn run(graph: &Graph, out: &mut Findings<'_>) {
    for (_, agent) in graph.each::<AgentSpec>() {
        let places = graph.places_of_agent(&agent.spec);
        let own = agent.spec.tools.iter().filter_map(|tool| by_itself(graph, tool));
        own.for_each(|found| out.report(&places, found));
    }
    for (id, environment) in graph.each::<EnvironmentSpec>() {
        let approvals = environment.spec.approvals.as_ref();
        approvals.and_then(|approvals| too_few(graph, approvals)).into_iter().for_each(|found| {
            out.report(&[id], found);
        });
    }
}

/// A function that decides whether it is called itself.
fn by_itself(graph: &Graph, tool: &Tool) -> Option<Diagnostic> {
    let Gate::Verify(verify) = &tool.gate.as_ref()?.value else { return None };
    let function = |connector: &Ref<ConnectorSpec>| {
        let spec = &graph.get(connector)?.spec;
        let ConnectorKind::Lambda(called) = &spec.kind else { return None };
        Some((called.function.value.to_string(), spec.region.value.to_string()))
    };
    let called = function(&tool.connector)?;
    if function(&verify.with)? != called {
        return None;
    }
    let message = format!("function `{}` decides about the calls of itself", called.0);
    let found = RULE.at(verify.with.name.span, message, "it decides");
    let found = found.label(tool.connector.name.span, "and it is called");
    Some(found.help("let another function decide, or a group (`approval`)"))
}

/// More approvals than there are people who may give one.
fn too_few(graph: &Graph, approvals: &Approvals) -> Option<Diagnostic> {
    let groups = approvals.from.iter().map(|group| graph.get(group));
    // A group that is not there has been reported.
    let groups: Vec<_> = groups.collect::<Option<_>>()?;
    let people: BTreeSet<_> =
        groups.iter().flat_map(|group| &group.spec.members).map(|member| member.value.as_str()).collect();
    let (wanted, there) = (approvals.required.value.0 as usize, people.len());
    let message = || format!("{wanted} approvals are required, and {there} people may give one");
    (wanted > there).then(|| {
        let help = "lower `required`, or name more groups in `from`";
        RULE.at(approvals.required.span, message(), "").help(help)
    })
}
