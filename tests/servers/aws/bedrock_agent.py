"""Agents for Amazon Bedrock: agents, what a version of one consists of, aliases, versions and knowledge bases.

States as terraform-provider-aws waits for them: an agent is CREATING or UPDATING, then NOT_PREPARED; PREPARING, then
PREPARED; VERSIONING while an alias cuts a version, then PREPARED. Whoever changes an agent in a state that ends by
itself is refused with the words of the service ("… can't be performed on Agent when it is in Preparing state").

Strict where the service does not say: names of agents are taken (`ConflictException`), an agent has a role that exists
and trusts the service, its guardrail exists, and an alias that cuts a version needs an agent that is prepared since its
last change.
"""

import copy

from . import bedrock, roles
from .refusal import Refusal
from .registry import plays
from .resources import Thing, answer, found, listing, tagged, unnamed

SERVICE = "bedrock-agent"
ENDING = ("CREATING", "UPDATING", "PREPARING", "VERSIONING", "DELETING")
#: The prompts that the service makes itself, and shows, where nobody overrides them.
PROMPTS = ("PRE_PROCESSING", "ORCHESTRATION", "POST_PROCESSING", "KNOWLEDGE_BASE_RESPONSE_GENERATION")


class Agent(Thing):
    """An agent: its draft, the parts of each version, and the versions that were cut."""

    def __init__(self, members):
        super().__init__(members)
        self.parts = {"DRAFT": {"ActionGroup": {}, "KnowledgeBase": {}, "Collaborator": {}}}
        self.versions = {}
        self.aliases = {}

    def idle(self, doing):
        """Refuses a change while a state has yet to end. Whoever asked has looked already."""
        if self["agentStatus"] in ENDING and self.settling:
            state = self["agentStatus"].capitalize()
            words = f"{doing} operation can't be performed on Agent when it is in {state} state."
            raise Refusal("ValidationException", f"{words} Retry the request when the agent is in a valid state.")

    def changed(self, call):
        """What was prepared is no longer what the draft says."""
        self.update(updatedAt=call.now, agentStatus="NOT_PREPARED")


def agent_of(call):
    return found(call.store("agents"), call.members["agentId"], "Agent")


def check(call, members):
    """What an agent refers to."""
    if "agentResourceRoleArn" not in members:
        raise Refusal("ValidationException", "an agent needs a role")
    roles.trusting(call, members["agentResourceRoleArn"], "bedrock.amazonaws.com")
    bedrock.existing(call, members.get("guardrailConfiguration"))


def shown(agent):
    """An agent as `GetAgent` shows it: with the prompts that the service made."""
    given = agent.get("promptOverrideConfiguration", {})
    written = {one.get("promptType"): one for one in given.get("promptConfigurations", [])}
    usual = {"promptCreationMode": "DEFAULT", "promptState": "ENABLED", "parserMode": "DEFAULT"}
    prompts = [
        written.get(kind, {"promptType": kind, "basePromptTemplate": f"the usual text of {kind}", **usual})
        for kind in PROMPTS
    ]
    others = [one for kind, one in written.items() if kind not in PROMPTS]
    return {**agent, "promptOverrideConfiguration": {**given, "promptConfigurations": prompts + others}}


@plays("bedrock-agent:CreateAgent")
def create_agent(call, _):
    agents, members = call.store("agents"), call.asked("tags")
    unnamed(agents, "agentName", members["agentName"], "An agent")
    check(call, members)
    key = call.new_id()
    usual = {"idleSessionTTLInSeconds": 600, "orchestrationType": "DEFAULT", "agentCollaboration": "DISABLED"}
    agent = Agent({**usual, **members, "agentId": key, "agentArn": call.arn(f"agent/{key}"), "agentVersion": "DRAFT"})
    agent.update(createdAt=call.now, updatedAt=call.now)
    tagged(agent, call.members.get("tags", {}))
    agent.begin(call, "agentStatus", "CREATING", "NOT_PREPARED")
    agent.aliases["TSTALIASID"] = alias_of_draft(call, agent)
    agents[key] = agent
    return answer(call, agent, "agent")


