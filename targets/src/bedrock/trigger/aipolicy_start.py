"""Starts an agent for a message, an event or a time, once for each key.

One function for each trigger. Its environment has `START` (`source`, `trigger`, `agent` and its `role`, `retention` and
`wait` in seconds, and where they are written `key`, `input`, the `model` of the agent, and `record`, a log group with a
stream), `TABLE`, and what names the agent: `HARNESS` and `ENDPOINT`, or `AGENT` and `ALIAS`. Where a new version is tried, `CANARY` names it, and
`START` has `canary`: the `weight` in hundredths of a percent, the `name` of the version among metrics, the `alarms` that end
the trial, and prices. It may start this agent and write down that it did, and can do nothing else. The table holds digests, and the record of a session its model, tokens and
calls with their times; neither holds content. A start that fails raises, so that the service tries again and then keeps
what failed in the dead-letter queue.
"""

import hashlib
import json
import os
import re
import time
from datetime import datetime, timezone

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

START = json.loads(os.environ["START"])
TABLE = os.environ["TABLE"]
STARTS = boto3.client("dynamodb")
ONCE = Config(read_timeout=START["wait"], retries={"total_max_attempts": 1})
NAMES = {"#state": "state", "#owner": "owner", "#until": "until", "#expires": "expires"}


class NotStarted(Exception):
    """The agent did not do its work."""


def received(source, event):
    """What came: for each message its id with the service, its group, and what is told."""
    if source == "sqs":
        for record in event["Records"]:
            yield record["messageId"], record["attributes"].get("MessageGroupId"), record["body"]
    elif source == "sns":
        for record in event["Records"]:
            yield record["Sns"]["MessageId"], None, record["Sns"]["Message"]
    elif source == "event-bridge":
        yield event["id"], None, json.dumps(event)
    else:
        yield event["scheduledTime"], None, json.dumps(event)


def key(given, told):
    """The value that a repetition has too."""
    if "key" not in START:
        return given
    try:
        found = json.loads(told)
        for name in START["key"].split("."):
            found = found[name]
    except (ValueError, KeyError, TypeError) as error:
        raise NotStarted(f"there is no {START['key']}") from error
    if found is None:
        raise NotStarted(f"there is no {START['key']}")
    return found


