"""Kinds of things of AgentCore: what creating, showing, listing, changing and deleting one has in common for all of
them.

Strict where the service does not say: names are taken, what is in a state that ends by itself is not changed
(`ConflictException`), and neither is what is in it.
"""

import copy

from .refusal import Refusal
from .registry import plays
from .resources import Thing, answer, found, listing, tagged, unnamed

SERVICE = "bedrock-agentcore-control"


def nothing(*_):
    """What a kind without anything special does."""


class Kind:
    """A kind of thing, and the operations on it, which have the names that the model gives them.

    `key` is the member that identifies a thing, `given` that which names it in requests, `lists` the member of the
    list, `arn` the member of the ARN, and `resource` how the ARN ends. `inner` is what things in it show of it. `check`
    looks at what a request refers to and may say what goes wrong later, `used` refuses to delete what others need,
    `fill` adds what the service adds. An update replaces where `replaces` says so, and otherwise changes what it names.
    """

    def __init__(self, noun, plural, lists, **special):
        self.noun, self.plural, self.lists = noun, plural, lists
        self.parent = special.pop("parent", None)
        self.wrapped = special.pop("wrapped", None)
        self.key = special.pop("key")
        self.given = special.pop("given", self.key)
        self.name = special.pop("name", "name")
        self.arn, self.resource = special.pop("arn", (None, None))
        self.inner = special.pop("inner", ())
        self.done = special.pop("done", "READY")
        self.replaces = special.pop("replaces", False)
        self.check = special.pop("check", nothing)
        self.used = special.pop("used", nothing)
        self.fill = special.pop("fill", nothing)
        self.identify = special.pop("identify", named)
        assert not special, special
        for verb, name, function in (
            ("Create", noun, self.create),
            ("Get", noun, self.get),
            ("List", plural, self.list),
            ("Update", noun, self.update),
            ("Delete", noun, self.delete),
        ):
            plays(f"{SERVICE}:{verb}{name}")(function)

    def things(self, call, changing=False):
        """The things of this kind: those of the thing that they are in, if they are in one."""
        if self.parent is None:
            return call.store(self.noun)
        inside = self.parent.of(call)
        if changing:
            idle(inside, self.parent.noun)
        return inside.parts.setdefault(self.noun, {})

    def of(self, call, changing=False):
        thing = found(self.things(call, changing), call.members[self.given], self.noun)
        if changing:
            idle(thing, self.noun)
        return thing

    def create(self, call, _):
        things, members = self.things(call, changing=True), call.asked("tags")
        if self.name and self.name in members:
            unnamed(things, self.name, members[self.name], self.noun)
        problem = self.check(call, members, None)
        key = members.pop(self.key, None) or self.identify(call, members.get(self.name))
        if key in things:
            raise Refusal("ConflictException", f"{self.noun} {key} already exists")
        thing = Thing({**(self.outer(call)), **members, self.key: key, "statusReasons": []})
        if self.arn:
            thing[self.arn] = call.arn(self.resource.format(**thing), "bedrock-agentcore")
        thing.update(createdAt=call.now, updatedAt=call.now, lastUpdatedAt=call.now)
        tagged(thing, call.members.get("tags", {}))
        self.fill(call, thing, None)
        self.enter(call, thing, "CREATING", problem)
        things[key] = thing
        return answer(call, thing, self.wrapped)

    def outer(self, call):
        """What a thing shows of the thing that it is in."""
        return {} if self.parent is None else {key: self.parent.of(call)[key] for key in self.parent.inner}

    def enter(self, call, thing, state, problem):
        """Enters a state that ends well, or with what is wrong."""

        def end():
            thing["status"] = problem.state if problem else self.done
            thing["statusReasons"] = problem.reasons if problem else []

        thing.begin(call, "status", state, end if problem else self.done)

    def get(self, call, _):
        return answer(call, self.of(call), self.wrapped)

    def list(self, call, _):
        return listing(call, self.things(call), self.lists)

    def update(self, call, _):
        thing, members = self.of(call, changing=True), call.asked(self.given)
        members = {key: value for key, value in members.items() if key not in self.outer(call)}
        before = dict(thing)
        if self.name and self.name in members:
            others = {key: one for key, one in self.things(call).items() if one is not thing}
            unnamed(others, self.name, members[self.name], self.noun)
        if self.replaces:
            kept = {self.key, self.arn, self.name, "createdAt", "status", *self.outer(call)}
            after = {key: value for key, value in before.items() if key in kept} | members
        else:
            after = changed(before, members)
        problem = self.check(call, after, thing)
        thing.clear()
        thing.update({**after, "statusReasons": [], "updatedAt": call.now, "lastUpdatedAt": call.now})
        self.fill(call, thing, before)
        self.enter(call, thing, "UPDATING", problem)
        return answer(call, thing, self.wrapped)

    def delete(self, call, _):
        things, thing = self.things(call), self.of(call, changing=True)
        self.used(call, thing)
        thing.begin(call, "status", "DELETING", lambda: things.pop(thing[self.key]))
        wraps = self.wrapped in call.operation.members(call.operation.output)
        return answer(call, thing, self.wrapped if wraps else None)


