"""Carries out documents that are requests, in the order in which they come, in a world in which others keep what they
keep.

Input: a list of `{ "address", "document", "operation" }`. Output: how many were carried out, which were refused and
with which words, which kinds are no requests, and, of those that are read back, what is not shown as it was asked for.
In a document stand `$region`, references to answers (`$ref`, `$join`, `$last`), and JSON where a service takes the text
of JSON.
"""

import io
import json
import re
import sys
import zipfile

from botocore import xform_name
from botocore.exceptions import ClientError

from .caller import client, server, trust
from .shown import READ, unshown


class World:
    """An account, what is in it before, and the answers so far."""

    def __init__(self, tasks):
        self.tasks = tasks
        self.documents = [task["document"] for task in tasks if isinstance(task["document"], dict)]
        self.text = json.dumps(tasks)
        accounts = re.findall(r"arn:aws:iam::(\d{12}):role/", self.text)
        self.account = max(set(accounts), key=accounts.count)
        self.answers = {}
        self.refused = []
        self.beside = set()

    def client(self, service, region):
        return client(service, self.account, region)

    def found(self, service, pattern):
        """Regions and names of what ARNs of a service name in the account."""
        return sorted(set(re.findall(rf"arn:aws:{service}:([a-z0-9-]+):{self.account}:{pattern}", self.text)))

    def before(self):
        """Makes what the documents refer to and others keep."""
        server("reset", {})
        server("config", {"observations": 0})
        made = {document.get("QueueName") for document in self.documents}
        for region, name in self.found("sqs", r"([\w.-]+)"):
            if name not in made:
                self.client("sqs", region).create_queue(QueueName=name)
        for region, name in self.found("sns", r"([\w-]+)"):
            self.client("sns", region).create_topic(Name=name)
        for bucket in set(re.findall(r'"(?:S3BucketName|bucketName|Bucket)": "([^"]+)"', self.text)):
            self.client("s3", "us-east-1").create_bucket(Bucket=bucket)
        for region in {document.get("$region") for document in self.documents} - {None}:
            self.in_region(region)
        if any("/ServiceControlPolicy/" in task["address"] for task in self.tasks):
            self.client("organizations", "us-east-1").create_organization()

    def in_region(self, region):
        for secret in set(re.findall(r'"(?:secretId|SecretId)": "([^"]+)"', self.text)):
            self.client("secretsmanager", region).create_secret(Name=secret, SecretString="{}")
        groups = (task for task in self.tasks if task["address"].split("/")[1] == "LogGroup")
        made = {task["document"]["logGroupName"] for task in groups}
        for group in set(re.findall(r'"(?:logGroupName|LogGroupName)": "([^"]+)"', self.text)) - made:
            self.client("logs", region).create_log_group(logGroupName=group)
        for bus in set(re.findall(r'"EventBusName": "([^"]+)"', self.text)):
            self.client("events", region).create_event_bus(Name=bus)
        for cluster in set(re.findall(r'"clusterName": "([^"]+)"', self.text)):
            role = f"arn:aws:iam::{self.account}:role/cluster"
            self.client("eks", region).create_cluster(name=cluster, roleArn=role, resourcesVpcConfig={})
        self.knowledge(region)

    def knowledge(self, region):
        """Knowledge bases under the ids that documents name."""
        keys = sorted(set(re.findall(r'"knowledgeBaseId": "([^"]+)"', self.text)))
        if not keys:
            return
        document = json.dumps(trust(["bedrock.amazonaws.com"]))
        name = f"knowledge-{region}"
        arn = self.client("iam", region).create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
        model = f"arn:aws:bedrock:{region}::foundation-model/amazon.titan-embed-text-v2:0"
        kind = {"type": "VECTOR", "vectorKnowledgeBaseConfiguration": {"embeddingModelArn": model}}
        server("config", {"ids": keys})
        for key in keys:
            agents = self.client("bedrock-agent", region)
            agents.create_knowledge_base(name=key, roleArn=arn, knowledgeBaseConfiguration=kind)

    def value(self, value):
        """A value with the references in it replaced."""
        if isinstance(value, list):
            return [self.value(one) for one in value]
        if not isinstance(value, dict):
            return value
        if set(value) == {"$ref"}:
            address, _, path = value["$ref"].partition("#")
            found = self.answers[address]
            for part in path.split("."):
                found = found[int(part) if isinstance(found, list) else part]
            return found
        if set(value) == {"$join"}:
            return "".join(self.value(part) for part in value["$join"])
        if set(value) == {"$last"}:
            return self.value(value["$last"]).rpartition("/")[2]
        return {key: self.value(inner) for key, inner in value.items() if key != "$region"}

    def carry_out(self, task):
        address, document = task["address"], task["document"]
        kind = address.split("/")[1]
        if kind == "FunctionCode":
            self.answers[address] = {"zip": zipped(address.rpartition("/")[2], document)}
        # The ids of endpoints are given by the service, so that none can be there under the id of a document.
        if task["operation"] is None or kind == "EndpointPolicy":
            self.beside.add(kind)
            return False
        try:
            self.answers[address] = self.asked(kind, task["operation"], document)
        except (ClientError, KeyError) as error:
            self.refused.append(f"{address}: {error}")
            return False
        return True

    def asked(self, kind, operation, document):
        """The answer to a document. A reference to what was refused is a `KeyError`."""
        service, name = operation.split(":")
        region = document.get("$region", "us-east-1")
        here = self.client(service, region)
        members = self.value(document)
        attached, targets = members.pop("AttachedManagedPolicies", []), members.pop("TargetIds", [])
        if kind == "AgentAlias":
            here.prepare_agent(agentId=members["agentId"])
        shape = here.meta.service_model.operation_model(name).input_shape
        answer = getattr(here, xform_name(name))(**texts(shape, members))
        for arn in attached:
            here.attach_role_policy(RoleName=members["RoleName"], PolicyArn=arn)
        for target in targets:
            here.attach_policy(PolicyId=answer["Policy"]["PolicySummary"]["Id"], TargetId=target)
        return answer

    def read_back(self):
        """Kinds that are read back, and what of a document is not shown."""
        kinds, lacking = set(), []
        for task in self.tasks:
            address, kind = task["address"], task["address"].split("/")[1]
            if address in self.answers and task["operation"] and kind in READ:
                document = task["document"]
                here = self.client(task["operation"].split(":")[0], document.get("$region", "us-east-1"))
                found = unshown(here, kind, self.value(document), self.answers[address])
                kinds.add(kind)
                lacking.extend(f"{address}: {one}" for one in found)
        return sorted(kinds), lacking


def zipped(name, text):
    """An archive with one file."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, text)
    return buffer.getvalue()


def texts(shape, value):
    """A value for a shape, with JSON as text where the shape is a text."""
    if shape.type_name == "structure" and isinstance(value, dict) and not getattr(shape, "is_document_type", False):
        return {
            key: texts(shape.members[key], inner) if key in shape.members else inner for key, inner in value.items()
        }
    if shape.type_name == "list" and isinstance(value, list):
        return [texts(shape.member, inner) for inner in value]
    if shape.type_name == "map" and isinstance(value, dict):
        return {key: texts(shape.value, inner) for key, inner in value.items()}
    return json.dumps(value) if shape.type_name == "string" and isinstance(value, (dict, list)) else value


def main():
    world = World(json.load(sys.stdin))
    world.before()
    done = sum(world.carry_out(task) for task in world.tasks)
    kinds, lacking = world.read_back()
    told = {"done": done, "refused": world.refused, "beside": sorted(world.beside), "read": kinds, "unshown": lacking}
    json.dump(told, sys.stdout)


if __name__ == "__main__":
    main()
