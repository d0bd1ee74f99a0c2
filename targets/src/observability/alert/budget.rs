//! Budgets that are spent too fast, over several windows: a short one that sees the fire, a long one that knows smoke
//! from fire, as in the workbook on site reliability engineering, chapter 5.

use aipolicy_compiler::model::Resource;
use aipolicy_compiler::model::budget::{BudgetPeriod, BudgetScope, BudgetSpec};
use aipolicy_compiler::model::value::BudgetLimit;

use super::spent::{Over, Spent};
use super::{Alert, Proof, Urgency, number};
use crate::observability::metric::{self, Recorded};
use crate::observability::promql::{Expression, Series};
use crate::origin::Origin;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
/// For how long a budget must be spent too fast before that is told.
const HOLD: u64 = 2 * MINUTE;

/// A share of a budget that is gone within a window.
struct Burn {
    name: &'static str,
    urgency: Urgency,
    /// Percent of the budget.
    percent: u64,
    /// Seconds in which it goes.
    long: u64,
    /// Seconds in which it still goes.
    short: u64,
}

const fn fast(percent: u64, long: u64, short: u64) -> Burn {
    Burn { name: "BudgetBurnFast", urgency: Urgency::Page, percent, long, short }
}

const fn slow(percent: u64, long: u64, short: u64) -> Burn {
    Burn { name: "BudgetBurnSlow", urgency: Urgency::Page, percent, long, short }
}

const fn steady(percent: u64, long: u64, short: u64) -> Burn {
    Burn { name: "BudgetBurnSteady", urgency: Urgency::Ticket, percent, long, short }
}

/// The length of a period in seconds, and what is watched in it.
fn burns(period: BudgetPeriod) -> (u64, [Burn; 3]) {
    match period {
        BudgetPeriod::Day => {
            (DAY, [fast(5, 15 * MINUTE, 5 * MINUTE), slow(10, HOUR, 15 * MINUTE), steady(25, 6 * HOUR, HOUR)])
        }
        BudgetPeriod::Week => {
            (7 * DAY, [fast(5, HOUR, 5 * MINUTE), slow(10, 6 * HOUR, 30 * MINUTE), steady(15, DAY, 2 * HOUR)])
        }
        BudgetPeriod::Month => (
            30 * DAY,
            [fast(2, HOUR, 5 * MINUTE), slow(5, 6 * HOUR, 30 * MINUTE), steady(10, 3 * DAY, 6 * HOUR)],
        ),
        BudgetPeriod::Quarter => (
            90 * DAY,
            [fast(2, 6 * HOUR, 30 * MINUTE), slow(5, DAY, 2 * HOUR), steady(10, 3 * DAY, 6 * HOUR)],
        ),
        BudgetPeriod::Year => {
            (365 * DAY, [fast(2, DAY, 2 * HOUR), slow(3, 3 * DAY, 6 * HOUR), steady(4, 7 * DAY, DAY)])
        }
    }
}

/// The alerts of a budget; nothing where the gateways' telemetry cannot tell what counts towards it.
pub(in crate::observability) fn alerts(budget: &Resource<BudgetSpec>) -> Option<Vec<Alert>> {
    let counted = counted(budget)?;
    let (period, burns) = burns(budget.spec.period.value);
    Some(burns.into_iter().map(|burn| counted.alert(period, &burn)).collect())
}

/// A budget with what telemetry counts of it.
pub(super) struct Counted<'b> {
    pub(super) budget: &'b Resource<BudgetSpec>,
    pub(super) tenant: Option<&'b str>,
    /// The limit in dollars or tokens.
    pub(super) limit: f64,
    /// What is used in the period so far.
    pub(super) to_date: fn(BudgetPeriod) -> Recorded,
    counter: &'static str,
    rate: fn(u64) -> Recorded,
}

/// A budget as telemetry counts it; nothing where it does not.
pub(super) fn counted(budget: &Resource<BudgetSpec>) -> Option<Counted<'_>> {
    let tenant = match &budget.spec.scope {
        BudgetScope::Tenant(tenant) => Some(tenant.name.value.as_str()),
        BudgetScope::Organisation | BudgetScope::Environment(_) => None,
        BudgetScope::Agent(_) => return None,
    };
    let dollars = Counted {
        budget,
        tenant,
        limit: 0.0,
        to_date: metric::spend_to_date,
        counter: metric::SPEND,
        rate: metric::spend,
    };
    match budget.spec.limit.value {
        BudgetLimit::Money(money) if money.currency == "USD" => {
            Some(Counted { limit: number(money.micros) / 1e6, ..dollars })
        }
        BudgetLimit::Money(_) => None,
        BudgetLimit::Tokens(tokens) => Some(Counted {
            limit: number(tokens.count()),
            to_date: metric::tokens_to_date,
            counter: metric::TOKENS,
            rate: metric::tokens,
            ..dollars
        }),
    }
}

impl Counted<'_> {
    fn alert(&self, period: u64, burn: &Burn) -> Alert {
        let factor = number(burn.percent * period / burn.long) / 100.0;
        let pace = || Expression::Number(self.limit).per(Expression::Number(number(period)));
        let limit = || Expression::Number(factor).times(pace());
        let (long, short) = ((self.rate)(burn.long), (self.rate)(burn.short));
        let expression = self.seen(&long).above(limit()).and(self.seen(&short).above(limit()));
        let name = self.budget.name();
        let labels = [("budget", Some(name.as_str())), ("tenant", self.tenant)];
        let labels = labels.into_iter().filter_map(|(label, value)| Some((label, value?.to_owned())));
        Alert {
            name: burn.name,
            urgency: burn.urgency,
            reads: vec![long, short],
            expression,
            hold: HOLD,
            labels: labels.collect(),
            left: self.left(),
            summary: format!(
                "budget {name} is spent {factor} times as fast as it lasts: {} % of it within {}",
                burn.percent,
                crate::observability::promql::duration(burn.long)
            ),
            origin: Origin::written(self.budget.spec.limit.span),
            proof: self.proof(
                Over::Windows { long: burn.long, short: burn.short, hold: HOLD },
                factor * self.limit / number(period),
            ),
        }
    }

    /// What counts towards the budget, of a recorded series.
    pub(super) fn seen(&self, recorded: &Recorded) -> Expression {
        match self.tenant {
            Some(tenant) => recorded.of(metric::TENANT, tenant),
            None => Expression::sum_by([], Expression::Series(Series::of(recorded.name.as_str()))),
        }
    }

    /// What counts towards the budget, of a series that is recorded seldom.
    pub(super) fn latest(&self, recorded: &Recorded, window: u64) -> Expression {
        let series = Series::of(recorded.name.as_str());
        match self.tenant {
            Some(tenant) => Expression::Last(series.with(metric::TENANT, tenant), window),
            None => Expression::sum_by([], Expression::Last(series, window)),
        }
    }

    /// Worlds in which so much of it is spent over a time.
    pub(super) fn proof(&self, over: Over, most: f64) -> Proof {
        Proof::Spent(Spent { counter: self.counter, tenant: self.tenant.map(str::to_owned), over, most })
    }

    /// The label that is left of what is seen.
    pub(super) fn left(&self) -> Option<(&'static str, String)> {
        self.tenant.map(|tenant| (metric::TENANT, tenant.to_owned()))
    }
}
