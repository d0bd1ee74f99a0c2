//! Autoscaling: the most instances, what their number follows, and what holds without metrics.

use serde_json::{Value, json};

use super::{changed, edited, everything, object, problems};
use crate::harness::workspace::Built;
use crate::targets::at;

fn scaled(built: &Built, name: &str) -> Value {
    object(built, &format!("ScaledObject/{name}"))
}

fn most(built: &Built, name: &str) -> Value {
    at(&scaled(built, name), "/spec/maxReplicaCount").clone()
}

#[test]
fn the_most_instances_come_from_quota_and_budget() {
    let built = everything();
    // 60k tokens a minute are six requests of 10k tokens that take a minute each; USD 100 a day are 4.96 of them, at
    // 9k tokens of input for USD 1 and 1k of output for USD 5 a million.
    assert_eq!(most(built, "pods.pay.reader"), 4);
    // 600k tokens a minute are ten instances at 1,000 a second; 432M a day are five.
    assert_eq!(most(built, "pods.lab.server"), 5);
    assert_eq!(most(built, "pods.lab-two.direct"), 1);
    let computed = |name: &str| at(&scaled(built, name), "/metadata/annotations").clone();
    let reader = json!({
        "aipolicy.dev/most-by-quota": "6 = 60k tokens/min / one request of route chat at its caps, 60s long",
        "aipolicy.dev/most-by-quota-2": "120 = 120 requests/min / one request of route chat at its caps, 60s long",
        "aipolicy.dev/most-by-budget": "4 = USD 100 per day / one request of route chat at its caps, 60s long",
    });
    assert_eq!(computed("pods.pay.reader"), reader);
    let server = json!({
        "aipolicy.dev/most-by-quota": "10 = 600k tokens/min / 1000 tokens per second and instance",
        "aipolicy.dev/most-by-budget": "5 = 432M tokens per day / 1000 tokens per second and instance",
    });
    assert_eq!(computed("pods.lab.server"), server);
}

#[test]
fn each_bound_moves_the_most() {
    let cases: &[(&'static str, &'static str, &str, &str, &str, u64)] = &[
        ("Tenant", "pay", "60k tokens/min", "30k tokens/min", "pods.pay.reader", 3),
        ("Tenant", "pay", "120 requests/min", "3 requests/min", "pods.pay.reader", 3),
        ("Budget", "pay", "USD 100", "USD 1000", "pods.pay.reader", 6),
        ("Budget", "pay", "USD 100", "EUR 100", "pods.pay.reader", 6),
        ("Budget", "lab", "432M tokens", "4G tokens", "pods.lab.server", 10),
        ("Budget", "lab", "432M tokens", "173M tokens", "pods.lab.server", 2),
        ("Route", "chat", "total: 60s", "total: 2m", "pods.pay.reader", 9),
        (
            "Model",
            "own",
            "regions: [eu-central-1]",
            "regions: [eu-central-1], quota: { tokens: 3k tokens/s }",
            "pods.lab.server",
            3,
        ),
    ];
    for (kind, name, from, to, workload, wanted) in cases {
        let built = roomy(kind, name, (from, to));
        assert_eq!(most(&built, workload), json!(wanted), "{name}: {to}");
    }
}

/// So many instances that the models they call would throttle them cannot be had: all that a kind of use can reach bounds it
/// together, and what says nothing bounds nothing.
#[test]
fn models_that_are_called_bound_the_most() {
    let spec = |kind: &str, name: &str| {
        super::EVERYTHING.iter().find(|(of, called, _)| *of == kind && *called == name).unwrap().2
    };
    let with = |quotas: [&str; 2], budget: &str| {
        let [small, own] = [("small", quotas[0]), ("own", quotas[1])].map(|(name, quota)| match quota {
            "" => spec("Model", name).to_owned(),
            quota => format!("{}, quota: {{ {quota} }}", spec("Model", name)),
        });
        let lab = spec("Budget", "lab").replace("432M tokens", budget);
        changed(&[("Model", "small", &small), ("Model", "own", &own), ("Budget", "lab", &lab)])
    };
    let reader = |quotas| most(&with(quotas, "432M tokens"), "pods.pay.reader");
    assert_eq!(
        reader(["requests: 1 requests/min", "requests: 2 requests/min"]),
        json!(3),
        "of both together"
    );
    assert_eq!(
        reader(["requests: 1 requests/min", "requests: 120 requests/h"]),
        json!(3),
        "in other periods"
    );
    assert_eq!(reader(["requests: 1 requests/min", ""]), json!(4), "nobody knows what the fallback takes");
    let built = with(["requests: 1 requests/min", "requests: 2 requests/min"], "432M tokens");
    let told = at(&scaled(&built, "pods.pay.reader"), "/metadata/annotations").clone();
    assert_eq!(
        told["aipolicy.dev/most-by-quota-3"],
        "3 = (2 requests/min of own + 1 requests/min of small) / one request of route chat at its caps, 60s long"
    );
    // Models that are called without a route, at 5,000 tokens a second of 10,000 that the tenant has.
    let direct = |quotas| most(&with(quotas, "4G tokens"), "pods.lab-two.direct");
    assert_eq!(direct(["", ""]), json!(2));
    assert_eq!(direct(["tokens: 3k tokens/s", "tokens: 3k tokens/s"]), json!(1));
    assert_eq!(direct(["tokens: 9k tokens/s", "tokens: 3k tokens/s"]), json!(2));
}

