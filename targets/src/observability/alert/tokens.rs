//! Tenants that suddenly use many more tokens than they did, or nearly all that they may.

use aipolicy_compiler::model::value::Rate;
use aipolicy_compiler::source::Spanned;

use super::{Alert, Feed, Proof, Urgency, number};
use crate::observability::Watched;
use crate::observability::metric;
use crate::observability::promql::{Expression, Series};
use crate::origin::Origin;
use crate::routing::Tenant;

const NOW: u64 = 300;
const BEFORE: u64 = 86_400;
/// How many times the usual is a spike. Default `alerts.tokenSpike`.
const TIMES: f64 = 4.0;
/// Tokens a second below which nothing is a spike, for a tenant without a quota. Default `alerts.tokenSpike`.
const FLOOR: f64 = 100.0;
/// The share of a quota below which nothing is a spike. Default `alerts.tokenSpike`.
const FLOOR_SHARE: f64 = 0.25;
/// The percentage of a quota that is nearly all of it. Default `alerts.tokenQuota`.
const NEAR: f64 = 90.0;

/// The alerts on the tokens of a tenant.
pub(in crate::observability) fn alerts(watched: &Watched<'_>, tenant: &Tenant<'_>) -> Vec<Alert> {
    let name = tenant.resource.name().as_str();
    let quota = tenant.resource.spec.quota.as_ref().and_then(|quota| quota.tokens.as_ref());
    let each_second = quota.map(|quota| number(quota.value.amount) / number(quota.value.period.seconds()));
    let spike = Origin::default(watched.input.sources, "alerts.tokenSpike");
    let floor = each_second.map_or(FLOOR, |most| most * FLOOR_SHARE);
    let near = quota.map(|quota| near(name, quota));
    std::iter::once(self::spike(name, floor, spike)).chain(near).collect()
}

fn spike(tenant: &str, floor: f64, origin: Origin) -> Alert {
    let (now, before) = (metric::tokens(NOW), metric::tokens(BEFORE));
    let of = |recorded: &metric::Recorded| recorded.of(metric::TENANT, tenant);
    let usual = Expression::Number(TIMES).times(of(&before));
    let expression = of(&now).above(usual).and(of(&now).above(Expression::Number(floor)));
    let series = || Series::of(metric::TOKENS).with(metric::TENANT, tenant);
    Alert {
        name: "TokenSpike",
        urgency: Urgency::Ticket,
        reads: vec![now, before],
        expression,
        hold: 300,
        labels: vec![("tenant", tenant.to_owned())],
        left: Some((metric::TENANT, tenant.to_owned())),
        summary: format!("tenant {tenant} uses more than {TIMES} times the tokens of the last day"),
        origin,
        proof: Proof::Series {
            // For an hour out of a day that is 24 times the usual, and for seven hours not quite four times.
            loud: vec![Feed::steady(series(), floor * 2.0, 60)],
            quiet: vec![Feed::steady(series(), floor * 2.0, 420)],
        },
    }
}

fn near(tenant: &str, quota: &Spanned<Rate>) -> Alert {
    let now = metric::tokens(NOW);
    let (amount, seconds) = (number(quota.value.amount), number(quota.value.period.seconds()));
    let most = amount / seconds;
    let series = || Series::of(metric::TOKENS).with(metric::TENANT, tenant);
    Alert {
        name: "TokenQuotaNear",
        urgency: Urgency::Ticket,
        expression: now
            .of(metric::TENANT, tenant)
            .above(Expression::Number(amount * NEAR / (seconds * 100.0))),
        reads: vec![now],
        hold: 300,
        labels: vec![("tenant", tenant.to_owned())],
        left: Some((metric::TENANT, tenant.to_owned())),
        summary: format!("tenant {tenant} uses more than {NEAR} % of its tokens"),
        origin: Origin::written(quota.span),
        proof: Proof::Series {
            loud: vec![Feed::steady(series(), most * 0.95, 30)],
            quiet: vec![Feed::steady(series(), most * 0.5, 30)],
        },
    }
}
