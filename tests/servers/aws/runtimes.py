"""What runs agents in AgentCore: harnesses and runtimes, which have versions, and their endpoints, which are on one.

Strict where the service does not say: what is referred to exists, and what has endpoints is not deleted.
"""

from . import roles
from .kinds import Endpoint, Versioned, referred
from .refusal import Refusal
from .resources import Thing

PRINCIPAL = "bedrock-agentcore.amazonaws.com"


def check_harness(call, members, before):
    roles.trusting(call, members["executionRoleArn"], PRINCIPAL)
    memory = members.get("memory", {}).get("agentCoreMemoryConfiguration")
    if memory:
        referred(call.store("Memory"), memory["arn"], "arn", "the memory")
    for tool in members.get("tools", []):
        gateway = tool.get("config", {}).get("agentCoreGateway")
        if gateway:
            referred(call.store("Gateway"), gateway["gatewayArn"], "gatewayArn", "the gateway")


def fill_harness(call, harness, before):
    """What the service adds: a runtime of its own in which the harness runs, and what nobody said."""
    for member in ("systemPrompt", "tools", "skills", "allowedTools"):
        harness.setdefault(member, [])
    harness.setdefault("model", {"bedrockModelConfig": {"modelId": "the-usual-model"}})
    harness.setdefault("truncation", {"strategy": "sliding_window"})
    given = harness.get("environment", {}).get("agentCoreRuntimeEnvironment", {})
    key = f"harness_{harness['harnessId']}"
    usual = {"lifecycleConfiguration": LIFECYCLE, "networkConfiguration": {"networkMode": "PUBLIC"}}
    own = {"agentRuntimeId": key, "agentRuntimeName": key.rpartition("-")[0]}
    own["agentRuntimeArn"] = call.arn(f"runtime/{key}", "bedrock-agentcore")
    harness["environment"] = {"agentCoreRuntimeEnvironment": {**usual, **given, **own}}


LIFECYCLE = {"idleRuntimeSessionTimeout": 900, "maxLifetime": 28800}


def has_endpoints(call, thing):
    own = [key for kind in ("HarnessEndpoint", "AgentRuntimeEndpoint") for key in thing.parts.get(kind, {})]
    if set(own) - {"DEFAULT"}:
        raise Refusal("ConflictException", "it has endpoints; delete them first")


HARNESS = Versioned(
    "Harness",
    "Harnesses",
    "harnesses",
    version="harnessVersion",
    wrapped="harness",
    key="harnessId",
    name="harnessName",
    arn=("arn", "harness/{harnessId}"),
    check=check_harness,
    used=has_endpoints,
    fill=fill_harness,
    inner=("harnessId", "harnessName"),
)

Endpoint(
    "HarnessEndpoint",
    "HarnessEndpoints",
    "endpoints",
    asked="targetVersion",
    wrapped="endpoint",
    parent=HARNESS,
    key="endpointName",
    name="endpointName",
    arn=("arn", "harness/{harnessId}/harness-endpoint/{endpointName}"),
)


def check_runtime(call, members, before):
    roles.trusting(call, members["roleArn"], PRINCIPAL)


def fill_runtime(call, runtime, before):
    """The endpoint `DEFAULT` comes with a runtime, and is always on its latest version."""
    runtime.setdefault("lifecycleConfiguration", LIFECYCLE)
    endpoints = runtime.parts.setdefault("AgentRuntimeEndpoint", {})
    usual = endpoints.setdefault("DEFAULT", Thing(name="DEFAULT", status="READY", createdAt=call.now))
    version, arn = runtime["agentRuntimeVersion"], runtime["agentRuntimeArn"]
    usual.update(liveVersion=version, targetVersion=version, agentRuntimeArn=arn, lastUpdatedAt=call.now)
    usual.update(
        agentRuntimeEndpointArn=f"{arn}/runtime-endpoint/DEFAULT", id=f"DEFAULT-{runtime['agentRuntimeId'][-10:]}"
    )
    usual.update(agentRuntimeId=runtime["agentRuntimeId"], endpointName="DEFAULT")


RUNTIME = Versioned(
    "AgentRuntime",
    "AgentRuntimes",
    "agentRuntimes",
    version="agentRuntimeVersion",
    key="agentRuntimeId",
    name="agentRuntimeName",
    arn=("agentRuntimeArn", "runtime/{agentRuntimeId}"),
    replaces=True,
    check=check_runtime,
    used=has_endpoints,
    fill=fill_runtime,
    inner=("agentRuntimeId", "agentRuntimeArn"),
)


class RuntimeEndpoint(Endpoint):
    """Endpoints of runtimes, which are made by a `name` and asked for by an `endpointName`."""

    def on(self, call, thing, before):
        super().on(call, thing, before)
        thing["endpointName"] = thing["name"]
        thing["id"] = f"{thing['name']}-{thing['agentRuntimeId'][-10:]}"


RuntimeEndpoint(
    "AgentRuntimeEndpoint",
    "AgentRuntimeEndpoints",
    "runtimeEndpoints",
    asked="agentRuntimeVersion",
    parent=RUNTIME,
    key="name",
    given="endpointName",
    arn=("agentRuntimeEndpointArn", "runtime/{agentRuntimeId}/runtime-endpoint/{name}"),
)
