"""Deliveries of CloudWatch Logs: a source, which is a resource that logs, a destination, and what leads from one to the
other.

moto knows few services whose resources log. Strict where the service does not say: a resource of AgentCore exists, a
source keeps its resource and a destination its type, a pair is delivered once, and what a delivery uses is not deleted.
"""

import copy

from . import agentcore
from .refusal import Refusal
from .registry import plays
from .resources import Thing, found, listing, tagged


def things(call, kind):
    return call.store(f"deliveries: {kind}")


def put(call, kind, fixed):
    """Makes the thing of a name, or changes all of it but what is fixed."""
    known, name = things(call, kind), call.members["name"]
    before, members = known.get(name), call.asked("tags")
    if before is not None and any(before.get(key) != members.get(key) for key in fixed):
        raise Refusal("ConflictException", f"{name} exists with another {fixed[0]}")
    thing = Thing(members, arn=call.arn(f"{kind}:{name}", "logs"))
    thing.tags = before.tags if before is not None else {}
    known[name] = tagged(thing, call.members.get("tags", {}))
    return thing


def shown(thing):
    return {**copy.deepcopy(dict(thing)), "tags": dict(thing.tags)} if thing.tags else copy.deepcopy(dict(thing))


@plays("logs:PutDeliverySource")
def put_source(call, _):
    arn = call.members["resourceArn"]
    service = arn.split(":")[2]
    if service == "bedrock-agentcore" and not agentcore.exists(call, arn):
        raise Refusal("ResourceNotFoundException", f"{arn} was not found")
    known = things(call, "delivery-source")
    same = (arn, call.members["logType"])
    if any(
        (one["resourceArn"], one["logType"]) == same and name != call.members["name"] for name, one in known.items()
    ):
        raise Refusal("ConflictException", f"another source delivers {same[1]} of {arn}")
    source = put(call, "delivery-source", ("resourceArn", "logType"))
    source.update(resourceArns=[arn], service=service)
    return {"deliverySource": source_of(source)}


def source_of(source):
    return {key: value for key, value in shown(source).items() if key != "resourceArn"}


@plays("logs:PutDeliveryDestination")
def put_destination(call, _):
    """A destination is of the type that it says, or of the service that its resource is of."""
    config = call.members.get("deliveryDestinationConfiguration")
    kinds = {"s3": "S3", "logs": "CWL", "firehose": "FH"}
    kind = kinds.get(config["destinationResourceArn"].split(":")[2]) if config else "XRAY"
    if call.members.get("deliveryDestinationType", kind) != kind:
        raise Refusal("ValidationException", "the resource is not one of the type of the destination")
    before = things(call, "delivery-destination").get(call.members["name"])
    if before is not None and before["deliveryDestinationType"] != kind:
        raise Refusal("ConflictException", "a destination keeps its type")
    destination = put(call, "delivery-destination", ())
    destination["deliveryDestinationType"] = kind
    return {"deliveryDestination": shown(destination)}


@plays("logs:CreateDelivery")
def create_delivery(call, _):
    members, known = call.asked("tags"), things(call, "delivery")
    found(things(call, "delivery-source"), members["deliverySourceName"], "Delivery source")
    ends = {one["arn"]: one for one in things(call, "delivery-destination").values()}
    end = found(ends, members["deliveryDestinationArn"], "Delivery destination")
    for one in known.values():
        if all(one[key] == members[key] for key in ("deliverySourceName", "deliveryDestinationArn")):
            raise Refusal("ConflictException", "the source is delivered there already")
    key = call.new_id(16)
    delivery = Thing(members, id=key, arn=call.arn(f"delivery:{key}", "logs"))
    delivery["deliveryDestinationType"] = end["deliveryDestinationType"]
    known[key] = tagged(delivery, call.members.get("tags", {}))
    return {"delivery": shown(delivery)}


@plays("logs:UpdateDeliveryConfiguration")
def update_delivery(call, _):
    found(things(call, "delivery"), call.members["id"], "Delivery").update(call.asked())
    return {}


@plays("logs:GetDelivery")
def get_delivery(call, _):
    return {"delivery": shown(found(things(call, "delivery"), call.members["id"], "Delivery"))}


@plays("logs:GetDeliverySource")
def get_source(call, _):
    return {
        "deliverySource": source_of(found(things(call, "delivery-source"), call.members["name"], "Delivery source"))
    }


@plays("logs:GetDeliveryDestination")
def get_destination(call, _):
    name = call.members["name"]
    return {"deliveryDestination": shown(found(things(call, "delivery-destination"), name, "Delivery destination"))}


@plays("logs:DescribeDeliveries")
def describe_deliveries(call, _):
    return listing(call, things(call, "delivery"), "deliveries")


@plays("logs:DescribeDeliverySources")
def describe_sources(call, _):
    return listing(call, things(call, "delivery-source"), "deliverySources")


@plays("logs:DescribeDeliveryDestinations")
def describe_destinations(call, _):
    return listing(call, things(call, "delivery-destination"), "deliveryDestinations")


@plays("logs:DeleteDelivery")
def delete_delivery(call, _):
    found(things(call, "delivery"), call.members["id"], "Delivery")
    del things(call, "delivery")[call.members["id"]]
    return {}


def remove(call, kind, member, of):
    """Deletes a thing of which no delivery speaks."""
    thing = found(things(call, kind), call.members["name"], kind)
    if any(one[member] == thing[of] for one in things(call, "delivery").values()):
        raise Refusal("ConflictException", f"{call.members['name']} is used by a delivery")
    del things(call, kind)[call.members["name"]]
    return {}


@plays("logs:DeleteDeliverySource")
def delete_source(call, _):
    return remove(call, "delivery-source", "deliverySourceName", "name")


@plays("logs:DeleteDeliveryDestination")
def delete_destination(call, _):
    return remove(call, "delivery-destination", "deliveryDestinationArn", "arn")


# Tags: those of deliveries are here, those of everything else that logs are moto's.


def own(call):
    kinds = ("delivery", "delivery-source", "delivery-destination")
    all_of = [thing for kind in kinds for thing in things(call, kind).values()]
    return next((thing for thing in all_of if thing["arn"] == call.members["resourceArn"]), None)


@plays("logs:TagResource")
def tag_resource(call, moto):
    thing = own(call)
    if thing is None:
        return moto()
    tagged(thing, call.members["tags"])
    return {}


@plays("logs:UntagResource")
def untag_resource(call, moto):
    thing = own(call)
    if thing is None:
        return moto()
    for key in call.members["tagKeys"]:
        thing.tags.pop(key, None)
    return {}


@plays("logs:ListTagsForResource")
def list_tags(call, moto):
    thing = own(call)
    return moto() if thing is None else {"tags": dict(thing.tags)}
