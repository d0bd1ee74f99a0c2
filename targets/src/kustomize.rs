//! What makes the folder of a cluster one that `kubectl apply -k` and GitOps tools take.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::artifact::{Artifact, Format};

/// A kustomization that lists files, and changes nothing in them.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Kustomization<'a> {
    api_version: &'static str,
    kind: &'static str,
    resources: Vec<&'a str>,
}

/// A `kustomization.yaml` for each cluster that has objects, by path. What is no object of a cluster, such as a request
/// to EKS, is not listed.
pub fn kustomizations(artifacts: &[Artifact]) -> BTreeMap<String, String> {
    let files: Vec<String> =
        artifacts.iter().filter(|one| is_object(one)).map(|one| one.document.file()).collect();
    let mut clusters: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for file in &files {
        let within = file.strip_prefix("kubernetes/").and_then(|file| file.split_once('/'));
        if let Some((cluster, file)) = within {
            clusters.entry(cluster).or_default().push(file);
        }
    }
    clusters.into_iter().map(|(cluster, files)| (path(cluster), written(files))).collect()
}

fn is_object(artifact: &Artifact) -> bool {
    artifact.document.address.target == "kubernetes" && artifact.document.format == Format::Yaml
}

fn path(cluster: &str) -> String {
    format!("kubernetes/{cluster}/kustomization.yaml")
}

fn written(mut resources: Vec<&str>) -> String {
    resources.sort_unstable();
    let kustomization =
        Kustomization { api_version: "kustomize.config.k8s.io/v1beta1", kind: "Kustomization", resources };
    #[expect(clippy::expect_used, reason = "it holds text and a list of texts")]
    serde_saphyr::to_string(&kustomization).expect("a kustomization is YAML")
}
