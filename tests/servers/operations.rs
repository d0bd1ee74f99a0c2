//! Every operation that a document of our examples needs in its life is one that the server plays.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};

use super::shared;
use crate::harness::{files_below, read, root};

/// What a kind of document is made, seen, changed and removed by: the kind, the service, and its operations.
const LIVES: &[(&str, &str, &str)] = &[
    (
        "iam/Role",
        "iam",
        "CreateRole GetRole ListRoles UpdateRole UpdateAssumeRolePolicy AttachRolePolicy DetachRolePolicy \
         ListAttachedRolePolicies PutRolePolicy GetRolePolicy ListRolePolicies DeleteRolePolicy \
         PutRolePermissionsBoundary DeleteRolePermissionsBoundary TagRole UntagRole ListRoleTags DeleteRole \
         ListInstanceProfilesForRole CreateInstanceProfile AddRoleToInstanceProfile \
         RemoveRoleFromInstanceProfile DeleteInstanceProfile",
    ),
    (
        "iam/Policy",
        "iam",
        "CreatePolicy GetPolicy GetPolicyVersion ListPolicies CreatePolicyVersion ListPolicyVersions \
         SetDefaultPolicyVersion DeletePolicyVersion TagPolicy UntagPolicy ListPolicyTags \
         ListEntitiesForPolicy DeletePolicy",
    ),
    (
        "iam/ServiceControlPolicy",
        "organizations",
        "CreatePolicy DescribePolicy UpdatePolicy AttachPolicy DeletePolicy",
    ),
    ("iam/BucketPolicy", "s3", "PutBucketPolicy GetBucketPolicy DeleteBucketPolicy"),
    ("iam/BucketStatements", "s3", "PutBucketPolicy GetBucketPolicy DeleteBucketPolicy"),
    ("iam/KeyStatements", "kms", "PutKeyPolicy GetKeyPolicy"),
    ("iam/SecretPolicy", "secretsmanager", "PutResourcePolicy GetResourcePolicy DeleteResourcePolicy"),
    ("iam/EndpointPolicy", "ec2", "ModifyVpcEndpoint DescribeVpcEndpoints"),
    (
        "bedrock/Agent",
        "bedrock-agent",
        "CreateAgent GetAgent ListAgents UpdateAgent PrepareAgent DeleteAgent TagResource UntagResource \
         ListTagsForResource",
    ),
    (
        "bedrock/ActionGroup",
        "bedrock-agent",
        "CreateAgentActionGroup GetAgentActionGroup ListAgentActionGroups UpdateAgentActionGroup \
         DeleteAgentActionGroup",
    ),
    (
        "bedrock/AgentAlias",
        "bedrock-agent",
        "CreateAgentAlias GetAgentAlias ListAgentAliases UpdateAgentAlias DeleteAgentAlias GetAgentVersion \
         ListAgentVersions DeleteAgentVersion",
    ),
    (
        "bedrock/AgentCollaborator",
        "bedrock-agent",
        "AssociateAgentCollaborator GetAgentCollaborator ListAgentCollaborators UpdateAgentCollaborator \
         DisassociateAgentCollaborator",
    ),
    (
        "bedrock/AgentKnowledgeBase",
        "bedrock-agent",
        "AssociateAgentKnowledgeBase GetAgentKnowledgeBase ListAgentKnowledgeBases UpdateAgentKnowledgeBase \
         DisassociateAgentKnowledgeBase",
    ),
    (
        "bedrock/Guardrail",
        "bedrock",
        "CreateGuardrail GetGuardrail ListGuardrails UpdateGuardrail DeleteGuardrail TagResource UntagResource \
         ListTagsForResource",
    ),
    (
        "bedrock/GuardrailVersion",
        "bedrock",
        "CreateGuardrailVersion GetGuardrail ListGuardrails DeleteGuardrail",
    ),
    (
        "bedrock/EnforcedGuardrail",
        "bedrock",
        "PutEnforcedGuardrailConfiguration ListEnforcedGuardrailsConfiguration \
         DeleteEnforcedGuardrailConfiguration",
    ),
    (
        "bedrock/InferenceProfile",
        "bedrock",
        "CreateInferenceProfile GetInferenceProfile ListInferenceProfiles DeleteInferenceProfile",
    ),
    (
        "bedrock/InvocationLogging",
        "bedrock",
        "PutModelInvocationLoggingConfiguration GetModelInvocationLoggingConfiguration \
         DeleteModelInvocationLoggingConfiguration",
    ),
    (
        "bedrock/ApiKeyProvider",
        CONTROL,
        "CreateApiKeyCredentialProvider GetApiKeyCredentialProvider ListApiKeyCredentialProviders \
         UpdateApiKeyCredentialProvider DeleteApiKeyCredentialProvider",
    ),
    (
        "bedrock/Oauth2Provider",
        CONTROL,
        "CreateOauth2CredentialProvider GetOauth2CredentialProvider ListOauth2CredentialProviders \
         UpdateOauth2CredentialProvider DeleteOauth2CredentialProvider",
    ),
    (
        "bedrock/PolicyEngine",
        CONTROL,
        "CreatePolicyEngine GetPolicyEngine ListPolicyEngines UpdatePolicyEngine DeletePolicyEngine",
    ),
    ("bedrock/CedarPolicy", CONTROL, "CreatePolicy GetPolicy ListPolicies UpdatePolicy DeletePolicy"),
    (
        "bedrock/Gateway",
        CONTROL,
        "CreateGateway GetGateway ListGateways UpdateGateway DeleteGateway TagResource UntagResource \
         ListTagsForResource PutResourcePolicy GetResourcePolicy DeleteResourcePolicy",
    ),
    (
        "bedrock/GatewayTarget",
        CONTROL,
        "CreateGatewayTarget GetGatewayTarget ListGatewayTargets UpdateGatewayTarget DeleteGatewayTarget",
    ),
    (
        "bedrock/GatewayRateLimit",
        CONTROL,
        "CreateGatewayRateLimit GetGatewayRateLimit ListGatewayRateLimits UpdateGatewayRateLimit \
         DeleteGatewayRateLimit CreateGatewayRule GetGatewayRule ListGatewayRules UpdateGatewayRule \
         DeleteGatewayRule",
    ),
    (
        "bedrock/Harness",
        CONTROL,
        "CreateHarness GetHarness ListHarnesses ListHarnessVersions UpdateHarness DeleteHarness \
         CreateAgentRuntime GetAgentRuntime ListAgentRuntimes ListAgentRuntimeVersions UpdateAgentRuntime \
         DeleteAgentRuntime",
    ),
    (
        "bedrock/HarnessEndpoint",
        CONTROL,
        "CreateHarnessEndpoint GetHarnessEndpoint ListHarnessEndpoints UpdateHarnessEndpoint \
         DeleteHarnessEndpoint CreateAgentRuntimeEndpoint GetAgentRuntimeEndpoint ListAgentRuntimeEndpoints \
         UpdateAgentRuntimeEndpoint DeleteAgentRuntimeEndpoint",
    ),
    ("bedrock/Memory", CONTROL, "CreateMemory GetMemory ListMemories UpdateMemory DeleteMemory"),
    (
        "bedrock/StateMachine",
        "stepfunctions",
        "CreateStateMachine DescribeStateMachine ListStateMachines UpdateStateMachine DeleteStateMachine \
         TagResource ListTagsForResource",
    ),
    ("*/Function", "lambda", FUNCTION),
    (
        "*/FunctionConcurrency",
        "lambda",
        "PutFunctionConcurrency GetFunctionConcurrency DeleteFunctionConcurrency",
    ),
    ("bedrock/FunctionPermission", "lambda", "AddPermission GetPolicy RemovePermission"),
    (
        "bedrock/EventInvokeConfig",
        "lambda",
        "PutFunctionEventInvokeConfig GetFunctionEventInvokeConfig UpdateFunctionEventInvokeConfig \
         DeleteFunctionEventInvokeConfig",
    ),
    (
        "*/EventSourceMapping",
        "lambda",
        "CreateEventSourceMapping GetEventSourceMapping ListEventSourceMappings UpdateEventSourceMapping \
         DeleteEventSourceMapping",
    ),
    ("bedrock/ApprovalQueue", "sqs", QUEUE),
    ("bedrock/QueuePolicy", "sqs", "SetQueueAttributes GetQueueUrl GetQueueAttributes"),
    ("*/QueueRedrive", "sqs", "SetQueueAttributes GetQueueUrl GetQueueAttributes"),
    ("bedrock/Rule", "events", "PutRule DescribeRule ListRules DeleteRule TagResource ListTagsForResource"),
    ("bedrock/RuleTargets", "events", "PutTargets ListTargetsByRule RemoveTargets"),
    (
        "bedrock/Schedule",
        "scheduler",
        "CreateSchedule GetSchedule ListSchedules UpdateSchedule DeleteSchedule",
    ),
    (
        "bedrock/ScheduleGroup",
        "scheduler",
        "CreateScheduleGroup GetScheduleGroup ListScheduleGroups DeleteScheduleGroup",
    ),
    (
        "bedrock/Subscription",
        "sns",
        "Subscribe GetSubscriptionAttributes ListSubscriptionsByTopic SetSubscriptionAttributes Unsubscribe",
    ),
    (
        "bedrock/Table",
        "dynamodb",
        "CreateTable DescribeTable UpdateTable DeleteTable TagResource ListTagsOfResource",
    ),
    ("bedrock/TimeToLive", "dynamodb", "UpdateTimeToLive DescribeTimeToLive"),
    ("*/LogGroup", "logs", "CreateLogGroup DescribeLogGroups DeleteLogGroup TagResource ListTagsForResource"),
    ("*/LogRetention", "logs", "PutRetentionPolicy DeleteRetentionPolicy"),
    ("bedrock/LogStream", "logs", "CreateLogStream DescribeLogStreams DeleteLogStream"),
    ("observability/LogKey", "logs", "AssociateKmsKey DisassociateKmsKey"),
    ("observability/LogPolicy", "logs", "PutResourcePolicy DescribeResourcePolicies DeleteResourcePolicy"),
    (
        "observability/QueryDefinition",
        "logs",
        "PutQueryDefinition DescribeQueryDefinitions DeleteQueryDefinition",
    ),
    ("observability/Delivery", "logs", "CreateDelivery GetDelivery DescribeDeliveries DeleteDelivery"),
    (
        "observability/DeliveryDestination",
        "logs",
        "PutDeliveryDestination GetDeliveryDestination DescribeDeliveryDestinations DeleteDeliveryDestination",
    ),
    (
        "observability/DeliverySource",
        "logs",
        "PutDeliverySource GetDeliverySource DescribeDeliverySources DeleteDeliverySource",
    ),
    ("observability/TraceDestination", "xray", "UpdateTraceSegmentDestination GetTraceSegmentDestination"),
    (
        "bedrock/Alarm",
        "cloudwatch",
        "PutMetricAlarm DescribeAlarms DeleteAlarms TagResource ListTagsForResource",
    ),
    (
        "observability/Alarm",
        "cloudwatch",
        "PutMetricAlarm DescribeAlarms DeleteAlarms TagResource ListTagsForResource",
    ),
    (
        "observability/Budget",
        "budgets",
        "CreateBudget DescribeBudget DescribeBudgets UpdateBudget DeleteBudget DescribeNotificationsForBudget \
         DescribeSubscribersForNotification CreateNotification DeleteNotification TagResource UntagResource \
         ListTagsForResource",
    ),
    (
        "observability/BudgetAction",
        "budgets",
        "CreateBudgetAction DescribeBudgetAction DescribeBudgetActionsForBudget \
         DescribeBudgetActionsForAccount UpdateBudgetAction DeleteBudgetAction",
    ),
    (
        "observability/Trail",
        "cloudtrail",
        "CreateTrail GetTrail DescribeTrails UpdateTrail DeleteTrail AddTags ListTags",
    ),
    ("observability/TrailLogging", "cloudtrail", "StartLogging StopLogging GetTrailStatus"),
    ("observability/TrailSelectors", "cloudtrail", "PutEventSelectors GetEventSelectors"),
    (
        "kubernetes/PodIdentityAssociation",
        "eks",
        "CreatePodIdentityAssociation DescribePodIdentityAssociation ListPodIdentityAssociations \
         UpdatePodIdentityAssociation DeletePodIdentityAssociation",
    ),
];

