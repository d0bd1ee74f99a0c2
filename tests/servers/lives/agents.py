"""Agents Classic, from their making to their end."""

from .caller import Test, client

AGENTS = client("bedrock-agent")
INSTRUCTION = "You keep the notebook of experiments, and nothing else."
WAIT = "Retry the request when the agent is in a valid state."


class Agents(Test):
    def setUp(self):
        super().setUp()
        self.config(observations=1)
        self.arn = self.role()
        self.base = dict(
            agentName="notebook", agentResourceRoleArn=self.arn, foundationModel="m", instruction=INSTRUCTION
        )

    def create(self, **members):
        return AGENTS.create_agent(**{**self.base, **members})["agent"]

    def status(self, agent):
        return AGENTS.get_agent(agentId=agent["agentId"])["agent"]["agentStatus"]

    def until(self, agent, status, looks):
        """The states that are seen, the last of which is the one that is expected."""
        seen = [self.status(agent) for _ in range(looks)]
        self.assertEqual(seen[-1], status, seen)
        self.assertNotIn(status, seen[:-1])

    def prepared(self, **members):
        self.config(observations=0)
        agent = self.create(**members)
        AGENTS.prepare_agent(agentId=agent["agentId"])
        self.until(agent, "PREPARED", 1)
        return agent

    def group(self, agent, name="tools", **members):
        usual = dict(agentId=agent["agentId"], agentVersion="DRAFT", actionGroupName=name)
        return AGENTS.create_agent_action_group(**{**usual, **members})["agentActionGroup"]

    def alias(self, agent, name="live", **members):
        return AGENTS.create_agent_alias(agentId=agent["agentId"], agentAliasName=name, **members)["agentAlias"]


