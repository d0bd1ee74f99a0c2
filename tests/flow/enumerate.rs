//! Every way of content through a workspace, one after the other: what the proof counts without walking all of it.
//!
//! It looks at the JSON values of the resources and at the files of the catalog, and shares nothing with the compiler.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::generate::Resource;
use crate::harness::{read, root};

/// A way, step by step, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Way {
    /// Names on the way, the region last.
    pub(super) steps: Vec<String>,
    /// Whether a rule is about it.
    pub(super) held: bool,
    /// Whether it ends where no rule allows.
    pub(super) leaks: bool,
}

/// What is known of regions and profiles.
pub(super) struct Facts {
    jurisdictions: BTreeMap<String, BTreeSet<String>>,
    profiles: BTreeMap<String, Value>,
}

impl Facts {
    pub(super) fn new() -> Self {
        let data = |name: &str| -> Value {
            serde_json::from_str(&read(&root().join("compiler/src/catalog/data").join(name))).unwrap()
        };
        let (regions, profiles) = (data("regions.json"), data("profiles.json"));
        let each = |value: &Value| value.as_array().unwrap().clone();
        let jurisdictions = each(&regions["regions"])
            .into_iter()
            .map(|region| (word(&region["id"]), words(&region["jurisdictions"]).into_iter().collect()));
        let profiles = each(&profiles["profiles"])
            .into_iter()
            .map(|profile| (word(&profile["id"]), profile["destinations"].clone()));
        Self { jurisdictions: jurisdictions.collect(), profiles: profiles.collect() }
    }
}

fn word(value: &Value) -> String {
    value.as_str().unwrap_or("").to_owned()
}

fn words(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().map(word).collect()
}

/// How sensitive a class is.
fn rank(class: &str) -> usize {
    ["public", "internal", "confidential", "restricted"].iter().position(|known| *known == class).unwrap_or(0)
}

fn highest(classes: impl IntoIterator<Item = String>) -> String {
    classes.into_iter().max_by_key(|class| rank(class)).unwrap_or_else(|| "public".to_owned())
}

/// All ways in an environment.
pub(super) fn ways(all: &[Resource], facts: &Facts, environment: &str) -> Vec<Way> {
    let mut walk = Walk { all, facts, environment, found: Vec::new(), steps: Vec::new() };
    walk.agents();
    walk.workloads();
    walk.routes();
    walk.tenants();
    walk.found
}

/// The class of some content and the tenant that it came from.
#[derive(Clone)]
struct Content {
    class: String,
    tenant: String,
}

struct Walk<'a> {
    all: &'a [Resource],
    facts: &'a Facts,
    environment: &'a str,
    found: Vec<Way>,
    steps: Vec<String>,
}

type Spec = Map<String, Value>;

const NOTHING: &Value = &Value::Null;

fn field<'v>(spec: &'v Spec, name: &str) -> &'v Value {
    spec.get(name).unwrap_or(NOTHING)
}

impl<'a> Walk<'a> {
    fn of(&self, kind: &'static str) -> impl Iterator<Item = &'a Resource> + use<'a> {
        let all = self.all;
        all.iter().filter(move |one| one.kind == kind)
    }

