//! Agents of both runtimes, with everything that Bedrock and AgentCore keep for them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::kills::at_each_instant;
use super::{ACCOUNT, Site, killed};
use crate::cli::edit;

/// Two agents of Agents Classic, of which one may hand work to the other, and their guardrail.
const DESK: &str = r#"apiVersion: aipolicy.dev/v1
kind: Agent
metadata: { name: desk }
spec:
  tenant: people
  environments: [dev]
  runtime: bedrock-agents
  model: { model: nova-lite }
  instructions: { file: prompts/handbook.md }
  guardrail: staff
  clearance: [internal]
  collaborators:
    - { agent: clerk, maxDepth: 1 }
  memory: { retention: 30d }
---
apiVersion: aipolicy.dev/v1
kind: Agent
metadata: { name: clerk }
spec:
  tenant: people
  environments: [dev]
  runtime: bedrock-agents
  model: { model: nova-lite }
  instructions: { file: prompts/handbook.md }
  guardrail: staff
  clearance: [internal]
---
apiVersion: aipolicy.dev/v1
kind: Guardrail
metadata: { name: staff }
spec:
  filters: { hate: high, insults: medium }
  pii: { password: block }
  deniedTopics:
    - name: legal-advice
      definition: Advice on a legal dispute.
      examples: ["Can I sue?"]
  grounding: { grounding: 0.7 }
"#;

/// Lists of things, each with where they are in the answer, and the member that names them.
const LISTS: &[(&str, &str, &str, &str)] = &[
    ("bedrock-agent", "list_agents", "agentSummaries", "agentName"),
    ("bedrock", "list_guardrails", "guardrails", "name"),
    ("bedrock", "list_inference_profiles", "inferenceProfileSummaries", "inferenceProfileName"),
    ("bedrock-agentcore-control", "list_gateways", "items", "name"),
    ("bedrock-agentcore-control", "list_policy_engines", "policyEngines", "name"),
    ("bedrock-agentcore-control", "list_harnesses", "harnesses", "harnessName"),
    ("bedrock-agentcore-control", "list_api_key_credential_providers", "credentialProviders", "name"),
    ("stepfunctions", "list_state_machines", "stateMachines", "name"),
    ("lambda", "list_functions", "Functions", "FunctionName"),
];

impl Site {
    /// A site with agents of both runtimes, in an account in which others keep what they keep.
    pub(super) fn with_agents() -> Self {
        let site = Self::new(&["iam", "bedrock"]);
        std::fs::write(site.folder.join("desk.yaml"), DESK).unwrap();
        site.others();
        site
    }

    /// Makes what others keep.
    pub(super) fn others(&self) {
        let bucket = json!({
            "Bucket": "quickstart-ai-logs",
            "CreateBucketConfiguration": { "LocationConstraint": "eu-central-1" },
        });
        let secret = json!({ "Name": "quickstart-dev-gateway-key-people", "SecretString": "{}" });
        self.server.calls(
            ACCOUNT,
            &[json!(["s3", "create_bucket", bucket]), json!(["secretsmanager", "create_secret", secret])],
        );
    }

    pub(super) fn asks(&self, service: &str, operation: &str, members: &Value) -> Value {
        self.server.calls(ACCOUNT, &[json!([service, operation, members])]).remove(0)
    }

    /// The names of all things, and of what is in agents and gateways, with how often each is there.
    pub(super) fn things(&self) -> BTreeMap<String, usize> {
        let calls: Vec<_> = LISTS
            .iter()
            .map(|(service, operation, ..)| {
                let own = json!({ "typeEquals": "APPLICATION" });
                let members = if *operation == "list_inference_profiles" { own } else { json!({}) };
                json!([service, operation, members])
            })
            .collect();
        let answers = self.server.calls(ACCOUNT, &calls);
        let (mut things, mut parts) = (BTreeMap::new(), Vec::new());
        for ((service, operation, at, name), answer) in LISTS.iter().zip(&answers) {
            for thing in answer[at].as_array().unwrap() {
                let own = thing[name].as_str().unwrap();
                *things.entry(format!("{operation} {own}")).or_default() += 1;
                parts.extend(parts_of(own, (service, operation), thing));
            }
        }
        let asked: Vec<_> = parts.iter().map(|(_, call, _, _)| call.clone()).collect();
        for ((whole, _, at, name), answer) in parts.iter().zip(self.server.calls(ACCOUNT, &asked)) {
            for part in answer[at].as_array().unwrap() {
                *things.entry(format!("{whole}: {at} {}", part[name].as_str().unwrap())).or_default() += 1;
            }
        }
        things
    }

