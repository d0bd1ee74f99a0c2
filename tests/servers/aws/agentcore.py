"""Amazon Bedrock AgentCore, the control plane: policy engines, gateways and what is in them, memories, tags and
resource policies.

Strict where the service does not say: what is referred to exists, roles trust the service, and what others use is not
deleted.
"""

import re
import uuid

from . import roles
from .kinds import SERVICE, Kind, Problem, named, referred
from .providers import PROVIDERS, used_by
from .refusal import Refusal, not_implemented
from .registry import plays
from .resources import tagged
from .runtimes import PRINCIPAL

# Policy engines and their policies.


def engine_is_used(call, engine):
    if engine.parts.get("Policy"):
        raise Refusal("ConflictException", "the policy engine has policies; delete them first")
    for gateway in call.store("Gateway").values():
        if gateway.get("policyEngineConfiguration", {}).get("arn") == engine["policyEngineArn"]:
            raise Refusal("ConflictException", f"the policy engine is used by {gateway['gatewayArn']}")


ENGINE = Kind(
    "PolicyEngine",
    "PolicyEngines",
    "policyEngines",
    key="policyEngineId",
    arn=("policyEngineArn", "policy-engine/{policyEngineId}"),
    done="ACTIVE",
    used=engine_is_used,
    inner=("policyEngineId",),
)


def check_policy(call, members, before):
    """A policy is validated after the call, against the schema that the service makes from the tools of the gateway:
    one that names a gateway or a target that does not exist fails, unless findings are to be ignored."""
    words = members["definition"].get("cedar") or members["definition"].get("policy")
    if words is None:
        raise not_implemented("policies that are generated")
    if call.members.get("validationMode") == "IGNORE_ALL_FINDINGS":
        return None
    gateways = {one["gatewayArn"]: one for one in call.store("Gateway").values()}
    reasons, targets = [], set()
    for arn in re.findall(r'AgentCore::Gateway::"([^"]*)"', words["statement"]):
        if arn not in gateways:
            reasons.append(f"there is no gateway {arn}")
        else:
            targets.update(target["name"] for target in gateways[arn].parts.get("GatewayTarget", {}).values())
    for action in re.findall(r'AgentCore::Action::"([^"]*)"', words["statement"]):
        if "___" in action and action.partition("___")[0] not in targets:
            reasons.append(f"no tool of the gateway is called {action}")
    return Problem("UPDATE_FAILED" if before else "CREATE_FAILED", *reasons) if reasons else None


def fill_policy(call, policy, before):
    policy.pop("validationMode", None)
    policy.setdefault("enforcementMode", "ACTIVE")


Kind(
    "Policy",
    "Policies",
    "policies",
    parent=ENGINE,
    key="policyId",
    arn=("policyArn", "policy-engine/{policyEngineId}/policy/{policyId}"),
    done="ACTIVE",
    check=check_policy,
    fill=fill_policy,
)


# Gateways, and what is in them.


def check_gateway(call, members, before):
    roles.trusting(call, members["roleArn"], PRINCIPAL)
    engine = members.get("policyEngineConfiguration")
    if engine:
        referred(call.store("PolicyEngine"), engine["arn"], "policyEngineArn", "the policy engine")
    if (members["authorizerType"] == "CUSTOM_JWT") != ("authorizerConfiguration" in members):
        raise Refusal("ValidationException", "the configuration of the authorizer goes with CUSTOM_JWT")
    if before and members["name"] != before["name"]:
        raise Refusal("ValidationException", "the name of a gateway does not change")


def gateway_is_used(call, gateway):
    if gateway.parts.get("GatewayTarget"):
        words = "Gateway has targets associated with it. Delete all targets before deleting the gateway."
        raise Refusal("ValidationException", words)


def fill_gateway(call, gateway, before):
    gateway["gatewayUrl"] = f"https://{gateway['gatewayId']}.gateway.bedrock-agentcore.{call.region}.amazonaws.com/mcp"


GATEWAY = Kind(
    "Gateway",
    "Gateways",
    "items",
    key="gatewayId",
    given="gatewayIdentifier",
    arn=("gatewayArn", "gateway/{gatewayId}"),
    replaces=True,
    check=check_gateway,
    used=gateway_is_used,
    fill=fill_gateway,
    identify=lambda call, name: named(call, name.lower()),
    inner=("gatewayArn",),
)


#: Targets that may be asked without credentials.
OPEN = {("mcp", "mcpServer"), ("http", "passthrough")}


