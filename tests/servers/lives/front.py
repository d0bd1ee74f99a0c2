"""What the server does for every service: it validates, repeats, cuts into pages, fails when asked to, and writes down."""

import concurrent.futures
import json
import os
import uuid

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

from .agents import INSTRUCTION
from .caller import ACCOUNT, REGION, Test, client, raw, server

AGENTS = client("bedrock-agent")


class Agents(Test):
    def setUp(self):
        super().setUp()
        self.members = dict(agentName="a", agentResourceRoleArn=self.role())

    def create(self, name="a", **members):
        return AGENTS.create_agent(**{**self.members, "agentName": name, **members})["agent"]

    def names(self):
        return [one["agentName"] for one in AGENTS.list_agents()["agentSummaries"]]


class Validation(Agents):
    def test_each_constraint(self):
        wrong = [
            ("required", {"agentName": None}, "must not be null"),
            ("pattern", {"agentName": "a b"}, "must satisfy regular expression pattern"),
            ("enum", {"orchestrationType": "FREE"}, "must satisfy enum value set"),
            ("longest", {"instruction": "x" * 4001}, "must have length less than or equal to 4000"),
            ("shortest", {"instruction": "x" * 39}, "must have length greater than or equal to 40"),
            ("most", {"idleSessionTTLInSeconds": 5401}, "must have value less than or equal to 5400"),
            ("least", {"idleSessionTTLInSeconds": 59}, "must have value greater than or equal to 60"),
            ("type", {"idleSessionTTLInSeconds": "60"}, "must be a whole number"),
            ("member", {"colour": "red"}, "must be one that the operation has"),
            ("member inside", {"memoryConfiguration": {"enabledMemoryTypes": ["SESSION_SUMMARY"], "days": 3}}, "days"),
            ("items", {"memoryConfiguration": {"enabledMemoryTypes": []}}, "must have length greater than or equal to 1"),
            ("token", {"clientToken": "short"}, "must have length greater than or equal to 33"),
        ]  # fmt: skip
        for what, members, words in wrong:
            with self.subTest(what):
                body = {key: value for key, value in {**self.members, **members}.items() if value is not None}
                status, told = raw("bedrock", "PUT", "/agents/", json.dumps(body), "application/json")
                self.assertEqual((status, json.loads(told)["__type"]), (400, "ValidationException"), told)
                self.assertIn(words, json.loads(told)["message"])
        self.assertEqual(self.names(), [])
        self.create(instruction="x" * 4000, idleSessionTTLInSeconds=5400)

    def test_an_union_has_one_member(self):
        agent = self.create()
        both = {"lambda": "arn:aws:lambda:eu-central-1:444455556666:function:f", "customControl": "RETURN_CONTROL"}
        members = dict(agentVersion="DRAFT", actionGroupName="g", actionGroupExecutor=both)
        told = self.refused(
            "ValidationException", AGENTS.create_agent_action_group, agentId=agent["agentId"], **members
        )
        self.assertIn("exactly one", told)

    def test_what_is_no_request(self):
        status, told = raw("bedrock", "PUT", "/agents/", "{", "application/json")
        self.assertEqual((status, json.loads(told)["__type"]), (400, "SerializationException"))
        status, told = raw("bedrock", "GET", "/nothing", "", "application/json")
        self.assertEqual((status, json.loads(told)["__type"]), (400, "ServerNotImplemented"))

    def test_a_slash_at_the_end_says_nothing(self):
        agent = self.create()
        for path in (f"/agents/{agent['agentId']}", f"/agents/{agent['agentId']}/"):
            status, told = raw("bedrock", "GET", path, "", "application/json")
            self.assertEqual((status, json.loads(told)["agent"]["agentName"]), (200, "a"))

    def test_moments_are_texts_where_the_model_says_so(self):
        agent = self.create()
        _, told = raw("bedrock", "GET", f"/agents/{agent['agentId']}/", "", "application/json")
        self.assertRegex(json.loads(told)["agent"]["createdAt"], r"^2026-01-01T00:00:\d\dZ$")

    def test_mistakes_of_the_server_are_found(self):
        agent = self.create()
        self.config(**{"break": {"bedrock-agent:GetAgent": ["agentStatus"]}})
        told = self.refused("ServerBug", AGENTS.get_agent, agentId=agent["agentId"])
        self.assertIn("agent.agentStatus", told)
        self.assertEqual(AGENTS.get_agent(agentId=agent["agentId"])["agent"]["agentStatus"], "NOT_PREPARED")

    def test_what_nobody_plays_is_refused(self):
        self.refused(
            "ServerNotImplemented", AGENTS.create_flow, name="f", executionRoleArn=self.members["agentResourceRoleArn"]
        )