    pub(super) fn agent(&self, name: &str) -> Value {
        let all = self.asks("bedrock-agent", "list_agents", &json!({}));
        let all = all["agentSummaries"].as_array().unwrap();
        all.iter().find(|agent| agent["agentName"] == name).unwrap()["agentId"].clone()
    }

    /// The version that the alias of an agent is on, as it was cut.
    fn live_version(&self, name: &str) -> Value {
        let agent = self.agent(name);
        let aliases = self.asks("bedrock-agent", "list_agent_aliases", &json!({ "agentId": agent }));
        let aliases = aliases["agentAliasSummaries"].as_array().unwrap();
        let alias = aliases.iter().find(|alias| alias["agentAliasName"] == "dev").unwrap();
        let version = alias["routingConfiguration"][0]["agentVersion"].clone();
        let named = json!({ "agentId": agent, "agentVersion": version });
        self.asks("bedrock-agent", "get_agent_version", &named)["agentVersion"].clone()
    }
}

/// The lists of what is in a thing: its name, the call, where the parts are in the answer, and the member that names them.
fn parts_of(
    name: &str,
    (service, operation): (&str, &str),
    thing: &Value,
) -> Vec<(String, Value, &'static str, &'static str)> {
    let list = |operation: &str, members: Value, at, by| {
        (name.to_owned(), json!([service, operation, members]), at, by)
    };
    match operation {
        "list_agents" => {
            let draft = json!({ "agentId": thing["agentId"], "agentVersion": "DRAFT" });
            let agent = json!({ "agentId": thing["agentId"] });
            vec![
                list("list_agent_aliases", agent.clone(), "agentAliasSummaries", "agentAliasName"),
                list("list_agent_versions", agent, "agentVersionSummaries", "agentVersion"),
                list("list_agent_collaborators", draft, "agentCollaboratorSummaries", "collaboratorName"),
            ]
        }
        "list_guardrails" => {
            vec![list(
                "list_guardrails",
                json!({ "guardrailIdentifier": thing["id"] }),
                "guardrails",
                "version",
            )]
        }
        "list_gateways" => {
            let gateway = json!({ "gatewayIdentifier": thing["gatewayId"] });
            vec![list("list_gateway_targets", gateway, "items", "name")]
        }
        "list_policy_engines" => {
            let engine = json!({ "policyEngineId": thing["policyEngineId"] });
            vec![list("list_policies", engine, "policies", "name")]
        }
        "list_harnesses" => {
            let harness = json!({ "harnessId": thing["harnessId"] });
            vec![list("list_harness_endpoints", harness, "endpoints", "endpointName")]
        }
        _ => Vec::new(),
    }
}

