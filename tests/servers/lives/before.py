"""Makes what others keep in the world of some documents: a list of `{ "address", "document" }`."""

import json
import sys

from .documents import World

World(json.load(sys.stdin)).before()
