//! Whole examples in an account: every kind of document is made, found again, taken back from somebody else, and removed.

use std::path::Path;

use serde_json::{Value, json};

use super::super::{Done, copy_of, done, edit, plain, write};
use super::kills::Place;
use crate::harness::{files_below, read, root};
use crate::servers::Aws;

/// Every target that lives in an account.
const TARGETS: &str = "{ iam: aws, bedrock: aws, lambda: aws, observability: aws }";

/// An example in an account in which others keep what it refers to.
pub(super) struct Whole {
    pub(super) server: Aws,
    _place: tempfile::TempDir,
    folder: std::path::PathBuf,
    environment: &'static str,
    pub(super) account: &'static str,
}

impl Whole {
    fn new(example: &str, environment: &'static str, account: &'static str) -> Self {
        let (place, folder) = copy_of(example);
        let site = Self { server: Aws::start(), _place: place, folder, environment, account };
        site.server.before(&documents(example, environment));
        site
    }

    pub(super) fn prod() -> Self {
        let site = Self::new("acme", "prod", "111122223333");
        let here = "environments/prod.yaml";
        let local = "{ iam: local, gateway: local, bedrock: local, kubernetes: local }";
        edit(&site.folder, here, local, TARGETS);
        // Nobody can choose the ids of endpoints, and no provider applies their policies.
        let endpoints =
            "endpoints: [dynamodb, sqs, secretsmanager, bedrock-runtime, bedrock-runtime.eu-north-1]";
        edit(&site.folder, here, endpoints, "endpoints: []");
        site
    }

    pub(super) fn staging() -> Self {
        let site = Self::new("acme", "staging", "444455556666");
        let file = site.folder.join("environments/staging.yaml");
        let text = std::fs::read_to_string(&file).unwrap();
        let mut lines: Vec<_> = text.lines().filter(|line| !line.starts_with("  providers:")).collect();
        let at = lines.iter().position(|line| line.starts_with("  logging:")).unwrap();
        let providers = format!("  providers: {TARGETS}");
        lines.insert(at, &providers);
        std::fs::write(&file, lines.join("\n")).unwrap();
        site
    }

    fn quickstart() -> Self {
        let site = Self::new("quickstart", "dev", "111122223333");
        edit(&site.folder, "environment.yaml", "  logging:", &format!("  providers: {TARGETS}\n  logging:"));
        site
    }

    /// A copy of everything.
    pub(super) fn branch(&self) -> Place {
        Place::copy(&self.server, &self.folder, self.of())
    }

    /// The environment and its account.
    pub(super) fn of(&self) -> (&'static str, &'static str) {
        (self.environment, self.account)
    }

    pub(super) fn run(&self, arguments: &[&str]) -> Done {
        let mut command = plain(&self.folder, arguments);
        command
            .args(["-e", self.environment])
            .env("AWS_ENDPOINT_URL", &self.server.address)
            .env("AWS_ACCESS_KEY_ID", format!("AKIA{}", self.account))
            .env("AWS_SECRET_ACCESS_KEY", "secret")
            .env("HOME", &self.folder);
        done(&mut command)
    }

    #[track_caller]
    pub(super) fn apply(&self) -> String {
        self.run(&["apply", "--yes"]).expect(0)
    }

    #[track_caller]
    pub(super) fn is_settled(&self) {
        let said = self.run(&["plan", "--detailed-exitcode"]).expect(0);
        assert!(said.contains("no changes"), "{said}");
    }

    #[track_caller]
    fn asks(&self, service: &str, operation: &str, members: Value) -> Value {
        self.server.calls(self.account, &[json!([service, operation, members])]).remove(0)
    }

    fn calls(&self, calls: &[Value]) -> Vec<Value> {
        let mut told = self.server.calls(self.account, calls);
        told.iter_mut().for_each(without_times);
        told
    }

    fn queue(&self, name: &str) -> String {
        format!("https://sqs.eu-central-1.amazonaws.com/{}/{name}", self.account)
    }

