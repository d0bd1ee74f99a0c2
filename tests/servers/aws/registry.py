"""The table of the operations that this server plays itself, filled by the files of the services."""

from . import models

#: By `service:Operation`, what carries a call out: it takes the call and a function that asks moto, and returns the
#: members of the answer, or moto's answer as it came.
PLAYED = {}


def plays(key):
    """Enters a function for an operation, which has to be one of the model."""

    def enter(function):
        assert models.operation(*key.split(":")), f"{key} is no operation"
        assert key not in PLAYED, f"{key} is played twice"
        PLAYED[key] = function
        return function

    return enter