def alias_of_draft(call, agent):
    """The alias for tests that the service makes with an agent, and keeps on the draft."""
    return Thing(
        agentId=agent["agentId"],
        agentAliasId="TSTALIASID",
        agentAliasName="AgentTestAlias",
        agentAliasArn=call.arn(f"agent-alias/{agent['agentId']}/TSTALIASID"),
        routingConfiguration=[{"agentVersion": "DRAFT"}],
        agentAliasStatus="PREPARED",
        aliasInvocationState="ACCEPT_INVOCATIONS",
        createdAt=call.now,
        updatedAt=call.now,
    )


@plays("bedrock-agent:GetAgent")
def get_agent(call, _):
    return answer(call, shown(agent_of(call)), "agent")


@plays("bedrock-agent:ListAgents")
def list_agents(call, _):
    return listing(call, call.store("agents"), "agentSummaries")


@plays("bedrock-agent:UpdateAgent")
def update_agent(call, _):
    """Replaces: what the request does not name is as if nobody had ever said it."""
    agent, members = agent_of(call), call.asked("agentId")
    agent.idle("Update")
    others = {key: one for key, one in call.store("agents").items() if one is not agent}
    unnamed(others, "agentName", members["agentName"], "An agent")
    check(call, members)
    kept = ("agentId", "agentArn", "agentVersion", "createdAt", "preparedAt")
    usual = {"idleSessionTTLInSeconds": 600, "orchestrationType": "DEFAULT", "agentCollaboration": "DISABLED"}
    kept = {key: agent[key] for key in kept if key in agent}
    agent.clear()
    agent.update({**usual, **kept, **members, "updatedAt": call.now})
    agent.begin(call, "agentStatus", "UPDATING", "NOT_PREPARED")
    return answer(call, agent, "agent")


@plays("bedrock-agent:PrepareAgent")
def prepare_agent(call, _):
    agent = agent_of(call)
    agent.idle("Prepare")
    if not agent.get("instruction") or not agent.get("foundationModel"):
        raise Refusal("ValidationException", "an agent is prepared with an instruction and a foundation model")
    role = agent["agentCollaboration"]
    if role != "DISABLED" and not agent.parts["DRAFT"]["Collaborator"]:
        words = f"The AgentCollaboration attribute is set to {role} but no agent collaborators are added."
        raise Refusal("ValidationException", words)
    agent["preparedAt"] = call.now
    agent.begin(call, "agentStatus", "PREPARING", "PREPARED")
    return answer(call, agent)


@plays("bedrock-agent:DeleteAgent")
def delete_agent(call, _):
    agent, agents = agent_of(call), call.store("agents")
    agent.idle("Delete")
    own = [key for key in agent.aliases if key != "TSTALIASID"]
    if own and not call.members.get("skipResourceInUseCheck"):
        words = f"Could not delete Agent with ID {agent['agentId']}, since it has active aliases"
        raise Refusal("ConflictException", words)
    agent.begin(call, "agentStatus", "DELETING", lambda: agents.pop(agent["agentId"]))
    return answer(call, agent)


# What a version consists of.