    /// Somebody changes something of each document; a plan tells of each, and an apply takes all of it back.
    #[track_caller]
    fn is_taken_back(&self, changes: &[Change]) {
        let reads: Vec<_> = changes.iter().map(|change| change.read.clone()).collect();
        let settled = self.calls(&reads);
        self.calls(&changes.iter().map(|change| change.change.clone()).collect::<Vec<_>>());
        let disturbed = self.calls(&reads);
        for (at, change) in changes.iter().enumerate() {
            assert_ne!(disturbed[at], settled[at], "{}: nothing has changed", change.document);
        }
        let said = self.run(&["plan", "--detailed-exitcode"]).expect(2);
        let told =
            |document: &str| said.lines().any(|line| line.split_whitespace().any(|word| word == document));
        let untold: Vec<_> = changes.iter().map(|change| change.document).filter(|one| !told(one)).collect();
        assert!(untold.is_empty(), "{untold:?}: {said}");
        self.apply();
        self.is_settled();
        for (at, found) in self.calls(&reads).into_iter().enumerate() {
            assert_eq!(found, settled[at], "{}", changes[at].document);
        }
    }
}

/// What somebody does to a document of ours, and how one sees it.
struct Change {
    document: &'static str,
    read: Value,
    change: Value,
}

fn change(document: &'static str, read: Value, change: Value) -> Change {
    Change { document, read, change }
}

/// The compiled documents of an environment, as the servers take them.
fn documents(example: &str, environment: &str) -> Value {
    let folder = root().join("examples").join(example).join("expected").join(environment);
    let is_document = |file: &String| file.ends_with(".json") && file.split('/').count() == 3;
    let files = files_below(&folder).into_iter().filter(is_document);
    let task = |file: String| {
        let document: Value = serde_json::from_str(&read(&folder.join(&file))).unwrap();
        json!({ "address": file.trim_end_matches(".json"), "document": document, "operation": null })
    };
    files.map(task).collect()
}

/// When something was made or changed, and of which ids it is, says nothing of what it is.
fn without_times(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|key, _| {
                let key = key.to_lowercase();
                let is_time =
                    ["time", "updated", "modified", "timestamp", "created", "revisionid", "modification"];
                key.contains("timeout")
                    || key.contains("timetolive")
                    || !is_time.iter().any(|word| key.contains(word))
            });
            members.values_mut().for_each(without_times);
        }
        Value::Array(items) => items.iter_mut().for_each(without_times),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// What others keep, and whatever else there is of the kinds that documents ask for.
fn everything(site: &Whole, queues: &[&str]) -> Vec<Value> {
    let queues = queues
        .iter()
        .map(|name| json!(["sqs", "get_queue_attributes", { "QueueUrl": site.queue(name), "AttributeNames": ["All"] }]));
    let lists = [
        json!(["sqs", "list_queues", {}]),
        json!(["sns", "list_topics", {}]),
        json!(["sns", "list_subscriptions", {}]),
        json!(["iam", "list_roles", {}]),
        json!(["iam", "list_policies", { "Scope": "Local" }]),
        json!(["lambda", "list_functions", {}]),
        json!(["lambda", "list_event_source_mappings", {}]),
        json!(["dynamodb", "list_tables", {}]),
        json!(["events", "list_event_buses", {}]),
        json!(["scheduler", "list_schedule_groups", {}]),
        json!(["scheduler", "list_schedules", {}]),
        json!(["stepfunctions", "list_state_machines", {}]),
        json!(["bedrock", "list_enforced_guardrails_configuration", {}]),
        json!(["bedrock", "list_guardrails", {}]),
        json!(["bedrock-agent", "list_agents", {}]),
        json!(["bedrock-agent", "list_knowledge_bases", {}]),
        json!(["logs", "describe_log_groups", { "logGroupNamePrefix": "/aws/lambda/" }]),
        json!(["logs", "describe_resource_policies", {}]),
        json!(["logs", "describe_query_definitions", {}]),
        json!(["logs", "describe_deliveries", {}]),
        json!(["logs", "describe_delivery_sources", {}]),
        json!(["logs", "describe_delivery_destinations", {}]),
        json!(["xray", "get_trace_segment_destination", {}]),
        json!(["cloudwatch", "describe_alarms", {}]),
        json!(["cloudtrail", "describe_trails", {}]),
        json!(["budgets", "describe_budgets", { "AccountId": site.account }]),
        json!(["s3", "list_buckets", {}]),
        json!(["secretsmanager", "list_secrets", {}]),
    ];
    site.calls(&lists.into_iter().chain(queues).collect::<Vec<_>>())
}

