"""What the server knows: the things of each account and region, what tests asked for, and what happened."""

import copy
import datetime
import hashlib
import json
import random
import threading

from .refusal import Refusal

#: How operations begin that change nothing.
READS = ("Describe", "Get", "List")

START = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)

#: What tests may ask for, as it is when nobody asked; `control.py` says what each means.
USUAL = {
    "observations": 1,
    "page": 100,
    "unseen": 0,
    "late": 0,
    "throttle": {},
    "fail": {},
    "drop": {},
    "hold": {},
    "step": False,
    "lose": False,
    "faults": {},
    "settle": {},
    "break": {},
    "ids": [],
    "seconds": 1,
}


class World:
    def __init__(self):
        self.reset()

    def reset(self):
        self.config = copy.deepcopy(USUAL)
        self.log = []
        self.now = START
        self.stores = {}
        self.answers = {}
        self.hidden = {}
        self.made = 0
        self.writes = 0
        self.lost = set()
        self.chance = random.Random(1)
        self.waiting = None
        self.counts = {"made": 0, "held": 0}

    @property
    def turn(self):
        """Which call it is."""
        return len(self.log)

    def holds(self, operation):
        """On which side of the deed a call is held, which is then never answered; nothing for most of them."""
        if not changes(operation):
            return None
        self.writes += 1
        self.counts["made"] += 1
        hold = self.config["hold"]
        return hold.get("when", "before") if hold.get("write") == self.writes else None

    def told(self):
        """How many calls were made that change something, how many are held, and which one waits."""
        waiting = self.waiting and {"operation": self.waiting[0], "when": self.waiting[1]}
        return {**self.counts, "waiting": waiting}

    def wait(self, operation, when):
        """What a call waits for until it is told to go on; nothing if nobody asked for that."""
        if not self.config["step"] or not changes(operation):
            return None
        self.waiting = (operation.name, when, threading.Event())
        return self.waiting[2]

    def go(self):
        """Lets go on what waits."""
        if self.waiting:
            self.waiting[2].set()
            self.waiting = None

    def loses(self, operation, request):
        """Whether the answer is lost: to what is asked the first time, if a test wants that."""
        asked = (operation.key, request.method, request.path, request.body)
        if not self.config["lose"] or not changes(operation) or asked in self.lost:
            return False
        self.lost.add(asked)
        return True

    def fault(self):
        """How a call fails, of as many of a hundred as a test asked for."""
        if self.chance.random() * 100 >= self.config["faults"].get("percent", 0):
            return None
        return self.chance.choice(("throttle", "before", "after", "drop"))

    def spend(self, wish, key):
        """Takes one of the times for which a wish was made for an operation; nothing if there is none left."""
        wishes = self.config[wish]
        left = wishes.get(key)
        if not left:
            return None
        if isinstance(left, list):
            return left.pop(0)
        wishes[key] -= 1
        return True


def changes(operation):
    """Whether an operation changes something."""
    return not operation.name.startswith(READS)


class Call:
    """One call of an operation, and the part of the world that it is about."""

    def __init__(self, world, scope, operation, members):
        self.world = world
        self.account, self.region = scope
        self.operation = operation
        self.service = operation.service
        self.members = members
        self.now = world.now

    def store(self, kind):
        """The things of a kind in the account and region of the call, by their ids."""
        return self.world.stores.setdefault((self.account, self.region, self.service, kind), {})

    def of(self, service, kind):
        """The things of a kind of another service."""
        return self.world.stores.get((self.account, self.region, service, kind), {})

    def arn(self, resource, service="bedrock"):
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}"

    def new_id(self, length=10, upper=True):
        """An id that no other thing has: the next one that a test asked for, or one that is counted."""
        if self.world.config["ids"]:
            return self.world.config["ids"].pop(0)
        self.world.made += 1
        digits = hashlib.sha256(str(self.world.made).encode()).hexdigest()[:length]
        return digits.upper() if upper else digits

    def asked(self, *without):
        """The members of the request that a thing keeps: all but those named and the token."""
        token = self.operation.token()
        return {key: copy.deepcopy(value) for key, value in self.members.items() if key not in (*without, token)}

    def repeated(self):
        """The answer to an earlier call with the same token; nothing if there was none.

        Services say that they ignore a repetition and return no error. What they do when a token comes back with other
        members they do not say; here that is a conflict, since it is a mistake of the caller.
        """
        token = self.members.get(self.operation.token())
        known = self.world.answers.get((self.account, self.region, self.operation.key, token)) if token else None
        if known is None:
            return None
        members, answer = known
        if members != told(self.members):
            raise Refusal("ConflictException", "the client token was used with other parameters")
        return answer

    def remember(self, answer):
        token = self.members.get(self.operation.token())
        if token:
            key = (self.account, self.region, self.operation.key, token)
            self.world.answers[key] = (told(self.members), answer)


def told(value):
    """A value as plain JSON, for the log and for comparisons."""
    return json.loads(
        json.dumps(value, default=lambda other: f"<{len(other)} bytes>" if isinstance(other, bytes) else str(other))
    )
