"""Everything that there is, without what differs from one world to the next in which the same was made: ids and times.

So two worlds that hold the same have the same census, and what one has twice, or still, or in another form is in the difference.
"""

import json
import re

from moto.core.base_backend import BackendDict, BaseBackend

#: Parts of names of members that say when something was made or changed, or which one of several it is.
VOLATILE = re.compile(r"attachment_count|time(?!out|_?to_?live|zone)|date|created|modified|revision|etag|token|digest|history|seq|uuid|thread|lock", re.I)

#: Ids that are given: of moto, of this server, and of services that say how theirs begin.
IDS = [
    (re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)?"), "<time>"),
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "<uuid>"),
    (re.compile(r"\bA(?=[A-Z]*[0-9])[A-Z0-9]{20}\b"), "<id>"),
    (re.compile(r"\b(?=[0-9A-F]*[A-F])[0-9A-F]{16}\b"), "<id>"),
    (re.compile(r"\bp-[0-9a-z]{8,}\b"), "<policy>"),
    (re.compile(r"\b(?=[0-9A-F]*[A-F])(?=[0-9A-F]*[0-9])[0-9A-F]{10}\b"), "<id>"),
    (re.compile(r"(?<=-)(?=[0-9a-f]*[0-9])[0-9a-f]{10}\b"), "<id>"),
    (re.compile(r"\b(?=[0-9a-z]*[a-z])(?=[0-9a-z]*[0-9])[0-9a-z]{12}\b"), "<id>"),
]


def census(world):
    """What each account keeps of each kind in each region: texts, sorted."""
    found = {}

    def keep(place, things):
        told = [text(one) for one in (things.values() if isinstance(things, dict) else things)]
        told = sorted(one for one in told if one is not None)
        if told:
            found[" ".join(str(part) for part in place)] = told

    for place, things in world.stores.items():
        keep(place, things if isinstance(things, dict) else [things])
    for backends in BackendDict._instances:
        for account, region, backend in backends.iter_backends():
            for name, value in vars(backend).items():
                if isinstance(value, dict | list) and not name.startswith("_"):
                    keep((account, region, type(backend).__name__, name), value)
    return found


def text(value):
    """A thing as a text; nothing for what AWS keeps itself."""
    if "Managed" in type(value).__name__ and getattr(value, "arn", "").startswith("arn:aws:iam::aws:"):
        return None
    return json.dumps(plain(value, ()), sort_keys=True)


def named(text):
    """A text in which each id is the word for one."""
    for pattern, word in IDS:
        text = pattern.sub(word, text)
    return text


def plain(value, above):
    """A value of plain JSON, in which nothing is inside itself. The order of lists is left aside."""
    if isinstance(value, str):
        return named(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, bytes):
        return f"<{len(value)} bytes>"
    if id(value) in above or isinstance(value, BaseBackend) or callable(value):
        return None
    above = (*above, id(value))
    if isinstance(value, list | tuple | set | frozenset):
        return ordered(plain(one, above) for one in value)
    members = dict(value.items()) if isinstance(value, dict) else {}
    members.update(vars(value) if hasattr(value, "__dict__") else {})
    if not members:
        return type(value).__name__ if not isinstance(value, dict) else {}
    kept = {str(key): one for key, one in members.items() if not VOLATILE.search(str(key))}
    told = [(named(key), plain(one, above)) for key, one in kept.items() if key not in ("world", "settling", "turn")]
    names = {name for name, _ in told}
    # Things by their ids, which are the same word now.
    return dict(told) if len(names) == len(told) else ordered([name, one] for name, one in told)


def ordered(values):
    return sorted(values, key=lambda one: json.dumps(one, sort_keys=True))
