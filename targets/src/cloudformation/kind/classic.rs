//! Agents on Agents Classic with what belongs to them, guardrails, inference profiles and logging.

use super::super::shape::{DATA, DOCUMENT, DROPPED, PLAIN, Shape};
use super::{Kind, Place, Removal};

static FUNCTIONS: Shape = Shape::Members(&[("functions", "Functions", &FUNCTION)]);
static FUNCTION: Shape = Shape::Members(&[("parameters", "Parameters", &DATA)]);
static API: Shape = Shape::Members(&[("payload", "Payload", &DOCUMENT)]);

/// Its members stand beside each other.
static ENFORCED: Shape = Shape::Lifted(&PLAIN);

/// An item of a list of its agent. Which agent that is, and that it is the draft, goes without saying.
const fn item(name: &'static str, list: &'static str, shape: Shape) -> Kind {
    Kind::new(name, Place::Item { host: "agentId", list }, shape)
}

pub(super) static KINDS: &[Kind] = &[
    Kind::resource("Agent", "AWS::Bedrock::Agent", Shape::Members(&[("tags", "Tags", &DATA)]))
        .answering(&[("agent.agentId", "AgentId"), ("agent.agentArn", "AgentArn")]),
    item(
        "ActionGroup",
        "ActionGroups",
        Shape::Members(&[
            ("agentId", "", &DROPPED),
            ("agentVersion", "", &DROPPED),
            ("apiSchema", "ApiSchema", &API),
            ("functionSchema", "FunctionSchema", &FUNCTIONS),
        ]),
    ),
    item(
        "AgentCollaborator",
        "AgentCollaborators",
        Shape::Members(&[("agentId", "", &DROPPED), ("agentVersion", "", &DROPPED)]),
    ),
    item(
        "AgentKnowledgeBase",
        "KnowledgeBases",
        Shape::Members(&[("agentId", "", &DROPPED), ("agentVersion", "", &DROPPED)]),
    ),
    Kind::resource("AgentAlias", "AWS::Bedrock::AgentAlias", Shape::Members(&[("tags", "Tags", &DATA)]))
        .answering(&[
            ("agentAlias.agentAliasArn", "AgentAliasArn"),
            ("agentAlias.agentAliasId", "AgentAliasId"),
        ])
        .telling("AgentAliasArn"),
    Kind::resource("Guardrail", "AWS::Bedrock::Guardrail", Shape::Members(&[]))
        .answering(&[("guardrailId", "GuardrailId")]),
    Kind::resource("GuardrailVersion", "AWS::Bedrock::GuardrailVersion", Shape::Members(&[]))
        .answering(&[("version", "Version")])
        .removed(Removal::KeptWhenReplaced),
    Kind::resource(
        "EnforcedGuardrail",
        "AWS::Bedrock::EnforcedGuardrailConfiguration",
        Shape::Members(&[("guardrailInferenceConfig", "", &ENFORCED)]),
    ),
    Kind::resource("InferenceProfile", "AWS::Bedrock::ApplicationInferenceProfile", Shape::Members(&[]))
        .answering(&[("inferenceProfileArn", "InferenceProfileArn")]),
    Kind::new(
        "InvocationLogging",
        Place::Beside("CloudFormation has no resource type for the logging of invocations"),
        Shape::Verbatim,
    ),
];