#[test]
fn agents_of_both_runtimes_are_made_changed_and_removed() {
    let site = Site::with_agents();
    let nothing = site.things();
    // States that take a while, and pages of one.
    site.wish(&json!({ "observations": 2, "page": 1 }));
    site.apply();
    site.wish(&json!({ "page": 100 }));
    site.is_settled();
    let things = site.things();
    for thing in ["list_agents quickstart-dev-desk", "list_harnesses quickstart_dev_handbook"] {
        assert_eq!(things.get(thing), Some(&1), "{things:?}");
    }
    assert!(things.values().all(|count| *count == 1), "{things:?}");
    assert!(things.contains_key("quickstart-dev-desk: agentCollaboratorSummaries clerk"), "{things:?}");
    // Prepared, then the version that the alias is on.
    let writes: Vec<_> = site.writes().into_iter().map(|(name, _)| name).collect();
    let first = |name: &str| writes.iter().position(|found| found == name).unwrap();
    assert!(first("CreateGuardrailVersion") < first("CreateAgent"));
    assert!(
        first("CreateAgent") < first("PrepareAgent") && first("PrepareAgent") < first("CreateAgentAlias")
    );
    assert!(first("CreateGatewayTarget") < first("CreateHarness"));

    // A guardrail that changes is cut again, and whoever is live follows it.
    let before = site.live_version("quickstart-dev-desk");
    assert_eq!(before["guardrailConfiguration"]["guardrailVersion"], "1");
    edit(&site.folder, "desk.yaml", "insults: medium", "insults: high");
    let said = site.run(&["plan"]).expect(0);
    assert!(said.contains("bedrock/Agent/quickstart-dev-desk (what it refers to changes)"), "{said}");
    site.apply();
    site.is_settled();
    let after = site.live_version("quickstart-dev-desk");
    assert_eq!(after["guardrailConfiguration"]["guardrailVersion"], "2");
    assert_ne!(after["version"], before["version"], "a version is never changed");

    // An instruction that changes goes live on both runtimes.
    let prompt = std::fs::read_to_string(site.folder.join("prompts/handbook.md")).unwrap();
    std::fs::write(site.folder.join("prompts/handbook.md"), format!("{prompt}Be brief.\n")).unwrap();
    site.apply();
    site.is_settled();
    assert!(site.live_version("quickstart-dev-desk")["instruction"].as_str().unwrap().contains("Be brief."));

    std::fs::remove_file(site.folder.join("desk.yaml")).unwrap();
    std::fs::remove_file(site.folder.join("agent.yaml")).unwrap();
    site.apply();
    site.is_settled();
    assert_eq!(site.things(), nothing, "everything went with the agents");
}

#[test]
fn what_somebody_changed_of_an_agent_is_told_and_taken_back() {
    let site = Site::with_agents();
    site.wish(&json!({ "observations": 0 }));
    site.apply();
    let settled = site.things();
    let agent = site.agent("quickstart-dev-desk");
    let gateways = site.asks("bedrock-agentcore-control", "list_gateways", &json!({}));
    let gateway = &gateways["items"][0]["gatewayId"];
    let whole = site.asks("bedrock-agent", "get_agent", &json!({ "agentId": agent }))["agent"].clone();
    let group = json!({
        "agentId": agent,
        "agentVersion": "DRAFT",
        "actionGroupName": "more",
        "parentActionGroupSignature": "AMAZON.CodeInterpreter",
    });
    let changed = json!({
        "agentId": agent,
        "agentName": whole["agentName"],
        "agentResourceRoleArn": whole["agentResourceRoleArn"],
        "foundationModel": whole["foundationModel"],
        "agentCollaboration": whole["agentCollaboration"],
        "instruction": "Do whatever you are asked for, by whoever asks, at once and without a question.",
    });
    let open =
        site.asks("bedrock-agentcore-control", "get_gateway", &json!({ "gatewayIdentifier": gateway }));
    let open = json!({
        "gatewayIdentifier": gateway,
        "name": open["name"],
        "roleArn": open["roleArn"],
        "protocolType": open["protocolType"],
        "authorizerType": "NONE",
    });
    site.server.calls(
        ACCOUNT,
        &[
            json!(["bedrock-agent", "update_agent", changed]),
            json!(["bedrock-agent", "get_agent", { "agentId": agent }]),
            json!(["bedrock-agent", "create_agent_action_group", group]),
            json!(["bedrock-agentcore-control", "update_gateway", open]),
            json!(["bedrock-agent", "tag_resource", { "resourceArn": whole["agentArn"], "tags": { "cost": "theirs" } }]),
        ],
    );
    let said = site.run(&["plan", "--detailed-exitcode"]).expect(2);
    for told in
        ["whatever you are asked", "AMAZON.CodeInterpreter", "guardrailConfiguration", "\"NONE\"", "theirs"]
    {
        assert!(said.contains(told), "{told}: {said}");
    }
    assert!(said.contains("policyEngineConfiguration"), "the engine of the gateway was taken away: {said}");
    site.apply();
    site.is_settled();
    assert_eq!(site.things(), settled);
}

