//! Content that is sent to routes: gateways, models, fallbacks at any depth, caches.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::path::Node;
use super::{Content, Flow, Step, Way, start, step};
use crate::model::reference::Ref;
use crate::model::route::{FallbackTarget, RouteSpec};
use crate::model::{Id, Resource};

/// One start for each tenant of each route of the environment, or one for whoever may send to a route that names none.
pub(super) fn starts<'g>(flow: &mut Flow<'g>) -> Vec<Way<'g>> {
    let routes = flow.graph.each::<RouteSpec>();
    let here: Vec<_> =
        routes.filter(|(_, route)| flow.is_here(&flow.graph.places_of_route(&route.spec))).collect();
    let mut all = Vec::new();
    for (id, route) in here {
        let tenants = &route.spec.r#match.tenants;
        if tenants.is_empty() {
            let anybody = Content { class: super::public(), tenant: None };
            all.extend(flow.sent(anybody, start("whoever sends to route", route), id));
        }
        for tenant in tenants.iter().filter(|tenant| tenant.id().is_some()) {
            let content = Content { class: super::public(), tenant: tenant.id() };
            let sent = flow.sent(content, start("sends to route", route), id);
            let name = tenant.name.value.as_str();
            all.extend(sent.map(|sent| Node::new(step("tenant", name, tenant.name.span), vec![sent])));
        }
    }
    all
}

/// What follows each route that was come to, and the routes on the way to where we are.
#[derive(Default)]
struct Walk<'g> {
    known: BTreeMap<Id<RouteSpec>, Vec<Way<'g>>>,
    before: Vec<Id<RouteSpec>>,
}

impl<'g> Flow<'g> {
    /// Content that somebody sends to a route.
    pub(super) fn sends(&mut self, content: Content, route: &'g Ref<RouteSpec>) -> Option<Way<'g>> {
        self.sent(content, step("is sent to route", route.name.value.as_str(), route.name.span), route.id()?)
    }

    fn sent(&mut self, content: Content, here: Step<'g>, id: Id<RouteSpec>) -> Option<Way<'g>> {
        let content = content.declared(&self.graph.resource(id)?.spec.data_class);
        let next = self.behind(content, id, &mut Walk::default())?;
        Some(Node::new(here, next))
    }

    /// Everything that a route does with content, which keeps the class of the route that took it first.
    fn behind(&mut self, content: Content, id: Id<RouteSpec>, walk: &mut Walk<'g>) -> Option<Vec<Way<'g>>> {
        if let Some(known) = walk.known.get(&id) {
            return Some(known.iter().map(Rc::clone).collect());
        }
        let route = self.graph.resource(id)?;
        walk.before.push(id);
        let mut next = self.through(content, route);
        for fallback in &route.spec.fallback {
            match &fallback.target {
                FallbackTarget::Model(model) => {
                    let from = self.gateway(route).map_or("unknown", |(_, region)| region);
                    next.extend(self.calls(content, ("falls back to model", model), from));
                }
                FallbackTarget::Route(other) => {
                    let Some(to) = other.id() else { continue };
                    let here = step("falls back to route", other.name.value.as_str(), other.name.span);
                    if walk.before.contains(&to) {
                        self.endless.push(here);
                        continue;
                    }
                    next.extend(self.behind(content, to, walk).map(|behind| Node::new(here, behind)));
                }
            }
        }
        walk.before.pop();
        walk.known.insert(id, next.iter().map(Rc::clone).collect());
        Some(next)
    }

    /// What a route does with content by itself: it passes through the gateway and to its models, and answers are kept.
    fn through(&mut self, content: Content, route: &'g Resource<RouteSpec>) -> Vec<Way<'g>> {
        let mut next = Vec::new();
        let from = match self.gateway(route) {
            Some((passes, region)) => {
                next.push(self.rests(content, passes, region));
                next.extend(self.on_cluster(content, route));
                region
            }
            None => "unknown",
        };
        let primaries = route.spec.primary.iter();
        next.extend(primaries.filter_map(|one| self.calls(content, ("goes to model", &one.model), from)));
        let cache = route.spec.cache.as_ref().and_then(|cache| cache.some());
        next.extend(cache.and_then(|cache| self.keeps(content, ("is kept for reuse in store", cache))));
        let retrieval = route.spec.context.as_ref().and_then(|context| context.retrieval.as_ref()?.some());
        next.extend(retrieval.and_then(|base| self.uses(content, ("is looked up in connector", base))));
        next
    }

    /// The cluster of the gateway, which is where it runs, whatever region it says.
    fn on_cluster(&self, content: Content, route: &'g Resource<RouteSpec>) -> Option<Way<'g>> {
        let named = self.graph.get(&route.spec.gateway)?.spec.cluster.as_ref()?;
        let cluster = self.graph.get(named)?;
        let here = step("passes a gateway on cluster", cluster.name().as_str(), named.name.span);
        Some(self.rests(content, here, cluster.spec.region.value.as_str()))
    }

    fn gateway(&self, route: &'g Resource<RouteSpec>) -> Option<(Step<'g>, &'g str)> {
        let gateway = self.graph.get(&route.spec.gateway)?;
        let region = &gateway.spec.region;
        Some((step("passes gateway", gateway.name().as_str(), region.span), region.value.as_str()))
    }
}