/// Leaves nothing of a workspace but an environment in which nothing is.
pub(super) fn emptied(folder: &Path, (environment, account): (&str, &str)) {
    let text = read(&folder.join(format!("environments/{environment}.yaml")));
    let text = text.split_once("    regions:").unwrap().1;
    let regions = match text.split_once(" [") {
        Some(("", text)) => text.split(']').next().unwrap().to_owned(),
        _ => {
            let items = text.lines().skip(1).map_while(|line| line.strip_prefix("      - "));
            items.collect::<Vec<_>>().join(", ")
        }
    };
    for file in files_below(folder) {
        let is_source = file.ends_with(".yaml") || file.ends_with(".cedar");
        if is_source && !file.starts_with(".aipolicy") {
            std::fs::remove_file(folder.join(file)).unwrap();
        }
    }
    let text = format!(
        "apiVersion: aipolicy.dev/v1\nkind: Workspace\nmetadata: {{ name: acme-ai }}\nspec:\n  \
         packs: [baseline]\n  targets: [iam, gateway, bedrock, kubernetes, lambda, observability]\n  \
         state: {{ local: .aipolicy }}\n  naming: {{ prefix: acme }}\n---\n\
         apiVersion: aipolicy.dev/v1\nkind: Environment\nmetadata: {{ name: {environment} }}\nspec:\n  \
         aws:\n    accountId: \"{account}\"\n    regions: [{regions}]\n  providers: {TARGETS}\n"
    );
    write(folder, "aipolicy.yaml", text);
}

#[test]
fn quickstart_lives_in_an_account() {
    let site = Whole::quickstart();
    site.apply();
    site.is_settled();
}

#[test]
fn staging_is_made_taken_back_and_removed() {
    let site = Whole::staging();
    let queues = ["research-papers-failed", "research-papers-in"];
    let before = everything(&site, &queues);
    site.apply();
    site.is_settled();
    assert_ne!(everything(&site, &queues), before);
    site.is_taken_back(&staging_disturbed(&site));
    emptied(&site.folder, site.of());
    let said = site.apply();
    assert!(said.contains(" to delete"), "{said}");
    site.is_settled();
    let after = everything(&site, &queues);
    for (at, found) in after.iter().enumerate() {
        let mut was = before[at].clone();
        // How long a message is hidden stays: nobody can tell any more what it was.
        for value in [&mut was] {
            if let Some(hidden) = value.pointer_mut("/Attributes/VisibilityTimeout") {
                *hidden = found["Attributes"]["VisibilityTimeout"].clone();
            }
        }
        assert_eq!(*found, was);
    }
}

