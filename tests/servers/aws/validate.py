"""Values against the shapes of a model: every member, bound, pattern and enumeration.

Stricter than AWS in one place: a member that the model does not have is refused, where most services of AWS ignore it.
A pattern has to match the whole text.
"""

import datetime

import regex

#: Shapes whose pattern no real value matches: in the model `/d{12}` stands where `\d{12}` is meant.
BROKEN_PATTERNS = {"TaggableResourcesArn"}

#: What the model says of answers and cannot be so, since requests need not name it: members that are required, and lengths.
CONTRADICTIONS = {("AgentRuntime", "description"), ("CredentialProviderConfigurations", "length")}


def findings(operation, name, value, excepted=frozenset()):
    """What is wrong about a value, in the words of AWS."""
    check = Check(operation.shapes, excepted)
    check.check(name, value, "")
    return check.found


def message(found):
    """The findings as services put them together."""
    plural = "error" if len(found) == 1 else "errors"
    return f"{len(found)} validation {plural} detected: " + "; ".join(found)


class Check:
    def __init__(self, shapes, excepted):
        self.shapes = shapes
        self.excepted = excepted
        self.found = []

    def told(self, at, constraint):
        self.found.append(f"Value at '{at}' failed to satisfy constraint: {constraint}")

    def check(self, name, value, at):
        shape = {**self.shapes[name], "name": name}
        getattr(self, shape["type"])(shape, value, at)

    def structure(self, shape, value, at):
        if shape.get("document"):
            return
        if not isinstance(value, dict):
            return self.told(at, "Member must be a structure")
        members = shape.get("members", {})
        for key in shape.get("required", []):
            if key not in value and (shape["name"], key) not in self.excepted:
                self.told(inside(at, key), "Member must not be null")
        if shape.get("union") and len(value) != 1:
            self.told(at, "Member must have exactly one of the members of the union")
        for key, inner in value.items():
            if key in members:
                self.check(members[key]["shape"], inner, inside(at, key))
            else:
                self.told(inside(at, key), "Member must be one that the operation has")

    def list(self, shape, value, at):
        if not isinstance(value, list):
            return self.told(at, "Member must be a list")
        self.bounds(shape, len(value), at, "length")
        for index, inner in enumerate(value):
            self.check(shape["member"]["shape"], inner, f"{at}.{index + 1}.member")

    def map(self, shape, value, at):
        if not isinstance(value, dict):
            return self.told(at, "Member must be a map")
        self.bounds(shape, len(value), at, "length")
        for key, inner in value.items():
            self.check(shape["key"]["shape"], key, f"{at}.key")
            self.check(shape["value"]["shape"], inner, f"{at}.{key}")

    def string(self, shape, value, at):
        if not isinstance(value, str):
            return self.told(at, "Member must be a string")
        self.bounds(shape, len(value), at, "length")
        if "enum" in shape and value not in shape["enum"]:
            self.told(at, f"Member must satisfy enum value set: [{', '.join(shape['enum'])}]")
        pattern = None if shape["name"] in BROKEN_PATTERNS else shape.get("pattern")
        # Without properties of Unicode in it, `\w` is a letter of ASCII, as in the language that services are written in.
        if pattern and not regex.fullmatch(pattern, value, 0 if "\\p" in pattern else regex.ASCII):
            self.told(at, f"Member must satisfy regular expression pattern: {pattern}")

    def blob(self, shape, value, at):
        if not isinstance(value, bytes):
            return self.told(at, "Member must be base64")
        self.bounds(shape, len(value), at, "length")

    def boolean(self, shape, value, at):
        if not isinstance(value, bool):
            self.told(at, "Member must be a boolean")

    def integer(self, shape, value, at):
        if not isinstance(value, int) or isinstance(value, bool):
            return self.told(at, "Member must be a whole number")
        self.bounds(shape, value, at, "value")

    long = integer

    def double(self, shape, value, at):
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            return self.told(at, "Member must be a number")
        self.bounds(shape, value, at, "value")

    float = double

    def timestamp(self, shape, value, at):
        if not isinstance(value, datetime.datetime):
            self.told(at, "Member must be a timestamp")

    def bounds(self, shape, value, at, what):
        if (shape["name"], what) in self.excepted:
            return
        words = f"Member must have {what} %s than or equal to %s"
        if value < shape.get("min", value):
            self.told(at, words % ("greater", shape["min"]))
        if value > shape.get("max", value):
            self.told(at, words % ("less", shape["max"]))


def inside(at, key):
    return f"{at}.{key}" if at else key