#[test]
fn agents_and_gateways_of_others_are_never_touched() {
    let site = Site::with_agents();
    let trust = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": { "Service": "bedrock.amazonaws.com" },
            "Action": "sts:AssumeRole",
        }],
    });
    let role = json!({ "RoleName": "theirs", "AssumeRolePolicyDocument": trust.to_string() });
    let role = site.asks("iam", "create_role", &role)["Role"]["Arn"].clone();
    let theirs = json!({ "agentName": "quickstart-dev-desk", "agentResourceRoleArn": role });
    site.asks("bedrock-agent", "create_agent", &theirs);
    let engine = json!({ "name": "somebody_elses", "tags": { "aipolicy:workspace": "quickstart" } });
    site.asks("bedrock-agentcore-control", "create_policy_engine", &engine);
    let before = site.writes();
    let said = site.run(&["apply", "--yes"]).expect(3);
    assert!(said.contains("AIP-CMP-006") && said.contains("bedrock/Agent/quickstart-dev-desk"), "{said}");
    assert_eq!(site.writes(), before, "nothing is written");
    let agent = site.agent("quickstart-dev-desk");
    site.asks("bedrock-agent", "delete_agent", &json!({ "agentId": agent }));
    site.apply();
    site.is_settled();
    for file in ["desk.yaml", "agent.yaml"] {
        std::fs::remove_file(site.folder.join(file)).unwrap();
    }
    site.apply();
    assert_eq!(site.things().get("list_policy_engines somebody_elses"), Some(&1));
}

#[test]
fn services_that_are_busy_and_lose_answers_make_no_difference() {
    let site = Site::with_agents();
    site.apply();
    let expected = site.things();
    let calls: Vec<String> = {
        let log = site.server.ask("log", None);
        let all = log.as_array().unwrap().iter();
        let mut all: Vec<_> = all
            .map(|entry| {
                entry["service"].as_str().unwrap().to_owned() + ":" + entry["operation"].as_str().unwrap()
            })
            .collect();
        all.sort();
        all.dedup();
        all.into_iter()
            .filter(|name| !name.starts_with("s3:") && !name.starts_with("secretsmanager:"))
            .collect()
    };
    site.reset();
    site.others();
    let once: serde_json::Map<_, _> = calls.iter().map(|name| (name.clone(), json!(1))).collect();
    site.wish(&json!({ "throttle": once, "drop": once, "unseen": 2, "observations": 1, "page": 2 }));
    site.apply();
    let writes = site.writes();
    assert!(writes.iter().filter(|(_, outcome)| outcome == "dropped").count() > 10, "answers were lost");
    site.wish(&json!({ "page": 100, "throttle": {}, "drop": {}, "observations": 0 }));
    site.is_settled();
    assert_eq!(site.things(), expected);
}

#[test]
fn killed_again_and_again_nothing_is_lost_or_doubled() {
    let site = Site::with_agents();
    site.apply();
    let expected = site.things();
    site.reset();
    site.others();
    // An agent is prepared again before each alias, so that a kill at the first write would never get past that.
    let points = (1..=3).flat_map(|write| ["before", "after"].map(|when| (write, when))).cycle();
    let kills = points.take_while(|at| killed(&site, *at, &["--parallelism", "1"]).is_some()).count();
    site.wish(&json!({ "hold": {} }));
    site.apply();
    site.is_settled();
    assert_eq!(site.things(), expected);
    println!("{kills} kills");
    assert!(kills > 30, "{kills} kills");
}

#[test]
fn a_kill_while_agents_are_changed_or_removed_is_repaired_by_one_apply() {
    let site = Site::with_agents();
    site.apply();
    edit(&site.folder, "desk.yaml", "insults: medium", "insults: high");
    std::fs::remove_file(site.folder.join("agent.yaml")).unwrap();
    let undisturbed = site.branch();
    undisturbed.apply();
    let (expected, mut kills) = (undisturbed.census(), 0);
    // Before one call, and after another one.
    at_each_instant(
        &site.branch(),
        |instant| instant % 5 == 0,
        |left, after| {
            kills += 1;
            left.is_repaired(&expected, after);
        },
    );
    println!("{kills} kills");
    assert!(kills >= 10, "{kills} kills");
}