/// An edit, without the workload that the bound would be too small for.
fn roomy(kind: &'static str, name: &'static str, (from, to): (&str, &str)) -> Built {
    let (.., spec) = super::EVERYTHING.iter().find(|(of, called, _)| *of == kind && *called == name).unwrap();
    let idle = format!(
        "tenant: lab, platform: eks, cluster: pods, image: \"r.example/x@sha256:{}\"",
        "0".repeat(64)
    );
    changed(&[(kind, name, &spec.replacen(from, to, 1)), ("Workload", "direct", &idle)])
}

#[test]
fn the_number_comes_from_the_line_that_bounds_it() {
    let built = everything();
    let text = |name: &str| {
        let address = format!("kubernetes/ScaledObject/{name}");
        let found = built.all().find(|one| one.document.address.to_string() == address).unwrap();
        built.sources.slice(found.trace.at("/spec/maxReplicaCount").unwrap().span)
    };
    assert_eq!(text("pods.pay.reader"), "USD 100");
    assert_eq!(text("pods.lab.server"), "432M tokens");
}

#[test]
fn several_metrics_are_one_number_of_instances() {
    let built = everything();
    let formula =
        |name: &str| scaled(built, name).pointer("/spec/advanced/scalingModifiers/formula").cloned();
    assert_eq!(formula("pods.lab.server"), Some(json!("max(tokens / 1000, p95 / 0.800 * instances)")));
    assert_eq!(formula("pods.pay.reader"), Some(json!("max(queue / 20, p95 / 2 * instances)")));
    assert_eq!(formula("pods.lab-two.direct"), None);
    let kinds = |name: &str| -> Vec<String> {
        let found = scaled(built, name);
        let triggers = found["spec"]["triggers"].as_array().unwrap().iter();
        triggers.map(|one| one["type"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(kinds("pods.pay.reader"), ["aws-sqs-queue", "prometheus", "kubernetes-workload"]);
    assert_eq!(kinds("pods.lab.server"), ["prometheus", "prometheus", "kubernetes-workload"]);
}

#[test]
fn metadata_of_triggers_is_text_and_names_real_things() {
    let reader = scaled(everything(), "pods.pay.reader");
    let queue = at(&reader, "/spec/triggers/0");
    let metadata = json!({
        "queueURL": "https://sqs.eu-central-1.amazonaws.com/111122223333/work.fifo",
        "queueLength": "20",
        "awsRegion": "eu-central-1",
    });
    assert_eq!(queue["metadata"], metadata);
    assert_eq!(*at(queue, "/authenticationRef/name"), "reader");
    let latency = at(&reader, "/spec/triggers/1/metadata/query").as_str().unwrap();
    assert!(latency.contains("litellm_request_total_latency_metric_bucket{team=\"pay\"}"), "{latency}");
    let fallback = json!({ "failureThreshold": 3, "replicas": 3, "behavior": "currentReplicasIfHigher" });
    assert_eq!(*at(&reader, "/spec/fallback"), fallback);
    assert!(at(&scaled(everything(), "pods.lab.server"), "/spec").get("fallback").is_none());
}

#[test]
fn a_hostile_model_id_stays_a_string_of_the_query() {
    let built = edited("Model", "own", "modelId: acme/own", r#"modelId: "a\"} or vector(99) # \\ {""#);
    let server = scaled(&built, "pods.lab.server");
    let query = at(&server, "/spec/triggers/0/metadata/query").as_str().unwrap();
    let label = r#"gen_ai_request_model="a\"} or vector(99) # \\ {""#;
    assert_eq!(query, format!("sum(rate(gen_ai_client_token_usage_sum{{namespace=\"lab\",{label}}}[2m]))"));
    assert_eq!(problems(&[server.to_string()]), [[""; 0]]);
}

#[test]
fn the_quota_of_a_namespace_is_what_its_workloads_take() {
    let hard =
        |name: &str| object(everything(), &format!("ResourceQuota/{name}.workloads"))["spec"]["hard"].clone();
    // Five instances and one that replaces another: 6 × 1500m, 6 × 24Gi, 6 × 2 processors.
    let lab = json!({
        "requests.cpu": "9000m", "requests.memory": "147456Mi", "limits.memory": "147456Mi",
        "requests.nvidia.com/gpu": "12", "pods": "6", "persistentvolumeclaims": "0",
        "services.loadbalancers": "0", "services.nodeports": "0",
    });
    assert_eq!(hard("pods.lab"), lab);
    assert_eq!(hard("old.pay")["pods"], "4");
    assert_eq!(hard("pods.pay")["requests.nvidia.com/gpu"], "0");
}
