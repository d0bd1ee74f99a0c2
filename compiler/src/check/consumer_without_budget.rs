//! Tenants that no budget covers, where budgets are kept.

use std::collections::BTreeSet;

use super::{Check, Findings};
use crate::diagnostic::{Family, Rule, Severity};
use crate::model::Ref;
use crate::model::budget::{BudgetScope, BudgetSpec};
use crate::model::tenant::TenantSpec;
use crate::resolve::Graph;

static RULE: Rule = Rule {
    code: "AIP-BUD-003",
    name: "consumer-without-budget",
    severity: Severity::Mandatory,
    family: Family::Verdict,
    page: include_str!("consumer_without_budget.md"),
};

pub(super) const CHECK: Check = Check { rule: &RULE, run };

fn run(graph: &Graph, out: &mut Findings<'_>) {
    let mut environments = BTreeSet::new();
    let mut kept = None;
    for (_, budget) in graph.each::<BudgetSpec>() {
        let known = match &budget.spec.scope {
            BudgetScope::Organisation => return,
            BudgetScope::Environment(environment) => {
                environments.extend(environment.id());
                environment.id().is_some()
            }
            BudgetScope::Tenant(tenant) => tenant.id().is_some(),
            BudgetScope::Agent(agent) => agent.id().is_some(),
        };
        kept = kept.or(known.then(|| budget.name_span()));
    }
    let Some(kept) = kept else { return };
    for (id, tenant) in graph.each::<TenantSpec>().filter(|(_, tenant)| !tenant.spec.models.is_empty()) {
        let places: Vec<_> = tenant.spec.environments.iter().filter_map(Ref::id).collect();
        let covered = places.iter().all(|place| environments.contains(place));
        if covered || graph.budgets_of(id).next().is_some() {
            continue;
        }
        let message = format!("tenant `{}` may spend any amount on models", tenant.name());
        let found = RULE
            .at(tenant.name_span(), message, "no budget is for it")
            .label(kept, "what others spend is limited");
        out.report(
            &places,
            found.help("add a `Budget` for the tenant, its environments, or the organisation"),
        );
    }
}
