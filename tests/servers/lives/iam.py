"""The limits and checks of IAM, each from both sides: what is at the limit is taken, what is one past it is refused."""

import json
import os

import boto3

from .caller import ACCOUNT, Test, client, raw, server, trust

IAM = client("iam")
ROLE, POLICY = f"arn:aws:iam::{ACCOUNT}:role/", f"arn:aws:iam::{ACCOUNT}:policy/"
EC2 = trust(["ec2.amazonaws.com"])


def policy(**statement):
    usual = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": [{**usual, **statement}]}


def sized(size, document=None, key="Resource"):
    """A document of exactly that many characters, none of them white space."""
    document = document or policy(Resource=["arn:aws:s3:::"])
    plain = json.dumps(document, separators=(",", ":"))
    return plain.replace("arn:aws:s3:::", "arn:aws:s3:::" + "x" * (size - len(plain)))


def long_trust(size):
    document = trust(["ec2.amazonaws.com"])
    document["Statement"][0]["Condition"] = {"StringEquals": {"aws:SourceArn": "arn:aws:s3:::"}}
    return sized(size, document)


def role(name="r", **members):
    document = members.pop("document", EC2)
    text = document if isinstance(document, str) else json.dumps(document)
    return IAM.create_role(RoleName=name, AssumeRolePolicyDocument=text, **members)


def create(document, name="p", **members):
    text = document if isinstance(document, str) else json.dumps(document)
    return IAM.create_policy(PolicyName=name, PolicyDocument=text, **members)["Policy"]["Arn"]


def inline(name, document):
    return IAM.put_role_policy(RoleName="r", PolicyName=name, PolicyDocument=document)


def principal(value):
    return trust([]) | {"Statement": [{"Effect": "Allow", "Principal": value, "Action": "sts:AssumeRole"}]}


def numbered(count, prefix="k"):
    return [{"Key": f"{prefix}{number}", "Value": "v"} for number in range(count)]


def statement(**changes):
    return trust([]) | {"Statement": [{**EC2["Statement"][0], **changes}]}