fn staging_disturbed(site: &Whole) -> Vec<Change> {
    let function = |name: &str| json!({ "FunctionName": name });
    let (morning, published, keyworder) = (
        "acme-staging-trigger-paper-reader-morning",
        "acme-staging-trigger-paper-reader-published",
        "acme-staging-workload-keyworder",
    );
    let mapping = site.asks("lambda", "list_event_source_mappings", function(keyworder));
    let mapping = json!({ "UUID": mapping["EventSourceMappings"][0]["UUID"] });
    let with = |members: &Value, more: Value| {
        let mut members = members.clone();
        members.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        members
    };
    let mut schedule =
        site.asks("scheduler", "get_schedule", json!({ "Name": morning, "GroupName": morning }));
    schedule.as_object_mut().unwrap().retain(|key, _| {
        ["Name", "GroupName", "ScheduleExpression", "FlexibleTimeWindow", "Target"].contains(&key.as_str())
    });
    let subscription = site.asks("sns", "list_subscriptions", json!({}));
    let subscription = &subscription["Subscriptions"][0]["SubscriptionArn"];
    let group = format!("arn:aws:logs:eu-central-1:{}:log-group:/aws/lambda/{morning}", site.account);
    let table = json!({ "TableName": "acme-staging-starts-paper-reader" });
    let schedule_group = format!("arn:aws:scheduler:eu-central-1:{}:schedule-group/{morning}", site.account);
    let enforced = site.asks("bedrock", "list_enforced_guardrails_configuration", json!({}));
    let enforced = &enforced["guardrailsConfig"][0];
    let policy = json!({ "Version": "2012-10-17", "Statement": [] }).to_string();
    let failed = json!({ "QueueUrl": site.queue("research-papers-failed"), "AttributeNames": ["Policy"] });
    let papers = json!({ "QueueUrl": site.queue("research-papers-in"), "AttributeNames": ["All"] });
    let schedules = json!({ "Name": morning, "GroupName": morning });
    let groups = json!({ "logGroupNamePrefix": format!("/aws/lambda/{published}") });
    vec![
        change(
            "bedrock/QueuePolicy/research-papers-failed",
            json!(["sqs", "get_queue_attributes", failed]),
            json!(["sqs", "set_queue_attributes", { "QueueUrl": failed["QueueUrl"], "Attributes": { "Policy": policy } }]),
        ),
        change(
            "lambda/QueueRedrive/research-papers-in",
            json!(["sqs", "get_queue_attributes", papers]),
            json!(["sqs", "set_queue_attributes", { "QueueUrl": papers["QueueUrl"], "Attributes": { "VisibilityTimeout": "60" } }]),
        ),
        // What nobody asked for goes away.
        change(
            "bedrock/FunctionPermission/acme-staging-trigger-paper-reader-published.theirs",
            json!(["lambda", "get_policy", function(published)]),
            json!(["lambda", "add_permission", with(&function(published), json!({ "StatementId": "theirs", "Action": "lambda:InvokeFunction", "Principal": "events.amazonaws.com" }))]),
        ),
        change(
            "bedrock/EventInvokeConfig/acme-staging-trigger-paper-reader-morning",
            json!(["lambda", "get_function_event_invoke_config", function(morning)]),
            json!(["lambda", "put_function_event_invoke_config", with(&function(morning), json!({ "MaximumRetryAttempts": 1 }))]),
        ),
        change(
            "lambda/FunctionConcurrency/acme-staging-workload-keyworder",
            json!(["lambda", "get_function_concurrency", function(keyworder)]),
            json!(["lambda", "put_function_concurrency", with(&function(keyworder), json!({ "ReservedConcurrentExecutions": 1 }))]),
        ),
        change(
            "lambda/EventSourceMapping/acme-staging-workload-keyworder",
            json!(["lambda", "get_event_source_mapping", mapping]),
            json!(["lambda", "update_event_source_mapping", with(&mapping, json!({ "BatchSize": 7 }))]),
        ),
        change(
            "bedrock/LogRetention/acme-staging-trigger-paper-reader-published",
            json!(["logs", "describe_log_groups", groups]),
            json!(["logs", "put_retention_policy", { "logGroupName": format!("/aws/lambda/{published}"), "retentionInDays": 1 }]),
        ),
        change(
            "bedrock/LogGroup/acme-staging-trigger-paper-reader-morning",
            json!(["logs", "list_tags_for_resource", { "resourceArn": group }]),
            json!(["logs", "tag_resource", { "resourceArn": group, "tags": { "cost": "theirs" } }]),
        ),
        change(
            "bedrock/Schedule/acme-staging-trigger-paper-reader-morning",
            json!(["scheduler", "get_schedule", schedules]),
            json!(["scheduler", "update_schedule", with(&schedule, json!({ "State": "DISABLED" }))]),
        ),
        change(
            "bedrock/ScheduleGroup/acme-staging-trigger-paper-reader-morning",
            json!(["scheduler", "list_tags_for_resource", { "ResourceArn": schedule_group }]),
            json!(["scheduler", "tag_resource", { "ResourceArn": schedule_group, "Tags": [{ "Key": "cost", "Value": "theirs" }] }]),
        ),
        change(
            "bedrock/Table/acme-staging-starts-paper-reader",
            json!(["dynamodb", "describe_table", table]),
            json!(["dynamodb", "update_table", with(&table, json!({ "DeletionProtectionEnabled": true }))]),
        ),
        change(
            "bedrock/Subscription/acme-staging-trigger-paper-reader-published",
            json!(["sns", "get_subscription_attributes", { "SubscriptionArn": subscription }]),
            json!(["sns", "set_subscription_attributes", { "SubscriptionArn": subscription, "AttributeName": "RawMessageDelivery", "AttributeValue": "true" }]),
        ),
        change(
            "bedrock/TimeToLive/acme-staging-starts-paper-reader",
            json!(["dynamodb", "describe_time_to_live", table]),
            json!(["dynamodb", "update_time_to_live", with(&table, json!({ "TimeToLiveSpecification": { "Enabled": false, "AttributeName": "expires" } }))]),
        ),
        change(
            "bedrock/EnforcedGuardrail/acme-staging-eu-central-1",
            json!(["bedrock", "list_enforced_guardrails_configuration", {}]),
            json!(["bedrock", "put_enforced_guardrail_configuration", { "configId": enforced["configId"], "guardrailInferenceConfig": {
                "guardrailIdentifier": enforced["guardrailId"], "guardrailVersion": enforced["guardrailVersion"],
                "modelEnforcement": enforced["modelEnforcement"],
                "selectiveContentGuarding": { "system": "SELECTIVE", "messages": "COMPREHENSIVE" },
            } }]),
        ),
    ]
    .into_iter()
    .chain(staging_watched(site))
    .collect()
}

