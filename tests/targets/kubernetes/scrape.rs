//! What Prometheus reads and evaluates in a cluster where its operator runs it.

use std::collections::BTreeMap;

use aipolicy_targets::artifact::Artifact;
use serde_json::{Value, json};

use super::{everything, object, objects, operated, operated_by, problems};
use crate::harness::workspace::Built;
use crate::targets::observability::check;
use crate::targets::{ACME, at, document};

fn of_kind<'b>(built: &'b Built, kind: &str) -> Vec<&'b Artifact> {
    built.sound().into_iter().filter(|one| one.document.address.kind == kind).collect()
}

fn read(one: &Artifact) -> Value {
    serde_saphyr::from_str(&one.document.text).unwrap()
}

/// The groups of rules of all objects of a workspace, by name.
fn groups(built: &Built) -> BTreeMap<String, Value> {
    let objects = of_kind(built, "PrometheusRule").into_iter().map(read);
    let groups = objects.flat_map(|object| at(&object, "/spec/groups").as_array().unwrap().clone());
    groups.map(|group| (group["name"].as_str().unwrap().to_owned(), group)).collect()
}

#[test]
fn an_operator_gets_the_rules_of_the_file() {
    for (built, environment) in [(operated(), "prod"), (&*ACME, "prod")] {
        let named = format!("observability/PrometheusRules/{environment}");
        let file: Value = serde_saphyr::from_str(built.text(&named)).unwrap();
        let wanted = at(&file, "/groups").as_array().unwrap();
        let found = groups(built);
        assert_eq!(found.len(), wanted.len());
        for group in wanted {
            assert_eq!(found.get(group["name"].as_str().unwrap()), Some(group));
        }
    }
}

#[test]
fn rules_and_monitors_have_the_labels_that_prometheus_selects() {
    let found = [of_kind(operated(), "PrometheusRule"), of_kind(operated(), "PodMonitor")].concat();
    assert!(found.len() > 4);
    for one in found {
        let labels = at(&read(one), "/metadata/labels").clone();
        assert_eq!((&labels["release"], &labels["acme.example/team"]), (&json!("stack"), &json!("ai")));
        let origin = one.trace.at("/metadata/labels/release").unwrap();
        assert_eq!(operated().sources.slice(origin.span), "stack");
    }
}

/// A monitor selects the pods of a deployment, by a port that they have.
#[test]
fn monitors_find_the_pods_that_serve_metrics() {
    for address in ["pods.aipolicy-gateways.edge", "pods.lab.server"] {
        let monitor = object(operated(), &format!("PodMonitor/{address}"));
        let deployment = object(operated(), &format!("Deployment/{address}"));
        assert_eq!(monitor["metadata"]["namespace"], deployment["metadata"]["namespace"]);
        let labels = at(&deployment, "/spec/template/metadata/labels");
        for (key, value) in at(&monitor, "/spec/selector/matchLabels").as_object().unwrap() {
            assert_eq!(labels[key], *value, "{address}");
        }
        let ports = at(&deployment, "/spec/template/spec/containers/0/ports").as_array().unwrap();
        let port = at(&monitor, "/spec/podMetricsEndpoints/0/port");
        assert!(ports.iter().any(|known| known["name"] == *port), "{address}");
    }
    assert_eq!(of_kind(operated(), "PodMonitor").len(), 2);
}

/// The key that Prometheus shows is the one that the gateway knows.
#[test]
fn prometheus_has_a_key_that_opens_metrics_alone() {
    let monitor = object(operated(), "PodMonitor/pods.aipolicy-gateways.edge");
    let key = at(&monitor, "/spec/podMetricsEndpoints/0/authorization/credentials");
    let deployment = object(operated(), "Deployment/pods.aipolicy-gateways.edge");
    let variables = at(&deployment, "/spec/template/spec/containers/0/env").as_array().unwrap();
    let variable = variables.iter().find(|one| one["name"] == "AIPOLICY_METRICS_KEY").unwrap();
    assert_eq!(at(variable, "/valueFrom/secretKeyRef"), key);
    let config = object(operated(), "ConfigMap/pods.aipolicy-gateways.edge");
    let tenants: Value = serde_json::from_str(config["data"]["tenants.json"].as_str().unwrap()).unwrap();
    assert_eq!(at(&tenants, "/metrics/key_env"), "AIPOLICY_METRICS_KEY");
}

#[test]
fn metrics_are_read_from_the_namespace_of_prometheus() {
    for (address, port) in [("pods.aipolicy-gateways.edge", 4000), ("pods.lab.server", 8000)] {
        let policy = object(operated(), &format!("NetworkPolicy/{address}"));
        let from = |rule: &Value| {
            let name = rule.pointer("/from/0/namespaceSelector/matchLabels/kubernetes.io~1metadata.name");
            name.is_some_and(|name| name == "watch") && *at(rule, "/ports/0/port") == port
        };
        assert!(at(&policy, "/spec/ingress").as_array().unwrap().iter().any(from), "{policy:#}");
        assert!(!policy.to_string().contains("monitoring"), "{policy:#}");
    }
}

