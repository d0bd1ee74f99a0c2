//! What the grants place on each cluster: namespaces of tenants, workloads and gateways.

use std::collections::BTreeMap;

use aipolicy_compiler::authorize::Grant;
use aipolicy_compiler::ir::{Circumstances, Object, Principal};
use aipolicy_compiler::model::cluster::ClusterSpec;
use aipolicy_compiler::model::gateway::GatewaySpec;
use aipolicy_compiler::model::model::ModelSpec;
use aipolicy_compiler::model::reference::Ref;
use aipolicy_compiler::model::tenant::TenantSpec;
use aipolicy_compiler::model::workload::WorkloadSpec;
use aipolicy_compiler::model::{Id, Resource};
use aipolicy_compiler::source::Span;

use crate::account::Account;
use crate::origin::Origin;

/// Where gateways run. The trust of their roles names it.
pub(super) const GATEWAYS: &str = "aipolicy-gateways";

/// A cluster with what runs on it.
pub(super) struct Site<'g> {
    pub(super) cluster: &'g Resource<ClusterSpec>,
    pub(super) spaces: Vec<Space<'g>>,
    pub(super) workloads: Vec<Running<'g, WorkloadSpec>>,
    pub(super) gateways: Vec<Running<'g, GatewaySpec>>,
}

/// A namespace of a tenant.
pub(super) struct Space<'g> {
    pub(super) name: &'g str,
    pub(super) span: Span,
    pub(super) tenant: &'g Resource<TenantSpec>,
    pub(super) class: &'g str,
    pub(super) origin: Origin,
}

/// A workload or gateway that was placed, with everything that it was granted.
pub(super) struct Running<'g, S> {
    pub(super) id: Id<S>,
    pub(super) resource: &'g Resource<S>,
    /// The grant that placed it.
    pub(super) origin: Origin,
    pub(super) grants: Vec<Grant<'g>>,
}

impl<'g, S> Running<'g, S> {
    pub(super) fn name(&self) -> &'g str {
        self.resource.name().as_str()
    }
}

/// What is granted to each principal.
type Granted<'g> = BTreeMap<Principal, Vec<Grant<'g>>>;

/// Every cluster of the environment that something was granted on.
pub(super) fn sites<'g>(account: &Account<'g>) -> Vec<Site<'g>> {
    let mut granted: Granted<'g> = BTreeMap::new();
    for grant in account.input.grants.grants() {
        granted.entry(grant.decision.request.principal).or_default().push(grant);
    }
    let graph = account.graph();
    let clusters = graph.each::<ClusterSpec>();
    let here =
        clusters.filter(|(_, found)| found.spec.environment.id() == Some(account.input.grants.environment()));
    let mut sites: Vec<_> = here.map(|(id, cluster)| Site::of(account, (id, cluster), &granted)).collect();
    sites.retain(|site| !(site.spaces.is_empty() && site.workloads.is_empty() && site.gateways.is_empty()));
    sites
}

impl<'g> Site<'g> {
    fn of(
        account: &Account<'g>,
        (id, cluster): (Id<ClusterSpec>, &'g Resource<ClusterSpec>),
        granted: &Granted<'g>,
    ) -> Self {
        let graph = account.graph();
        let mut site = Self { cluster, spaces: Vec::new(), workloads: Vec::new(), gateways: Vec::new() };
        for (principal, grants) in granted {
            let here = |grant: &&Grant<'g>| grant.decision.request.object == Object::Cluster(id);
            for grant in grants.iter().filter(here) {
                let origin = Origin::granted(*grant);
                match (*principal, &grant.decision.request.circumstances) {
                    (Principal::Tenant(tenant), Circumstances::Namespace { name, class, .. }) => {
                        let Some(tenant) = graph.resource(tenant) else { continue };
                        let span = grant.decision.request.span;
                        let class = graph.name(*class);
                        site.spaces.push(Space { name, span, tenant, class, origin });
                    }
                    (Principal::Workload(id), Circumstances::Placement(_)) => {
                        let Some(resource) = graph.resource(id) else { continue };
                        site.workloads.push(Running { id, resource, origin, grants: grants.clone() });
                    }
                    (Principal::Gateway(id), Circumstances::Placement(_)) => {
                        let Some(resource) = graph.resource(id) else { continue };
                        site.gateways.push(Running { id, resource, origin, grants: grants.clone() });
                    }
                    _ => {}
                }
            }
        }
        site
    }

    pub(super) fn name(&self) -> &'g str {
        self.cluster.name().as_str()
    }

    pub(super) fn region(&self) -> &'g str {
        self.cluster.spec.region.value.as_str()
    }

    /// The namespace that a workload runs in, if its tenant was granted it here.
    pub(super) fn space(
        &self,
        account: &Account<'g>,
        workload: &Resource<WorkloadSpec>,
    ) -> Option<&Space<'g>> {
        let tenant = account.graph().get(&workload.spec.tenant)?;
        let wanted = workload.spec.namespace.as_ref().or(tenant.spec.namespaces.first())?;
        let same =
            |space: &&Space<'g>| space.name == wanted.value.as_str() && space.tenant.name() == tenant.name();
        self.spaces.iter().find(same)
    }

    /// The workload that serves a model here.
    pub(super) fn server(&self, model: Id<ModelSpec>) -> Option<&Running<'g, WorkloadSpec>> {
        let serves = |found: &&Running<'g, WorkloadSpec>| {
            found.resource.spec.serves.as_ref().and_then(|serves| serves.model.id()) == Some(model)
        };
        self.workloads.iter().find(serves)
    }

    /// The gateway with this id, if it runs here.
    pub(super) fn gateway(&self, gateway: &Ref<GatewaySpec>) -> Option<&Running<'g, GatewaySpec>> {
        self.gateways.iter().find(|found| Some(found.id) == gateway.id())
    }
}
