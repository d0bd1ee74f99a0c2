//! Work on Lambda that does not end, or not in time.

use super::{Check, Findings, Look};
use crate::diagnostic::{Diagnostic, Family, Rule, Severity};
use crate::model::Resource;
use crate::model::agent::Access;
use crate::model::workload::{Consumes, Platform, WorkloadSpec};
use crate::resolve::Graph;

static RULE: Rule = Rule {
    code: "AIP-AGT-021",
    name: "inference-loop-in-lambda",
    severity: Severity::Advisory,
    family: Family::Verdict,
    page: include_str!("inference_loop_in_lambda.md"),
};

pub(super) const CHECK: Check = Check { rule: &RULE, run: Look::Resources(run) };

fn run(graph: &Graph, out: &mut Findings<'_>) {
    let functions = graph.each::<WorkloadSpec>();
    for (_, workload) in functions.filter(|(_, one)| one.spec.platform.value == Platform::Lambda) {
        let places = graph.places_of_workload(&workload.spec);
        let fed = feeding(graph, workload);
        fed.chain(outlasting(graph, &workload.spec)).for_each(|found| out.report(&places, found));
    }
}

/// Connectors by which a function starts itself. Agents that do so are told by `AIP-AGT-027`.
fn feeding<'g>(
    graph: &'g Graph,
    workload: &'g Resource<WorkloadSpec>,
) -> impl Iterator<Item = Diagnostic> + use<'g> {
    let taken = workload.spec.consumes.iter().map(|consumed| match consumed {
        Consumes::Sqs(name) => name,
    });
    taken.flat_map(move |taken| {
        let used = workload.spec.uses.iter().flat_map(|uses| &uses.connectors);
        let writes = used.filter(|used| used.access.value == Access::Write);
        writes.filter_map(move |used| {
            let queue = &graph.get(&used.connector)?.spec.kind.queue()?.queue;
            (queue.value == taken.value).then(|| {
                let message = format!(
                    "workload `{}` writes to queue `{}`, whose messages start it",
                    workload.name(),
                    taken.value
                );
                let found = RULE.at(used.connector.name.span, message, "each message may make the next one");
                found.label(taken.span, "taken from here").help("write to another queue")
            })
        })
    })
}

/// Routes that say how long an attempt takes and not how long everything does: all attempts on all models together have
/// to fit into the time of the function. A route with a time for everything is compared by `AIP-WRK-001`.
fn outlasting<'g>(graph: &'g Graph, spec: &'g WorkloadSpec) -> impl Iterator<Item = Diagnostic> + use<'g> {
    let own = spec.timeout.as_ref().map(|time| time.value.seconds());
    let most = own.or_else(|| graph.catalog().limit("lambda.duration")).unwrap_or(u64::MAX);
    spec.uses.iter().flat_map(|uses| &uses.routes).filter_map(move |named| {
        let (id, route) = named.id().and_then(|id| Some((id, graph.resource(id)?)))?;
        let timeout = route.spec.timeout.as_ref().filter(|timeout| timeout.total.is_none())?;
        let attempt = timeout.attempt.as_ref()?;
        let attempts = route.spec.retry.as_ref().map_or(1, |retry| u64::from(retry.attempts.value.0.max(1)));
        let models = 1 + graph.standbys(id).len() as u64;
        let all = attempt.value.seconds().saturating_mul(attempts).saturating_mul(models);
        if attempt.value.seconds() > most || all <= most {
            return None;
        }
        let message = format!(
            "{attempts} attempts on each of {models} models of route `{}` take {all} s, and the function runs for {most} s",
            named.name.value
        );
        let found = RULE.at(named.name.span, message, "the function ends first").label(attempt.span, "one attempt");
        Some(found.help("give the route a `timeout.total` that fits, or the function more time"))
    })
}
