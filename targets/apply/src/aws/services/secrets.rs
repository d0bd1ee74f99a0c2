//! AWS Secrets Manager.

use super::operations;

operations! {
    aws_sdk_secretsmanager:
    "DeleteResourcePolicy" => delete_resource_policy();
    "GetResourcePolicy" => get_resource_policy();
    "PutResourcePolicy" => put_resource_policy();
}
