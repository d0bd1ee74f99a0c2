//! Agents for Amazon Bedrock: agents, what belongs to their drafts, and their aliases.

use serde_json::Value;

use super::{PLAIN, TAG_MAP};
use crate::aws::life::{Echo, First, Life, List, Member, Tags, Update, Whole};
use crate::aws::services::Service;

pub(super) const LIVES: &[Life] = &[AGENT, ACTION_GROUP, KNOWLEDGE_BASE, COLLABORATOR, ALIAS];

const AGENT: Life = Life {
    words: &["bedrock/Agent"],
    service: Service::Agents,
    list: List {
        operation: "ListAgents",
        at: "agentSummaries",
        keys: &[("agentId", &["agentId"])],
        ..PLAIN.list
    },
    read: Some(("GetAgent", "agent")),
    create: ("CreateAgent", "agent"),
    update: Update::By("UpdateAgent", &[]),
    delete: "DeleteAgent",
    identity: &["agentName"],
    members: &[
        Member::Same("agentName"),
        Member::Same("agentResourceRoleArn"),
        Member::Same("foundationModel"),
        Member::Same("instruction"),
        Member::Same("description"),
        Member::Same("guardrailConfiguration"),
        Member::Same("memoryConfiguration"),
        Member::Same("customerEncryptionKeyArn"),
        Member::Same("agentCollaboration"),
        Member::Same("orchestrationType"),
        Member::Same("customOrchestration"),
        Member::Same("idleSessionTTLInSeconds"),
        Member::As("promptOverrideConfiguration", overridden),
    ],
    echoes: &[
        Echo::Usual("/agentCollaboration", r#""DISABLED""#),
        Echo::Usual("/orchestrationType", r#""DEFAULT""#),
        Echo::Usual("/idleSessionTTLInSeconds", "600"),
    ],
    tags: Some(&Tags { arn: ("resourceArn", "agentArn"), ..TAG_MAP }),
    states: &["agentStatus"],
    ..PLAIN
};

/// The prompts that somebody wrote: `GetAgent` shows those of the service as well.
fn overridden(shown: &Value, _: Option<&Value>) -> Option<Value> {
    let mut config = shown.get("promptOverrideConfiguration")?.clone();
    let prompts = config.get_mut("promptConfigurations")?.as_array_mut()?;
    prompts.retain(|prompt| prompt.get("promptCreationMode").is_some_and(|mode| mode == "OVERRIDDEN"));
    (!prompts.is_empty()).then_some(config)
}

/// The draft of an agent, to which its parts belong.
const DRAFT: Option<Whole> =
    Some(Whole { word: "bedrock/Agent", keys: &[("agentId", "agentId"), ("agentVersion", "=DRAFT")] });

const ACTION_GROUP: Life = Life {
    words: &["bedrock/ActionGroup"],
    service: Service::Agents,
    whole: DRAFT,
    list: List {
        operation: "ListAgentActionGroups",
        at: "actionGroupSummaries",
        keys: &[("actionGroupId", &["actionGroupId"])],
        ..PLAIN.list
    },
    read: Some(("GetAgentActionGroup", "agentActionGroup")),
    create: ("CreateAgentActionGroup", "agentActionGroup"),
    update: Update::By("UpdateAgentActionGroup", &["agentId", "agentVersion"]),
    delete: "DeleteAgentActionGroup",
    identity: &["agentId", "actionGroupName"],
    members: &[
        Member::Same("agentId"),
        Member::Same("agentVersion"),
        Member::Same("actionGroupName"),
        Member::Same("description"),
        Member::Same("actionGroupExecutor"),
        Member::Same("functionSchema"),
        Member::Same("apiSchema"),
        Member::At("parentActionGroupSignature", "/parentActionSignature"),
        Member::Same("actionGroupState"),
    ],
    echoes: &[Echo::Usual("/actionGroupState", r#""ENABLED""#)],
    texts: &["/apiSchema/payload"],
    states: &[],
    ..PLAIN
};

const KNOWLEDGE_BASE: Life = Life {
    words: &["bedrock/AgentKnowledgeBase"],
    service: Service::Agents,
    whole: DRAFT,
    list: List {
        operation: "ListAgentKnowledgeBases",
        at: "agentKnowledgeBaseSummaries",
        keys: &[("knowledgeBaseId", &["knowledgeBaseId"])],
        ..PLAIN.list
    },
    read: Some(("GetAgentKnowledgeBase", "agentKnowledgeBase")),
    create: ("AssociateAgentKnowledgeBase", "agentKnowledgeBase"),
    update: Update::By("UpdateAgentKnowledgeBase", &["agentId", "agentVersion", "knowledgeBaseId"]),
    delete: "DisassociateAgentKnowledgeBase",
    identity: &["agentId", "knowledgeBaseId"],
    members: &[
        Member::Same("agentId"),
        Member::Same("agentVersion"),
        Member::Same("knowledgeBaseId"),
        Member::Same("description"),
        Member::Same("knowledgeBaseState"),
    ],
    states: &[],
    ..PLAIN
};

const COLLABORATOR: Life = Life {
    words: &["bedrock/AgentCollaborator"],
    service: Service::Agents,
    whole: DRAFT,
    list: List {
        operation: "ListAgentCollaborators",
        at: "agentCollaboratorSummaries",
        keys: &[("collaboratorId", &["collaboratorId"])],
        ..PLAIN.list
    },
    read: Some(("GetAgentCollaborator", "agentCollaborator")),
    create: ("AssociateAgentCollaborator", "agentCollaborator"),
    update: Update::By("UpdateAgentCollaborator", &["agentId", "agentVersion"]),
    delete: "DisassociateAgentCollaborator",
    identity: &["agentId", "collaboratorName"],
    members: &[
        Member::Same("agentId"),
        Member::Same("agentVersion"),
        Member::Same("agentDescriptor"),
        Member::Same("collaboratorName"),
        Member::Same("collaborationInstruction"),
        Member::Same("relayConversationHistory"),
    ],
    states: &[],
    ..PLAIN
};

/// An alias is on a version that was cut for it: the request names none, and the description, which holds the digest of the
/// agent, changes whenever the agent does. Or it follows another alias, and names the version of that one.
const ALIAS: Life = Life {
    words: &["bedrock/AgentAlias"],
    service: Service::Agents,
    whole: Some(Whole { word: "bedrock/Agent", keys: &[("agentId", "agentId")] }),
    list: List {
        operation: "ListAgentAliases",
        at: "agentAliasSummaries",
        keys: &[("agentAliasId", &["agentAliasId"])],
        ..PLAIN.list
    },
    read: Some(("GetAgentAlias", "agentAlias")),
    create: ("CreateAgentAlias", "agentAlias"),
    update: Update::By("UpdateAgentAlias", &["agentId"]),
    delete: "DeleteAgentAlias",
    identity: &["agentId", "agentAliasName"],
    members: &[
        Member::Same("agentId"),
        Member::Same("agentAliasName"),
        Member::Same("description"),
        Member::Same("routingConfiguration"),
    ],
    echoes: &[Echo::Any("/routingConfiguration")],
    tags: Some(&Tags { arn: ("resourceArn", "agentAliasArn"), ..TAG_MAP }),
    states: &["agentAliasStatus"],
    first: Some(First::Prepare),
    ..PLAIN
};
