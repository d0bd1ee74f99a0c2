"""AWS Budgets: budgets, their notifications, and the actions that attach a policy when one is reached.

An account has its budgets in no region. Strict where the service does not say: names are taken, what an action names
(its role, which trusts the service, its policy and the roles that it is attached to) exists, and a budget with actions
is deleted with them.
"""

import copy
import uuid

from . import roles
from .refusal import Refusal
from .registry import plays
from .resources import Thing, listing

PRINCIPAL = "budgets.amazonaws.com"


def budgets(call):
    if call.members.get("AccountId", call.account) != call.account:
        raise Refusal("AccessDeniedException", "the budgets of another account")
    return call.world.stores.setdefault((call.account, None, "budgets", "budgets"), {})


def budget_of(call):
    return one_of(budgets(call), call.members["BudgetName"], "budget")


def one_of(things, key, what):
    if key not in things:
        raise Refusal("NotFoundException", f"there is no {what} {key}")
    return things[key].look()


@plays("budgets:CreateBudget")
def create_budget(call, _):
    known, members = budgets(call), call.members["Budget"]
    name = members["BudgetName"]
    if name in known:
        raise Refusal("DuplicateRecordException", f"the budget {name} already exists")
    budget = Thing(
        copy.deepcopy(members),
        LastUpdatedTime=call.now,
        HealthStatus={"Status": "HEALTHY", "LastUpdatedTime": call.now},
    )
    budget.update(CalculatedSpend={"ActualSpend": {"Amount": "0.0", "Unit": "USD"}})
    budget.arn = f"arn:aws:budgets::{call.account}:budget/{name}"
    budget.tags = {tag["Key"]: tag["Value"] for tag in call.members.get("ResourceTags", [])}
    budget.parts = {"notifications": copy.deepcopy(call.members.get("NotificationsWithSubscribers", [])), "actions": {}}
    known[name] = budget
    return {}


@plays("budgets:DescribeBudget")
def describe_budget(call, _):
    return {"Budget": copy.deepcopy(dict(budget_of(call)))}


@plays("budgets:DescribeBudgets")
def describe_budgets(call, _):
    return listing(call, budgets(call), "Budgets")


@plays("budgets:UpdateBudget")
def update_budget(call, _):
    members = call.members["NewBudget"]
    budget = one_of(budgets(call), members["BudgetName"], "budget")
    kept = {key: budget[key] for key in ("CalculatedSpend", "HealthStatus")}
    budget.clear()
    budget.update({**copy.deepcopy(members), **kept, "LastUpdatedTime": call.now})
    return {}


@plays("budgets:DeleteBudget")
def delete_budget(call, _):
    budget_of(call)
    del budgets(call)[call.members["BudgetName"]]
    return {}


def known(call):
    """The entry of a notification: it is known by what it says, but for its state."""
    wanted = call.members.get("Notification") or call.members.get("OldNotification")
    for entry in budget_of(call).parts["notifications"]:
        if same(entry["Notification"], wanted):
            return entry
    raise Refusal("NotFoundException", "the budget has no such notification")


def same(one, other):
    keys = ("NotificationType", "ComparisonOperator", "Threshold")
    kinds = {item.get("ThresholdType", "PERCENTAGE") for item in (one, other)}
    return len(kinds) == 1 and all(one[key] == other[key] for key in keys)


@plays("budgets:DescribeNotificationsForBudget")
def describe_notifications(call, _):
    entries = budget_of(call).parts["notifications"]
    things = {str(at): Thing(entry["Notification"]) for at, entry in enumerate(entries)}
    return listing(call, things, "Notifications")


@plays("budgets:DescribeSubscribersForNotification")
def describe_subscribers(call, _):
    things = {str(at): Thing(one) for at, one in enumerate(known(call)["Subscribers"])}
    return listing(call, things, "Subscribers")


