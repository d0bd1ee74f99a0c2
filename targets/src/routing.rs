//! What a gateway has to do, gathered from the grants that it got: tenants, backends and routes.

use std::collections::{BTreeMap, BTreeSet};

use aipolicy_compiler::authorize::Grant;
use aipolicy_compiler::ir::{Circumstances, Object, Principal};
use aipolicy_compiler::model::budget::BudgetSpec;
use aipolicy_compiler::model::gateway::GatewaySpec;
use aipolicy_compiler::model::model::ModelSpec;
use aipolicy_compiler::model::route::{Fallback, FallbackTarget, RouteSpec, Trigger};
use aipolicy_compiler::model::tenant::TenantSpec;
use aipolicy_compiler::model::{Id, Resource};
use aipolicy_compiler::source::Spanned;

use crate::input::Input;
use crate::origin::Origin;

/// A gateway with everything that it was granted.
pub(crate) struct Table<'g> {
    pub(crate) input: Input<'g>,
    pub(crate) gateway: &'g Resource<GatewaySpec>,
    pub(crate) backends: BTreeMap<String, Backend<'g>>,
    pub(crate) routes: Vec<Route<'g>>,
    pub(crate) tenants: Vec<Tenant<'g>>,
}

/// A model in a region in which it is called.
pub(crate) struct Backend<'g> {
    pub(crate) model: &'g Resource<ModelSpec>,
    pub(crate) source: &'g str,
    pub(crate) profile: Option<&'g str>,
    /// Regions in which a call may be processed.
    pub(crate) regions: BTreeSet<&'g str>,
    pub(crate) origin: Origin,
}

/// A route whose every model was granted for every tenant.
pub(crate) struct Route<'g> {
    pub(crate) id: Id<RouteSpec>,
    pub(crate) name: &'g str,
    pub(crate) resource: &'g Resource<RouteSpec>,
    /// Attempts in order: the models that share the requests, then each fallback.
    pub(crate) steps: Vec<Step<'g>>,
    pub(crate) origin: Origin,
}

/// Models that are tried at one point of a route.
pub(crate) struct Step<'g> {
    pub(crate) targets: Vec<Target>,
    /// What must have gone wrong before; nothing for the first step.
    pub(crate) on: &'g [Spanned<Trigger>],
    /// The route whose retries and timeouts hold here.
    pub(crate) governed_by: &'g Resource<RouteSpec>,
}

/// A backend with its share.
pub(crate) struct Target {
    pub(crate) backend: String,
    pub(crate) weight: u32,
    pub(crate) weight_origin: Origin,
    pub(crate) origin: Origin,
}

/// A tenant with the routes that it may use.
pub(crate) struct Tenant<'g> {
    pub(crate) id: Id<TenantSpec>,
    pub(crate) resource: &'g Resource<TenantSpec>,
    pub(crate) routes: Vec<(&'g str, Origin)>,
    pub(crate) budget: Option<&'g Resource<BudgetSpec>>,
    pub(crate) origin: Origin,
}

/// Grants to invoke a model for a route, by where the model is named.
type Granted<'g> = BTreeMap<(Id<ModelSpec>, Id<RouteSpec>), Vec<Grant<'g>>>;

/// What one gateway was granted.
#[derive(Default)]
struct Share<'g> {
    models: Granted<'g>,
    /// Tenants that may use one of its routes.
    users: Vec<(Id<TenantSpec>, &'g Resource<RouteSpec>, Grant<'g>)>,
}

/// What all gateways of an environment were granted, gathered in one pass.
pub(crate) struct Shares<'g> {
    input: Input<'g>,
    by_gateway: BTreeMap<Id<GatewaySpec>, Share<'g>>,
}

impl<'g> Shares<'g> {
    /// Gathers what the gateways were granted.
    pub(crate) fn gather(input: Input<'g>) -> Self {
        let mut shares = Self { input, by_gateway: BTreeMap::new() };
        input.grants.grants().for_each(|grant| shares.add(grant));
        shares
    }

    fn add(&mut self, grant: Grant<'g>) {
        let request = &grant.decision.request;
        match (request.principal, &request.object, &request.circumstances) {
            (Principal::Gateway(gateway), Object::Model(model), Circumstances::Invocation(call)) => {
                let Some(route) = call.route else { return };
                let share = self.by_gateway.entry(gateway).or_default();
                share.models.entry((*model, route)).or_default().push(grant);
            }
            (Principal::Tenant(tenant), Object::Route(id), _) => {
                let Some(route) = self.input.grants.graph().resource(*id) else { return };
                let Some(gateway) = route.spec.gateway.id() else { return };
                self.by_gateway.entry(gateway).or_default().users.push((tenant, route, grant));
            }
            _ => {}
        }
    }

