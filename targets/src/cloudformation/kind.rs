//! What every kind of document of IAM and Bedrock is in a template.
//!
//! Types, properties and attributes are those of the CloudFormation resource schemas of 2026-10-20. Tests compare them
//! with the schemas that `cfn-lint` brings along, and with each kind that the targets have.

use super::shape::{ATTRIBUTES, DATA, DOCUMENT, DOCUMENTS, DROPPED, PAIRS, PLAIN, SCHEMA, Shape, VERBATIM};
use crate::artifact::Address;

/// A kind of document.
#[derive(Debug)]
pub(super) struct Kind {
    /// The target that makes it.
    target: &'static str,
    /// Its name there.
    name: &'static str,
    pub(super) place: Place,
    /// How its members are written.
    pub(super) shape: Shape,
    /// Members of the answer that creates it, each with the attribute that `Fn::GetAtt` has for it.
    pub(super) answers: &'static [(&'static str, &'static str)],
}

/// Where a document goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// It is a resource of a type, and something happens when the template lacks it.
    Resource(&'static str, Removal),
    /// It is an item of a list of the resource that this member refers to.
    Part { host: &'static str, list: &'static str },
    /// Its members are properties of the document of this kind that has its name.
    Within(&'static str),
    /// It stands in the function that refers to it.
    Code,
    /// CloudFormation has no type for it. It stays a document beside the templates, and a finding says so.
    Beside,
}

/// What happens to a thing that a template no longer has, or that an update replaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Removal {
    /// It goes.
    Deleted,
    /// It stays, since it holds what people said.
    Retained,
    /// It goes with the stack. When it is replaced it stays, since older versions of an agent refer to it, since
    /// somebody has not answered yet, or since it says what was done.
    KeptWhenReplaced,
}

impl Kind {
    /// What a document is in a template; nothing for what nobody thought of.
    pub(super) fn of(address: &Address) -> Option<&'static Self> {
        KINDS.iter().find(|kind| kind.target == address.target && kind.name == address.kind)
    }

    /// The attribute that stands for a member of an answer.
    pub(super) fn attribute(&self, member: &str) -> Option<&'static str> {
        self.answers.iter().find(|(own, _)| *own == member).map(|(_, attribute)| *attribute)
    }
}

/// A kind that is a resource, and that goes when its template no longer has it.
const fn resource(target: &'static str, name: &'static str, kind: &'static str, shape: Shape) -> Kind {
    Kind { target, name, place: Place::Resource(kind, Removal::Deleted), shape, answers: &[] }
}

/// A kind that is an item of a list of its agent. Which agent that is, and that it is the draft, goes without saying.
const fn part(name: &'static str, list: &'static str, shape: Shape) -> Kind {
    Kind { target: "bedrock", name, place: Place::Part { host: "agentId", list }, shape, answers: &[] }
}

/// A kind whose members are properties of another kind. Which document that is goes without saying.
const fn within(name: &'static str, host: &'static str, shape: Shape) -> Kind {
    Kind { target: "bedrock", name, place: Place::Within(host), shape, answers: &[] }
}

impl Kind {
    /// With attributes that others refer to.
    const fn answering(mut self, answers: &'static [(&'static str, &'static str)]) -> Self {
        self.answers = answers;
        self
    }

    const fn removed(mut self, removal: Removal) -> Self {
        if let Place::Resource(kind, _) = self.place {
            self.place = Place::Resource(kind, removal);
        }
        self
    }
}

static FUNCTIONS: Shape = Shape::Members(&[("functions", "Functions", &FUNCTION)]);
static FUNCTION: Shape = Shape::Members(&[("parameters", "Parameters", &DATA)]);
static API: Shape = Shape::Members(&[("payload", "Payload", &DOCUMENT)]);
static ENVIRONMENT: Shape = Shape::Members(&[("Variables", "Variables", &DOCUMENTS)]);
static POLICY: Shape = Shape::Members(&[("Policy", "PolicyDocument", &VERBATIM)]);
static POLICY_BESIDE: Shape = Shape::Lifted(&POLICY);
static REDRIVE: Shape = Shape::Members(&[("RedrivePolicy", "RedrivePolicy", &VERBATIM)]);
static REDRIVE_BESIDE: Shape = Shape::Lifted(&REDRIVE);
static SCHEDULED: Shape = Shape::Members(&[("Input", "Input", &DOCUMENT)]);
static ENCRYPTED: Shape = Shape::Members(&[("Enabled", "SSEEnabled", &PLAIN)]);
static ENTRIES: Shape = Shape::Members(&[("dimensions", "Dimensions", &DATA)]);
static TARGET: Shape = Shape::Members(&[("mcp", "Mcp", &MCP)]);
static MCP: Shape = Shape::Members(&[("lambda", "Lambda", &LAMBDA), ("mcpServer", "McpServer", &SERVER)]);
static SERVER: Shape = Shape::Members(&[("mcpToolSchema", "McpToolSchema", &LISTED)]);
static LISTED: Shape = Shape::Members(&[("inlinePayload", "InlinePayload", &DOCUMENT)]);
static LAMBDA: Shape = Shape::Members(&[("toolSchema", "ToolSchema", &TOOLS)]);
static TOOLS: Shape = Shape::Members(&[("inlinePayload", "InlinePayload", &TOOL)]);
static TOOL: Shape =
    Shape::Members(&[("inputSchema", "InputSchema", &SCHEMA), ("outputSchema", "OutputSchema", &SCHEMA)]);

