//! Budgets whose periods do not fit into those of the budget above them.

use super::{Check, Findings, Look};
use crate::diagnostic::{Diagnostic, Family, Rule, Severity};
use crate::model::Resource;
use crate::model::budget::{BudgetPeriod, BudgetSpec};
use crate::resolve::Graph;

static RULE: Rule = Rule {
    code: "AIP-BUD-002",
    name: "budget-window-mismatch",
    severity: Severity::Advisory,
    family: Family::Verdict,
    page: include_str!("budget_window_mismatch.md"),
};

pub(super) const CHECK: Check = Check { rule: &RULE, run: Look::Resources(run) };

fn run(graph: &Graph, out: &mut Findings<'_>) {
    for (_, budget) in graph.each::<BudgetSpec>() {
        let Some(parent) = budget.spec.parent.as_ref().and_then(|parent| graph.get(parent)) else { continue };
        let places = graph.places_of_budget(&budget.spec);
        mismatch(budget, parent).into_iter().for_each(|found| out.report(&places, found));
    }
}

/// Whether every period of a budget lies within one period of the budget above it, where both keep the same time.
pub(super) fn nests(inner: BudgetPeriod, outer: BudgetPeriod) -> bool {
    use BudgetPeriod::{Day, Month, Quarter, Week, Year};
    match inner {
        Day => true,
        Week => outer == Week,
        Month => matches!(outer, Month | Quarter | Year),
        Quarter => matches!(outer, Quarter | Year),
        Year => outer == Year,
    }
}

fn mismatch(budget: &Resource<BudgetSpec>, parent: &Resource<BudgetSpec>) -> Option<Diagnostic> {
    let (own, above) = (&budget.spec, &parent.spec);
    if !nests(own.period.value, above.period.value) {
        let message = format!(
            "a {} of budget `{}` is not within one {} of `{}`",
            own.period.value.word(),
            budget.name(),
            above.period.value.word(),
            parent.name()
        );
        let found = RULE.at(own.period.span, message, "the two cannot be compared");
        let found = found.label(above.period.span, "the period of the budget above");
        return Some(found.help("use the period of the budget above, or one that it is made of"));
    }
    let zone = |spec: &BudgetSpec| {
        let zone = spec.time_zone.as_ref();
        zone.map_or_else(|| "UTC".to_owned(), |zone| zone.value.0.clone())
    };
    let (zone_own, zone_above) = (zone(own), zone(above));
    if zone_own == zone_above {
        return None;
    }
    let message = format!(
        "budget `{}` keeps the time of {zone_own}, and `{}` that of {zone_above}",
        budget.name(),
        parent.name()
    );
    let at = |spec: &BudgetSpec| spec.time_zone.as_ref().map_or(spec.period.span, |zone| zone.span);
    let found = RULE.at(at(own), message, "their periods begin at different moments");
    Some(found.label(at(above), "the budget above").help("use one `timeZone` for both"))
}
