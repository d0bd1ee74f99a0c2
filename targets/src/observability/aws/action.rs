//! Actions of budgets: when a budget is spent, AWS attaches the policy that denies calls to the roles of those who spend it.

use aipolicy_compiler::diagnostic::Diagnostics;
use aipolicy_compiler::model::budget::{BudgetScope, Threshold};
use aipolicy_compiler::rule;

use super::address;
use super::budget::{self, Spent, note};
use crate::artifact::{Address, Artifact};
use crate::billing::{self, Stop};
use crate::origin::Origin;
use crate::request::{role, tag_list};
use crate::tree::Tree;

/// As many roles as one action takes.
const MOST: usize = 100;

/// The action of a budget that stops somebody.
pub(super) fn artifact(
    spent: &Spent<'_, '_>,
    stop: &Stop<'_>,
    region: (String, Origin),
    out: &mut Diagnostics,
) -> Option<Artifact> {
    let account = spent.cloud.account;
    let span = stop.grant.decision.request.span;
    let share = stop.budget.spec.thresholds.iter().find_map(|threshold| match threshold {
        Threshold::Block(block) if block.at.span == span => Some(block.at.value.basis_points()),
        Threshold::Block(_) | Threshold::Notify(_) | Threshold::Shift(_) => None,
    })?;
    if stop.roles.len() > MOST {
        let message = format!("an action of a budget stops {MOST} roles, and these are {}", stop.roles.len());
        out.report(rule::TARGET_LIMIT.at(span, message, "").help("give the tenants budgets of their own"));
        return None;
    }
    out.report(note(span, "calls are stopped when the bill shows what they cost, which takes hours"));
    let (execution, execution_role) = role(account, billing::ROLE);
    let policy = account.stop(stop.budget);
    let arn = account.arn("iam", "", &format!("policy{}{policy}", account.path()));
    let policy = Address { target: "iam".into(), kind: "Policy".into(), name: policy };
    let definition = Tree::map([
        ("PolicyArn", Tree::text(arn).from(account.default("origin.name"))),
        ("Roles", Tree::list(stop.roles.iter().map(Tree::text)).from(account.default("origin.name"))),
    ]);
    let threshold = Tree::map([
        ("ActionThresholdValue", Tree::decimal(f64::from(share) / 100.0)),
        ("ActionThresholdType", Tree::text("PERCENTAGE")),
    ]);
    let default = || account.default("budgets.action");
    let members = vec![
        ("AccountId", budget::account(account)),
        ("BudgetName", Tree::text(spent.name()?).from(account.default("origin.name"))),
        ("NotificationType", Tree::text("ACTUAL").from(default())),
        ("ActionType", Tree::text("APPLY_IAM_POLICY").from(default())),
        ("ActionThreshold", threshold),
        ("Definition", Tree::map([("IamActionDefinition", definition)])),
        ("ExecutionRoleArn", execution),
        ("ApprovalModel", Tree::text("AUTOMATIC").from(default())),
        ("Subscribers", told(spent, out)?),
        ("ResourceTags", tag_list(account, ("Key", "Value"))),
    ];
    let own = address("BudgetAction", spent.name()?);
    let mut request = spent.cloud.request(own, region, members);
    request.needs = vec![spent.address()?, execution_role, policy];
    Some(request.artifact(&Origin::granted(stop.grant)))
}

/// Whoever is told last, before the budget is spent; the owner of a tenant, where nobody is.
fn told(spent: &Spent<'_, '_>, out: &mut Diagnostics) -> Option<Tree> {
    let account = spent.cloud.account;
    if let Some(last) = spent.notices.iter().max_by_key(|notify| notify.at.value.basis_points()) {
        return budget::subscribers(account, &last.to, out);
    }
    match &spent.budget.spec.scope {
        BudgetScope::Tenant(tenant) => {
            let owner = &account.graph().get(tenant)?.spec.owner;
            budget::subscribers(account, std::slice::from_ref(owner), out)
        }
        BudgetScope::Organisation | BudgetScope::Environment(_) | BudgetScope::Agent(_) => {
            let message = "an action of a budget has to tell somebody";
            let help = "add a threshold with `do: notify`";
            out.report(rule::UNSUPPORTED.at(spent.budget.name_span(), message, "").help(help));
            None
        }
    }
}