    /// The table of a gateway.
    pub(crate) fn table(&self, id: Id<GatewaySpec>, gateway: &'g Resource<GatewaySpec>) -> Table<'g> {
        let (routes, tenants) = (Vec::new(), Vec::new());
        let mut table = Table { input: self.input, gateway, backends: BTreeMap::new(), routes, tenants };
        let nothing = Share::default();
        let share = self.by_gateway.get(&id).unwrap_or(&nothing);
        let mut routes: Vec<_> = self.input.grants.graph().routes_of(id).collect();
        routes.sort_by_key(|(_, route)| route.name());
        for (id, route) in routes {
            table.route(id, route, &share.models);
        }
        table.tenants = self.tenants(share);
        table
    }

    /// Tenants with the routes of a gateway that they were granted.
    fn tenants(&self, share: &Share<'g>) -> Vec<Tenant<'g>> {
        let graph = self.input.grants.graph();
        let mut found: BTreeMap<&str, Tenant<'g>> = BTreeMap::new();
        for (id, route, grant) in &share.users {
            let Some(tenant) = graph.resource(*id) else { continue };
            let entry = found.entry(tenant.name().as_str()).or_insert_with(|| Tenant {
                id: *id,
                resource: tenant,
                routes: Vec::new(),
                budget: graph.budgets_of(*id).next(),
                origin: Origin::granted(*grant),
            });
            entry.routes.push((route.name().as_str(), Origin::granted(*grant)));
        }
        let mut tenants: Vec<_> = found.into_values().collect();
        for tenant in &mut tenants {
            tenant.routes.sort_by_key(|(name, _)| *name);
        }
        tenants
    }
}

impl<'g> Table<'g> {
    fn route(&mut self, id: Id<RouteSpec>, resource: &'g Resource<RouteSpec>, granted: &Granted<'g>) {
        let mut steps = Vec::new();
        self.steps(resource, (&[id], &[]), (granted, &mut steps));
        let origin = Origin::written(resource.name_span());
        self.routes.push(Route { id, name: resource.name().as_str(), resource, steps, origin });
    }

    /// The steps of a route, and of every route that it falls back to. `path` begins with the route that was asked and
    /// ends with this one; a route that falls back to itself stops there, since the check of that may be off.
    fn steps(
        &mut self,
        route: &'g Resource<RouteSpec>,
        (path, on): (&[Id<RouteSpec>], &'g [Spanned<Trigger>]),
        (granted, steps): (&Granted<'g>, &mut Vec<Step<'g>>),
    ) {
        let Some(asked) = path.first().copied() else { return };
        let share = 100_u32 / u32::try_from(route.spec.primary.len().max(1)).unwrap_or(1);
        let mut targets = Vec::new();
        for primary in &route.spec.primary {
            let Some(model) = primary.model.id() else { continue };
            let weight = primary.weight.as_ref();
            let default = || Origin::default(self.input.sources, "gateway.weight");
            let weight_origin = weight.map_or_else(default, |weight| Origin::written(weight.span));
            let weight = weight.map_or(share, |weight| weight.value.0);
            targets.extend(self.targets((model, asked), (weight, &weight_origin), granted));
        }
        steps.push(Step { targets, on, governed_by: route });
        for fallback in &route.spec.fallback {
            self.fallback(route, (path, fallback), (granted, &mut *steps));
        }
    }

    fn fallback(
        &mut self,
        route: &'g Resource<RouteSpec>,
        (path, fallback): (&[Id<RouteSpec>], &'g Fallback),
        (granted, steps): (&Granted<'g>, &mut Vec<Step<'g>>),
    ) {
        match &fallback.target {
            FallbackTarget::Model(model) => {
                let Some((id, asked)) = model.id().zip(path.first().copied()) else { return };
                let weight = Origin::default(self.input.sources, "gateway.weight");
                let targets = self.targets((id, asked), (100, &weight), granted);
                steps.push(Step { targets, on: &fallback.on, governed_by: route });
            }
            FallbackTarget::Route(next) => {
                let Some(id) = next.id().filter(|id| !path.contains(id)) else { return };
                if let Some(next) = self.input.grants.graph().resource(id) {
                    let path = [path, &[id]].concat();
                    self.steps(next, (&path, &fallback.on), (granted, steps));
                }
            }
        }
    }

    /// A model that a route names: one backend for each region in which it is called. Without a grant there is none.
    fn targets(
        &mut self,
        key: (Id<ModelSpec>, Id<RouteSpec>),
        (weight, weight_origin): (u32, &Origin),
        granted: &Granted<'g>,
    ) -> Vec<Target> {
        let graph = self.input.grants.graph();
        let Some(model) = graph.resource(key.0) else { return Vec::new() };
        let mut targets: BTreeMap<String, Target> = BTreeMap::new();
        for grant in granted.get(&key).into_iter().flatten() {
            let Circumstances::Invocation(call) = &grant.decision.request.circumstances else { continue };
            // Names have no dots, so no other model is called like this.
            let id = match model.spec.regions.len() {
                0 | 1 => model.name().to_string(),
                _ => format!("{}.{}", model.name(), call.source),
            };
            let backend = self.backends.entry(id.clone()).or_insert_with(|| Backend {
                model,
                source: &call.source,
                profile: call.profile.as_deref(),
                regions: BTreeSet::new(),
                origin: Origin::granted(*grant),
            });
            backend.regions.insert(&call.region);
            targets.entry(id.clone()).or_insert_with(|| Target {
                backend: id,
                weight,
                weight_origin: weight_origin.clone(),
                origin: Origin::granted(*grant),
            });
        }
        let mut targets: Vec<_> = targets.into_values().collect();
        share(weight, &mut targets);
        targets
    }
}

/// The name under which the models of a step are called: the route itself, then its fallbacks by number.
pub(crate) fn group(route: &str, step: usize) -> String {
    match step {
        0 => route.to_owned(),
        _ => format!("{route}.fallback-{step}"),
    }
}

/// The name of a backend in a step of a route, which is how telemetry tells it from others.
pub(crate) fn deployment(route: &str, step: usize, backend: &str) -> String {
    format!("{}.{backend}", group(route, step))
}

/// Regions share the weight of their model, so that it takes no more than was written.
fn share(weight: u32, targets: &mut [Target]) {
    let count = u32::try_from(targets.len()).unwrap_or(u32::MAX).max(1);
    for (target, at) in targets.iter_mut().zip(0_u32..) {
        target.weight = weight / count + u32::from(at < weight % count);
    }
}