class Lives(Agents):
    def test_a_life(self):
        agent = self.create(tags={"owner": "lab"})
        self.assertEqual((agent["agentStatus"], agent["agentVersion"]), ("CREATING", "DRAFT"))
        key = agent["agentId"]
        told = self.refused("ValidationException", AGENTS.prepare_agent, agentId=key)
        self.assertEqual(told, f"Prepare operation can't be performed on Agent when it is in Creating state. {WAIT}")
        self.until(agent, "NOT_PREPARED", 1)
        group = self.group(agent, actionGroupExecutor={"customControl": "RETURN_CONTROL"})
        self.assertEqual(AGENTS.prepare_agent(agentId=key)["agentStatus"], "PREPARING")
        told = self.refused("ValidationException", AGENTS.prepare_agent, agentId=key)
        self.assertEqual(told, f"Prepare operation can't be performed on Agent when it is in Preparing state. {WAIT}")
        self.until(agent, "PREPARED", 1)
        alias = self.alias(agent)
        self.assertEqual(alias["routingConfiguration"], [{"agentVersion": "1"}])
        update = dict(agentId=key, **self.base, description="new")
        told = self.refused("ValidationException", AGENTS.update_agent, **update)
        self.assertIn("in Versioning state", told)
        self.until(agent, "PREPARED", 1)
        AGENTS.update_agent(**update)
        self.until(agent, "NOT_PREPARED", 2)
        version = AGENTS.get_agent_version(agentId=key, agentVersion="1")["agentVersion"]
        self.assertEqual((version["version"], version.get("description")), ("1", None))
        told = self.refused("ConflictException", AGENTS.delete_agent, agentId=key)
        self.assertEqual(told, f"Could not delete Agent with ID {key}, since it has active aliases")
        alias_of = dict(agentId=key, agentAliasId=alias["agentAliasId"])
        self.assertEqual(AGENTS.get_agent_alias(**alias_of)["agentAlias"]["agentAliasStatus"], "CREATING")
        self.assertEqual(AGENTS.get_agent_alias(**alias_of)["agentAlias"]["agentAliasStatus"], "PREPARED")
        self.assertEqual(AGENTS.delete_agent_alias(**alias_of)["agentAliasStatus"], "DELETING")
        self.assertEqual(AGENTS.get_agent_alias(**alias_of)["agentAlias"]["agentAliasStatus"], "DELETING")
        self.refused("ResourceNotFoundException", AGENTS.get_agent_alias, **alias_of)
        own = dict(agentId=key, agentVersion="DRAFT", actionGroupId=group["actionGroupId"])
        self.refused("ConflictException", AGENTS.delete_agent_action_group, **own)
        AGENTS.delete_agent_action_group(**own, skipResourceInUseCheck=True)
        self.assertEqual(AGENTS.delete_agent(agentId=key)["agentStatus"], "DELETING")
        self.assertEqual(self.status(agent), "DELETING")
        self.refused("ResourceNotFoundException", AGENTS.get_agent, agentId=key)

    def test_a_version_is_a_snapshot(self):
        agent = self.prepared()
        first = self.group(agent, "first", description="one")
        self.assertEqual(self.status(agent), "NOT_PREPARED")
        AGENTS.prepare_agent(agentId=agent["agentId"])
        self.alias(agent, "a")
        self.group(agent, "second")
        AGENTS.update_agent_action_group(
            agentId=agent["agentId"],
            agentVersion="DRAFT",
            actionGroupId=first["actionGroupId"],
            actionGroupName="first",
        )
        self.refused("ValidationException", AGENTS.create_agent_alias, agentId=agent["agentId"], agentAliasName="b")
        AGENTS.prepare_agent(agentId=agent["agentId"])
        other = self.alias(agent, "b")
        self.assertEqual(other["routingConfiguration"], [{"agentVersion": "2"}])

        def groups(version):
            listed = AGENTS.list_agent_action_groups(agentId=agent["agentId"], agentVersion=version)
            return [(one["actionGroupName"], one.get("description")) for one in listed["actionGroupSummaries"]]

        self.assertEqual(groups("1"), [("first", "one")])
        self.assertEqual(groups("2"), [("first", None), ("second", None)])
        versions = AGENTS.list_agent_versions(agentId=agent["agentId"])["agentVersionSummaries"]
        self.assertEqual([one["agentVersion"] for one in versions], ["DRAFT", "1", "2"])
        gone = dict(agentId=agent["agentId"], agentVersion="1")
        self.refused("ConflictException", AGENTS.delete_agent_version, **gone)
        routing = [{"agentVersion": "2"}]
        for alias in AGENTS.list_agent_aliases(agentId=agent["agentId"])["agentAliasSummaries"]:
            if alias["agentAliasName"] == "a":
                AGENTS.update_agent_alias(
                    agentId=agent["agentId"],
                    agentAliasId=alias["agentAliasId"],
                    agentAliasName="a",
                    routingConfiguration=routing,
                )
        AGENTS.delete_agent_version(**gone)
        self.refused("ResourceNotFoundException", AGENTS.get_agent_version, **gone)

    def test_an_update_replaces(self):
        agent = self.create(description="old", idleSessionTTLInSeconds=900)
        self.status(agent)
        AGENTS.update_agent(agentId=agent["agentId"], **self.base)
        now = AGENTS.get_agent(agentId=agent["agentId"])["agent"]
        self.assertEqual((now.get("description"), now["idleSessionTTLInSeconds"]), (None, 600))

    def test_prompts_of_the_service_are_shown(self):
        own = {"promptType": "ORCHESTRATION", "promptCreationMode": "OVERRIDDEN", "basePromptTemplate": "mine"}
        agent = self.prepared(promptOverrideConfiguration={"promptConfigurations": [own]})
        shown = AGENTS.get_agent(agentId=agent["agentId"])["agent"]["promptOverrideConfiguration"][
            "promptConfigurations"
        ]
        self.assertIn(own, shown)
        self.assertEqual(sum(one["promptCreationMode"] == "DEFAULT" for one in shown), 3)

    def test_a_supervisor(self):
        supervisor = self.create(agentName="desk", agentCollaboration="SUPERVISOR")
        self.status(supervisor)
        told = self.refused("ValidationException", AGENTS.prepare_agent, agentId=supervisor["agentId"])
        words = "The AgentCollaboration attribute is set to SUPERVISOR but no agent collaborators are added."
        self.assertEqual(told, words)
        other = self.prepared()
        alias = self.alias(other)
        AGENTS.get_agent_alias(agentId=other["agentId"], agentAliasId=alias["agentAliasId"])
        link = dict(
            agentId=supervisor["agentId"],
            agentVersion="DRAFT",
            agentDescriptor={"aliasArn": alias["agentAliasArn"]},
            collaboratorName="notebook",
            collaborationInstruction="Hand over.",
        )
        made = AGENTS.associate_agent_collaborator(**link)["agentCollaborator"]
        self.assertEqual(made["relayConversationHistory"], "DISABLED")
        self.refused("ConflictException", AGENTS.associate_agent_collaborator, **link)
        for_tests = {"aliasArn": alias["agentAliasArn"].replace(alias["agentAliasId"], "TSTALIASID")}
        draft = {**link, "collaboratorName": "draft", "agentDescriptor": for_tests}
        self.refused("ValidationException", AGENTS.associate_agent_collaborator, **draft)
        AGENTS.prepare_agent(agentId=supervisor["agentId"])
        self.until(supervisor, "PREPARED", 1)
        own = dict(agentId=other["agentId"], agentAliasId=alias["agentAliasId"])
        self.refused("ValidationException", AGENTS.delete_agent_alias, **own)
        of_none = {**link, "agentId": other["agentId"]}
        self.refused("ValidationException", AGENTS.associate_agent_collaborator, **of_none)

    def test_a_knowledge_base(self):
        self.config(ids=["SUPEUKB001"], observations=0)
        embedding = "arn:aws:bedrock:eu-central-1::foundation-model/amazon.titan-embed-text-v2:0"
        base = AGENTS.create_knowledge_base(
            name="articles",
            roleArn=self.arn,
            knowledgeBaseConfiguration={
                "type": "VECTOR",
                "vectorKnowledgeBaseConfiguration": {"embeddingModelArn": embedding},
            },
        )["knowledgeBase"]
        self.assertEqual(base["knowledgeBaseId"], "SUPEUKB001")
        agent = self.create()
        link = dict(agentId=agent["agentId"], agentVersion="DRAFT", knowledgeBaseId="SUPEUKB001", description="d")
        made = AGENTS.associate_agent_knowledge_base(**link)["agentKnowledgeBase"]
        self.assertEqual(made["knowledgeBaseState"], "ENABLED")
        self.refused("ConflictException", AGENTS.associate_agent_knowledge_base, **link)
        none = {**link, "knowledgeBaseId": "NONE567890"}
        self.refused("ResourceNotFoundException", AGENTS.associate_agent_knowledge_base, **none)
        self.refused("ConflictException", AGENTS.delete_knowledge_base, knowledgeBaseId="SUPEUKB001")
        AGENTS.disassociate_agent_knowledge_base(**{key: link[key] for key in list(link)[:3]})
        AGENTS.delete_knowledge_base(knowledgeBaseId="SUPEUKB001")

    def test_tags(self):
        agent = self.create(tags={"a": "1"})
        AGENTS.tag_resource(resourceArn=agent["agentArn"], tags={"b": "2"})
        AGENTS.untag_resource(resourceArn=agent["agentArn"], tagKeys=["a"])
        self.assertEqual(AGENTS.list_tags_for_resource(resourceArn=agent["agentArn"])["tags"], {"b": "2"})
        many = {f"k{number}": "v" for number in range(50)}
        self.refused("ValidationException", AGENTS.tag_resource, resourceArn=agent["agentArn"], tags=many)


