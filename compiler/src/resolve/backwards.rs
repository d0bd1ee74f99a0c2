//! References, followed backwards: what names a resource.

use std::collections::{BTreeMap, BTreeSet};

use super::Graph;
use crate::model::budget::{BudgetScope, BudgetSpec};
use crate::model::gateway::GatewaySpec;
use crate::model::model::ModelSpec;
use crate::model::route::RouteSpec;
use crate::model::tenant::TenantSpec;
use crate::model::traffic_profile::TrafficProfileSpec;
use crate::model::workload::WorkloadSpec;
use crate::model::{Bundle, Id, Resource};

/// What names resources of some kinds, in the order of resources.
#[derive(Debug, Default)]
pub(super) struct Backwards {
    budgets: BTreeMap<Id<TenantSpec>, Vec<Id<BudgetSpec>>>,
    /// Budgets of anything but a tenant.
    other_budgets: Vec<Id<BudgetSpec>>,
    profiles: BTreeMap<Id<RouteSpec>, Vec<Id<TrafficProfileSpec>>>,
    routes: BTreeMap<Id<GatewaySpec>, Vec<Id<RouteSpec>>>,
    servers: BTreeMap<Id<ModelSpec>, Vec<Id<WorkloadSpec>>>,
}

impl Backwards {
    /// Follows the references of linked resources.
    pub(super) fn of(bundle: &Bundle) -> Self {
        let mut found = Self::default();
        for (at, budget) in bundle.budgets.iter().enumerate() {
            match &budget.spec.scope {
                BudgetScope::Tenant(tenant) => add(&mut found.budgets, tenant.id(), at),
                BudgetScope::Organisation | BudgetScope::Environment(_) | BudgetScope::Agent(_) => {
                    found.other_budgets.push(Id::new(at));
                }
            }
        }
        for (at, profile) in bundle.traffic_profiles.iter().enumerate() {
            add(&mut found.profiles, profile.spec.route.id(), at);
        }
        for (at, route) in bundle.routes.iter().enumerate() {
            add(&mut found.routes, route.spec.gateway.id(), at);
        }
        for (at, workload) in bundle.workloads.iter().enumerate() {
            let served = workload.spec.serves.as_ref().and_then(|serves| serves.model.id());
            add(&mut found.servers, served, at);
        }
        found
    }
}

fn add<K, S>(found: &mut BTreeMap<Id<K>, Vec<Id<S>>>, named: Option<Id<K>>, at: usize) {
    if let Some(named) = named {
        found.entry(named).or_default().push(Id::new(at));
    }
}

impl Graph {
    /// The budgets of a tenant.
    pub fn budgets_of(&self, tenant: Id<TenantSpec>) -> impl Iterator<Item = &Resource<BudgetSpec>> {
        let ids = self.backwards.budgets.get(&tenant).into_iter().flatten();
        ids.filter_map(|id| self.resource(*id))
    }

    /// The budgets of these tenants, and those of anything but a tenant.
    pub fn budgets_among<'g>(
        &'g self,
        tenants: &BTreeSet<Id<TenantSpec>>,
    ) -> impl Iterator<Item = &'g Resource<BudgetSpec>> + use<'g> {
        let of_tenants = tenants.iter().filter_map(|tenant| self.backwards.budgets.get(tenant)).flatten();
        let ids: BTreeSet<_> = of_tenants.chain(&self.backwards.other_budgets).copied().collect();
        ids.into_iter().filter_map(|id| self.resource(id))
    }

    /// The regions of the clusters on which a model of one's own is served.
    pub(super) fn serving<'g>(&'g self, model: &'g ModelSpec) -> impl Iterator<Item = &'g str> {
        let servers = self.backwards.servers.iter();
        let of_model = servers.filter(|(id, _)| {
            self.resource(**id).is_some_and(|found| std::ptr::eq(&raw const found.spec, model))
        });
        let workloads = of_model.flat_map(|(_, workloads)| workloads).filter_map(|id| self.resource(*id));
        workloads.filter_map(|workload| {
            let cluster = self.get(workload.spec.cluster.as_ref()?)?;
            Some(cluster.spec.region.value.as_str())
        })
    }

    /// What was measured of a route.
    pub fn profiles_of(&self, route: Id<RouteSpec>) -> impl Iterator<Item = &Resource<TrafficProfileSpec>> {
        let ids = self.backwards.profiles.get(&route).into_iter().flatten();
        ids.filter_map(|id| self.resource(*id))
    }

    /// The routes of a gateway.
    pub fn routes_of(
        &self,
        gateway: Id<GatewaySpec>,
    ) -> impl Iterator<Item = (Id<RouteSpec>, &Resource<RouteSpec>)> {
        let ids = self.backwards.routes.get(&gateway).into_iter().flatten();
        ids.filter_map(|id| Some((*id, self.resource(*id)?)))
    }
}
