//! Budgets that are used up before anybody is told.

use super::{Check, Findings, Look};
use crate::diagnostic::{Diagnostic, Family, Rule, Severity};
use crate::model::budget::{BudgetSpec, Threshold};
use crate::resolve::Graph;
use crate::source::Span;

static RULE: Rule = Rule {
    code: "AIP-BUD-008",
    name: "alarm-missing-or-late",
    severity: Severity::Advisory,
    family: Family::Verdict,
    page: include_str!("alarm_missing_or_late.md"),
};

pub(super) const CHECK: Check = Check { rule: &RULE, run: Look::Resources(run) };

fn run(graph: &Graph, out: &mut Findings<'_>) {
    for (_, budget) in graph.each::<BudgetSpec>() {
        let told = budget.spec.thresholds.iter().filter_map(|threshold| match threshold {
            Threshold::Notify(notify) if !notify.to.is_empty() => Some(&notify.at),
            Threshold::Notify(_) | Threshold::Shift(_) | Threshold::Block(_) => None,
        });
        let Some(at) = told.min_by_key(|at| at.value.basis_points()) else {
            let message = format!("nobody is told how much of budget `{}` is used", budget.name());
            out.report(&graph.places_of_budget(&budget.spec), found(budget.spec.limit.span, message));
            continue;
        };
        if at.value.basis_points() >= ALL {
            let message = format!("nobody is told before budget `{}` is used up", budget.name());
            out.report(&graph.places_of_budget(&budget.spec), found(at.span, message));
        }
    }
}

/// The whole of a budget, in hundredths of a percent.
const ALL: u32 = 10_000;

fn found(span: Span, message: String) -> Diagnostic {
    RULE.at(span, message, "").help("add `{ at: 80%, do: notify, to: [ADDRESS] }` to `thresholds`")
}
