//! What makes alerts on budgets fire, and worlds in which that happens. Several budgets may count what one tenant spends,
//! so every alert is asked about every world.

use std::collections::BTreeMap;

use aipolicy_compiler::model::budget::BudgetPeriod;

use super::{Alert, Feed, Proof, number};
use crate::observability::metric;
use crate::observability::promql::{Series, window};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// Whoever spends a budget that is nobody's own.
const SOMEBODY: &str = "somebody";
/// How close to its limit an alert may be in the world of another.
const NEAR: f64 = 0.01;

/// What makes an alert on a budget fire.
pub(in crate::observability) struct Spent {
    /// The counter of what is spent.
    pub(super) counter: &'static str,
    /// Whose spending counts; nothing where everybody's does.
    pub(super) tenant: Option<String>,
    pub(super) over: Over,
    /// What is too much: of growth a second over windows, or of growth in a period.
    pub(super) most: f64,
}

/// The time over which spending is counted.
pub(super) enum Over {
    /// Two windows, for as long as the alert holds, all in seconds.
    Windows { long: u64, short: u64, hold: u64 },
    /// A period of the calendar so far.
    Period(BudgetPeriod),
}

/// Somebody who spends evenly from the epoch on.
struct World<'a> {
    counter: &'static str,
    tenant: &'a str,
    each_second: f64,
    minutes: u64,
}

impl Spent {
    fn spender(&self) -> &str {
        self.tenant.as_deref().unwrap_or(SOMEBODY)
    }

    /// The minutes of a world of its own.
    fn minutes(&self) -> u64 {
        match &self.over {
            // An hour is enough, in which as much is spent as in the whole window.
            Over::Windows { hold, .. } => (HOUR + hold) / MINUTE,
            // As long as one step of the window, so that it is complete, and no shorter than the pause between evaluations.
            Over::Period(period) => window(*period).1.max(HOUR) / MINUTE + 10,
        }
    }

    /// What it counts after so many minutes, for each unit that is spent a second.
    fn counted(&self, minutes: u64) -> f64 {
        match &self.over {
            Over::Windows { long, short, hold } => {
                let seen = (minutes * MINUTE).saturating_sub(*hold);
                let share = |window: u64| number(window.min(seen)) / number(window);
                share(*long).min(share(*short))
            }
            Over::Period(period) => {
                let (now, step) = (minutes * MINUTE / HOUR * HOUR, window(*period).1);
                let steps = (1..=now / step).map(|count| count * step);
                let same = steps.filter(|then| periods(*period, *then) == periods(*period, now));
                number(u64::try_from(same.count()).unwrap_or(0) * step)
            }
        }
    }

    /// A world with so many times what it takes.
    fn world(&self, times: f64) -> World<'_> {
        let minutes = self.minutes();
        let each_second = self.most * times / self.counted(minutes);
        World { counter: self.counter, tenant: self.spender(), each_second, minutes }
    }

    /// How much there is in a world of what it takes.
    fn share(&self, world: &World<'_>) -> f64 {
        let seen = self.tenant.as_deref().is_none_or(|tenant| tenant == world.tenant);
        if !seen || self.counter != world.counter {
            return 0.0;
        }
        world.each_second * self.counted(world.minutes) / self.most
    }
}

/// How many periods are over. No world is much longer than a day, and the epoch is a Thursday in January.
fn periods(period: BudgetPeriod, seconds: u64) -> u64 {
    match period {
        BudgetPeriod::Day => seconds / DAY,
        BudgetPeriod::Week | BudgetPeriod::Month | BudgetPeriod::Quarter | BudgetPeriod::Year => 0,
    }
}

/// Alerts on budgets by their name and by whose spending they count.
pub(in crate::observability) struct Rivals<'a>(BTreeMap<(&'static str, Option<&'a str>), Vec<Rival<'a>>>);

type Rival<'a> = (&'a Alert, &'a Spent);

impl<'a> Rivals<'a> {
    pub(in crate::observability) fn of(alerts: &'a [Alert]) -> Self {
        let mut all: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for alert in alerts {
            if let Proof::Spent(spent) = &alert.proof {
                all.entry((alert.name, spent.tenant.as_deref())).or_default().push((alert, spent));
            }
        }
        Self(all)
    }

    /// A world in which an alert fires, or one in which it does not, with every alert of its name that fires there.
    pub(in crate::observability) fn world(
        &self,
        alert: &'a Alert,
        fires: bool,
    ) -> (Vec<Feed>, Vec<&'a Alert>) {
        let spent = match &alert.proof {
            Proof::Spent(spent) => spent,
            Proof::Series { loud, .. } if fires => return (loud.clone(), vec![alert]),
            Proof::Series { quiet, .. } => return (quiet.clone(), Vec::new()),
        };
        let groups = [Some(spent.spender()), None].map(|tenant| self.0.get(&(alert.name, tenant)));
        let rivals: Vec<&Rival<'a>> = groups.into_iter().flatten().flatten().collect();
        let twentieths: Vec<u64> = if fires { (30..=80).collect() } else { (1..=18).rev().collect() };
        let times: Vec<f64> = twentieths.into_iter().map(|count| number(count) / 20.0).collect();
        let is_clear = |times: &&f64| {
            let world = spent.world(**times);
            rivals.iter().all(|(_, other)| (other.share(&world) - 1.0).abs() > NEAR)
        };
        let times = times.iter().find(is_clear).or(times.first()).copied().unwrap_or(1.0);
        let world = spent.world(times);
        let told = rivals.iter().filter(|(_, other)| other.share(&world) > 1.0).map(|(other, _)| *other);
        let series = Series::of(world.counter).with(metric::TENANT, world.tenant);
        let minutes = u32::try_from(world.minutes).unwrap_or(u32::MAX);
        (vec![Feed::steady(series, world.each_second, minutes)], told.collect())
    }
}
