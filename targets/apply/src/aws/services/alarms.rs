//! Amazon CloudWatch, which is asked in CBOR.

use super::operations;

operations! {
    aws_sdk_cloudwatch:
    "DeleteAlarms" => delete_alarms();
    "DescribeAlarms" => describe_alarms();
    "ListTagsForResource" => list_tags_for_resource();
    "PutMetricAlarm" => put_metric_alarm();
    "TagResource" => tag_resource();
    "UntagResource" => untag_resource();
}
