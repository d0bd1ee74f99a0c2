"""Guardrails and their versions, what the account enforces, profiles for inference, and the log of invocations."""

from .caller import ACCOUNT, REGION, Test, client

BEDROCK = client("bedrock")
WORDS = dict(blockedInputMessaging="No.", blockedOutputsMessaging="No.")
HATE = {"filtersConfig": [{"type": "HATE", "inputStrength": "HIGH", "outputStrength": "HIGH"}]}


class Guardrails(Test):
    def create(self, name="employees", **members):
        return BEDROCK.create_guardrail(**{"name": name, **WORDS, "contentPolicyConfig": HATE, **members})

    def version(self, guardrail, **members):
        return BEDROCK.create_guardrail_version(guardrailIdentifier=guardrail["guardrailId"], **members)["version"]

    def test_a_life(self):
        self.config(observations=1)
        made = self.create(description="old", tags=[{"key": "a", "value": "1"}])
        key = dict(guardrailIdentifier=made["guardrailId"])
        self.assertEqual(made["version"], "DRAFT")
        self.refused("ConflictException", BEDROCK.create_guardrail_version, **key)
        self.assertEqual(BEDROCK.get_guardrail(**key)["status"], "READY")
        self.assertEqual(self.version(made, description="first"), "1")
        self.assertEqual(BEDROCK.get_guardrail(**key)["status"], "VERSIONING")
        self.assertEqual(BEDROCK.get_guardrail(**key)["status"], "READY")
        pii = {"piiEntitiesConfig": [{"type": "PASSWORD", "action": "BLOCK"}]}
        BEDROCK.update_guardrail(**key, name="employees", **WORDS, sensitiveInformationPolicyConfig=pii)
        draft = BEDROCK.get_guardrail(**key)
        self.assertNotIn("contentPolicy", draft)
        self.assertNotIn("description", draft)
        self.assertEqual(draft["sensitiveInformationPolicy"]["piiEntities"], [{"type": "PASSWORD", "action": "BLOCK"}])
        first = BEDROCK.get_guardrail(**key, guardrailVersion="1")
        self.assertEqual(first["contentPolicy"]["filters"], HATE["filtersConfig"])
        self.assertEqual((first["version"], first["description"]), ("1", "first"))
        BEDROCK.get_guardrail(**key)
        self.assertEqual(self.version(made), "2")
        listed = BEDROCK.list_guardrails(**key)["guardrails"]
        self.assertEqual([one["version"] for one in listed], ["DRAFT", "1", "2"])
        self.assertEqual([one["version"] for one in BEDROCK.list_guardrails()["guardrails"]], ["DRAFT"])
        BEDROCK.get_guardrail(**key)
        BEDROCK.delete_guardrail(**key, guardrailVersion="1")
        self.refused("ResourceNotFoundException", BEDROCK.get_guardrail, **key, guardrailVersion="1")
        BEDROCK.delete_guardrail(**key)
        self.assertEqual(BEDROCK.get_guardrail(**key)["status"], "DELETING")
        self.refused("ResourceNotFoundException", BEDROCK.get_guardrail, **key)

    def test_numbers_are_not_given_twice(self):
        made = self.create()
        key = dict(guardrailIdentifier=made["guardrailId"])
        self.assertEqual(self.version(made), "1")
        BEDROCK.delete_guardrail(**key, guardrailVersion="1")
        self.assertEqual(self.version(made), "2")

    def test_what_is_used_is_not_deleted(self):
        made = self.create()
        key = dict(guardrailIdentifier=made["guardrailId"])
        uses = {**key, "guardrailVersion": self.version(made)}
        agent = client("bedrock-agent").create_agent(
            agentName="a", agentResourceRoleArn=self.role(), guardrailConfiguration=uses
        )["agent"]
        self.refused("ResourceInUseException", BEDROCK.delete_guardrail, **key)
        self.refused("ResourceInUseException", BEDROCK.delete_guardrail, **uses)
        client("bedrock-agent").delete_agent(agentId=agent["agentId"])
        client("bedrock-agent").list_agents()
        enforced = {**uses, "modelEnforcement": {"includedModels": ["ALL"], "excludedModels": []}}
        config = BEDROCK.put_enforced_guardrail_configuration(guardrailInferenceConfig=enforced)
        self.refused("ResourceInUseException", BEDROCK.delete_guardrail, **uses)
        put = BEDROCK.put_enforced_guardrail_configuration
        self.refused("ConflictException", put, guardrailInferenceConfig=enforced)
        put(configId=config["configId"], guardrailInferenceConfig=enforced)
        wrong = {**enforced, "guardrailVersion": "9"}
        self.refused("ValidationException", put, configId=config["configId"], guardrailInferenceConfig=wrong)
        listed = BEDROCK.list_enforced_guardrails_configuration()["guardrailsConfig"]
        self.assertEqual([one["guardrailVersion"] for one in listed], ["1"])
        BEDROCK.delete_enforced_guardrail_configuration(configId=config["configId"])
        BEDROCK.delete_guardrail(**key)

    def test_what_a_guardrail_says(self):
        self.create()
        self.refused("ConflictException", self.create)
        self.refused("ValidationException", BEDROCK.create_guardrail, name="none", **WORDS)
        self.refused("ValidationException", self.create, name="x" * 51)
        many = {"wordsConfig": [{"text": "x" * 101}]}
        self.refused("ValidationException", self.create, name="b", wordPolicyConfig=many)
        topics = {"topicsConfig": [{"name": str(n), "definition": "d", "type": "DENY"} for n in range(31)]}
        self.refused("ValidationException", self.create, name="b", topicPolicyConfig=topics)
        topics["topicsConfig"].pop()
        self.create("b", topicPolicyConfig=topics)


