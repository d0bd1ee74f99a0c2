"""AgentCore: gateways with their targets, policy engines with their policies, harnesses, runtimes, memories and
providers."""

from .caller import ACCOUNT, REGION, Test, client

CORE = client("bedrock-agentcore-control")
PLACE = f"{REGION}:{ACCOUNT}"
TOOL = {
    "mcp": {
        "lambda": {
            "lambdaArn": f"arn:aws:lambda:{PLACE}:function:tools",
            "toolSchema": {
                "inlinePayload": [{"name": "read", "description": "Reads.", "inputSchema": {"type": "object"}}]
            },
        }
    }
}


class Core(Test):
    def setUp(self):
        super().setUp()
        self.arn = self.role()

    def engine(self, name="engine"):
        return CORE.create_policy_engine(name=name)

    def gateway(self, name="tools", **members):
        return CORE.create_gateway(**{"name": name, "roleArn": self.arn, "authorizerType": "AWS_IAM", **members})

    def target(self, gateway, name="papers", **members):
        own = [{"credentialProviderType": "GATEWAY_IAM_ROLE"}]
        usual = dict(gatewayIdentifier=gateway["gatewayId"], name=name, targetConfiguration=TOOL)
        return CORE.create_gateway_target(**{**usual, "credentialProviderConfigurations": own, **members})

    def policy(self, engine, gateway, tool, name="may_read", **members):
        text = (
            "permit(principal is AgentCore::IamEntity, action == "
            f'AgentCore::Action::"{tool}", resource == AgentCore::Gateway::"{gateway["gatewayArn"]}");'
        )
        definition = {"cedar": {"statement": text}}
        key = engine["policyEngineId"]
        return CORE.create_policy(policyEngineId=key, name=name, definition=definition, **members)