def check_target(call, members, before):
    """Providers of credentials exist. With the grant `AUTHORIZATION_CODE` a target waits for somebody to consent.

    Only a server of MCP, or what is reached over HTTP, may be one to which nobody proves who asks: the strict reading.
    """
    if "name" not in members:
        raise Refusal("ValidationException", "a target needs a name")
    kinds = {(outer, inner) for outer, value in members["targetConfiguration"].items() for inner in value}
    if not members.get("credentialProviderConfigurations") and not kinds <= OPEN:
        raise Refusal("ValidationException", "Credential provider configurations is not defined")
    known = {one["credentialProviderArn"] for noun in PROVIDERS for one in call.store(noun).values()}
    providers = list(used_by(members.get("credentialProviderConfigurations", [])))
    for provider in providers:
        if provider["providerArn"] not in known:
            raise Refusal("ValidationException", f"the provider {provider['providerArn']} does not exist")
    if any(provider.get("grantType") == "AUTHORIZATION_CODE" for provider in providers):
        return Problem("UPDATE_PENDING_AUTH" if before else "CREATE_PENDING_AUTH")
    return None


def target_is_used(call, target):
    if target["status"].endswith("PENDING_AUTH"):
        raise Refusal("ConflictException", "a target that waits for consent is not deleted")


def fill_target(call, target, before):
    target.setdefault("credentialProviderConfigurations", [])


Kind(
    "GatewayTarget",
    "GatewayTargets",
    "items",
    parent=GATEWAY,
    key="targetId",
    replaces=True,
    check=check_target,
    used=target_is_used,
    fill=fill_target,
    identify=lambda call, _: call.new_id(),
)

Kind(
    "GatewayRateLimit",
    "GatewayRateLimits",
    "rateLimits",
    parent=GATEWAY,
    key="rateLimitId",
    name=None,
    done="ACTIVE",
    identify=lambda call, _: call.new_id(),
)

Kind(
    "GatewayRule",
    "GatewayRules",
    "gatewayRules",
    parent=GATEWAY,
    key="ruleId",
    name="priority",
    done="ACTIVE",
    identify=lambda call, _: str(uuid.uuid5(uuid.NAMESPACE_URL, call.new_id())),
)


# Memories.


def check_memory(call, members, before):
    if members.get("memoryStrategies"):
        raise not_implemented("strategies of memories")
    if "memoryExecutionRoleArn" in members:
        roles.trusting(call, members["memoryExecutionRoleArn"], PRINCIPAL)


def memory_is_used(call, memory):
    for harness in call.store("Harness").values():
        if harness.get("memory", {}).get("agentCoreMemoryConfiguration", {}).get("arn") == memory["arn"]:
            raise Refusal("ConflictException", f"the memory is used by {harness['arn']}")


def fill_memory(call, memory, before):
    memory["memoryId"] = memory["id"]


Kind(
    "Memory",
    "Memories",
    "memories",
    wrapped="memory",
    key="id",
    given="memoryId",
    arn=("arn", "memory/{id}"),
    done="ACTIVE",
    check=check_memory,
    used=memory_is_used,
    fill=fill_memory,
)


# Tags and policies of resources.


def everything(call):
    """All things of the account and region, those that are in others included."""
    rest = []
    for (account, region, service, _), things in call.world.stores.items():
        if (account, region, service) == (call.account, call.region, SERVICE):
            rest.extend(things.values())
    while rest:
        thing = rest.pop()
        yield thing
        for name, parts in thing.parts.items():
            rest.extend(parts.values() if name != "versions" else ())


def exists(call, arn):
    """Whether there is a thing of that ARN, which may be the runtime that a harness has made for itself."""
    for thing in everything(call):
        runtime = thing.get("environment", {}).get("agentCoreRuntimeEnvironment", {})
        if arn in thing.values() or arn == runtime.get("agentRuntimeArn"):
            return True
    return False


def owner(call):
    """The thing that an ARN names, wherever it is."""
    arn = call.members["resourceArn"]
    for thing in everything(call):
        if arn in thing.values():
            return thing
    raise Refusal("ResourceNotFoundException", f"{arn} was not found")


@plays(f"{SERVICE}:TagResource")
def tag_resource(call, _):
    tagged(owner(call), call.members["tags"])
    return {}


@plays(f"{SERVICE}:UntagResource")
def untag_resource(call, _):
    thing = owner(call)
    for key in call.members["tagKeys"]:
        thing.tags.pop(key, None)
    return {}


@plays(f"{SERVICE}:ListTagsForResource")
def list_tags(call, _):
    return {"tags": dict(owner(call).tags)}


@plays(f"{SERVICE}:PutResourcePolicy")
def put_resource_policy(call, _):
    owner(call).policy = call.members["policy"]
    return {"policy": call.members["policy"]}


@plays(f"{SERVICE}:GetResourcePolicy")
def get_resource_policy(call, _):
    policy = getattr(owner(call), "policy", None)
    if policy is None:
        raise Refusal("ResourceNotFoundException", f"{call.members['resourceArn']} has no policy")
    return {"policy": policy}


@plays(f"{SERVICE}:DeleteResourcePolicy")
def delete_resource_policy(call, _):
    owner(call).policy = None
    return {}
