//! Amazon Bedrock AgentCore, its control plane.

use super::operations;

operations! {
    aws_sdk_bedrockagentcorecontrol:
    "CreateApiKeyCredentialProvider" => create_api_key_credential_provider();
    "CreateGateway" => create_gateway();
    "CreateGatewayRateLimit" => create_gateway_rate_limit("gatewayIdentifier": set_gateway_identifier);
    "CreateGatewayRule" => create_gateway_rule("gatewayIdentifier": set_gateway_identifier);
    "CreateGatewayTarget" => create_gateway_target("gatewayIdentifier": set_gateway_identifier);
    "CreateHarness" => create_harness();
    "CreateHarnessEndpoint" => create_harness_endpoint("harnessId": set_harness_id);
    "CreateMemory" => create_memory();
    "CreateOauth2CredentialProvider" => create_oauth2_credential_provider();
    "CreatePolicy" => create_policy("policyEngineId": set_policy_engine_id);
    "CreatePolicyEngine" => create_policy_engine();
    "DeleteApiKeyCredentialProvider" => delete_api_key_credential_provider();
    "DeleteGateway" => delete_gateway("gatewayIdentifier": set_gateway_identifier);
    "DeleteGatewayRateLimit" => delete_gateway_rate_limit(
        "gatewayIdentifier": set_gateway_identifier,
        "rateLimitId": set_rate_limit_id
    );
    "DeleteGatewayRule" => delete_gateway_rule(
        "gatewayIdentifier": set_gateway_identifier,
        "ruleId": set_rule_id
    );
    "DeleteGatewayTarget" => delete_gateway_target(
        "gatewayIdentifier": set_gateway_identifier,
        "targetId": set_target_id
    );
    "DeleteHarness" => delete_harness("harnessId": set_harness_id);
    "DeleteHarnessEndpoint" => delete_harness_endpoint(
        "harnessId": set_harness_id,
        "endpointName": set_endpoint_name
    );
    "DeleteMemory" => delete_memory("memoryId": set_memory_id);
    "DeleteOauth2CredentialProvider" => delete_oauth2_credential_provider();
    "DeletePolicy" => delete_policy("policyEngineId": set_policy_engine_id, "policyId": set_policy_id);
    "DeletePolicyEngine" => delete_policy_engine("policyEngineId": set_policy_engine_id);
    "DeleteResourcePolicy" => delete_resource_policy("resourceArn": set_resource_arn);
    "GetApiKeyCredentialProvider" => get_api_key_credential_provider();
    "GetGateway" => get_gateway("gatewayIdentifier": set_gateway_identifier);
    "GetGatewayRateLimit" => get_gateway_rate_limit(
        "gatewayIdentifier": set_gateway_identifier,
        "rateLimitId": set_rate_limit_id
    );
    "GetGatewayRule" => get_gateway_rule("gatewayIdentifier": set_gateway_identifier, "ruleId": set_rule_id);
    "GetGatewayTarget" => get_gateway_target(
        "gatewayIdentifier": set_gateway_identifier,
        "targetId": set_target_id
    );
    "GetHarness" => get_harness("harnessId": set_harness_id, "harnessVersion": set_harness_version);
    "GetHarnessEndpoint" => get_harness_endpoint(
        "harnessId": set_harness_id,
        "endpointName": set_endpoint_name
    );
    "GetMemory" => get_memory("memoryId": set_memory_id);
    "GetOauth2CredentialProvider" => get_oauth2_credential_provider();
    "GetPolicy" => get_policy("policyEngineId": set_policy_engine_id, "policyId": set_policy_id);
    "GetPolicyEngine" => get_policy_engine("policyEngineId": set_policy_engine_id);
    "GetResourcePolicy" => get_resource_policy("resourceArn": set_resource_arn);
    "ListApiKeyCredentialProviders" => list_api_key_credential_providers();
    "ListGatewayRateLimits" => list_gateway_rate_limits(
        "gatewayIdentifier": set_gateway_identifier,
        "nextToken": set_next_token
    );
    "ListGatewayRules" => list_gateway_rules(
        "gatewayIdentifier": set_gateway_identifier,
        "nextToken": set_next_token
    );
    "ListGatewayTargets" => list_gateway_targets(
        "gatewayIdentifier": set_gateway_identifier,
        "nextToken": set_next_token
    );
    "ListGateways" => list_gateways("nextToken": set_next_token);
    "ListHarnessEndpoints" => list_harness_endpoints(
        "harnessId": set_harness_id,
        "nextToken": set_next_token
    );
    "ListHarnessVersions" => list_harness_versions("harnessId": set_harness_id, "nextToken": set_next_token);
    "ListHarnesses" => list_harnesses("nextToken": set_next_token);
    "ListMemories" => list_memories();
    "ListOauth2CredentialProviders" => list_oauth2_credential_providers();
    "ListPolicies" => list_policies(
        "nextToken": set_next_token,
        "policyEngineId": set_policy_engine_id,
        "targetResourceScope": set_target_resource_scope
    );
    "ListPolicyEngines" => list_policy_engines("nextToken": set_next_token);
    "ListTagsForResource" => list_tags_for_resource("resourceArn": set_resource_arn);
    "PutResourcePolicy" => put_resource_policy("resourceArn": set_resource_arn);
    "TagResource" => tag_resource("resourceArn": set_resource_arn);
    "UntagResource" => untag_resource("resourceArn": set_resource_arn, "tagKeys": set_tag_keys);
    "UpdateApiKeyCredentialProvider" => update_api_key_credential_provider();
    "UpdateGateway" => update_gateway("gatewayIdentifier": set_gateway_identifier);
    "UpdateGatewayRateLimit" => update_gateway_rate_limit(
        "gatewayIdentifier": set_gateway_identifier,
        "rateLimitId": set_rate_limit_id
    );
    "UpdateGatewayRule" => update_gateway_rule(
        "gatewayIdentifier": set_gateway_identifier,
        "ruleId": set_rule_id
    );
    "UpdateGatewayTarget" => update_gateway_target(
        "gatewayIdentifier": set_gateway_identifier,
        "targetId": set_target_id
    );
    "UpdateHarness" => update_harness("harnessId": set_harness_id);
    "UpdateHarnessEndpoint" => update_harness_endpoint(
        "harnessId": set_harness_id,
        "endpointName": set_endpoint_name
    );
    "UpdateMemory" => update_memory("memoryId": set_memory_id);
    "UpdateOauth2CredentialProvider" => update_oauth2_credential_provider();
    "UpdatePolicy" => update_policy("policyEngineId": set_policy_engine_id, "policyId": set_policy_id);
    "UpdatePolicyEngine" => update_policy_engine("policyEngineId": set_policy_engine_id);
}