class Repetition(Agents):
    def test_a_token_makes_one_thing(self):
        token = str(uuid.uuid4())
        first, second = (self.create(clientToken=token) for _ in range(2))
        self.assertEqual(first["agentId"], second["agentId"])
        self.assertEqual(self.names(), ["a"])
        self.refused(
            "ConflictException", AGENTS.create_agent, **{**self.members, "agentName": "b", "clientToken": token}
        )
        self.create("b")
        self.assertEqual(self.names(), ["a", "b"])

    def test_pages_of_one(self):
        for name in "abc":
            self.create(name)
        self.config(page=1)
        self.assertEqual(self.names(), ["a"])
        pages = list(AGENTS.get_paginator("list_agents").paginate())
        self.assertEqual(
            [[one["agentName"] for one in page["agentSummaries"]] for page in pages], [["a"], ["b"], ["c"]]
        )
        self.config(page=100)
        self.assertEqual(len(AGENTS.list_agents(maxResults=2)["agentSummaries"]), 2)
        self.refused("ValidationException", AGENTS.list_agents, nextToken="none")
        token = AGENTS.list_agents(maxResults=2)["nextToken"]
        self.refused("ValidationException", AGENTS.list_knowledge_bases, nextToken=token)


class Failures(Agents):
    def test_so_many_calls_are_throttled(self):
        self.config(throttle={"bedrock-agent:ListAgents": 2, "iam:GetRole": 1})
        for _ in range(2):
            self.refused("ThrottlingException", AGENTS.list_agents)
        self.assertEqual(self.names(), [])
        self.refused("Throttling", client("iam").get_role, RoleName="agent")
        client("iam").get_role(RoleName="agent")

    def test_every_protocol_has_its_errors(self):
        asked = [
            ("cloudwatch:DescribeAlarms", "describe_alarms", {}),
            ("ec2:DescribeVpcEndpoints", "describe_vpc_endpoints", {}),
            ("s3:GetBucketPolicy", "get_bucket_policy", {"Bucket": "none"}),
            ("sqs:ListQueues", "list_queues", {}),
            ("sns:ListTopics", "list_topics", {}),
            ("logs:DescribeLogGroups", "describe_log_groups", {}),
            ("lambda:ListFunctions", "list_functions", {}),
            ("scheduler:ListSchedules", "list_schedules", {}),
        ]
        for key, method, members in asked:
            with self.subTest(key):
                wish = {"code": "ServiceUnavailable", "message": "a & b", "status": 503}
                self.config(fail={key: [wish]}, throttle={key: 1})
                ask = getattr(client(key.split(":")[0]), method)
                with self.assertRaises(ClientError) as told:
                    ask(**members)
                self.assertRegex(told.exception.response["Error"]["Code"], "Throttl|TooManyRequests")
                with self.assertRaises(ClientError) as told:
                    ask(**members)
                answer = told.exception.response
                error = (answer["Error"]["Code"], answer["Error"]["Message"])
                self.assertEqual(error, ("ServiceUnavailable", "a & b"))
                self.assertEqual(answer["ResponseMetadata"]["HTTPStatusCode"], 503)
                if key.startswith("s3:"):
                    self.refused("NoSuchBucket", ask, **members)
                else:
                    ask(**members)
                outcome = "NoSuchBucket" if key.startswith("s3:") else "ok"
                self.assertEqual(self.log("outcome")[-1], (outcome,))

    def test_errors_in_cbor(self):
        path = "/service/GraniteServiceVersion20100801/operation/DescribeAlarms"
        self.config(throttle={"cloudwatch:DescribeAlarms": 1})
        spoken = dict(kind="application/cbor", Smithy_Protocol="rpc-v2-cbor")
        status, body = raw("monitoring", "POST", path, "\x00", **spoken)
        code = b"\x79\x00\x06__type\x79\x00\x13ThrottlingException"
        self.assertEqual((status, body[:1]), (400, b"\xa2"), body)
        self.assertIn(code, body)

    def test_what_moto_refuses_is_in_the_log(self):
        asked = [
            ("iam", "get_role", {"RoleName": "none"}, "NoSuchEntity"),
            ("lambda", "get_function", {"FunctionName": "none"}, "ResourceNotFoundException"),
            ("logs", "describe_log_streams", {"logGroupName": "none"}, "ResourceNotFoundException"),
            ("events", "describe_rule", {"Name": "none"}, "ResourceNotFoundException"),
        ]
        for service, method, members, code in asked:
            with self.subTest(service):
                self.refused(code, getattr(client(service), method), **members)
                self.assertEqual(self.log("outcome")[-1], (code,))

    def failed(self, when, code="InternalServerException", status=None):
        wish = {"code": code, "message": "m", "when": when, **({"status": status} if status else {})}
        self.config(fail={"bedrock-agent:CreateAgent": [wish]})
        with self.assertRaises(ClientError) as told:
            self.create()
        return told.exception.response

    def test_before_the_deed(self):
        self.assertEqual(self.failed("before")["ResponseMetadata"]["HTTPStatusCode"], 500)
        self.assertEqual(self.names(), [])
        self.create()

    def test_after_the_deed(self):
        self.assertEqual(self.failed("after", "ServiceUnavailable", 503)["ResponseMetadata"]["HTTPStatusCode"], 503)
        self.assertEqual(self.names(), ["a"])
        self.refused("ConflictException", AGENTS.create_agent, **self.members)

    def test_an_answer_that_is_lost(self):
        self.config(drop={"bedrock-agent:CreateAgent": 1, "iam:CreateRole": 1})
        token = str(uuid.uuid4())
        with self.assertRaises(ConnectionClosedError):
            self.create(clientToken=token)
        self.assertEqual(self.names(), ["a"])
        self.create(clientToken=token)
        self.assertEqual(self.names(), ["a"])
        with self.assertRaises(ConnectionClosedError):
            self.role("lost")
        self.assertEqual(client("iam").get_role(RoleName="lost")["Role"]["RoleName"], "lost")

    def test_a_call_that_is_held(self):
        impatient = client("bedrock-agent").meta.config.merge(Config(read_timeout=0.5))
        for when, names in (("before", []), ("after", ["b"])):
            with self.subTest(when):
                self.config(hold={"write": 2, "when": when})
                self.create("a" + when)
                keys = dict(aws_access_key_id=f"AKIA{ACCOUNT}", aws_secret_access_key="secret")
                late = boto3.client(
                    "bedrock-agent", REGION, endpoint_url=os.environ["SERVER"], config=impatient, **keys
                )
                with self.assertRaises(ReadTimeoutError):
                    late.create_agent(**{**self.members, "agentName": "b"})
                self.assertEqual(self.log("outcome")[-1], ("held",))
                self.config(hold={})
                self.assertEqual([name for name in self.names() if name == "b"], names)

    def test_wishes_are_looked_at(self):
        for wish in (
            {"throttel": {}},
            {"throttle": {"bedrock-agent:MakeAgent": 1}},
            {"fail": {"iam:GetRole": 1}},
            {"page": "1"},
        ):
            with self.subTest(wish), self.assertRaises(Exception) as told:
                self.config(**wish)
            self.assertEqual(told.exception.code, 400)


