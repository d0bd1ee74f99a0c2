"""Checks requests against the service models of the vendor's SDK.

Input: a list of `{ "address", "document" }`. Output: a list of findings; with the argument `keys`, for each address the keys
that are data and no members of the SDK. What a request refers to is taken from the answer
of the operation that creates it, by the model of that answer; a member that no such answer has is a finding.
"""

import json
import sys

import regex
from botocore.loaders import Loader

CONTROL = "bedrock-agentcore-control"
OPERATIONS = {
    "ActionGroup": ("bedrock-agent", "CreateAgentActionGroup"),
    "Agent": ("bedrock-agent", "CreateAgent"),
    "AgentAlias": ("bedrock-agent", "CreateAgentAlias"),
    "AgentCollaborator": ("bedrock-agent", "AssociateAgentCollaborator"),
    "AgentKnowledgeBase": ("bedrock-agent", "AssociateAgentKnowledgeBase"),
    "Alarm": ("cloudwatch", "PutMetricAlarm"),
    "ApiKeyProvider": (CONTROL, "CreateApiKeyCredentialProvider"),
    "ApprovalQueue": ("sqs", "CreateQueue"),
    "BucketPolicy": ("s3", "PutBucketPolicy"),
    "Budget": ("budgets", "CreateBudget"),
    "BudgetAction": ("budgets", "CreateBudgetAction"),
    "CedarPolicy": (CONTROL, "CreatePolicy"),
    "Delivery": ("logs", "CreateDelivery"),
    "DeliveryDestination": ("logs", "PutDeliveryDestination"),
    "DeliverySource": ("logs", "PutDeliverySource"),
    "EndpointPolicy": ("ec2", "ModifyVpcEndpoint"),
    "EventInvokeConfig": ("lambda", "PutFunctionEventInvokeConfig"),
    "EventSourceMapping": ("lambda", "CreateEventSourceMapping"),
    "Function": ("lambda", "CreateFunction"),
    "FunctionConcurrency": ("lambda", "PutFunctionConcurrency"),
    "FunctionPermission": ("lambda", "AddPermission"),
    "Gateway": (CONTROL, "CreateGateway"),
    "GatewayRateLimit": (CONTROL, "CreateGatewayRateLimit"),
    "GatewayTarget": (CONTROL, "CreateGatewayTarget"),
    "EnforcedGuardrail": ("bedrock", "PutEnforcedGuardrailConfiguration"),
    "Guardrail": ("bedrock", "CreateGuardrail"),
    "GuardrailVersion": ("bedrock", "CreateGuardrailVersion"),
    "Harness": (CONTROL, "CreateHarness"),
    "HarnessEndpoint": (CONTROL, "CreateHarnessEndpoint"),
    "InferenceProfile": ("bedrock", "CreateInferenceProfile"),
    "InvocationLogging": ("bedrock", "PutModelInvocationLoggingConfiguration"),
    "LogGroup": ("logs", "CreateLogGroup"),
    "LogKey": ("logs", "AssociateKmsKey"),
    "LogPolicy": ("logs", "PutResourcePolicy"),
    "LogRetention": ("logs", "PutRetentionPolicy"),
    "LogStream": ("logs", "CreateLogStream"),
    "Memory": (CONTROL, "CreateMemory"),
    "Oauth2Provider": (CONTROL, "CreateOauth2CredentialProvider"),
    "PolicyEngine": (CONTROL, "CreatePolicyEngine"),
    "QueryDefinition": ("logs", "PutQueryDefinition"),
    "QueuePolicy": ("sqs", "SetQueueAttributes"),
    "QueueRedrive": ("sqs", "SetQueueAttributes"),
    "Rule": ("events", "PutRule"),
    "RuleTargets": ("events", "PutTargets"),
    "Schedule": ("scheduler", "CreateSchedule"),
    "ScheduleGroup": ("scheduler", "CreateScheduleGroup"),
    "SecretPolicy": ("secretsmanager", "PutResourcePolicy"),
    "StateMachine": ("stepfunctions", "CreateStateMachine"),
    "Subscription": ("sns", "Subscribe"),
    "Table": ("dynamodb", "CreateTable"),
    "TimeToLive": ("dynamodb", "UpdateTimeToLive"),
    "Trail": ("cloudtrail", "CreateTrail"),
    "TrailLogging": ("cloudtrail", "StartLogging"),
    "TrailSelectors": ("cloudtrail", "PutEventSelectors"),
    "TraceDestination": ("xray", "UpdateTraceSegmentDestination"),
}

