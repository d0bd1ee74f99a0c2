//! Requests of budgets that stop calls: AWS Budgets attaches a policy that denies them.

use std::collections::BTreeSet;

use super::{Asker, Group};
use crate::ir::{Action, Circumstances, Object};
use crate::model::Id;
use crate::model::agent::AgentModel;
use crate::model::budget::{BudgetPeriod, BudgetScope, BudgetSpec, Threshold};
use crate::model::environment::EnvironmentSpec;
use crate::model::gateway::GatewaySpec;
use crate::model::reference::Ref;
use crate::model::tenant::TenantSpec;
use crate::model::value::BudgetLimit;
use crate::model::workload::WorkloadSpec;
use crate::resolve::Graph;

/// Who calls models in which environment: tenants by their own agents and workloads, and nobody in particular through a
/// gateway.
pub(super) type Callers = BTreeSet<(Id<EnvironmentSpec>, Option<Id<TenantSpec>>)>;

/// Everybody who calls models.
pub(super) fn callers(graph: &Graph) -> Callers {
    let mut found = Callers::new();
    let mut add = |places: Vec<Id<EnvironmentSpec>>, tenant: &Ref<TenantSpec>| {
        let tenant = tenant.id();
        found.extend(places.into_iter().filter_map(|place| Some((place, Some(tenant?)))));
    };
    for (_, agent) in super::agents(graph) {
        if let AgentModel::Model(_) = agent.spec.model.value {
            add(graph.places_of_agent(&agent.spec), &agent.spec.tenant);
        }
    }
    for (_, workload) in graph.each::<WorkloadSpec>() {
        if workload.spec.uses.as_ref().is_some_and(|uses| !uses.models.is_empty()) {
            add(graph.places_of_workload(&workload.spec), &workload.spec.tenant);
        }
    }
    let gateways = graph.each::<GatewaySpec>();
    found.extend(gateways.filter_map(|(_, gateway)| Some((gateway.spec.environment.id()?, None))));
    found
}

/// One request for each budget that the bill of AWS can tell and that stops somebody in an environment.
pub(super) fn stops(asker: Asker<'_>, callers: &Callers) -> Group {
    let ask = |budget: &BudgetSpec| {
        let block = budget.thresholds.iter().find_map(|threshold| match threshold {
            Threshold::Block(block) => Some(block.at.span),
            Threshold::Notify(_) | Threshold::Shift(_) => None,
        })?;
        let object = Object::Environment(asker.environment);
        let stops = is_billed(budget) && reaches(budget, asker.environment, callers);
        stops.then(|| asker.ask(Action::SupportRuntime, (object, Circumstances::Support("budget")), block))
    };
    asker.graph.each::<BudgetSpec>().filter_map(|(_, budget)| ask(&budget.spec)).collect()
}

/// Whether the limit is in the currency of the bill, and the period one that the service has.
fn is_billed(budget: &BudgetSpec) -> bool {
    let dollars = matches!(budget.limit.value, BudgetLimit::Money(money) if money.currency == "USD");
    dollars && budget.period.value != BudgetPeriod::Week
}

/// Whether somebody calls models in an environment whom the budget can stop.
fn reaches(budget: &BudgetSpec, environment: Id<EnvironmentSpec>, callers: &Callers) -> bool {
    let anybody = || callers.range((environment, None)..).next().is_some_and(|(at, _)| *at == environment);
    match &budget.scope {
        BudgetScope::Organisation => anybody(),
        BudgetScope::Environment(scope) => scope.id() == Some(environment) && anybody(),
        BudgetScope::Tenant(tenant) => {
            tenant.id().is_some_and(|id| callers.contains(&(environment, Some(id))))
        }
        BudgetScope::Agent(_) => false,
    }
}
