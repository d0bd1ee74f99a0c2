//! AWS Budgets, which an account has in no region: it is asked where its endpoint is.

use serde_json::Value;

use super::{PLAIN, TAG_MAP};
use crate::aws::life::{Echo, Life, List, Member, Tags, Update};
use crate::aws::services::Service;

pub(super) const LIVES: &[Life] = &[BUDGET, ACTION];

/// Where the endpoint is (endpoints and quotas of AWS Budgets, partition `aws`).
const HOME: Option<&str> = Some("us-east-1");

const TAGS: Tags = Tags {
    member: "ResourceTags",
    arn: ("ResourceARN", "arn"),
    pair: Some(("Key", "Value")),
    keys: "ResourceTagKeys",
    said: "ResourceTags",
    ..TAG_MAP
};

const BUDGET: Life = Life {
    words: &["observability/Budget"],
    service: Service::Budgets,
    home: HOME,
    list: List {
        operation: "DescribeBudgets",
        ask: &[("AccountId", "{account}")],
        at: "Budgets",
        keys: &[("AccountId", &["={account}"]), ("BudgetName", &["BudgetName", "Budget.BudgetName"])],
        on_demand: true,
        ..PLAIN.list
    },
    read: Some(("ShowBudget", "")),
    create: ("CreateBudget", ""),
    update: Update::By("SetBudget", &[]),
    delete: "DeleteBudget",
    identity: &["Budget.BudgetName"],
    members: &[
        Member::Same("AccountId"),
        Member::Same("Budget"),
        Member::As("NotificationsWithSubscribers", notifications),
    ],
    echoes: &[
        Echo::Any("/Budget/BillingViewArn"),
        Echo::Any("/Budget/CalculatedSpend"),
        Echo::Any("/Budget/CostTypes"),
        Echo::Any("/Budget/HealthStatus"),
        Echo::Any("/Budget/LastUpdatedTime"),
        Echo::Any("/Budget/TimePeriod"),
        Echo::Usual("/Budget/CostFilters", "{}"),
    ],
    tags: Some(&TAGS),
    ..PLAIN
};

/// What a budget tells whom, in no order.
fn notifications(shown: &Value, wanted: Option<&Value>) -> Option<Value> {
    let shown = shown.get("NotificationsWithSubscribers")?.as_array()?;
    let asked = wanted.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let covers = |all: &[Value], some: &[Value]| some.iter().all(|one| all.contains(one));
    if asked.len() == shown.len() && covers(shown, asked) && covers(asked, shown) {
        return wanted.cloned();
    }
    (!shown.is_empty()).then(|| shown.clone().into())
}

const ACTION: Life = Life {
    words: &["observability/BudgetAction"],
    service: Service::Budgets,
    home: HOME,
    list: List {
        operation: "DescribeBudgetActionsForAccount",
        ask: &[("AccountId", "{account}")],
        at: "Actions",
        keys: &[("AccountId", &["={account}"]), ("BudgetName", &["BudgetName"]), ("ActionId", &["ActionId"])],
        on_demand: true,
        ..PLAIN.list
    },
    read: Some(("ShowBudgetAction", "Action")),
    create: ("CreateBudgetAction", ""),
    update: Update::By("UpdateBudgetAction", &["ActionType"]),
    delete: "DeleteBudgetAction",
    identity: &["BudgetName"],
    members: &[
        Member::Key("AccountId"),
        Member::Same("BudgetName"),
        Member::Same("NotificationType"),
        Member::Same("ActionType"),
        Member::Same("ActionThreshold"),
        Member::Same("Definition"),
        Member::Same("ExecutionRoleArn"),
        Member::Same("ApprovalModel"),
        Member::Same("Subscribers"),
    ],
    tags: Some(&TAGS),
    states: &[],
    is_doubled: true,
    ..PLAIN
};

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn notifications_have_no_order() {
        let shown = json!({ "NotificationsWithSubscribers": [{ "a": 1.0 }, { "b": 2 }] });
        let wanted = json!([{ "b": 2 }, { "a": 1.0 }]);
        assert_eq!(notifications(&shown, Some(&wanted)), Some(wanted));
        let other = json!([{ "b": 2 }, { "b": 2 }]);
        let told = notifications(&shown, Some(&other));
        assert_eq!(told.as_ref(), shown.get("NotificationsWithSubscribers"));
        assert_eq!(notifications(&json!({ "NotificationsWithSubscribers": [] }), None), None);
    }
}
