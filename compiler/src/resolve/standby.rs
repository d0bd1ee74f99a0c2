//! What a route falls back to, at any depth, and what its models are able to.

use std::collections::BTreeSet;

use super::Graph;
use crate::model::model::{Capability, ModelProvider, ModelSpec};
use crate::model::route::{FallbackTarget, RouteSpec};
use crate::model::{Id, Resource};
use crate::source::Span;

/// A model that requests of a route go to when others fail.
#[derive(Clone, Copy, Debug)]
pub struct Standby<'g> {
    /// Where the route says so: the name of the model, or of the route that leads to it.
    pub at: Span,
    /// Where the model is named, which may be in another route.
    pub named: Span,
    /// The model.
    pub model: &'g Resource<ModelSpec>,
    /// The route whose retries, timeouts and circuit breaker hold for it.
    pub governed_by: &'g Resource<RouteSpec>,
}

/// What fails as one: a provider in the regions in which it is called.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FailureDomain {
    /// The provider.
    pub provider: ModelProvider,
    /// The address of its endpoint, where it has one.
    pub endpoint: Option<String>,
    /// The regions of the calls.
    pub regions: BTreeSet<String>,
}

impl Graph {
    /// The models that requests of a route go to when its own fail, in the order in which they are tried. A route that
    /// leads back to one before it is not entered again.
    pub fn standbys(&self, id: Id<RouteSpec>) -> Vec<Standby<'_>> {
        let mut found = Vec::new();
        // What is still to be walked, the next on top: a route, and where the first one says that it follows.
        let mut seen = BTreeSet::from([id]);
        let mut open: Vec<Next<'_>> = self.resource(id).map(|route| next(route, None)).unwrap_or_default();
        while let Some((target, at, route)) = open.pop() {
            match target {
                FallbackTarget::Model(named) => {
                    let standby = |model| Standby { at, named: named.name.span, model, governed_by: route };
                    found.extend(self.get(named).map(standby));
                }
                FallbackTarget::Route(named) => {
                    let Some(id) = named.id().filter(|id| seen.insert(*id)) else { continue };
                    let Some(route) = self.resource(id) else { continue };
                    let models = route.spec.primary.iter().map(|primary| &primary.model);
                    found.extend(models.filter_map(|named| {
                        let model = self.get(named)?;
                        Some(Standby { at, named: named.name.span, model, governed_by: route })
                    }));
                    open.extend(next(route, Some(at)));
                }
            }
        }
        found
    }

    /// The models that share the requests of a route.
    pub fn primaries<'g>(&'g self, route: &'g RouteSpec) -> impl Iterator<Item = &'g Resource<ModelSpec>> {
        route.primary.iter().filter_map(|primary| self.get(&primary.model))
    }

    /// What a model of a route fails with.
    pub fn failure_domain(&self, route: &RouteSpec, model: &ModelSpec) -> FailureDomain {
        let caller = self.get(&route.gateway).map_or("", |gateway| gateway.spec.region.value.as_str());
        let regions = self.processing(model, caller).into_iter().map(|place| place.source).collect();
        let endpoint = model.endpoint.as_ref().map(|endpoint| endpoint.value.to_string());
        FailureDomain { provider: model.provider.value, endpoint, regions }
    }

    /// The context window of a model in tokens: as it says, or else as the catalog knows; nothing where neither does.
    pub fn context_of(&self, model: &ModelSpec) -> Option<u64> {
        let written = model.limits.as_ref().and_then(|limits| limits.context.as_ref());
        let fact = || self.catalog().model(model.model_id.value.as_str())?.context;
        written.map(|tokens| tokens.value.count()).or_else(fact)
    }

    /// The longest output of a model in tokens: as it says, or else as the catalog knows; nothing where neither does.
    pub fn output_of(&self, model: &ModelSpec) -> Option<u64> {
        let written = model.limits.as_ref().and_then(|limits| limits.output.as_ref());
        let fact = || self.catalog().model(model.model_id.value.as_str())?.output;
        written.map(|tokens| tokens.value.count()).or_else(fact)
    }

    /// Whether a model is able to do something: as it says, or else as the catalog knows; nothing where neither does. The
    /// catalog does not tell whether a model answers in JSON or follows a system prompt.
    pub fn is_able(&self, model: &ModelSpec, to: Capability) -> Option<bool> {
        if !model.capabilities.is_empty() {
            return Some(model.capabilities.iter().any(|capability| capability.value == to));
        }
        let fact = self.catalog().model(model.model_id.value.as_str())?;
        match to {
            Capability::Json | Capability::System => None,
            Capability::Tools | Capability::Vision | Capability::Streaming | Capability::Embeddings => {
                Some(fact.capabilities.contains(to.word()))
            }
        }
    }
}

/// Where a request may go, where the first route says so, and the route that names it.
type Next<'g> = (&'g FallbackTarget, Span, &'g Resource<RouteSpec>);

/// The fallbacks of a route, the last one first.
fn next(route: &Resource<RouteSpec>, at: Option<Span>) -> Vec<Next<'_>> {
    let of = |target: &FallbackTarget| match target {
        FallbackTarget::Model(named) => named.name.span,
        FallbackTarget::Route(named) => named.name.span,
    };
    let all = route.spec.fallback.iter().map(|next| (&next.target, at.unwrap_or(of(&next.target)), route));
    all.rev().collect()
}
