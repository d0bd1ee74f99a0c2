//! Stores in which tenants find what belongs to others.

use std::collections::{BTreeMap, BTreeSet};

use super::{Check, Findings, Look};
use crate::diagnostic::{Diagnostic, Family, Rule, Severity};
use crate::model::agent::{Access, AgentSpec};
use crate::model::connector::{ConnectorKind, ConnectorSpec};
use crate::model::data_store::DataStoreSpec;
use crate::model::environment::EnvironmentSpec;
use crate::model::route::RouteSpec;
use crate::model::tenant::TenantSpec;
use crate::model::value::OrNone;
use crate::model::workload::WorkloadSpec;
use crate::model::{Id, Ref, Resource};
use crate::resolve::Graph;
use crate::source::Span;

static RULE: Rule = Rule {
    code: "AIP-DAT-012",
    name: "cross-tenant-shared-store",
    severity: Severity::Mandatory,
    family: Family::Verdict,
    page: include_str!("cross_tenant_shared_store.md"),
};

pub(super) const CHECK: Check = Check { rule: &RULE, run: Look::Resources(run) };

fn run(graph: &Graph, out: &mut Findings<'_>) {
    let mut answers = BTreeMap::new();
    // By name, so that the findings stay where they are when resources are moved.
    let mut routes: Vec<_> = graph.each::<RouteSpec>().map(|(_, route)| route).collect();
    routes.sort_by_key(|route| route.name().as_str());
    for route in routes {
        let Some(cache) = route.spec.cache.as_ref().and_then(OrNone::some) else { continue };
        let tenants = &route.spec.r#match.tenants;
        let found = cached(answers.entry(cache.id()).or_default(), cache, tenants);
        found.into_iter().for_each(|found| out.report(&graph.places_of_route(&route.spec), found));
    }
    for (connector, mut uses) in uses(graph) {
        uses.sort_by_key(|one| graph.name(one.tenant));
        let Some(connector) = graph.resource(connector) else { continue };
        if is_shared_storage(&connector.spec.kind) && connector.spec.partition.is_none() {
            written_by_one_read_by_another(graph, (connector, &uses)).into_iter().for_each(
                |(places, found)| {
                    out.report(&places, found);
                },
            );
        }
    }
}

/// Who puts answers into a cache: where a tenant is named.
type Answers = BTreeMap<Option<Id<TenantSpec>>, Span>;

/// A cache gives a tenant the answers of another one: it knows requests by their text alone.
fn cached(
    known: &mut Answers,
    cache: &Ref<DataStoreSpec>,
    tenants: &[Ref<TenantSpec>],
) -> Option<Diagnostic> {
    let found = |other: Option<Span>| {
        let message = format!("tenants get answers that `{}` keeps for others", cache.name.value);
        let found = RULE.at(cache.name.span, message, "");
        let found = other.into_iter().fold(found, |found, other| found.label(other, "for another tenant"));
        Some(found.help("use a cache for each tenant, or `cache: none`"))
    };
    if tenants.is_empty() {
        return found(None);
    }
    for tenant in tenants {
        known.entry(tenant.id()).or_insert(tenant.name.span);
    }
    let own: BTreeSet<_> = tenants.iter().map(Ref::id).collect();
    let other = known.iter().find(|(id, _)| !own.contains(id)).map(|(_, span)| *span);
    let second = tenants.iter().skip(1).find(|one| Some(one.id()) != tenants.first().map(Ref::id));
    other.or(second.map(|one| one.name.span)).and_then(|span| found(Some(span)))
}

/// A use of a connector.
struct Use {
    tenant: Id<TenantSpec>,
    access: Access,
    at: Span,
    places: Vec<Id<EnvironmentSpec>>,
}

fn uses(graph: &Graph) -> BTreeMap<Id<ConnectorSpec>, Vec<Use>> {
    let mut found: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (_, agent) in graph.each::<AgentSpec>() {
        let Some(tenant) = agent.spec.tenant.id() else { continue };
        for tool in &agent.spec.tools {
            let Some(id) = tool.connector.id() else { continue };
            let (access, at) = (tool.access.value, tool.connector.name.span);
            let places = graph.places_of_agent(&agent.spec);
            found.entry(id).or_default().push(Use { tenant, access, at, places });
        }
    }
    for (_, workload) in graph.each::<WorkloadSpec>() {
        let Some(tenant) = workload.spec.tenant.id() else { continue };
        for used in workload.spec.uses.iter().flat_map(|uses| &uses.connectors) {
            let Some(id) = used.connector.id() else { continue };
            let (access, at) = (used.access.value, used.connector.name.span);
            let places = graph.places_of_workload(&workload.spec);
            found.entry(id).or_default().push(Use { tenant, access, at, places });
        }
    }
    found
}

/// Whether it keeps records of many owners that a key could keep apart.
fn is_shared_storage(kind: &ConnectorKind) -> bool {
    match kind {
        ConnectorKind::S3(_)
        | ConnectorKind::DynamoDb(_)
        | ConnectorKind::OpenSearch(_)
        | ConnectorKind::S3Vectors(_) => true,
        ConnectorKind::Lambda(_)
        | ConnectorKind::SecretsManager(_)
        | ConnectorKind::KnowledgeBase(_)
        | ConnectorKind::Sqs(_)
        | ConnectorKind::StepFunctions(_)
        | ConnectorKind::Http(_)
        | ConnectorKind::Mcp(_) => false,
    }
}

/// What nobody writes to is shared on purpose. Tenants in different environments use different accounts.
fn written_by_one_read_by_another(
    graph: &Graph,
    (connector, uses): (&Resource<ConnectorSpec>, &[Use]),
) -> Option<(Vec<Id<EnvironmentSpec>>, Diagnostic)> {
    let writes = uses.iter().filter(|one| one.access == Access::Write);
    let (write, other) = writes.into_iter().find_map(|write| {
        let together = |one: &&Use| one.places.iter().any(|place| write.places.contains(place));
        Some((write, uses.iter().filter(|one| one.tenant != write.tenant).find(together)?))
    })?;
    let message = format!(
        "tenant `{}` finds in `{}` what tenant `{}` writes there",
        graph.name(other.tenant),
        connector.name(),
        graph.name(write.tenant)
    );
    let found = RULE.at(connector.name_span(), message, "nothing keeps them apart");
    let found = found.label(write.at, "written here").label(other.at, "used here");
    let help =
        "add `partition: { key: … }` with what names the tenant, or give each tenant a store of its own";
    Some((write.places.clone(), found.help(help)))
}
