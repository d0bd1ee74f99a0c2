//! What a user writes, as types: one file per kind.

pub mod agent;
pub mod budget;
pub mod cluster;
pub mod connector;
pub mod data_class;
pub mod data_store;
pub mod drill;
pub mod environment;
pub mod gateway;
pub mod group;
pub mod guardrail;
mod macros;
#[expect(
    clippy::module_inception,
    reason = "the kind `Model` is called so; so is the layer of what users write"
)]
pub mod model;
pub mod model_test;
pub mod policy_test;
mod read;
pub mod reference;
pub mod residency_rule;
pub mod route;
mod schema;
mod shape;
pub mod tenant;
pub mod traffic_profile;
pub mod trigger;
pub mod value;
pub mod waiver;
pub mod workload;
pub mod workspace;

pub(crate) use read::read_file;
pub use reference::{AnyRef, Id, Ref};
pub use schema::{kind_schema, workspace_schema};
pub use value::{File, Name};

use crate::source::{Span, Spanned};
use crate::yaml::Decode;
use macros::record;
use value::{Text, Texts};

record! {
    /// How a resource is called.
    pub struct Metadata {
        /// Its name, unique among its kind.
        name: Spanned<Name>,
        /// What it is for.
        description: Option<Spanned<Text>>,
        /// Words of the writer to find it by.
        labels: Texts<Text>,
        /// Notes of the writer that mean nothing to aipolicy.
        annotations: Texts<Text>,
    }
}

/// One resource.
#[derive(Clone, Debug)]
pub struct Resource<S> {
    /// How it is called.
    pub metadata: Metadata,
    /// What it says.
    pub spec: S,
    /// The whole document.
    pub span: Span,
}

impl<S> Resource<S> {
    /// Its name.
    pub fn name(&self) -> &Name {
        &self.metadata.name.value
    }

    /// Where its name is written.
    pub fn name_span(&self) -> Span {
        self.metadata.name.span
    }
}

/// The specification of a kind.
#[expect(private_bounds, reason = "how a specification is read is the business of this crate")]
pub trait Spec: Decode + reference::Linked + schemars::JsonSchema + Sized + 'static {
    /// The kind.
    const KIND: KindName;

    /// All resources of this kind.
    fn all(bundle: &Bundle) -> &[Resource<Self>];

    /// All resources of this kind, to be linked.
    fn all_mut(bundle: &mut Bundle) -> &mut Vec<Resource<Self>>;
}

