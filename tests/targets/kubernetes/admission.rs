//! What the admission policies of a cluster let in, asked of the plugin that an API server runs.

use serde_json::{Value, json};

use super::{SERVER, edited, everything, object, objects};
use crate::harness::workspace::Built;
use crate::targets::{ACME, at};

/// The verdicts on requests to a cluster: empty where one is let in.
fn verdicts(built: &Built, cluster: &str, requests: &[Value]) -> Vec<String> {
    let mut texts: Vec<_> = objects(built, cluster).iter().map(|one| one.document.text.clone()).collect();
    texts.push("apiVersion: v1\nkind: Namespace\nmetadata: { name: elsewhere }\n".to_owned());
    let told = SERVER.ask(&json!({ "objects": texts, "requests": requests }));
    serde_json::from_value(told["verdicts"].clone()).unwrap()
}

fn create(resource: &str, object: Value) -> Value {
    json!({ "operation": "CREATE", "resource": resource, "object": object })
}

/// A pod as a deployment makes it.
fn pod(built: &Built, deployment: &str) -> Value {
    let deployment = object(built, &format!("Deployment/{deployment}"));
    let template = at(&deployment, "/spec/template");
    let mut pod = json!({ "apiVersion": "v1", "kind": "Pod", "metadata": template["metadata"], "spec": template["spec"] });
    let name = deployment["metadata"]["name"].as_str().unwrap();
    pod["metadata"]["name"] = json!(format!("{name}-7d4f"));
    pod["metadata"]["namespace"] = deployment["metadata"]["namespace"].clone();
    pod
}

/// A pod with one value replaced, or removed where it is null.
fn with(mut pod: Value, pointer: &str, value: Value) -> Value {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let key = key.replace("~1", "/");
    let parent = pod.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    match value {
        Value::Null => _ = parent.remove(&key),
        value @ (Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)
        | Value::Object(_)) => {
            parent.insert(key, value);
        }
    }
    pod
}

#[test]
fn pods_of_every_deployment_are_let_in() {
    for (built, cluster) in [(everything(), "pods"), (everything(), "old"), (&*ACME, "eu-1")] {
        let deployments =
            objects(built, cluster).into_iter().filter(|one| one.document.address.kind == "Deployment");
        let names: Vec<_> = deployments.map(|one| one.document.address.name.clone()).collect();
        assert!(names.len() >= 2, "{names:?}");
        let requests: Vec<_> = names.iter().map(|name| create("pods", pod(built, name))).collect();
        for (name, verdict) in names.iter().zip(verdicts(built, cluster, &requests)) {
            assert_eq!(verdict, "", "{name}");
        }
    }
}

