"""Starts the server on a free port of the loopback, and prints its address once it listens.

It ends when its input does, so that it never outlives whoever started it.
"""

import logging
import os
import sys
import threading

# moto reads these when it is imported. Policies of AWS's own can be attached; nobody is told about news of moto.
os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "true"
os.environ.setdefault("AWS_EC2_METADATA_DISABLED", "true")

from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.serving import make_server

from .front import Front


class Handler(MotoRequestHandler):
    """Keeps connections, so that a call costs one round trip."""

    protocol_version = "HTTP/1.1"


def main():
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, Front(), threaded=True, request_handler=Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    sys.stdin.read()


main()
