//! AWS CloudTrail.

use super::operations;

operations! {
    aws_sdk_cloudtrail:
    "AddTags" => add_tags();
    "CreateTrail" => create_trail();
    "DeleteTrail" => delete_trail();
    "DescribeTrails" => describe_trails();
    "GetEventSelectors" => get_event_selectors();
    "GetTrail" => get_trail();
    "GetTrailStatus" => get_trail_status();
    "ListTags" => list_tags();
    "PutEventSelectors" => put_event_selectors();
    "RemoveTags" => remove_tags();
    "StartLogging" => start_logging();
    "StopLogging" => stop_logging();
    "UpdateTrail" => update_trail();
}
