//! Objects of clusters, judged by the code of Kubernetes itself.

mod admission;
mod kustomize;
mod network;
mod objects;
mod refusals;
mod scale;
mod scrape;

use std::sync::LazyLock;

use aipolicy_targets::artifact::{Artifact, Format};
use serde_json::{Value, json};

use super::{ACME, QUICKSTART};
use crate::harness::files_below;
use crate::harness::modules::{Module, Program};
use crate::harness::workspace::Built;

/// What an API server of Kubernetes 1.36 would say.
static SERVER: Program = Program { folder: "tests/oracle/kubernetes" };

/// The definitions of KEDA's custom resources.
static KEDA: Module = Module {
    path: "github.com/kedacore/keda/v2",
    version: "v2.20.2",
    sum: "h1:SR60v8uIcelbveS8n/1jcl8tLdBBIbHMxmdOHw8tKqA=",
};

/// The definitions of the Prometheus operator's custom resources.
static OPERATOR: Module = Module {
    path: "github.com/prometheus-operator/prometheus-operator",
    version: "v0.92.0",
    sum: "h1:tAbsod3+9sQsxDeAvLP27dAe9terToht5M+YdDwLGP0=",
};

/// The names of the clusters of [`everything`].
const CLUSTERS: [&str; 2] = ["old", "pods"];

/// Two clusters with everything that may be on one.
const EVERYTHING: &[(&str, &str, &str)] = &[
    (
        "Environment",
        "prod",
        "aws: { accountId: \"111122223333\", regions: [eu-central-1, eu-west-1, eu-west-3, eu-north-1] }, \
      network: { endpoints: { s3: vpce-1, sqs: vpce-2, sts: vpce-3, dynamodb.eu-west-1: vpce-4, bedrock-runtime: vpce-5, \
      lambda: vpce-6 }, endpointAddresses: [10.0.0.0/24, 10.0.1.0/24] }",
    ),
    (
        "Cluster",
        "pods",
        "environment: prod, region: eu-central-1, eksName: pods, identity: pod-identity, \
      dedicatedTo: [internal, confidential], prometheus: \"http://prometheus.monitoring.svc:9090\"",
    ),
    (
        "Cluster",
        "old",
        "environment: prod, region: eu-central-1, eksName: old, identity: irsa, oidcId: ABC123",
    ),
    (
        "Tenant",
        "pay",
        "owner: a@acme.example, environments: [prod], clearance: [internal, confidential], namespaces: [pay], \
      models: [small, own], quota: { tokens: 60k tokens/min, requests: 120 requests/min }",
    ),
    (
        "Tenant",
        "lab",
        "owner: b@acme.example, environments: [prod], clearance: [internal], namespaces: [lab, lab-two], \
      clusters: [pods], models: [small, own], quota: { tokens: 600k tokens/min }",
    ),
    ("Budget", "lab", "scope: { tenant: lab }, period: day, limit: 432M tokens"),
    ("Budget", "pay", "scope: { tenant: pay }, period: day, limit: USD 100"),
    (
        "Model",
        "small",
        "provider: bedrock, modelId: openai.gpt-oss-20b-1:0, price: { input: USD 1 / 1M tokens, output: USD 5 / 1M tokens }",
    ),
    (
        "Model",
        "own",
        "provider: self-hosted, modelId: acme/own, endpoint: \"http://server.lab.svc:8000/v1\", regions: [eu-central-1]",
    ),
    (
        "Gateway",
        "edge",
        "dialect: litellm, environment: prod, region: eu-central-1, cluster: pods, image: \"r.example/llm@sha256:DIGEST\", \
      callers: [10.1.0.0/16, 192.168.7.0/24], \
      telemetry: { prometheus: true, otlp: \"http://otel.observability.svc:4318\" }",
    ),
    (
        "Route",
        "chat",
        "gateway: edge, match: { tenants: [pay] }, dataClass: internal, primary: [{ model: small }], \
      fallback: [{ model: own, on: [throttled, unavailable, timeout] }], caps: { input: 9k, output: 1k }, \
      timeout: { attempt: 10s, total: 60s }",
    ),
    ("Connector", "files", "s3: { bucket: files }, region: eu-central-1, dataClass: internal"),
    ("Connector", "table", "dynamoDb: { table: t }, region: eu-west-1, dataClass: internal"),
    ("Connector", "call", "lambda: { function: f }, region: eu-central-1, dataClass: internal"),
    (
        "Connector",
        "shop",
        "http: { url: \"http://shop.web.svc:8080\" }, region: eu-central-1, dataClass: internal",
    ),
    (
        "Workload",
        "reader",
        "tenant: pay, platform: eks, cluster: pods, image: \"r.example/reader@sha256:DIGEST\", \
      uses: { routes: [chat], connectors: [{ connector: files, access: read }, { connector: table, access: read }, \
      { connector: shop, access: read }] }, consumes: { sqs: work.fifo }, \
      scale: { min: 1, metrics: [{ queueDepth: 20 }, { p95: 2s }], fallbackReplicas: 3 }",
    ),
    (
        "Workload",
        "server",
        "tenant: lab, platform: eks, cluster: pods, image: \"r.example/server@sha256:DIGEST\", serves: { model: own }, \
      resources: { gpu: 2, cpu: 1500m, memory: 24Gi, architecture: arm64 }, \
      scale: { min: 2, metrics: [{ tokensPerSecond: 1000 }, { p95: 800ms }] }",
    ),
    (
        "Workload",
        "direct",
        "tenant: lab, platform: eks, cluster: pods, namespace: lab-two, image: \"r.example/direct@sha256:DIGEST\", \
      uses: { models: [small, own] }, scale: { min: 1, metrics: [{ tokensPerSecond: 5000 }], fallbackReplicas: 1 }",
    ),
    (
        "Workload",
        "legacy",
        "tenant: pay, platform: eks, cluster: old, image: \"r.example/legacy@sha256:DIGEST\", \
      uses: { connectors: [{ connector: call, access: read }] }",
    ),
    ("Workload", "idle", "tenant: pay, platform: eks, cluster: old, image: \"r.example/idle@sha256:DIGEST\""),
];

