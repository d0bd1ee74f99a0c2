"""Amazon Bedrock: guardrails and their versions, profiles for inference, enforced guardrails, and the log of
invocations.

A guardrail has a draft, which is what updates change, and numbered versions, which never change. Strict where the
service does not say: names are taken, a guardrail says at least one policy, what is in a state that ends by itself is
not changed (`ConflictException`), what an agent or the account uses is not deleted, and there is one enforced
configuration in an account and region.
"""

import copy

from moto.s3.models import s3_backends

from . import roles
from .refusal import Refusal
from .registry import plays
from .resources import Thing, answer, found, listing, pairs, tagged, unnamed

POLICIES = ("topic", "content", "word", "sensitiveInformation", "contextualGrounding", "automatedReasoning")


class Guardrail(Thing):
    """The draft of a guardrail, and all of its versions, of which the draft is one."""

    def __init__(self, members):
        super().__init__(members)
        self.versions = {"DRAFT": self}
        self.cut = 0


def existing(call, reference):
    """Refuses a reference to a guardrail, by id or ARN, or to a version of one, that does not exist in the region.

    When services look is not documented; the strict reading is at once.
    """
    if not reference or "guardrailIdentifier" not in reference:
        return None
    guardrail = call.of("bedrock", "guardrails").get(reference["guardrailIdentifier"].rpartition("/")[2])
    version = reference.get("guardrailVersion", "DRAFT")
    if guardrail is None or version not in guardrail.versions:
        words = f"the guardrail {reference['guardrailIdentifier']} with version {version} does not exist"
        raise Refusal("ValidationException", words)
    return guardrail


def shown(config):
    """Policies as they are shown: under the names of the request without `Config` at their ends."""
    if isinstance(config, dict):
        return {key.removesuffix("Config"): shown(value) for key, value in config.items()}
    return [shown(one) for one in config] if isinstance(config, list) else config


def content(call):
    """What a guardrail says, as a thing keeps it."""
    members = call.asked("tags", "guardrailIdentifier")
    policies = {f"{name}Policy": shown(members.pop(f"{name}PolicyConfig", None)) for name in POLICIES}
    if not any(policies.values()):
        raise Refusal("ValidationException", "a guardrail has at least one policy")
    profile = members.pop("crossRegionConfig", None)
    if profile:
        name = profile["guardrailProfileIdentifier"].rpartition("/")[2]
        arn = call.arn(f"guardrail-profile/{name}")
        members["crossRegionDetails"] = {"guardrailProfileId": name, "guardrailProfileArn": arn}
    key = members.pop("kmsKeyId", None)
    if key:
        members["kmsKeyArn"] = key if key.startswith("arn:") else f"arn:aws:kms:{call.region}:{call.account}:key/{key}"
    return {**members, **policies}


@plays("bedrock:CreateGuardrail")
def create_guardrail(call, _):
    guardrails, members = call.store("guardrails"), content(call)
    unnamed(guardrails, "name", members["name"], "A guardrail")
    key = call.new_id(12, upper=False)
    arn = call.arn(f"guardrail/{key}")
    guardrail = Guardrail(
        {**members, "guardrailId": key, "id": key, "guardrailArn": arn, "arn": arn, "version": "DRAFT"}
    )
    guardrail.update(createdAt=call.now, updatedAt=call.now)
    tagged(guardrail, as_map(call.members.get("tags", [])))
    guardrail.begin(call, "status", "CREATING", "READY")
    guardrails[key] = guardrail
    return answer(call, guardrail)


def as_map(tags):
    return {tag["key"]: tag["value"] for tag in tags}


def guardrail_of(call):
    key = call.members["guardrailIdentifier"].rpartition("/")[2]
    return found(call.store("guardrails"), key, "Guardrail")


def ready(guardrail):
    if guardrail.settling:
        words = f"The guardrail is in the state {guardrail['status']}. Try again when it is ready."
        raise Refusal("ConflictException", words)
    return guardrail


@plays("bedrock:GetGuardrail")
def get_guardrail(call, _):
    guardrail = guardrail_of(call)
    version = call.members.get("guardrailVersion") or "DRAFT"
    return answer(call, guardrail if version == "DRAFT" else found(guardrail.versions, version, "Guardrail version"))


