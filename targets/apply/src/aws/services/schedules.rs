//! Amazon EventBridge Scheduler.

use super::operations;

operations! {
    aws_sdk_scheduler:
    "CreateSchedule" => create_schedule("Name": set_name);
    "CreateScheduleGroup" => create_schedule_group("Name": set_name);
    "DeleteSchedule" => delete_schedule(
        "Name": set_name,
        "GroupName": set_group_name,
        "ClientToken": set_client_token
    );
    "DeleteScheduleGroup" => delete_schedule_group("Name": set_name, "ClientToken": set_client_token);
    "GetSchedule" => get_schedule("Name": set_name, "GroupName": set_group_name);
    "GetScheduleGroup" => get_schedule_group("Name": set_name);
    "ListScheduleGroups" => list_schedule_groups("NamePrefix": set_name_prefix, "NextToken": set_next_token);
    "ListSchedules" => list_schedules(
        "GroupName": set_group_name,
        "NamePrefix": set_name_prefix,
        "NextToken": set_next_token
    );
    "ListTagsForResource" => list_tags_for_resource("ResourceArn": set_resource_arn);
    "TagResource" => tag_resource("ResourceArn": set_resource_arn);
    "UntagResource" => untag_resource("ResourceArn": set_resource_arn, "TagKeys": set_tag_keys);
    "UpdateSchedule" => update_schedule("Name": set_name);
}
