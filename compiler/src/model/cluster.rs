//! `Cluster`: an EKS cluster.

use super::data_class::DataClassSpec;
use super::environment::EnvironmentSpec;
use super::macros::{record, words};
use super::reference::Ref;
use super::value::{Name, Region, Text, Texts};
use crate::source::Spanned;

words! {
    /// How service accounts get their IAM role.
    pub enum ClusterIdentity {
        /// EKS Pod Identity.
        PodIdentity = "pod-identity",
        /// IAM roles for service accounts.
        Irsa = "irsa",
    }
}

record! {
    /// A Prometheus that the Prometheus operator runs. Its selectors of namespaces have to admit ours.
    pub struct PrometheusOperator {
        /// The namespace of Prometheus, from which it reads metrics.
        namespace: Spanned<Name>,
        /// Labels by which it selects rules and monitors of pods, for instance `release: kube-prometheus-stack`.
        labels: Texts<Text>,
    }
}

record! {
    /// An EKS cluster.
    pub struct ClusterSpec {
        /// Where it runs.
        environment: Ref<EnvironmentSpec>,
        /// Its region.
        region: Spanned<Region>,
        /// Its name in EKS.
        eks_name: Spanned<Text>,
        /// How service accounts get their IAM role.
        identity: Spanned<ClusterIdentity>,
        /// Id of the OIDC provider, for `irsa`.
        oidc_id: Option<Spanned<Text>>,
        /// Classes of data that it is reserved for.
        dedicated_to: Vec<Ref<DataClassSpec>>,
        /// Address of its Prometheus, which autoscaling asks, for instance `http://prometheus.monitoring.svc:9090`.
        prometheus: Option<Spanned<Text>>,
        /// The Prometheus in the cluster, where its operator runs it: rules and monitors of pods are objects then.
        prometheus_operator: Option<PrometheusOperator>,
        /// Its context in a kubeconfig.
        context: Option<Spanned<Text>>,
    }
}
