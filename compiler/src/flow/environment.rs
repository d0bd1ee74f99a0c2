//! Content that environments keep of tenants: logs, traces, and what is in their namespaces.

use std::collections::{BTreeMap, BTreeSet};

use super::path::Node;
use super::{Content, Flow, Way, start, step};
use crate::model::Id;
use crate::model::agent::AgentSpec;
use crate::model::cluster::ClusterSpec;
use crate::model::data_class::DataClassSpec;
use crate::model::data_store::DataStoreSpec;
use crate::model::reference::Ref;
use crate::model::route::RouteSpec;
use crate::model::tenant::TenantSpec;
use crate::model::workload::WorkloadSpec;

/// One start for each tenant that has something in the environment.
pub(super) fn starts<'g>(flow: &Flow<'g>) -> Vec<Way<'g>> {
    let classes = handled(flow);
    let tenants = inside(flow).into_iter().filter_map(|id| Some((id, flow.graph.resource(id)?)));
    let of = |(id, tenant): (Id<TenantSpec>, &'g crate::model::Resource<TenantSpec>)| {
        let handled = classes.get(&id).into_iter().flatten().copied();
        let content = Content { class: flow.most_sensitive(handled), tenant: Some(id) };
        let cleared = tenant.spec.clearance.iter().filter_map(Ref::id);
        let cleared = Content { class: flow.most_sensitive(cleared), tenant: Some(id) };
        let next = logs(flow, content).into_iter().chain(namespaces(flow, cleared, &tenant.spec));
        Node::new(start("tenant", tenant), next.collect())
    };
    tenants.map(of).collect()
}

/// Tenants that are listed, or have agents, workloads or routes here.
fn inside(flow: &Flow<'_>) -> BTreeSet<Id<TenantSpec>> {
    let graph = flow.graph;
    let listed = graph.each::<TenantSpec>().filter_map(|(id, tenant)| {
        let environments: Vec<_> = tenant.spec.environments.iter().filter_map(Ref::id).collect();
        flow.is_here(&environments).then_some(id)
    });
    let agents = graph.each::<AgentSpec>().filter_map(|(_, agent)| {
        let is_here =
            agent.spec.switched_off().is_none() && flow.is_here(&graph.places_of_agent(&agent.spec));
        is_here.then(|| agent.spec.tenant.id())?
    });
    let workloads = graph.each::<WorkloadSpec>().filter_map(|(_, workload)| {
        flow.is_here(&graph.places_of_workload(&workload.spec)).then(|| workload.spec.tenant.id())?
    });
    let routes = graph
        .each::<RouteSpec>()
        .filter(|(_, route)| flow.is_here(&graph.places_of_route(&route.spec)))
        .flat_map(|(_, route)| route.spec.r#match.tenants.iter().filter_map(Ref::id));
    listed.chain(agents).chain(workloads).chain(routes).collect()
}

/// The classes of data in what each tenant sends. What an agent handled before it was switched off is still in the logs.
fn handled(flow: &Flow<'_>) -> BTreeMap<Id<TenantSpec>, BTreeSet<Id<DataClassSpec>>> {
    let graph = flow.graph;
    let mut of: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for (id, tenant) in graph.each::<TenantSpec>() {
        of.entry(id).or_default().extend(tenant.spec.clearance.iter().filter_map(Ref::id));
    }
    for (_, agent) in graph.each::<AgentSpec>() {
        if let Some(tenant) = agent.spec.tenant.id() {
            of.entry(tenant).or_default().extend(agent.spec.clearance.iter().filter_map(Ref::id));
        }
    }
    for (_, route) in graph.each::<RouteSpec>() {
        for tenant in route.spec.r#match.tenants.iter().filter_map(Ref::id) {
            of.entry(tenant).or_default().extend(route.spec.data_class.id());
        }
    }
    of
}

/// Prompts and completions of a tenant are in every log of the environment.
fn logs<'g>(flow: &Flow<'g>, content: Content) -> Vec<Way<'g>> {
    let environment = flow.graph.resource(flow.environment);
    let Some(logging) = environment.and_then(|found| found.spec.logging.as_ref()) else { return Vec::new() };
    let named = [
        ("is logged in store", &logging.invocations),
        ("is traced in store", &logging.traces),
        ("is traced in store", &logging.spans),
        ("is recorded in store", &logging.audit),
    ];
    named.into_iter().filter_map(|(what, store)| flow.keeps(content, (what, store.as_ref()?))).collect()
}

impl<'g> Flow<'g> {
    /// Content that comes to rest in a store, and in its copies.
    pub(super) fn keeps(
        &self,
        content: Content,
        (what, named): (&'static str, &'g Ref<DataStoreSpec>),
    ) -> Option<Way<'g>> {
        let store = self.graph.get(named)?;
        let region = &store.spec.region;
        let home = self.rests(content, step("is kept", "", region.span), region.value.as_str());
        let copies = store.spec.replicates_to.iter();
        let copies = copies
            .map(|region| self.rests(content, step("is copied", "", region.span), region.value.as_str()));
        let next = std::iter::once(home).chain(copies).collect();
        Some(Node::new(step(what, store.name().as_str(), named.name.span), next))
    }
}

/// What the workloads of a tenant have in memory and on disk is in its namespaces, on its clusters.
fn namespaces<'g>(flow: &Flow<'g>, content: Content, tenant: &'g TenantSpec) -> Vec<Way<'g>> {
    let named: Vec<_> = tenant.clusters.iter().filter_map(Ref::id).collect();
    let environments: Vec<_> = tenant.environments.iter().filter_map(Ref::id).collect();
    let on_all = named.is_empty() && flow.is_here(&environments);
    let clusters = flow.graph.each::<ClusterSpec>().filter(|(id, cluster)| {
        let is_ours = on_all || named.contains(id);
        is_ours && cluster.spec.environment.id() == Some(flow.environment)
    });
    let on = |(_, cluster): (_, &'g crate::model::Resource<ClusterSpec>)| {
        let at = step("on cluster", cluster.name().as_str(), cluster.spec.region.span);
        let region = cluster.spec.region.value.as_str();
        let each = tenant.namespaces.iter().map(move |namespace| {
            let here = step("is in namespace", namespace.value.as_str(), namespace.span);
            (here, at, region)
        });
        each.collect::<Vec<_>>()
    };
    let all = clusters.flat_map(on);
    all.map(|(here, at, region)| Node::new(here, vec![flow.rests(content, at, region)])).collect()
}
