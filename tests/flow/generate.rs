//! Workspaces made by chance, as JSON values: the same for the same seed.

use fastrand::Rng;
use serde_json::{Map, Value, json};

/// Regions of every kind: in the EU, beside it, in the US, and one of which profiles know little.
const REGIONS: [&str; 8] = [
    "eu-central-1",
    "eu-west-1",
    "eu-north-1",
    "eu-central-2",
    "eu-west-2",
    "us-east-1",
    "us-west-2",
    "ap-southeast-2",
];
const CLASSES: [&str; 4] = ["public", "internal", "confidential", "restricted"];
const ENVIRONMENTS: [&str; 2] = ["prod", "lab"];

/// One resource.
#[derive(Clone, Debug)]
pub(super) struct Resource {
    pub(super) kind: &'static str,
    pub(super) name: String,
    pub(super) spec: Map<String, Value>,
}

/// A workspace for a seed. Every name that it refers to is there.
pub(super) fn workspace(seed: u64) -> Vec<Resource> {
    let mut made = Made { rng: Rng::with_seed(seed), all: Vec::new() };
    made.add("Workspace", "w", json!({ "packs": ["baseline", "residency"], "targets": [] }));
    made.places();
    made.rules();
    made.connectors();
    made.models();
    made.routes();
    made.agents();
    made.workloads();
    made.all
}

/// The text of a workspace. JSON is YAML.
pub(super) fn text(all: &[Resource]) -> String {
    let document = |one: &Resource| {
        let value = json!({
            "apiVersion": "aipolicy.dev/v1",
            "kind": one.kind,
            "metadata": { "name": one.name },
            "spec": one.spec,
        });
        format!("---\n{value}\n")
    };
    all.iter().map(document).collect()
}

struct Made {
    rng: Rng,
    all: Vec<Resource>,
}

impl Made {
    fn add(&mut self, kind: &'static str, name: &str, spec: Value) {
        let Value::Object(mut spec) = spec else { panic!("a specification is an object") };
        spec.retain(|_, value| !value.is_null());
        self.all.push(Resource { kind, name: name.to_owned(), spec });
    }

