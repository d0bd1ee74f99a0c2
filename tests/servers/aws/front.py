"""The one endpoint: takes a request apart, lets the world do what it asks, and writes down what happened."""

import contextlib
import datetime
import json
import re
import socket
import threading
import traceback

from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.serving import make_server

from . import models, moto, semantics, validate, wire
from .branch import branch
from .control import control
from .refusal import Dropped, Held, Refusal
from .world import Call, World, told

#: The account of whoever signs with a key that names none.
USUAL_ACCOUNT = "123456789012"


class Handler(MotoRequestHandler):
    """Keeps connections, so that a call costs one round trip."""

    protocol_version = "HTTP/1.1"


def serve(front, tell):
    """Serves on a free port of the loopback for ever. `tell` is told the address once it listens."""
    server = make_server("127.0.0.1", 0, front, threaded=True, request_handler=Handler)
    tell(f"http://127.0.0.1:{server.server_port}")
    server.serve_forever()


class Front:
    """The application. Calls are carried out one at a time, so that a log is an order."""

    def __init__(self):
        self.world = World()
        self.moto = moto.Moto()
        self.lock = threading.Lock()

    def __call__(self, environ, start_response):
        request, held = wire.Request(environ), False
        with self.lock:
            if request.path.startswith("/_server/"):
                status, value = control(self, request)
                status, headers, body = status, {"Content-Type": "application/json"}, json.dumps(value).encode()
            else:
                try:
                    status, headers, body = self.answer(request)
                except Dropped:
                    return hang_up(environ)
                except Held:
                    self.world.counts["held"] += 1
                    held = True
        if held:
            # The others go on meanwhile.
            wait_until_gone(environ)
            return hang_up(environ)
        headers["Content-Length"] = str(len(body))
        start_response(f"{status} {'OK' if status < 400 else 'Refused'}", list(headers.items()))
        return [body]

    def reset(self):
        self.world.reset()
        self.moto.reset()

    def branch(self):
        """Starts a copy of the server, and tells its address."""

        def begin(tell):
            self.lock = threading.Lock()
            self.world.waiting = None
            self.world.config["step"] = False
            serve(self, tell)

        return branch(begin)

    def waits(self, operation, when):
        """Waits as long as a test asks for. Others go on meanwhile."""
        gate = self.world.wait(operation, when)
        if gate:
            self.lock.release()
            gate.wait()
            self.lock.acquire()

    def answer(self, request):
        self.world.now += datetime.timedelta(seconds=self.world.config["seconds"])
        operation, entry = None, {"outcome": "ok"}
        self.world.log.append(entry)
        try:
            account, region, signed = scope(request)
            entry.update(account=account, region=region, service=signed, operation=None)
            operation, labels = models.route(signed, request)
            entry.update(service=operation.service, operation=operation.name)
            members = wire.read(operation, request, labels)
            entry.update(members=told(members))
            call = Call(self.world, (account, region), operation, members)
            return self.carry_out(call, request, entry)
        except Refusal as refusal:
            entry.update(outcome=refusal.code, message=refusal.message)
            return wire.write_error(operation, request, refusal)
        except (Dropped, Held):
            raise
        except Exception as error:
            trace = traceback.format_exc(limit=-3)
            bug = Refusal("ServerBug", f"the test server fails: {error!r}: {trace}", 400)
            entry.update(outcome=bug.code, message=bug.message)
            return wire.write_error(operation, request, bug)

    def carry_out(self, call, request, entry):
        """Before, the deed, and after. A test may ask for a failure on either side of the deed."""
        key, hold = call.operation.key, self.world.holds(call.operation)
        self.waits(call.operation, "before")
        if hold == "before":
            entry.update(outcome="held")
            raise Held
        fault = self.world.fault()
        if fault == "throttle" or self.world.spend("throttle", key):
            raise Refusal(call.operation.throttled(), "Rate exceeded")
        failure = self.world.spend("fail", key)
        if fault in ("before", "after"):
            failure = {"code": "InternalServerError", "status": 500, "when": fault}
        if failure and failure.get("when", "before") == "before":
            raise injected(failure)
        done = self.perform(call, request, entry)
        if done[0] >= 400:
            entry.update(outcome=wire.code_of(done))
        self.waits(call.operation, "after")
        if hold == "after":
            entry.update(outcome="held")
            raise Held
        if failure:
            raise injected(failure)
        if fault == "drop" or self.world.spend("drop", key) or self.world.loses(call.operation, request):
            entry.update(outcome="dropped")
            raise Dropped
        return done

    def perform(self, call, request, entry):
        operation = call.operation
        if call.members is None:
            return self.moto.answer(call, request)
        if operation.input:
            found = validate.findings(operation, operation.input, call.members)
            if found:
                raise Refusal(operation.invalid(), validate.message(found), 400)
        semantic = semantics.of(operation.key)
        if semantic is None:
            return self.moto.answer(call, request)
        answer = call.repeated()
        entry.update(repeated=answer is not None)
        if answer is None:
            answer = semantic(call, lambda body=None: self.moto.answer(call, request, body))
        if isinstance(answer, tuple):
            return answer
        forgotten = self.world.spend("break", operation.key)
        if forgotten:
            answer = without(answer, forgotten)
        sound(operation, answer)
        call.remember(answer)
        return wire.write(operation, request, answer)


def scope(request):
    """Account, region and service that a request is signed for.

    An access key of `AKIA` and the twelve digits of an account is one of that account. Signatures are not looked at.
    """
    header = request.headers.get("Authorization") or ""
    match = re.search(r"Credential=([^/]+)/\d{8}/([^/]+)/([^/]+)/aws4_request", header)
    if not match:
        raise Refusal("MissingAuthenticationToken", "the request is not signed", 403)
    key, region, signed = match.groups()
    account = re.fullmatch(r"AKIA(\d{12})", key)
    return account[1] if account else moto.account_of(key, USUAL_ACCOUNT), region, signed


def injected(failure):
    return Refusal(failure["code"], failure.get("message", "asked for by a test"), failure.get("status"))


def sound(operation, answer):
    """Refuses an answer that the model does not have: a mistake of this server, which a test has to see."""
    name, excepted = operation.output, validate.CONTRADICTIONS
    found = validate.findings(operation, name, answer, excepted) if name else []
    if found:
        raise Refusal("ServerBug", f"the answer of {operation.key}: {validate.message(found)}", 400)


def without(value, member):
    """The value without a member, wherever it is."""
    if isinstance(value, dict):
        return {key: without(inner, member) for key, inner in value.items() if key != member}
    return [without(inner, member) for inner in value] if isinstance(value, list) else value


def wait_until_gone(environ):
    """Waits until whoever asked has closed the connection."""
    with contextlib.suppress(OSError):
        environ["werkzeug.socket"].recv(1, socket.MSG_PEEK)


def hang_up(environ):
    """Ends the connection of a request whose answer is lost."""
    connection = environ["werkzeug.socket"]
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    raise ConnectionAbortedError