# Values that services give; the first one that a model takes stands for the real one.
PLACE = "eu-central-1:111122223333"
GIVEN = [
    "1",
    "a1b2c3d4e5",
    "name-a1b2c3d4e5",
    "name_x-a1b2c3d4e5",
    f"arn:aws:bedrock:{PLACE}:agent/A1B2C3D4E5",
    f"arn:aws:bedrock:{PLACE}:agent-alias/A1B2C3D4E5/A1B2C3D4E5",
    f"arn:aws:bedrock-agentcore:{PLACE}:gateway/name-a1b2c3d4e5",
    f"arn:aws:bedrock-agentcore:{PLACE}:policy-engine/name-a1b2c3d4e5",
    f"arn:aws:bedrock-agentcore:{PLACE}:harness/name-a1b2c3d4e5",
    f"arn:aws:bedrock-agentcore:{PLACE}:runtime/name-a1b2c3d4e5",
    f"arn:aws:bedrock-agentcore:{PLACE}:memory/name-a1b2c3d4e5",
    f"arn:aws:bedrock:{PLACE}:guardrail/a1b2c3d4e5",
    f"arn:aws:bedrock:{PLACE}:application-inference-profile/a1b2c3d4e5f6",
    f"arn:aws:acps:{PLACE}:token-vault/default/oauth2credentialprovider/name",
    f"arn:aws:acps:{PLACE}:token-vault/default/apikeycredentialprovider/name",
]

MODELS = {}


def model(service):
    if service not in MODELS:
        MODELS[service] = Loader().load_service_model(service, "service-2")
    return MODELS[service]


def fits(shape, text):
    pattern = shape.get("pattern")
    return (
        (pattern is None or regex.fullmatch(pattern, text))
        and shape.get("min", 0) <= len(text) <= shape.get("max", 1 << 30)
        and ("enum" not in shape or text in shape["enum"])
    )


