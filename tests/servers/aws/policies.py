"""Policy documents as IAM takes them: what moto lets pass, and how long they may be.

Three expectations are not documented, and are the strict reading: a key that stands twice in an object, a condition key
without a prefix, and a version before 2012 are all refused.
"""

import json
import re

import moto.iam.models
from botocore.loaders import Loader
from moto.iam.exceptions import MalformedPolicyDocument
from moto.iam.policy_validation import IAMPolicyDocumentValidator, IAMTrustPolicyDocumentValidator

from .refusal import Refusal

#: Principals of services that are called otherwise than the clients of botocore.
PRINCIPALS = {
    "bedrock-mantle", "cloudwatch", "delivery.logs", "ecs-tasks", "edgelambda", "eks-fargate-pods", "monitoring", "pods.eks",
    "replicator.lambda", "spotfleet", "states", "vpc-flow-logs",
}  # fmt: skip


def malformed(message):
    return Refusal("MalformedPolicyDocument", message)


def size(document):
    """How much of a quota a document takes: white space does not count."""
    return len(re.sub(r"\s", "", document))


def limit(document, most, message):
    if size(document) > most:
        raise Refusal("LimitExceeded", message)


def parsed(document):
    """The statements of a document, in which no object has a key twice."""

    def once(pairs):
        if len(dict(pairs)) != len(pairs):
            raise malformed("Syntax errors in policy: a key stands twice.")
        return dict(pairs)

    try:
        value = json.loads(document, object_pairs_hook=once)
    except ValueError as error:
        raise malformed("This policy contains invalid Json") from error
    statements = value.get("Statement", []) if isinstance(value, dict) else []
    statements = statements if isinstance(statements, list) else [statements]
    if not statements or not all(isinstance(one, dict) for one in statements):
        raise malformed("Syntax errors in policy.")
    return statements


def statement(one):
    """What goes for every statement."""
    if not re.fullmatch(r"[0-9A-Za-z]*", str(one.get("Sid", ""))):
        raise malformed("Statement IDs (SID) must be alpha-numeric.")
    conditions = one.get("Condition", {})
    if not isinstance(conditions, dict) or not all(isinstance(keys, dict) for keys in conditions.values()):
        raise malformed("Syntax errors in policy.")
    for keys in conditions.values():
        for key in keys:
            if ":" not in key:
                raise malformed(f"Condition key {key} must be prefaced by a vendor.")


def identity(document):
    """A document that says what somebody may do."""
    for one in parsed(document):
        statement(one)
        if "Principal" in one or "NotPrincipal" in one:
            raise malformed("Policy document should not specify a principal.")
    by_moto(IAMPolicyDocumentValidator, document)


def trust(document, known):
    """A document that says who becomes a role. `known` tells whether an ARN of the account is somebody's."""
    for one in parsed(document):
        statement(one)
        if "Resource" in one or "NotResource" in one:
            raise malformed("Has prohibited field Resource")
        principal = one.get("Principal")
        if principal is None:
            raise malformed("Missing required field Principal")
        for kind, names in principal.items() if isinstance(principal, dict) else ():
            for name in [names] if isinstance(names, str) else names:
                if (kind == "Service" and not service(name)) or (kind == "AWS" and not known(name)):
                    raise malformed(f'Invalid principal in policy: "{kind.upper()}":"{name}"')
    by_moto(IAMTrustPolicyDocumentValidator, document)


def service(name):
    """Whether a principal is a service: by the clients that botocore has, and by a list of those that have none."""
    match = re.fullmatch(r"([a-z0-9.-]+?)(\.[a-z]{2}(-[a-z]+)+-\d)?\.amazonaws\.com", name)
    return bool(match) and match[1] in PRINCIPALS.union(Loader().list_available_services("service-2"))


def by_moto(validator, document):
    try:
        lenient(validator)(document).validate()
    except MalformedPolicyDocument as error:
        raise malformed(error.message) from error


def lenient(validator):
    """moto's validator, which refuses numbers where IAM takes them, without that."""

    class Lenient(validator):
        def __init__(self, document):
            super().__init__(json.dumps(texts(json.loads(document))))

    return Lenient


def texts(value):
    if isinstance(value, dict):
        return {key: texts(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [texts(inner) for inner in value]
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


moto.iam.models.IAMPolicyDocumentValidator = lenient(IAMPolicyDocumentValidator)
moto.iam.models.IAMTrustPolicyDocumentValidator = lenient(IAMTrustPolicyDocumentValidator)