fn staging_watched(site: &Whole) -> Vec<Change> {
    let account = site.account;
    let monthly = json!({ "AccountId": account, "BudgetName": "acme-staging-acme-monthly" });
    let mut budget = site.asks("budgets", "describe_budget", monthly.clone())["Budget"].take();
    budget
        .as_object_mut()
        .unwrap()
        .retain(|key, _| !["CalculatedSpend", "HealthStatus", "LastUpdatedTime"].contains(&key.as_str()));
    budget["BudgetLimit"]["Amount"] = json!("1");
    let actions = site.asks("budgets", "describe_budget_actions_for_budget", monthly.clone());
    let action = json!({ "AccountId": account, "BudgetName": monthly["BudgetName"], "ActionId": actions["Actions"][0]["ActionId"] });
    let mut changed = action.clone();
    changed["ActionThreshold"] = json!({ "ActionThresholdValue": 5.0, "ActionThresholdType": "PERCENTAGE" });
    let queries = json!({ "queryDefinitionNamePrefix": "acme-staging-paper-reader-trace" });
    let query =
        site.asks("logs", "describe_query_definitions", queries.clone())["queryDefinitions"][0].take();
    let control = site.asks("organizations", "list_policies", json!({ "Filter": "SERVICE_CONTROL_POLICY" }));
    let of_us = |one: &&Value| one["Name"] == "acme-staging-bedrock";
    let control = control["Policies"].as_array().unwrap().iter().find(of_us).unwrap()["Id"].clone();
    let destination = json!({ "resourceArn": format!("arn:aws:logs:eu-central-1:{account}:delivery-destination:acme-staging-traces-xray") });
    let mut tagged = destination.clone();
    tagged["tags"] = json!({ "cost": "theirs" });
    let policy = json!({ "Version": "2012-10-17", "Statement": [] }).to_string();
    let spans = "acme-staging-paper-reader-gateway-spans";
    let deliveries = site.asks("logs", "describe_deliveries", json!({}));
    let of_spans = |one: &&Value| one["deliverySourceName"] == spans;
    let delivery = deliveries["deliveries"].as_array().unwrap().iter().find(of_spans).unwrap();
    let delivery = json!({ "resourceArn": delivery["arn"] });
    let source =
        json!({ "resourceArn": format!("arn:aws:logs:eu-central-1:{account}:delivery-source:{spans}") });
    let retagged = |resource: &Value, tag: Value| {
        let mut asked = resource.clone();
        asked["tags"] = tag;
        json!(["logs", "tag_resource", asked])
    };
    vec![
        change(
            "observability/Delivery/acme-staging-paper-reader-gateway-spans",
            json!(["logs", "list_tags_for_resource", delivery]),
            retagged(&delivery, json!({ "cost": "theirs" })),
        ),
        change(
            "observability/DeliverySource/acme-staging-paper-reader-gateway-spans",
            json!(["logs", "list_tags_for_resource", source]),
            retagged(&source, json!({ "cost": "theirs" })),
        ),
        change(
            "observability/Budget/acme-staging-acme-monthly",
            json!(["budgets", "describe_budget", monthly]),
            json!(["budgets", "update_budget", { "AccountId": account, "NewBudget": budget }]),
        ),
        change(
            "observability/BudgetAction/acme-staging-acme-monthly",
            json!(["budgets", "describe_budget_action", action]),
            json!(["budgets", "update_budget_action", changed]),
        ),
        change(
            "observability/QueryDefinition/acme-staging-paper-reader-trace",
            json!(["logs", "describe_query_definitions", queries]),
            json!(["logs", "put_query_definition", { "queryDefinitionId": query["queryDefinitionId"], "name": query["name"], "queryString": "fields @message" }]),
        ),
        change(
            "observability/LogPolicy/acme-staging-traces",
            json!(["logs", "describe_resource_policies", {}]),
            json!(["logs", "put_resource_policy", { "policyName": "acme-staging-traces", "policyDocument": policy }]),
        ),
        change(
            "observability/TraceDestination/acme-staging-traces",
            json!(["xray", "get_trace_segment_destination", {}]),
            json!(["xray", "update_trace_segment_destination", { "Destination": "XRay" }]),
        ),
        change(
            "observability/DeliveryDestination/acme-staging-traces-xray",
            json!(["logs", "list_tags_for_resource", destination]),
            json!(["logs", "tag_resource", tagged]),
        ),
        change(
            "iam/ServiceControlPolicy/acme-staging-bedrock",
            json!(["organizations", "list_targets_for_policy", { "PolicyId": control }]),
            json!(["organizations", "detach_policy", { "PolicyId": control, "TargetId": account }]),
        ),
    ]
}

