"""Whether what documents asked for is what the world shows: each is read back, and its members are compared with those
shown."""

import json

from botocore.exceptions import ClientError


def own(*names, **others):
    """Asks by members of the document under the same names, and by members under others."""
    return lambda asked, made: {
        **{name: asked[name] for name in names if name in asked},
        **{name: asked[other] for name, other in others.items()},
    }


def made(*names, within=None, **others):
    """Asks by members of the answer that made the thing."""
    return lambda asked, answer: {
        **{name: (answer[within] if within else answer)[name] for name in names},
        **{name: (answer[within] if within else answer)[other] for name, other in others.items()},
    }


def queue(asked, _):
    return {"QueueUrl": asked["QueueUrl"], "AttributeNames": ["All"]}


#: For a kind: the operation that shows it, how that is asked, and where the thing is in the answer.
READ = {
    "ActionGroup": ("get_agent_action_group", made("agentId", "agentVersion", "actionGroupId", within="agentActionGroup"), "agentActionGroup"),
    "Agent": ("get_agent", made("agentId", within="agent"), "agent"),
    "AgentAlias": ("get_agent_alias", made("agentId", "agentAliasId", within="agentAlias"), "agentAlias"),
    "AgentCollaborator": ("get_agent_collaborator", made("agentId", "agentVersion", "collaboratorId", within="agentCollaborator"), "agentCollaborator"),
    "AgentKnowledgeBase": ("get_agent_knowledge_base", made("agentId", "agentVersion", "knowledgeBaseId", within="agentKnowledgeBase"), "agentKnowledgeBase"),
    "Alarm": ("describe_alarms", lambda asked, _: {"AlarmNames": [asked["AlarmName"]]}, "MetricAlarms"),
    "ApiKeyProvider": ("get_api_key_credential_provider", own("name"), None),
    "ApprovalQueue": ("get_queue_attributes", lambda _, answer: queue(answer, None), None),
    "BucketPolicy": ("get_bucket_policy", own("Bucket"), None),
    "Budget": ("describe_budget", lambda asked, _: {"AccountId": asked["AccountId"], "BudgetName": asked["Budget"]["BudgetName"]}, None),
    "BudgetAction": ("describe_budget_action", made("AccountId", "BudgetName", "ActionId"), "Action"),
    "CedarPolicy": ("get_policy", made("policyEngineId", "policyId"), None),
    "Delivery": ("get_delivery", made("id", within="delivery"), "delivery"),
    "DeliveryDestination": ("get_delivery_destination", own("name"), "deliveryDestination"),
    "DeliverySource": ("get_delivery_source", own("name"), "deliverySource"),
    "EventInvokeConfig": ("get_function_event_invoke_config", own("FunctionName"), None),
    "EventSourceMapping": ("get_event_source_mapping", made("UUID"), None),
    "Function": ("get_function", own("FunctionName"), "Configuration"),
    "FunctionConcurrency": ("get_function_concurrency", own("FunctionName"), None),
    "Gateway": ("get_gateway", made(gatewayIdentifier="gatewayId"), None),
    "GatewayRateLimit": ("get_gateway_rate_limit", own("gatewayIdentifier", "rateLimitId"), None),
    "GatewayTarget": ("get_gateway_target", lambda asked, answer: {"gatewayIdentifier": asked["gatewayIdentifier"], "targetId": answer["targetId"]}, None),
    "Guardrail": ("get_guardrail", made(guardrailIdentifier="guardrailId"), None),
    "GuardrailVersion": ("get_guardrail", made(guardrailIdentifier="guardrailId", guardrailVersion="version"), None),
    "Harness": ("get_harness", made("harnessId", within="harness"), "harness"),
    "HarnessEndpoint": ("get_harness_endpoint", own("harnessId", "endpointName"), "endpoint"),
    "InferenceProfile": ("get_inference_profile", made(inferenceProfileIdentifier="inferenceProfileArn"), None),
    "InvocationLogging": ("get_model_invocation_logging_configuration", own(), None),
    "LogGroup": ("describe_log_groups", own(logGroupNamePrefix="logGroupName"), "logGroups"),
    "LogKey": ("describe_log_groups", own(logGroupNamePrefix="logGroupName"), "logGroups"),
    "LogRetention": ("describe_log_groups", own(logGroupNamePrefix="logGroupName"), "logGroups"),
    "LogStream": ("describe_log_streams", own("logGroupName", logStreamNamePrefix="logStreamName"), "logStreams"),
    "Memory": ("get_memory", made(memoryId="id", within="memory"), "memory"),
    "Oauth2Provider": ("get_oauth2_credential_provider", own("name"), None),
    "PodIdentityAssociation": ("describe_pod_identity_association", made("clusterName", "associationId", within="association"), "association"),
    "Policy": ("get_policy", made(PolicyArn="Arn", within="Policy"), "Policy"),
    "PolicyEngine": ("get_policy_engine", made("policyEngineId"), None),
    "QueryDefinition": ("describe_query_definitions", own(queryDefinitionNamePrefix="name"), "queryDefinitions"),
    "QueuePolicy": ("get_queue_attributes", queue, None),
    "QueueRedrive": ("get_queue_attributes", queue, None),
    "Role": ("get_role", own("RoleName"), "Role"),
    "Rule": ("describe_rule", own("Name", "EventBusName"), None),
    "RuleTargets": ("list_targets_by_rule", own("Rule", "EventBusName"), None),
    "Schedule": ("get_schedule", own("Name", "GroupName"), None),
    "ScheduleGroup": ("get_schedule_group", own("Name"), None),
    "SecretPolicy": ("get_resource_policy", own("SecretId"), None),
    "StateMachine": ("describe_state_machine", made("stateMachineArn"), None),
    "Subscription": ("get_subscription_attributes", made("SubscriptionArn"), "Attributes"),
    "Table": ("describe_table", own("TableName"), "Table"),
    "TimeToLive": ("describe_time_to_live", own("TableName"), "TimeToLiveDescription"),
    "TraceDestination": ("get_trace_segment_destination", own(), None),
    "Trail": ("get_trail", own("Name"), "Trail"),
    "TrailSelectors": ("get_event_selectors", own("TrailName"), None),
}  # fmt: skip