def digest(value):
    text = json.dumps([START["trigger"], value], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def put(start, state, owner, until, condition, values):
    item = {
        "trigger": {"S": START["trigger"]},
        "start": {"S": start},
        "state": {"S": state},
        "owner": {"S": owner},
        "until": {"N": str(until)},
        "expires": {"N": str(until + START["retention"])},
    }
    names = {name: NAMES[name] for name in NAMES if name in condition}
    STARTS.put_item(
        TableName=TABLE,
        Item=item,
        ConditionExpression=condition,
        ExpressionAttributeNames=names,
        ExpressionAttributeValues=values,
    )


def refused(error):
    return error.response["Error"]["Code"] == "ConditionalCheckFailedException"


def claim(start, owner, until):
    """Whether the start is ours to make: nobody made it, and nobody is about to."""
    now = str(int(time.time()))
    condition = "attribute_not_exists(#state) OR #expires < :now OR (#state = :running AND #until < :now)"
    values = {":now": {"N": now}, ":running": {"S": "running"}}
    try:
        put(start, "running", owner, until, condition, values)
        return True
    except ClientError as error:
        if not refused(error):
            raise
    own = {"trigger": {"S": START["trigger"]}, "start": {"S": start}}
    found = STARTS.get_item(TableName=TABLE, Key=own, ConsistentRead=True).get("Item", {})
    if found.get("state") == {"S": "done"}:
        return False
    raise NotStarted("somebody else is about to")


def settle(start, owner, done):
    """Writes down that the start was made, or that it may be tried again; unless it is somebody else's by now."""
    condition, values = "#owner = :owner", {":owner": {"S": owner}}
    try:
        if done:
            put(start, "done", owner, int(time.time()), condition, values)
        else:
            own = {"trigger": {"S": START["trigger"]}, "start": {"S": start}}
            STARTS.delete_item(
                TableName=TABLE,
                Key=own,
                ConditionExpression=condition,
                ExpressionAttributeNames={"#owner": "owner"},
                ExpressionAttributeValues=values,
            )
    except ClientError as error:
        if not refused(error):
            raise


class Session:
    """What an agent is seen to do: how many tokens, which calls, and for how long. What is said is not kept."""

    def __init__(self):
        self.began = time.time()
        self.model = START.get("model")
        self.usage = {"inputTokens": 0, "outputTokens": 0}
        self.calls = []

    def passed(self):
        return round((time.time() - self.began) * 1000)

    def count(self, usage):
        for name in self.usage:
            self.usage[name] += usage.get(name, 0)

    def call(self, key, tool):
        self.calls.append({"key": key, "tool": tool, "after": self.passed()})

    def answered(self, key):
        """The oldest call of this key without an answer has one."""
        for call in self.calls:
            if call["key"] == key and "milliseconds" not in call:
                call["milliseconds"] = self.passed() - call["after"]
                return

    def record(self, name, outcome):
        trace = re.search(r"Root=1-([0-9a-f]{8})-([0-9a-f]{24})", os.environ.get("_X_AMZN_TRACE_ID", ""))
        told = {
            "agent": START["agent"],
            "trigger": START["trigger"],
            "session": name,
            "trace": "".join(trace.groups()) if trace else "unknown",
            "role": START["role"],
            "modelId": self.model or "unknown",
            "usage": self.usage,
            "calls": [{part: call[part] for part in call if part != "key"} for call in self.calls],
            "startedAt": datetime.fromtimestamp(self.began, timezone.utc).isoformat(timespec="milliseconds"),
            "milliseconds": self.passed(),
            "outcome": outcome,
        }
        if "record" not in START:
            return print(json.dumps(told))
        event = {"timestamp": round(time.time() * 1000), "message": json.dumps(told)}
        place = {"logGroupName": START["record"]["group"], "logStreamName": START["record"]["stream"]}
        try:
            boto3.client("logs").put_log_events(**place, logEvents=[event])
        except ClientError as error:
            # The agent has done its work, so that it must not be started again.
            print(json.dumps({"session": name, "unrecorded": error.response["Error"]["Code"]}))


def is_tried(name):
    """Whether a session goes to the version that is tried: a share of them, by their digests, while no alarm rings."""
    canary = START.get("canary")
    if not canary or int(name[:8], 16) % 10_000 >= canary["weight"]:
        return False
    try:
        asked = boto3.client("cloudwatch").describe_alarms(AlarmNames=canary["alarms"])
    except (BotoCoreError, ClientError) as error:
        print(json.dumps({"session": name, "unasked": type(error).__name__}))
        return False
    quiet = {alarm["AlarmName"] for alarm in asked["MetricAlarms"] if alarm["StateValue"] != "ALARM"}
    return bool(canary["alarms"]) and quiet.issuperset(canary["alarms"])


def measure(session, failed):
    """Says in the log, as metrics, what became of a session with the version that is tried."""
    canary, micros = START["canary"], 0
    prices = canary.get("microdollarsPerMillion", {})
    for name, price in prices.items():
        micros += session.usage[name] * price / 1_000_000
    told = {"Failed": int(failed), "Milliseconds": session.passed()}
    units = {"Failed": "Count", "Milliseconds": "Milliseconds"}
    if prices:
        told["Dollars"], units["Dollars"] = micros / 1_000_000, "None"
    metrics = [{"Name": name, "Unit": units[name]} for name in told]
    group = {"Namespace": "aipolicy", "Dimensions": [["canary"]], "Metrics": metrics}
    head = {"Timestamp": round(time.time() * 1000), "CloudWatchMetrics": [group]}
    print(json.dumps({"_aws": head, "canary": canary["name"], **told}))


def harness(name, texts, session, place):
    answer = boto3.client("bedrock-agentcore", config=ONCE).invoke_harness(
        harnessArn=os.environ["HARNESS"],
        qualifier=place or os.environ["ENDPOINT"],
        runtimeSessionId=name,
        messages=[{"role": "user", "content": [{"text": text} for text in texts]}],
    )
    reason = None
    for event in answer["stream"]:
        reason = event.get("messageStop", {}).get("stopReason", reason)
        session.count(event.get("metadata", {}).get("usage", {}))
        begun = event.get("contentBlockStart", {}).get("start", {})
        if "toolUse" in begun:
            session.call(begun["toolUse"]["toolUseId"], begun["toolUse"]["name"])
        if "toolResult" in begun:
            session.answered(begun["toolResult"]["toolUseId"])
    if reason not in ("end_turn", "stop_sequence"):
        raise NotStarted(f"the agent stopped: {reason}")


def invoked(step):
    """What a step of Agents Classic calls."""
    given = step.get("invocationInput", {})
    group = given.get("actionGroupInvocationInput", {})
    if "apiPath" in group:
        return f"{group.get('verb', '').upper()} {group['apiPath']}"
    base = given.get("knowledgeBaseLookupInput", {}).get("knowledgeBaseId")
    other = given.get("agentCollaboratorInvocationInput", {}).get("agentCollaboratorName")
    return group.get("function") or base or other


def watch(session, step):
    """Notes a step of a trace of Agents Classic."""
    session.model = step.get("modelInvocationInput", {}).get("foundationModel", session.model)
    session.count(step.get("modelInvocationOutput", {}).get("metadata", {}).get("usage", {}))
    if tool := invoked(step):
        session.call("step", tool)
    if "observation" in step:
        session.answered("step")


def classic(name, texts, session, place):
    answer = boto3.client("bedrock-agent-runtime", config=ONCE).invoke_agent(
        agentId=os.environ["AGENT"],
        agentAliasId=place or os.environ["ALIAS"],
        sessionId=name,
        enableTrace=True,
        inputText="\n\n".join(texts),
    )
    for event in answer["completion"]:
        watch(session, event.get("trace", {}).get("trace", {}).get("orchestrationTrace", {}))
        if "returnControl" in event:
            raise NotStarted("the agent asks somebody to confirm a call, and nobody is there")


def start(given, told, context):
    name = digest(key(given, told))
    until = int(time.time()) + context.get_remaining_time_in_millis() // 1000 + 30
    owner = f"{context.aws_request_id}/{given}"
    if not claim(name, owner, until):
        return print(json.dumps({"trigger": START["trigger"], "session": name, "state": "repeated"}))
    texts = [text for text in (START.get("input"), told) if text]
    session, place = Session(), os.environ["CANARY"] if is_tried(name) else None
    try:
        (harness if "HARNESS" in os.environ else classic)(name, texts, session, place)
    except BaseException as error:
        if place:
            measure(session, True)
        settle(name, owner, False)
        session.record(name, type(error).__name__)
        raise
    if place:
        measure(session, False)
    settle(name, owner, True)
    session.record(name, "done")
    print(json.dumps({"trigger": START["trigger"], "session": name, "state": "done"}))


def handler(event, context):
    failed, groups = [], set()
    for given, group, told in received(START["source"], event):
        try:
            # Messages of a group are handled in their order, or not at all.
            if group is not None and group in groups:
                raise NotStarted("a message before it failed")
            start(given, told, context)
        except Exception as error:
            if START["source"] != "sqs":
                raise
            groups.add(group)
            failed.append({"itemIdentifier": given})
            print(json.dumps({"trigger": START["trigger"], "message": given, "failed": type(error).__name__}))
    return {"batchItemFailures": failed}
