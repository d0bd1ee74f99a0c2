//! What an API server says to every object, and whether roles and service accounts agree.

use std::collections::BTreeSet;

use aipolicy_targets::artifact::{Artifact, Format};
use serde_json::{Value, json};

use super::{CLUSTERS, changed, everything, object, objects, problems, workspace, workspaces};
use crate::harness::workspace::Built;
use crate::harness::{read, root};
use crate::targets::{ACME, at};

#[test]
fn an_api_server_takes_every_object() {
    let mut kinds = BTreeSet::new();
    for built in workspaces() {
        let all: Vec<_> =
            built.sound().into_iter().filter(|one| one.document.address.target == "kubernetes").collect();
        let all: Vec<_> = all.into_iter().filter(|one| one.document.format == Format::Yaml).collect();
        kinds.extend(all.iter().map(|one| one.document.address.kind.as_str()));
        let texts: Vec<_> = all.iter().map(|one| one.document.text.clone()).collect();
        for (one, found) in all.iter().zip(problems(&texts)) {
            assert_eq!(found, [""; 0], "{}", one.document.address);
        }
    }
    let expected = [
        "ConfigMap",
        "Deployment",
        "LimitRange",
        "Namespace",
        "NetworkPolicy",
        "PodDisruptionBudget",
        "PodMonitor",
        "PrometheusRule",
        "ResourceQuota",
        "Role",
        "RoleBinding",
        "ScaledObject",
        "Service",
        "ServiceAccount",
        "TriggerAuthentication",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
    ];
    assert!(kinds.iter().copied().eq(expected), "{kinds:?}");
}

/// An object with one value replaced.
fn with(address: &str, pointer: &str, value: Value) -> String {
    let mut found = object(everything(), address);
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let parent = found.pointer_mut(parent).unwrap_or_else(|| panic!("{address} has no {pointer}"));
    match parent {
        Value::Array(items) => items[key.parse::<usize>().unwrap()] = value,
        Value::Object(_) | Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            parent[key] = value;
        }
    }
    found.to_string()
}

#[test]
fn the_judge_refuses_what_is_wrong() {
    let container = "/spec/template/spec/containers/0";
    let deployment = |pointer: &str, value: Value| with("Deployment/pods.lab.server", pointer, value);
    let scaled = |pointer: &str, value: Value| with("ScaledObject/pods.lab.server", pointer, value);
    let rule = |text: &str| {
        with("ValidatingAdmissionPolicy/pods.w-prod-pods", "/spec/validations/0/expression", json!(text))
    };
    let cases = [
        (deployment("/spec/replica", json!(3)), "unknown field \"spec.replica\""),
        (deployment("/metadata/name", json!("Bad_Name")), "metadata.name"),
        (deployment("/spec/template/metadata/labels", json!({})), "selector"),
        (deployment(&format!("{container}/resources/requests/cpu"), json!("lots")), "quantities"),
        (deployment(&format!("{container}/securityContext/privileged"), json!(true)), "privileged"),
        (deployment("/spec/template/spec/hostNetwork", json!(true)), "host namespaces"),
        (with("NetworkPolicy/pods.pay.reader", "/spec/policyTypes/0", json!("Egres")), "policyTypes"),
        (
            with(
                "NetworkPolicy/pods.pay.default-deny",
                "/spec/egress",
                json!([{ "to": [{ "ipBlock": { "cidr": "10.0.0.1" } }] }]),
            ),
            "cidr",
        ),
        (with("Service/pods.lab.server", "/metadata/name", json!("a.server")), "metadata.name"),
        (
            with("ResourceQuota/pods.lab.workloads", "/spec/hard/pods", json!("-1")),
            "greater than or equal to 0",
        ),
        (scaled("/spec/minReplicaCount", json!(40)), "minReplicaCount must be less than or equal"),
        (scaled("/spec/maxReplicas", json!(4)), "unknown field spec.maxReplicas"),
        (scaled("/spec/fallback", json!({ "replicas": 1 })), "failureThreshold"),
        (
            scaled("/spec/advanced/scalingModifiers/formula", json!("tokens / latency")),
            "formula: unknown name latency",
        ),
        (
            scaled("/spec/advanced/scalingModifiers/formula", json!("tokens / 5")),
            "formula: it does not use instances",
        ),
        (rule("object.spec.image == 'x'"), "undefined field 'image'"),
        (rule("object.spec.("), "Syntax error"),
    ];
    let texts: Vec<_> = cases.iter().map(|(text, _)| text.clone()).collect();
    for ((text, wanted), found) in cases.iter().zip(problems(&texts)) {
        assert!(found.iter().any(|one| one.contains(wanted)), "{wanted}: {found:?}\n{text}");
    }
}

