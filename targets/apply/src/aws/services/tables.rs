//! Amazon DynamoDB.

use super::operations;

operations! {
    aws_sdk_dynamodb:
    "CreateTable" => create_table();
    "DeleteTable" => delete_table();
    "DescribeTable" => describe_table();
    "DescribeTimeToLive" => describe_time_to_live();
    "ListTables" => list_tables();
    "ListTagsOfResource" => list_tags_of_resource();
    "TagResource" => tag_resource();
    "UntagResource" => untag_resource();
    "UpdateTable" => update_table();
    "UpdateTimeToLive" => update_time_to_live();
}
