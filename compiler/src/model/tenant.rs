//! `Tenant`: a team.

use super::cluster::ClusterSpec;
use super::data_class::DataClassSpec;
use super::environment::EnvironmentSpec;
use super::macros::{record, words};
use super::model::{ModelSpec, Quota};
use super::reference::Ref;
use super::value::{Name, Text};
use crate::source::Spanned;

words! {
    /// How models may be reached.
    pub enum ModelAccess {
        /// Through the gateway alone.
        GatewayOnly = "gateway-only",
        /// Any way that is granted.
        Any = "any",
    }
}

record! {
    /// A team, and what it may use.
    pub struct TenantSpec {
        /// Who answers for it.
        owner: Spanned<Text>,
        /// Who pays.
        cost_centre: Option<Spanned<Text>>,
        /// Where it runs.
        environments: Vec<Ref<EnvironmentSpec>>,
        /// Classes of data that it may handle.
        clearance: Vec<Ref<DataClassSpec>>,
        /// Models that it may use.
        models: Vec<Ref<ModelSpec>>,
        /// How it may reach them; `any` when left out.
        model_access: Option<Spanned<ModelAccess>>,
        /// Its Kubernetes namespaces.
        namespaces: Vec<Spanned<Name>>,
        /// Clusters that its namespaces are on; every cluster of its environments when left out.
        clusters: Vec<Ref<ClusterSpec>>,
        /// How much it may ask.
        quota: Option<Quota>,
    }
}
