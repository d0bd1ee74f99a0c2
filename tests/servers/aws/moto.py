"""moto, as one of the parts: what it is asked, for which account, and when it does not know the operation."""

import importlib
import io
import json

from moto.backends import get_backend
from moto.core.utils import camelcase_to_underscores
from moto.iam.models import get_account_id_from, iam_backends
from moto.moto_api._internal.models import moto_api_backend
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from . import cbor
from .models import model
from .refusal import Refusal, not_implemented
from .wire import protocol


class Moto:
    def __init__(self):
        self.application = DomainDispatcherApplication(create_backend_app)

    def reset(self):
        # What moto keeps of IAM is dropped beforehand: otherwise it reads the policies of AWS again, to throw them away.
        iam_backends.clear()
        moto_api_backend.reset()

    def answer(self, call, request, body=None):
        """The answer of moto: status, headers and body. What moto does not know is refused, and is no failure of a
        server."""
        if not plays(call.service, call.operation.name):
            raise not_implemented(call.operation.key)
        environ = dict(request.environ)
        sent = request.body if body is None else body
        is_cbor = protocol(call.operation, request) == "cbor"
        if is_cbor:
            # What services say in CBOR, moto says in JSON.
            sent = json.dumps(cbor.read(sent)).encode()
            target = call.operation.name
            environ.update(PATH_INFO="/", REQUEST_URI="/", RAW_URI="/", CONTENT_TYPE="application/x-amz-json-1.0")
            environ["HTTP_X_AMZ_TARGET"] = f"{model(call.service)['metadata']['targetPrefix']}.{target}"
        environ["wsgi.input"] = io.BytesIO(sent)
        environ["CONTENT_LENGTH"] = str(len(sent))
        environ["HTTP_X_MOTO_ACCOUNT_ID"] = call.account
        told = {}

        def start_response(status, headers, _=None):
            told.update(status=int(status.split()[0]), headers=dict(headers))

        body = b"".join(self.application(environ, start_response))
        if told["status"] >= 500:
            raise Refusal("ServerNotImplemented", f"moto fails at {call.operation.key}: {body[:300]!r}", 400)
        headers = {name: text for name, text in told["headers"].items() if name.lower() != "content-length"}
        if is_cbor:
            body = cbor.write(json.loads(body))
            headers.update({"Content-Type": "application/cbor", "Smithy-Protocol": "rpc-v2-cbor"})
        return told["status"], headers, body


def account_of(key, usual):
    """The account of an access key that moto gave away."""
    return get_account_id_from(key) or usual


#: Services in which moto has little and that differently; what this server does not play of them is refused.
OWN = ("bedrock", "bedrock-agent", "bedrock-agentcore-control", "budgets")


def plays(service, name):
    """Whether moto has an operation: a method of that name where it answers, or in what stands behind."""
    if service in OWN:
        return False
    try:
        backends = get_backend(service)
    except (ImportError, KeyError):
        return False
    module = importlib.import_module(backends.backend.__module__.rpartition(".")[0] + ".responses")
    own = (one for one in vars(module).values() if isinstance(one, type) and one.__module__ == module.__name__)
    places = [backends.backend, *own]
    return any(hasattr(place, camelcase_to_underscores(name)) for place in places)