const CONTROL: &str = "bedrock-agentcore-control";
const FUNCTION: &str = "CreateFunction GetFunction ListFunctions UpdateFunctionCode UpdateFunctionConfiguration \
    DeleteFunction TagResource UntagResource ListTags";
const QUEUE: &str = "CreateQueue GetQueueUrl SetQueueAttributes GetQueueAttributes ListQueues DeleteQueue TagQueue \
    UntagQueue ListQueueTags";

/// Kinds that no operation of AWS makes: files of gateways, programs, templates and what other systems read.
const NONE: &[&str] = &[
    "bedrock/FunctionCode",
    "cloudformation/Template",
    "gateway/LiteLlmConfig",
    "gateway/LiteLlmHook",
    "gateway/LiteLlmTenants",
    "gateway/RoutingTable",
    "observability/GrafanaDashboard",
    "observability/PrometheusRules",
    "observability/PrometheusTests",
];

/// The kinds of documents in the goldens of all examples, for instance `bedrock/Agent`, but for those of clusters.
fn kinds() -> BTreeSet<String> {
    let examples = root().join("examples");
    let mut kinds = BTreeSet::new();
    for file in files_below(&examples) {
        let parts: Vec<&str> = file.split('/').collect();
        let [_, "expected", _, target, kind, .., _] = parts.as_slice() else { continue };
        if *target != "kubernetes" || is_request(&examples.join(&file)) {
            kinds.insert(format!("{target}/{kind}"));
        }
    }
    kinds
}