#: What is checked; what is taken; what is refused; and with which code.
LIMITS = [
    ("length of the name of a role", lambda: role("a" * 64), lambda: role("b" * 65), "ValidationError"),
    ("characters of a name", lambda: role("a+=,.@-_1"), lambda: role("a/b"), "ValidationError"),
    ("letters of a name", lambda: role("role"), lambda: role("rôle"), "ValidationError"),
    ("case of a name", lambda: role("Robot"), lambda: role("ROBOT"), "EntityAlreadyExists"),
    ("start of a path", lambda: role("a", Path="/x/"), lambda: role("b", Path="x/"), "ValidationError"),
    ("end of a path", lambda: role("a", Path="/x/y/"), lambda: role("b", Path="/x"), "ValidationError"),
    ("length of a path", lambda: role("a", Path=f"/{'x' * 510}/"), lambda: role("b", Path=f"/{'x' * 511}/"), "ValidationError"),
    ("description", lambda: role("a", Description="x" * 1000), lambda: role("b", Description="x" * 1001), "ValidationError"),
    ("session, at most", lambda: role("a", MaxSessionDuration=43200), lambda: role("b", MaxSessionDuration=43201), "ValidationError"),
    ("session, at least", lambda: role("a", MaxSessionDuration=3600), lambda: role("b", MaxSessionDuration=3599), "ValidationError"),
    ("tags", lambda: role("a", Tags=numbered(50)), lambda: role("b", Tags=numbered(51)), "ValidationError"),
    ("key of a tag", lambda: role("a", Tags=numbered(1, "k" * 127)), lambda: role("b", Tags=numbered(1, "k" * 128)), "ValidationError"),
    ("tags of AWS", lambda: role("a", Tags=numbered(1, "a:")), lambda: role("b", Tags=numbered(1, "aws:")), "InvalidInput"),
    ("case of tags", lambda: role("a", Tags=numbered(1) + numbered(1, "l")), lambda: role("b", Tags=numbered(1) + numbered(1, "K")), "InvalidInput"),
    ("trust policy", lambda: role("a", document=long_trust(2048)), lambda: role("b", document=long_trust(2049)), "LimitExceeded"),
    ("trust with a resource", lambda: role("a"), lambda: role("b", document=statement(Resource="*")), "MalformedPolicyDocument"),
    ("trust in nobody", lambda: role("a"), lambda: role("b", document=policy() | {"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole"}]}), "MalformedPolicyDocument"),
    ("actions of trust", lambda: role("a", document=statement(Action=["sts:AssumeRole", "sts:TagSession"])), lambda: role("b", document=statement(Action="s3:GetObject")), "MalformedPolicyDocument"),
    ("trust as JSON", lambda: role("a"), lambda: role("b", document="{"), "MalformedPolicyDocument"),
    ("services", lambda: role("a", document=trust(["pods.eks.amazonaws.com", "scheduler.amazonaws.com"])), lambda: role("b", document=trust(["nosuch.amazonaws.com"])), "MalformedPolicyDocument"),
    ("trusted roles", lambda: role("b", document=principal({"AWS": ACCOUNT})), lambda: role("c", document=principal({"AWS": ROLE + "none"})), "MalformedPolicyDocument"),
    ("boundary", lambda: role("a", PermissionsBoundary=create(policy())), lambda: role("b", PermissionsBoundary=POLICY + "none"), "NoSuchEntity"),
    ("size of a policy", lambda: create(sized(6144)), lambda: create(sized(6145), "q"), "LimitExceeded"),
    ("white space", lambda: create(sized(6144) + " " * 1000), lambda: create(sized(6145) + " ", "q"), "LimitExceeded"),
    ("text of a policy", lambda: create(json.dumps(policy()).ljust(131072)), lambda: create(json.dumps(policy()).ljust(131073), "q"), "ValidationError"),
    ("characters of a policy", lambda: create(policy(Resource="arn:aws:s3:::é")), lambda: create(json.dumps(policy(Resource="arn:aws:s3:::ł"), ensure_ascii=False), "q"), "ValidationError"),
    ("name of a policy", lambda: create(policy(), "p" * 128), lambda: create(policy(), "q" * 129), "ValidationError"),
    ("case of a policy", lambda: create(policy(), "p"), lambda: create(policy(), "P"), "EntityAlreadyExists"),
    ("colon of an action", lambda: create(policy(Action="nosuch:Foo")), lambda: create(policy(Action="GetObject"), "q"), "MalformedPolicyDocument"),
    ("operators", lambda: create(policy(Condition={"StringLike": {"aws:a": "b"}})), lambda: create(policy(Condition={"StringAlike": {"aws:a": "b"}}), "q"), "MalformedPolicyDocument"),
    ("condition keys", lambda: create(policy(Condition={"StringLike": {"aws:a": "b"}})), lambda: create(policy(Condition={"StringLike": {"a": "b"}}), "q"), "MalformedPolicyDocument"),
    ("numbers in conditions", lambda: create(policy(Condition={"NumericLessThan": {"aws:MultiFactorAuthAge": 3600}})), lambda: create(policy(Condition={"NumericLessThan": 3600}), "q"), "MalformedPolicyDocument"),
    ("principals", lambda: create(policy()), lambda: create(policy(Principal="*"), "q"), "MalformedPolicyDocument"),
    ("excluded principals", lambda: create(policy()), lambda: create(policy(NotPrincipal={"AWS": "*"}), "q"), "MalformedPolicyDocument"),
    ("ids of statements", lambda: create(policy(Sid="aB1")), lambda: create(policy(Sid="a-b"), "q"), "MalformedPolicyDocument"),
    ("keys of JSON", lambda: create(policy()), lambda: create(json.dumps(policy())[:-1] + ',"Version":"2012-10-17"}', "q"), "MalformedPolicyDocument"),
    ("version of the language", lambda: create(policy()), lambda: create(policy() | {"Version": "2008-10-17"}, "q"), "MalformedPolicyDocument"),
    ("resources", lambda: create(policy(Resource="arn:aws:bedrock:::foundation-model/m")), lambda: create(policy(Resource="bucket"), "q"), "MalformedPolicyDocument"),
]  # fmt: skip


