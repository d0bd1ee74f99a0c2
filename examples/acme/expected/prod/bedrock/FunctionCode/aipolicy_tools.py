"""Hands the tool calls of an agent to the state machines that check and make them.

One function for each agent. Its environment has `MACHINES`, by tool: `arn`, `wait` (whether the answer is waited for)
and, where a repetition must be harmless, `key`, the input that makes it so. The function may start these machines and
can do nothing else; whatever it is given is checked there.
"""

import hashlib
import json
import os

import boto3

MACHINES = json.loads(os.environ["MACHINES"])
STEPS = boto3.client("stepfunctions")


def call(tool, tool_input):
    machine = MACHINES.get(tool)
    if machine is None:
        return {"error": "UnknownTool"}
    body = json.dumps({"input": tool_input})
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


def handler(event, context):
    if isinstance(event, dict) and "actionGroup" in event and "agent" in event:
        tool = event.get("function")
        told = call(tool, {one["name"]: typed(one) for one in event.get("parameters", [])})
        body = {"TEXT": {"body": json.dumps(told)}}
        response = {"actionGroup": event["actionGroup"], "function": tool, "functionResponse": {"responseBody": body}}
        return {"messageVersion": event.get("messageVersion", "1.0"), "response": response}
    named = context.client_context.custom["bedrockAgentCoreToolName"]
    return call(named.rpartition("___")[2].replace("_", "-"), event)
