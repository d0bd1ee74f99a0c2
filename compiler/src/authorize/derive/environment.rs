//! Requests of environments and tenants: logs and traces, copies of connectors, namespaces.

use super::{Asker, Group, highest, resting};
use crate::ir::{AccessRequest, Action, Circumstances, Object, Principal};
use crate::model::agent::AgentSpec;
use crate::model::cluster::ClusterSpec;
use crate::model::connector::{ConnectorKind, ConnectorSpec};
use crate::model::data_store::DataStoreSpec;
use crate::model::environment::EnvironmentSpec;
use crate::model::reference::Ref;
use crate::model::tenant::TenantSpec;
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
    all.extend(connectors_of(graph, id).flat_map(|(id, connector)| resting_places(asker, id, connector)));
    all
}

/// What a log or trace store holds comes to rest in its region, and in every region that it is copied to. Prompts and
/// completions of every tenant of the environment may be in it.
fn log(asker: Asker<'_>, place: &'static str, reference: &Ref<DataStoreSpec>) -> Group {
    let Some((id, store)) = reference.id().and_then(|id| Some((id, asker.graph.resource(id)?))) else {
        return Vec::new();
    };
    let here = asker.environment;
    let tenants = asker.graph.each::<TenantSpec>();
    let present =
        tenants.filter(|(_, tenant)| tenant.spec.environments.iter().any(|one| one.id() == Some(here)));
    let content = highest(
        asker.graph,
        present.flat_map(|(_, tenant)| tenant.spec.clearance.iter().filter_map(Ref::id)),
    );
    let mut storage = resting(place, content);
    storage.customer_managed_key = store.spec.encryption.is_some();
    storage.immutable = store.spec.immutable.as_ref().is_some_and(|word| word.value);
    storage.retention_days = store.spec.retention.as_ref().map(|retention| retention.value.days());
    storage.store = Some(id);
    let support = asker.ask(
        Action::SupportRuntime,
        (Object::DataStore(id), Circumstances::Support("logs")),
        reference.name.span,
    );
    let home = asker.store(store.spec.region.value.as_str(), storage.clone(), reference.name.span);
    let copies = store.spec.replicates_to.iter().map(|region| {
        let storage = crate::ir::Storage { place: "replica", ..storage.clone() };
        asker.store(region.value.as_str(), storage, region.span)
    });
    [support, home].into_iter().chain(copies).collect()
}

/// Connectors that an agent of this environment uses, each once.
fn connectors_of(
    graph: &Graph,
    environment: Id<EnvironmentSpec>,
) -> impl Iterator<Item = (Id<ConnectorSpec>, &Resource<ConnectorSpec>)> {
    let agents = graph.each::<AgentSpec>().filter(move |(_, agent)| {
        let tenant = graph.get(&agent.spec.tenant);
        tenant.is_some_and(|tenant| {
            super::environments(&agent.spec.environments, &tenant.spec).contains(&environment)
        })
    });
    let used: std::collections::BTreeSet<_> = agents
        .flat_map(|(_, agent)| agent.spec.tools.iter().filter_map(|tool| tool.connector.id()))
        .collect();
    used.into_iter().filter_map(|id| Some((id, graph.resource(id)?)))
}

/// Where the content of a connector rests: its own region, and those of its copies.
fn resting_places(asker: Asker<'_>, _: Id<ConnectorSpec>, connector: &Resource<ConnectorSpec>) -> Group {
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
