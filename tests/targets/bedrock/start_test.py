"""Runs the function of a trigger beside stand-ins for the SDK, and prints what it does.

The table is a stand-in that evaluates the conditions which the function writes, and keeps items.
"""

import json
import os
import sys
import types

CALLS, ITEMS, CLOCK, RECORDS = [], {}, [1_000_000], []
SAID = "Canary7f3a"


class ClientError(Exception):
    def __init__(self, code):
        super().__init__(code)
        self.response = {"Error": {"Code": code}}


def holds(condition, item, names, values):
    """Evaluates the conditions of DynamoDB that are used here: comparisons, AND, OR, and whether there is an attribute."""

    def value(word):
        return values[word] if word.startswith(":") else (item or {}).get(names[word])

    def one(text):
        text = text.strip().strip("()")
        if text.startswith("attribute_not_exists"):
            return names[text[len("attribute_not_exists") :].strip("()")] not in (item or {})
        left, sign, right = text.split()
        left, right = value(left), value(right)
        if left is None:
            return False
        if sign == "=":
            return left == right
        assert sign == "<", sign
        return int(left["N"]) < int(right["N"])

    return any(all(one(part) for part in choice.split(" AND ")) for choice in condition.split(" OR "))


class Table:
    def check(self, key, request):
        used = set(request["ExpressionAttributeNames"])
        assert used == {word.strip("()") for word in request["ConditionExpression"].replace("(", " ").split() if word[0] == "#"}
        if not holds(
            request["ConditionExpression"],
            ITEMS.get(key),
            request["ExpressionAttributeNames"],
            request["ExpressionAttributeValues"],
        ):
            raise ClientError("ConditionalCheckFailedException")

    def put_item(self, **request):
        key = (request["Item"]["trigger"]["S"], request["Item"]["start"]["S"])
        self.check(key, request)
        ITEMS[key] = request["Item"]

    def get_item(self, TableName, Key, ConsistentRead):
        assert ConsistentRead
        found = ITEMS.get((Key["trigger"]["S"], Key["start"]["S"]))
        return {"Item": found} if found else {}

    def delete_item(self, **request):
        key = (request["Key"]["trigger"]["S"], request["Key"]["start"]["S"])
        self.check(key, request)
        del ITEMS[key]


class Agents:
    def invoke_harness(self, **request):
        CALLS.append(request)
        told = request["messages"][0]["content"][-1]["text"]
        if "broken" in told:
            raise ClientError("ThrottlingException")
        return {"stream": self.stream("timeout_exceeded" if "slow" in told else "end_turn")}

    def stream(self, reason):
        """What a harness tells: two rounds of the model, and a call between them that takes two seconds."""
        use = {"toolUse": {"toolUseId": "u1", "name": "tools___read"}}
        yield {"messageStart": {"role": "assistant"}}
        yield {"contentBlockStart": {"start": use}}
        yield {"contentBlockDelta": {"delta": {"toolUse": {"input": SAID}}}}
        yield {"metadata": {"usage": {"inputTokens": 100, "outputTokens": 20, "totalTokens": 120}}}
        CLOCK[0] += 2
        yield {"contentBlockStart": {"start": {"toolResult": {"toolUseId": "u1", "status": "success"}}}}
        yield {"contentBlockDelta": {"delta": {"text": SAID}}}
        yield {"metadata": {"usage": {"inputTokens": 150, "outputTokens": 30, "totalTokens": 180}}}
        yield {"messageStop": {"stopReason": reason}}

    def invoke_agent(self, **request):
        CALLS.append(request)
        event = {"returnControl": {}} if "confirm" in request["inputText"] else {"chunk": {}}
        return {"completion": [*self.steps(), event]}

    def steps(self):
        """What Agents Classic traces: a model that asks for a function, and what came of it."""
        call = {"function": "find", "parameters": [{"name": "id", "value": SAID}]}
        steps = [
            {"modelInvocationInput": {"foundationModel": "amazon.nova-lite-v1:0", "text": SAID}},
            {"modelInvocationOutput": {"metadata": {"usage": {"inputTokens": 70, "outputTokens": 7}}, "rawResponse": {"content": SAID}}},
            {"invocationInput": {"invocationType": "ACTION_GROUP", "actionGroupInvocationInput": call}},
            {"observation": {"actionGroupInvocationOutput": {"text": SAID}}},
            {"invocationInput": {"actionGroupInvocationInput": {"apiPath": "/orders/{id}", "verb": "get"}}},
            {"observation": {}},
        ]
        return [{"trace": {"trace": {"orchestrationTrace": step}}} for step in steps]


class Alarms:
    def describe_alarms(self, AlarmNames):
        if ALARMS is None:
            raise ClientError("ThrottlingException")
        found = [{"AlarmName": name, "StateValue": ALARMS[name]} for name in AlarmNames if name in ALARMS]
        return {"MetricAlarms": found}


class Logs:
    def put_log_events(self, **request):
        if request["logStreamName"] == "gone":
            raise ClientError("ResourceNotFoundException")
        RECORDS.append(request)


