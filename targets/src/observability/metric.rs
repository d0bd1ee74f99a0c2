//! Metrics that gateways serve, and the series that are recorded from them.
//!
//! Source: `litellm/types/integrations/prometheus.py` of LiteLLM 1.108.7, callback `prometheus`. Counters get the
//! suffix `_total` from the client library.

use aipolicy_compiler::model::budget::BudgetPeriod;

use super::promql::{Expression, Series, window};

/// The label with the tenant, as the hook of the gateway sets it.
pub(super) const TENANT: &str = "team";
/// The label with the route that was asked for.
pub(super) const ROUTE: &str = "requested_model";
/// The label with the model in a step of a route.
pub(super) const DEPLOYMENT: &str = "model_id";

/// Money spent, in US dollars.
pub(super) const SPEND: &str = "litellm_spend_metric_total";
/// Tokens in and out.
pub(super) const TOKENS: &str = "litellm_total_tokens_metric_total";
/// Requests that reached the proxy.
pub(super) const REQUESTS: &str = "litellm_proxy_total_requests_metric_total";
/// Requests that a fallback answered.
pub(super) const FALLBACKS: &str = "litellm_deployment_successful_fallbacks_total";
/// Requests that no fallback could answer.
pub(super) const FAILED_FALLBACKS: &str = "litellm_deployment_failed_fallbacks_total";
/// Attempts at a model.
pub(super) const ATTEMPTS: &str = "litellm_deployment_total_requests_total";
/// Attempts that failed.
pub(super) const FAILURES: &str = "litellm_deployment_failure_responses_total";
/// How often a model was left alone after failures.
pub(super) const COOLED_DOWN: &str = "litellm_deployment_cooled_down_total";
/// Buckets of the time that models take, in seconds.
pub(super) const LATENCY: &str = "litellm_llm_api_latency_metric_bucket";

/// Upper bounds of the buckets of [`LATENCY`] in seconds, without the last, which is endless.
pub(super) const BUCKETS: [f64; 17] =
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 420.0, 600.0];

/// A series that is recorded from others, so that alerts and dashboards read the same numbers.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Recorded {
    /// Its name, `aipolicy:WHAT:HOW`.
    pub(super) name: String,
    pub(super) expression: Expression,
    /// Seconds that it counts at a time, which is how late it may be; nothing where that is one evaluation.
    pub(super) step: u64,
}

/// What each tenant spends, in US dollars a second.
pub(super) fn spend(window: u64) -> Recorded {
    rate(("tenant_spend_usd", TENANT), SPEND, window)
}

/// Tokens of each tenant a second.
pub(super) fn tokens(window: u64) -> Recorded {
    rate(("tenant_tokens", TENANT), TOKENS, window)
}

/// What each tenant spent in a period so far, in US dollars.
pub(super) fn spend_to_date(period: BudgetPeriod) -> Recorded {
    to_date(("tenant_spend_usd", SPEND), period)
}

/// Tokens of each tenant in a period so far.
pub(super) fn tokens_to_date(period: BudgetPeriod) -> Recorded {
    to_date(("tenant_tokens", TOKENS), period)
}

/// Requests to each route a second.
pub(super) fn requests(window: u64) -> Recorded {
    rate(("route_requests", ROUTE), REQUESTS, window)
}

/// Requests of each route a second that went to a fallback.
pub(super) fn fallbacks(window: u64) -> Recorded {
    rate(("route_fallbacks", ROUTE), FALLBACKS, window)
}

/// Requests of each route a second that no fallback answered.
pub(super) fn failed_fallbacks(window: u64) -> Recorded {
    rate(("route_failed_fallbacks", ROUTE), FAILED_FALLBACKS, window)
}

/// Attempts at each model in a step of a route, a second.
pub(super) fn attempts(window: u64) -> Recorded {
    rate(("deployment_attempts", DEPLOYMENT), ATTEMPTS, window)
}

/// Failed attempts at each model in a step of a route, a second.
pub(super) fn failures(window: u64) -> Recorded {
    rate(("deployment_failures", DEPLOYMENT), FAILURES, window)
}

/// Money spent on each model in a step of a route, in US dollars a second.
pub(super) fn deployment_spend(window: u64) -> Recorded {
    rate(("deployment_spend_usd", DEPLOYMENT), SPEND, window)
}

/// A percentile of the time that each model in a step of a route takes, in seconds.
pub(super) fn latency(percentile: Percentile, window: u64) -> Recorded {
    let buckets = Expression::Rate(Series::of(LATENCY), window);
    let buckets = Expression::sum_by([DEPLOYMENT, "le"], buckets);
    Recorded {
        name: named("deployment_latency_seconds", &format!("{}_", percentile.word()), window),
        expression: Expression::Quantile(percentile.share(), Box::new(buckets)),
        step: 0,
    }
}

/// A percentile of latency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Percentile {
    P95,
    P99,
}

impl Percentile {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::P95 => "p95",
            Self::P99 => "p99",
        }
    }

    fn share(self) -> f64 {
        match self {
            Self::P95 => 0.95,
            Self::P99 => 0.99,
        }
    }
}

impl Recorded {
    /// The recorded series with a label.
    pub(super) fn of(&self, label: &'static str, value: &str) -> Expression {
        Expression::Series(Series::of(self.name.as_str()).with(label, value))
    }
}

fn rate((what, by): (&str, &'static str), metric: &str, window: u64) -> Recorded {
    let rate = Expression::Rate(Series::of(metric), window);
    Recorded { name: named(what, "rate", window), expression: Expression::sum_by([by], rate), step: 0 }
}

fn to_date((what, metric): (&str, &str), period: BudgetPeriod) -> Recorded {
    Recorded {
        name: format!("aipolicy:{what}:{}_to_date", period.word()),
        expression: Expression::ToDate(Series::of(metric), TENANT, period),
        step: window(period).1,
    }
}

fn named(what: &str, how: &str, window: u64) -> String {
    format!("aipolicy:{what}:{how}{}", super::promql::duration(window))
}
