//! Requests of environments and tenants: logs and traces, copies of connectors, namespaces.

use std::collections::{BTreeMap, BTreeSet};

use super::{Asker, Group, budget, highest, resting};
use crate::ir::{AccessRequest, Action, Circumstances, Object, Principal};
use crate::model::agent::AgentSpec;
use crate::model::cluster::ClusterSpec;
use crate::model::connector::{ConnectorKind, ConnectorSpec};
use crate::model::data_class::DataClassSpec;
use crate::model::data_store::DataStoreSpec;
use crate::model::environment::EnvironmentSpec;
use crate::model::reference::Ref;
use crate::model::route::RouteSpec;
use crate::model::tenant::TenantSpec;
use crate::model::workload::WorkloadSpec;
use crate::model::{Id, Resource};
use crate::resolve::Graph;

pub(super) fn groups(graph: &Graph) -> impl Iterator<Item = Group> {
    let (classes, connectors, callers) = (classes(graph), connectors(graph), budget::callers(graph));
    let listed = graph.each::<TenantSpec>().flat_map(|(id, tenant)| {
        tenant.spec.environments.iter().filter_map(move |environment| Some((environment.id()?, id)))
    });
    let inside: BTreeSet<Inside> = listed.chain(connectors.keys().copied()).collect();
    let environments = graph.each::<EnvironmentSpec>().flat_map(move |(id, environment)| {
        let asker = Asker { graph, principal: Principal::Environment(id), environment: id, tenant: None };
        let logs = logs(graph, environment);
        let support = logs.iter().map(|log| log.support(asker));
        let mut own: Group = support.chain(budget::stops(asker, &callers)).collect();
        let tenants: Vec<_> = inside.range((id, Id::new(0))..).take_while(|(at, _)| *at == id).collect();
        if tenants.is_empty() {
            let class = highest(graph, std::iter::empty());
            own.extend(logs.iter().flat_map(|log| log.places(asker, class)));
        }
        let of = |found: &Inside| {
            let asker = Asker { tenant: Some(found.1), ..asker };
            let class = classes.get(&found.1).copied().unwrap_or(Id::new(0));
            let kept = logs.iter().flat_map(|log| log.places(asker, class));
            let used = connectors.get(found).into_iter().flatten();
            let used = used.filter_map(|connector| graph.resource(*connector));
            kept.chain(used.flat_map(|connector| resting_places(asker, connector))).collect()
        };
        std::iter::once(own).chain(tenants.into_iter().map(of)).collect::<Vec<Group>>()
    });
    environments.chain(graph.each::<TenantSpec>().map(|(id, tenant)| namespaces(graph, id, tenant)))
}

/// A tenant in an environment.
type Inside = (Id<EnvironmentSpec>, Id<TenantSpec>);

/// A store of logs or traces. Prompts and completions of every tenant of the environment may be in it, and what holds
/// for each of them holds for it.
struct Log<'g> {
    place: &'static str,
    reference: &'g Ref<DataStoreSpec>,
    id: Id<DataStoreSpec>,
    store: &'g Resource<DataStoreSpec>,
}

fn logs<'g>(graph: &'g Graph, environment: &'g Resource<EnvironmentSpec>) -> Vec<Log<'g>> {
    let logging = environment.spec.logging.as_ref();
    let invocations = logging.and_then(|logging| logging.invocations.as_ref());
    let traces = logging.and_then(|logging| logging.traces.as_ref());
    let spans = logging.and_then(|logging| logging.spans.as_ref());
    let audit = logging.and_then(|logging| logging.audit.as_ref());
    let named = [("invocations", invocations), ("traces", traces), ("traces", spans), ("audit", audit)];
    let found = named.into_iter().filter_map(|(place, reference)| {
        let id = reference?.id()?;
        Some(Log { place, reference: reference?, id, store: graph.resource(id)? })
    });
    found.collect()
}

impl Log<'_> {
    fn support(&self, asker: Asker<'_>) -> AccessRequest {
        let log = (Object::DataStore(self.id), Circumstances::Support("logs"));
        asker.ask(Action::SupportRuntime, log, self.reference.name.span)
    }

    /// Its content comes to rest in its region, and in every region that it is copied to.
    fn places(&self, asker: Asker<'_>, class: Id<DataClassSpec>) -> Group {
        let spec = &self.store.spec;
        let mut storage = resting(self.place, class);
        storage.customer_managed_key = spec.encryption.is_some();
        storage.immutable = spec.immutable.as_ref().is_some_and(|word| word.value);
        storage.retention_days = spec.retention.as_ref().map(|retention| retention.value.days());
        storage.store = Some(self.id);
        let home = asker.store(spec.region.value.as_str(), storage.clone(), self.reference.name.span);
        let copies = spec.replicates_to.iter().map(|region| {
            let storage = crate::ir::Storage { place: "replica", ..storage.clone() };
            asker.store(region.value.as_str(), storage, region.span)
        });
        std::iter::once(home).chain(copies).collect()
    }
}

