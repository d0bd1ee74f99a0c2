"""What tests may ask of the server, below `/_server/`.

`GET log` is what was called, in order, and `GET writes` how many of these calls change something (`made`), how many are held
(`held`), and the one that waits for a `POST go` (`waiting`). `GET census` is everything that there is, without ids and times.
`POST reset` empties the world. `POST operations` takes names of operations and answers with those that nobody plays.
`POST branch` starts a copy of the server, which knows what this one knows, and answers with its address; `POST end` ends it.

`POST config` takes an object; what it does not name stays as it is. Operations are named with their service, as in
`bedrock-agent:CreateAgent`, and each wish is for that many calls and is then over.

- `observations`: how many looks see a state that ends by itself. 0: the first look sees the state that follows.
- `page`: how many things a page has at most.
- `unseen`: how many operations that name a new role or policy do not see it yet. IAM says that changes need time; that
  this goes for every operation but another creation is the strict reading.
- `late`: for how many seconds of our time nobody sees a new role or policy.
- `seconds`: by how much the clock moves with each call.
- `ids`: the ids of the things that are made next.
- `throttle`: `{ operation: times }`.
- `fail`: `{ operation: [{ "code", "message", "status", "when" }, …] }`, one for each call; `when` is `before` (the
  default, and nothing happens) or `after` (it was done all the same).
- `drop`: `{ operation: times }`: it is done, and the connection ends without an answer.
- `hold`: `{ "write": n, "when" }`: the n-th call that changes something, counted since the last wish, is held `before` or
  `after` the deed, and is never answered. Whoever is killed then was killed at that point.
- `step`: each call that changes something waits before the deed and after it, until it is told to go on. A copy that is
  made meanwhile is what is left behind by a kill at that point. One call at a time is waited for.
- `lose`: the answer to each call that changes something is lost when it is made the first time.
- `faults`: `{ "percent", "seed" }`: how many calls of a hundred fail, each in one of four ways: throttled, refused with a
  status of 500 before or after the deed, or done and not answered.
- `settle`: `{ operation: [state, …] }`: the state in which a thing ends up, for instance `FAILED`.
- `break`: `{ operation: [member, …] }`: the server forgets a member of its answer, which its own validation has to
  find.
"""

import copy
import json
import os
import random

from . import models
from .census import census
from .semantics import plays
from .world import USUAL

#: For each wish about operations, whether it is a number of times or a list of what each time is.
WISHES = {"throttle": int, "drop": int, "fail": list, "settle": list, "break": list}


def control(front, request):
    """Answers a request for the server itself: its status and a value of JSON."""
    world, path = front.world, request.path.removeprefix("/_server/")
    if request.method == "GET":
        told = {"log": lambda: world.log, "config": lambda: world.config, "writes": world.told, "census": lambda: census(world)}
        return (200, told[path]()) if path in told else (404, {"message": f"no GET {request.path}"})
    if path == "reset":
        front.reset()
        return 200, {}
    if path == "config":
        return configure(world, json.loads(request.body))
    if path == "operations":
        return 200, [key for key in json.loads(request.body) if not plays(*key.split(":"))]
    if path == "go":
        world.go()
        return 200, {}
    if path == "branch":
        return 200, {"address": front.branch()}
    if path == "end":
        os._exit(0)
    return 404, {"message": f"no {request.method} {request.path}"}


def configure(world, wishes):
    for name, value in wishes.items():
        if name not in USUAL or not isinstance(value, type(USUAL[name])):
            return 400, {"message": f"{name} is nothing that can be asked for, or not like this"}
        for key, wish in value.items() if name in WISHES else ():
            if models.operation(*key.split(":")) is None or not isinstance(wish, WISHES[name]):
                return 400, {"message": f"{name}: {key} is no operation, or not asked for like this"}
    if "hold" in wishes:
        world.writes = 0
    if "faults" in wishes:
        world.chance = random.Random(wishes["faults"].get("seed", 1))
    world.config.update(copy.deepcopy(wishes))
    return 200, {}
