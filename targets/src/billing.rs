//! Who spends what of a budget, and what of that the bill of AWS tells: what is charged to a tenant, and whom a budget stops.

use std::cell::LazyCell;
use std::collections::{BTreeMap, BTreeSet};

use aipolicy_compiler::authorize::Grant;
use aipolicy_compiler::ir::{Circumstances, Object, Principal};
use aipolicy_compiler::model::budget::{BudgetScope, BudgetSpec, Threshold};
use aipolicy_compiler::model::gateway::GatewaySpec;
use aipolicy_compiler::model::model::ModelProvider;
use aipolicy_compiler::model::tenant::TenantSpec;
use aipolicy_compiler::model::{Id, Resource};

use crate::account::Account;

/// Somebody who was granted calls of models.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    /// The name of its role.
    pub(crate) role: String,
    /// Whose calls they are.
    pub(crate) tenant: Option<Id<TenantSpec>>,
    /// The gateway that makes them, if it is one.
    pub(crate) gateway: Option<Id<GatewaySpec>>,
    /// Whether the bill says that they are the tenant's.
    pub(crate) charged: bool,
    /// Whether they are on the bill of AWS.
    pub(crate) billed: bool,
}

/// Everybody who was granted calls of models in an environment, by whose calls they are.
pub(crate) struct Callers(BTreeMap<Option<Id<TenantSpec>>, Vec<Caller>>);

impl Callers {
    /// Those whose calls somebody was granted.
    pub(crate) fn of(account: &Account<'_>) -> Self {
        let mut all: BTreeMap<_, Vec<Caller>> = BTreeMap::new();
        for (principal, grants) in account.input.grants.by_principal() {
            let (kind, name) = principal.label(account.graph());
            let role = LazyCell::new(|| account.role(&[&kind.word().to_lowercase(), &name]));
            for grant in grants {
                let Some(caller) = caller(account, grant, || role.clone()) else { continue };
                let of_tenant = all.entry(caller.tenant).or_default();
                if of_tenant.last() != Some(&caller) {
                    of_tenant.push(caller);
                }
            }
        }
        Self(all)
    }

    /// The tenants whose calls they are.
    pub(crate) fn tenants(&self) -> BTreeSet<Id<TenantSpec>> {
        self.0.keys().copied().flatten().collect()
    }
}

fn caller(account: &Account<'_>, grant: Grant<'_>, role: impl FnOnce() -> String) -> Option<Caller> {
    let request = &grant.decision.request;
    let (Circumstances::Invocation(call), Object::Model(model)) = (&request.circumstances, &request.object)
    else {
        return None;
    };
    let model = account.graph().resource(*model)?;
    let agent = matches!(request.principal, Principal::Agent(_));
    let tenant = request.tenant.map(|tenant| account.graph().name(tenant));
    let billed = match model.spec.provider.value {
        ModelProvider::Bedrock | ModelProvider::BedrockMantle => true,
        ModelProvider::OpenAiCompatible | ModelProvider::SelfHosted => false,
    };
    Some(Caller {
        role: role(),
        tenant: request.tenant,
        gateway: match request.principal {
            Principal::Gateway(id) => Some(id),
            Principal::Agent(_)
            | Principal::Workload(_)
            | Principal::Tenant(_)
            | Principal::Route(_)
            | Principal::Environment(_) => None,
        },
        charged: agent && tenant.is_some_and(|tenant| account.charged(tenant, model, call).is_some()),
        billed,
    })
}

/// Those whose calls count towards a budget here. Calls of one agent are not told apart from those of its tenant, so
/// nobody's count towards a budget of an agent.
pub(crate) fn spenders<'c>(
    account: &Account<'_>,
    budget: &BudgetSpec,
    callers: &'c Callers,
) -> Vec<&'c Caller> {
    let all = || callers.0.values().flatten();
    match &budget.scope {
        BudgetScope::Organisation => all().collect(),
        BudgetScope::Environment(scope) if scope.id() == Some(account.input.grants.environment()) => {
            all().collect()
        }
        BudgetScope::Tenant(scope) => {
            scope.id().and_then(|tenant| callers.0.get(&Some(tenant))).into_iter().flatten().collect()
        }
        BudgetScope::Environment(_) | BudgetScope::Agent(_) => Vec::new(),
    }
}

/// A budget that stops calls, with the grant to do so and the roles that it stops.
pub(crate) struct Stop<'g> {
    pub(crate) budget: &'g Resource<BudgetSpec>,
    pub(crate) grant: Grant<'g>,
    pub(crate) roles: BTreeSet<String>,
}

/// The budgets that stop somebody in an environment. A gateway serves several tenants, so the budget of one does not
/// stop it.
pub(crate) fn stops<'g>(account: &Account<'g>, callers: &Callers) -> Vec<Stop<'g>> {
    let mut by_block = BTreeMap::new();
    for budget in account.graph().budgets_among(&callers.tenants()) {
        for threshold in &budget.spec.thresholds {
            if let Threshold::Block(block) = threshold {
                by_block.insert(block.at.span, budget);
            }
        }
    }
    let granted = account.input.grants.grants();
    let granted =
        granted.filter(|grant| grant.decision.request.circumstances == Circumstances::Support("budget"));
    let stop = |grant: Grant<'g>| {
        let budget = *by_block.get(&grant.decision.request.span)?;
        let one_tenant = matches!(budget.spec.scope, BudgetScope::Tenant(_));
        let spenders = spenders(account, &budget.spec, callers);
        let stopped = spenders.iter().filter(|one| one.billed && !(one_tenant && one.gateway.is_some()));
        let roles: BTreeSet<_> = stopped.map(|one| one.role.clone()).collect();
        (!roles.is_empty()).then_some(Stop { budget, grant, roles })
    };
    granted.filter_map(stop).collect()
}

impl Account<'_> {
    /// The name of the policy that a budget attaches to those whom it stops.
    pub(crate) fn stop(&self, budget: &Resource<BudgetSpec>) -> String {
        self.name(&["stop", budget.name().as_str()], aipolicy_iam::limits::POLICY_NAME)
    }
}

/// The words in the name of the role with which AWS Budgets stops calls.
pub(crate) const ROLE: &[&str] = &["budgets"];