class Account(Test):
    def test_profiles(self):
        source = f"arn:aws:bedrock:{REGION}:{ACCOUNT}:inference-profile/eu.anthropic.claude-haiku-5-5"
        members = dict(inferenceProfileName="research", modelSource={"copyFrom": source})
        made = BEDROCK.create_inference_profile(**members, tags=[{"key": "a", "value": "1"}])
        self.refused("ConflictException", BEDROCK.create_inference_profile, **members)
        for key in (made["inferenceProfileArn"], made["inferenceProfileArn"].rpartition("/")[2]):
            shown = BEDROCK.get_inference_profile(inferenceProfileIdentifier=key)
            model = f"arn:aws:bedrock:{REGION}::foundation-model/anthropic.claude-haiku-5-5"
            self.assertEqual((shown["status"], shown["models"]), ("ACTIVE", [{"modelArn": model}]))
        arn = dict(resourceARN=made["inferenceProfileArn"])
        BEDROCK.tag_resource(**arn, tags=[{"key": "b", "value": "2"}])
        BEDROCK.untag_resource(**arn, tagKeys=["a"])
        self.assertEqual(BEDROCK.list_tags_for_resource(**arn)["tags"], [{"key": "b", "value": "2"}])
        self.assertEqual(len(BEDROCK.list_inference_profiles(typeEquals="APPLICATION")["inferenceProfileSummaries"]), 1)
        BEDROCK.delete_inference_profile(inferenceProfileIdentifier=made["inferenceProfileArn"])
        self.assertEqual(BEDROCK.list_inference_profiles()["inferenceProfileSummaries"], [])

    def test_the_log_of_invocations(self):
        put = BEDROCK.put_model_invocation_logging_configuration
        config = {"s3Config": {"bucketName": "logs", "keyPrefix": "bedrock"}, "textDataDeliveryEnabled": True}
        self.refused("ValidationException", put, loggingConfig=config)
        place = {"LocationConstraint": REGION}
        client("s3").create_bucket(Bucket="logs", CreateBucketConfiguration=place)
        put(loggingConfig=config)
        shown = BEDROCK.get_model_invocation_logging_configuration()
        self.assertEqual(shown["loggingConfig"], config)
        watch = {"logGroupName": "g", "roleArn": self.role("other", ["ec2.amazonaws.com"])}
        self.refused("ValidationException", put, loggingConfig={"cloudWatchConfig": watch})
        BEDROCK.delete_model_invocation_logging_configuration()
        self.assertNotIn("loggingConfig", BEDROCK.get_model_invocation_logging_configuration())
