//! Shares of budgets at which somebody is told. What is told apart from a budget that burns is the calendar: the alert ends
//! with the period.

use aipolicy_compiler::model::Resource;
use aipolicy_compiler::model::budget::{BudgetSpec, Notify, Threshold};

use super::budget::{self, Counted};
use super::{Alert, Feed, Proof, Urgency, number};
use crate::observability::promql::{Expression, duration};
use crate::origin::Origin;

const HOUR: u64 = 3600;

/// The notices of a budget; nothing where the gateways' telemetry cannot tell what counts towards it.
pub(in crate::observability) fn alerts(budget: &Resource<BudgetSpec>) -> Option<Vec<Alert>> {
    let counted = budget::counted(budget)?;
    let notices = budget.spec.thresholds.iter().filter_map(|threshold| match threshold {
        Threshold::Notify(notify) => Some(alert(&counted, notify)),
        Threshold::Block(_) | Threshold::Shift(_) => None,
    });
    Some(notices.collect())
}

fn alert(counted: &Counted<'_>, notify: &Notify) -> Alert {
    let period = counted.budget.spec.period.value;
    let recorded = (counted.to_date)(period);
    let share = f64::from(notify.at.value.basis_points()) / 10_000.0;
    let most = || Expression::Number(share).times(Expression::Number(counted.limit));
    let name = counted.budget.name().as_str();
    let to: Vec<_> = notify.to.iter().map(|to| to.value.as_str()).collect();
    let mut labels = vec![("budget", name.to_owned()), ("share", format!("{} %", share * 100.0))];
    labels.extend(counted.tenant.map(|tenant| ("tenant", tenant.to_owned())));
    labels.push(("to", to.join(", ")));
    // As long as one step of the window, so that it is complete, and no shorter than the pause between evaluations.
    let seconds = recorded.step.max(HOUR);
    let feed = |times: f64| {
        let each_second = share * counted.limit * times / number(seconds);
        let minutes = u32::try_from(seconds / 60).unwrap_or(u32::MAX);
        vec![Feed::steady(counted.series(), each_second, minutes)]
    };
    Alert {
        name: "BudgetNotice",
        urgency: Urgency::Ticket,
        expression: counted.seen(&recorded).above(most()),
        hold: 0,
        labels,
        left: counted.left(),
        summary: format!(
            "more than {} % of budget {name} is spent in this {}, seen within {}",
            share * 100.0,
            period.word(),
            duration(recorded.step + HOUR)
        ),
        reads: vec![recorded],
        origin: Origin::written(notify.at.span),
        proof: Proof { loud: feed(1.5), quiet: feed(0.5) },
    }
}
