"""Who calls: clients of boto3, what is asked of the server itself, and a test that begins in an empty world."""

import functools
import json
import os
import unittest
import urllib.error
import urllib.request

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

ACCOUNT, REGION = "444455556666", "eu-central-1"

#: The roles of tests trust these.
TRUSTED = ["bedrock.amazonaws.com", "bedrock-agentcore.amazonaws.com", "lambda.amazonaws.com", "budgets.amazonaws.com"]


def client(service, account=ACCOUNT, region=REGION):
    """A client that asks once: what is retried is the caller's own doing."""
    return made(os.environ["SERVER"], service, account, region)


@functools.lru_cache(maxsize=100)
def made(server, service, account, region):
    return boto3.client(
        service,
        endpoint_url=server,
        region_name=region,
        aws_access_key_id=f"AKIA{account}",
        aws_secret_access_key="secret",
        config=Config(retries={"total_max_attempts": 1}, parameter_validation=False),
    )


def server(path, value=None):
    """Asks the server itself."""
    data = None if value is None else json.dumps(value).encode()
    with urllib.request.urlopen(f"{os.environ['SERVER']}/_server/{path}", data) as answer:
        return json.load(answer)


def raw(service, method, path, body, kind="application/x-www-form-urlencoded", **more):
    """A request that no client here would send: its status and its body. Further headers have `_` for `-`."""
    scope = f"Credential=AKIA{ACCOUNT}/20260101/{REGION}/{service}/aws4_request"
    headers = {"Authorization": f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0", "Content-Type": kind}
    headers.update({name.replace("_", "-"): text for name, text in more.items()})
    request = urllib.request.Request(os.environ["SERVER"] + path, body.encode(), headers, method=method)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def trust(services):
    statement = {"Effect": "Allow", "Principal": {"Service": services}, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [statement]}


class Test(unittest.TestCase):
    """A test in an empty world, in which what services do takes no time."""

    maxDiff = None

    def __init_subclass__(cls, **words):
        """Assertions fail by calling `fail`, which a test must not have for something else."""
        super().__init_subclass__(**words)
        assert cls.fail is unittest.TestCase.fail, f"{cls} has a `fail` of its own"

    def setUp(self):
        server("reset", {})
        self.config(observations=0)

    def config(self, **wishes):
        server("config", wishes)

    def refused(self, code, function, **members):
        """The message of a refusal, which has to have that code."""
        with self.assertRaises(ClientError) as told:
            function(**members)
        error = told.exception.response["Error"]
        self.assertEqual(error["Code"], code, error)
        self.assertLess(told.exception.response["ResponseMetadata"]["HTTPStatusCode"], 500)
        return error["Message"]

    def log(self, *columns):
        return [tuple(entry.get(column) for column in columns) for entry in server("log")]

    def role(self, name="agent", services=TRUSTED):
        document = json.dumps(trust(services))
        return client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