@plays("bedrock:ListGuardrails")
def list_guardrails(call, _):
    """The drafts of all guardrails, or all versions of one."""
    things = call.store("guardrails")
    return listing(call, guardrail_of(call).versions if "guardrailIdentifier" in call.members else things, "guardrails")


@plays("bedrock:UpdateGuardrail")
def update_guardrail(call, _):
    guardrail, members = ready(guardrail_of(call)), content(call)
    others = {key: one for key, one in call.store("guardrails").items() if one is not guardrail}
    unnamed(others, "name", members["name"], "A guardrail")
    kept = {key: guardrail[key] for key in ("guardrailId", "id", "guardrailArn", "arn", "version", "createdAt")}
    guardrail.clear()
    guardrail.update({**members, **kept, "updatedAt": call.now})
    guardrail.begin(call, "status", "UPDATING", "READY")
    return answer(call, guardrail)


@plays("bedrock:CreateGuardrailVersion")
def create_guardrail_version(call, _):
    guardrail = ready(guardrail_of(call))
    guardrail.cut += 1
    number = str(guardrail.cut)
    members = {key: copy.deepcopy(value) for key, value in guardrail.items() if key != "description"}
    version = Thing(
        {
            **members,
            **call.asked("guardrailIdentifier"),
            "version": number,
            "createdAt": call.now,
            "updatedAt": call.now,
        }
    )
    version.begin(call, "status", "CREATING", "READY")
    guardrail.begin(call, "status", "VERSIONING", "READY")
    guardrail.versions[number] = version
    return answer(call, version)


@plays("bedrock:DeleteGuardrail")
def delete_guardrail(call, _):
    guardrail, guardrails = ready(guardrail_of(call)), call.store("guardrails")
    version = call.members.get("guardrailVersion")
    if version is not None:
        found(guardrail.versions, version, "Guardrail version")
    for user, reference in users(call):
        same = reference.get("guardrailIdentifier", "").rpartition("/")[2] == guardrail["guardrailId"]
        if same and version in (None, reference.get("guardrailVersion", "DRAFT")):
            raise Refusal("ResourceInUseException", f"the guardrail is used by {user}")
    if version is not None:
        del guardrail.versions[version]
    else:
        guardrail.begin(call, "status", "DELETING", lambda: guardrails.pop(guardrail["guardrailId"]))
    return {}


def users(call):
    """Who uses guardrails, and how each names one."""
    for agent in call.of("bedrock-agent", "agents").values():
        yield agent["agentArn"], agent.get("guardrailConfiguration", {})
        for version in agent.versions.values():
            yield f"{agent['agentArn']} version {version['version']}", version.get("guardrailConfiguration", {})
    for key, config in call.store("enforced").items():
        yield f"the enforced configuration {key}", config


# What the account enforces.


@plays("bedrock:PutEnforcedGuardrailConfiguration")
def put_enforced(call, _):
    configs, members = call.store("enforced"), call.members["guardrailInferenceConfig"]
    guardrail = existing(call, members)
    key = call.members.get("configId")
    if key is not None:
        found(configs, key, "Configuration")
    elif configs:
        raise Refusal("ConflictException", "the account has an enforced configuration in this region")
    key = key or call.new_id(12, upper=False)
    caller = f"arn:aws:iam::{call.account}:root"
    config = configs.setdefault(key, Thing(configId=key, createdAt=call.now, createdBy=caller))
    made = {"createdAt": config["createdAt"], "createdBy": config["createdBy"]}
    config.clear()
    config.update({"inputTags": "HONOR", **copy.deepcopy(members), **made, "configId": key, "owner": "ACCOUNT"})
    config.update(guardrailArn=guardrail["guardrailArn"], guardrailId=guardrail["guardrailId"])
    config.update(updatedAt=call.now, updatedBy=caller)
    return answer(call, config)


@plays("bedrock:ListEnforcedGuardrailsConfiguration")
def list_enforced(call, _):
    return listing(call, call.store("enforced"), "guardrailsConfig")