#: Members that the services themselves show in another way or place, or not at all: tags, secrets, what only names the thing, and
#: what is only about the call.
ELSEWHERE = {
    "*": {"tags", "Tags", "TagsList", "ResourceTags"},
    "ApiKeyProvider": {"apiKeySecretConfig"},
    "ApprovalQueue": {"QueueName"},
    "BucketPolicy": {"Bucket"},
    "Budget": {"AccountId", "NotificationsWithSubscribers"},
    "BudgetAction": {"AccountId"},
    "CedarPolicy": {"validationMode"},
    "DeliverySource": {"resourceArn"},
    "EventInvokeConfig": {"FunctionName", "Qualifier"},
    "EventSourceMapping": {"Enabled", "FunctionName"},
    "Function": {"Code"},
    "FunctionConcurrency": {"FunctionName"},
    "GatewayTarget": {"gatewayIdentifier"},
    "Guardrail": {"contentPolicyConfig", "contextualGroundingPolicyConfig", "sensitiveInformationPolicyConfig", "topicPolicyConfig"},
    "GuardrailVersion": {"guardrailIdentifier"},
    "InferenceProfile": {"modelSource"},
    "LogStream": {"logGroupName"},
    "Oauth2Provider": {"oauth2ProviderConfigInput"},
    "Policy": {"PolicyDocument"},
    "QueuePolicy": {"QueueUrl"},
    "QueueRedrive": {"QueueUrl"},
    "Role": {"AttachedManagedPolicies", "PermissionsBoundary"},
    "RuleTargets": {"EventBusName", "Rule"},
    "SecretPolicy": {"BlockPublicPolicy", "SecretId"},
    "Subscription": {"Attributes", "ReturnSubscriptionArn"},
    "Table": {"BillingMode", "SSESpecification"},
    "TimeToLive": {"TableName", "TimeToLiveSpecification"},
    "TraceDestination": {"CloudWatchLogsConfiguration"},
    "Trail": {"EnableLogFileValidation"},
    "TrailSelectors": {"TrailName"},
}  # fmt: skip


def unshown(client, kind, asked, answer):
    """The members of a document that are not shown as they were asked for."""
    operation, ask, place = READ[kind]
    try:
        shown = getattr(client, operation)(**ask(asked, answer))
    except ClientError as error:
        return [f"cannot be read: {error}"]
    shown = shown[place] if place else shown
    shown = shown[0] if isinstance(shown, list) else shown
    known = {key.lower(): value for key, value in shown.items()}
    left = {key: value for key, value in asked.items() if key not in ELSEWHERE["*"] | ELSEWHERE.get(kind, set())}
    return [key for key, value in left.items() if not covers(plain(value), plain(known.get(key.lower())))]


def plain(value):
    """A value in which texts of JSON are what they say."""
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            return plain(json.loads(value))
        except ValueError:
            return value
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    return [plain(one) for one in value] if isinstance(value, (list, tuple)) else value


def covers(asked, shown):
    """Whether everything that was asked for is shown; more may be."""
    if isinstance(asked, dict) and isinstance(shown, dict):
        return all(key in shown and covers(value, shown[key]) for key, value in asked.items())
    if isinstance(asked, list) and isinstance(shown, list):
        return len(asked) == len(shown) and all(map(covers, asked, shown))
    return asked == shown or str(asked) == str(shown)
