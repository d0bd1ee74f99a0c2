//! Workloads on Lambda that ask for what Lambda does not have.

use super::{Check, Findings, Look};
use crate::catalog::Catalog;
use crate::diagnostic::{Diagnostic, Family, Rule, Severity};
use crate::model::reference::Ref;
use crate::model::route::RouteSpec;
use crate::model::value::Duration;
use crate::model::workload::{Platform, Resources, Scale, ScaleMetric, WorkloadSpec};
use crate::resolve::Graph;
use crate::source::{Span, Spanned};

static RULE: Rule = Rule {
    code: "AIP-WRK-001",
    name: "lambda-limit-exceeded",
    severity: Severity::Mandatory,
    family: Family::Verdict,
    page: include_str!("lambda_limit_exceeded.md"),
};

pub(super) const CHECK: Check = Check { rule: &RULE, run: Look::Resources(run) };

fn run(graph: &Graph, out: &mut Findings<'_>) {
    let (on_lambda, others): (Vec<_>, Vec<_>) =
        graph.each::<WorkloadSpec>().partition(|(_, found)| found.spec.platform.value == Platform::Lambda);
    for (_, workload) in others {
        let places = graph.places_of_workload(&workload.spec);
        of_functions(&workload.spec).into_iter().for_each(|found| out.report(&places, found));
    }
    for (_, workload) in on_lambda {
        let spec = &workload.spec;
        let mut found = unknown(spec);
        found.extend(spec.scale.iter().flat_map(scaled));
        found.extend(spec.timeout.iter().filter_map(|time| too_long(time, graph.catalog())));
        found.extend(spec.resources.iter().flat_map(|resources| sizes(resources, graph.catalog())));
        let routes = spec.uses.iter().flat_map(|uses| &uses.routes);
        let most = spec.timeout.as_ref().map(|time| time.value.seconds());
        found.extend(routes.filter_map(|route| outlasting(graph, route, most)));
        let places = graph.places_of_workload(spec);
        found.into_iter().for_each(|found| out.report(&places, found));
    }
}

fn at(span: Span, message: impl Into<String>, help: &str) -> Diagnostic {
    RULE.at(span, message, "").help(help)
}

/// What a function has, and a workload on a cluster has not.
fn of_functions(spec: &WorkloadSpec) -> Vec<Diagnostic> {
    let fields = [
        (spec.environments.first().map(|first| first.name.span), "the cluster says where a workload runs"),
        (spec.timeout.as_ref().map(|time| time.span), "work on a cluster ends when its program ends it"),
        (
            spec.dead_letter.as_ref().map(|queue| queue.name.span),
            "a workload on a cluster takes its messages itself, and its queue says what fails",
        ),
    ];
    let told = fields.into_iter().filter_map(|(span, message)| Some((span?, message)));
    told.map(|(span, message)| at(span, message, "leave it out, or use `platform: lambda`")).collect()
}

/// A time that no function has.
fn too_long(time: &Spanned<Duration>, catalog: &Catalog) -> Option<Diagnostic> {
    let most = catalog.limit("lambda.duration")?;
    let fits = time.value.seconds() <= most && time.value.milliseconds().is_multiple_of(1000);
    let message = format!("a function runs for whole seconds, at most {most}");
    (!fits).then(|| at(time.span, message, "choose another `timeout`, or use `platform: eks`"))
}

/// What a function has not got at all.
fn unknown(spec: &WorkloadSpec) -> Vec<Diagnostic> {
    let fields = [
        (spec.cluster.as_ref().map(|cluster| cluster.name.span), "a function runs on no cluster"),
        (spec.namespace.as_ref().map(|namespace| namespace.span), "a function has no namespace"),
        (spec.serves.as_ref().map(|serves| serves.model.name.span), "a function does not serve a model"),
    ];
    let told = fields.into_iter().filter_map(|(span, message)| Some((span?, message)));
    told.map(|(span, message)| at(span, message, "leave it out, or use `platform: eks`")).collect()
}

/// Functions start when there is work. How much one does in a second bounds how many there are; nothing else is followed.
fn scaled(scale: &Scale) -> Vec<Diagnostic> {
    let help = "use `scale: { min: 0, metrics: [{ tokensPerSecond: … }] }`, or `platform: eks`";
    let mut found = Vec::new();
    if scale.min.value.0 > 0 {
        found.push(at(scale.min.span, "Lambda decides how many instances there are", help));
    }
    if let Some(replicas) = &scale.fallback_replicas {
        found.push(at(replicas.span, "functions follow no metric that could be missing", help));
    }
    found.extend(scale.metrics.iter().filter_map(|metric| {
        let followed = match metric {
            ScaleMetric::TokensPerSecond(_) => return None,
            ScaleMetric::P95(time) => time.span,
            ScaleMetric::QueueDepth(depth) => depth.span,
        };
        Some(at(followed, "the number of functions follows the work that there is", help))
    }));
    found
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
fn outlasting(graph: &Graph, route: &Ref<RouteSpec>, own: Option<u64>) -> Option<Diagnostic> {
    let timeout = graph.get(route)?.spec.timeout.as_ref()?;
    let longest = timeout.total.as_ref().or(timeout.attempt.as_ref())?;
    let most = graph.catalog().limit("lambda.duration")?;
    let most = own.map_or(most, |own| own.min(most));
    let message =
        format!("a request of route `{}` may take longer than a function runs, {most} s", route.name.value);
    let found = at(route.name.span, message, "use another route or `platform: eks`");
    (longest.value.seconds() > most).then(|| found.label(longest.span, "it may take this long"))
}
