//! Requests of environments and tenants: logs and traces, copies of connectors, namespaces.

use std::collections::{BTreeMap, BTreeSet};

use super::{Asker, Group, highest, resting};
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
    let environments = graph.each::<EnvironmentSpec>().map(|(id, environment)| own(graph, id, environment));
    environments.chain(graph.each::<TenantSpec>().map(|(id, tenant)| namespaces(graph, id, tenant)))
}

fn own(graph: &Graph, id: Id<EnvironmentSpec>, environment: &Resource<EnvironmentSpec>) -> Group {
    let asker = Asker { graph, principal: Principal::Environment(id), environment: id, tenant: None };
    let logging = environment.spec.logging.as_ref();
    let invocations = logging.and_then(|logging| logging.invocations.as_ref());
    let traces = logging.and_then(|logging| logging.traces.as_ref());
    let named = [("invocations", invocations), ("traces", traces)];
    let logs = named.into_iter().filter_map(|(place, store)| Some((place, store?)));
    let mut all: Group = logs.flat_map(|(place, store)| log(asker, place, store)).collect();
    for (connector, tenants) in connectors_of(graph, id) {
        let Some(connector) = graph.resource(connector) else { continue };
        for tenant in tenants {
            all.extend(resting_places(Asker { tenant: Some(tenant), ..asker }, connector));
        }
    }
    all
}

/// What a log or trace store holds comes to rest in its region, and in every region that it is copied to. Prompts and
/// completions of every tenant of the environment may be in it, and what holds for each of them holds for it.
fn log(asker: Asker<'_>, place: &'static str, reference: &Ref<DataStoreSpec>) -> Group {
    let Some((id, store)) = reference.id().and_then(|id| Some((id, asker.graph.resource(id)?))) else {
        return Vec::new();
    };
    let support = asker.ask(
        Action::SupportRuntime,
        (Object::DataStore(id), Circumstances::Support("logs")),
        reference.name.span,
    );
    let mut all = vec![support];
    for (tenant, content) in contents(asker) {
        let asker = Asker { tenant, ..asker };
        let mut storage = resting(place, content);
        storage.customer_managed_key = store.spec.encryption.is_some();
        storage.immutable = store.spec.immutable.as_ref().is_some_and(|word| word.value);
        storage.retention_days = store.spec.retention.as_ref().map(|retention| retention.value.days());
        storage.store = Some(id);
        all.push(asker.store(store.spec.region.value.as_str(), storage.clone(), reference.name.span));
        all.extend(store.spec.replicates_to.iter().map(|region| {
            let storage = crate::ir::Storage { place: "replica", ..storage.clone() };
            asker.store(region.value.as_str(), storage, region.span)
        }));
    }
    all
}

/// The most sensitive data in the prompts of each tenant of an environment; of nobody, where there is no tenant. What
/// an agent handled before it was switched off is still in the logs.
fn contents(asker: Asker<'_>) -> Vec<(Option<Id<TenantSpec>>, Id<DataClassSpec>)> {
    let (graph, here) = (asker.graph, asker.environment);
    let tenants = graph.each::<TenantSpec>();
    let present =
        tenants.filter(|(_, found)| found.spec.environments.iter().any(|one| one.id() == Some(here)));
    let of = |(tenant, found): (Id<TenantSpec>, &Resource<TenantSpec>)| {
        let agents = graph.each::<AgentSpec>().filter(|(_, agent)| agent.spec.tenant.id() == Some(tenant));
        let routes = graph
            .each::<RouteSpec>()
            .filter(|(_, route)| route.spec.r#match.tenants.iter().any(|one| one.id() == Some(tenant)));
        let classes = found.spec.clearance.iter().chain(agents.flat_map(|(_, agent)| &agent.spec.clearance));
        let classes = classes.chain(routes.map(|(_, route)| &route.spec.data_class));
        (Some(tenant), highest(graph, classes.filter_map(Ref::id)))
    };
    let all: Vec<_> = present.map(of).collect();
    if all.is_empty() { vec![(None, highest(graph, std::iter::empty()))] } else { all }
}

/// Connectors that agents and workloads of this environment use, and the sources of knowledge bases among them, each
/// with the tenants that use it.
fn connectors_of(
    graph: &Graph,
    environment: Id<EnvironmentSpec>,
) -> BTreeMap<Id<ConnectorSpec>, BTreeSet<Id<TenantSpec>>> {
    let mut found: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    let mut add = |connector: &Ref<ConnectorSpec>, tenant| {
        let mut waiting: Vec<_> = connector.id().into_iter().collect();
        while let Some(id) = waiting.pop() {
            if !found.entry(id).or_default().insert(tenant) {
                continue;
            }
            if let Some(ConnectorKind::KnowledgeBase(base)) = graph.resource(id).map(|found| &found.spec.kind)
            {
                waiting.extend(base.sources.iter().filter_map(Ref::id));
            }
        }
    };
    for (_, agent) in super::agents(graph) {
        let Some((tenant, of)) = agent.spec.tenant.id().zip(graph.get(&agent.spec.tenant)) else { continue };
        if super::environments(&agent.spec.environments, &of.spec).contains(&environment) {
            agent.spec.tools.iter().for_each(|tool| add(&tool.connector, tenant));
        }
    }
    for (_, workload) in graph.each::<WorkloadSpec>() {
        let Some(tenant) = workload.spec.tenant.id() else { continue };
        if super::workload::places(graph, &workload.spec).contains(&environment) {
            let used = workload.spec.uses.iter().flat_map(|uses| &uses.connectors);
            used.for_each(|used| add(&used.connector, tenant));
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

/// A tenant's namespaces exist on every cluster of its environments.
fn namespaces(graph: &Graph, id: Id<TenantSpec>, tenant: &Resource<TenantSpec>) -> Group {
    let environments: Vec<_> = tenant.spec.environments.iter().filter_map(Ref::id).collect();
    let clusters =
        graph.each::<ClusterSpec>().filter_map(|(id, cluster)| Some((id, cluster.spec.environment.id()?)));
    let here = clusters.filter(|(_, environment)| environments.contains(environment));
    here.flat_map(|(cluster, environment)| {
        let asker = Asker { graph, principal: Principal::Tenant(id), environment, tenant: Some(id) };
        tenant.spec.namespaces.iter().map(move |namespace| {
            let circumstances = Circumstances::Namespace(namespace.value.as_str().into());
            asker.ask(Action::UseNamespace, (Object::Cluster(cluster), circumstances), namespace.span)
        })
    })
    .collect::<Vec<AccessRequest>>()
}
