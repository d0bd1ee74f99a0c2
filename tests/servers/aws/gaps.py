"""Single operations that moto lacks, or plays without a look, of services that it plays otherwise: who becomes a role,
keys and queries of logs, where traces go, and which pods have a role."""

import copy
import uuid

from moto.cloudtrail.models import cloudtrail_backends
from moto.eks.models import eks_backends
from moto.logs.models import logs_backends

from . import roles
from .refusal import Refusal
from .registry import plays
from .resources import Thing, answer, found, listing

# Roles.


@plays("sts:AssumeRole")
def assume_role(call, moto):
    """A role is there for accounts that its trust names, by an ARN of theirs, by their number, or as anybody."""
    arn = call.members["RoleArn"]
    if not roles.welcomes(arn, call.account):
        caller = f"arn:aws:iam::{call.account}:root"
        raise Refusal(
            "AccessDenied", f"User: {caller} is not authorized to perform: sts:AssumeRole on resource: {arn}", 403
        )
    return moto()


# Trails.


@plays("cloudtrail:PutEventSelectors")
def put_event_selectors(call, moto):
    """A trail has selectors of one sort: those that are put take the place of the other sort too."""
    answer = moto()
    if call.members.get("EventSelectors"):
        backend = cloudtrail_backends[call.account][call.region]
        backend.get_trail(call.members["TrailName"]).advanced_event_selectors = []
    return answer


# Roles that services are given.

STATES = roles.given(
    "states.amazonaws.com",
    "AccessDeniedException",
    "Neither the global service principal states.amazonaws.com, nor the regional one is authorized to assume the "
    "provided role.",
    lambda members: members.get("roleArn"),
)
SCHEDULER = roles.given(
    "scheduler.amazonaws.com",
    "ValidationException",
    "The execution role you provide must allow AWS EventBridge Scheduler to assume the role.",
    lambda members: members["Target"]["RoleArn"],
)
for name in ("CreateStateMachine", "UpdateStateMachine"):
    plays(f"stepfunctions:{name}")(STATES)
for name in ("CreateSchedule", "UpdateSchedule"):
    plays(f"scheduler:{name}")(SCHEDULER)


# Logs.


def group_of(call):
    groups = logs_backends[call.account][call.region].groups
    name = call.members.get("logGroupName") or call.members.get("resourceIdentifier", "").rpartition(":")[2]
    if name not in groups:
        raise Refusal("ResourceNotFoundException", f"The specified log group {name} does not exist.")
    return groups[name]


@plays("logs:AssociateKmsKey")
def associate_kms_key(call, _):
    group_of(call).kms_key_id = call.members["kmsKeyId"]
    return {}


@plays("logs:DisassociateKmsKey")
def disassociate_kms_key(call, _):
    group_of(call).kms_key_id = None
    return {}


@plays("logs:PutQueryDefinition")
def put_query(call, _):
    """A definition without an id is a new one, also if another one has its name."""
    queries, key = call.store("queries"), call.members.get("queryDefinitionId")
    if key is not None:
        found(queries, key, "Query definition")
    key = key or str(uuid.uuid5(uuid.NAMESPACE_URL, call.new_id()))
    queries[key] = Thing({**call.asked(), "queryDefinitionId": key, "lastModified": int(call.now.timestamp() * 1000)})
    return {"queryDefinitionId": key}


@plays("logs:DescribeQueryDefinitions")
def describe_queries(call, _):
    prefix = call.members.get("queryDefinitionNamePrefix", "")
    things = {key: one for key, one in call.store("queries").items() if one["name"].startswith(prefix)}
    return listing(call, things, "queryDefinitions")


@plays("logs:DeleteQueryDefinition")
def delete_query(call, _):
    queries = call.store("queries")
    found(queries, call.members["queryDefinitionId"], "Query definition")
    del queries[call.members["queryDefinitionId"]]
    return {"success": True}


# Traces: one destination for an account and region.


def destination(call):
    return call.store("traces").setdefault("destination", Thing(Destination="XRay", Status="ACTIVE")).look()


@plays("xray:GetTraceSegmentDestination")
def get_destination(call, _):
    return answer(call, destination(call))


@plays("xray:UpdateTraceSegmentDestination")
def update_destination(call, _):
    """Pending at first. While it is, another change is refused; that is the strict reading."""
    thing = destination(call)
    if thing.settling:
        raise Refusal("InvalidRequestException", "the destination is being changed")
    thing.update(call.asked())
    thing.begin(call, "Status", "PENDING", "ACTIVE")
    return answer(call, thing)


# Pods that have a role.


def associations(call):
    name = call.members["clusterName"]
    if name not in eks_backends[call.account][call.region].clusters:
        raise Refusal("ResourceNotFoundException", f"No cluster found for name: {name}.")
    return call.store(f"pods of {name}")


def association_of(call):
    return found(associations(call), call.members["associationId"], "Association")


def check_pod(call, members):
    """The role trusts the service; a policy of the session and session tags exclude each other, as the model says."""
    code = "InvalidParameterException"
    roles.trusting(call, members["roleArn"], "pods.eks.amazonaws.com", code)
    if "policy" in members and not members.get("disableSessionTags"):
        raise Refusal(code, "a policy needs disableSessionTags")


@plays("eks:CreatePodIdentityAssociation")
def create_association(call, _):
    things, members = associations(call), call.asked()
    place = (members["namespace"], members["serviceAccount"])
    if any((one["namespace"], one["serviceAccount"]) == place for one in things.values()):
        raise Refusal("ResourceInUseException", f"Association already exists: {place[0]}/{place[1]}")
    check_pod(call, members)
    key = f"a-{call.new_id(17, upper=False)}"
    arn = call.arn(f"podidentityassociation/{members['clusterName']}/{key}", "eks")
    things[key] = Thing(
        {**members, "associationId": key, "associationArn": arn, "createdAt": call.now, "modifiedAt": call.now}
    )
    things[key].tags = members.get("tags", {})
    return answer(call, things[key], "association")


@plays("eks:DescribePodIdentityAssociation")
def describe_association(call, _):
    return answer(call, association_of(call), "association")


@plays("eks:ListPodIdentityAssociations")
def list_associations(call, _):
    wanted = {key: call.members[key] for key in ("namespace", "serviceAccount") if key in call.members}
    things = {key: one for key, one in associations(call).items() if wanted.items() <= one.items()}
    return listing(call, things, "associations")


@plays("eks:UpdatePodIdentityAssociation")
def update_association(call, _):
    thing = association_of(call)
    after = {**thing, **call.asked(), "modifiedAt": call.now}
    check_pod(call, after)
    thing.update(copy.deepcopy(after))
    return answer(call, thing, "association")


@plays("eks:DeletePodIdentityAssociation")
def delete_association(call, _):
    thing = association_of(call)
    del associations(call)[thing["associationId"]]
    return answer(call, thing, "association")
