//! Shares of budgets at which somebody is told. What is told apart from a budget that burns is the calendar: the alert ends
//! with the period.

use aipolicy_compiler::model::Resource;
use aipolicy_compiler::model::budget::{BudgetSpec, Notify, Threshold};

use super::budget::{self, Counted};
use super::{Alert, Beside, Feed, Proof, Urgency, number};
use crate::observability::promql::{Expression, duration};
use crate::origin::Origin;

const HOUR: u64 = 3600;
/// How much of a share is spent in a world in which its notice is told.
const LOUD: f64 = 1.5;

/// The notices of a budget; nothing where the gateways' telemetry cannot tell what counts towards it.
pub(in crate::observability) fn alerts(budget: &Resource<BudgetSpec>) -> Option<Vec<Alert>> {
    let counted = budget::counted(budget)?;
    let notices = budget.spec.thresholds.iter().filter_map(|threshold| match threshold {
        Threshold::Notify(notify) => Some(notify),
        Threshold::Block(_) | Threshold::Shift(_) => None,
    });
    let notices: Vec<_> = notices.collect();
    Some(notices.iter().map(|notify| alert(&counted, notify, &notices)).collect())
}

fn alert(counted: &Counted<'_>, notify: &Notify, all: &[&Notify]) -> Alert {
    let period = counted.budget.spec.period.value;
    let recorded = (counted.to_date)(period);
    let share = share_of(notify);
    let most = || Expression::Number(share).times(Expression::Number(counted.limit));
    // As long as one step of the window, so that it is complete, and no shorter than the pause between evaluations.
    let seconds = recorded.step.max(HOUR);
    let feed = |times: f64| {
        let each_second = share * counted.limit * times / number(seconds);
        let minutes = u32::try_from(seconds / 60 + 10).unwrap_or(u32::MAX);
        vec![Feed::steady(counted.series(), each_second, minutes)]
    };
    let least = all.iter().map(|other| share_of(other)).fold(share, f64::min);
    let is_beside = |other: &Notify| other.at.span != notify.at.span && share_of(other) < share * LOUD;
    let beside = |other: &Notify| Beside {
        labels: labels(counted, other).into_iter().chain(counted.left()).collect(),
        summary: summary(counted, other, recorded.step),
    };
    let beside: Vec<_> = all.iter().filter(|other| is_beside(other)).map(|other| beside(other)).collect();
    Alert {
        name: "BudgetNotice",
        urgency: Urgency::Ticket,
        expression: counted.latest(&recorded, 2 * HOUR).above(most()),
        hold: 0,
        labels: labels(counted, notify),
        left: counted.left(),
        summary: summary(counted, notify, recorded.step),
        reads: vec![recorded],
        origin: Origin::written(notify.at.span),
        proof: Proof { loud: feed(LOUD), quiet: feed(least / share / 2.0) },
        beside,
    }
}

fn share_of(notify: &Notify) -> f64 {
    f64::from(notify.at.value.basis_points()) / 10_000.0
}

fn labels(counted: &Counted<'_>, notify: &Notify) -> Vec<(&'static str, String)> {
    let to: Vec<_> = notify.to.iter().map(|to| to.value.as_str()).collect();
    let share = format!("{} %", share_of(notify) * 100.0);
    let mut labels = vec![("budget", counted.budget.name().to_string()), ("share", share)];
    labels.extend(counted.tenant.map(|tenant| ("tenant", tenant.to_owned())));
    labels.push(("to", to.join(", ")));
    labels
}

fn summary(counted: &Counted<'_>, notify: &Notify, step: u64) -> String {
    format!(
        "more than {} % of budget {} is spent in this {}, seen within {}",
        share_of(notify) * 100.0,
        counted.budget.name(),
        counted.budget.spec.period.value.word(),
        duration(step + HOUR)
    )
}
