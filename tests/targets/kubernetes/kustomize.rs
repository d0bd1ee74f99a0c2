//! The folder of a cluster, built by kustomize itself.

use std::collections::BTreeSet;

use aipolicy_targets::artifact::Format;
use serde_json::{Value, json};

use super::{SERVER, everything};
use crate::harness::root;
use crate::harness::workspace::Built;
use crate::targets::ACME;

/// The objects of a cluster as `Kind namespace/name`.
fn wanted(built: &Built, cluster: &str) -> BTreeSet<String> {
    let objects =
        super::objects(built, cluster).into_iter().filter(|one| one.document.format == Format::Yaml);
    objects
        .map(|one| {
            let found: Value = serde_saphyr::from_str(&one.document.text).unwrap();
            let text =
                |pointer: &str| found.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
            format!("{} {}/{}", text("/kind"), text("/metadata/namespace"), text("/metadata/name"))
        })
        .collect()
}

fn built(folder: &std::path::Path) -> BTreeSet<String> {
    let told = SERVER.ask(&json!({ "kustomization": folder }));
    serde_json::from_value(told["built"].clone()).unwrap()
}

#[test]
fn kustomize_builds_what_is_kept_of_acme() {
    let folder = root().join("examples/acme/expected/prod/kubernetes/eu-1");
    assert_eq!(built(&folder), wanted(&ACME, "eu-1"));
}

#[test]
fn each_cluster_has_a_folder_of_its_own() {
    let artifacts: Vec<_> = everything().sound().into_iter().cloned().collect();
    let kustomizations = aipolicy_targets::kustomize::kustomizations(&artifacts);
    let clusters = super::CLUSTERS.map(|cluster| format!("kubernetes/{cluster}/kustomization.yaml"));
    assert!(kustomizations.keys().eq(&clusters), "{:?}", kustomizations.keys());
    let folder = tempfile::tempdir().unwrap();
    let documents = artifacts.iter().map(|one| (one.document.file(), one.document.text.clone()));
    for (path, text) in documents.chain(kustomizations) {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    for cluster in super::CLUSTERS {
        let found = built(&folder.path().join("kubernetes").join(cluster));
        assert_eq!(found, wanted(everything(), cluster));
    }
}
