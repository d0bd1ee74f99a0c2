//! Routes that live on their fallbacks, and models that were left alone after failures.

use super::{Alert, Feed, Proof, Urgency};
use crate::observability::metric;
use crate::observability::promql::{Expression, Series};
use crate::observability::{Deployment, Watched};
use crate::origin::Origin;
use crate::routing::Route;

const WINDOW: u64 = 300;
/// The share of requests that may go to fallbacks. Default `alerts.fallbackShare`.
const SHARE: f64 = 0.2;

/// The alerts on a route that has fallbacks.
pub(in crate::observability) fn fallbacks(watched: &Watched<'_>, route: &Route<'_>) -> Vec<Alert> {
    if route.steps.len() < 2 {
        return Vec::new();
    }
    let origin = Origin::default(watched.input.sources, "alerts.fallbackShare");
    let requests = metric::requests(WINDOW);
    let of = |share: f64, counter: &str| {
        let route = |name: &str| Series::of(name).with(metric::ROUTE, route.name);
        vec![Feed::steady(route(metric::REQUESTS), 10.0, 30), Feed::steady(route(counter), 10.0 * share, 30)]
    };
    let alert = |(name, urgency, most): (&'static str, Urgency, f64), (recorded, counter), told: &str| {
        let recorded: metric::Recorded = recorded;
        let share = recorded.of(metric::ROUTE, route.name).per(requests.of(metric::ROUTE, route.name));
        Alert {
            name,
            urgency,
            reads: vec![recorded, requests.clone()],
            expression: share.above(Expression::Number(most)),
            hold: 300,
            labels: vec![("route", route.name.to_owned())],
            left: Some((metric::ROUTE, route.name.to_owned())),
            summary: format!("more than {} % of the requests of route {} {told}", most * 100.0, route.name),
            origin: origin.clone(),
            proof: Proof::Series { loud: of(most * 1.5, counter), quiet: of(most * 0.5, counter) },
        }
    };
    vec![
        alert(
            ("FallbackShareHigh", Urgency::Ticket, SHARE),
            (metric::fallbacks(WINDOW), metric::FALLBACKS),
            "are answered by fallbacks",
        ),
        alert(
            ("FallbacksFail", Urgency::Page, 0.05),
            (metric::failed_fallbacks(WINDOW), metric::FAILED_FALLBACKS),
            "are answered by nobody: the fallbacks fail too",
        ),
    ]
}

/// The alert on a model that a breaker leaves alone.
pub(in crate::observability) fn breaker(deployment: &Deployment<'_>) -> Option<Alert> {
    let breaker = deployment.breaker?;
    let opened = Series::of(metric::COOLED_DOWN).with(metric::DEPLOYMENT, deployment.id.as_str());
    let increase = Expression::Increase(opened.clone(), WINDOW);
    let expression = Expression::sum_by([metric::DEPLOYMENT], increase).above(Expression::Number(0.0));
    Some(Alert {
        name: "BreakerOpen",
        urgency: Urgency::Ticket,
        reads: Vec::new(),
        expression,
        hold: 0,
        labels: deployment.labels(),
        left: Some((metric::DEPLOYMENT, deployment.id.clone())),
        summary: format!(
            "model {} of route {} is left alone after failures",
            deployment.model, deployment.route
        ),
        origin: Origin::written(breaker.consecutive_failures.span),
        proof: Proof::Series {
            loud: vec![Feed::steady(opened.clone(), 1.0 / 60.0, 30)],
            quiet: vec![Feed::steady(opened, 0.0, 30)],
        },
    })
}