/// The documents of a workspace that compiles IAM, gateways and clusters.
fn workspace(documents: &[(&str, &str, &str)]) -> String {
    let spec = "packs: [baseline, residency], targets: [iam, gateway, kubernetes], naming: { prefix: w }";
    let own = super::document("Workspace", "w", spec);
    let rest = documents.iter().map(|(kind, name, spec)| super::document(kind, name, spec));
    (own + &rest.collect::<String>()).replace("DIGEST", &"0123456789abcdef".repeat(4))
}

pub(super) fn everything() -> &'static Built {
    static BUILT: LazyLock<Built> = LazyLock::new(|| Built::of(workspace(EVERYTHING)));
    &BUILT
}

/// [`EVERYTHING`] with rules, an operator on one cluster, and further documents.
fn operated_by(operator: &str, more: &str) -> Built {
    let mut documents = EVERYTHING.to_vec();
    let cluster = documents.iter_mut().find(|(kind, name, _)| (*kind, *name) == ("Cluster", "pods")).unwrap();
    let spec = format!("{}, prometheusOperator: {{ {operator} }}", cluster.2);
    cluster.2 = &spec;
    let spec = "dialect: litellm, environment: prod, region: eu-west-1, telemetry: { prometheus: true }";
    documents.push(("Gateway", "abroad", spec));
    let text = workspace(&documents).replace("gateway, kubernetes]", "gateway, kubernetes, observability]");
    Built::of(text + more)
}

fn operated() -> &'static Built {
    static BUILT: LazyLock<Built> = LazyLock::new(|| {
        operated_by("namespace: watch, labels: { release: stack, acme.example/team: ai }", "")
    });
    &BUILT
}

/// [`EVERYTHING`] with other specifications for some documents, and further documents.
fn changed(changes: &[(&'static str, &'static str, &str)]) -> Built {
    let mut documents = EVERYTHING.to_vec();
    for (kind, name, spec) in changes {
        match documents.iter_mut().find(|(of, called, _)| of == kind && called == name) {
            Some(known) => known.2 = spec,
            None => documents.push((kind, name, spec)),
        }
    }
    Built::of(workspace(&documents))
}

/// [`EVERYTHING`] with texts replaced in one document.
fn edited(kind: &'static str, name: &'static str, from: &str, to: &str) -> Built {
    let (.., spec) = EVERYTHING.iter().find(|(of, called, _)| *of == kind && *called == name).unwrap();
    assert!(spec.contains(from), "{kind}/{name} has no {from}");
    changed(&[(kind, name, &spec.replacen(from, to, 1))])
}

/// [`EVERYTHING`] with a workload that has no autoscaler, and texts replaced in it.
fn unscaled(name: &'static str, from: &str, to: &str) -> Built {
    let (.., spec) = EVERYTHING.iter().find(|(of, called, _)| *of == "Workload" && *called == name).unwrap();
    let spec = spec.split(", scale:").next().unwrap();
    assert!(spec.contains(from), "{name} has no {from}");
    changed(&[("Workload", name, &spec.replacen(from, to, 1))])
}

/// Everything that is compiled in these tests.
fn workspaces() -> [&'static Built; 4] {
    [everything(), operated(), &ACME, &QUICKSTART]
}

/// The objects of a cluster, in the order of addresses.
fn objects<'b>(built: &'b Built, cluster: &str) -> Vec<&'b Artifact> {
    let within = format!("{cluster}.");
    let mut found = built.sound();
    found.retain(|one| {
        let address = &one.document.address;
        address.target == "kubernetes"
            && address.name.starts_with(&within)
            && one.document.format == Format::Yaml
    });
    found
}

/// The object at `Kind/cluster.namespace.name`.
#[track_caller]
fn object(built: &Built, address: &str) -> Value {
    serde_saphyr::from_str(built.text(&format!("kubernetes/{address}"))).unwrap()
}

/// The definitions of custom resources, as texts.
fn definitions() -> Value {
    static TEXTS: LazyLock<Value> = LazyLock::new(|| {
        let keda = (KEDA.folder().join("config/crd/bases"), "keda.sh_");
        let operator = (OPERATOR.folder().join("example/prometheus-operator-crd"), "monitoring.coreos.com_p");
        let texts = [keda, operator].into_iter().flat_map(|(folder, first)| {
            let files = files_below(&folder).into_iter().filter(move |name| name.starts_with(first));
            files.map(move |name| crate::harness::read(&folder.join(name)))
        });
        texts.collect::<Vec<_>>().into()
    });
    TEXTS.clone()
}

/// What the server finds wrong with each object.
#[track_caller]
fn problems(objects: &[String]) -> Vec<Vec<String>> {
    let told = SERVER.ask(&json!({ "definitions": definitions(), "objects": objects }));
    serde_json::from_value(told["problems"].clone()).unwrap()
}