#[test]
fn roles_trust_the_service_accounts_that_get_them() {
    let mut seen = BTreeSet::new();
    for built in [everything(), &*ACME] {
        for one in built.sound().into_iter().filter(|one| one.document.address.target == "kubernetes") {
            let address = &one.document.address;
            let role = one.needs.iter().find(|need| need.kind == "Role" && need.target == "iam");
            let Some(role) = role else { continue };
            let role = built.json(&role.to_string());
            let trust = at(&role, "/AssumeRolePolicyDocument/Statement/0/Condition/StringEquals");
            let arn = format!(
                "arn:aws:iam::111122223333:role{}{}",
                role["Path"].as_str().unwrap(),
                role["RoleName"].as_str().unwrap()
            );
            let found: Value = serde_saphyr::from_str(&one.document.text).unwrap();
            if address.kind == "PodIdentityAssociation" {
                assert_eq!(found["roleArn"], arn);
                let tagged = |key: &str| trust[format!("aws:RequestTag/{key}")].clone();
                assert_eq!(found["clusterName"], tagged("eks-cluster-name"), "{address}");
                assert_eq!(found["namespace"], tagged("kubernetes-namespace"), "{address}");
                assert_eq!(found["serviceAccount"], tagged("kubernetes-service-account"), "{address}");
            } else {
                assert_eq!(at(&found, "/metadata/annotations")["eks.amazonaws.com/role-arn"], arn);
                let (namespace, name) = (at(&found, "/metadata/namespace"), at(&found, "/metadata/name"));
                let subject = format!(
                    "system:serviceaccount:{}:{}",
                    namespace.as_str().unwrap(),
                    name.as_str().unwrap()
                );
                assert_eq!(trust["oidc.eks.eu-central-1.amazonaws.com/id/ABC123:sub"], subject, "{address}");
            }
            seen.insert(address.to_string());
        }
    }
    let expected = [
        "kubernetes/PodIdentityAssociation/eu-1.aipolicy-gateways.edge-eu",
        "kubernetes/PodIdentityAssociation/eu-1.research.embedder",
        "kubernetes/PodIdentityAssociation/eu-1.support.case-sorter",
        "kubernetes/PodIdentityAssociation/pods.aipolicy-gateways.edge",
        "kubernetes/PodIdentityAssociation/pods.lab-two.direct",
        "kubernetes/PodIdentityAssociation/pods.lab.server",
        "kubernetes/PodIdentityAssociation/pods.pay.reader",
        "kubernetes/ServiceAccount/old.pay.idle",
        "kubernetes/ServiceAccount/old.pay.legacy",
    ];
    assert!(seen.iter().map(String::as_str).eq(expected), "{seen:#?}");
}

#[test]
fn associations_are_requests_of_eks() {
    let text = read(&root().join("tests/data/eks-pod-identity.schema.json"));
    let mut schema: Value = serde_json::from_str(&text).unwrap();
    schema["$ref"] = json!("#/$defs/CreatePodIdentityAssociationRequest");
    let validator = jsonschema::validator_for(&schema).unwrap();
    for built in [everything(), &*ACME] {
        let all =
            built.sound().into_iter().filter(|one| one.document.address.kind == "PodIdentityAssociation");
        for one in all {
            let mut found: Value = serde_json::from_str(&one.document.text).unwrap();
            assert!(validator.is_valid(&found), "{}", one.document.text);
            found["role"] = json!("x");
            assert!(!validator.is_valid(&found));
        }
    }
}

#[test]
fn every_object_says_whose_it_is_and_what_it_needs_exists() {
    for built in workspaces() {
        let all: BTreeSet<_> = built.all().map(|one| one.document.address.to_string()).collect();
        for one in built.sound().into_iter().filter(|one| one.document.address.target == "kubernetes") {
            for need in &one.needs {
                assert!(all.contains(&need.to_string()), "{} needs {need}", one.document.address);
            }
            if one.document.format == Format::Yaml {
                let found: Value = serde_saphyr::from_str(&one.document.text).unwrap();
                let labels = at(&found, "/metadata/labels");
                assert_eq!(labels["app.kubernetes.io/managed-by"], "aipolicy");
                assert!(
                    labels["aipolicy.dev/workspace"].is_string()
                        && labels["aipolicy.dev/environment"].is_string()
                );
                let home = found["metadata"].get("namespace").is_none() || reaches_namespace(built, one);
                assert!(home, "{} may come before its namespace", one.document.address);
            }
        }
    }
}