class Gateways(Core):
    def test_a_life(self):
        self.config(observations=1)
        gateway = self.gateway(name="Tools-1")
        key = dict(gatewayIdentifier=gateway["gatewayId"])
        self.assertRegex(gateway["gatewayId"], r"^tools-1-[0-9a-z]{10}$")
        self.assertEqual(gateway["status"], "CREATING")
        self.refused("ConflictException", self.gateway, name="Tools-1")
        self.refused("ConflictException", self.target, gateway=gateway)
        self.assertEqual(CORE.get_gateway(**key)["status"], "READY")
        target = self.target(gateway)
        self.refused("ConflictException", self.target, gateway=gateway)
        inside = dict(key, targetId=target["targetId"])
        self.assertEqual(CORE.get_gateway_target(**inside)["status"], "CREATING")
        self.assertEqual(CORE.get_gateway_target(**inside)["status"], "READY")
        self.assertEqual([one["name"] for one in CORE.list_gateway_targets(**key)["items"]], ["papers"])
        told = self.refused("ValidationException", CORE.delete_gateway, **key)
        self.assertEqual(
            told, "Gateway has targets associated with it. Delete all targets before deleting the gateway."
        )
        self.assertEqual(CORE.delete_gateway_target(**inside)["status"], "DELETING")
        self.refused("ValidationException", CORE.delete_gateway, **key)
        self.assertEqual(CORE.get_gateway_target(**inside)["status"], "DELETING")
        self.refused("ResourceNotFoundException", CORE.get_gateway_target, **inside)
        CORE.delete_gateway(**key)
        self.assertEqual(CORE.list_gateways()["items"][0]["status"], "DELETING")
        self.assertEqual(CORE.list_gateways()["items"], [])

    def test_an_update_replaces(self):
        gateway = self.gateway(description="old", protocolType="MCP")
        base = dict(gatewayIdentifier=gateway["gatewayId"], name="tools", roleArn=self.arn, authorizerType="AWS_IAM")
        CORE.update_gateway(**base)
        now = CORE.get_gateway(gatewayIdentifier=gateway["gatewayId"])
        self.assertEqual((now.get("description"), now.get("protocolType")), (None, None))
        self.assertEqual(now["gatewayArn"], gateway["gatewayArn"])
        self.refused("ValidationException", CORE.update_gateway, **{**base, "name": "others"})

    def test_references_exist(self):
        engine = {"arn": f"arn:aws:bedrock-agentcore:{PLACE}:policy-engine/none-a1b2c3d4e5", "mode": "ENFORCE"}
        told = self.refused("ValidationException", self.gateway, policyEngineConfiguration=engine)
        self.assertIn("does not exist", told)
        self.refused("ValidationException", self.gateway, roleArn=self.role("other", ["ec2.amazonaws.com"]))
        self.refused("ValidationException", self.gateway, authorizerType="CUSTOM_JWT")

    def test_rate_limits_and_rules(self):
        gateway = self.gateway()
        key = dict(gatewayIdentifier=gateway["gatewayId"])
        self.target(gateway)
        entry = {"dimensions": {"toolName": "papers___read"}, "requests": [{"rate": 30, "period": "minute"}]}
        limit = dict(key, rateLimitId="tools", dimensionKeys=["toolName"], entries=[entry])
        self.assertEqual(CORE.create_gateway_rate_limit(**limit)["status"], "CREATING")
        self.refused("ConflictException", CORE.create_gateway_rate_limit, **limit)
        own = dict(key, rateLimitId="tools")
        CORE.update_gateway_rate_limit(**own, description="new", entries=[entry])
        now = CORE.get_gateway_rate_limit(**own)
        self.assertEqual((now["status"], now["description"], now["entries"]), ("ACTIVE", "new", [entry]))
        self.assertEqual(len(CORE.list_gateway_rate_limits(**key)["rateLimits"]), 1)
        CORE.delete_gateway_rate_limit(**own)
        self.refused("ResourceNotFoundException", CORE.get_gateway_rate_limit, **own)
        rule = dict(key, priority=1, actions=[{"routeToTarget": {"staticRoute": {"targetName": "papers"}}}])
        made = CORE.create_gateway_rule(**rule)
        self.refused("ConflictException", CORE.create_gateway_rule, **rule)
        CORE.update_gateway_rule(**key, ruleId=made["ruleId"], priority=2)
        now = CORE.get_gateway_rule(**key, ruleId=made["ruleId"])
        self.assertEqual((now["priority"], now["status"], len(now["actions"])), (2, "ACTIVE", 1))
        self.refused("ValidationException", CORE.create_gateway_rule, **{**rule, "priority": 1_000_001})

    def test_who_may_be_asked_without_credentials(self):
        gateway = self.gateway()
        told = self.refused("ValidationException", self.target, gateway=gateway, credentialProviderConfigurations=None)
        self.assertIn("Credential provider", told)
        server = {"mcp": {"mcpServer": {"endpoint": "https://citations.acme.example/mcp"}}}
        members = dict(gatewayIdentifier=gateway["gatewayId"], name="open", targetConfiguration=server)
        self.assertEqual(CORE.create_gateway_target(**members)["credentialProviderConfigurations"], [])


