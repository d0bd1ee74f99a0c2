//! New versions of agents: tried by a share of what triggers start, then given to callers, or taken back.

use serde_json::{Value, json};

use super::Site;
use crate::cli::edit;

/// Two agents that a schedule starts, one of each runtime.
const CLOCKS: &str = r#"apiVersion: aipolicy.dev/v1
kind: Agent
metadata: { name: classic }
spec:
  tenant: people
  environments: [dev]
  runtime: bedrock-agents
  model: { model: nova-lite }
  instructions: { file: prompts/handbook.md }
  clearance: [internal]
  triggers:
    - { name: hourly, schedule: { rate: 1h, deadLetter: failed } }
  release: { canary: { weight: 20%, bake: 1h, abort: { errorRate: 5% } } }
---
apiVersion: aipolicy.dev/v1
kind: Agent
metadata: { name: harnessed }
spec:
  tenant: people
  environments: [dev]
  model: { model: nova-lite }
  instructions: { file: prompts/handbook.md }
  clearance: [internal]
  limits: { wallClock: 5m, tokensPerSession: 50k }
  triggers:
    - { name: hourly, schedule: { rate: 1h, deadLetter: failed } }
  release: { canary: { weight: 20%, bake: 1h, abort: { errorRate: 5%, p99: 1m } } }
---
apiVersion: aipolicy.dev/v1
kind: Connector
metadata: { name: failed }
spec:
  sqs: { queue: quickstart-failed }
  region: eu-central-1
  dataClass: internal
"#;

/// What callers of an agent get, and what is tried: the versions, and what tells their states.
#[derive(Debug, PartialEq)]
struct Live {
    callers: (Value, Value),
    tried: (Value, Value),
}

impl Live {
    fn is_one(&self) -> bool {
        self.callers == self.tried
    }
}

impl Site {
    fn with_clocks() -> Self {
        let site = Self::new(&["iam", "bedrock"]);
        std::fs::write(site.folder.join("clocks.yaml"), CLOCKS).unwrap();
        site.others();
        site.asks("sqs", "create_queue", &json!({ "QueueName": "quickstart-failed" }));
        site.wish(&json!({ "observations": 0 }));
        site
    }

    fn classic(&self) -> Live {
        let all = self.asks("bedrock-agent", "list_agents", &json!({}));
        let named = |one: &&Value| one["agentName"] == "quickstart-dev-classic";
        let agent = all["agentSummaries"].as_array().unwrap().iter().find(named).unwrap()["agentId"].clone();
        let aliases = self.asks("bedrock-agent", "list_agent_aliases", &json!({ "agentId": agent }));
        let aliases = aliases["agentAliasSummaries"].as_array().unwrap();
        let of = |name: &str| {
            let alias = aliases.iter().find(|alias| alias["agentAliasName"] == name).unwrap();
            (alias["routingConfiguration"][0]["agentVersion"].clone(), alias["description"].clone())
        };
        Live { callers: of("dev"), tried: of("dev-canary") }
    }

    fn harnessed(&self) -> Live {
        let all = self.asks("bedrock-agentcore-control", "list_harnesses", &json!({}));
        let named = |one: &&Value| one["harnessName"] == "quickstart_dev_harnessed";
        let all = all["harnesses"].as_array().unwrap();
        let harness = all.iter().find(named).unwrap()["harnessId"].clone();
        let of = |name: &str| {
            let endpoint = json!({ "harnessId": harness, "endpointName": name });
            let endpoint = self.asks("bedrock-agentcore-control", "get_harness_endpoint", &endpoint);
            let endpoint = &endpoint["endpoint"];
            (endpoint["targetVersion"].clone(), endpoint["description"].clone())
        };
        Live { callers: of("dev"), tried: of("dev_canary") }
    }

    fn says(&self, words: &str) {
        let prompt = self.folder.join("prompts/handbook.md");
        let text = std::fs::read_to_string(&prompt).unwrap();
        std::fs::write(prompt, format!("{text}{words}\n")).unwrap();
    }

