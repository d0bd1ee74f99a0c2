//! `Cluster`: an EKS cluster.

use super::data_class::DataClassSpec;
use super::environment::EnvironmentSpec;
use super::macros::{record, words};
use super::reference::Ref;
use super::value::{Region, Text};
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
        /// Its context in a kubeconfig.
        context: Option<Spanned<Text>>,
    }
}
