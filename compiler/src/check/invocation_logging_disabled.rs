//! Environments with rules for data, and no record of what was said to models.

use super::{Check, Findings, Look};
use crate::diagnostic::{Family, Rule, Severity};
use crate::model::environment::EnvironmentSpec;
use crate::model::tenant::TenantSpec;
use crate::model::{Id, Ref, Resource};
use crate::resolve::Graph;
use crate::source::Span;

static RULE: Rule = Rule {
    code: "AIP-DAT-009",
    name: "invocation-logging-disabled",
    severity: Severity::Advisory,
    family: Family::Verdict,
    page: include_str!("invocation_logging_disabled.md"),
};

pub(super) const CHECK: Check = Check { rule: &RULE, run: Look::Resources(run) };

fn run(graph: &Graph, out: &mut Findings<'_>) {
    for (id, environment) in graph.each::<EnvironmentSpec>() {
        let Some(span) = unrecorded(&environment.spec, environment.name_span()) else { continue };
        let Some((tenant, rule)) = regulated(graph, id) else { continue };
        let message = format!(
            "nothing records the calls of models in `{}`, and residency rules hold for tenant `{}`",
            environment.name(),
            tenant.name()
        );
        let found = RULE.at(span, message, "").label(rule, "a rule that holds for it");
        out.report(&[id], found.help("add `logging.invocations`, or `logging.audit` for who called what"));
    }
}

/// Where an environment leaves records out that somebody looks after: it has other logs, or approves changes.
fn unrecorded(environment: &EnvironmentSpec, name: Span) -> Option<Span> {
    if let Some(logging) = &environment.logging {
        let other = logging.traces.as_ref().or(logging.spans.as_ref())?;
        return (logging.invocations.is_none() && logging.audit.is_none()).then_some(other.name.span);
    }
    let looked_after = environment.approvals.is_some() || !environment.change_windows.is_empty();
    looked_after.then_some(name)
}

/// A tenant with models in an environment for whose data a residency rule holds, and where that is written.
fn regulated(graph: &Graph, place: Id<EnvironmentSpec>) -> Option<(&Resource<TenantSpec>, Span)> {
    graph.each::<TenantSpec>().find_map(|(id, tenant)| {
        let spec = &tenant.spec;
        let here = spec.environments.iter().filter_map(Ref::id).any(|environment| environment == place);
        if !here || spec.models.is_empty() {
            return None;
        }
        let mut classes = spec.clearance.iter().filter_map(Ref::id);
        let residency = classes.find_map(|class| graph.residency(class, Some(id)))?;
        let rule = graph.resource(*residency.rules.first()?)?;
        Some((tenant, rule.name_span()))
    })
}
