//! What pods may reach, and who may reach them: exactly what grants imply.

use serde_json::{Value, json};

use super::{edited, everything, object, unscaled};
use crate::harness::workspace::Built;
use crate::targets::at;

/// The peers of a direction, in one line each: `namespace/pod:port` or `range:port`.
fn peers(policy: &Value, direction: &str, side: &str) -> Vec<String> {
    let selected = |selector: Option<&Value>| -> Option<String> {
        let labels = selector?.get("matchLabels")?.as_object()?;
        assert_eq!(labels.len(), 1, "{policy}");
        Some(labels.values().next()?.as_str()?.to_owned())
    };
    let mut all = Vec::new();
    for rule in policy["spec"].get(direction).and_then(Value::as_array).into_iter().flatten() {
        for peer in rule[side].as_array().unwrap() {
            for port in rule["ports"].as_array().unwrap() {
                let place = match peer.pointer("/ipBlock/cidr") {
                    Some(range) => range.as_str().unwrap().to_owned(),
                    None => {
                        let namespace = selected(peer.get("namespaceSelector")).unwrap();
                        let pod = selected(peer.get("podSelector")).unwrap_or_else(|| "*".to_owned());
                        format!("{namespace}/{pod}")
                    }
                };
                all.push(format!("{place}:{}", port["port"]));
            }
        }
    }
    all
}

fn egress(built: &Built, name: &str) -> Vec<String> {
    peers(&object(built, &format!("NetworkPolicy/{name}")), "egress", "to")
}

fn ingress(built: &Built, name: &str) -> Vec<String> {
    peers(&object(built, &format!("NetworkPolicy/{name}")), "ingress", "from")
}

const ENDPOINTS: [&str; 2] = ["10.0.0.0/24:443", "10.0.1.0/24:443"];
const AGENT: &str = "169.254.170.23/32:80";

#[test]
fn egress_is_what_grants_imply() {
    let built = everything();
    let expected = ["aipolicy-gateways/edge:4000", "web/*:8080", ENDPOINTS[0], ENDPOINTS[1], AGENT];
    assert_eq!(egress(built, "pods.pay.reader"), expected);
    assert_eq!(egress(built, "pods.lab-two.direct"), ["lab/server:8000", ENDPOINTS[0], ENDPOINTS[1], AGENT]);
    // With IRSA, credentials come from an endpoint too.
    assert_eq!(egress(built, "old.pay.legacy"), ENDPOINTS);
    let gateway = ["lab/server:8000", ENDPOINTS[0], ENDPOINTS[1], AGENT, "observability/*:4318"];
    assert_eq!(egress(built, "pods.aipolicy-gateways.edge"), gateway);
    assert_eq!(egress(built, "pods.lab.server"), [""; 0]);
}

#[test]
fn ingress_is_what_grants_imply() {
    let built = everything();
    let gateway = ["pay/reader:4000", "10.1.0.0/16:4000", "192.168.7.0/24:4000", "monitoring/*:4000"];
    assert_eq!(ingress(built, "pods.aipolicy-gateways.edge"), gateway);
    let server = ["lab-two/direct:8000", "aipolicy-gateways/edge:8000", "monitoring/*:8000"];
    assert_eq!(ingress(built, "pods.lab.server"), server);
    assert_eq!(ingress(built, "pods.pay.reader"), [""; 0]);
}

#[test]
fn every_namespace_is_closed_but_for_dns() {
    for namespace in
        ["pods.pay", "pods.lab", "pods.lab-two", "pods.aipolicy-gateways", "pods.aipolicy-system", "old.pay"]
    {
        let deny = object(everything(), &format!("NetworkPolicy/{namespace}.default-deny"));
        assert_eq!(deny["spec"], json!({ "podSelector": {}, "policyTypes": ["Ingress", "Egress"] }));
        let dns = object(everything(), &format!("NetworkPolicy/{namespace}.allow-dns"));
        assert_eq!(peers(&dns, "egress", "to"), ["kube-system/kube-dns:53"; 2]);
        assert_eq!(dns["spec"]["policyTypes"], json!(["Egress"]));
    }
}

#[test]
fn without_a_grant_there_is_no_way() {
    let built = unscaled("reader", "routes: [chat], ", "");
    assert!(!egress(&built, "pods.pay.reader").iter().any(|peer| peer.starts_with("aipolicy-gateways")));
    assert!(!ingress(&built, "pods.aipolicy-gateways.edge").iter().any(|peer| peer.starts_with("pay/")));
    let built = unscaled("direct", "models: [small, own]", "models: [own]");
    assert_eq!(egress(&built, "pods.lab-two.direct"), ["lab/server:8000"]);
    let built = unscaled("direct", "models: [small, own]", "models: [small]");
    assert!(!ingress(&built, "pods.lab.server").iter().any(|peer| peer.starts_with("lab-two/")));
    let built = edited("Gateway", "edge", "prometheus: true, ", "");
    assert!(
        !ingress(&built, "pods.aipolicy-gateways.edge").iter().any(|peer| peer.starts_with("monitoring"))
    );
    // A workload that was granted nothing has no policy of its own.
    let idle = "kubernetes/NetworkPolicy/old.pay.idle";
    assert!(!everything().all().any(|one| one.document.address.to_string() == idle));
}

#[test]
fn ways_come_from_the_lines_that_grant_them() {
    let built = everything();
    let policy = built
        .all()
        .find(|one| one.document.address.to_string() == "kubernetes/NetworkPolicy/pods.pay.reader");
    let trace = &policy.unwrap().trace;
    let text = |pointer: &str| built.sources.slice(trace.at(pointer).unwrap().span);
    assert_eq!(text("/spec/egress/0/to/0/podSelector"), "chat");
    assert_eq!(text("/spec/egress/1/ports/0/port"), "shop");
    assert_eq!(text("/spec/egress/2/to/1/ipBlock/cidr"), "10.0.1.0/24");
    assert!(!trace.at("/spec/egress/0").unwrap().policies.is_empty());
    let gateway = built.all().find(|one| {
        one.document.address.to_string() == "kubernetes/NetworkPolicy/pods.aipolicy-gateways.edge"
    });
    let trace = &gateway.unwrap().trace;
    let found = built.sources.slice(trace.at("/spec/ingress/1/from/0/ipBlock/cidr").unwrap().span);
    assert_eq!(found, "10.1.0.0/16");
}

#[test]
fn clients_are_told_where_their_gateway_is() {
    let reader = object(everything(), "Deployment/pods.pay.reader");
    let expected = json!([
        { "name": "OPENAI_BASE_URL", "value": "http://edge.aipolicy-gateways.svc:4000/v1" },
        { "name": "OPENAI_API_KEY", "valueFrom": { "secretKeyRef": { "name": "reader-gateway-key", "key": "key" } } },
    ]);
    assert_eq!(*at(&reader, "/spec/template/spec/containers/0/env"), expected);
}
