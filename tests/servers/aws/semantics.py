"""Which operations the server plays, and by what: files of its own first, then moto."""

from . import agentcore, bedrock, bedrock_agent, budgets, deliveries, functions, gaps, iam, moto
from .registry import PLAYED

#: The files that enter what they play into the table when they are read.
FILES = (agentcore, bedrock, bedrock_agent, budgets, deliveries, functions, gaps, iam)


def of(key):
    return PLAYED.get(key)


def plays(service, name):
    """Whether anybody plays an operation. What IAM has for every operation plays none by itself."""
    return PLAYED.get(f"{service}:{name}", iam.seen) is not iam.seen or moto.plays(service, name)