#[test]
fn pods_that_were_not_decided_on_are_refused() {
    let own = || pod(everything(), "pods.pay.reader");
    let image = "/spec/containers/0";
    let other =
        json!("r.example/other@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
    let mut container = at(&own(), image).clone();
    container["image"] = other;
    let second = |container: &Value| json!([at(&own(), image), container]);
    let mut moved = own();
    moved["metadata"]["namespace"] = json!("lab");
    let mut foreign = own();
    foreign["metadata"]["namespace"] = json!("elsewhere");
    let mut reader = pod(everything(), "pods.aipolicy-gateways.edge");
    reader["metadata"]["namespace"] = json!("aipolicy-system");
    let image_of = "run the image of the workload";
    let cases = [
        (own(), ""),
        (foreign, ""),
        (with(own(), "/spec/containers", json!([container])), image_of),
        (with(own(), "/spec/containers", second(&container)), image_of),
        (with(own(), "/spec/initContainers", json!([container])), "init containers"),
        (with(own(), "/spec/initContainers", json!([at(&own(), image)])), ""),
        (with(own(), "/metadata/labels/app.kubernetes.io~1name", json!("server")), "names no workload"),
        (with(own(), "/metadata/labels/app.kubernetes.io~1name", Value::Null), "names no workload"),
        (with(own(), "/metadata/labels", Value::Null), "names no workload"),
        (with(own(), "/spec/serviceAccountName", json!("default")), "the service account"),
        (with(own(), "/spec/serviceAccountName", Value::Null), "the service account"),
        (with(own(), "/spec/automountServiceAccountToken", json!(true)), "no token"),
        (with(own(), "/spec/automountServiceAccountToken", Value::Null), "no token"),
        (with(own(), "/metadata/labels/aipolicy.dev~1tenant", json!("lab")), "names the tenant"),
        (with(own(), "/metadata/labels/aipolicy.dev~1tenant", Value::Null), "names the tenant"),
        (moved, "names no workload"),
        (reader, "names no workload"),
    ];
    let requests: Vec<_> = cases.iter().map(|(pod, _)| create("pods", pod.clone())).collect();
    for ((pod, wanted), verdict) in cases.iter().zip(verdicts(everything(), "pods", &requests)) {
        assert_eq!(verdict.is_empty(), wanted.is_empty(), "{verdict}\n{pod:#}");
        assert!(verdict.contains(wanted), "{wanted}: {verdict}");
    }
}

#[test]
fn nobody_debugs_a_pod_with_another_image() {
    let old = pod(everything(), "pods.pay.reader");
    let debugger = json!([{ "name": "debug", "image": "busybox" }]);
    let new = with(old.clone(), "/spec/ephemeralContainers", debugger);
    let request = json!({
        "operation": "UPDATE", "resource": "pods", "subresource": "ephemeralcontainers", "object": new, "old": old
    });
    let verdict = verdicts(everything(), "pods", &[request]);
    assert!(verdict[0].contains("no containers to debug with"), "{verdict:?}");
}

#[test]
fn namespaces_keep_their_tenant_class_and_restrictions() {
    let own = || object(everything(), "Namespace/pods.lab");
    let label = |key: &str, value: Value| with(own(), &format!("/metadata/labels/{key}"), value);
    let other = |class: &str| {
        json!({ "apiVersion": "v1", "kind": "Namespace",
            "metadata": { "name": "other", "labels": { "aipolicy.dev/data-class": class } } })
    };
    let cases = [
        (own(), ""),
        (label("aipolicy.dev~1data-class", json!("public")), "class of data"),
        (label("aipolicy.dev~1data-class", json!("confidential")), "class of data"),
        (label("aipolicy.dev~1tenant", json!("pay")), "the tenant"),
        (label("pod-security.kubernetes.io~1enforce", json!("privileged")), "restricted"),
        (label("pod-security.kubernetes.io~1enforce", Value::Null), "restricted"),
        (with(own(), "/metadata/labels", Value::Null), "the tenant"),
        (json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "other" } }), ""),
        (other("internal"), ""),
        (other("restricted"), "not for this class"),
    ];
    let mut requests = Vec::new();
    for (object, _) in &cases {
        requests.push(create("namespaces", object.clone()));
        requests
            .push(json!({ "operation": "UPDATE", "resource": "namespaces", "object": object, "old": own() }));
    }
    let told = verdicts(everything(), "pods", &requests);
    for ((object, wanted), verdicts) in cases.iter().zip(told.chunks(2)) {
        for verdict in verdicts {
            assert_eq!(verdict.is_empty(), wanted.is_empty(), "{verdict}\n{object:#}");
            assert!(verdict.contains(wanted), "{wanted}: {verdict}");
        }
    }
}

#[test]
fn without_its_parameters_a_namespace_takes_nothing() {
    let built = everything();
    let within = "kubernetes/ConfigMap/pods.aipolicy-system.pay";
    let texts: Vec<_> = objects(built, "pods")
        .iter()
        .filter(|one| one.document.address.to_string() != within)
        .map(|one| one.document.text.clone())
        .collect();
    let request = create("pods", pod(built, "pods.pay.reader"));
    let told = SERVER.ask(&json!({ "objects": texts, "requests": [request] }));
    assert!(told["verdicts"][0].as_str().unwrap().contains("no params found"), "{told}");
}

#[test]
fn what_somebody_wrote_is_a_parameter_and_never_an_expression() {
    let rules = |built: &Built| -> Vec<Value> {
        let policies = objects(built, "pods")
            .into_iter()
            .filter(|one| one.document.address.kind == "ValidatingAdmissionPolicy");
        policies
            .map(|one| serde_saphyr::from_str::<Value>(&one.document.text).unwrap()["spec"].clone())
            .collect()
    };
    let other = edited("Workload", "reader", "r.example/reader@", "r.example/some-other-name@");
    assert_eq!(rules(everything()), rules(&other));
    assert_eq!(rules(everything()).len(), 3);
}
