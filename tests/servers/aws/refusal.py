"""What a service answers when it does not do what it was asked."""


class Refusal(Exception):
    """An error of a service, under the code that its model has for it."""

    def __init__(self, code, message, status=None):
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        #: The status of HTTP; nothing where the model of the error says it.
        self.status = status


class Dropped(Exception):
    """The connection ends without an answer."""


class Held(Exception):
    """Nothing is answered until whoever asked is gone."""


def not_implemented(what):
    """Nobody here plays this. A status below 500, so that no client tries again."""
    return Refusal("ServerNotImplemented", f"the test server does not play {what}", 400)
