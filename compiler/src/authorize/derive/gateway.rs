//! Requests of gateways: for each route and tenant, every model that a request may end at.

use std::collections::{BTreeMap, BTreeSet};

use super::{Asker, Call, Group, highest, resting};
use crate::ir::{AccessRequest, Action, Circumstances, Object, Principal};
use crate::model::data_class::DataClassSpec;
use crate::model::gateway::GatewaySpec;
use crate::model::model::ModelSpec;
use crate::model::reference::Ref;
use crate::model::route::{FallbackTarget, RouteSpec};
use crate::model::tenant::TenantSpec;
use crate::model::{Id, Resource};
use crate::resolve::Graph;
use crate::source::Span;

/// One group for each gateway itself and one for each of its routes.
pub(super) fn groups(graph: &Graph) -> impl Iterator<Item = Group> {
    let mut classes: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for (_, route) in graph.each::<RouteSpec>() {
        classes.entry(route.spec.gateway.id()).or_default().extend(route.spec.data_class.id());
    }
    let gateways = graph.each::<GatewaySpec>().map(move |(id, gateway)| {
        let classes = classes.get(&Some(id)).into_iter().flatten().copied();
        own(graph, (id, gateway), highest(graph, classes))
    });
    gateways.chain(graph.each::<RouteSpec>().map(|(id, route)| served(graph, id, route)))
}

/// What a gateway needs for itself; the class is the most sensitive one of its routes.
fn own(
    graph: &Graph,
    (id, gateway): (Id<GatewaySpec>, &Resource<GatewaySpec>),
    class: Id<DataClassSpec>,
) -> Group {
    let Some(environment) = gateway.spec.environment.id() else { return Vec::new() };
    let asker = Asker { graph, principal: Principal::Gateway(id), environment, tenant: None };
    let object = Object::Environment(environment);
    let role =
        asker.ask(Action::SupportRuntime, (object, Circumstances::Support("role")), gateway.name_span());
    let placed = gateway
        .spec
        .cluster
        .as_ref()
        .and_then(|cluster| Some(asker.placed(Object::Cluster(cluster.id()?), class, cluster.name.span)));
    placed.into_iter().chain([role]).collect()
}

fn served(graph: &Graph, id: Id<RouteSpec>, route: &Resource<RouteSpec>) -> Group {
    let gateway = route.spec.gateway.id().and_then(|id| Some((id, graph.resource(id)?)));
    let Some((gateway_id, gateway)) = gateway else { return Vec::new() };
    let Some(environment) = gateway.spec.environment.id() else { return Vec::new() };
    let asker = Asker { graph, principal: Principal::Gateway(gateway_id), environment, tenant: None };
    let serving = Serving { asker, id, route, region: gateway.spec.region.value.as_str() };
    let tenants: Vec<_> =
        route.spec.r#match.tenants.iter().filter_map(|one| Some((one, one.id()?))).collect();
    let mut all = Vec::new();
    if tenants.is_empty() {
        all.extend(serving.models(None));
        all.extend(serving.caches(None));
    }
    for (reference, tenant) in tenants {
        let user = Asker { principal: Principal::Tenant(tenant), tenant: Some(tenant), ..asker };
        all.push(user.route(id, reference.name.span));
        all.extend(serving.models(Some(tenant)));
        all.extend(serving.caches(Some(tenant)));
    }
    all
}

/// Models by the place that names them, and whether it is a fallback.
type Reachable<'g> = BTreeMap<Span, (&'g Ref<ModelSpec>, bool)>;

struct Serving<'g> {
    asker: Asker<'g>,
    id: Id<RouteSpec>,
    route: &'g Resource<RouteSpec>,
    region: &'g str,
}

impl<'g> Serving<'g> {
    /// Every model at which a request of a tenant may end.
    fn models(&self, tenant: Option<Id<TenantSpec>>) -> Group {
        let asker = Asker { tenant, ..self.asker };
        let class = self.route.spec.data_class.id().unwrap_or(Id::new(0));
        let call = |(model, fallback)| Call { model, route: Some(self.id), fallback, class };
        self.reachable().into_values().flat_map(|found| asker.invoke(&call(found), self.region)).collect()
    }

    /// Each place that names a model counts once.
    fn reachable(&self) -> Reachable<'g> {
        let mut found = Reachable::new();
        for (id, route) in self.routes() {
            for primary in &route.spec.primary {
                found.insert(primary.model.name.span, (&primary.model, id != self.id));
            }
            for next in &route.spec.fallback {
                if let FallbackTarget::Model(model) = &next.target {
                    found.insert(model.name.span, (model, true));
                }
            }
        }
        found
    }

    /// The route, and those that it falls back to at any depth, each once.
    fn routes(&self) -> Vec<(Id<RouteSpec>, &'g Resource<RouteSpec>)> {
        let mut found = Vec::new();
        let mut seen = BTreeSet::from([self.id]);
        let mut open = vec![self.id];
        while let Some(id) = open.pop() {
            let Some(route) = self.asker.graph.resource(id) else { continue };
            found.push((id, route));
            for next in &route.spec.fallback {
                if let FallbackTarget::Route(next) = &next.target {
                    open.extend(next.id().filter(|next| seen.insert(*next)));
                }
            }
        }
        found
    }

    /// Answers of a tenant that are kept for reuse, by the route or by one that it falls back to.
    fn caches(&self, tenant: Option<Id<TenantSpec>>) -> Group {
        self.routes().into_iter().filter_map(|(_, route)| self.cache(route, tenant)).collect()
    }

    fn cache(&self, route: &Resource<RouteSpec>, tenant: Option<Id<TenantSpec>>) -> Option<AccessRequest> {
        let reference = route.spec.cache.as_ref()?.some()?;
        let id = reference.id()?;
        let store = self.asker.graph.resource(id)?;
        let mut storage = resting("cache", self.route.spec.data_class.id().unwrap_or(Id::new(0)));
        storage.customer_managed_key = store.spec.encryption.is_some();
        storage.retention_days = store.spec.retention.as_ref().map(|retention| retention.value.days());
        storage.store = Some(id);
        let asker = Asker { principal: Principal::Route(self.id), tenant, ..self.asker };
        Some(asker.store(store.spec.region.value.as_str(), storage, reference.name.span))
    }
}
