//! Models that take longer than they were measured, or nearly as long as a route waits.

use aipolicy_compiler::model::value::Duration;
use aipolicy_compiler::source::Spanned;

use super::{Alert, Feed, Proof, Urgency, number};
use crate::observability::Deployment;
use crate::observability::metric::{self, BUCKETS, Percentile};
use crate::observability::promql::{Expression, Series};
use crate::origin::Origin;

/// The window of percentiles, in seconds.
pub(in crate::observability) const WINDOW: u64 = 300;
const HOLD: u64 = 600;
/// How much longer than measured is too long. Default `alerts.latency`.
const TOLERANCE: f64 = 1.5;
/// Which share of the time that a route waits is too long. Default `alerts.timeout`.
const NEAR: f64 = 0.8;

/// The alerts on one model in a step of a route.
pub(in crate::observability) fn alerts(deployment: &Deployment<'_>) -> Vec<Alert> {
    let Some(measured) = deployment.latency else {
        let near = deployment.timeout.and_then(|timeout| {
            alert(deployment, ("LatencyNearTimeout", Percentile::P99), (seconds(timeout) * NEAR, timeout))
        });
        return near.into_iter().collect();
    };
    let named = [
        ("LatencyP95High", Percentile::P95, measured.p95.as_ref()),
        ("LatencyP99High", Percentile::P99, measured.p99.as_ref()),
    ];
    let slow = |(name, percentile, most): (_, _, Option<&Spanned<Duration>>)| {
        let most = most?;
        alert(deployment, (name, percentile), (seconds(most) * TOLERANCE, most))
    };
    named.into_iter().filter_map(slow).collect()
}

fn seconds(duration: &Spanned<Duration>) -> f64 {
    number(duration.value.milliseconds()) / 1000.0
}

/// An alert on a percentile; nothing where the buckets of the metric cannot tell both sides of the limit apart.
pub(super) fn alert(
    deployment: &Deployment<'_>,
    (name, percentile): (&'static str, Percentile),
    (most, written): (f64, &Spanned<Duration>),
) -> Option<Alert> {
    let recorded = metric::latency(percentile, WINDOW);
    let expression = recorded.of(metric::DEPLOYMENT, &deployment.id).above(Expression::Number(most));
    let above = BUCKETS.windows(2).find_map(|pair| match pair {
        [lower, upper] if *lower >= most => Some(*upper),
        _ => None,
    })?;
    let below = BUCKETS.into_iter().rfind(|bound| *bound <= most)?;
    Some(Alert {
        name,
        urgency: Urgency::Ticket,
        reads: vec![recorded],
        expression,
        hold: HOLD,
        labels: deployment.labels(),
        left: Some((metric::DEPLOYMENT, deployment.id.clone())),
        summary: format!(
            "{} of model {} for route {} is above {most} s",
            percentile.word(),
            deployment.model,
            deployment.route
        ),
        origin: Origin::written(written.span),
        proof: Proof::Series { loud: answered_in(deployment, above), quiet: answered_in(deployment, below) },
    })
}

/// Buckets of requests that all take as long as one bound.
fn answered_in(deployment: &Deployment<'_>, bound: f64) -> Vec<Feed> {
    let series = |bound: String| {
        Series::of(metric::LATENCY).with(metric::DEPLOYMENT, deployment.id.as_str()).with("le", bound)
    };
    let finite = BUCKETS.into_iter().map(|upper| {
        let each_second = if upper >= bound { 1.0 } else { 0.0 };
        Feed::steady(series(bound_text(upper)), each_second, 30)
    });
    finite.chain([Feed::steady(series("+Inf".into()), 1.0, 30)]).collect()
}

/// A bound as the client library writes it: always with a decimal.
fn bound_text(bound: f64) -> String {
    format!("{bound:?}")
}
