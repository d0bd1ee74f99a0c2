//! AWS Budgets.

use super::operations;

operations! {
    aws_sdk_budgets:
    "CreateBudget" => create_budget();
    "CreateBudgetAction" => create_budget_action();
    "CreateNotification" => create_notification();
    "DeleteBudget" => delete_budget();
    "DeleteBudgetAction" => delete_budget_action();
    "DeleteNotification" => delete_notification();
    "DescribeBudget" => describe_budget();
    "DescribeBudgetAction" => describe_budget_action();
    "DescribeBudgetActionsForAccount" => describe_budget_actions_for_account();
    "DescribeBudgetActionsForBudget" => describe_budget_actions_for_budget();
    "DescribeBudgets" => describe_budgets();
    "DescribeNotificationsForBudget" => describe_notifications_for_budget();
    "DescribeSubscribersForNotification" => describe_subscribers_for_notification();
    "ListTagsForResource" => list_tags_for_resource();
    "TagResource" => tag_resource();
    "UntagResource" => untag_resource();
    "UpdateBudget" => update_budget();
    "UpdateBudgetAction" => update_budget_action();
}