/// Whether an artifact comes after a namespace.
fn reaches_namespace(built: &Built, one: &Artifact) -> bool {
    one.needs.iter().any(|need| {
        let next = built.all().filter(|other| other.document.address == *need);
        need.kind == "Namespace" || next.into_iter().any(|next| reaches_namespace(built, next))
    })
}

#[test]
fn nothing_runs_before_what_guards_it() {
    for (built, clusters) in [(everything(), &CLUSTERS[..]), (&*ACME, &["eu-1"])] {
        for one in clusters.iter().flat_map(|cluster| objects(built, cluster)) {
            if one.document.address.kind != "Deployment" {
                continue;
            }
            let kinds: BTreeSet<_> = one.needs.iter().map(|need| need.kind.as_str()).collect();
            let names: Vec<_> = one.needs.iter().map(|need| need.name.as_str()).collect();
            for kind in ["NetworkPolicy", "ServiceAccount", "ValidatingAdmissionPolicyBinding"] {
                assert!(kinds.contains(kind), "{}: {kinds:?}", one.document.address);
            }
            assert!(names.iter().any(|name| name.ends_with(".default-deny")), "{names:?}");
        }
    }
}

#[test]
fn a_tenant_has_its_namespaces_on_its_clusters_alone() {
    let namespaces = |built: &Built| -> Vec<String> {
        let all = built.sound().into_iter().filter(|one| one.document.address.kind == "Namespace");
        all.map(|one| one.document.address.name.clone()).filter(|name| !name.contains("aipolicy-")).collect()
    };
    assert_eq!(namespaces(everything()), ["old.pay", "pods.lab", "pods.lab-two", "pods.pay"]);
    let lab = object(everything(), "Namespace/pods.lab");
    let labels = at(&lab, "/metadata/labels");
    assert_eq!(labels["aipolicy.dev/data-class"], "internal");
    assert_eq!(labels["aipolicy.dev/tenant"], "lab");
    assert_eq!(labels["pod-security.kubernetes.io/enforce"], "restricted");
    let pay = object(everything(), "Namespace/old.pay");
    assert_eq!(at(&pay, "/metadata/labels")["aipolicy.dev/data-class"], "confidential");
}

#[test]
fn graphics_processors_and_architectures_choose_nodes() {
    let server = object(everything(), "Deployment/pods.lab.server");
    let pod = at(&server, "/spec/template/spec");
    assert_eq!(pod["nodeSelector"], json!({ "kubernetes.io/arch": "arm64" }));
    assert_eq!(
        pod["tolerations"],
        json!([{ "key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule" }])
    );
    let resources = json!({
        "requests": { "cpu": "1500m", "memory": "24576Mi", "nvidia.com/gpu": "2" },
        "limits": { "memory": "24576Mi", "nvidia.com/gpu": "2" },
    });
    assert_eq!(*at(pod, "/containers/0/resources"), resources);
    let reader = object(everything(), "Deployment/pods.pay.reader");
    let pod = at(&reader, "/spec/template/spec");
    assert!(pod.get("nodeSelector").is_none() && pod.get("tolerations").is_none());
    assert_eq!(*at(pod, "/containers/0/resources/requests"), json!({ "cpu": "250m", "memory": "512Mi" }));
}

#[test]
fn replicas_are_left_to_the_autoscaler() {
    let replicas =
        |name: &str| object(everything(), &format!("Deployment/{name}"))["spec"].get("replicas").cloned();
    assert_eq!(replicas("pods.lab.server"), None);
    assert_eq!(replicas("old.pay.idle"), Some(json!(1)));
    assert_eq!(replicas("pods.aipolicy-gateways.edge"), Some(json!(2)));
}