    fn bakes(&self, before: &str, after: &str) {
        for abort in ["{ errorRate: 5% }", "{ errorRate: 5%, p99: 1m }"] {
            let [before, after] = [before, after].map(|bake| format!("bake: {bake}, abort: {abort}"));
            edit(&self.folder, "clocks.yaml", &before, &after);
        }
    }

    /// Sets each alarm of the versions that are tried.
    fn alarms_are(&self, state: &str) {
        let all =
            self.asks("cloudwatch", "describe_alarms", &json!({ "AlarmNamePrefix": "quickstart-dev-" }));
        for alarm in all["MetricAlarms"].as_array().unwrap() {
            let set = json!({ "AlarmName": alarm["AlarmName"], "StateValue": state, "StateReason": "told" });
            self.asks("cloudwatch", "set_alarm_state", &set);
        }
    }
}

#[test]
fn a_new_version_is_tried_then_given_to_callers_or_taken_back() {
    let site = Site::with_clocks();
    site.apply();
    site.is_settled();
    let first = (site.classic(), site.harnessed());
    assert!(first.0.is_one() && first.1.is_one(), "nobody waits for the first version: {first:?}");

    site.says("Be brief.");
    let said = site.apply();
    assert!(said.contains("is tried from now on, and callers get it after 1 h"), "{said}");
    let second = (site.classic(), site.harnessed());
    for (before, after) in [(&first.0, &second.0), (&first.1, &second.1)] {
        assert_eq!(after.callers, before.callers, "callers have what they had");
        assert_ne!(after.tried.0, before.tried.0);
        assert_ne!(after.tried.1, before.tried.1);
    }
    let said = site.run(&["plan", "--detailed-exitcode"]).expect(0);
    assert!(said.contains("no changes") && said.contains("is tried, and callers get it after"), "{said}");

    // No document says how long it takes, so the time can be shortened while it runs.
    site.bakes("1h", "1s");
    site.alarms_are("INSUFFICIENT_DATA");
    let said = site.run(&["plan", "--detailed-exitcode"]).expect(0);
    assert!(said.contains("measured nothing yet"), "nothing was started: {said}");
    site.alarms_are("OK");
    let said = site.run(&["plan", "--detailed-exitcode"]).expect(2);
    assert!(said.contains("was tried, and nothing went wrong: callers get it"), "{said}");
    assert!(!said.contains("changed by somebody else"), "{said}");
    site.apply();
    site.is_settled();
    let third = (site.classic(), site.harnessed());
    assert!(third.0.is_one() && third.1.is_one(), "{third:?}");
    assert_eq!(third.0.tried, second.0.tried, "callers get the version that was tried, and no other");
    assert_eq!(third.1.tried, second.1.tried);

    // The next one makes an alarm ring: callers never get it, and taking the change back makes them one again.
    site.says("Answer in verse.");
    site.apply();
    let failing = site.classic();
    assert_eq!(failing.callers, third.0.callers);
    site.alarms_are("ALARM");
    let said = site.run(&["plan", "--detailed-exitcode"]).expect(0);
    assert!(said.contains("no changes") && said.contains("is not tried any more"), "{said}");
    edit(&site.folder, "prompts/handbook.md", "Answer in verse.\n", "");
    site.apply();
    site.is_settled();
    let fourth = (site.classic(), site.harnessed());
    assert_eq!((&fourth.0.callers.1, &fourth.1.callers.1), (&third.0.callers.1, &third.1.callers.1));
    assert!(fourth.0.is_one() && fourth.1.is_one(), "{fourth:?}");

    // Somebody who cannot wait says so, for one of them.
    site.bakes("1s", "1h");
    site.says("Be polite.");
    site.apply();
    site.run(&["apply", "--yes", "--promote", "classic"]).expect(0);
    assert!(site.classic().is_one() && !site.harnessed().is_one());
    let said = site.run(&["apply", "--yes", "--promote", "nobody"]).expect(1);
    assert!(said.contains("there is no agent `nobody`"), "{said}");
}
