"""AWS Lambda: moto, with the states of functions and what moto forgets of them.

A new function is `Pending` and a changed one has an update in progress, until somebody has looked often enough. Whoever
changes one until then is refused with the words of the service.
"""

import copy
import json

from moto.awslambda.models import lambda_backends

from . import roles
from .refusal import Refusal
from .registry import plays
from .resources import Thing

#: What moto does not show of what it is told.
FORGOTTEN = ("DeadLetterConfig", "LoggingConfig")

given_role = roles.given(
    "lambda.amazonaws.com",
    "InvalidParameterValueException",
    "The role defined for the function cannot be assumed by Lambda.",
    lambda members: members.get("Role"),
)


def name_of(call):
    return call.members["FunctionName"].rpartition("function:")[2].partition(":")[0]


def settled(call):
    """The function of a call. One that is not here is one that moto says does not exist."""
    function = call.store("functions").get(name_of(call))
    if function is not None and function.look().settling:
        words = "The operation cannot be performed at this time. "
        if function["State"] == "Pending":
            words += "The function is currently in the following state: Pending"
        else:
            words += f"An update is in progress for resource: {call.arn('function:' + name_of(call), 'lambda')}"
        raise Refusal("ResourceConflictException", words)
    return function


@plays("lambda:CreateFunction")
def create_function(call, moto):
    answer = given_role(call, moto)
    if answer[0] < 300:
        usual = {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{name_of(call)}"}
        function = Thing(LoggingConfig=usual, LastUpdateStatus="Successful")
        remember(call, function)
        function.begin(call, "State", "Pending", "Active")
        call.store("functions")[name_of(call)] = function
    return complete(call, answer)


@plays("lambda:UpdateFunctionCode")
@plays("lambda:UpdateFunctionConfiguration")
def update_function(call, moto):
    function = settled(call)
    answer = given_role(call, moto)
    if answer[0] < 300 and function is not None:
        remember(call, function)
        function.begin(call, "LastUpdateStatus", "InProgress", "Successful")
    return complete(call, answer)


def remember(call, function):
    for key in FORGOTTEN:
        if key in call.members:
            function[key] = {**function.get(key, {}), **copy.deepcopy(call.members[key])}


@plays("lambda:PublishVersion")
def publish_version(call, moto):
    settled(call)
    return moto()


@plays("lambda:DeleteFunction")
def delete_function(call, moto):
    answer = moto()
    if answer[0] < 300 and "Qualifier" not in call.members:
        call.store("functions").pop(name_of(call), None)
    return answer


@plays("lambda:GetFunction")
@plays("lambda:GetFunctionConfiguration")
def show_function(call, moto):
    function = call.store("functions").get(name_of(call))
    if function is not None:
        function.look()
    return complete(call, moto())


def complete(call, answer):
    """moto's answer, with what is kept here."""
    status, headers, body = answer
    function = call.store("functions").get(name_of(call))
    if status >= 300 or function is None:
        return answer
    shown = json.loads(body)
    shown.get("Configuration", shown).update(copy.deepcopy(dict(function)))
    return status, headers, json.dumps(shown).encode()


@plays("lambda:PutFunctionEventInvokeConfig")
def put_invocation(call, moto):
    """moto keeps every configuration that it is told, and shows the first."""
    if name_of(call) in call.store("functions"):
        lambda_backends[call.account][call.region].get_function(name_of(call)).event_invoke_config.clear()
    return moto()
