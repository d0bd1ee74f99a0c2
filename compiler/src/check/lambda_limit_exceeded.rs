//! Workloads on Lambda that ask for what Lambda does not have.

use super::{Check, Findings};
use crate::catalog::Catalog;
use crate::diagnostic::{Diagnostic, Family, Rule, Severity};
use crate::model::reference::Ref;
use crate::model::route::RouteSpec;
use crate::model::workload::{Platform, Resources, WorkloadSpec};
use crate::resolve::Graph;
use crate::source::Span;

static RULE: Rule = Rule {
    code: "AIP-WRK-001",
    name: "lambda-limit-exceeded",
    severity: Severity::Mandatory,
    family: Family::Verdict,
    page: include_str!("lambda_limit_exceeded.md"),
};

pub(super) const CHECK: Check = Check { rule: &RULE, run };

fn run(graph: &Graph, out: &mut Findings<'_>) {
    let on_lambda =
        graph.each::<WorkloadSpec>().filter(|(_, found)| found.spec.platform.value == Platform::Lambda);
    for (_, workload) in on_lambda {
        let spec = &workload.spec;
        let mut found = unknown(spec);
        found.extend(spec.resources.iter().flat_map(|resources| sizes(resources, graph.catalog())));
        let routes = spec.uses.iter().flat_map(|uses| &uses.routes);
        found.extend(routes.filter_map(|route| outlasting(graph, route)));
        let places = graph.places_of_workload(spec);
        found.into_iter().for_each(|found| out.report(&places, found));
    }
}

fn at(span: Span, message: impl Into<String>, help: &str) -> Diagnostic {
    RULE.at(span, message, "").help(help)
}

/// What a function has not got at all.
fn unknown(spec: &WorkloadSpec) -> Vec<Diagnostic> {
    let fields = [
        (spec.cluster.as_ref().map(|cluster| cluster.name.span), "a function runs on no cluster"),
        (spec.namespace.as_ref().map(|namespace| namespace.span), "a function has no namespace"),
        (spec.serves.as_ref().map(|serves| serves.model.name.span), "a function does not serve a model"),
        (spec.scale.as_ref().map(|scale| scale.min.span), "Lambda decides how many instances there are"),
    ];
    let told = fields.into_iter().filter_map(|(span, message)| Some((span?, message)));
    told.map(|(span, message)| at(span, message, "leave it out, or use `platform: eks`")).collect()
}

fn sizes(resources: &Resources, catalog: &Catalog) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    if let Some(gpu) = resources.gpu.as_ref().filter(|gpu| gpu.value.0 > 0) {
        let message = "Lambda has no graphics processors";
        found.push(at(gpu.span, message, "use `platform: eks`"));
    }
    if let Some(cpu) = &resources.cpu {
        let message = "Lambda gives processor time in proportion to memory";
        found.push(at(cpu.span, message, "leave it out, and ask for more memory"));
    }
    let limits = catalog.limit("lambda.leastMemory").zip(catalog.limit("lambda.memory"));
    if let Some((memory, (least, most))) = resources.memory.as_ref().zip(limits)
        && !(least..=most).contains(&memory.value.mebibytes)
    {
        let message = format!("a function has between {least}Mi and {most}Mi of memory");
        found.push(at(memory.span, message, "choose an amount between, or use `platform: eks`"));
    }
    found
}

/// A function cannot wait for an answer for longer than it runs.
fn outlasting(graph: &Graph, route: &Ref<RouteSpec>) -> Option<Diagnostic> {
    let timeout = graph.get(route)?.spec.timeout.as_ref()?;
    let longest = timeout.total.as_ref().or(timeout.attempt.as_ref())?;
    let most = graph.catalog().limit("lambda.duration")?;
    let message =
        format!("a request of route `{}` may take longer than a function runs, {most} s", route.name.value);
    let found = at(route.name.span, message, "use another route or `platform: eks`");
    (longest.value.seconds() > most).then(|| found.label(longest.span, "it may take this long"))
}