def part(noun, key, lists, wrapped):
    """The operations on one kind of part: of the draft they may change it, of a version only read it."""
    kind, identity = noun, key
    verbs = ("Create", "Delete") if noun == "ActionGroup" else ("Associate", "Disassociate")
    singular = f"Agent{noun}"

    def parts(call):
        agent = agent_of(call)
        version = call.members["agentVersion"]
        if version not in agent.parts:
            raise Refusal("ResourceNotFoundException", f"Agent version {version} was not found")
        return agent, agent.parts[version][kind]

    @plays(f"{SERVICE}:{verbs[0]}{singular}")
    def add(call, _):
        agent, own = parts(call)
        agent.idle(verbs[0])
        one = call.asked()
        check_part(call, agent, kind, one)
        one.setdefault(identity, None)
        one[identity] = one[identity] or call.new_id()
        if one[identity] in own:
            raise Refusal("ConflictException", f"{one[identity]} is already associated with the agent")
        own[one[identity]] = Thing({**USUAL_PART[kind], **one, **times(call, created=True)})
        agent.changed(call)
        return answer(call, own[one[identity]], wrapped)

    @plays(f"{SERVICE}:Get{singular}")
    def get(call, _):
        return answer(call, found(parts(call)[1], call.members[identity], singular), wrapped)

    @plays(f"{SERVICE}:List{singular}s")
    def all_of(call, _):
        return listing(call, parts(call)[1], lists)

    @plays(f"{SERVICE}:Update{singular}")
    def update(call, _):
        agent, own = parts(call)
        agent.idle("Update")
        one = found(own, call.members[identity], singular)
        members = call.asked()
        others = {key: other for key, other in own.items() if other is not one}
        check_part(call, agent, kind, members, others)
        created = one["createdAt"]
        one.clear()
        one.update({**USUAL_PART[kind], **members, **times(call), "createdAt": created})
        agent.changed(call)
        return answer(call, one, wrapped)

    @plays(f"{SERVICE}:{verbs[1]}{singular}")
    def remove(call, _):
        agent, own = parts(call)
        agent.idle(verbs[1])
        one = found(own, call.members[identity], singular)
        enabled = one.get("actionGroupState") == "ENABLED"
        if enabled and not call.members.get("skipResourceInUseCheck"):
            raise Refusal(
                "ConflictException", f"{singular} {one[identity]} is enabled: disable it before it is deleted"
            )
        del own[one[identity]]
        agent.changed(call)
        return {}

    return add, get, all_of, update, remove


USUAL_PART = {
    "ActionGroup": {"actionGroupState": "ENABLED"},
    "KnowledgeBase": {"knowledgeBaseState": "ENABLED"},
    "Collaborator": {"relayConversationHistory": "DISABLED"},
}


def times(call, created=False):
    moments = {"updatedAt": call.now, "lastUpdatedAt": call.now}
    return {**moments, "createdAt": call.now} if created else moments


def check_part(call, agent, kind, one, others=None):
    """What a part may say, and what it refers to."""
    others = agent.parts["DRAFT"][kind] if others is None else others
    if kind == "ActionGroup":
        unnamed(others, "actionGroupName", one["actionGroupName"], "An action group")
        own = [key for key in ("description", "apiSchema", "functionSchema", "actionGroupExecutor") if key in one]
        signature = one.pop("parentActionGroupSignature", None)
        if signature:
            one["parentActionSignature"] = signature
        if signature and own:
            raise Refusal("ValidationException", f"an action group of the service has no {own[0]}")
        if "apiSchema" in one and "functionSchema" in one:
            raise Refusal("ValidationException", "an action group has an API schema or a function schema")
    elif kind == "KnowledgeBase":
        found(call.store("knowledge-bases"), one["knowledgeBaseId"], "Knowledge base")
    else:
        unnamed(others, "collaboratorName", one["collaboratorName"], "A collaborator")
        collaborator(call, agent, one)


def collaborator(call, agent, one):
    """The alias of another agent, which is not the one for tests."""
    if agent["agentCollaboration"] == "DISABLED":
        raise Refusal("ValidationException", "the agent is no supervisor")
    owner, _, alias = one["agentDescriptor"]["aliasArn"].rpartition(":")[2].removeprefix("agent-alias/").partition("/")
    other = call.store("agents").get(owner)
    if other is None or alias not in other.aliases:
        raise Refusal("ResourceNotFoundException", f"{one['agentDescriptor']['aliasArn']} was not found")
    if other is agent or alias == "TSTALIASID":
        raise Refusal("ValidationException", "a collaborator is an alias on a version of another agent")


part("ActionGroup", "actionGroupId", "actionGroupSummaries", "agentActionGroup")
part("KnowledgeBase", "knowledgeBaseId", "agentKnowledgeBaseSummaries", "agentKnowledgeBase")
part("Collaborator", "collaboratorId", "agentCollaboratorSummaries", "agentCollaborator")


# Aliases and versions.


