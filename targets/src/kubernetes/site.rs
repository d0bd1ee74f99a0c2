//! What the grants place on each cluster: namespaces of tenants, workloads and gateways.

use std::collections::BTreeMap;

use aipolicy_compiler::authorize::Grant;
use aipolicy_compiler::diagnostic::Diagnostics;
use aipolicy_compiler::ir::{Circumstances, Object, Principal};
use aipolicy_compiler::model::cluster::ClusterSpec;
use aipolicy_compiler::model::gateway::GatewaySpec;
use aipolicy_compiler::model::model::ModelSpec;
use aipolicy_compiler::model::reference::Ref;
use aipolicy_compiler::model::tenant::TenantSpec;
use aipolicy_compiler::model::workload::WorkloadSpec;
use aipolicy_compiler::model::{Id, Resource};
use aipolicy_compiler::resolve::Graph;
use aipolicy_compiler::rule;
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
    index: Index<'g>,
}

/// Where things are found on a cluster: positions in its lists.
#[derive(Default)]
struct Index<'g> {
    /// Namespaces by their name and that of their tenant.
    spaces: BTreeMap<(&'g str, &'g str), usize>,
    /// Workloads by the name of their namespace.
    residents: BTreeMap<&'g str, Vec<usize>>,
    servers: BTreeMap<Id<ModelSpec>, usize>,
    gateways: BTreeMap<Id<GatewaySpec>, usize>,
    /// Workloads and gateways that were granted a model, with the first grant of each.
    callers: BTreeMap<Id<ModelSpec>, Vec<(Caller, Grant<'g>)>>,
    /// Workloads that were granted a route of a gateway, with the first grant of each.
    clients: BTreeMap<Id<GatewaySpec>, Vec<(usize, Grant<'g>)>>,
}

/// A workload or gateway, by position.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Caller {
    Workload(usize),
    Gateway(usize),
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

/// Every cluster of the environment that something was granted on. Namespaces that are not free are reported.
pub(super) fn sites<'g>(account: &Account<'g>, out: &mut Diagnostics) -> Vec<Site<'g>> {
    let grants = account.input.grants;
    let clusters = account.graph().each::<ClusterSpec>();
    let here = clusters.filter(|(_, found)| found.spec.environment.id() == Some(grants.environment()));
    let mut sites: BTreeMap<_, _> = here.map(|(id, cluster)| (id, Site::of(cluster))).collect();
    for (principal, grants) in grants.by_principal() {
        for grant in &grants {
            let Object::Cluster(id) = grant.decision.request.object else { continue };
            if let Some(site) = sites.get_mut(&id) {
                site.place(account.graph(), principal, (*grant, &grants));
            }
        }
    }
    let mut sites: Vec<_> = sites.into_values().collect();
    for site in &mut sites {
        site.spaces.retain(|space| space.is_free(out));
        site.index(account);
    }
    sites.retain(|site| !(site.spaces.is_empty() && site.workloads.is_empty() && site.gateways.is_empty()));
    sites
}

impl<'g> Site<'g> {
    fn of(cluster: &'g Resource<ClusterSpec>) -> Self {
        let (spaces, workloads, gateways) = (Vec::new(), Vec::new(), Vec::new());
        Self { cluster, spaces, workloads, gateways, index: Index::default() }
    }

    /// Notes what a grant places here, with everything that its principal was granted.
    fn place(&mut self, graph: &'g Graph, principal: Principal, (grant, all): (Grant<'g>, &[Grant<'g>])) {
        let origin = Origin::granted(grant);
        match (principal, &grant.decision.request.circumstances) {
            (Principal::Tenant(tenant), Circumstances::Namespace { name, class, .. }) => {
                let Some(tenant) = graph.resource(tenant) else { return };
                let span = grant.decision.request.span;
                self.spaces.push(Space { name, span, tenant, class: graph.name(*class), origin });
            }
            (Principal::Workload(id), Circumstances::Placement { .. }) => {
                let Some(resource) = graph.resource(id) else { return };
                self.workloads.push(Running { id, resource, origin, grants: all.to_vec() });
            }
            (Principal::Gateway(id), Circumstances::Placement { .. }) => {
                let Some(resource) = graph.resource(id) else { return };
                self.gateways.push(Running { id, resource, origin, grants: all.to_vec() });
            }
            _ => {}
        }
    }

    pub(super) fn name(&self) -> &'g str {
        self.cluster.name().as_str()
    }

