//! Amazon Bedrock.

use super::operations;

operations! {
    aws_sdk_bedrock:
    "CreateGuardrail" => create_guardrail();
    "CreateGuardrailVersion" => create_guardrail_version("guardrailIdentifier": set_guardrail_identifier);
    "CreateInferenceProfile" => create_inference_profile();
    "DeleteEnforcedGuardrailConfiguration" => delete_enforced_guardrail_configuration(
        "configId": set_config_id
    );
    "DeleteGuardrail" => delete_guardrail(
        "guardrailIdentifier": set_guardrail_identifier,
        "guardrailVersion": set_guardrail_version
    );
    "DeleteInferenceProfile" => delete_inference_profile(
        "inferenceProfileIdentifier": set_inference_profile_identifier
    );
    "DeleteModelInvocationLoggingConfiguration" => delete_model_invocation_logging_configuration();
    "GetGuardrail" => get_guardrail(
        "guardrailIdentifier": set_guardrail_identifier,
        "guardrailVersion": set_guardrail_version
    );
    "GetInferenceProfile" => get_inference_profile(
        "inferenceProfileIdentifier": set_inference_profile_identifier
    );
    "GetModelInvocationLoggingConfiguration" => get_model_invocation_logging_configuration();
    "ListEnforcedGuardrailsConfiguration" => list_enforced_guardrails_configuration(
        "nextToken": set_next_token
    );
    "ListGuardrails" => list_guardrails(
        "guardrailIdentifier": set_guardrail_identifier,
        "nextToken": set_next_token
    );
    "ListInferenceProfiles" => list_inference_profiles("nextToken": set_next_token)
        .type_equals(aws_sdk_bedrock::types::InferenceProfileType::Application);
    "ListTagsForResource" => list_tags_for_resource();
    "PutEnforcedGuardrailConfiguration" => put_enforced_guardrail_configuration();
    "PutModelInvocationLoggingConfiguration" => put_model_invocation_logging_configuration();
    "TagResource" => tag_resource();
    "UntagResource" => untag_resource();
    "UpdateGuardrail" => update_guardrail("guardrailIdentifier": set_guardrail_identifier);
}