#[test]
fn without_an_operator_there_are_no_objects_for_it() {
    for kind in ["PodMonitor", "PrometheusRule"] {
        assert!(of_kind(everything(), kind).is_empty());
        let of_cluster = |cluster: &str| {
            let all = objects(operated(), cluster);
            all.into_iter().filter(|one| one.document.address.kind == kind).count()
        };
        assert_eq!(of_cluster("old"), 0);
        assert_ne!(of_cluster("pods"), 0);
    }
}

/// What the definitions of the operator do not allow, or Prometheus cannot read.
#[test]
fn broken_objects_are_found() {
    let rule = |pointer: &str, value: Value| {
        let mut found = object(operated(), "PrometheusRule/pods.aipolicy-gateways.w-prod-token-spike");
        at(&found, pointer.rsplit_once('/').unwrap().0);
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        found.pointer_mut(parent).unwrap()[key] = value;
        found.to_string()
    };
    let monitor = |pointer: &str, value: Value| {
        let mut found = object(operated(), "PodMonitor/pods.aipolicy-gateways.edge");
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        found.pointer_mut(parent).unwrap()[key] = value;
        found.to_string()
    };
    let cases = [
        (rule("/spec/groups/0/interval", json!("soon")), "spec.groups[0].interval"),
        (rule("/spec/groups/0/rules/0/for", json!("5 minutes")), "spec.groups[0].rules[0].for"),
        (rule("/spec/groups/0/rules/0/expr", json!(null)), "expr"),
        (rule("/spec/groups/0/rules/0/expression", json!("up")), "unknown field"),
        (rule("/spec/groups/0/name", json!("")), "spec.groups[0].name"),
        (rule("/spec/rules", json!([])), "unknown field"),
        (monitor("/spec/selector", json!(null)), "selector"),
        (monitor("/spec/podMetricsEndpoints/0/port", json!(4000)), "port"),
        (monitor("/spec/podMetricsEndpoints/0/interval", json!("often")), "interval"),
        (monitor("/spec/podMetricsEndpoints/0/authorization/credentials/key", json!(null)), "key"),
    ];
    let texts: Vec<_> = cases.iter().map(|(text, _)| text.clone()).collect();
    for ((text, wanted), found) in cases.iter().zip(problems(&texts)) {
        assert!(found.iter().any(|one| one.contains(wanted)), "{wanted}: {found:?}\n{text}");
    }
    let sound = groups(operated()).into_values().collect::<Vec<_>>();
    let (taken, told) = check(&json!({ "groups": sound }).to_string());
    assert!(taken, "{told}");
    let broken = json!([{ "name": "x", "rules": [{ "alert": "A", "expr": "sum(" }] }]);
    assert!(!check(&json!({ "groups": broken }).to_string()).0);
}

#[test]
fn labels_that_no_object_can_have_are_refused() {
    let long = format!("a: {}", "x".repeat(64));
    let cases = [
        ("\"a b\": x", "x"),
        ("a: \"x y\"", "x y"),
        ("a: -x", "-x"),
        ("a/b/c: x", "x"),
        ("Acme.example/a: x", "x"),
        (long.as_str(), &long[3..]),
        ("aipolicy.dev/tenant: pay", "pay"),
        ("app.kubernetes.io/managed-by: helm", "helm"),
    ];
    for (label, place) in cases {
        let built = operated_by(&format!("namespace: watch, labels: {{ {label} }}"), "");
        let found = built.diagnostics.iter().filter(|one| one.severity.word() == "error");
        let found: Vec<_> = found
            .map(|one| (one.code.to_string(), built.sources.slice(one.primary.span).trim_matches('"')))
            .collect();
        assert_eq!(found, [("AIP-CMP-002".to_owned(), place)], "{label}");
    }
}

/// The operator puts the rules of an object into a ConfigMap, and takes half of what one holds.
#[test]
fn rules_that_the_operator_would_not_take_are_refused() {
    let built = |count: u32| {
        let notice = |at| format!("{{ at: {at}%, do: notify, to: [{}@b.example] }}", "a".repeat(5200));
        let notices: Vec<_> = (1..=count).map(notice).collect();
        let spec = format!(
            "scope: {{ tenant: pay }}, period: month, limit: USD 9000000, thresholds: [{}]",
            notices.join(", ")
        );
        operated_by("namespace: watch", &document("Budget", "told", &spec))
    };
    let errors = |built: &Built| -> Vec<(String, String)> {
        let found = built.diagnostics.iter().filter(|one| one.severity.word() == "error");
        found.map(|one| (one.code.to_string(), one.message.clone())).collect()
    };
    assert_eq!(errors(&built(90)), []);
    let [(code, message)] = errors(&built(99)).try_into().unwrap();
    assert!(code == "AIP-CMP-001" && message.contains("`budget-notice`"), "{code}: {message}");
}

#[test]
fn gateways_whose_metrics_do_not_get_there_are_told() {
    let found = operated().diagnostics.iter().find(|one| one.message.starts_with("rules on `pods`"));
    let found = found.unwrap_or_else(|| panic!("{:#?}", operated().findings()));
    assert!(found.message.contains("`abroad`") && !found.message.contains("`edge`"), "{}", found.message);
    assert_eq!(operated().sources.slice(found.primary.span), "watch");
}