class Checks(Agents):
    def test_names_are_taken(self):
        self.create()
        self.refused("ConflictException", AGENTS.create_agent, **self.base)

    def test_a_role_exists_is_seen_and_trusts(self):
        self.config(unseen=1)
        late = self.role("late")
        members = {**self.base, "agentName": "b", "agentResourceRoleArn": late}
        self.assertIn(
            "unable to assume the given role", self.refused("ValidationException", AGENTS.create_agent, **members)
        )
        AGENTS.create_agent(**members)
        other = self.role("other", ["ec2.amazonaws.com"])
        elsewhere = late.replace("role/late", "role/team/late")
        for arn in (other, elsewhere, late.replace("late", "none"), late.replace("444455556666", "111122223333")):
            with self.subTest(arn):
                wrong = {**self.base, "agentName": "c", "agentResourceRoleArn": arn}
                self.refused("ValidationException", AGENTS.create_agent, **wrong)

    def test_a_guardrail_exists(self):
        wrong = {"guardrailIdentifier": "a1b2c3d4e5", "guardrailVersion": "1"}
        self.refused("ValidationException", AGENTS.create_agent, **self.base, guardrailConfiguration=wrong)

    def test_an_alias_is_on_a_version(self):
        agent = self.prepared()
        routing = [{"agentVersion": "7"}]
        members = dict(agentId=agent["agentId"], agentAliasName="a", routingConfiguration=routing)
        self.refused("ValidationException", AGENTS.create_agent_alias, **members)

    def test_regions_are_apart(self):
        agent = self.create()
        elsewhere = client("bedrock-agent", region="us-east-1")
        self.refused("ResourceNotFoundException", elsewhere.get_agent, agentId=agent["agentId"])
        self.assertEqual(elsewhere.list_agents()["agentSummaries"], [])

    def test_a_state_that_tests_choose(self):
        self.config(settle={"bedrock-agent:CreateAgent": ["FAILED"]})
        agent = self.create()
        self.assertEqual([self.status(agent) for _ in range(2)], ["CREATING", "FAILED"])
