"""Requests into members, and answers into bytes, by the protocols of AWS.

Read are rest-json, json and query. What comes in another protocol (S3, EC2, CBOR) goes to moto, and is not
validated.
"""

import base64
import binascii
import datetime
import json
import re
import urllib.parse
from xml.sax.saxutils import escape

from .models import model
from .refusal import Refusal

READ = ("rest-json", "json", "query")


class Request:
    """A request of HTTP: what of it says what is asked."""

    def __init__(self, environ):
        length = -1 if environ.get("wsgi.input_terminated") else int(environ.get("CONTENT_LENGTH") or 0)
        self.environ = environ
        self.body = environ["wsgi.input"].read(length)
        self.method = environ["REQUEST_METHOD"]
        raw = environ.get("REQUEST_URI") or environ.get("PATH_INFO", "")
        self.path, _, query = raw.partition("?")
        self.args = urllib.parse.parse_qs(query, keep_blank_values=True)
        names = (key[5:].replace("_", "-") for key in environ if key.startswith("HTTP_"))
        self.headers = Headers({name: environ["HTTP_" + name.replace("-", "_")] for name in names})
        form = environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded")
        pairs = urllib.parse.parse_qsl(self.body.decode(), keep_blank_values=True) if form else []
        self.pairs = dict(pairs) or {key: values[-1] for key, values in self.args.items()}


class Headers(dict):
    """Headers by their names, whose case says nothing."""

    def get(self, name, default=None):
        return super().get(name.upper(), default)


def protocol(operation, request):
    """The protocol that a request speaks: a service may have several."""
    if request.headers.get("Smithy-Protocol"):
        return "cbor"
    if request.headers.get("X-Amz-Target"):
        return "json"
    return model(operation.service)["metadata"]["protocol"]


def read(operation, request, labels):
    """The members of a request; nothing for a protocol that is not read. Members that the model lacks keep their names."""
    spoken = protocol(operation, request)
    if spoken not in READ:
        return None
    if spoken == "query":
        known = {key: text for key, text in request.pairs.items() if key not in ("Action", "Version")}
        return from_query(operation.shapes, operation.input, tree(known)) if operation.input else known
    body = read_json(request.body)
    if spoken == "rest-json":
        body = {**body, **read_places(operation, request, labels)}
        if payload := operation.shapes.get(operation.input, {}).get("payload"):
            body = {payload: request.body}
    return from_json(operation.shapes, operation.input, body) if operation.input else body


def read_json(body):
    try:
        value = json.loads(body or b"{}")
    except ValueError as error:
        raise Refusal("SerializationException", f"the body is no JSON: {error}", 400) from error
    if not isinstance(value, dict):
        raise Refusal("SerializationException", "the body is no object", 400)
    return value


def read_places(operation, request, labels):
    """What stands in the path, the query and the headers."""
    found, asked = {}, dict(request.args)
    for name, member in operation.members(operation.input).items():
        place, wire = member.get("location"), member.get("locationName", name)
        shape = operation.shapes[member["shape"]]
        if place == "uri":
            found[wire] = plain(shape, labels[wire])
        elif place == "querystring" and wire in asked:
            texts = asked.pop(wire)
            found[wire] = texts if shape["type"] == "list" else plain(shape, texts[-1])
        elif place == "header" and request.headers.get(wire) is not None:
            found[wire] = plain(shape, request.headers.get(wire))
    literal = operation.model["http"]["requestUri"].partition("?")[2]
    found.update({key: texts[-1] for key, texts in asked.items() if key not in literal})
    return found


def plain(shape, text):
    """A value that stands as a text; the text itself where it is none of its type, for the validator to refuse."""
    try:
        if shape["type"] in ("integer", "long"):
            return int(text)
        if shape["type"] in ("float", "double"):
            return float(text)
        if shape["type"] == "timestamp":
            return moment(text)
    except ValueError:
        return text
    if shape["type"] == "boolean":
        return {"true": True, "false": False}.get(text, text)
    if shape["type"] == "blob":
        return decoded(text)
    return text


def moment(value):
    if isinstance(value, (int, float)):
        return datetime.datetime.fromtimestamp(value, datetime.UTC)
    return datetime.datetime.fromisoformat(value)


def decoded(text):
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return text


def from_json(shapes, name, value):
    """A value of JSON, with the names of the model and without what is null."""
    shape = shapes[name]
    if shape["type"] == "structure" and isinstance(value, dict) and not shape.get("document"):
        wire = {member.get("locationName", key): (key, member) for key, member in shape.get("members", {}).items()}
        found = {}
        for key, inner in value.items():
            if inner is not None and key in wire:
                found[wire[key][0]] = from_json(shapes, wire[key][1]["shape"], inner)
            elif inner is not None:
                found[key] = inner
        return found
    if shape["type"] == "list" and isinstance(value, list):
        return [from_json(shapes, shape["member"]["shape"], inner) for inner in value]
    if shape["type"] == "map" and isinstance(value, dict):
        return {key: from_json(shapes, shape["value"]["shape"], inner) for key, inner in value.items()}
    if shape["type"] == "timestamp" and isinstance(value, (int, float, str)):
        return plain(shape, value) if isinstance(value, str) else moment(value)
    if shape["type"] == "blob" and isinstance(value, str):
        return decoded(value)
    return value


def tree(pairs):
    """`A.member.1.B=text` as nested maps."""
    root = {}
    for key, text in pairs.items():
        node, *parts = root, *key.split(".")
        for part in parts[:-1]:
            node = node.setdefault(part, {})
            if not isinstance(node, dict):
                raise Refusal("MalformedInput", f"{key} is below a text", 400)
        node[parts[-1]] = text
    return root


