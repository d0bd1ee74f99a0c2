"""Roles and policies as moto keeps them, and when others see them."""

import contextlib
import json
import re
import time

from moto.iam.models import iam_backends

from .refusal import Refusal


class Late(float):
    """The instant from which on something is seen."""


def kept(call):
    """What moto keeps of IAM in the account of a call."""
    return iam_backends[call.account]["aws"]


def role_named(call, name):
    return next((role for role in kept(call).roles.values() if role.name == name), None)


def hide(call, kind, name):
    """A new role or policy is not seen by as many of the operations that name it, or for as long, as a test asked for."""
    if call.world.config["late"]:
        call.world.hidden[call.account, kind, name] = Late(time.monotonic() + call.world.config["late"])
    elif call.world.config["unseen"]:
        call.world.hidden[call.account, kind, name] = call.world.config["unseen"]


def hidden(call, kind, name):
    """Whether a role or policy is not seen yet. Asking counts."""
    key = (call.account, kind, name)
    left = call.world.hidden.get(key, 0)
    if isinstance(left, Late):
        return time.monotonic() < left
    if left:
        call.world.hidden[key] = left - 1
    return left > 0


@contextlib.contextmanager
def veiled(call):
    """Takes out of moto what is not seen yet, while an operation is carried out that names it or lists all."""
    backend, members, name = kept(call), call.members, call.operation.name
    named = {members.get("RoleName"), members.get("PolicyArn"), members.get("PermissionsBoundary")} - {None}

    def concerned(key, word):
        return key in named if named else word in name or name.endswith("Details")

    roles = [role for role in backend.roles.values() if concerned(role.name, "Role")]
    policies = [policy for policy in backend.managed_policies.values() if concerned(policy.arn, "Polic")]
    roles = [role for role in roles if hidden(call, "role", role.name)]
    policies = [policy for policy in policies if hidden(call, "policy", policy.arn)]
    for role in roles:
        del backend.roles[role.id]
    for policy in policies:
        del backend.managed_policies[policy.arn]
    try:
        yield
    finally:
        backend.roles.update({role.id: role for role in roles})
        backend.managed_policies.update({policy.arn: policy for policy in policies})


def trusting(call, arn, service, code="ValidationException", words=None):
    """Refuses a role that does not exist, is not seen yet, or does not trust a service, which has to become it.

    Services word this differently; where nothing else is known the words are those of knowledge bases.
    """
    account = re.fullmatch(r"arn:aws:iam::(\d{12}):role/(?:.*/)?([^/]+)", arn)
    role = role_named(call, account[2]) if account and account[1] == call.account else None
    if role is None or role.arn != arn or hidden(call, "role", role.name) or service not in trusted(role):
        raise Refusal(code, words or f"{service} was unable to assume the given role {arn}")


def given(service, code, words, where):
    """Plays an operation of moto in which a service is given a role, which has to exist, be seen and trust it."""

    def play(call, moto):
        arn = where(call.members)
        if arn:
            trusting(call, arn, service, code, words)
        return moto()

    return play


def welcomes(arn, account):
    """Whether a role exists, in its own account, and trusts another account or somebody in it."""
    owner = arn.split(":")[4]
    known = iam_backends[owner]["aws"].roles.values() if owner in iam_backends else ()
    role = next((role for role in known if role.arn == arn), None)
    names = trusted(role, "AWS") if role else []
    return any(name in ("*", account) or name.startswith(f"arn:aws:iam::{account}:") for name in names)


def trusted(role, kind="Service"):
    """The principals of a kind that a role trusts."""
    statements = json.loads(role.assume_role_policy_document)["Statement"]
    found = []
    for one in statements if isinstance(statements, list) else [statements]:
        principal = one.get("Principal", {})
        principal = {"AWS": "*"} if principal == "*" else principal
        names = principal.get(kind, [])
        found.extend([names] if isinstance(names, str) else names)
    return found
