//! Budgets that promise more than the budget above them has.

use std::collections::BTreeMap;

use super::budget_window_mismatch::nests;
use super::{Check, Findings, Look};
use crate::diagnostic::{Diagnostic, Family, Rule, Severity};
use crate::model::budget::BudgetSpec;
use crate::model::value::{BudgetLimit, Money};
use crate::model::{Ref, Resource};
use crate::resolve::Graph;

static RULE: Rule = Rule {
    code: "AIP-BUD-001",
    name: "children-exceed-parent",
    severity: Severity::Mandatory,
    family: Family::Verdict,
    page: include_str!("children_exceed_parent.md"),
};

pub(super) const CHECK: Check = Check { rule: &RULE, run: Look::Resources(run) };

fn run(graph: &Graph, out: &mut Findings<'_>) {
    let mut children: BTreeMap<_, Vec<&Resource<BudgetSpec>>> = BTreeMap::new();
    for (_, budget) in graph.each::<BudgetSpec>() {
        if let Some(parent) = budget.spec.parent.as_ref().and_then(Ref::id) {
            children.entry(parent).or_default().push(budget);
        }
    }
    for (parent, children) in children {
        let Some(parent) = graph.resource(parent) else { continue };
        let places = graph.places_of_budget(&parent.spec);
        exceeding(parent, &children).into_iter().for_each(|found| out.report(&places, found));
    }
}

/// The most places that a finding names.
const NAMED: usize = 5;

/// What the budgets below one may spend at least in one of its periods, where that is more than it has.
fn exceeding(parent: &Resource<BudgetSpec>, children: &[&Resource<BudgetSpec>]) -> Option<Diagnostic> {
    let (limit, unit) = amount(parent.spec.limit.value);
    let counted = children.iter().filter(|child| nests(child.spec.period.value, parent.spec.period.value));
    let alike = counted.filter_map(|child| {
        let (amount, of) = amount(child.spec.limit.value);
        (of == unit).then_some((amount, child))
    });
    let mut alike: Vec<_> = alike.collect();
    let sum: u64 = alike.iter().map(|(amount, _)| *amount).fold(0, u64::saturating_add);
    if sum <= limit {
        return None;
    }
    alike.sort_by_key(|(amount, _)| std::cmp::Reverse(*amount));
    let message = format!(
        "the budgets below `{}` add up to {}, and it has {}",
        parent.name(),
        told(sum, unit),
        told(limit, unit)
    );
    let found = RULE.at(parent.spec.limit.span, message, "the limit of all of them");
    let largest = alike.into_iter().take(NAMED);
    let found = largest
        .fold(found, |found, (_, child)| found.label(child.spec.limit.span, format!("`{}`", child.name())));
    Some(found.help("raise the limit, or lower those below it"))
}

/// An amount in the least parts of its unit: a currency, or nothing for tokens.
fn amount(limit: BudgetLimit) -> (u64, Option<&'static str>) {
    match limit {
        BudgetLimit::Money(money) => (money.micros, Some(money.currency)),
        BudgetLimit::Tokens(tokens) => (tokens.count(), None),
    }
}

fn told(amount: u64, unit: Option<&'static str>) -> String {
    match unit {
        Some(currency) => Money { currency, micros: amount }.to_string(),
        None => format!("{amount} tokens"),
    }
}