def cut(call, agent):
    """Cuts a numbered version from the draft. There is no operation for that but aliases that name no version."""
    if agent["agentStatus"] != "PREPARED":
        words = "Create operation can't be performed on Agent when it is in Not_prepared state."
        raise Refusal("ValidationException", f"{words} Retry the request when the agent is in a valid state.")
    number = str(max((int(key) for key in agent.versions), default=0) + 1)
    members = {key: copy.deepcopy(agent[key]) for key in agent if key not in ("agentStatus", "preparedAt")}
    version = Thing({**members, "version": number, "agentVersion": number, "agentStatus": "PREPARED"})
    version.update(createdAt=call.now, updatedAt=call.now)
    agent.versions[number] = version
    agent.parts[number] = copy.deepcopy(agent.parts["DRAFT"])
    for one in (one for kind in agent.parts[number].values() for one in kind.values()):
        one["agentVersion"] = number
    agent.begin(call, "agentStatus", "VERSIONING", "PREPARED")
    return [{"agentVersion": number}]


def routed(call, agent):
    """Where an alias leads: to a version that exists, and to a new one where the request names none.

    That also an update without a version cuts one is what terraform-provider-aws found (its pull request 42603).
    """
    given = copy.deepcopy(call.members.get("routingConfiguration")) or cut(call, agent)
    version = given[0].get("agentVersion")
    if version not in agent.versions:
        raise Refusal("ValidationException", f"an alias is on a numbered version, and {version} is none")
    return given


@plays("bedrock-agent:CreateAgentAlias")
def create_alias(call, _):
    agent, members = agent_of(call), call.asked("tags")
    agent.idle("Create")
    unnamed(agent.aliases, "agentAliasName", members["agentAliasName"], "An alias")
    members["routingConfiguration"] = routed(call, agent)
    key = call.new_id()
    arn = call.arn(f"agent-alias/{agent['agentId']}/{key}")
    alias = Thing({**members, "agentAliasId": key, "agentAliasArn": arn, "aliasInvocationState": "ACCEPT_INVOCATIONS"})
    alias.update(createdAt=call.now, updatedAt=call.now)
    tagged(alias, call.members.get("tags", {}))
    alias.begin(call, "agentAliasStatus", "CREATING", "PREPARED")
    agent.aliases[key] = alias
    return answer(call, alias, "agentAlias")


def alias_and_agent(call):
    agent = agent_of(call)
    return found(agent.aliases, call.members["agentAliasId"], "Agent alias"), agent


@plays("bedrock-agent:GetAgentAlias")
def get_alias(call, _):
    return answer(call, alias_and_agent(call)[0], "agentAlias")


@plays("bedrock-agent:ListAgentAliases")
def list_aliases(call, _):
    return listing(call, agent_of(call).aliases, "agentAliasSummaries")


def settled(alias):
    if alias.settling:
        state = alias["agentAliasStatus"].capitalize()
        words = f"Update operation can't be performed on AgentAlias when it is in {state} state."
        raise Refusal("ValidationException", f"{words} Retry the request when the alias is in a valid state.")
    if alias["agentAliasId"] == "TSTALIASID":
        raise Refusal("ValidationException", "the alias for tests stays on the draft")


@plays("bedrock-agent:UpdateAgentAlias")
def update_alias(call, _):
    alias, agent = alias_and_agent(call)
    settled(alias)
    agent.idle("Update")
    others = {key: one for key, one in agent.aliases.items() if one is not alias}
    unnamed(others, "agentAliasName", call.members["agentAliasName"], "An alias")
    routing = routed(call, agent)
    alias.pop("description", None)
    alias.update({**call.asked(), "routingConfiguration": routing, "updatedAt": call.now})
    alias.begin(call, "agentAliasStatus", "UPDATING", "PREPARED")
    return answer(call, alias, "agentAlias")


@plays("bedrock-agent:DeleteAgentAlias")
def delete_alias(call, _):
    alias, agent = alias_and_agent(call)
    settled(alias)
    agents = call.store("agents").values()
    named = (
        one["agentDescriptor"]["aliasArn"] for other in agents for one in other.parts["DRAFT"]["Collaborator"].values()
    )
    if alias["agentAliasArn"] in named:
        raise Refusal("ValidationException", "the alias is a collaborator of another agent")
    alias.begin(call, "agentAliasStatus", "DELETING", lambda: agent.aliases.pop(alias["agentAliasId"]))
    return answer(call, alias)


