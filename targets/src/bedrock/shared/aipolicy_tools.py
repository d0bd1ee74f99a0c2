"""Hands the tool calls of an agent to the state machines that check and make them.

One function for each agent. Its environment has `MACHINES`, by tool: `arn`, `wait` (whether the answer is waited for),
`operation` (method and path, of a tool that is one) and, where a repetition must be harmless, `key`, the input that makes
it so. The function may start these machines and can do nothing else; whatever it is given is checked there. It tells them
the ids that the call has elsewhere, as far as it is told: of the session, of the request to the gateway, and of the trace.
"""

import hashlib
import json
import os
import re

import boto3

MACHINES = json.loads(os.environ["MACHINES"])
STEPS = boto3.client("stepfunctions")


def ids(**known):
    """What is known of the ids of a call. A trace has 32 digits, as spans have it."""
    root = re.search(r"Root=1-([0-9a-f]{8})-([0-9a-f]{24})", os.environ.get("_X_AMZN_TRACE_ID", ""))
    known["trace"] = "".join(root.groups()) if root else None
    return {name: value for name, value in known.items() if isinstance(value, str)}


def call(tool, tool_input, known):
    machine = MACHINES.get(tool)
    if machine is None:
        return {"error": "UnknownTool"}
    body = json.dumps({"input": tool_input, "ids": known})
    if machine["wait"]:
        done = STEPS.start_sync_execution(stateMachineArn=machine["arn"], input=body)
        if done["status"] != "SUCCEEDED":
            return {"error": done.get("error", done["status"]), "cause": done.get("cause", "")}
        return json.loads(done["output"])
    name = {}
    if "key" in machine and isinstance(tool_input, dict) and machine["key"] in tool_input:
        text = json.dumps([tool, tool_input[machine["key"]]], sort_keys=True)
        name = {"name": hashlib.sha256(text.encode()).hexdigest()}
    try:
        started = STEPS.start_execution(stateMachineArn=machine["arn"], input=body, **name)
    except STEPS.exceptions.ExecutionAlreadyExists:
        return {"status": "ALREADY_ASKED_FOR"}
    return {"status": "WAITING_FOR_A_DECISION", "execution": started["executionArn"]}


def typed(parameter):
    """The value of a parameter, which Bedrock Agents writes as text."""
    kind, value = parameter.get("type"), parameter.get("value")
    if kind in ("integer", "number", "boolean", "array"):
        try:
            return json.loads(value)
        except (TypeError, ValueError):
            return value
    return value


def operation(event):
    """A call of Bedrock Agents that names a path and a method."""
    asked = f"{event['httpMethod'].upper()} {event['apiPath']}"
    named = [tool for tool, machine in MACHINES.items() if machine.get("operation") == asked]
    content = (event.get("requestBody") or {}).get("content") or {}
    body = (content.get("application/json") or {}).get("properties") or []
    given = {one["name"]: typed(one) for one in (event.get("parameters") or []) + body}
    told = call(named[0] if len(named) == 1 else None, given, ids(session=event.get("sessionId")))
    response = {
        "actionGroup": event["actionGroup"],
        "apiPath": event["apiPath"],
        "httpMethod": event["httpMethod"],
        "httpStatusCode": 200,
        "responseBody": {"application/json": {"body": json.dumps(told)}},
    }
    return {"messageVersion": event.get("messageVersion", "1.0"), "response": response}


def handler(event, context):
    if isinstance(event, dict) and "actionGroup" in event and "apiPath" in event:
        return operation(event)
    if isinstance(event, dict) and "actionGroup" in event and "agent" in event:
        tool = event.get("function")
        given = {one["name"]: typed(one) for one in event.get("parameters", [])}
        told = call(tool, given, ids(session=event.get("sessionId")))
        body = {"TEXT": {"body": json.dumps(told)}}
        response = {"actionGroup": event["actionGroup"], "function": tool, "functionResponse": {"responseBody": body}}
        return {"messageVersion": event.get("messageVersion", "1.0"), "response": response}
    told = context.client_context.custom
    tool = told["bedrockAgentCoreToolName"].rpartition("___")[2].replace("_", "-")
    return call(tool, event, ids(request=told.get("bedrockAgentCoreAwsRequestId")))
