//! Shares of budgets at which somebody is told. What is told apart from a budget that burns is the calendar: the alert ends
//! with the period.

use aipolicy_compiler::model::Resource;
use aipolicy_compiler::model::budget::{BudgetSpec, Notify, Threshold};

use super::budget::{self, Counted};
use super::spent::Over;
use super::{Alert, Urgency};
use crate::observability::promql::{Expression, duration};
use crate::origin::Origin;

const HOUR: u64 = 3600;

/// The notices of a budget; nothing where the gateways' telemetry cannot tell what counts towards it.
pub(in crate::observability) fn alerts(budget: &Resource<BudgetSpec>) -> Option<Vec<Alert>> {
    let counted = budget::counted(budget)?;
    let notices = budget.spec.thresholds.iter().filter_map(|threshold| match threshold {
        Threshold::Notify(notify) => Some(notify),
        Threshold::Block(_) | Threshold::Shift(_) => None,
    });
    Some(notices.map(|notify| alert(&counted, notify)).collect())
}

fn alert(counted: &Counted<'_>, notify: &Notify) -> Alert {
    let period = counted.budget.spec.period.value;
    let recorded = (counted.to_date)(period);
    let share = share_of(notify);
    let most = Expression::Number(share).times(Expression::Number(counted.limit));
    Alert {
        name: "BudgetNotice",
        urgency: Urgency::Ticket,
        expression: counted.latest(&recorded, 2 * HOUR).above(most),
        hold: 0,
        labels: labels(counted, notify),
        left: counted.left(),
        summary: summary(counted, notify, recorded.step),
        reads: vec![recorded],
        origin: Origin::written(notify.at.span),
        proof: counted.proof(Over::Period(period), share * counted.limit),
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
