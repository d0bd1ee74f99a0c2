//! Decisions that nobody else can make.

use std::collections::{BTreeMap, BTreeSet};

use super::{Check, Findings};
use crate::diagnostic::{Diagnostic, Family, Rule, Severity};
use crate::model::agent::{AgentSpec, ApprovalGate, Gate, Tool, VerifyGate};
use crate::model::connector::{ConnectorKind, ConnectorSpec};
use crate::model::environment::{Approvals, EnvironmentSpec};
use crate::model::group::GroupSpec;
use crate::model::{Ref, Resource};
use crate::resolve::Graph;
use crate::source::Span;

static RULE: Rule = Rule {
    code: "AIP-AGT-003",
    name: "approver-is-requester",
    severity: Severity::Mandatory,
    family: Family::Verdict,
    page: include_str!("approver_is_requester.md"),
};

pub(super) const CHECK: Check = Check { rule: &RULE, run };

fn run(graph: &Graph, out: &mut Findings<'_>) {
    let mut groups = BTreeMap::<_, Vec<_>>::new();
    for (_, agent) in graph.each::<AgentSpec>() {
        let places = graph.places_of_agent(&agent.spec);
        for tool in &agent.spec.tools {
            let Some(gate) = &tool.gate else { continue };
            match &gate.value {
                Gate::Approval(approval) => {
                    let asked = approval.from.iter().filter_map(Ref::id);
                    asked.for_each(|group| groups.entry(group).or_default().extend(&places));
                    nobody(tool, approval, gate.span)
                        .into_iter()
                        .for_each(|found| out.report(&places, found));
                }
                Gate::Verify(verify) => {
                    by_itself(graph, tool, verify).into_iter().for_each(|found| out.report(&places, found));
                }
                Gate::Confirm => {}
            }
        }
    }
    for (id, environment) in graph.each::<EnvironmentSpec>() {
        let Some(approvals) = &environment.spec.approvals else { continue };
        approvals.from.iter().filter_map(Ref::id).for_each(|group| groups.entry(group).or_default().push(id));
        too_few(graph, approvals).into_iter().for_each(|found| out.report(&[id], found));
    }
    for (group, places) in groups {
        let Some(group) = graph.resource(group) else { continue };
        cannot_decide(group).into_iter().for_each(|found| out.report(&places, found));
    }
}

fn nobody(tool: &Tool, approval: &ApprovalGate, at: Span) -> Option<Diagnostic> {
    let message = || format!("nobody may approve calls of tool `{}`", tool.name.value);
    approval.from.is_empty().then(|| RULE.at(at, message(), "").help("name a group in `from`"))
}

/// A function that decides whether it is called itself.
fn by_itself(graph: &Graph, tool: &Tool, verify: &VerifyGate) -> Option<Diagnostic> {
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

/// A group whose members cannot come to a decision, however many of them agree.
fn cannot_decide(group: &Resource<GroupSpec>) -> Option<Diagnostic> {
    let spec = &group.spec;
    let members: BTreeSet<_> = spec.members.iter().map(|member| member.value.as_str()).collect();
    let required = spec.required.as_ref().map_or(1, |required| required.value.0 as usize);
    if members.len() < required {
        let message =
            format!("group `{}` has {} members, and {required} must agree", group.name(), members.len());
        let at = spec.required.as_ref().map_or(group.name_span(), |required| required.span);
        return Some(RULE.at(at, message, "").help("add members"));
    }
    let alone = |member: &&str| !spec.not_alone.iter().any(|other| other.value.as_str() == *member);
    let first = spec.not_alone.first().filter(|_| required == 1 && !members.iter().any(|one| alone(one)))?;
    let message = format!("no member of group `{}` may decide alone, and one decides", group.name());
    let found = RULE.at(first.span, message, "");
    Some(found.help("let two decide (`required: 2`), or leave somebody out of `notAlone`"))
}
