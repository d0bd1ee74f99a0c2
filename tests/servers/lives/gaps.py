"""Budgets and their actions, and single operations of services that are otherwise moto's."""

import json

from .caller import ACCOUNT, Test, client, trust

BUDGETS = client("budgets")
ACCOUNTED = dict(AccountId=ACCOUNT)
MINE = dict(AccountId=ACCOUNT, BudgetName="monthly")
SPENT = {"NotificationType": "ACTUAL", "ComparisonOperator": "GREATER_THAN", "Threshold": 80.0}
MAIL = [{"SubscriptionType": "EMAIL", "Address": "a@acme.example"}]


class Budgets(Test):
    def setUp(self):
        super().setUp()
        self.budget = dict(
            BudgetName="monthly",
            BudgetLimit={"Amount": "100.0", "Unit": "USD"},
            TimeUnit="MONTHLY",
            BudgetType="COST",
        )

    def create(self):
        entry = {"Notification": SPENT, "Subscribers": MAIL}
        tags = [{"Key": "a", "Value": "1"}]
        BUDGETS.create_budget(**ACCOUNTED, Budget=self.budget, NotificationsWithSubscribers=[entry], ResourceTags=tags)

    def action(self, **changes):
        definition = {"IamActionDefinition": {"PolicyArn": self.policy, "Roles": ["agent"]}}
        usual = dict(
            **MINE,
            NotificationType="ACTUAL",
            ActionType="APPLY_IAM_POLICY",
            ActionThreshold={"ActionThresholdValue": 100.0, "ActionThresholdType": "PERCENTAGE"},
            Definition=definition,
            ExecutionRoleArn=self.arn,
            ApprovalModel="AUTOMATIC",
            Subscribers=MAIL,
        )
        return BUDGETS.create_budget_action(**{**usual, **changes})["ActionId"]

    def test_a_life(self):
        self.create()
        self.refused("DuplicateRecordException", BUDGETS.create_budget, **ACCOUNTED, Budget=self.budget)
        shown = BUDGETS.describe_budget(**MINE)["Budget"]
        self.assertEqual(
            (shown["BudgetLimit"]["Amount"], shown["CalculatedSpend"]["ActualSpend"]["Amount"]), ("100.0", "0.0")
        )
        self.assertEqual(BUDGETS.describe_notifications_for_budget(**MINE)["Notifications"], [SPENT])
        asked = dict(**MINE, Notification=SPENT)
        self.assertEqual(BUDGETS.describe_subscribers_for_notification(**asked)["Subscribers"], MAIL)
        entry = dict(**MINE, Notification={**SPENT, "ThresholdType": "PERCENTAGE"}, Subscribers=MAIL)
        self.refused("DuplicateRecordException", BUDGETS.create_notification, **entry)
        entry["Notification"] = {**SPENT, "Threshold": 100.0}
        BUDGETS.create_notification(**entry)
        self.assertEqual(len(BUDGETS.describe_notifications_for_budget(**MINE)["Notifications"]), 2)
        BUDGETS.delete_notification(**MINE, Notification=SPENT)
        self.assertEqual(BUDGETS.describe_notifications_for_budget(**MINE)["Notifications"], [entry["Notification"]])
        self.budget["BudgetLimit"]["Amount"] = "200.0"
        BUDGETS.update_budget(**ACCOUNTED, NewBudget=self.budget)
        self.assertEqual(BUDGETS.describe_budgets(**ACCOUNTED)["Budgets"][0]["BudgetLimit"]["Amount"], "200.0")
        BUDGETS.delete_budget(**MINE)
        self.refused("NotFoundException", BUDGETS.describe_budget, **MINE)
        self.refused("AccessDeniedException", BUDGETS.describe_budgets, AccountId="111122223333")

    def test_actions(self):
        self.create()
        self.arn = self.role()
        document = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "bedrock:*", "Resource": "*"}]}
        made = client("iam").create_policy(PolicyName="stop", PolicyDocument=json.dumps(document))
        self.policy = made["Policy"]["Arn"]
        key = self.action()
        shown = BUDGETS.describe_budget_action(**MINE, ActionId=key)["Action"]
        self.assertEqual((shown["Status"], shown["ApprovalModel"]), ("STANDBY", "AUTOMATIC"))
        self.assertEqual(len(BUDGETS.describe_budget_actions_for_account(**ACCOUNTED)["Actions"]), 1)
        changed = BUDGETS.update_budget_action(**MINE, ActionId=key, ApprovalModel="MANUAL")
        models = [changed[member]["ApprovalModel"] for member in ("OldAction", "NewAction")]
        self.assertEqual(models, ["AUTOMATIC", "MANUAL"])
        wrong = [
            dict(ExecutionRoleArn=self.role("other", ["ec2.amazonaws.com"])),
            dict(Definition={"IamActionDefinition": {"PolicyArn": self.policy + "2", "Roles": ["agent"]}}),
            dict(Definition={"IamActionDefinition": {"PolicyArn": self.policy, "Roles": ["none"]}}),
            dict(ActionType="RUN_SSM_DOCUMENTS"),
            dict(Subscribers=[]),
        ]
        for changes in wrong:
            with self.subTest(changes):
                self.refused("InvalidParameterException", self.action, **changes)
        BUDGETS.delete_budget_action(**MINE, ActionId=key)
        self.assertEqual(BUDGETS.describe_budget_actions_for_budget(**MINE)["Actions"], [])


