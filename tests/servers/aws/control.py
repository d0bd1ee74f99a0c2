"""What tests may ask of the server: `/_server/config`, `/_server/log`, `/_server/reset` and `/_server/operations`.

`GET log` is what was called, in order. `POST reset` empties the world. `POST operations` takes names of operations and
answers with those that nobody plays.

`POST config` takes an object; what it does not name stays as it is. Operations are named with their service, as in
`bedrock-agent:CreateAgent`, and each wish is for that many calls and is then over.

- `observations`: how many looks see a state that ends by itself. 0: the first look sees the state that follows.
- `page`: how many things a page has at most.
- `unseen`: how many operations that name a new role or policy do not see it yet. IAM says that changes need time; that
  this goes for every operation but another creation is the strict reading.
- `seconds`: by how much the clock moves with each call.
- `ids`: the ids of the things that are made next.
- `throttle`: `{ operation: times }`.
- `fail`: `{ operation: [{ "code", "message", "status", "when" }, …] }`, one for each call; `when` is `before` (the
  default, and nothing happens) or `after` (it was done all the same).
- `drop`: `{ operation: times }`: it is done, and the connection ends without an answer.
- `hold`: `{ "write": n, "when" }`: the n-th call that changes something, counted since the last wish, is held `before` or
  `after` the deed, and is never answered. Whoever is killed then was killed at that point.
- `settle`: `{ operation: [state, …] }`: the state in which a thing ends up, for instance `FAILED`.
- `break`: `{ operation: [member, …] }`: the server forgets a member of its answer, which its own validation has to
  find.
"""

import copy
import json

from . import models
from .semantics import plays
from .world import USUAL

#: For each wish about operations, whether it is a number of times or a list of what each time is.
WISHES = {"throttle": int, "drop": int, "fail": list, "settle": list, "break": list}


def control(world, forget, request):
    """Answers a request for the server itself: its status and a value of JSON."""
    path = request.path.removeprefix("/_server/")
    if (request.method, path) == ("GET", "log"):
        return 200, world.log
    if (request.method, path) == ("GET", "config"):
        return 200, world.config
    if (request.method, path) == ("POST", "reset"):
        world.reset()
        forget()
        return 200, {}
    if (request.method, path) == ("POST", "config"):
        return configure(world, json.loads(request.body))
    if (request.method, path) == ("POST", "operations"):
        return 200, [key for key in json.loads(request.body) if not plays(*key.split(":"))]
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
    world.config.update(copy.deepcopy(wishes))
    return 200, {}