@plays("bedrock:DeleteEnforcedGuardrailConfiguration")
def delete_enforced(call, _):
    configs = call.store("enforced")
    found(configs, call.members["configId"], "Configuration")
    del configs[call.members["configId"]]
    return {}


# Profiles for inference.


@plays("bedrock:CreateInferenceProfile")
def create_profile(call, _):
    profiles, members = call.store("profiles"), call.asked("tags", "modelSource")
    unnamed(profiles, "inferenceProfileName", members["inferenceProfileName"], "An inference profile")
    source = call.members["modelSource"]["copyFrom"]
    kind, model = source.split(":", 5)[5].split("/", 1)
    if kind == "inference-profile":
        model = model.partition(".")[2]
    key = call.new_id(12, upper=False)
    arn = call.arn(f"application-inference-profile/{key}")
    models = [{"modelArn": f"arn:aws:bedrock:{call.region}::foundation-model/{model}"}]
    profile = Thing({**members, "inferenceProfileId": key, "inferenceProfileArn": arn, "models": models})
    profile.update(status="ACTIVE", type="APPLICATION", createdAt=call.now, updatedAt=call.now)
    profiles[key] = tagged(profile, as_map(call.members.get("tags", [])))
    return answer(call, profile)


def profile_of(call):
    key = call.members["inferenceProfileIdentifier"].rpartition("/")[2]
    return found(call.store("profiles"), key, "Inference profile")


@plays("bedrock:GetInferenceProfile")
def get_profile(call, _):
    return answer(call, profile_of(call))


@plays("bedrock:ListInferenceProfiles")
def list_profiles(call, _):
    """Those of the account: what the service defines itself is not here."""
    own = call.members.get("typeEquals", "APPLICATION") == "APPLICATION"
    return listing(call, call.store("profiles") if own else {}, "inferenceProfileSummaries")


@plays("bedrock:DeleteInferenceProfile")
def delete_profile(call, _):
    del call.store("profiles")[profile_of(call)["inferenceProfileId"]]
    return {}


# The log of invocations: one for an account and region.


@plays("bedrock:PutModelInvocationLoggingConfiguration")
def put_logging(call, _):
    """Where it is written to has to exist, and the role for CloudWatch has to be one that the service becomes."""
    config = call.members["loggingConfig"]
    watch = config.get("cloudWatchConfig", {})
    if watch:
        roles.trusting(call, watch["roleArn"], "bedrock.amazonaws.com")
    for bucket in (config.get("s3Config"), watch.get("largeDataDeliveryS3Config")):
        if bucket and not any(bucket["bucketName"] in backend["aws"].buckets for backend in s3_backends.values()):
            words = f"Failed to validate permissions for bucket {bucket['bucketName']}"
            raise Refusal("ValidationException", words)
    call.store("logging")["config"] = copy.deepcopy(config)
    return {}


@plays("bedrock:GetModelInvocationLoggingConfiguration")
def get_logging(call, _):
    config = call.store("logging").get("config")
    return {} if config is None else {"loggingConfig": copy.deepcopy(config)}


@plays("bedrock:DeleteModelInvocationLoggingConfiguration")
def delete_logging(call, _):
    call.store("logging").pop("config", None)
    return {}


# Tags, which this service writes as a list.


def owner(call):
    arn = call.members["resourceARN"]
    key = arn.rpartition("/")[2]
    for kind, member in (("guardrails", "guardrailArn"), ("profiles", "inferenceProfileArn")):
        thing = call.store(kind).get(key)
        if thing is not None and thing[member] == arn:
            return thing
    raise Refusal("ResourceNotFoundException", f"{arn} was not found")


@plays("bedrock:TagResource")
def tag_resource(call, _):
    tagged(owner(call), as_map(call.members["tags"]))
    return {}


@plays("bedrock:UntagResource")
def untag_resource(call, _):
    thing = owner(call)
    for key in call.members["tagKeys"]:
        thing.tags.pop(key, None)
    return {}


@plays("bedrock:ListTagsForResource")
def list_tags(call, _):
    return {"tags": pairs(owner(call).tags)}