def from_query(shapes, name, node):
    shape = shapes[name]
    if shape["type"] == "structure" and isinstance(node, dict):
        members = {member.get("locationName", key): (key, member) for key, member in shape.get("members", {}).items()}
        found = {}
        for key, inner in node.items():
            known = members.get(key)
            found[known[0] if known else key] = from_query(shapes, known[1]["shape"], inner) if known else inner
        return found
    if shape["type"] == "list":
        member = shape["member"]
        items = node if shape.get("flattened") else node and node.get(member.get("locationName", "member"), {})
        numbered = sorted(items.items(), key=lambda item: int(item[0])) if items else []
        return [from_query(shapes, member["shape"], inner) for _, inner in numbered]
    if shape["type"] == "map":
        entries = (node if shape.get("flattened") else node and node.get("entry", {})) or {}
        return {one["key"]: from_query(shapes, shape["value"]["shape"], one["value"]) for one in entries.values()}
    return plain(shape, node)


def write(operation, request, members):
    """An answer: its status, its headers and its body."""
    if protocol(operation, request) == "query":
        return 200, {"Content-Type": "text/xml"}, xml_answer(operation, members).encode()
    body = to_json(operation.shapes, operation.output, members) if operation.output else {}
    kind = "application/json"
    if protocol(operation, request) == "json":
        kind = f"application/x-amz-json-{model(operation.service)['metadata']['jsonVersion']}"
    status = operation.model["http"].get("responseCode", 200)
    return status, {"Content-Type": kind}, b"" if status == 204 else json.dumps(body).encode()


def to_json(shapes, name, value):
    shape = shapes[name]
    if shape["type"] == "structure" and not shape.get("document"):
        members = shape["members"]
        return {
            members[key].get("locationName", key): to_json(shapes, members[key]["shape"], inner)
            for key, inner in value.items()
        }
    if shape["type"] == "list":
        return [to_json(shapes, shape["member"]["shape"], inner) for inner in value]
    if shape["type"] == "map":
        return {key: to_json(shapes, shape["value"]["shape"], inner) for key, inner in value.items()}
    if shape["type"] == "timestamp":
        text = value.strftime("%Y-%m-%dT%H:%M:%SZ")
        return text if shape.get("timestampFormat") == "iso8601" else value.timestamp()
    if shape["type"] == "blob":
        return base64.b64encode(value).decode()
    return value


def xml_answer(operation, members):
    inner = to_xml(operation.shapes, operation.output, members) if operation.output else ""
    wrapper = operation.model.get("output", {}).get("resultWrapper", f"{operation.name}Result")
    space = model(operation.service)["metadata"].get("xmlNamespace", "")
    return (
        f'<{operation.name}Response xmlns="{space}"><{wrapper}>{inner}</{wrapper}>'
        f"<ResponseMetadata><RequestId>server</RequestId></ResponseMetadata></{operation.name}Response>"
    )


def to_xml(shapes, name, value):
    shape = shapes[name]
    if shape["type"] == "structure":
        parts = ((key, to_xml(shapes, shape["members"][key]["shape"], inner)) for key, inner in value.items())
        return "".join(f"<{key}>{text}</{key}>" for key, text in parts)
    if shape["type"] == "list":
        texts = (to_xml(shapes, shape["member"]["shape"], inner) for inner in value)
        return "".join(f"<member>{text}</member>" for text in texts)
    if shape["type"] == "boolean":
        return "true" if value else "false"
    return escape(str(value))


def write_error(operation, request, refusal):
    """A refusal as the service would write it: its status, its headers and its body."""
    code, text = refusal.code, refusal.message
    status = refusal.status or (operation.status(code) if operation else 400)
    spoken = protocol(operation, request) if operation else "rest-json"
    if spoken == "cbor":
        body = b"\xa2" + b"".join(cbor_text(part) for part in ("__type", code, "message", text))
        return status, {"Content-Type": "application/cbor", "Smithy-Protocol": "rpc-v2-cbor"}, body
    if spoken in ("json", "rest-json"):
        body = json.dumps({"__type": code, "message": text}).encode()
        return status, {"Content-Type": "application/json", "x-amzn-ErrorType": code}, body
    error = f"<Code>{escape(code)}</Code><Message>{escape(text)}</Message>"
    sender = "Receiver" if status >= 500 else "Sender"
    body = {
        "ec2": f"<Response><Errors><Error>{error}</Error></Errors><RequestID>server</RequestID></Response>",
        "rest-xml": f"<Error>{error}<RequestId>server</RequestId></Error>",
        "query": f"<ErrorResponse><Error><Type>{sender}</Type>{error}</Error><RequestId>server</RequestId></ErrorResponse>",
    }[spoken]
    return status, {"Content-Type": "text/xml"}, body.encode()


def code_of(answer):
    """The code of an error as it is sent, in whatever protocol."""
    _, headers, body = answer
    named = next((text for name, text in headers.items() if name.lower() == "x-amzn-errortype"), None)
    found = re.search(rb"<Code>([^<]+)</Code>|\"(?:__type|Code)\"\s*:\s*\"([^\"]+)\"|__type.([\w.#]+)", body)
    code = named or (next(group for group in found.groups() if group).decode() if found else "unknown")
    return code.rpartition("#")[2].partition(":")[0]


def cbor_text(text):
    raw = text.encode()
    return b"\x79" + len(raw).to_bytes(2, "big") + raw
