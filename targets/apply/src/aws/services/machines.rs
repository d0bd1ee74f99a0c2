//! AWS Step Functions.

use super::operations;

operations! {
    aws_sdk_sfn:
    "CreateStateMachine" => create_state_machine();
    "DeleteStateMachine" => delete_state_machine();
    "DescribeStateMachine" => describe_state_machine();
    "ListStateMachines" => list_state_machines();
    "ListTagsForResource" => list_tags_for_resource();
    "TagResource" => tag_resource();
    "UpdateStateMachine" => update_state_machine();
}
