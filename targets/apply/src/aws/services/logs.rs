//! Amazon CloudWatch Logs.

use super::operations;

operations! {
    aws_sdk_cloudwatchlogs:
    "AssociateKmsKey" => associate_kms_key();
    "CreateDelivery" => create_delivery();
    "CreateLogGroup" => create_log_group();
    "CreateLogStream" => create_log_stream();
    "DeleteDelivery" => delete_delivery();
    "DeleteDeliveryDestination" => delete_delivery_destination();
    "DeleteDeliverySource" => delete_delivery_source();
    "DeleteLogGroup" => delete_log_group();
    "DeleteLogStream" => delete_log_stream();
    "DeleteQueryDefinition" => delete_query_definition();
    "DeleteResourcePolicy" => delete_resource_policy();
    "DeleteRetentionPolicy" => delete_retention_policy();
    "DescribeDeliveries" => describe_deliveries();
    "DescribeDeliveryDestinations" => describe_delivery_destinations();
    "DescribeDeliverySources" => describe_delivery_sources();
    "DescribeLogGroups" => describe_log_groups();
    "DescribeLogStreams" => describe_log_streams();
    "DescribeQueryDefinitions" => describe_query_definitions();
    "DescribeResourcePolicies" => describe_resource_policies();
    "DisassociateKmsKey" => disassociate_kms_key();
    "GetDelivery" => get_delivery();
    "GetDeliveryDestination" => get_delivery_destination();
    "GetDeliverySource" => get_delivery_source();
    "ListTagsForResource" => list_tags_for_resource();
    "PutDeliveryDestination" => put_delivery_destination();
    "PutDeliverySource" => put_delivery_source();
    "PutQueryDefinition" => put_query_definition();
    "PutResourcePolicy" => put_resource_policy();
    "PutRetentionPolicy" => put_retention_policy();
    "TagResource" => tag_resource();
    "UntagResource" => untag_resource();
}