#[test]
fn the_gateway_gets_the_files_of_its_dialect_and_secrets_by_name() {
    let built = everything();
    let config = object(built, "ConfigMap/pods.aipolicy-gateways.edge");
    let data = at(&config, "/data");
    assert_eq!(data["config.yaml"], built.text("gateway/LiteLlmConfig/edge"));
    assert_eq!(data["tenants.json"], built.text("gateway/LiteLlmTenants/edge"));
    assert_eq!(data["aipolicy_litellm.py"], built.text("gateway/LiteLlmHook/edge.py"));
    let deployment = object(built, "Deployment/pods.aipolicy-gateways.edge");
    let container = at(&deployment, "/spec/template/spec/containers/0");
    let mut secrets = Vec::new();
    for variable in container["env"].as_array().unwrap() {
        let name = variable["name"].as_str().unwrap();
        if let Some(key) = variable.pointer("/valueFrom/secretKeyRef") {
            assert_eq!(*key, json!({ "name": "edge-keys", "key": name }));
            secrets.push(name);
        } else {
            assert!(name.starts_with("OTEL_"), "{name} is written");
        }
    }
    assert_eq!(
        secrets,
        ["AIPOLICY_KEY_PAY", "AIPOLICY_METRICS_KEY", "AIPOLICY_MODEL_KEY_OWN", "LITELLM_MASTER_KEY"]
    );
    let trace = built
        .sound()
        .into_iter()
        .find(|one| one.document.address.to_string() == "kubernetes/ConfigMap/pods.aipolicy-gateways.edge");
    let trace = &trace.unwrap().trace;
    let text = |pointer: &str| built.sources.slice(trace.at(pointer).unwrap().span);
    assert_eq!(text("/data/config.yaml"), "litellm");
    assert_eq!(text("/data/config.yaml/model_list/0/litellm_params/timeout"), "10s");
}

#[test]
fn a_change_of_the_configuration_replaces_the_pods() {
    let digest = |built: &Built| {
        let found = object(built, "Deployment/pods.aipolicy-gateways.edge");
        at(&found, "/spec/template/metadata/annotations/aipolicy.dev~1config-digest").clone()
    };
    let other = super::edited("Route", "chat", "output: 1k", "output: 2k");
    assert_ne!(digest(everything()), digest(&other));
}

#[test]
fn long_names_stay_within_limits() {
    let (long, tenant) = ("w".repeat(63), "n".repeat(63));
    let spec = format!(
        "owner: a@acme.example, environments: [prod], clearance: [internal], namespaces: [{tenant}], models: []"
    );
    let workload =
        format!("tenant: {tenant}, platform: eks, cluster: old, image: \"r.example/x@sha256:DIGEST\"");
    let mut documents = super::EVERYTHING.to_vec();
    documents.extend([("Tenant", tenant.as_str(), spec.as_str()), ("Workload", &long, &workload)]);
    let built = Built::of(workspace(&documents));
    let texts: Vec<_> = objects(&built, "old").iter().map(|one| one.document.text.clone()).collect();
    assert!(problems(&texts).iter().all(Vec::is_empty), "{:?}", problems(&texts));
    let bindings = objects(&built, "old")
        .into_iter()
        .filter(|one| one.document.text.contains("ValidatingAdmissionPolicyBinding"));
    assert!(bindings.map(|one| &one.document.address.name["old.".len()..]).all(|name| name.len() <= 63));
}

#[test]
fn two_tenants_with_one_namespace_collide() {
    let other =
        "owner: a@acme.example, environments: [prod], clearance: [internal], namespaces: [pay], models: []";
    let mut found = changed(&[("Tenant", "other", other)]).findings();
    found.retain(|one| one.severity == "error");
    assert!(!found.is_empty() && found.iter().all(|one| one.code == "AIP-CMP-003"), "{found:#?}");
}

#[test]
fn people_of_a_tenant_see_no_secrets_and_change_nothing() {
    let role = object(everything(), "Role/pods.pay.viewer");
    for rule in role["rules"].as_array().unwrap() {
        assert_eq!(rule["verbs"], json!(["get", "list", "watch"]));
        let resources: Vec<_> =
            rule["resources"].as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect();
        assert!(
            resources.iter().all(|one| !one.contains("secret") && *one != "*" && !one.contains("exec")),
            "{resources:?}"
        );
    }
    let binding = object(everything(), "RoleBinding/pods.pay.viewer");
    assert_eq!(*at(&binding, "/subjects/0/name"), "aipolicy:pay");
}