class Check:
    def __init__(self, service, addresses):
        self.shapes = model(service)["shapes"]
        self.addresses = addresses
        self.found = []
        self.keys = set()

    def told(self, at, what):
        self.found.append(f"{at}: {what}")

    def given(self, text, at):
        """What stands for a member of the answer that creates another document."""
        address, _, path = text.partition("#")
        if address not in self.addresses:
            return self.told(at, f"refers to {address}, which nobody makes")
        kind = address.split("/")[1]
        if (kind, path) == ("FunctionCode", "zip"):
            return b"zip"
        service, operation = OPERATIONS[kind]
        shapes = model(service)["shapes"]
        shape = shapes[model(service)["operations"][operation]["output"]["shape"]]
        for part in path.split("."):
            if part.isdigit() and "member" in shape:
                shape = shapes[shape["member"]["shape"]]
                continue
            if part not in shape.get("members", {}):
                return self.told(at, f"{operation} answers with no {path}")
            shape = shapes[shape["members"][part]["shape"]]
        for candidate in GIVEN:
            if fits(shape, candidate):
                return candidate
        return self.told(at, f"no value stands for {text}")

    def resolve(self, value, at):
        if isinstance(value, dict) and set(value) == {"$ref"}:
            return self.given(value["$ref"], at)
        if isinstance(value, dict) and set(value) == {"$join"}:
            parts = [self.resolve(part, at) for part in value["$join"]]
            return "".join(part for part in parts if part is not None)
        if isinstance(value, dict) and set(value) == {"$last"}:
            text = self.resolve(value["$last"], at)
            return text and text.rpartition("/")[2]
        return value

    def check(self, name, value, at):
        shape = self.shapes[name]
        value = self.resolve(value, at)
        if value is None:
            return
        getattr(self, shape["type"], self.unknown)(shape, value, at)

    def unknown(self, shape, value, at):
        self.told(at, f"a shape of type {shape['type']}")

    def structure(self, shape, value, at):
        if shape.get("document"):
            return self.inside(value)
        if not isinstance(value, dict):
            return self.told(at, "is no object")
        members = shape.get("members", {})
        for key in shape.get("required", []):
            if key not in value:
                self.told(at, f"lacks {key}")
        if shape.get("union") and len(value) != 1:
            self.told(at, f"has {len(value)} of the members of a union")
        for key, inner in value.items():
            if key not in members:
                self.told(at, f"has no member {key}")
            else:
                self.check(members[key]["shape"], inner, f"{at}/{key}")

    def list(self, shape, value, at):
        if not isinstance(value, list):
            return self.told(at, "is no list")
        self.bounds(shape, len(value), at)
        for index, inner in enumerate(value):
            self.check(shape["member"]["shape"], inner, f"{at}/{index}")

    def map(self, shape, value, at):
        if not isinstance(value, dict):
            return self.told(at, "is no map")
        self.bounds(shape, len(value), at)
        self.keys.update(value)
        for key, inner in value.items():
            self.check(shape["key"]["shape"], key, f"{at}/{key} (key)")
            self.check(shape["value"]["shape"], inner, f"{at}/{key}")

    def string(self, shape, value, at):
        if isinstance(value, (dict, list)):
            self.inside(value)
            value = json.dumps(value)
        if not isinstance(value, str):
            return self.told(at, "is no text")
        if not fits(shape, value):
            self.told(at, f"{value[:200]!r} does not fit {({k: shape[k] for k in ('min', 'max', 'pattern', 'enum') if k in shape})}")

    def inside(self, value):
        """Notes the keys of a document, which are all data."""
        if isinstance(value, dict):
            self.keys.update(value)
        for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else []:
            self.inside(inner)

    def blob(self, shape, value, at):
        if not isinstance(value, bytes):
            self.told(at, "is no file")

    def boolean(self, shape, value, at):
        if not isinstance(value, bool):
            self.told(at, "is no boolean")

    def integer(self, shape, value, at):
        if not isinstance(value, int) or isinstance(value, bool):
            return self.told(at, "is no whole number")
        self.bounds(shape, value, at)

    long = integer

    def double(self, shape, value, at):
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            return self.told(at, "is no number")
        self.bounds(shape, value, at)

    float = double

    def bounds(self, shape, value, at):
        if not shape.get("min", value) <= value <= shape.get("max", value):
            self.told(at, f"{value} is not between {shape.get('min')} and {shape.get('max')}")


def main():
    asked = json.load(sys.stdin)
    addresses = {one["address"] for one in asked}
    found, keys = [], {}
    for one in asked:
        address, document = one["address"], one["document"]
        kind = address.split("/")[1]
        if kind == "FunctionCode":
            continue
        if kind not in OPERATIONS:
            found.append(f"{address}: nothing creates a {kind}")
            continue
        service, operation = OPERATIONS[kind]
        region = document.pop("$region", None)
        if not regex.fullmatch(r"[a-z]{2}(-[a-z]+)+-\d", region or ""):
            found.append(f"{address}: is sent to {region!r}")
        check = Check(service, addresses)
        check.check(model(service)["operations"][operation]["input"]["shape"], document, address)
        found.extend(check.found)
        keys[address] = sorted(check.keys)
    json.dump(keys if sys.argv[1:] == ["keys"] else found, sys.stdout)


main()
