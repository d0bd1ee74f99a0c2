//! Canaries that should be ended.

use aipolicy_compiler::model::route::CanaryAbort;

use super::{Alert, Feed, Proof, Urgency, latency, number};
use crate::observability::Deployment;
use crate::observability::metric::{self, Percentile, Recorded};
use crate::observability::promql::{Expression, Series};
use crate::origin::Origin;

const WINDOW: u64 = 600;

/// The alerts that end a canary.
pub(in crate::observability) fn alerts(deployment: &Deployment<'_>) -> Vec<Alert> {
    let Some(abort) = deployment.canary else { return Vec::new() };
    let slow = abort.p99.as_ref().and_then(|most| {
        let seconds = number(most.value.milliseconds()) / 1000.0;
        latency::alert(deployment, ("CanaryLatencyHigh", Percentile::P99), (seconds, most))
    });
    let paged = |alert: Alert| Alert { urgency: Urgency::Page, ..alert };
    [errors(deployment, abort), slow.map(paged), cost(deployment, abort)].into_iter().flatten().collect()
}

fn errors(deployment: &Deployment<'_>, abort: &CanaryAbort) -> Option<Alert> {
    let most = abort.error_rate.as_ref()?;
    let share = f64::from(most.value.basis_points()) / 10_000.0;
    let told = format!("fails more than {} % of its requests", share * 100.0);
    let counted = (metric::failures(WINDOW), metric::FAILURES);
    Some(ratio(deployment, ("CanaryErrorsHigh", told), (counted, share), Origin::written(most.span)))
}

fn cost(deployment: &Deployment<'_>, abort: &CanaryAbort) -> Option<Alert> {
    let most = abort.cost_per_request.as_ref().filter(|most| most.value.currency == "USD")?;
    let dollars = number(most.value.micros) / 1e6;
    let told = format!("costs more than {} a request", most.value);
    let counted = (metric::deployment_spend(WINDOW), metric::SPEND);
    Some(ratio(deployment, ("CanaryCostHigh", told), (counted, dollars), Origin::written(most.span)))
}

/// An alert on what there is of something for each attempt.
fn ratio(
    deployment: &Deployment<'_>,
    (name, told): (&'static str, String),
    ((recorded, counter), most): ((Recorded, &str), f64),
    origin: Origin,
) -> Alert {
    let attempts = metric::attempts(WINDOW);
    let id = deployment.id.as_str();
    let each = recorded.of(metric::DEPLOYMENT, id).per(attempts.of(metric::DEPLOYMENT, id));
    let with = |times: f64| {
        let of = |metric: &str| Series::of(metric).with(metric::DEPLOYMENT, id);
        let tried = Feed::steady(of(metric::ATTEMPTS), 10.0, 30);
        vec![tried, Feed::steady(of(counter), 10.0 * most * times, 30)]
    };
    Alert {
        name,
        urgency: Urgency::Page,
        reads: vec![recorded, attempts],
        expression: each.above(Expression::Number(most)),
        hold: 300,
        labels: deployment.labels(),
        left: Some((metric::DEPLOYMENT, deployment.id.clone())),
        summary: format!("the canary {} of route {} {told}", deployment.model, deployment.route),
        origin,
        proof: Proof::Series { loud: with(1.5), quiet: with(0.5) },
    }
}