class Policies(Core):
    def test_a_life(self):
        self.config(observations=1)
        engine = self.engine()
        self.assertEqual((engine["status"], engine["statusReasons"]), ("CREATING", []))
        key = dict(policyEngineId=engine["policyEngineId"])
        self.assertEqual(CORE.get_policy_engine(**key)["status"], "CREATING")
        self.assertEqual(CORE.get_policy_engine(**key)["status"], "ACTIVE")
        attached = {"arn": engine["policyEngineArn"], "mode": "ENFORCE"}
        gateway = self.gateway(policyEngineConfiguration=attached)
        CORE.get_gateway(gatewayIdentifier=gateway["gatewayId"])
        CORE.get_gateway(gatewayIdentifier=gateway["gatewayId"])
        self.target(gateway)
        policy = self.policy(engine, gateway, "papers___read")
        own = dict(key, policyId=policy["policyId"])
        self.assertEqual(CORE.get_policy(**own)["status"], "CREATING")
        self.assertEqual(CORE.get_policy(**own)["status"], "ACTIVE")
        self.refused("ConflictException", self.policy, engine=engine, gateway=gateway, tool="papers___read")
        self.refused("ConflictException", CORE.delete_policy_engine, **key)
        CORE.update_policy(**own, description={"optionalValue": "new"}, enforcementMode="LOG_ONLY")
        now = CORE.get_policy(**own)
        self.assertEqual((now["status"], now["description"], now["enforcementMode"]), ("UPDATING", "new", "LOG_ONLY"))
        self.assertEqual(now["definition"], policy["definition"])
        CORE.get_policy(**own)
        CORE.update_policy(**own, description={})
        self.assertNotIn("description", CORE.get_policy(**own))
        CORE.get_policy(**own)
        CORE.delete_policy(**own)
        self.assertEqual(CORE.get_policy(**own)["status"], "DELETING")
        self.refused("ResourceNotFoundException", CORE.get_policy, **own)
        self.assertIn("gateway", self.refused("ConflictException", CORE.delete_policy_engine, **key))
        CORE.delete_gateway_target(
            gatewayIdentifier=gateway["gatewayId"],
            targetId=CORE.list_gateway_targets(gatewayIdentifier=gateway["gatewayId"])["items"][0]["targetId"],
        )

    def test_a_policy_about_what_does_not_exist_fails_later(self):
        engine, gateway = self.engine(), self.gateway()
        early = self.policy(engine, gateway, "papers___read")
        self.assertEqual(early["status"], "CREATING")
        own = dict(policyEngineId=engine["policyEngineId"], policyId=early["policyId"])
        now = CORE.get_policy(**own)
        self.assertEqual(now["status"], "CREATE_FAILED")
        self.assertEqual(now["statusReasons"], ["no tool of the gateway is called papers___read"])
        other = self.policy(engine, gateway, "papers___read", "lax", validationMode="IGNORE_ALL_FINDINGS")
        self.assertEqual(CORE.get_policy(**{**own, "policyId": other["policyId"]})["status"], "ACTIVE")
        self.target(gateway)
        CORE.update_policy(**own, definition=early["definition"])
        self.assertEqual(CORE.get_policy(**own)["status"], "ACTIVE")
        gone = {"gatewayArn": gateway["gatewayArn"].replace("tools", "none")}
        lost = self.policy(engine, gone, "papers___read", "lost")
        now = CORE.get_policy(**{**own, "policyId": lost["policyId"]})
        self.assertEqual((now["status"], len(now["statusReasons"])), ("CREATE_FAILED", 2))

    def test_statements_have_a_length(self):
        engine = self.engine()
        members = dict(policyEngineId=engine["policyEngineId"], name="short")
        wrong = {"cedar": {"statement": "permit(principal,action,resource);"}}
        self.refused("ValidationException", CORE.create_policy, **members, definition=wrong)
        self.refused("ValidationException", CORE.create_policy, **{**members, "name": "with-hyphen"}, definition=wrong)
        self.refused("ValidationException", CORE.create_policy, **members, definition={})


