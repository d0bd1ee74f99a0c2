"""IAM: moto, behind the limits and checks that it lacks.

Lengths, patterns and ranges of members are those of the model, and are looked at for every operation before this file
is asked. Quotas are the default ones of an account. Where sources disagree it is the smallest: 10 managed policies on a
role, 2048 characters of a trust policy.
"""

import re
import urllib.parse

from . import models, policies, roles
from .refusal import Refusal
from .registry import PLAYED, plays

POLICY_SIZE, INLINE_SIZE, TRUST_SIZE, POLICIES_PER_ROLE, TAGS = 6144, 10240, 2048, 10, 50


def tags(call, already=()):
    """Tags are the caller's own, and not too many together with those that are there already."""
    given = call.members.get("Tags", [])
    for tag in given:
        if tag["Key"].lower().startswith("aws:"):
            raise Refusal("InvalidInput", "Tag keys beginning with aws: are reserved")
    names = {tag["Key"].lower() for tag in given}
    if len(names | {key.lower() for key in already}) > TAGS:
        raise Refusal("LimitExceeded", f"The number of tags has reached the maximum limit of {TAGS}")


def role_of(call):
    """The role that a request names; nothing if there is none, which moto says better."""
    return roles.role_named(call, call.members["RoleName"])


def trust(call, document):
    message = f"Cannot exceed quota for ACLSizePerRole: {TRUST_SIZE}"
    policies.limit(document, TRUST_SIZE, message)

    def known(name):
        somebody = re.fullmatch(rf"arn:aws:iam::{call.account}:(role|user)/(?:.*/)?([^/]+)", name)
        users = (user.name for user in roles.kept(call).users.values())
        return not somebody or (roles.role_named(call, somebody[2]) if somebody[1] == "role" else somebody[2] in users)

    policies.trust(document, known)


def boundary(call):
    arn = call.members.get("PermissionsBoundary")
    if arn and (arn not in roles.kept(call).managed_policies or roles.hidden(call, "policy", arn)):
        raise Refusal("NoSuchEntity", f"Scope ARN: {arn} does not exist or is not attachable.")


@plays("iam:CreateRole")
def create_role(call, moto):
    name = call.members["RoleName"]
    if any(role.name.lower() == name.lower() for role in roles.kept(call).roles.values()):
        raise Refusal("EntityAlreadyExists", f"Role with name {name} already exists.")
    tags(call)
    trust(call, call.members["AssumeRolePolicyDocument"])
    boundary(call)
    return new(call, moto, "role", name)


@plays("iam:CreatePolicy")
def create_policy(call, moto):
    name, document = call.members["PolicyName"], call.members["PolicyDocument"]
    arn = f"arn:aws:iam::{call.account}:policy{call.members.get('Path', '/')}{name}"
    if any(known.name.lower() == name.lower() and ":aws:policy" not in known.arn for known in own_policies(call)):
        raise Refusal("EntityAlreadyExists", f"A policy called {name} already exists. Duplicate names are not allowed.")
    tags(call)
    managed(document)
    return new(call, moto, "policy", arn)


def own_policies(call):
    return [policy for policy in roles.kept(call).managed_policies.values() if policy.account_id == call.account]


def new(call, moto, kind, name):
    status, headers, body = moto()
    if status == 200:
        roles.hide(call, kind, name)
    return status, headers, body


def managed(document):
    policies.limit(document, POLICY_SIZE, f"Cannot exceed quota for PolicySize: {POLICY_SIZE}")
    policies.identity(document)


@plays("iam:CreatePolicyVersion")
def create_policy_version(call, moto):
    managed(call.members["PolicyDocument"])
    return seen(call, moto)


@plays("iam:UpdateAssumeRolePolicy")
def update_assume_role_policy(call, moto):
    trust(call, call.members["PolicyDocument"])
    return seen(call, moto)


@plays("iam:PutRolePermissionsBoundary")
def put_role_permissions_boundary(call, moto):
    boundary(call)
    return seen(call, moto)


@plays("iam:PutRolePolicy")
def put_role_policy(call, moto):
    role, name, document = role_of(call), call.members["PolicyName"], call.members["PolicyDocument"]
    others = [text for other, text in role.policies.items() if other != name] if role else []
    message = f"Maximum policy size of {INLINE_SIZE} bytes exceeded for role {call.members['RoleName']}"
    policies.limit("".join([*others, document]), INLINE_SIZE, message)
    policies.identity(document)
    return seen(call, moto)


@plays("iam:AttachRolePolicy")
def attach_role_policy(call, moto):
    role, arn = role_of(call), call.members["PolicyArn"]
    attached = role.managed_policies if role else {}
    if arn not in attached and len(attached) >= POLICIES_PER_ROLE:
        raise Refusal("LimitExceeded", f"Cannot exceed quota for PoliciesPerRole: {POLICIES_PER_ROLE}")
    return seen(call, moto)


@plays("iam:DeletePolicy")
def delete_policy(call, moto):
    """A policy is deleted when nothing has it, neither as a policy nor as its boundary, and only one version is left."""
    arn = call.members["PolicyArn"]
    holders = [*roles.kept(call).roles.values(), *roles.kept(call).users.values(), *roles.kept(call).groups.values()]
    if any(arn in one.managed_policies or getattr(one, "permissions_boundary_arn", None) == arn for one in holders):
        raise Refusal("DeleteConflict", "Cannot delete a policy attached to entities.")
    policy = roles.kept(call).managed_policies.get(arn)
    if policy and len(policy.versions) > 1:
        raise Refusal(
            "DeleteConflict", "This policy has more than one version. Delete all of its versions but the default one."
        )
    return seen(call, moto)


@plays("iam:TagRole")
def tag_role(call, moto):
    role = role_of(call)
    tags(call, [tag["Key"] for tag in role.tags] if role else [])
    return seen(call, moto)


@plays("iam:TagPolicy")
def tag_policy(call, moto):
    policy = roles.kept(call).managed_policies.get(call.members["PolicyArn"])
    tags(call, policy.tags if policy else [])
    return seen(call, moto)


@plays("iam:ListRolePolicies")
def list_role_policies(call, moto):
    """moto does not cut this list into pages."""
    role = role_of(call)
    if role is None or roles.hidden(call, "role", role.name):
        raise Refusal("NoSuchEntity", f"The role with name {call.members['RoleName']} cannot be found.")
    start = int(call.members.get("Marker", "0"))
    end = start + length(call)
    names = sorted(role.policies)
    more = {"Marker": str(end)} if end < len(names) else {}
    return {"PolicyNames": names[start:end], "IsTruncated": bool(more), **more}


def length(call):
    return min(call.members.get("MaxItems", 100), call.world.config["page"])


def seen(call, moto):
    """What goes for every other operation: what is new may not be seen, and pages are no longer than tests allow."""
    body = None
    if "MaxItems" in call.operation.members(call.operation.input):
        flat = {"Action": call.operation.name, "Version": models.model("iam")["metadata"]["apiVersion"]}
        texts = {key: str(value) for key, value in call.members.items() if isinstance(value, (str, int))}
        body = urllib.parse.urlencode({**flat, **texts, "MaxItems": length(call)}).encode()
    with roles.veiled(call):
        return moto(body)


for name in models.model("iam")["operations"]:
    if f"iam:{name}" not in PLAYED:
        PLAYED[f"iam:{name}"] = seen
