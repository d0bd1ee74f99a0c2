//! Agents for Amazon Bedrock.

use super::operations;

operations! {
    aws_sdk_bedrockagent:
    "AssociateAgentCollaborator" => associate_agent_collaborator(
        "agentId": set_agent_id,
        "agentVersion": set_agent_version
    );
    "AssociateAgentKnowledgeBase" => associate_agent_knowledge_base(
        "agentId": set_agent_id,
        "agentVersion": set_agent_version
    );
    "CreateAgent" => create_agent();
    "CreateAgentActionGroup" => create_agent_action_group(
        "agentId": set_agent_id,
        "agentVersion": set_agent_version
    );
    "CreateAgentAlias" => create_agent_alias("agentId": set_agent_id);
    "DeleteAgent" => delete_agent("agentId": set_agent_id);
    "DeleteAgentActionGroup" => delete_agent_action_group(
        "agentId": set_agent_id,
        "agentVersion": set_agent_version,
        "actionGroupId": set_action_group_id
    ).skip_resource_in_use_check(true);
    "DeleteAgentAlias" => delete_agent_alias("agentId": set_agent_id, "agentAliasId": set_agent_alias_id);
    "DeleteAgentVersion" => delete_agent_version("agentId": set_agent_id, "agentVersion": set_agent_version);
    "DisassociateAgentCollaborator" => disassociate_agent_collaborator(
        "agentId": set_agent_id,
        "agentVersion": set_agent_version,
        "collaboratorId": set_collaborator_id
    );
    "DisassociateAgentKnowledgeBase" => disassociate_agent_knowledge_base(
        "agentId": set_agent_id,
        "agentVersion": set_agent_version,
        "knowledgeBaseId": set_knowledge_base_id
    );
    "GetAgent" => get_agent("agentId": set_agent_id);
    "GetAgentActionGroup" => get_agent_action_group(
        "agentId": set_agent_id,
        "agentVersion": set_agent_version,
        "actionGroupId": set_action_group_id
    );
    "GetAgentAlias" => get_agent_alias("agentId": set_agent_id, "agentAliasId": set_agent_alias_id);
    "GetAgentCollaborator" => get_agent_collaborator(
        "agentId": set_agent_id,
        "agentVersion": set_agent_version,
        "collaboratorId": set_collaborator_id
    );
    "GetAgentKnowledgeBase" => get_agent_knowledge_base(
        "agentId": set_agent_id,
        "agentVersion": set_agent_version,
        "knowledgeBaseId": set_knowledge_base_id
    );
    "GetAgentVersion" => get_agent_version("agentId": set_agent_id, "agentVersion": set_agent_version);
    "ListAgentActionGroups" => list_agent_action_groups(
        "agentId": set_agent_id,
        "agentVersion": set_agent_version
    );
    "ListAgentAliases" => list_agent_aliases("agentId": set_agent_id);
    "ListAgentCollaborators" => list_agent_collaborators(
        "agentId": set_agent_id,
        "agentVersion": set_agent_version
    );
    "ListAgentKnowledgeBases" => list_agent_knowledge_bases(
        "agentId": set_agent_id,
        "agentVersion": set_agent_version
    );
    "ListAgentVersions" => list_agent_versions("agentId": set_agent_id);
    "ListAgents" => list_agents();
    "ListTagsForResource" => list_tags_for_resource("resourceArn": set_resource_arn);
    "PrepareAgent" => prepare_agent("agentId": set_agent_id);
    "TagResource" => tag_resource("resourceArn": set_resource_arn);
    "UntagResource" => untag_resource("resourceArn": set_resource_arn, "tagKeys": set_tag_keys);
    "UpdateAgent" => update_agent("agentId": set_agent_id);
    "UpdateAgentActionGroup" => update_agent_action_group(
        "agentId": set_agent_id,
        "agentVersion": set_agent_version,
        "actionGroupId": set_action_group_id
    );
    "UpdateAgentAlias" => update_agent_alias("agentId": set_agent_id, "agentAliasId": set_agent_alias_id);
    "UpdateAgentCollaborator" => update_agent_collaborator(
        "agentId": set_agent_id,
        "agentVersion": set_agent_version,
        "collaboratorId": set_collaborator_id
    );
    "UpdateAgentKnowledgeBase" => update_agent_knowledge_base(
        "agentId": set_agent_id,
        "agentVersion": set_agent_version,
        "knowledgeBaseId": set_knowledge_base_id
    );
}