class Limits(Test):
    def test_at_the_limit_and_one_past_it(self):
        for what, taken, refused, code in LIMITS:
            with self.subTest(what):
                server("reset", {})
                taken()
                self.refused(code, refused)

    def test_inline_policies_together(self):
        role()
        inline("a", sized(6000))
        inline("b", sized(4240))
        self.refused("LimitExceeded", lambda: inline("c", json.dumps(policy())))
        self.refused("LimitExceeded", lambda: inline("b", sized(4241)))
        inline("b", sized(4000))

    def test_ten_managed_policies(self):
        role()
        arns = [create(policy(), f"p{number}") for number in range(11)]
        for arn in arns[:10]:
            IAM.attach_role_policy(RoleName="r", PolicyArn=arn)
        self.refused("LimitExceeded", IAM.attach_role_policy, RoleName="r", PolicyArn=arns[10])
        IAM.attach_role_policy(RoleName="r", PolicyArn=arns[0])
        IAM.detach_role_policy(RoleName="r", PolicyArn=arns[0])
        IAM.attach_role_policy(RoleName="r", PolicyArn="arn:aws:iam::aws:policy/AmazonBedrockLimitedAccess")

    def test_versions(self):
        arn = create(policy())
        for _ in range(4):
            IAM.create_policy_version(PolicyArn=arn, PolicyDocument=json.dumps(policy()))
        version = dict(PolicyArn=arn, PolicyDocument=json.dumps(policy()))
        self.refused("LimitExceeded", IAM.create_policy_version, **version)
        self.refused("DeleteConflict", IAM.delete_policy_version, PolicyArn=arn, VersionId="v1")
        self.refused("DeleteConflict", IAM.delete_policy, PolicyArn=arn)
        IAM.delete_policy_version(PolicyArn=arn, VersionId="v2")
        self.refused("LimitExceeded", IAM.create_policy_version, **{**version, "PolicyDocument": sized(6145)})
        IAM.create_policy_version(**{**version, "PolicyDocument": sized(6144)})

    def test_tags_of_several_calls(self):
        role(Tags=numbered(30))
        IAM.tag_role(RoleName="r", Tags=numbered(20, "l"))
        IAM.tag_role(RoleName="r", Tags=numbered(30))
        self.refused("LimitExceeded", IAM.tag_role, RoleName="r", Tags=numbered(1, "m"))

    def test_trust_that_changes(self):
        role()
        change = IAM.update_assume_role_policy
        change(RoleName="r", PolicyDocument=long_trust(2048))
        self.refused("LimitExceeded", change, RoleName="r", PolicyDocument=long_trust(2049))
        nobody = json.dumps(trust(["nosuch.amazonaws.com"]))
        self.refused("MalformedPolicyDocument", change, RoleName="r", PolicyDocument=nobody)


class Deletion(Test):
    def test_a_policy_is_deleted_last(self):
        arn, edge = create(policy()), create(policy(), "edge")
        role(PermissionsBoundary=edge)
        IAM.attach_role_policy(RoleName="r", PolicyArn=arn)
        self.refused("DeleteConflict", IAM.delete_policy, PolicyArn=arn)
        self.refused("DeleteConflict", IAM.delete_policy, PolicyArn=edge)
        self.refused("DeleteConflict", IAM.delete_role, RoleName="r")
        IAM.detach_role_policy(RoleName="r", PolicyArn=arn)
        IAM.delete_policy(PolicyArn=arn)
        self.refused("NoSuchEntity", IAM.put_role_permissions_boundary, RoleName="r", PermissionsBoundary=arn)
        inline("i", json.dumps(policy()))
        self.refused("DeleteConflict", IAM.delete_role, RoleName="r")
        IAM.delete_role_policy(RoleName="r", PolicyName="i")
        IAM.delete_role(RoleName="r")
        IAM.delete_policy(PolicyArn=edge)
        self.refused("NoSuchEntity", IAM.get_role, RoleName="r")

    def test_a_role_of_an_instance_profile(self):
        role()
        IAM.create_instance_profile(InstanceProfileName="i")
        IAM.add_role_to_instance_profile(InstanceProfileName="i", RoleName="r")
        self.refused("DeleteConflict", IAM.delete_role, RoleName="r")
        IAM.remove_role_from_instance_profile(InstanceProfileName="i", RoleName="r")
        IAM.delete_role(RoleName="r")