/// The path of a policy is its mark of ownership; a template has no tags for it.
static KINDS: &[Kind] = &[
    resource(
        "iam",
        "Role",
        "AWS::IAM::Role",
        Shape::Members(&[
            ("AssumeRolePolicyDocument", "AssumeRolePolicyDocument", &VERBATIM),
            ("AttachedManagedPolicies", "ManagedPolicyArns", &PLAIN),
        ]),
    ),
    resource(
        "iam",
        "Policy",
        "AWS::IAM::ManagedPolicy",
        Shape::Members(&[
            ("PolicyName", "ManagedPolicyName", &PLAIN),
            ("PolicyDocument", "PolicyDocument", &VERBATIM),
            ("Tags", "", &DROPPED),
        ]),
    ),
    resource("bedrock", "Agent", "AWS::Bedrock::Agent", Shape::Members(&[("tags", "Tags", &DATA)]))
        .answering(&[("agent.agentId", "AgentId"), ("agent.agentArn", "AgentArn")]),
    part(
        "ActionGroup",
        "ActionGroups",
        Shape::Members(&[
            ("agentId", "", &DROPPED),
            ("agentVersion", "", &DROPPED),
            ("apiSchema", "ApiSchema", &API),
            ("functionSchema", "FunctionSchema", &FUNCTIONS),
        ]),
    ),
    part(
        "AgentCollaborator",
        "AgentCollaborators",
        Shape::Members(&[("agentId", "", &DROPPED), ("agentVersion", "", &DROPPED)]),
    ),
    part(
        "AgentKnowledgeBase",
        "KnowledgeBases",
        Shape::Members(&[("agentId", "", &DROPPED), ("agentVersion", "", &DROPPED)]),
    ),
    resource("bedrock", "AgentAlias", "AWS::Bedrock::AgentAlias", Shape::Members(&[("tags", "Tags", &DATA)]))
        .answering(&[
            ("agentAlias.agentAliasArn", "AgentAliasArn"),
            ("agentAlias.agentAliasId", "AgentAliasId"),
        ]),
    resource(
        "bedrock",
        "ApiKeyProvider",
        "AWS::BedrockAgentCore::ApiKeyCredentialProvider",
        Shape::Members(&[("tags", "Tags", &PAIRS)]),
    )
    .answering(&[("credentialProviderArn", "CredentialProviderArn")]),
    resource(
        "bedrock",
        "ApprovalQueue",
        "AWS::SQS::Queue",
        Shape::Members(&[("Attributes", "", &ATTRIBUTES), ("tags", "Tags", &PAIRS)]),
    )
    .removed(Removal::KeptWhenReplaced),
    resource("bedrock", "CedarPolicy", "AWS::BedrockAgentCore::Policy", Shape::Members(&[])),
    resource("bedrock", "EventInvokeConfig", "AWS::Lambda::EventInvokeConfig", Shape::Members(&[])),
    resource(
        "bedrock",
        "EventSourceMapping",
        "AWS::Lambda::EventSourceMapping",
        Shape::Members(&[("Tags", "Tags", &PAIRS)]),
    ),
    resource(
        "bedrock",
        "Function",
        "AWS::Lambda::Function",
        Shape::Members(&[("Environment", "Environment", &ENVIRONMENT), ("Tags", "Tags", &PAIRS)]),
    ),
    Kind {
        target: "bedrock",
        name: "FunctionCode",
        place: Place::Code,
        shape: Shape::Verbatim,
        answers: &[],
    },
    within("FunctionConcurrency", "Function", Shape::Members(&[("FunctionName", "", &DROPPED)])),
    resource(
        "bedrock",
        "FunctionPermission",
        "AWS::Lambda::Permission",
        Shape::Members(&[("StatementId", "", &DROPPED)]),
    ),
    resource(
        "bedrock",
        "Gateway",
        "AWS::BedrockAgentCore::Gateway",
        Shape::Members(&[("tags", "Tags", &DATA)]),
    )
    .answering(&[("gatewayId", "GatewayIdentifier"), ("gatewayArn", "GatewayArn")]),
    resource(
        "bedrock",
        "GatewayRateLimit",
        "AWS::BedrockAgentCore::GatewayRateLimit",
        Shape::Members(&[("entries", "Entries", &ENTRIES)]),
    ),
    resource(
        "bedrock",
        "GatewayTarget",
        "AWS::BedrockAgentCore::GatewayTarget",
        Shape::Members(&[("targetConfiguration", "TargetConfiguration", &TARGET)]),
    ),
    resource("bedrock", "Guardrail", "AWS::Bedrock::Guardrail", Shape::Members(&[]))
        .answering(&[("guardrailId", "GuardrailId")]),
    resource("bedrock", "GuardrailVersion", "AWS::Bedrock::GuardrailVersion", Shape::Members(&[]))
        .answering(&[("version", "Version")])
        .removed(Removal::KeptWhenReplaced),
    resource(
        "bedrock",
        "Harness",
        "AWS::BedrockAgentCore::Harness",
        Shape::Members(&[("tags", "Tags", &PAIRS)]),
    )
    .answering(&[
        ("harness.arn", "Arn"),
        ("harness.harnessId", "HarnessId"),
        ("harness.harnessVersion", "Version"),
    ]),
    resource(
        "bedrock",
        "HarnessEndpoint",
        "AWS::BedrockAgentCore::HarnessEndpoint",
        Shape::Members(&[("tags", "Tags", &PAIRS)]),
    ),
    resource("bedrock", "InferenceProfile", "AWS::Bedrock::ApplicationInferenceProfile", Shape::Members(&[]))
        .answering(&[("inferenceProfileArn", "InferenceProfileArn")]),
    Kind {
        target: "bedrock",
        name: "InvocationLogging",
        place: Place::Beside,
        shape: Shape::Verbatim,
        answers: &[],
    },
    resource("bedrock", "LogGroup", "AWS::Logs::LogGroup", Shape::Members(&[("tags", "Tags", &PAIRS)]))
        .removed(Removal::KeptWhenReplaced),
    within("LogRetention", "LogGroup", Shape::Members(&[("logGroupName", "", &DROPPED)])),
    resource(
        "bedrock",
        "Memory",
        "AWS::BedrockAgentCore::Memory",
        Shape::Members(&[("tags", "Tags", &DATA)]),
    )
    .answering(&[("memory.arn", "MemoryArn")])
    .removed(Removal::Retained),
    resource(
        "bedrock",
        "Oauth2Provider",
        "AWS::BedrockAgentCore::OAuth2CredentialProvider",
        Shape::Members(&[("tags", "Tags", &PAIRS)]),
    )
    .answering(&[("credentialProviderArn", "CredentialProviderArn")]),
    resource(
        "bedrock",
        "PolicyEngine",
        "AWS::BedrockAgentCore::PolicyEngine",
        Shape::Members(&[("tags", "Tags", &PAIRS)]),
    )
    .answering(&[("policyEngineId", "PolicyEngineId"), ("policyEngineArn", "PolicyEngineArn")]),
    resource(
        "bedrock",
        "QueuePolicy",
        "AWS::SQS::QueueInlinePolicy",
        Shape::Members(&[("QueueUrl", "Queue", &PLAIN), ("Attributes", "", &POLICY_BESIDE)]),
    ),
    Kind {
        target: "bedrock",
        name: "QueueRedrive",
        place: Place::Beside,
        shape: Shape::Verbatim,
        answers: &[],
    },
    resource(
        "bedrock",
        "Rule",
        "AWS::Events::Rule",
        Shape::Members(&[("EventPattern", "EventPattern", &VERBATIM)]),
    ),
    within("RuleTargets", "Rule", Shape::Members(&[("Rule", "", &DROPPED), ("EventBusName", "", &DROPPED)])),
    resource(
        "bedrock",
        "Schedule",
        "AWS::Scheduler::Schedule",
        Shape::Members(&[("Target", "Target", &SCHEDULED)]),
    ),
    resource("bedrock", "ScheduleGroup", "AWS::Scheduler::ScheduleGroup", Shape::Members(&[])),
    resource(
        "bedrock",
        "StateMachine",
        "AWS::StepFunctions::StateMachine",
        Shape::Members(&[
            ("name", "StateMachineName", &PLAIN),
            ("definition", "DefinitionString", &DOCUMENT),
            ("type", "StateMachineType", &PLAIN),
        ]),
    ),
    resource(
        "bedrock",
        "Subscription",
        "AWS::SNS::Subscription",
        Shape::Members(&[("Attributes", "", &REDRIVE_BESIDE), ("ReturnSubscriptionArn", "", &DROPPED)]),
    ),
    resource(
        "bedrock",
        "Table",
        "AWS::DynamoDB::Table",
        Shape::Members(&[("SSESpecification", "SSESpecification", &ENCRYPTED)]),
    )
    .removed(Removal::KeptWhenReplaced),
    within("TimeToLive", "Table", Shape::Members(&[("TableName", "", &DROPPED)])),
];