class Problem:
    """Why a thing ends in another state than it should."""

    def __init__(self, state, *reasons):
        self.state, self.reasons = state, list(reasons)


def idle(thing, noun):
    if thing.settling:
        raise Refusal("ConflictException", f"{noun} is in the state {thing['status']}. Try again when that has ended.")


def changed(before, members):
    """What an update that names some members leaves: one that is given as an `optionalValue` is set by it, or cleared
    without."""
    after = dict(before)
    for key, value in members.items():
        if isinstance(value, dict) and set(value) <= {"optionalValue"}:
            value = value.get("optionalValue")
        after[key] = value
    return {key: value for key, value in after.items() if value is not None}


def named(call, name):
    return f"{name}-{call.new_id(10, upper=False)}"


def referred(things, arn, member, what):
    """The thing that an ARN names, which has to exist."""
    for thing in things.values():
        if thing.look().get(member) == arn:
            return thing
    raise Refusal("ValidationException", f"{what} {arn} does not exist")


class Versioned(Kind):
    """A kind of which every update is a new version, and of which a request may name one."""

    def __init__(self, *words, version, **special):
        self.version = version
        inner = special.pop("fill", nothing)

        def fill(call, thing, before):
            thing[version] = str(int(before[version]) + 1 if before else 1)
            inner(call, thing, before)
            thing.parts.setdefault("versions", {})[thing[version]] = Thing(copy.deepcopy(dict(thing)), status=self.done)

        super().__init__(*words, fill=fill, **special)
        plays(f"{SERVICE}:List{self.noun}Versions")(self.versions)

    def get(self, call, _):
        thing, version = self.of(call), call.members.get(self.version)
        if version in (None, thing[self.version]):
            return answer(call, thing, self.wrapped)
        return answer(call, found(thing.parts["versions"], version, f"{self.noun} version"), self.wrapped)

    def versions(self, call, _):
        lists = "harnessVersions" if self.noun == "Harness" else self.lists
        return listing(call, self.of(call).parts["versions"], lists)


class Endpoint(Kind):
    """Endpoints of something with versions: each is on the version that it names, or on the latest."""

    def __init__(self, *words, asked, **special):
        self.asked = asked
        super().__init__(*words, check=self.version_exists, fill=self.on, **special)

    def version_exists(self, call, members, before):
        version = members.get(self.asked)
        if version is not None:
            found(self.parent.of(call).parts["versions"], version, f"{self.parent.noun} version")

    def on(self, call, thing, before):
        owner = self.parent.of(call)
        named = call.members.get(self.asked)
        thing["targetVersion"] = named or (before or {}).get("targetVersion") or owner[self.parent.version]
        thing["liveVersion"] = thing["targetVersion"]