    fn spec(&self, kind: &'static str, name: &str) -> &'a Spec {
        &self.of(kind).find(|one| one.name == name).unwrap_or_else(|| panic!("{kind} {name}")).spec
    }

    fn step(&mut self, name: impl Into<String>, after: impl FnOnce(&mut Self)) {
        self.steps.push(name.into());
        after(self);
        self.steps.pop();
    }

    fn home(&self) -> String {
        let regions = words(&field(self.spec("Environment", self.environment), "aws")["regions"]);
        regions.first().cloned().unwrap_or_else(|| "unknown".to_owned())
    }

    /// A place at the end of a way; a call that a profile moves has a source.
    fn end(&mut self, content: &Content, region: &str, source: Option<&str>) {
        let rules: Vec<_> = self.of("ResidencyRule").filter(|rule| applies(&rule.spec, content)).collect();
        let allows = |region: &str| rules.iter().all(|rule| self.allows(&rule.spec, region));
        let cross =
            |word: &str| rules.iter().any(|rule| field(&rule.spec, "inference")["crossRegion"] == word);
        let all_any = rules.iter().all(|rule| field(&rule.spec, "inference")["crossRegion"] == "any");
        let is_allowed = match source {
            Some(source) if all_any && allows(source) => true,
            Some(source) if cross("never") && source != region => false,
            _ => allows(region),
        };
        let steps = self.steps.iter().cloned().chain([region.to_owned()]).collect();
        let held = !rules.is_empty();
        self.found.push(Way { steps, held, leaks: held && !is_allowed });
    }

    fn allows(&self, rule: &Spec, region: &str) -> bool {
        let allow = field(rule, "allow");
        let inside = self.facts.jurisdictions.get(region);
        words(&allow["regions"]).iter().any(|one| one == region)
            || words(&allow["jurisdictions"]).iter().any(|one| inside.is_some_and(|all| all.contains(one)))
    }

    fn agents(&mut self) {
        for agent in self.of("Agent").filter(|agent| field(&agent.spec, "enabled") != false) {
            let tenant = self.spec("Tenant", &word(field(&agent.spec, "tenant")));
            if !words(field(tenant, "environments")).iter().any(|one| one == self.environment) {
                continue;
            }
            let own = words(field(&agent.spec, "clearance"));
            let classes = if own.is_empty() { words(field(tenant, "clearance")) } else { own };
            let content = Content { class: highest(classes), tenant: word(field(&agent.spec, "tenant")) };
            let region = agent.spec.get("region").map_or_else(|| self.home(), word);
            self.step(&agent.name, |walk| walk.agent(&agent.spec, &content, &region));
        }
    }

    fn agent(&mut self, spec: &Spec, content: &Content, region: &str) {
        self.step("session", |walk| walk.end(content, region, None));
        let model = field(spec, "model");
        match model["route"].as_str() {
            Some(route) => self.send(content, route),
            None => self.call(content, &word(&model["model"]), region),
        }
        for tool in field(spec, "tools").as_array().into_iter().flatten() {
            self.step(word(&tool["name"]), |walk| {
                walk.connector(content, &word(&tool["connector"]));
                if let Some(verifier) = tool["gate"]["verify"]["with"].as_str() {
                    walk.connector(content, verifier);
                    walk.step("waits", |walk| walk.end(content, region, None));
                }
            });
        }
        if let Some(memory) = field(spec, "memory").as_object() {
            let at = memory.get("region").map_or_else(|| region.to_owned(), word);
            self.step("memory", |walk| walk.end(content, &at, None));
        }
        for trigger in field(spec, "triggers").as_array().into_iter().flatten() {
            for source in [&trigger["sqs"]["queue"], &trigger["sns"]["deadLetter"]] {
                if let Some(queue) = source.as_str() {
                    self.connector(content, queue);
                }
            }
            if trigger.get("sns").is_some() {
                self.step("held", |walk| walk.end(content, region, None));
            }
        }
    }

    fn workloads(&mut self) {
        for workload in self.of("Workload") {
            let tenant = word(field(&workload.spec, "tenant"));
            let place = match workload.spec.get("cluster") {
                Some(cluster) => {
                    let cluster = self.spec("Cluster", &word(cluster));
                    (cluster["environment"] == self.environment).then(|| word(&cluster["region"]))
                }
                None => {
                    let environments = words(field(self.spec("Tenant", &tenant), "environments"));
                    environments.iter().any(|one| one == self.environment).then(|| self.home())
                }
            };
            let Some(region) = place else { continue };
            let class = highest(words(field(self.spec("Tenant", &tenant), "clearance")));
            let content = Content { class, tenant };
            self.step(&workload.name, |walk| {
                walk.step("runs", |walk| walk.end(&content, &region, None));
                let uses = field(&workload.spec, "uses");
                for model in words(&uses["models"]) {
                    walk.call(&content, &model, &region);
                }
                for used in uses["connectors"].as_array().into_iter().flatten() {
                    walk.connector(&content, &word(&used["connector"]));
                }
            });
        }
    }

    fn routes(&mut self) {
        for route in self.of("Route") {
            let gateway = self.spec("Gateway", &word(field(&route.spec, "gateway")));
            if gateway["environment"] != self.environment {
                continue;
            }
            for tenant in words(&field(&route.spec, "match")["tenants"]) {
                let content = Content { class: String::new(), tenant: tenant.clone() };
                self.step(tenant, |walk| walk.send(&content, &route.name));
            }
        }
    }

    fn send(&mut self, content: &Content, route: &str) {
        let class = word(field(self.spec("Route", route), "dataClass"));
        let content = Content { class, tenant: content.tenant.clone() };
        self.step(route, |walk| walk.route(&content, route));
    }

    fn route(&mut self, content: &Content, route: &str) {
        let spec = self.spec("Route", route);
        let gateway = word(field(spec, "gateway"));
        let region = word(&self.spec("Gateway", &gateway)["region"]);
        let cluster = self.spec("Gateway", &gateway).get("cluster").map(word);
        self.step(gateway, |walk| walk.end(content, &region, None));
        if let Some(cluster) = cluster {
            let region = word(&self.spec("Cluster", &cluster)["region"]);
            self.step(cluster, |walk| walk.end(content, &region, None));
        }
        for primary in field(spec, "primary").as_array().into_iter().flatten() {
            self.call(content, &word(&primary["model"]), &region);
        }
        if let Some(store) = spec.get("cache") {
            self.store(content, &word(store));
        }
        for next in field(spec, "fallback").as_array().into_iter().flatten() {
            match next["model"].as_str() {
                Some(model) => self.call(content, model, &region),
                None => {
                    let route = word(&next["route"]);
                    self.step(route.clone(), |walk| walk.route(content, &route));
                }
            }
        }
    }

    fn call(&mut self, content: &Content, model: &str, from: &str) {
        let spec = self.spec("Model", model);
        self.step(model, |walk| {
            for (source, region) in walk.processed(spec, model, from) {
                walk.step("processed", |walk| walk.end(content, &region, source.as_deref()));
            }
        });
    }

    /// Where a call is processed, and from where a profile moved it.
    fn processed(&self, spec: &Spec, model: &str, from: &str) -> Vec<(Option<String>, String)> {
        let said = words(field(spec, "regions"));
        let provider = word(field(spec, "provider"));
        if let Some(arn) = field(spec, "inference")["provisioned"].as_str() {
            return vec![(None, arn.split(':').nth(3).unwrap().to_owned())];
        }
        if provider == "self-hosted" {
            let serving = self.of("Workload").filter(|one| field(&one.spec, "serves")["model"] == model);
            let clusters = serving.filter_map(|one| one.spec.get("cluster")).map(word);
            let regions = clusters.map(|cluster| word(&self.spec("Cluster", &cluster)["region"]));
            let mut all: BTreeSet<String> = said.into_iter().chain(regions).collect();
            if all.is_empty() {
                all.insert("unknown".to_owned());
            }
            return all.into_iter().map(|region| (None, region)).collect();
        }
        let sources = match (said.is_empty(), provider.as_str()) {
            (true, "openai-compatible") => vec!["unknown".to_owned()],
            (true, _) => vec![from.to_owned()],
            (false, _) => said,
        };
        let Some(geography) = field(spec, "inference")["profile"].as_str() else {
            return sources.into_iter().map(|source| (None, source)).collect();
        };
        let profile = format!("{geography}.{}", word(field(spec, "modelId")));
        let ends = |source: &String| self.destinations(&profile, source);
        sources
            .iter()
            .flat_map(|source| ends(source).into_iter().map(|end| (Some(source.clone()), end)))
            .collect()
    }

    fn destinations(&self, profile: &str, source: &str) -> BTreeSet<String> {
        let unknown = || BTreeSet::from(["unknown".to_owned()]);
        match self.facts.profiles.get(profile) {
            Some(Value::Object(by_source)) => match by_source.get(source) {
                Some(regions) => words(regions).into_iter().collect(),
                None => by_source.values().flat_map(words).chain(unknown()).collect(),
            },
            Some(Value::String(text)) if text == "global" => BTreeSet::from(["global".to_owned()]),
            _ => unknown(),
        }
    }

    fn connector(&mut self, content: &Content, name: &str) {
        let spec = self.spec("Connector", name);
        let content = Content { class: word(field(spec, "dataClass")), tenant: content.tenant.clone() };
        self.step(name, |walk| {
            walk.step("home", |walk| walk.end(&content, &word(&spec["region"]), None));
            for region in words(&field(spec, "backup")["regions"]) {
                walk.step("copy", |walk| walk.end(&content, &region, None));
            }
            for source in words(&field(spec, "knowledgeBase")["sources"]) {
                walk.connector(&content, &source);
            }
        });
    }

    fn store(&mut self, content: &Content, name: &str) {
        let spec = self.spec("DataStore", name);
        self.step(name, |walk| {
            walk.step("home", |walk| walk.end(content, &word(&spec["region"]), None));
            for region in words(field(spec, "replicatesTo")) {
                walk.step("copy", |walk| walk.end(content, &region, None));
            }
        });
    }

    fn tenants(&mut self) {
        for tenant in self.of("Tenant") {
            if !words(field(&tenant.spec, "environments")).iter().any(|one| one == self.environment) {
                continue;
            }
            let cleared = words(field(&tenant.spec, "clearance"));
            let agents = self.of("Agent").filter(|one| one.spec["tenant"] == tenant.name.as_str());
            let of_agents = agents.flat_map(|one| words(field(&one.spec, "clearance")));
            let routes = self
                .of("Route")
                .filter(|one| words(&field(&one.spec, "match")["tenants"]).contains(&tenant.name));
            let of_routes = routes.map(|one| word(&one.spec["dataClass"]));
            let class = highest(cleared.iter().cloned().chain(of_agents).chain(of_routes));
            let logged = Content { class, tenant: tenant.name.clone() };
            let inside = Content { class: highest(cleared), tenant: tenant.name.clone() };
            self.step(&tenant.name, |walk| {
                let logging = field(walk.spec("Environment", walk.environment), "logging");
                for store in ["invocations", "traces"].iter().filter_map(|kind| logging[kind].as_str()) {
                    walk.store(&logged, store);
                }
                walk.namespaces(&inside, &tenant.spec);
            });
        }
    }

    fn namespaces(&mut self, content: &Content, tenant: &Spec) {
        let named = words(field(tenant, "clusters"));
        for cluster in self.of("Cluster") {
            let is_ours = named.is_empty() || named.contains(&cluster.name);
            if !is_ours || cluster.spec["environment"] != self.environment {
                continue;
            }
            for namespace in words(field(tenant, "namespaces")) {
                self.step(namespace, |walk| {
                    walk.step(&cluster.name, |walk| walk.end(content, &word(&cluster.spec["region"]), None));
                });
            }
        }
    }
}

/// Whether a rule is about content: each of its lists that is there says so.
fn applies(rule: &Spec, content: &Content) -> bool {
    let about = field(rule, "appliesTo");
    let (classes, tenants) = (words(&about["dataClasses"]), words(&about["tenants"]));
    let class = classes.is_empty() || classes.iter().any(|class| rank(class) <= rank(&content.class));
    class && (tenants.is_empty() || tenants.contains(&content.tenant))
}