    pub(super) fn region(&self) -> &'g str {
        self.cluster.spec.region.value.as_str()
    }

    fn index(&mut self, account: &Account<'g>) {
        let mut index = Index::default();
        for (at, space) in self.spaces.iter().enumerate() {
            index.spaces.insert((space.name, space.tenant.name().as_str()), at);
        }
        for (at, workload) in self.workloads.iter().enumerate() {
            if let Some(space) =
                home(account, workload.resource).filter(|home| index.spaces.contains_key(home))
            {
                index.residents.entry(space.0).or_default().push(at);
                index.call(account, Caller::Workload(at), &workload.grants);
            }
            let served = workload.resource.spec.serves.as_ref().and_then(|serves| serves.model.id());
            served.map(|model| index.servers.entry(model).or_insert(at));
        }
        for (at, gateway) in self.gateways.iter().enumerate() {
            index.gateways.insert(gateway.id, at);
            index.call(account, Caller::Gateway(at), &gateway.grants);
        }
        self.index = index;
    }

    /// The namespace that a workload runs in, if its tenant was granted it here.
    pub(super) fn space(
        &self,
        account: &Account<'g>,
        workload: &'g Resource<WorkloadSpec>,
    ) -> Option<&Space<'g>> {
        self.spaces.get(*self.index.spaces.get(&home(account, workload)?)?)
    }

    /// The workloads of a namespace.
    pub(super) fn residents(&self, space: &str) -> impl Iterator<Item = &Running<'g, WorkloadSpec>> {
        let positions = self.index.residents.get(space).map_or(&[][..], Vec::as_slice);
        positions.iter().filter_map(|at| self.workloads.get(*at))
    }

    /// The workload that serves a model here.
    pub(super) fn server(&self, model: Id<ModelSpec>) -> Option<&Running<'g, WorkloadSpec>> {
        self.workloads.get(*self.index.servers.get(&model)?)
    }

    /// The gateway with this id, if it runs here.
    pub(super) fn gateway(&self, gateway: &Ref<GatewaySpec>) -> Option<&Running<'g, GatewaySpec>> {
        self.gateways.get(*self.index.gateways.get(&gateway.id()?)?)
    }

    /// Namespace and name of everything that may call a model, with the grant.
    pub(super) fn callers(
        &self,
        account: &Account<'g>,
        model: Id<ModelSpec>,
    ) -> Vec<(&'g str, &'g str, Grant<'g>)> {
        let found = self.index.callers.get(&model).into_iter().flatten();
        let named = |(caller, grant): &(Caller, Grant<'g>)| {
            let (namespace, name) = match caller {
                Caller::Workload(at) => {
                    let workload = self.workloads.get(*at)?;
                    (self.space(account, workload.resource)?.name, workload.name())
                }
                Caller::Gateway(at) => (GATEWAYS, self.gateways.get(*at)?.name()),
            };
            Some((namespace, name, *grant))
        };
        found.filter_map(named).collect()
    }

    /// Namespace and name of every workload that may use a route of a gateway, with the grant.
    pub(super) fn clients(
        &self,
        account: &Account<'g>,
        gateway: Id<GatewaySpec>,
    ) -> Vec<(&'g str, &'g str, Grant<'g>)> {
        let found = self.index.clients.get(&gateway).into_iter().flatten();
        let named = |(at, grant): &(usize, Grant<'g>)| {
            let workload = self.workloads.get(*at)?;
            Some((self.space(account, workload.resource)?.name, workload.name(), *grant))
        };
        found.filter_map(named).collect()
    }
}

impl<'g> Index<'g> {
    /// Notes what somebody may call.
    fn call(&mut self, account: &Account<'g>, caller: Caller, grants: &[Grant<'g>]) {
        for grant in grants {
            match (&grant.decision.request.object, &grant.decision.request.circumstances, caller) {
                (Object::Model(model), Circumstances::Invocation(_), _) => {
                    let callers = self.callers.entry(*model).or_default();
                    if callers.last().is_none_or(|(known, _)| *known != caller) {
                        callers.push((caller, *grant));
                    }
                }
                (Object::Route(route), _, Caller::Workload(at)) => {
                    let route = account.graph().resource(*route);
                    let Some(gateway) = route.and_then(|route| route.spec.gateway.id()) else { continue };
                    let clients = self.clients.entry(gateway).or_default();
                    if clients.last().is_none_or(|(known, _)| *known != at) {
                        clients.push((at, *grant));
                    }
                }
                _ => {}
            }
        }
    }
}

/// The namespace that a workload asks for, and its tenant.
fn home<'g>(account: &Account<'g>, workload: &'g Resource<WorkloadSpec>) -> Option<(&'g str, &'g str)> {
    let tenant = account.graph().get(&workload.spec.tenant)?;
    let wanted = workload.spec.namespace.as_ref().or(tenant.spec.namespaces.first())?;
    Some((wanted.value.as_str(), tenant.name().as_str()))
}

impl Space<'_> {
    /// Whether the name belongs to nobody else, the cluster or us; one that does is reported.
    fn is_free(&self, out: &mut Diagnostics) -> bool {
        let name = self.name;
        let reserved = name == "default" || name.starts_with("kube-") || name.starts_with("aipolicy-");
        if reserved {
            let found = rule::UNSUPPORTED.at(self.span, format!("the namespace `{name}` is reserved"), "");
            out.report(found.help("choose another name; `default`, `kube-…` and `aipolicy-…` are taken"));
        }
        !reserved
    }
}