    fn one<'w>(&mut self, words: &[&'w str]) -> &'w str {
        words[self.rng.usize(..words.len())]
    }

    /// Some of the words, at least so many, in any order.
    fn some(&mut self, words: &[&str], least: usize) -> Vec<String> {
        let mut chosen: Vec<_> = words.iter().map(|word| (*word).to_owned()).collect();
        self.rng.shuffle(&mut chosen);
        chosen.truncate(self.rng.usize(least..=words.len().max(least)));
        chosen
    }

    fn often(&mut self, value: impl FnOnce(&mut Self) -> Value) -> Value {
        if self.rng.u8(..3) > 0 { value(self) } else { Value::Null }
    }

    fn rarely(&mut self, value: impl FnOnce(&mut Self) -> Value) -> Value {
        if self.rng.u8(..4) == 0 { value(self) } else { Value::Null }
    }

    fn region(&mut self) -> &'static str {
        self.one(&REGIONS)
    }

    fn names(&self, kind: &str) -> Vec<String> {
        self.all.iter().filter(|one| one.kind == kind).map(|one| one.name.clone()).collect()
    }

    fn named(&mut self, kind: &str) -> String {
        let names = self.names(kind);
        names[self.rng.usize(..names.len())].clone()
    }

    fn spec(&self, kind: &str, name: &str) -> &Map<String, Value> {
        &self.all.iter().find(|one| one.kind == kind && one.name == name).unwrap().spec
    }

    /// Tenants that are in an environment.
    fn tenants_in(&self, environment: &str) -> Vec<String> {
        let is_in = |one: &&Resource| {
            one.spec["environments"].as_array().unwrap().iter().any(|name| name == environment)
        };
        let tenants = self.all.iter().filter(|one| one.kind == "Tenant").filter(is_in);
        tenants.map(|one| one.name.clone()).collect()
    }

    fn places(&mut self) {
        for at in 0..3 {
            let kind = match self.rng.u8(..3) {
                0 => json!({ "s3": { "bucket": format!("store-{at}") } }),
                1 => json!({ "cloudWatch": { "logGroup": format!("/store/{at}") } }),
                _ => json!({ "cache": { "name": format!("store-{at}") } }),
            };
            let mut spec = json!({ "region": self.region(), "holds": "restricted" });
            spec.as_object_mut().unwrap().extend(kind.as_object().unwrap().clone());
            if kind.get("s3").is_some() {
                spec["replicatesTo"] = self.rarely(|made| json!([made.region()]));
            }
            self.add("DataStore", &format!("s{at}"), spec);
        }
        for name in ENVIRONMENTS {
            let account = if name == "prod" { "111122223333" } else { "444455556666" };
            let regions = self.some(&REGIONS, 1);
            let logging = self.rarely(
                |made| json!({ "invocations": made.named("DataStore"), "traces": made.named("DataStore") }),
            );
            self.add(
                "Environment",
                name,
                json!({ "aws": { "accountId": account, "regions": regions }, "logging": logging }),
            );
        }
        for at in 0..self.rng.usize(0..3) {
            let (environment, region) = (self.one(&ENVIRONMENTS), self.region());
            self.add(
                "Cluster",
                &format!("c{at}"),
                json!({ "environment": environment, "region": region, "eksName": format!("c-{at}"), "identity": "pod-identity" }),
            );
        }
        for at in 0..self.rng.usize(1..3) {
            let environments = self.some(&ENVIRONMENTS, 1);
            let clearance = self.some(&CLASSES, 1);
            let namespaces = self.rarely(|_| json!([format!("space-{at}")]));
            let clusters = self.names("Cluster");
            let clusters: Vec<_> = clusters.iter().map(String::as_str).collect();
            let clusters = self.rarely(|made| json!(made.some(&clusters, 0)));
            self.add(
                "Tenant",
                &format!("t{at}"),
                json!({
                    "owner": "a@acme.example", "environments": environments, "clearance": clearance, "models": [],
                    "namespaces": namespaces, "clusters": clusters,
                }),
            );
        }
        for at in 0..2 {
            let (mut environment, mut region) =
                (self.one(&ENVIRONMENTS).to_owned(), self.region().to_owned());
            let mut cluster = Value::Null;
            if self.rng.bool() && !self.names("Cluster").is_empty() {
                let named = self.named("Cluster");
                let place = |field: &str| self.spec("Cluster", &named)[field].as_str().unwrap().to_owned();
                (environment, region) = (place("environment"), place("region"));
                cluster = json!(named);
            }
            self.add(
                "Gateway",
                &format!("g{at}"),
                json!({ "dialect": "litellm", "environment": environment, "region": region, "cluster": cluster }),
            );
        }
    }

    fn rules(&mut self) {
        for at in 0..self.rng.usize(1..3) {
            let tenants = self.names("Tenant");
            let tenants: Vec<_> = tenants.iter().map(String::as_str).collect();
            let about = json!({
                "dataClasses": self.rarely(|made| json!(made.some(&CLASSES[1..], 1))),
                "tenants": self.rarely(|made| json!(made.some(&tenants, 1))),
            });
            let mut about = about.as_object().unwrap().clone();
            about.retain(|_, value| !value.is_null());
            let allow = match self.rng.u8(..4) {
                0 => json!({ "regions": self.some(&REGIONS, 3) }),
                1 => json!({ "jurisdictions": ["eu", "us", "gb"] }),
                _ => json!({ "jurisdictions": ["eu"] }),
            };
            let inference =
                self.rarely(|made| json!({ "crossRegion": made.one(&["never", "within", "any"]) }));
            self.add(
                "ResidencyRule",
                &format!("r{at}"),
                json!({ "appliesTo": about, "allow": allow, "inference": inference }),
            );
        }
    }

    fn connectors(&mut self) {
        for at in 0..6_usize {
            let before = self.names("Connector");
            let before: Vec<_> = before.iter().map(String::as_str).collect();
            let kind = match self.rng.u8(..8) {
                0 => json!({ "s3": { "bucket": format!("bucket-{at}"), "prefixes": ["a/"] } }),
                1 => json!({ "dynamoDb": { "table": format!("table-{at}") } }),
                2 => json!({ "lambda": { "function": format!("function-{at}") } }),
                3 => json!({ "stepFunctions": { "stateMachine": format!("machine-{at}") } }),
                4 => json!({ "secretsManager": { "secret": format!("secret-{at}") } }),
                5 => json!({ "sqs": { "queue": format!("queue-{at}") } }),
                6 => json!({ "openSearch": { "collection": "abcdefghij" } }),
                _ => {
                    let sources = self.some(&before, 0);
                    json!({ "knowledgeBase": { "id": "ABCDEFGHIJ", "sources": sources } })
                }
            };
            let mut spec = json!({ "region": self.region(), "dataClass": self.one(&CLASSES) });
            spec["backup"] = self.rarely(|made| json!({ "regions": [made.region()] }));
            spec.as_object_mut().unwrap().extend(kind.as_object().unwrap().clone());
            self.add("Connector", &format!("k{at}"), spec);
        }
        // What is always there, so that whoever wants one finds it.
        let (region, class) = (self.region(), self.one(&CLASSES));
        self.add(
            "Connector",
            "queue",
            json!({ "sqs": { "queue": "queue" }, "region": region, "dataClass": class }),
        );
        let (region, class) = (self.region(), self.one(&CLASSES));
        self.add(
            "Connector",
            "verifier",
            json!({ "lambda": { "function": "verify" }, "region": region, "dataClass": class }),
        );
    }

    fn models(&mut self) {
        for at in 0..6 {
            let spec = match self.rng.u8(..8) {
                0 => json!({ "provider": "bedrock", "modelId": "amazon.nova-lite-v1:0" }),
                1..=3 => {
                    let profile = self.one(&["eu", "eu", "us", "global", "au"]);
                    json!({
                        "provider": "bedrock", "modelId": "anthropic.claude-haiku-5-5", "inference": { "profile": profile },
                        "regions": self.rarely(|made| json!([made.region()])),
                    })
                }
                4 => {
                    let arn = format!("arn:aws:bedrock:{}:111122223333:provisioned-model/a", self.region());
                    json!({ "provider": "bedrock", "modelId": "amazon.nova-lite-v1:0", "inference": { "provisioned": arn } })
                }
                5 => json!({
                    "provider": "openai-compatible", "modelId": "a/b", "endpoint": "https://models.example/v1",
                    "regions": self.often(|made| json!([made.region()])),
                }),
                6 => json!({
                    "provider": "self-hosted", "modelId": "a/own", "endpoint": "http://own.lab.svc:8000/v1",
                    "regions": self.rarely(|made| json!([made.region()])),
                }),
                _ => {
                    json!({ "provider": "bedrock", "modelId": "amazon.nova-lite-v1:0", "regions": self.some(&REGIONS, 1) })
                }
            };
            self.add("Model", &format!("m{at}"), spec);
        }
    }

    /// Later routes are made first, so that a route falls back to those behind it and nothing comes back.
    fn routes(&mut self) {
        for at in (0..self.rng.usize(1..6)).rev() {
            let gateway = self.named("Gateway");
            let environment = self.spec("Gateway", &gateway)["environment"].as_str().unwrap().to_owned();
            let tenants = self.tenants_in(&environment);
            if tenants.is_empty() {
                continue;
            }
            let tenants: Vec<_> = tenants.iter().map(String::as_str).collect();
            let tenants = self.some(&tenants, 1);
            let later: Vec<_> = self
                .names("Route")
                .into_iter()
                .filter(|name| self.spec("Route", name)["gateway"] == gateway.as_str())
                .collect();
            let later: Vec<_> = later.iter().map(String::as_str).collect();
            let mut fallback: Vec<_> = self
                .some(&later, 0)
                .into_iter()
                .map(|route| json!({ "route": route, "on": ["timeout"] }))
                .collect();
            for _ in 0..self.rng.usize(0..3) {
                fallback.push(json!({ "model": self.named("Model"), "on": ["throttled"] }));
            }
            let primary: Vec<_> =
                (0..self.rng.usize(1..3)).map(|_| json!({ "model": self.named("Model") })).collect();
            let spec = json!({
                "gateway": gateway, "match": { "tenants": tenants }, "dataClass": self.one(&CLASSES),
                "caps": { "output": "1k" }, "primary": primary, "fallback": fallback,
                "cache": self.rarely(|made| json!(made.named("DataStore"))),
            });
            self.add("Route", &format!("x{at}"), spec);
        }
    }

    fn agents(&mut self) {
        for at in 0..self.rng.usize(0..4) {
            let tenant = self.named("Tenant");
            let routes = self.names("Route");
            let model = match routes.is_empty() || self.rng.bool() {
                true => json!({ "model": self.named("Model") }),
                false => json!({ "route": self.named("Route") }),
            };
            let tools: Vec<_> = (0..self.rng.usize(0..3))
                .map(|tool| {
                    let gate = self.rarely(|made| match made.rng.bool() {
                        true => json!({ "verify": { "with": "verifier" } }),
                        false => json!("confirm"),
                    });
                    let mut tool = json!({ "name": format!("tool-{tool}"), "connector": self.named("Connector"), "access": "read" });
                    if !gate.is_null() {
                        tool["gate"] = gate;
                    }
                    tool
                })
                .collect();
            let triggers = self.rarely(|made| match made.rng.bool() {
                true => json!([{ "sqs": { "queue": "queue" } }]),
                false => json!([{ "sns": { "topic": "topic", "deadLetter": "queue" } }]),
            });
            let memory = self.rarely(|made| {
                let region = made.rarely(|made| json!(made.region()));
                if region.is_null() { json!({ "retention": "30d" }) } else { json!({ "region": region }) }
            });
            let spec = json!({
                "tenant": tenant, "model": model, "tools": tools, "triggers": triggers, "memory": memory,
                "clearance": self.rarely(|made| json!(made.some(&CLASSES, 1))),
                "region": self.often(|made| json!(made.region())),
                "enabled": self.rarely(|_| json!(false)),
            });
            self.add("Agent", &format!("a{at}"), spec);
        }
    }

    fn workloads(&mut self) {
        for at in 0..self.rng.usize(0..3) {
            let tenant = self.named("Tenant");
            let environments = self.spec("Tenant", &tenant)["environments"].clone();
            let mut clusters = self.names("Cluster");
            clusters.retain(|name| {
                let environment = &self.spec("Cluster", name)["environment"];
                environments.as_array().unwrap().contains(environment)
            });
            let clusters: Vec<_> = clusters.iter().map(String::as_str).collect();
            let own: Vec<_> = self.names("Model");
            let own: Vec<_> = own
                .into_iter()
                .filter(|name| self.spec("Model", name)["provider"] == "self-hosted")
                .collect();
            let uses: Vec<_> = (0..self.rng.usize(0..2))
                .map(|_| json!({ "connector": self.named("Connector"), "access": "read" }))
                .collect();
            let models: Vec<_> = (0..self.rng.usize(0..2)).map(|_| self.named("Model")).collect();
            let mut spec = json!({ "tenant": tenant, "uses": { "connectors": uses, "models": models } });
            if clusters.is_empty() || self.rng.bool() {
                spec["platform"] = json!("lambda");
            } else {
                spec["platform"] = json!("eks");
                spec["cluster"] = json!(self.one(&clusters));
                if let Some(model) = own.first() {
                    spec["serves"] = json!({ "model": model });
                }
            }
            self.add("Workload", &format!("w{at}"), spec);
        }
    }
}