/// Declares the kinds: name, specification, and where the bundle keeps them.
macro_rules! kinds {
    ($($kind:ident($spec:ty) in $field:ident;)+) => {
        /// The name of a kind.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum KindName {
            $(
                #[doc = concat!("`", stringify!($kind), "`.")]
                $kind,
            )+
        }

        impl KindName {
            /// Every kind, sorted by name.
            pub const ALL: &'static [Self] = &[$(Self::$kind),+];

            /// The word after `kind:`.
            pub fn word(self) -> &'static str {
                match self {
                    $(Self::$kind => stringify!($kind),)+
                }
            }
        }

        /// Every resource of a workspace, by kind, in the order of files.
        #[derive(Clone, Debug, Default)]
        pub struct Bundle {
            $(
                #[doc = concat!("Resources of kind `", stringify!($kind), "`.")]
                pub $field: Vec<Resource<$spec>>,
            )+
            /// Resources that could not be read, which has been reported; whoever refers to one is not to blame.
            pub(crate) refused: std::collections::BTreeSet<(KindName, Name)>,
        }

        impl Bundle {
            /// Makes room for the resources of other bundles, so that they are moved once.
            pub(crate) fn reserve<'b>(&mut self, others: impl Iterator<Item = &'b Self> + Clone) {
                $(self.$field.reserve(others.clone().map(|other| other.$field.len()).sum());)+
            }

            /// Adds the resources of another bundle.
            pub(crate) fn append(&mut self, mut other: Self) {
                $(self.$field.append(&mut other.$field);)+
                self.refused.append(&mut other.refused);
            }

            /// How many resources there are.
            pub fn len(&self) -> usize {
                0 $(+ self.$field.len())+
            }

            /// Whether there is none.
            pub fn is_empty(&self) -> bool {
                self.len() == 0
            }

            /// Names and places of all resources of a kind, in the order of ids.
            pub fn names(&self, kind: KindName) -> Vec<&Spanned<Name>> {
                match kind {
                    $(KindName::$kind => self.$field.iter().map(|found| &found.metadata.name).collect(),)+
                }
            }

            /// Shows every reference of every resource.
            pub(crate) fn each_reference(&mut self, visit: &mut dyn FnMut(reference::Reference<'_>)) {
                use reference::Linked as _;
                $(for found in &mut self.$field {
                    found.spec.each_reference(visit);
                })+
            }

            /// Kind, name and place of every resource, by kind.
            pub fn resources(&self) -> Vec<(KindName, &Spanned<Name>, Span)> {
                let mut all = Vec::with_capacity(self.len());
                $(all.extend(self.$field.iter().map(|found| (KindName::$kind, &found.metadata.name, found.span)));)+
                all
            }
        }

        $(
            impl Spec for $spec {
                const KIND: KindName = KindName::$kind;

                fn all(bundle: &Bundle) -> &[Resource<Self>] {
                    &bundle.$field
                }

                fn all_mut(bundle: &mut Bundle) -> &mut Vec<Resource<Self>> {
                    &mut bundle.$field
                }
            }
        )+

        /// Reads the specification of a kind and keeps the resource.
        fn keep(kind: KindName, header: read::Header<'_, '_>, bundle: &mut Bundle, reader: &mut crate::yaml::Reader<'_>) {
            match kind {
                $(KindName::$kind => match header.resource::<$spec>(reader) {
                    Ok(resource) => bundle.$field.push(resource),
                    Err(name) => bundle.refused.extend(name.map(|name| (kind, name))),
                },)+
            }
        }

        /// The JSON Schema of the specification of a kind.
        fn spec_schema(kind: KindName, generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
            match kind {
                $(KindName::$kind => generator.subschema_for::<$spec>(),)+
            }
        }
    };
}

kinds! {
    Agent(agent::AgentSpec) in agents;
    Budget(budget::BudgetSpec) in budgets;
    Cluster(cluster::ClusterSpec) in clusters;
    Connector(connector::ConnectorSpec) in connectors;
    DataClass(data_class::DataClassSpec) in data_classes;
    DataStore(data_store::DataStoreSpec) in data_stores;
    Drill(drill::DrillSpec) in drills;
    Environment(environment::EnvironmentSpec) in environments;
    Gateway(gateway::GatewaySpec) in gateways;
    Group(group::GroupSpec) in groups;
    Guardrail(guardrail::GuardrailSpec) in guardrails;
    Model(model::ModelSpec) in models;
    ModelTest(model_test::ModelTestSpec) in model_tests;
    PolicyTest(policy_test::PolicyTestSpec) in policy_tests;
    ResidencyRule(residency_rule::ResidencyRuleSpec) in residency_rules;
    Route(route::RouteSpec) in routes;
    Tenant(tenant::TenantSpec) in tenants;
    TrafficProfile(traffic_profile::TrafficProfileSpec) in traffic_profiles;
    Waiver(waiver::WaiverSpec) in waivers;
    Workload(workload::WorkloadSpec) in workloads;
    Workspace(workspace::WorkspaceSpec) in workspaces;
}

impl KindName {
    /// The kind with this name.
    pub fn find(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.word() == word)
    }

    /// The file of its JSON Schema, for instance `residency-rule.schema.json`.
    pub fn schema_file(self) -> String {
        let mut name = String::new();
        for letter in self.word().chars() {
            if letter.is_uppercase() && !name.is_empty() {
                name.push('-');
            }
            name.extend(letter.to_lowercase());
        }
        name + ".schema.json"
    }
}

impl std::fmt::Display for KindName {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.word())
    }
}
