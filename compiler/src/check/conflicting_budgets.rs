//! Two budgets for the same spending.

use std::collections::BTreeMap;

use super::{Check, Findings, Look};
use crate::diagnostic::{Family, Rule, Severity};
use crate::model::budget::{BudgetScope, BudgetSpec};
use crate::model::value::BudgetLimit;
use crate::resolve::Graph;

static RULE: Rule = Rule {
    code: "AIP-BUD-006",
    name: "conflicting-budgets",
    severity: Severity::Mandatory,
    family: Family::Verdict,
    page: include_str!("conflicting_budgets.md"),
};

pub(super) const CHECK: Check = Check { rule: &RULE, run: Look::Resources(run) };

fn run(graph: &Graph, out: &mut Findings<'_>) {
    let mut first = BTreeMap::new();
    // By name, so that the finding stays where it is when resources are moved.
    let mut budgets: Vec<_> = graph.each::<BudgetSpec>().map(|(_, budget)| budget).collect();
    budgets.sort_by_key(|budget| budget.name().as_str());
    for budget in budgets {
        let spec = &budget.spec;
        let Some(scope) = scope(&spec.scope) else { continue };
        let unit = match spec.limit.value {
            BudgetLimit::Money(money) => money.currency,
            BudgetLimit::Tokens(_) => "tokens",
        };
        let Some(before) = first.insert((scope, spec.period.value, unit), budget) else { continue };
        let message = format!(
            "budgets `{}` and `{}` limit the same spending, and gateways keep one of them",
            before.name(),
            budget.name()
        );
        let found = RULE.at(spec.limit.span, message, "").label(before.spec.limit.span, "the other limit");
        let found = found.help("keep one of them, or give it another scope or period");
        out.report(&graph.places_of_budget(spec), found);
    }
}

/// What a budget is for, as something to compare; nothing where that is not there.
fn scope(scope: &BudgetScope) -> Option<(u8, usize)> {
    match scope {
        BudgetScope::Organisation => Some((0, 0)),
        BudgetScope::Environment(one) => Some((1, one.id()?.index())),
        BudgetScope::Tenant(one) => Some((2, one.id()?.index())),
        BudgetScope::Agent(one) => Some((3, one.id()?.index())),
    }
}
