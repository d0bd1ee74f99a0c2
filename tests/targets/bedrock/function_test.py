"""Runs the function that tool calls come through beside a stand-in for the SDK, and prints what it does."""

import json
import os
import sys
import types

GATE = {"arn": "arn:gate", "wait": False, "key": "requestId"}
ORDER = {"arn": "arn:order", "wait": True, "operation": "POST /orders/{id}"}
MACHINES = {"read-invoice": {"arn": "arn:tool", "wait": True}, "issue-refund": GATE, "order": ORDER}
os.environ["MACHINES"] = json.dumps(MACHINES)
CALLS = []


class ExecutionAlreadyExists(Exception):
    pass


class Steps:
    exceptions = types.SimpleNamespace(ExecutionAlreadyExists=ExecutionAlreadyExists)
    names = set()

    def start_sync_execution(self, **request):
        CALLS.append(request)
        if json.loads(request["input"])["input"] == {"invoice": "bad"}:
            return {"status": "FAILED", "error": "Refused", "cause": "invoice must fit its pattern"}
        return {"status": "SUCCEEDED", "output": json.dumps({"result": "paid"})}

    def start_execution(self, **request):
        CALLS.append(request)
        if request.get("name") in self.names:
            raise ExecutionAlreadyExists()
        self.names.add(request.get("name", object()))
        return {"executionArn": "arn:execution"}


sys.modules["boto3"] = types.SimpleNamespace(client=lambda service: Steps())
sys.path.insert(0, os.path.dirname(sys.argv[1]))
import aipolicy_tools  # noqa: E402


def gateway(tool, event):
    custom = {"bedrockAgentCoreToolName": tool, "bedrockAgentCoreAwsRequestId": "request-1"}
    context = types.SimpleNamespace(client_context=types.SimpleNamespace(custom=custom))
    return aipolicy_tools.handler(event, context)


def show(name, told):
    print(name, json.dumps(told, sort_keys=True), json.dumps(CALLS, sort_keys=True))
    CALLS.clear()


show("read", gateway("tools___read_invoice", {"invoice": "INV-1"}))
show("refused", gateway("tools___read_invoice", {"invoice": "bad"}))
show("unknown", gateway("tools___drop_table", {}))
show("refund", gateway("tools___issue_refund", {"requestId": "a", "amount": 1}))
show("again", gateway("tools___issue_refund", {"requestId": "a", "amount": 1}))
show("no key", gateway("tools___issue_refund", {"amount": 1}))
show("no object", gateway("tools___issue_refund", ["requestId"]))
parameters = [
    {"name": "amount", "type": "integer", "value": "5"},
    {"name": "urgent", "type": "boolean", "value": "true"},
    {"name": "tags", "type": "array", "value": '["a"]'},
    {"name": "requestId", "type": "string", "value": "7"},
    {"name": "broken", "type": "number", "value": "five"},
]
event = {
    "messageVersion": "1.0",
    "agent": {"name": "x"},
    "sessionId": "session-1",
    "actionGroup": "tools",
    "function": "issue-refund",
    "parameters": parameters,
}
show("classic", aipolicy_tools.handler(event, None))
asked = {
    "messageVersion": "1.0",
    "agent": {"name": "x"},
    "actionGroup": "operations",
    "apiPath": "/orders/{id}",
    "httpMethod": "POST",
    "parameters": [{"name": "id", "type": "integer", "value": "7"}],
    "requestBody": {"content": {"application/json": {"properties": [{"name": "note", "type": "string", "value": "n"}]}}},
}
show("operation", aipolicy_tools.handler(asked, None))
show("other path", aipolicy_tools.handler({**asked, "apiPath": "/orders"}, None))
os.environ["_X_AMZN_TRACE_ID"] = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
show("traced", gateway("tools___read_invoice", {"invoice": "INV-1"}))
show("odd session", aipolicy_tools.handler({**event, "sessionId": {"not": "text"}}, None))
del os.environ["_X_AMZN_TRACE_ID"]
show("no body", aipolicy_tools.handler({**asked, "requestBody": None, "httpMethod": "post"}, None))
