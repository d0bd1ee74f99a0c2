//! Amazon EventBridge.

use super::operations;

operations! {
    aws_sdk_eventbridge:
    "DeleteRule" => delete_rule();
    "DescribeRule" => describe_rule();
    "ListEventBuses" => list_event_buses();
    "ListRules" => list_rules();
    "ListTagsForResource" => list_tags_for_resource();
    "ListTargetsByRule" => list_targets_by_rule();
    "PutRule" => put_rule();
    "PutTargets" => put_targets();
    "RemoveTargets" => remove_targets();
    "TagResource" => tag_resource();
    "UntagResource" => untag_resource();
}