ALARMS = {}
CLIENTS = {"cloudwatch": Alarms, "dynamodb": Table, "bedrock-agentcore": Agents, "bedrock-agent-runtime": Agents, "logs": Logs}
sys.modules["boto3"] = types.SimpleNamespace(client=lambda service, **options: CLIENTS[service]())
sys.modules["botocore"] = types.ModuleType("botocore")
sys.modules["botocore.config"] = types.SimpleNamespace(Config=lambda **options: options)
sys.modules["botocore.exceptions"] = types.SimpleNamespace(BotoCoreError=OSError, ClientError=ClientError)
os.environ.update({"START": json.dumps({"wait": 1}), "TABLE": "starts"})
sys.path.insert(0, os.path.dirname(sys.argv[1]))
import aipolicy_start  # noqa: E402

aipolicy_start.time = types.SimpleNamespace(time=lambda: CLOCK[0])
PRINTED = []
aipolicy_start.print = PRINTED.append


def run(name, event, source="sqs", at=0, **start):
    CLOCK[0] += at
    own = {"agent": "a", "role": "arn:role", "record": {"group": "/w/traces", "stream": "a/sessions"}}
    aipolicy_start.START = {"source": source, "trigger": "t", "retention": 100, "wait": 1, **own, **start}
    context = types.SimpleNamespace(aws_request_id=name, get_remaining_time_in_millis=lambda: 60_000)
    try:
        told = aipolicy_start.handler(event, context)
    except Exception as error:
        told = {"raised": type(error).__name__}
    states = sorted(item["state"]["S"] for item in ITEMS.values())
    seen = {"calls": CALLS, "states": states, "items": list(ITEMS.values()), "records": RECORDS, "printed": PRINTED}
    print(json.dumps({"name": name, "told": told, **seen}))
    for list_of in (CALLS, RECORDS, PRINTED):
        list_of.clear()


def message(given, body, group=None):
    attributes = {"MessageGroupId": group} if group else {}
    return {"messageId": given, "body": json.dumps(body), "attributes": attributes}


def messages(*of):
    return {"Records": list(of)}


os.environ.update({"HARNESS": "arn:harness", "ENDPOINT": "prod"})
run("first", messages(message("m1", {"id": 7})), input="Do it.")
run("again", messages(message("m1", {"id": 7})))
run("later", messages(message("m1", {"id": 7})), at=101)
run("by key", messages(message("m2", {"order": {"id": 7}}), message("m3", {"order": {"id": 7}})), key="order.id")
run("no key", messages(message("m4", {"order": {}})), key="order.id")
run("not JSON", messages({"messageId": "m5", "body": "{", "attributes": {}}), key="order.id")
run("broken", messages(message("m6", "broken"), message("m7", "fine")))
run("slow", messages(message("m8", "slow")))
ITEMS.clear()
run("in order", messages(message("m9", "broken", "g"), message("m10", "fine", "g"), message("m11", "fine", "h")))
key = ("t", aipolicy_start.digest("m12"))
ITEMS[key] = {"state": {"S": "running"}, "owner": {"S": "x"}, "until": {"N": str(CLOCK[0] + 10)}, "expires": {"N": str(CLOCK[0] + 110)}}
run("running", messages(message("m12", "fine")))
run("abandoned", messages(message("m12", "fine")), at=11)
ITEMS.clear()
run("topic", {"Records": [{"Sns": {"MessageId": "n1", "Message": json.dumps({"id": 1})}}]}, "sns")
run("event", {"id": "e1", "detail": {"case": {"id": "c1"}}}, "event-bridge", key="detail.case.id")
run("event again", {"id": "e2", "detail": {"case": {"id": "c1"}}}, "event-bridge", key="detail.case.id")
run("event broken", {"id": "e3", "detail": "broken"}, "event-bridge")
run("clock", {"scheduledTime": "2026-11-22T06:00:00Z"}, "schedule", input="Good morning.")
run("clock again", {"scheduledTime": "2026-11-22T06:00:00Z"}, "schedule", input="Good morning.")
os.environ["_X_AMZN_TRACE_ID"] = "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1"
run("traced", messages(message("m20", "fine")), model="amazon.nova-micro-v1:0")
del os.environ["_X_AMZN_TRACE_ID"]
run("unrecorded", messages(message("m21", "fine")), record={"group": "/w/traces", "stream": "gone"})
os.environ["CANARY"] = "prod_canary"
TRIED = {"weight": 2500, "name": "a-1", "alarms": ["errors", "slow"], "microdollarsPerMillion": {"inputTokens": 2_000_000, "outputTokens": 10_000_000}}
MANY = [message(f"s{number}", "fine") for number in range(400)]
ALARMS = {"errors": "OK", "slow": "INSUFFICIENT_DATA"}
run("shared", messages(*MANY), canary=TRIED)
ITEMS.clear()
run("shared again", messages(*MANY), canary=TRIED)
ITEMS.clear()
run("tried broken", messages(*[message(f"b{number}", "broken") for number in range(40)]), canary=TRIED)
for name, state in [("rung", {"errors": "OK", "slow": "ALARM"}), ("missing", {"errors": "OK"}), ("unasked", None)]:
    ALARMS = state
    ITEMS.clear()
    run(name, messages(*MANY), canary=TRIED)
ITEMS.clear()
del os.environ["HARNESS"]
os.environ.update({"AGENT": "AGENT", "ALIAS": "ALIAS", "CANARY": "TRIED"})
ALARMS = {"errors": "OK", "slow": "OK"}
run("classic shared", messages(*MANY), canary={**TRIED, "microdollarsPerMillion": {}})
ITEMS.clear()
del os.environ["CANARY"]
run("classic", messages(message("m13", "fine")), input="Do it.")
run("classic confirm", messages(message("m14", "confirm")))