class Together(Agents):
    def test_callers_at_the_same_time(self):
        names = [f"agent-{number}" for number in range(40)]
        with concurrent.futures.ThreadPoolExecutor(8) as callers:
            ids = [agent["agentId"] for agent in callers.map(self.create, names)]
        self.assertEqual(len(set(ids)), 40)
        pages = list(AGENTS.get_paginator("list_agents").paginate(PaginationConfig={"PageSize": 1000}))
        self.assertEqual([len(page["agentSummaries"]) for page in pages], [10] * 4)
        self.assertEqual(sorted(one["agentName"] for page in pages for one in page["agentSummaries"]), sorted(names))
        self.assertEqual(self.log("operation").count(("CreateAgent",)), 40)


class Log(Agents):
    def test_calls_are_in_order(self):
        agent = self.create(foundationModel="m", instruction=INSTRUCTION)
        self.refused("ValidationException", AGENTS.create_agent_alias, agentId=agent["agentId"], agentAliasName="x")
        AGENTS.prepare_agent(agentId=agent["agentId"])
        AGENTS.create_agent_alias(agentId=agent["agentId"], agentAliasName="x")
        expected = [
            ("iam", "CreateRole", "ok"),
            ("bedrock-agent", "CreateAgent", "ok"),
            ("bedrock-agent", "CreateAgentAlias", "ValidationException"),
            ("bedrock-agent", "PrepareAgent", "ok"),
            ("bedrock-agent", "CreateAgentAlias", "ok"),
        ]
        self.assertEqual(self.log("service", "operation", "outcome"), expected)
        entry = server("log")[1]
        self.assertEqual((entry["account"], entry["region"]), ("444455556666", "eu-central-1"))
        self.assertEqual(entry["members"]["agentName"], "a")
