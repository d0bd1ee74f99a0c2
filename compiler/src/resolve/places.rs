//! The environments in which a resource has a say.

use super::Graph;
use crate::model::agent::AgentSpec;
use crate::model::budget::{BudgetScope, BudgetSpec};
use crate::model::data_store::{DataStoreSpec, StoreKind};
use crate::model::environment::EnvironmentSpec;
use crate::model::route::RouteSpec;
use crate::model::workload::WorkloadSpec;
use crate::model::{Id, Ref, Resource};

/// What a service keeps content for, on behalf of agents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StorePlace {
    /// State of sessions and of executions.
    Session,
    /// What is remembered between sessions.
    Memory,
}

impl StorePlace {
    /// What a store is for; nothing where it is for something else.
    pub fn of(kind: &StoreKind) -> Option<Self> {
        match kind {
            StoreKind::Session(_) => Some(Self::Session),
            StoreKind::Memory(_) => Some(Self::Memory),
            StoreKind::S3(_) | StoreKind::CloudWatch(_) | StoreKind::Xray(_) | StoreKind::Cache(_) => None,
        }
    }
}

impl Graph {
    /// What an environment says about the place where services keep content in a region.
    pub fn kept(
        &self,
        environment: Id<EnvironmentSpec>,
        place: StorePlace,
        region: &str,
    ) -> Option<(Id<DataStoreSpec>, &Resource<DataStoreSpec>)> {
        let stores = self.resource(environment)?.spec.stores.iter().filter_map(Ref::id);
        let mut stores = stores.filter_map(|id| Some((id, self.resource(id)?)));
        stores.find(|(_, store)| {
            StorePlace::of(&store.spec.kind) == Some(place) && store.spec.region.value.as_str() == region
        })
    }

    /// Where an agent runs: in the environments that it lists, or else in those of its tenant.
    pub fn places_of_agent(&self, agent: &AgentSpec) -> Vec<Id<EnvironmentSpec>> {
        let tenant = self.get(&agent.tenant).map(|tenant| tenant.spec.environments.as_slice());
        let listed = agent.environments.as_slice();
        let chosen = if listed.is_empty() { tenant.unwrap_or_default() } else { listed };
        chosen.iter().filter_map(Ref::id).collect()
    }

    /// Where a route is served: in the environment of its gateway.
    pub fn places_of_route(&self, route: &RouteSpec) -> Vec<Id<EnvironmentSpec>> {
        let gateway = self.get(&route.gateway);
        gateway.and_then(|gateway| gateway.spec.environment.id()).into_iter().collect()
    }

    /// Where a workload runs: in the environment of its cluster, or in those of its tenant.
    pub fn places_of_workload(&self, workload: &WorkloadSpec) -> Vec<Id<EnvironmentSpec>> {
        match workload.cluster.as_ref().and_then(|cluster| self.get(cluster)) {
            Some(cluster) => cluster.spec.environment.id().into_iter().collect(),
            None if !workload.environments.is_empty() => {
                workload.environments.iter().filter_map(Ref::id).collect()
            }
            None => {
                let tenant = self.get(&workload.tenant).map(|tenant| tenant.spec.environments.as_slice());
                tenant.unwrap_or_default().iter().filter_map(Ref::id).collect()
            }
        }
    }

    /// Where a budget counts what is spent.
    pub fn places_of_budget(&self, budget: &BudgetSpec) -> Vec<Id<EnvironmentSpec>> {
        match &budget.scope {
            BudgetScope::Organisation => self.each().map(|(id, _)| id).collect(),
            BudgetScope::Environment(environment) => environment.id().into_iter().collect(),
            BudgetScope::Tenant(tenant) => {
                let listed = self.get(tenant).map(|tenant| tenant.spec.environments.as_slice());
                listed.unwrap_or_default().iter().filter_map(Ref::id).collect()
            }
            BudgetScope::Agent(agent) => {
                self.get(agent).map(|agent| self.places_of_agent(&agent.spec)).unwrap_or_default()
            }
        }
    }
}
