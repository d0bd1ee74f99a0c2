//! Amazon DynamoDB, whose endpoint may depend on what a request is about.

use super::operations;

operations! {
    aws_sdk_dynamodb:
    "CreateTable" => create_table("TableName": set_table_name);
    "DeleteTable" => delete_table("TableName": set_table_name);
    "DescribeTable" => describe_table("TableName": set_table_name);
    "DescribeTimeToLive" => describe_time_to_live("TableName": set_table_name);
    "ListTables" => list_tables();
    "ListTagsOfResource" => list_tags_of_resource("ResourceArn": set_resource_arn);
    "TagResource" => tag_resource("ResourceArn": set_resource_arn);
    "UntagResource" => untag_resource("ResourceArn": set_resource_arn);
    "UpdateTable" => update_table("TableName": set_table_name);
    "UpdateTimeToLive" => update_time_to_live("TableName": set_table_name);
}
