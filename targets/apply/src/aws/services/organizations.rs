//! AWS Organizations.

use super::operations;

operations! {
    aws_sdk_organizations:
    "AttachPolicy" => attach_policy();
    "CreatePolicy" => create_policy();
    "DeletePolicy" => delete_policy();
    "DescribePolicy" => describe_policy();
    "DetachPolicy" => detach_policy();
    "ListPolicies" => list_policies();
    "ListTagsForResource" => list_tags_for_resource();
    "ListTargetsForPolicy" => list_targets_for_policy();
    "TagResource" => tag_resource();
    "UntagResource" => untag_resource();
    "UpdatePolicy" => update_policy();
}