class Runs(Core):
    def harness(self, **members):
        return CORE.create_harness(**{"harnessName": "reader", "executionRoleArn": self.arn, **members})["harness"]

    def test_a_harness(self):
        self.config(observations=1)
        gateway = self.gateway()
        CORE.get_gateway(gatewayIdentifier=gateway["gatewayId"])
        memory = CORE.create_memory(name="reader", eventExpiryDuration=7)["memory"]
        tool = {
            "type": "agentcore_gateway",
            "name": "t",
            "config": {"agentCoreGateway": {"gatewayArn": gateway["gatewayArn"]}},
        }
        remembers = {"agentCoreMemoryConfiguration": {"arn": memory["arn"]}}
        harness = self.harness(tools=[tool], memory=remembers, maxIterations=20)
        self.assertEqual((harness["status"], harness["harnessVersion"]), ("CREATING", "1"))
        key = dict(harnessId=harness["harnessId"])
        end = dict(key, endpointName="staging")
        self.refused("ConflictException", CORE.create_harness_endpoint, **end)
        self.assertEqual(CORE.get_harness(**key)["harness"]["status"], "READY")
        made = CORE.create_harness_endpoint(**end, targetVersion="1")["endpoint"]
        self.assertEqual((made["status"], made["targetVersion"], made["harnessName"]), ("CREATING", "1", "reader"))
        self.refused(
            "ResourceNotFoundException", CORE.create_harness_endpoint, **{**end, "endpointName": "b"}, targetVersion="2"
        )
        CORE.update_harness(**key, maxIterations=30, memory={})
        self.assertEqual(CORE.get_harness(**key)["harness"]["status"], "UPDATING")
        now = CORE.get_harness(**key)["harness"]
        self.assertEqual((now["harnessVersion"], now["maxIterations"], now.get("memory")), ("2", 30, None))
        self.assertEqual(now["tools"], [tool])
        first = CORE.get_harness(**key, harnessVersion="1")["harness"]
        self.assertEqual((first["maxIterations"], first["memory"]), (20, remembers))
        listed = CORE.list_harness_versions(**key)["harnessVersions"]
        self.assertEqual([one["harnessVersion"] for one in listed], ["1", "2"])
        self.refused("ConflictException", CORE.delete_harness, **key)
        CORE.get_harness_endpoint(**end)
        CORE.get_harness_endpoint(**end)
        CORE.update_harness_endpoint(**end, targetVersion="2")
        self.assertEqual(CORE.get_harness_endpoint(**end)["endpoint"]["targetVersion"], "2")
        CORE.get_harness_endpoint(**end)
        CORE.delete_harness_endpoint(**end)
        CORE.get_harness_endpoint(**end)
        self.refused("ResourceNotFoundException", CORE.get_harness_endpoint, **end)
        self.assertEqual(CORE.delete_harness(**key)["harness"]["status"], "DELETING")

    def test_a_call_is_one_look(self):
        self.config(observations=2)
        gateway = self.gateway()
        used = {"agentCoreGateway": {"gatewayArn": gateway["gatewayArn"]}}
        self.harness(tools=[{"type": "agentcore_gateway", "name": name, "config": used} for name in "ab"])
        seen = [CORE.get_gateway(gatewayIdentifier=gateway["gatewayId"])["status"] for _ in range(2)]
        self.assertEqual(seen, ["CREATING", "READY"])

    def test_what_a_harness_refers_to_exists(self):
        none = {"arn": f"arn:aws:bedrock-agentcore:{PLACE}:memory/none-a1b2c3d4e5"}
        self.refused("ValidationException", self.harness, memory={"agentCoreMemoryConfiguration": none})
        gone = {"gatewayArn": f"arn:aws:bedrock-agentcore:{PLACE}:gateway/none-a1b2c3d4e5"}
        tool = {"type": "agentcore_gateway", "name": "t", "config": {"agentCoreGateway": gone}}
        self.refused("ValidationException", self.harness, tools=[tool])
        self.assertEqual(CORE.list_harnesses()["harnesses"], [])

    def test_a_memory(self):
        memory = CORE.create_memory(name="reader", eventExpiryDuration=7)["memory"]
        key = dict(memoryId=memory["id"])
        self.assertEqual(CORE.get_memory(**key)["memory"]["status"], "ACTIVE")
        CORE.update_memory(**key, eventExpiryDuration=30)
        self.assertEqual(CORE.get_memory(**key)["memory"]["eventExpiryDuration"], 30)
        self.assertNotIn("name", CORE.list_memories()["memories"][0])
        harness = self.harness(memory={"agentCoreMemoryConfiguration": {"arn": memory["arn"]}})
        self.refused("ConflictException", CORE.delete_memory, **key)
        CORE.delete_harness(harnessId=harness["harnessId"])
        CORE.list_harnesses()
        self.assertEqual(CORE.delete_memory(**key)["status"], "DELETING")
        self.refused("ResourceNotFoundException", CORE.get_memory, **key)

    def test_a_runtime(self):
        artifact = {"containerConfiguration": {"containerUri": f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/reader:1"}}
        base = dict(agentRuntimeArtifact=artifact, roleArn=self.arn, networkConfiguration={"networkMode": "PUBLIC"})
        runtime = CORE.create_agent_runtime(agentRuntimeName="reader", **base)
        key = dict(agentRuntimeId=runtime["agentRuntimeId"])
        self.assertEqual(CORE.get_agent_runtime(**key)["status"], "READY")
        CORE.create_agent_runtime_endpoint(**key, name="live", agentRuntimeVersion="1")
        CORE.update_agent_runtime(**key, **base, description="new")

        def on(name):
            return CORE.get_agent_runtime_endpoint(**key, endpointName=name)["liveVersion"]

        self.assertEqual((on("DEFAULT"), on("live")), ("2", "1"))
        self.assertEqual(CORE.get_agent_runtime(**key)["agentRuntimeVersion"], "2")
        self.assertNotEqual(CORE.get_agent_runtime(**key, agentRuntimeVersion="1").get("description"), "new")
        self.refused("ConflictException", CORE.delete_agent_runtime, **key)
        CORE.update_agent_runtime_endpoint(**key, endpointName="live", agentRuntimeVersion="2")
        self.assertEqual(on("live"), "2")
        names = [one["name"] for one in CORE.list_agent_runtime_endpoints(**key)["runtimeEndpoints"]]
        self.assertEqual(names, ["DEFAULT", "live"])
        CORE.delete_agent_runtime_endpoint(**key, endpointName="live")
        self.refused("ResourceNotFoundException", CORE.get_agent_runtime_endpoint, **key, endpointName="live")
        CORE.delete_agent_runtime(**key)
        self.assertEqual(CORE.list_agent_runtimes()["agentRuntimes"], [])


class Providers(Core):
    def test_a_key(self):
        secret = {"secretId": "research/key", "jsonKey": "key"}
        members = dict(name="citations", apiKeySecretSource="EXTERNAL", apiKeySecretConfig=secret)
        self.refused("ResourceNotFoundException", CORE.create_api_key_credential_provider, **members)
        arn = client("secretsmanager").create_secret(Name="research/key", SecretString="{}")["ARN"]
        made = CORE.create_api_key_credential_provider(**members)
        self.assertEqual(made["apiKeySecretArn"], {"secretArn": arn})
        self.refused("ConflictException", CORE.create_api_key_credential_provider, **members)
        self.refused("ValidationException", CORE.create_api_key_credential_provider, name="b")
        gateway = self.gateway()
        used = {"apiKeyCredentialProvider": {"providerArn": made["credentialProviderArn"]}}
        uses = [{"credentialProviderType": "API_KEY", "credentialProvider": used}]
        self.target(gateway, credentialProviderConfigurations=uses)
        self.refused("ConflictException", CORE.delete_api_key_credential_provider, name="citations")
        gone = {"apiKeyCredentialProvider": {"providerArn": made["credentialProviderArn"] + "2"}}
        wrong = [{"credentialProviderType": "API_KEY", "credentialProvider": gone}]
        self.refused(
            "ValidationException", self.target, gateway=gateway, name="b", credentialProviderConfigurations=wrong
        )
        listed = CORE.list_api_key_credential_providers()["credentialProviders"]
        self.assertEqual([one["name"] for one in listed], ["citations"])

    def test_a_client(self):
        client_of = dict(
            oauthDiscovery={"discoveryUrl": "https://login.acme.example/.well-known/openid-configuration"},
            clientId="clerk",
            clientSecret="secret",
        )
        members = dict(name="clerk", credentialProviderVendor="CustomOauth2")
        config = {"customOauth2ProviderConfig": client_of}
        made = CORE.create_oauth2_credential_provider(**members, oauth2ProviderConfigInput=config)
        self.assertNotIn("secret", str(made["oauth2ProviderConfigOutput"]))
        self.assertEqual(CORE.get_oauth2_credential_provider(name="clerk")["credentialProviderVendor"], "CustomOauth2")
        gateway = self.gateway()
        used = {"providerArn": made["credentialProviderArn"], "scopes": [], "grantType": "AUTHORIZATION_CODE"}
        uses = [{"credentialProviderType": "OAUTH", "credentialProvider": {"oauthCredentialProvider": used}}]
        target = self.target(gateway, credentialProviderConfigurations=uses)
        key = dict(gatewayIdentifier=gateway["gatewayId"], targetId=target["targetId"])
        self.assertEqual(CORE.get_gateway_target(**key)["status"], "CREATE_PENDING_AUTH")
        self.refused("ConflictException", CORE.delete_gateway_target, **key)


class Whole(Core):
    def test_tags_and_policies_of_resources(self):
        gateway = self.gateway(tags={"a": "1"})
        arn = dict(resourceArn=gateway["gatewayArn"])
        CORE.tag_resource(**arn, tags={"b": "2"})
        CORE.untag_resource(**arn, tagKeys=["a"])
        self.assertEqual(CORE.list_tags_for_resource(**arn)["tags"], {"b": "2"})
        self.refused("ValidationException", CORE.tag_resource, **arn, tags={"aws:x": "y"})
        self.refused("ResourceNotFoundException", CORE.get_resource_policy, **arn)
        CORE.put_resource_policy(**arn, policy="{}")
        self.assertEqual(CORE.get_resource_policy(**arn)["policy"], "{}")

    def test_pages_of_one(self):
        for name in "abc":
            self.gateway(name)
        self.config(page=1)
        pages = list(CORE.get_paginator("list_gateways").paginate())
        self.assertEqual([[one["name"] for one in page["items"]] for page in pages], [["a"], ["b"], ["c"]])