@plays("bedrock-agent:GetAgentVersion")
def get_version(call, _):
    version = found(agent_of(call).versions, call.members["agentVersion"], "Agent version")
    return answer(call, version, "agentVersion")


@plays("bedrock-agent:ListAgentVersions")
def list_versions(call, _):
    agent = agent_of(call)
    return listing(call, {"DRAFT": agent, **agent.versions}, "agentVersionSummaries")


@plays("bedrock-agent:DeleteAgentVersion")
def delete_version(call, _):
    agent = agent_of(call)
    version = found(agent.versions, call.members["agentVersion"], "Agent version")
    routes = (one["agentVersion"] for alias in agent.aliases.values() for one in alias["routingConfiguration"])
    if version["version"] in routes and not call.members.get("skipResourceInUseCheck"):
        raise Refusal("ConflictException", f"Agent version {version['version']} is used by an alias")
    del agent.versions[version["version"]], agent.parts[version["version"]]
    return {"agentId": agent["agentId"], "agentVersion": version["version"], "agentStatus": "DELETING"}


# Knowledge bases: what an agent refers to.


@plays("bedrock-agent:CreateKnowledgeBase")
def create_knowledge_base(call, _):
    bases, members = call.store("knowledge-bases"), call.asked("tags")
    unnamed(bases, "name", members["name"], "A knowledge base")
    roles.trusting(call, members["roleArn"], "bedrock.amazonaws.com")
    key = call.new_id()
    base = Thing({**members, "knowledgeBaseId": key, "knowledgeBaseArn": call.arn(f"knowledge-base/{key}")})
    base.update(createdAt=call.now, updatedAt=call.now)
    tagged(base, call.members.get("tags", {}))
    base.begin(call, "status", "CREATING", "ACTIVE")
    bases[key] = base
    return answer(call, base, "knowledgeBase")


def base_of(call):
    return found(call.store("knowledge-bases"), call.members["knowledgeBaseId"], "Knowledge base")


@plays("bedrock-agent:GetKnowledgeBase")
def get_knowledge_base(call, _):
    return answer(call, base_of(call), "knowledgeBase")


@plays("bedrock-agent:ListKnowledgeBases")
def list_knowledge_bases(call, _):
    return listing(call, call.store("knowledge-bases"), "knowledgeBaseSummaries")


@plays("bedrock-agent:DeleteKnowledgeBase")
def delete_knowledge_base(call, _):
    base, bases = base_of(call), call.store("knowledge-bases")
    agents = call.store("agents").values()
    if any(base["knowledgeBaseId"] in agent.parts["DRAFT"]["KnowledgeBase"] for agent in agents):
        raise Refusal("ConflictException", "the knowledge base is associated with an agent")
    base.begin(call, "status", "DELETING", lambda: bases.pop(base["knowledgeBaseId"]))
    return answer(call, base)


# Tags.


def owner(call):
    """The thing that an ARN names."""
    arn, agents = call.members["resourceArn"], call.store("agents").values()
    things = [
        *agents,
        *(alias for agent in agents for alias in agent.aliases.values()),
        *call.store("knowledge-bases").values(),
    ]
    for thing in things:
        if arn in (thing.get("agentAliasArn") or thing.get("agentArn"), thing.get("knowledgeBaseArn")):
            return thing
    raise Refusal("ResourceNotFoundException", f"{arn} was not found")


@plays("bedrock-agent:TagResource")
def tag_resource(call, _):
    tagged(owner(call), call.members["tags"])
    return {}


@plays("bedrock-agent:UntagResource")
def untag_resource(call, _):
    tags = owner(call).tags
    for key in call.members["tagKeys"]:
        tags.pop(key, None)
    return {}


@plays("bedrock-agent:ListTagsForResource")
def list_tags(call, _):
    return {"tags": dict(owner(call).tags)}