@plays("budgets:CreateNotification")
def create_notification(call, _):
    entries = budget_of(call).parts["notifications"]
    if any(same(entry["Notification"], call.members["Notification"]) for entry in entries):
        raise Refusal("DuplicateRecordException", "the budget has this notification")
    entries.append({key: copy.deepcopy(call.members[key]) for key in ("Notification", "Subscribers")})
    return {}


@plays("budgets:DeleteNotification")
def delete_notification(call, _):
    budget_of(call).parts["notifications"].remove(known(call))
    return {}


# Actions.


def check(call, action):
    roles.trusting(call, action["ExecutionRoleArn"], PRINCIPAL, "InvalidParameterException")
    definition = action["Definition"].get("IamActionDefinition")
    if (action["ActionType"] == "APPLY_IAM_POLICY") != (definition is not None):
        raise Refusal("InvalidParameterException", "the definition is not one of the type of the action")
    if definition is None:
        return
    if definition["PolicyArn"] not in roles.kept(call).managed_policies:
        raise Refusal("InvalidParameterException", f"the policy {definition['PolicyArn']} does not exist")
    for name in definition.get("Roles", []):
        if roles.role_named(call, name) is None:
            raise Refusal("InvalidParameterException", f"the role {name} does not exist")


def where(call, action):
    return {"AccountId": call.account, "BudgetName": action["BudgetName"]}


@plays("budgets:CreateBudgetAction")
def create_action(call, _):
    budget, members = budget_of(call), call.asked("AccountId", "ResourceTags")
    check(call, members)
    key = str(uuid.uuid5(uuid.NAMESPACE_URL, call.new_id()))
    action = Thing({**members, "ActionId": key, "Status": "STANDBY"})
    action.arn = f"arn:aws:budgets::{call.account}:budget/{budget['BudgetName']}/action/{key}"
    action.tags = {tag["Key"]: tag["Value"] for tag in call.members.get("ResourceTags", [])}
    budget.parts["actions"][key] = action
    return {**where(call, action), "ActionId": key}


def action_of(call):
    return one_of(budget_of(call).parts["actions"], call.members["ActionId"], "action")


@plays("budgets:DescribeBudgetAction")
def describe_action(call, _):
    action = action_of(call)
    return {**where(call, action), "Action": copy.deepcopy(dict(action))}


@plays("budgets:DescribeBudgetActionsForBudget")
def describe_actions(call, _):
    return listing(call, budget_of(call).parts["actions"], "Actions")


@plays("budgets:DescribeBudgetActionsForAccount")
def describe_all_actions(call, _):
    things = {key: one for budget in budgets(call).values() for key, one in budget.parts["actions"].items()}
    return listing(call, things, "Actions")


@plays("budgets:UpdateBudgetAction")
def update_action(call, _):
    action = action_of(call)
    before = copy.deepcopy(dict(action))
    after = {**before, **call.asked("AccountId")}
    check(call, after)
    action.update(after)
    return {**where(call, action), "OldAction": before, "NewAction": copy.deepcopy(dict(action))}


@plays("budgets:DeleteBudgetAction")
def delete_action(call, _):
    action = action_of(call)
    del budget_of(call).parts["actions"][action["ActionId"]]
    return {**where(call, action), "Action": dict(action)}


# Tags.


def owner(call):
    for budget in budgets(call).values():
        for thing in (budget, *budget.parts["actions"].values()):
            if thing.arn == call.members["ResourceARN"]:
                return thing
    raise Refusal("NotFoundException", f"{call.members['ResourceARN']} was not found")


@plays("budgets:TagResource")
def tag_resource(call, _):
    owner(call).tags.update({tag["Key"]: tag["Value"] for tag in call.members["ResourceTags"]})
    return {}


@plays("budgets:UntagResource")
def untag_resource(call, _):
    thing = owner(call)
    for key in call.members["ResourceTagKeys"]:
        thing.tags.pop(key, None)
    return {}


@plays("budgets:ListTagsForResource")
def list_tags(call, _):
    return {"ResourceTags": [{"Key": key, "Value": value} for key, value in owner(call).tags.items()]}
