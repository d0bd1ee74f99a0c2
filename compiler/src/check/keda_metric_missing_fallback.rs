//! Autoscaling that nobody steers while metrics are missing.

use super::{Check, Findings, Look};
use crate::diagnostic::{Family, Rule, Severity};
use crate::model::workload::{Platform, ScaleMetric, WorkloadSpec};
use crate::resolve::Graph;

static RULE: Rule = Rule {
    code: "AIP-K8S-006",
    name: "keda-metric-missing-fallback",
    severity: Severity::Advisory,
    family: Family::Verdict,
    page: include_str!("keda_metric_missing_fallback.md"),
};

pub(super) const CHECK: Check = Check { rule: &RULE, run: Look::Resources(run) };

fn run(graph: &Graph, out: &mut Findings<'_>) {
    let on_clusters = graph.each::<WorkloadSpec>();
    for (_, workload) in on_clusters.filter(|(_, one)| one.spec.platform.value == Platform::Eks) {
        let Some(scale) = workload.spec.scale.as_ref().filter(|scale| scale.fallback_replicas.is_none())
        else {
            continue;
        };
        let Some(metric) = scale.metrics.first() else { continue };
        let span = match metric {
            ScaleMetric::TokensPerSecond(count) | ScaleMetric::QueueDepth(count) => count.span,
            ScaleMetric::P95(time) => time.span,
        };
        let message =
            format!("nothing says how many instances of `{}` there are without metrics", workload.name());
        let found = RULE.at(span, message, "when this is not told, the number stays what it is");
        let found = found.help("add `fallbackReplicas` with what carries a usual day");
        out.report(&graph.places_of_workload(&workload.spec), found);
    }
}