class Others(Test):
    def test_services_are_given_roles(self):
        lambdas, states, scheduler = client("lambda"), client("stepfunctions"), client("scheduler")
        dead = {"TargetArn": f"arn:aws:sqs:eu-central-1:{ACCOUNT}:failed"}
        function = dict(
            FunctionName="f", Runtime="python3.13", Handler="f.f", Code={"ZipFile": b"zip"}, DeadLetterConfig=dead
        )
        machine = dict(name="m", definition='{"StartAt":"A","States":{"A":{"Type":"Succeed"}}}')
        target = {"Arn": f"arn:aws:lambda:eu-central-1:{ACCOUNT}:function:f"}
        schedule = dict(Name="s", ScheduleExpression="rate(1 hour)", FlexibleTimeWindow={"Mode": "OFF"})
        right = self.role("right", ["lambda.amazonaws.com", "states.amazonaws.com", "scheduler.amazonaws.com"])
        wrong = self.role("wrong", ["ec2.amazonaws.com"])
        asked = [
            ("InvalidParameterValueException", lambda arn: lambdas.create_function(**function, Role=arn)),
            ("AccessDeniedException", lambda arn: states.create_state_machine(**machine, roleArn=arn)),
            (
                "ValidationException",
                lambda arn: scheduler.create_schedule(**schedule, Target={**target, "RoleArn": arn}),
            ),
        ]
        for code, ask in asked:
            with self.subTest(code):
                for arn in (wrong, right + "2"):
                    self.refused(code, ask, arn=arn)
                ask(right)
        shown = lambdas.get_function(FunctionName="f")["Configuration"]
        usual = {"LogFormat": "Text", "LogGroup": "/aws/lambda/f"}
        self.assertEqual((shown["DeadLetterConfig"], shown["LoggingConfig"]), (dead, usual))
        own = {"LogFormat": "JSON", "LogGroup": "g"}
        self.config(observations=1)
        lambdas.update_function_configuration(FunctionName="f", LoggingConfig=own)
        shown = lambdas.get_function_configuration(FunctionName="f")
        self.assertEqual((shown["DeadLetterConfig"], shown["LoggingConfig"]), (dead, own))
        self.assertEqual(shown["LastUpdateStatus"], "InProgress")
        change = lambdas.update_function_configuration
        self.refused("InvalidParameterValueException", change, FunctionName="f", Role=wrong)
        lambdas.delete_function(FunctionName="f")
        lambdas.create_function(**function, Role=right)
        told = self.refused("ResourceConflictException", lambdas.update_function_code, FunctionName="f", ZipFile=b"zip")
        self.assertIn("in the following state: Pending", told)
        shown = lambdas.get_function(FunctionName="f")["Configuration"]
        self.assertEqual((shown["State"], shown["LoggingConfig"]), ("Active", usual))
        lambdas.update_function_code(FunctionName="f", ZipFile=b"zip2")
        told = self.refused("ResourceConflictException", lambdas.publish_version, FunctionName="f")
        self.assertIn("An update is in progress for resource: arn:aws:lambda:eu-central-1", told)
        lambdas.delete_function(FunctionName="f")
        self.refused("ResourceNotFoundException", lambdas.update_function_code, FunctionName="f", ZipFile=b"zip")

    def test_keys_and_queries_of_logs(self):
        logs = client("logs")
        key = f"arn:aws:kms:eu-central-1:{ACCOUNT}:key/4b1f0c2e-0000-4000-8000-000000000002"
        self.refused("ResourceNotFoundException", logs.associate_kms_key, logGroupName="g", kmsKeyId=key)
        logs.create_log_group(logGroupName="g")
        logs.associate_kms_key(logGroupName="g", kmsKeyId=key)
        self.assertEqual(logs.describe_log_groups()["logGroups"][0]["kmsKeyId"], key)
        first = logs.put_query_definition(name="q", queryString="fields @message")["queryDefinitionId"]
        logs.put_query_definition(name="q", queryString="fields @timestamp", queryDefinitionId=first)
        queries = logs.describe_query_definitions(queryDefinitionNamePrefix="q")["queryDefinitions"]
        self.assertEqual([one["queryString"] for one in queries], ["fields @timestamp"])
        logs.delete_query_definition(queryDefinitionId=first)
        self.assertEqual(logs.describe_query_definitions()["queryDefinitions"], [])

    def test_deliveries(self):
        logs = client("logs")
        arn = f"arn:aws:bedrock-agentcore:eu-central-1:{ACCOUNT}:gateway/none-a1b2c3d4e5"
        source = dict(name="spans", logType="TRACES")
        self.refused("ResourceNotFoundException", logs.put_delivery_source, **source, resourceArn=arn)
        gateway = client("bedrock-agentcore-control").create_gateway(
            name="g", roleArn=self.role(), authorizerType="AWS_IAM"
        )["gatewayArn"]
        logs.put_delivery_source(**source, resourceArn=gateway, tags={"a": "1"})
        self.refused("ConflictException", logs.put_delivery_source, name="b", logType="TRACES", resourceArn=gateway)
        self.refused("ConflictException", logs.put_delivery_source, name="spans", logType="OTHER", resourceArn=gateway)
        end = logs.put_delivery_destination(name="xray", deliveryDestinationType="XRAY")["deliveryDestination"]
        place = {"destinationResourceArn": "arn:aws:s3:::bucket"}
        wrong = dict(name="s3", deliveryDestinationType="CWL", deliveryDestinationConfiguration=place)
        self.refused("ValidationException", logs.put_delivery_destination, **wrong)
        pair = dict(deliverySourceName="spans", deliveryDestinationArn=end["arn"])
        none = {**pair, "deliverySourceName": "none"}
        self.refused("ResourceNotFoundException", logs.create_delivery, **none)
        delivery = logs.create_delivery(**pair)["delivery"]
        self.assertEqual(logs.get_delivery(id=delivery["id"])["delivery"]["deliveryDestinationType"], "XRAY")
        self.refused("ConflictException", logs.create_delivery, **pair)
        self.refused("ConflictException", logs.delete_delivery_source, name="spans")
        self.refused("ConflictException", logs.delete_delivery_destination, name="xray")
        self.assertEqual(logs.get_delivery_source(name="spans")["deliverySource"]["tags"], {"a": "1"})
        logs.tag_resource(resourceArn=end["arn"], tags={"b": "2"})
        self.assertEqual(logs.list_tags_for_resource(resourceArn=end["arn"])["tags"], {"b": "2"})
        logs.create_log_group(logGroupName="g", tags={"c": "3"})
        group = f"arn:aws:logs:eu-central-1:{ACCOUNT}:log-group:g"
        self.assertEqual(logs.list_tags_for_resource(resourceArn=group)["tags"], {"c": "3"})
        logs.delete_delivery(id=delivery["id"])
        logs.delete_delivery_source(name="spans")
        logs.delete_delivery_destination(name="xray")
        self.assertEqual(logs.describe_deliveries(limit=1)["deliveries"], [])

    def test_where_traces_go(self):
        xray = client("xray")
        self.config(observations=2)
        self.assertEqual(xray.get_trace_segment_destination()["Destination"], "XRay")
        xray.update_trace_segment_destination(Destination="CloudWatchLogs")
        self.refused("InvalidRequestException", xray.update_trace_segment_destination, Destination="XRay")
        seen = [xray.get_trace_segment_destination()["Status"] for _ in range(2)]
        self.assertEqual(seen, ["PENDING", "ACTIVE"])

    def test_pods_with_a_role(self):
        eks = client("eks")
        arn = self.role("pod", ["eks.amazonaws.com"])
        place = dict(clusterName="c", namespace="n", serviceAccount="s")
        self.refused("ResourceNotFoundException", eks.create_pod_identity_association, **place, roleArn=arn)
        network = {"subnetIds": ["subnet-1"]}
        eks.create_cluster(name="c", roleArn=arn, resourcesVpcConfig=network)
        self.refused("InvalidParameterException", eks.create_pod_identity_association, **place, roleArn=arn)
        document = trust(["pods.eks.amazonaws.com"])
        document["Statement"][0]["Action"] = ["sts:AssumeRole", "sts:TagSession"]
        client("iam").update_assume_role_policy(RoleName="pod", PolicyDocument=json.dumps(document))
        text = json.dumps({"Version": "2012-10-17", "Statement": []})
        asked = dict(**place, roleArn=arn, policy=text)
        self.refused("InvalidParameterException", eks.create_pod_identity_association, **asked)
        made = eks.create_pod_identity_association(**asked, disableSessionTags=True)["association"]
        self.refused("ResourceInUseException", eks.create_pod_identity_association, **place, roleArn=arn)
        key = dict(clusterName="c", associationId=made["associationId"])
        self.assertEqual(eks.describe_pod_identity_association(**key)["association"]["roleArn"], arn)
        self.assertEqual(len(eks.list_pod_identity_associations(clusterName="c", namespace="n")["associations"]), 1)
        eks.delete_pod_identity_association(**key)
        self.assertEqual(eks.list_pod_identity_associations(clusterName="c")["associations"], [])
