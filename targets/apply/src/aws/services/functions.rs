//! AWS Lambda.

use super::operations;

operations! {
    aws_sdk_lambda:
    "AddPermission" => add_permission("FunctionName": set_function_name, "Qualifier": set_qualifier);
    "CreateEventSourceMapping" => create_event_source_mapping();
    "CreateFunction" => create_function();
    "DeleteEventSourceMapping" => delete_event_source_mapping("UUID": set_uuid);
    "DeleteFunction" => delete_function("FunctionName": set_function_name, "Qualifier": set_qualifier);
    "DeleteFunctionConcurrency" => delete_function_concurrency("FunctionName": set_function_name);
    "DeleteFunctionEventInvokeConfig" => delete_function_event_invoke_config(
        "FunctionName": set_function_name,
        "Qualifier": set_qualifier
    );
    "GetEventSourceMapping" => get_event_source_mapping("UUID": set_uuid);
    "GetFunction" => get_function("FunctionName": set_function_name, "Qualifier": set_qualifier);
    "GetFunctionConcurrency" => get_function_concurrency("FunctionName": set_function_name);
    "GetFunctionEventInvokeConfig" => get_function_event_invoke_config(
        "FunctionName": set_function_name,
        "Qualifier": set_qualifier
    );
    "GetPolicy" => get_policy("FunctionName": set_function_name, "Qualifier": set_qualifier);
    "ListEventSourceMappings" => list_event_source_mappings(
        "EventSourceArn": set_event_source_arn,
        "FunctionName": set_function_name,
        "Marker": set_marker
    );
    "ListFunctions" => list_functions(
        "MasterRegion": set_master_region,
        "Marker": set_marker
    );
    "ListTags" => list_tags("Resource": set_resource);
    "PutFunctionConcurrency" => put_function_concurrency("FunctionName": set_function_name);
    "PutFunctionEventInvokeConfig" => put_function_event_invoke_config(
        "FunctionName": set_function_name,
        "Qualifier": set_qualifier
    );
    "RemovePermission" => remove_permission(
        "FunctionName": set_function_name,
        "StatementId": set_statement_id,
        "Qualifier": set_qualifier,
        "RevisionId": set_revision_id
    );
    "TagResource" => tag_resource("Resource": set_resource);
    "UntagResource" => untag_resource("Resource": set_resource, "TagKeys": set_tag_keys);
    "UpdateEventSourceMapping" => update_event_source_mapping("UUID": set_uuid);
    "UpdateFunctionCode" => update_function_code("FunctionName": set_function_name);
    "UpdateFunctionConfiguration" => update_function_configuration("FunctionName": set_function_name);
    "UpdateFunctionEventInvokeConfig" => update_function_event_invoke_config(
        "FunctionName": set_function_name,
        "Qualifier": set_qualifier
    );
}
