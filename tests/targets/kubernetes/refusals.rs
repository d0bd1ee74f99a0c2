//! What a cluster cannot hold is refused at the text that asks for it.

use super::{changed, edited};
use crate::harness::workspace::Built;

/// The code and the text under each error.
fn errors(built: &Built) -> Vec<(String, String)> {
    let found = built.diagnostics.iter().filter(|one| one.severity.word() == "error");
    found
        .map(|one| (one.code.to_string(), built.sources.slice(one.primary.span).trim_matches('"').to_owned()))
        .collect()
}

#[track_caller]
fn refused(built: &Built, place: &str) {
    assert_eq!(errors(built), [("AIP-CMP-002".to_owned(), place.to_owned())]);
    assert!(built.artifacts.is_empty());
}

#[test]
fn images_are_named_by_their_digest() {
    let digest = "@sha256:DIGEST";
    refused(&edited("Workload", "reader", digest, ":latest"), "r.example/reader:latest");
    refused(&edited("Workload", "reader", digest, "@sha256:12ab"), "r.example/reader@sha256:12ab");
    refused(&edited("Workload", "idle", ", image: \"r.example/idle@sha256:DIGEST\"", ""), "idle");
    refused(&edited("Gateway", "edge", " image: \"r.example/llm@sha256:DIGEST\",", ""), "edge");
    refused(&edited("Gateway", "edge", digest, ":v1"), "r.example/llm:v1");
}

#[test]
fn a_network_policy_names_addresses_and_pods_alone() {
    refused(
        &edited("Connector", "shop", "http://shop.web.svc:8080", "https://shop.example"),
        "https://shop.example",
    );
    let collector = "http://otel.observability.svc:4318";
    refused(&edited("Gateway", "edge", collector, "https://otel.example:4318"), "https://otel.example:4318");
    let elsewhere = "dialect: litellm, environment: prod, region: eu-central-1";
    refused(&changed(&[("Gateway", "edge", elsewhere)]), "chat");
}

#[test]
fn aws_is_reached_through_endpoints_alone() {
    refused(&edited("Environment", "prod", "s3: vpce-1, ", ""), "files");
    refused(&edited("Environment", "prod", "dynamodb.eu-west-1: vpce-4", "dynamodb: vpce-4"), "table");
    refused(&edited("Environment", "prod", "sts: vpce-3, ", ""), "call");
    let built = edited("Environment", "prod", ", endpointAddresses: [10.0.0.0/24, 10.0.1.0/24]", "");
    let found = errors(&built);
    assert!(!found.is_empty() && found.iter().all(|(code, _)| code == "AIP-CMP-002"), "{found:?}");
}

#[test]
fn a_namespace_belongs_to_the_tenant_and_to_nobody_else() {
    refused(&edited("Workload", "direct", "namespace: lab-two", "namespace: pay"), "pay");
    refused(&edited("Workload", "idle", "cluster: old", "cluster: old, namespace: other"), "other");
    for reserved in ["kube-system", "aipolicy-gateways", "default"] {
        refused(&edited("Tenant", "lab", "[lab, lab-two]", &format!("[lab, lab-two, {reserved}]")), reserved);
    }
}

#[test]
fn a_served_model_has_the_address_of_its_service() {
    let address = "http://server.lab.svc:8000/v1";
    for other in ["http://other.lab.svc:8000/v1", "http://server.pay.svc:8000", "https://model.example"] {
        let found = errors(&edited("Model", "own", address, other));
        assert!(!found.is_empty(), "{other}");
        assert!(
            found.iter().all(|found| *found == ("AIP-CMP-002".to_owned(), other.to_owned())),
            "{found:?}"
        );
    }
}

#[test]
fn autoscaling_stays_within_what_is_paid_for() {
    refused(&edited("Workload", "server", "min: 2", "min: 6"), "6");
    refused(&edited("Workload", "reader", "fallbackReplicas: 3", "fallbackReplicas: 5"), "5");
    refused(&edited("Workload", "server", "{ tokensPerSecond: 1000 }, ", ""), "2");
    refused(&edited("Workload", "reader", "queueDepth: 20", "queueDepth: 0"), "0");
    refused(&edited("Workload", "server", "tokensPerSecond: 1000", "tokensPerSecond: 0"), "0");
    refused(&edited("Workload", "reader", " consumes: { sqs: work.fifo },", ""), "20");
    refused(&edited("Workload", "reader", "sqs: work.fifo", "sqs: \"work/../other\""), "work/../other");
    let without = edited("Cluster", "pods", ", prometheus: \"http://prometheus.monitoring.svc:9090\"", "");
    let mut places: Vec<_> = errors(&without).into_iter().map(|(_, place)| place).collect();
    places.sort();
    assert_eq!(places, ["1000", "2s", "5000", "800ms"]);
}

#[test]
fn keda_is_told_to_bring_its_own_role() {
    let built = super::everything();
    let notes: Vec<_> =
        built.diagnostics.iter().map(|one| (&*one.code, built.sources.slice(one.primary.span))).collect();
    assert!(notes.contains(&("AIP-CMP-008", "20")), "{notes:?}");
}

#[test]
fn a_service_begins_with_a_letter() {
    let edge = "dialect: litellm, environment: prod, region: eu-central-1, cluster: old, image: \"r.example/llm@sha256:DIGEST\"";
    refused(&changed(&[("Gateway", "1edge", edge)]), "1edge");
}
