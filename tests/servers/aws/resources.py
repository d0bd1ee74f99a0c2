"""What the things of all services have in common: states that end, pages, tags, and answers cut to their shape."""

import base64
import copy

from .refusal import Refusal


class Thing(dict):
    """A thing of a service: its members, under the names of the model.

    While it is in a state that ends by itself, `settling` is how many more looks see that state, and what happens then.
    A look is an answer that shows the state, or an operation that is refused because of it.
    """

    def __init__(self, *args, **members):
        super().__init__(*args, **members)
        self.settling = None
        self.world = None
        self.tags = {}
        self.parts = {}

    def begin(self, call, member, state, then):
        """Enters a state that ends: with another state, or with a function that is called. `settle` of a test comes
        first."""
        self[member] = state
        self.world, self.turn = call.world, call.world.turn
        wish = call.world.spend("settle", call.operation.key)
        if wish:
            then = wish

        def finish():
            if callable(then):
                then()
            else:
                self[member] = then

        self.settling = [call.world.config["observations"], finish]

    def look(self):
        """Counts a look, of which a call has one at most. Whether the state has yet to end is in `settling`."""
        if self.settling is None or self.turn == self.world.turn:
            return self
        self.turn = self.world.turn
        if self.settling[0] > 0:
            self.settling[0] -= 1
        else:
            finish, self.settling = self.settling[1], None
            finish()
        return self


def found(things, key, what):
    """The thing of that id, looked at; refused if there is none, or none any more."""
    if key in things:
        things[key].look()
    if key not in things:
        raise Refusal("ResourceNotFoundException", f"{what} {key} was not found")
    return things[key]


def unnamed(things, member, name, what):
    """Refuses a name that another thing has."""
    if any(thing[member] == name for thing in things.values()):
        raise Refusal("ConflictException", f"{what} with the name {name} already exists")


def shaped(operation, name, source):
    """What of a thing the model shows in a place: the members that its shape has."""
    members = operation.members(name)
    return {key: copy.deepcopy(source[key]) for key in members if source.get(key) is not None}


def answer(call, source, wrapped=None):
    """An answer that shows a thing, within a member if there is one."""
    name = call.operation.output
    if wrapped is None:
        return shaped(call.operation, name, source)
    inner = call.operation.members(name)[wrapped]["shape"]
    return {wrapped: shaped(call.operation, inner, source)}


def listing(call, things, member):
    """An answer with a page of things, each looked at. Pages are as long as asked for, and never longer than tests
    allow."""
    for thing in list(things.values()):
        thing.look()
    shape = call.operation.shapes[call.operation.members(call.operation.output)[member]["shape"]]
    items, following = page(call, list(things.values()), shape.get("max", 100))
    element = shape["member"]["shape"]
    shown = [shaped(call.operation, element, item) for item in items]
    token = "NextToken" if "NextToken" in call.operation.members(call.operation.output) else "nextToken"
    return {member: shown, **({token: following} if following else {})}


def page(call, items, most):
    """A page of things, which the model may say is short, however long a one was asked for."""
    start = 0
    given = call.members.get("nextToken") or call.members.get("NextToken")
    if given is not None:
        try:
            name, _, number = base64.b64decode(given, validate=True).decode().partition("|")
            start = int(number)
        except ValueError as error:
            raise Refusal(call.operation.invalid(), "the token of the page is none") from error
        if name != call.operation.key:
            raise Refusal(call.operation.invalid(), "the token is one of another list")
    wanted = next((call.members[key] for key in ("maxResults", "MaxResults", "limit") if key in call.members), 100)
    end = start + min(wanted, most, call.world.config["page"])
    following = base64.b64encode(f"{call.operation.key}|{end}".encode()).decode() if end < len(items) else None
    return items[start:end], following


def tagged(thing, tags):
    """Adds tags as a map. At most 50, and none of AWS's own."""
    merged = {**thing.tags, **tags}
    if any(key.lower().startswith("aws:") for key in tags):
        raise Refusal("ValidationException", "tags must not begin with aws:")
    if len(merged) > 50:
        raise Refusal("ValidationException", "a resource has at most 50 tags")
    thing.tags = merged
    return thing


def pairs(tags):
    """Tags as a list of pairs, which is how the service bedrock writes them."""
    return [{"key": key, "value": value} for key, value in tags.items()]