/// The most sensitive data in the prompts of each tenant. What an agent handled before it was switched off is still in
/// the logs.
fn classes(graph: &Graph) -> BTreeMap<Id<TenantSpec>, Id<DataClassSpec>> {
    let mut of: BTreeMap<Id<TenantSpec>, BTreeSet<Id<DataClassSpec>>> = BTreeMap::new();
    for (id, tenant) in graph.each::<TenantSpec>() {
        of.entry(id).or_default().extend(tenant.spec.clearance.iter().filter_map(Ref::id));
    }
    for (_, agent) in graph.each::<AgentSpec>() {
        let Some(tenant) = agent.spec.tenant.id() else { continue };
        of.entry(tenant).or_default().extend(agent.spec.clearance.iter().filter_map(Ref::id));
    }
    for (_, route) in graph.each::<RouteSpec>() {
        for tenant in route.spec.r#match.tenants.iter().filter_map(Ref::id) {
            of.entry(tenant).or_default().extend(route.spec.data_class.id());
        }
    }
    of.into_iter().map(|(tenant, classes)| (tenant, highest(graph, classes.into_iter()))).collect()
}

/// Connectors that the agents and workloads of a tenant use in an environment, the queues that start agents and take
/// what fails, and the sources of knowledge bases among them.
fn connectors(graph: &Graph) -> BTreeMap<Inside, BTreeSet<Id<ConnectorSpec>>> {
    let mut found: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    let mut add = |connector: &Ref<ConnectorSpec>, inside| {
        let mut waiting: Vec<_> = connector.id().into_iter().collect();
        while let Some(id) = waiting.pop() {
            if !found.entry(inside).or_default().insert(id) {
                continue;
            }
            if let Some(ConnectorKind::KnowledgeBase(base)) = graph.resource(id).map(|found| &found.spec.kind)
            {
                waiting.extend(base.sources.iter().filter_map(Ref::id));
            }
        }
    };
    for (_, agent) in super::agents(graph) {
        let Some(tenant) = agent.spec.tenant.id() else { continue };
        for environment in graph.places_of_agent(&agent.spec) {
            agent.spec.tools.iter().for_each(|tool| add(&tool.connector, (environment, tenant)));
            let triggers = agent.spec.triggers.iter();
            let queues =
                triggers.flat_map(|trigger| trigger.queue().into_iter().chain(trigger.dead_letter()));
            queues.for_each(|queue| add(queue, (environment, tenant)));
        }
    }
    for (_, workload) in graph.each::<WorkloadSpec>() {
        let Some(tenant) = workload.spec.tenant.id() else { continue };
        for environment in graph.places_of_workload(&workload.spec) {
            let used = workload.spec.uses.iter().flat_map(|uses| &uses.connectors);
            used.for_each(|used| add(&used.connector, (environment, tenant)));
            let failed = workload.spec.dead_letter.iter();
            failed.for_each(|queue| add(queue, (environment, tenant)));
        }
    }
    found
}

/// Where the content of a connector rests: its own region, and those of its copies.
fn resting_places(asker: Asker<'_>, connector: &Resource<ConnectorSpec>) -> Group {
    let Some(class) = connector.spec.data_class.id() else { return Vec::new() };
    let place = match connector.spec.kind {
        ConnectorKind::KnowledgeBase(_) | ConnectorKind::OpenSearch(_) | ConnectorKind::S3Vectors(_) => {
            "knowledge-base"
        }
        ConnectorKind::S3(_) | ConnectorKind::DynamoDb(_) | ConnectorKind::Sqs(_) => "connector",
        ConnectorKind::Lambda(_)
        | ConnectorKind::SecretsManager(_)
        | ConnectorKind::StepFunctions(_)
        | ConnectorKind::Http(_)
        | ConnectorKind::Mcp(_) => return Vec::new(),
    };
    let stored = |place, region: &crate::source::Spanned<crate::model::value::Region>| {
        let mut storage = resting(place, class);
        storage.customer_managed_key = connector.spec.encryption.is_some();
        asker.store(region.value.as_str(), storage, region.span)
    };
    let home = stored(place, &connector.spec.region);
    let copies = connector.spec.backup.iter().flat_map(|backup| &backup.regions);
    std::iter::once(home).chain(copies.map(|region| stored("backup", region))).collect()
}

/// A tenant's namespaces exist on the clusters that it names, or on every cluster of its environments.
fn namespaces(graph: &Graph, id: Id<TenantSpec>, tenant: &Resource<TenantSpec>) -> Group {
    let class = highest(graph, tenant.spec.clearance.iter().filter_map(Ref::id));
    let residency = graph.residency(class, Some(id));
    let asks = |(cluster, environment)| {
        let asker = Asker { graph, principal: Principal::Tenant(id), environment, tenant: Some(id) };
        let residency = residency.clone();
        tenant.spec.namespaces.iter().map(move |namespace| {
            let (name, residency) = (namespace.value.as_str().into(), residency.clone());
            let circumstances = Circumstances::Namespace { name, class, residency };
            asker.ask(Action::UseNamespace, (Object::Cluster(cluster), circumstances), namespace.span)
        })
    };
    clusters(graph, &tenant.spec).into_iter().flat_map(asks).collect::<Vec<AccessRequest>>()
}

/// The clusters of a tenant, each with its environment.
fn clusters(graph: &Graph, tenant: &TenantSpec) -> Vec<(Id<ClusterSpec>, Id<EnvironmentSpec>)> {
    let environment =
        |id: Id<ClusterSpec>| Some((id, graph.resource(id).and_then(|found| found.spec.environment.id())?));
    if !tenant.clusters.is_empty() {
        return tenant.clusters.iter().filter_map(Ref::id).filter_map(environment).collect();
    }
    let environments: Vec<_> = tenant.environments.iter().filter_map(Ref::id).collect();
    let all = graph.each::<ClusterSpec>().filter_map(|(id, _)| environment(id));
    all.filter(|(_, environment)| environments.contains(environment)).collect()
}