class Sight(Test):
    def test_what_is_new_is_seen_late(self):
        self.config(unseen=2)
        role()
        arn = create(policy())
        self.refused("NoSuchEntity", IAM.get_role, RoleName="r")
        self.refused("EntityAlreadyExists", role)
        self.assertEqual(IAM.list_roles()["Roles"], [])
        self.assertEqual(len(IAM.list_roles()["Roles"]), 1)
        self.refused("NoSuchEntity", IAM.attach_role_policy, RoleName="r", PolicyArn=arn)
        self.refused("NoSuchEntity", IAM.attach_role_policy, RoleName="r", PolicyArn=arn)
        IAM.attach_role_policy(RoleName="r", PolicyArn=arn)
        self.assertEqual(IAM.get_role(RoleName="r")["Role"]["RoleName"], "r")

    def test_accounts_are_apart(self):
        role()
        other = client("iam", account="111122223333")
        self.refused("NoSuchEntity", other.get_role, RoleName="r")
        self.assertEqual(IAM.get_role(RoleName="r")["Role"]["Arn"], ROLE + "r")
        self.assertEqual(client("sts", account="111122223333").get_caller_identity()["Account"], "111122223333")

    def test_who_becomes_a_role_is_in_its_account(self):
        other = client("iam", account="111122223333")
        anybody = json.dumps(principal({"AWS": ACCOUNT}))
        arn = other.create_role(RoleName="guest", AssumeRolePolicyDocument=anybody)["Role"]["Arn"]
        keys = client("sts").assume_role(RoleArn=arn, RoleSessionName="session")["Credentials"]
        nobody = other.create_role(
            RoleName="own", AssumeRolePolicyDocument=json.dumps(principal({"AWS": "111122223333"}))
        )
        for refused in (nobody["Role"]["Arn"], arn + "2"):
            asked = dict(RoleArn=refused, RoleSessionName="session")
            self.refused("AccessDenied", client("sts").assume_role, **asked)
        guest = boto3.Session(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], "eu-central-1")
        here = dict(endpoint_url=os.environ["SERVER"])
        self.assertEqual(guest.client("sts", **here).get_caller_identity()["Account"], "111122223333")
        self.assertEqual(guest.client("iam", **here).get_role(RoleName="guest")["Role"]["Arn"], arn)

    def test_pages_of_one(self):
        self.config(page=1)
        names = ["a", "b", "c"]
        for name in names:
            role(name)
            IAM.put_role_policy(RoleName="a", PolicyName=name, PolicyDocument=json.dumps(policy()))
            IAM.attach_role_policy(RoleName="a", PolicyArn=create(policy(), name))
        self.assertEqual(len(IAM.list_roles()["Roles"]), 1)

        def all_of(operation, member, key, **members):
            pages = list(IAM.get_paginator(operation).paginate(**members))
            self.assertGreaterEqual(len(pages), 3)
            return sorted(one if key is None else one[key] for page in pages for one in page[member])

        self.assertEqual(all_of("list_roles", "Roles", "RoleName"), names)
        self.assertEqual(all_of("list_role_policies", "PolicyNames", None, RoleName="a"), names)
        self.assertEqual(all_of("list_attached_role_policies", "AttachedPolicies", "PolicyName", RoleName="a"), names)
        self.assertEqual(all_of("list_policies", "Policies", "PolicyName", Scope="Local"), names)

    def test_what_moto_lacks_is_refused_and_no_failure(self):
        text = json.dumps(policy())
        members = dict(PolicyInputList=[text], ActionNames=["s3:GetObject"])
        self.refused("ServerNotImplemented", IAM.simulate_custom_policy, **members)
        self.refused("ServerNotImplemented", IAM.get_context_keys_for_custom_policy, PolicyInputList=[text])

    def test_members_that_iam_does_not_have(self):
        status, body = raw("iam", "POST", "/", "Action=GetRole&RoleName=r&Version=2010-05-08")
        self.assertEqual((status, b"NoSuchEntity" in body), (404, True), body)
        status, body = raw("iam", "POST", "/", "Action=GetRole&RoleName=r&Colour=red&Version=2010-05-08")
        self.assertEqual((status, b"ValidationError" in body, b"Colour" in body), (400, True, True), body)
