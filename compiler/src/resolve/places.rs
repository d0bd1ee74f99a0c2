//! The environments in which a resource has a say.

use super::Graph;
use crate::model::agent::AgentSpec;
use crate::model::environment::EnvironmentSpec;
use crate::model::route::RouteSpec;
use crate::model::workload::WorkloadSpec;
use crate::model::{Id, Ref};

impl Graph {
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
            None => {
                let tenant = self.get(&workload.tenant).map(|tenant| tenant.spec.environments.as_slice());
                tenant.unwrap_or_default().iter().filter_map(Ref::id).collect()
            }
        }
    }
}
