"""Somebody who calls operations, as often as asked: for each line of the input one of the output.

In: `{ "server", "account", "calls": [[service, operation, members], …] }`, with the names of operations that boto3 has, and the
region as a fourth item if it is not the usual one. Out: the list of answers.
"""

import json
import os
import sys

from .caller import client


def answers(account, calls):
    for service, operation, members, *region in calls:
        answer = getattr(client(service, account, *region), operation)(**members)
        answer.pop("ResponseMetadata", None)
        yield answer


for line in sys.stdin:
    asked = json.loads(line)
    os.environ["SERVER"] = asked["server"]
    print(json.dumps(list(answers(asked["account"], asked["calls"])), default=str), flush=True)