#[test]
fn prod_is_made_taken_back_and_removed() {
    let site = Whole::prod();
    let before = everything(&site, &[]);
    site.apply();
    site.is_settled();
    site.is_taken_back(&prod_disturbed(&site));
    emptied(&site.folder, site.of());
    site.apply();
    site.is_settled();
    for (found, was) in everything(&site, &[]).iter().zip(&before) {
        assert_eq!(found, was);
    }
}

fn prod_disturbed(site: &Whole) -> Vec<Change> {
    let trigger = "acme-prod-trigger-case-assistant-event-bridge";
    let rule = json!({ "Name": trigger, "EventBusName": "support" });
    let targets = json!({ "Rule": trigger, "EventBusName": "support" });
    let queue = "acme-prod-approvals-eu-central-1";
    let queue = site.asks("sqs", "get_queue_url", json!({ "QueueName": queue }))["QueueUrl"].clone();
    let trail = json!({ "Name": "acme-prod-audit" });
    let selectors = json!({ "TrailName": "acme-prod-audit" });
    let policy = json!({ "Version": "2012-10-17", "Statement": [] }).to_string();
    let bucket = json!({ "Bucket": "acme-bank-statements" });
    let secret = json!({ "SecretId": "payments/dispute-clerk-client" });
    let alarm = "acme-prod-approvals-eu-central-1-waiting";
    let found = site.asks("cloudwatch", "describe_alarms", json!({ "AlarmNames": [alarm] }));
    let mut changed = found["MetricAlarms"][0].clone();
    let asked = [
        "AlarmName",
        "Namespace",
        "MetricName",
        "Period",
        "Statistic",
        "EvaluationPeriods",
        "ComparisonOperator",
    ];
    changed.as_object_mut().unwrap().retain(|key, _| asked.contains(&key.as_str()));
    changed["Threshold"] = json!(1.5);
    let logs = json!({ "logGroupNamePrefix": "/acme/prod/ai-invocations" });
    let streams =
        json!({ "logGroupName": "/acme/prod/ai-traces", "logStreamNamePrefix": "case-assistant/sessions" });
    let with = |members: &Value, name: &str, value: Value| {
        let mut members = members.clone();
        members[name] = value;
        members
    };
    let statements = json!({ "QueueUrl": site.queue("payments-statements"), "AttributeNames": ["All"] });
    let called = json!({ "FunctionName": trigger });
    let reader = json!({ "FunctionName": "acme-prod-trigger-statement-reader-sqs" });
    let mapping = site.asks("lambda", "list_event_source_mappings", reader);
    let mapping = json!({ "UUID": mapping["EventSourceMappings"][0]["UUID"] });
    vec![
        change(
            "bedrock/EventSourceMapping/acme-prod-trigger-statement-reader-sqs",
            json!(["lambda", "get_event_source_mapping", mapping]),
            json!(["lambda", "update_event_source_mapping", with(&mapping, "Enabled", json!(false))]),
        ),
        change(
            "bedrock/FunctionConcurrency/acme-prod-trigger-case-assistant-event-bridge",
            json!(["lambda", "get_function_concurrency", called]),
            json!(["lambda", "delete_function_concurrency", called]),
        ),
        change(
            "bedrock/QueueRedrive/payments-statements",
            json!(["sqs", "get_queue_attributes", statements]),
            json!(["sqs", "set_queue_attributes", { "QueueUrl": statements["QueueUrl"], "Attributes": { "RedrivePolicy": "" } }]),
        ),
        change(
            "bedrock/ApprovalQueue/acme-prod-approvals-eu-central-1",
            json!(["sqs", "get_queue_attributes", { "QueueUrl": queue, "AttributeNames": ["All"] }]),
            json!(["sqs", "set_queue_attributes", { "QueueUrl": queue, "Attributes": { "DelaySeconds": "9", "MessageRetentionPeriod": "60" } }]),
        ),
        change(
            "bedrock/Rule/acme-prod-trigger-case-assistant-event-bridge",
            json!(["events", "describe_rule", rule]),
            json!(["events", "disable_rule", rule]),
        ),
        change(
            "bedrock/RuleTargets/acme-prod-trigger-case-assistant-event-bridge",
            json!(["events", "list_targets_by_rule", targets]),
            json!([
                "events",
                "put_targets",
                with(
                    &targets,
                    "Targets",
                    json!([{ "Id": "theirs", "Arn": format!("arn:aws:lambda:eu-central-1:{}:function:{trigger}", site.account) }])
                )
            ]),
        ),
        change(
            "bedrock/LogStream/acme-prod-starts-case-assistant",
            json!(["logs", "describe_log_streams", streams]),
            json!(["logs", "delete_log_stream", { "logGroupName": "/acme/prod/ai-traces", "logStreamName": "case-assistant/sessions" }]),
        ),
        change(
            "observability/LogKey/acme-prod-invocations",
            json!(["logs", "describe_log_groups", logs]),
            json!(["logs", "disassociate_kms_key", { "logGroupName": "/acme/prod/ai-invocations" }]),
        ),
        change(
            "observability/LogRetention/acme-prod-invocations",
            json!(["logs", "describe_log_groups", logs]),
            json!(["logs", "put_retention_policy", { "logGroupName": "/acme/prod/ai-invocations", "retentionInDays": 1 }]),
        ),
        change(
            "observability/Alarm/acme-prod-approvals-eu-central-1-waiting",
            json!(["cloudwatch", "describe_alarms", { "AlarmNames": [alarm] }]),
            json!(["cloudwatch", "put_metric_alarm", changed]),
        ),
        change(
            "observability/Trail/acme-prod-audit",
            json!(["cloudtrail", "get_trail", trail]),
            json!(["cloudtrail", "update_trail", with(&trail, "IsMultiRegionTrail", json!(false))]),
        ),
        change(
            "observability/TrailLogging/acme-prod-audit",
            json!(["cloudtrail", "get_trail_status", trail]),
            json!(["cloudtrail", "stop_logging", trail]),
        ),
        change(
            "observability/TrailSelectors/acme-prod-audit",
            json!(["cloudtrail", "get_event_selectors", selectors]),
            json!([
                "cloudtrail",
                "put_event_selectors",
                with(
                    &selectors,
                    "AdvancedEventSelectors",
                    json!([{ "Name": "less", "FieldSelectors": [{ "Field": "eventCategory", "Equals": ["Management"] }] }])
                )
            ]),
        ),
        change(
            "iam/BucketPolicy/acme-prod-acme-bank-statements",
            json!(["s3", "get_bucket_policy", bucket]),
            json!(["s3", "put_bucket_policy", with(&bucket, "Policy", json!(policy))]),
        ),
        change(
            "iam/SecretPolicy/acme-prod-payments-dispute-clerk-client",
            json!(["secretsmanager", "get_resource_policy", secret]),
            json!(["secretsmanager", "put_resource_policy", with(&secret, "ResourcePolicy", json!(policy))]),
        ),
    ]
}

#[test]
fn settings_of_others_are_never_touched() {
    let site = Whole::staging();
    let url = site.queue("research-papers-failed");
    let arn = format!("arn:aws:sqs:eu-central-1:{}:research-papers-failed", site.account);
    let theirs = json!({ "Sid": "Theirs", "Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": arn });
    let policy = json!({ "Version": "2012-10-17", "Statement": [theirs] }).to_string();
    let theirs =
        json!(["sqs", "set_queue_attributes", { "QueueUrl": url, "Attributes": { "Policy": policy } }]);
    site.calls(&[theirs]);
    let read = json!(["sqs", "get_queue_attributes", { "QueueUrl": url, "AttributeNames": ["All"] }]);
    let before = site.calls(std::slice::from_ref(&read));
    let said = site.run(&["apply", "--yes"]).expect(3);
    assert!(
        said.contains("AIP-CMP-006") && said.contains("bedrock/QueuePolicy/research-papers-failed"),
        "{said}"
    );
    assert_eq!(site.calls(&[read]), before);
    assert_eq!(site.asks("lambda", "list_functions", json!({}))["Functions"], json!([]), "nothing is made");
}
