"""Starts the server on a free port of the loopback, and prints its address once it listens.

It ends when its input does, so that it never outlives whoever started it.
"""

import logging
import os
import signal
import sys
import threading

# moto reads these when it is imported. Policies of AWS's own can be attached; nobody is told about news of moto.
os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "true"
os.environ.setdefault("AWS_EC2_METADATA_DISABLED", "true")

from .front import Front, serve


def main():
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    # Copies end by themselves, and nobody asks how.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    threading.Thread(target=serve, args=(Front(), lambda address: print(address, flush=True)), daemon=True).start()
    sys.stdin.read()


main()
