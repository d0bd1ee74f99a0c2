"""The service models of botocore: which operation a request is for, and what its members are."""

import functools
import urllib.parse

import regex
from botocore.loaders import Loader

from .refusal import not_implemented

#: Services by the name that their requests are signed for, where it is another one.
SIGNED = {
    "bedrock": ("bedrock-agent", "bedrock"),
    "bedrock-agentcore": ("bedrock-agentcore-control",),
    "monitoring": ("cloudwatch",),
    "states": ("stepfunctions",),
    "tagging": ("resourcegroupstaggingapi",),
}


class Operation:
    """An operation of a service."""

    def __init__(self, service, name):
        self.service = service
        self.name = name
        self.model = model(service)["operations"][name]
        self.shapes = model(service)["shapes"]

    @property
    def key(self):
        """Its name among the operations of all services, for instance `bedrock-agent:CreateAgent`."""
        return f"{self.service}:{self.name}"

    @property
    def input(self):
        return self.model.get("input", {}).get("shape")

    @property
    def output(self):
        return self.model.get("output", {}).get("shape")

    def members(self, name):
        return self.shapes[name].get("members", {}) if name else {}

    def token(self):
        """The member that makes repetitions harmless, if there is one."""
        members = self.members(self.input).items()
        return next((name for name, member in members if member.get("idempotencyToken")), None)

    def status(self, code):
        """The status of HTTP of an error."""
        found = errors(self.service).get(code, {})
        return found.get("error", {}).get("httpStatusCode") or (500 if found.get("fault") else 400)

    def invalid(self):
        """The code by which the service says that a request breaks its model."""
        if model(self.service)["metadata"]["protocol"] == "query":
            return "ValidationError"
        names = [error["shape"] for error in self.model.get("errors", [])]
        usual = ("ValidationException", "InvalidParameterException", "InvalidRequestException")
        return next((name for name in usual if name in names), "ValidationException")

    def throttled(self):
        """The code by which the service says that there are too many calls."""
        names = [error["shape"] for error in self.model.get("errors", [])]
        known = [name for name in names if name.startswith(("Throttl", "TooManyRequests"))]
        usual = "Throttling" if model(self.service)["metadata"]["protocol"] == "query" else "ThrottlingException"
        return known[0] if known else usual


@functools.cache
def model(service):
    return Loader().load_service_model(service, "service-2")


@functools.cache
def errors(service):
    """The errors of a service by the code that is sent, which may be another one than the name."""
    shapes = model(service)["shapes"].items()
    return {shape.get("error", {}).get("code", name): shape for name, shape in shapes if shape.get("exception")}


@functools.cache
def services():
    return set(Loader().list_available_services("service-2"))


@functools.cache
def operation(service, name):
    """The operation of that name; nothing if the service has none."""
    if service in services() and name in model(service)["operations"]:
        return Operation(service, name)
    return None


@functools.cache
def paths(service):
    """What the paths of operations look like: those with the fewest labels first, since they say the most."""
    found = []
    for name, one in model(service)["operations"].items():
        path, _, query = one["http"]["requestUri"].partition("?")
        pattern = regex.sub(r"\\\{(\w+)(\\\+)?\\\}", r"{\1\2}", regex.escape(path.rstrip("/")))
        labels = regex.findall(r"\{(\w+)", pattern)
        pattern = regex.sub(r"\{(\w+)\\\+\}", r"(?P<\1>.+)", pattern)
        pattern = regex.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", pattern)
        wanted = set(urllib.parse.parse_qs(query, keep_blank_values=True))
        found.append((len(labels) - len(wanted), one["http"]["method"], regex.compile(pattern), wanted, name))
    return sorted(found, key=lambda entry: entry[0])


def route(signed, request):
    """The operation that a request is for, and the labels in its path. A slash at the end of a path says nothing."""
    for service in SIGNED.get(signed, (signed,)):
        if service not in services():
            continue
        name, labels = named(service, request)
        if found := operation(service, name):
            return found, labels
    raise not_implemented(f"{request.method} {request.path} of `{signed}`")


def complete(service, name, request):
    """Whether a request has what an operation requires beside its path and its body: in S3, several share one."""
    asked = operation(service, name)
    shape = asked.shapes[asked.input] if asked.input else {}
    members = {key: shape["members"][key] for key in shape.get("required", [])}
    places = {"header": request.headers.get, "querystring": request.args.get}
    return all(
        places[member["location"]](member.get("locationName", key)) is not None
        for key, member in members.items()
        if member.get("location") in places
    )


def named(service, request):
    target = request.headers.get("X-Amz-Target")
    if target:
        return target.rpartition(".")[2], {}
    protocol = model(service)["metadata"]["protocol"]
    if protocol in ("query", "ec2"):
        return request.pairs.get("Action"), {}
    if request.path.startswith("/service/"):
        return request.path.rpartition("/")[2], {}
    for _, method, pattern, wanted, name in paths(service):
        match = pattern.fullmatch(request.path.rstrip("/"))
        if match and method == request.method and wanted <= set(request.args) and complete(service, name, request):
            return name, {key: urllib.parse.unquote(text) for key, text in match.groupdict().items()}
    return None, {}