fn is_request(file: &Path) -> bool {
    serde_json::from_str::<Value>(&read(file)).is_ok_and(|document| document.get("$region").is_some())
}

fn lives_of(kind: &str) -> impl Iterator<Item = String> {
    let any = format!("*/{}", kind.rsplit('/').next().unwrap());
    let lives = LIVES.iter().filter(move |(of, ..)| [kind, any.as_str()].contains(of));
    let keys: Vec<String> = lives
        .flat_map(|(_, service, names)| names.split_whitespace().map(move |name| format!("{service}:{name}")))
        .collect();
    keys.into_iter()
}

/// The operation that a document of a kind is the request of: the first of its life. Nothing for what is no request, or only
/// a part of one.
pub(super) fn operation_of(kind: &str) -> Option<String> {
    lives_of(kind).next().filter(|_| !kind.ends_with("Statements"))
}

#[test]
fn whatever_the_examples_ask_of_aws_is_played() {
    let kinds = kinds();
    let lifeless: Vec<&String> = kinds
        .iter()
        .filter(|kind| lives_of(kind).next().is_none() && !NONE.contains(&kind.as_str()))
        .collect();
    assert!(lifeless.is_empty(), "`LIVES` says nothing of {lifeless:?}");
    assert!(kinds.contains("bedrock/Harness") && kinds.contains("bedrock/Agent"), "{kinds:?}");
    let keys: BTreeSet<String> = LIVES
        .iter()
        .flat_map(|(kind, ..)| lives_of(kind))
        .chain(kinds.iter().flat_map(|kind| lives_of(kind)))
        .collect();
    let lacking = shared().ask("operations", Some(&json!(keys)));
    assert_eq!(lacking, json!([]), "nobody plays these");
    println!("{} operations of {} kinds are played", keys.len(), kinds.len());
}

#[test]
fn what_nobody_plays_is_told() {
    let asked =
        json!(["iam:CreateRole", "iam:SimulateCustomPolicy", "bedrock-agent:CreateFlow", "sqs:MakeQueue"]);
    let lacking = shared().ask("operations", Some(&asked));
    assert_eq!(lacking, json!(["iam:SimulateCustomPolicy", "bedrock-agent:CreateFlow", "sqs:MakeQueue"]));
}
