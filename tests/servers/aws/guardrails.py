"""Guardrails as what other things refer to."""

from .refusal import Refusal


def existing(call, reference):
    """Refuses a reference to a guardrail, by id or ARN, or to a version of one, that does not exist in the region.

    When the service looks is not documented; the strict reading is at once.
    """
    if not reference or "guardrailIdentifier" not in reference:
        return
    key = reference["guardrailIdentifier"].rpartition("/")[2]
    guardrail = call.of("bedrock", "guardrails").get(key)
    version = reference.get("guardrailVersion", "DRAFT")
    if guardrail is None or version not in guardrail.versions:
        words = f"the guardrail {reference['guardrailIdentifier']} with version {version} does not exist"
        raise Refusal("ValidationException", words)
