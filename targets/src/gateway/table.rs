//! What a gateway has to do, gathered from the grants that it got: tenants, backends and routes.

use std::collections::{BTreeMap, BTreeSet};

use aipolicy_compiler::authorize::Grant;
use aipolicy_compiler::ir::{Circumstances, Object, Principal};
use aipolicy_compiler::model::budget::{BudgetScope, BudgetSpec};
use aipolicy_compiler::model::gateway::GatewaySpec;
use aipolicy_compiler::model::model::ModelSpec;
use aipolicy_compiler::model::route::{Fallback, FallbackTarget, RouteSpec, Trigger};
use aipolicy_compiler::model::tenant::TenantSpec;
use aipolicy_compiler::model::{Id, Resource};
use aipolicy_compiler::source::Spanned;

use crate::input::Input;
use crate::origin::Origin;

/// A gateway with everything that it was granted.
pub(super) struct Table<'g> {
    pub(super) input: Input<'g>,
    pub(super) gateway: &'g Resource<GatewaySpec>,
    pub(super) backends: BTreeMap<String, Backend<'g>>,
    pub(super) routes: Vec<Route<'g>>,
    pub(super) tenants: Vec<Tenant<'g>>,
}

/// A model in a region in which it is called.
pub(super) struct Backend<'g> {
    pub(super) model: &'g Resource<ModelSpec>,
    pub(super) source: &'g str,
    pub(super) profile: Option<&'g str>,
    /// Regions in which a call may be processed.
    pub(super) regions: BTreeSet<&'g str>,
    pub(super) origin: Origin,
}

/// A route whose every model was granted for every tenant.
pub(super) struct Route<'g> {
    pub(super) name: &'g str,
    pub(super) resource: &'g Resource<RouteSpec>,
    /// Attempts in order: the models that share the requests, then each fallback.
    pub(super) steps: Vec<Step<'g>>,
    pub(super) origin: Origin,
}

/// Models that are tried at one point of a route.
pub(super) struct Step<'g> {
    pub(super) targets: Vec<Target>,
    /// What must have gone wrong before; nothing for the first step.
    pub(super) on: &'g [Spanned<Trigger>],
    /// The route whose retries and timeouts hold here.
    pub(super) governed_by: &'g Resource<RouteSpec>,
}

/// A backend with its share.
pub(super) struct Target {
    pub(super) backend: String,
    pub(super) weight: u32,
    pub(super) weight_origin: Origin,
    pub(super) origin: Origin,
}

/// A tenant with the routes that it may use.
pub(super) struct Tenant<'g> {
    pub(super) resource: &'g Resource<TenantSpec>,
    pub(super) routes: Vec<(&'g str, Origin)>,
    pub(super) budget: Option<&'g Resource<BudgetSpec>>,
    pub(super) origin: Origin,
}

/// Grants to invoke a model for a route, by where the model is named.
type Granted<'g> = BTreeMap<(Id<ModelSpec>, Id<RouteSpec>), Vec<Grant<'g>>>;

impl<'g> Table<'g> {
    /// Gathers what a gateway was granted.
    pub(super) fn build(input: Input<'g>, id: Id<GatewaySpec>, gateway: &'g Resource<GatewaySpec>) -> Self {
        let granted = granted(input, id);
        let mut table =
            Self { input, gateway, backends: BTreeMap::new(), routes: Vec::new(), tenants: Vec::new() };
        let graph = input.grants.graph();
        let mine = graph.each::<RouteSpec>().filter(|(_, route)| route.spec.gateway.id() == Some(id));
        let mut routes: Vec<_> = mine.collect();
        routes.sort_by(|left, right| left.1.name().cmp(right.1.name()));
        for (id, route) in routes {
            table.route(id, route, &granted);
        }
        table.tenants = tenants(input, id);
        table
    }

    fn route(&mut self, id: Id<RouteSpec>, resource: &'g Resource<RouteSpec>, granted: &Granted<'g>) {
        let mut steps = Vec::new();
        self.steps(resource, (id, &[]), (granted, &mut steps));
        let origin = Origin::written(resource.name_span());
        self.routes.push(Route { name: resource.name().as_str(), resource, steps, origin });
    }

    /// The steps of a route, and of every route that it falls back to.
    fn steps(
        &mut self,
        route: &'g Resource<RouteSpec>,
        (asked, on): (Id<RouteSpec>, &'g [Spanned<Trigger>]),
        (granted, steps): (&Granted<'g>, &mut Vec<Step<'g>>),
    ) {
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
            self.fallback(route, (asked, fallback), (granted, &mut *steps));
        }
    }

    fn fallback(
        &mut self,
        route: &'g Resource<RouteSpec>,
        (asked, fallback): (Id<RouteSpec>, &'g Fallback),
        (granted, steps): (&Granted<'g>, &mut Vec<Step<'g>>),
    ) {
        match &fallback.target {
            FallbackTarget::Model(model) => {
                let Some(id) = model.id() else { return };
                let weight = Origin::default(self.input.sources, "gateway.weight");
                let targets = self.targets((id, asked), (100, &weight), granted);
                steps.push(Step { targets, on: &fallback.on, governed_by: route });
            }
            FallbackTarget::Route(next) => {
                if let Some(next) = self.input.grants.graph().get(next) {
                    self.steps(next, (asked, &fallback.on), (granted, steps));
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

/// Regions share the weight of their model, so that it takes no more than was written.
fn share(weight: u32, targets: &mut [Target]) {
    let count = u32::try_from(targets.len()).unwrap_or(u32::MAX).max(1);
    for (target, at) in targets.iter_mut().zip(0_u32..) {
        target.weight = weight / count + u32::from(at < weight % count);
    }
}

fn granted<'g>(input: Input<'g>, gateway: Id<GatewaySpec>) -> Granted<'g> {
    let mut found: Granted<'g> = BTreeMap::new();
    for grant in input.grants.grants() {
        let request = &grant.decision.request;
        if request.principal != Principal::Gateway(gateway) {
            continue;
        }
        if let (Object::Model(model), Circumstances::Invocation(call)) =
            (&request.object, &request.circumstances)
            && let Some(route) = call.route
        {
            found.entry((*model, route)).or_default().push(grant);
        }
    }
    found
}

/// Tenants with the routes of this gateway that they were granted.
fn tenants<'g>(input: Input<'g>, gateway: Id<GatewaySpec>) -> Vec<Tenant<'g>> {
    let graph = input.grants.graph();
    let mut found: BTreeMap<&str, Tenant<'g>> = BTreeMap::new();
    for grant in input.grants.grants() {
        let request = &grant.decision.request;
        let (Principal::Tenant(tenant), Object::Route(route)) = (request.principal, &request.object) else {
            continue;
        };
        let Some((tenant, route)) = graph.resource(tenant).zip(graph.resource(*route)) else { continue };
        if route.spec.gateway.id() != Some(gateway) {
            continue;
        }
        let entry = found.entry(tenant.name().as_str()).or_insert_with(|| Tenant {
            resource: tenant,
            routes: Vec::new(),
            budget: budget_of(input, tenant),
            origin: Origin::granted(grant),
        });
        entry.routes.push((route.name().as_str(), Origin::granted(grant)));
    }
    let mut tenants: Vec<_> = found.into_values().collect();
    for tenant in &mut tenants {
        tenant.routes.sort_by_key(|(name, _)| *name);
    }
    tenants
}

/// The budget of a tenant, if it has one of its own.
fn budget_of<'g>(input: Input<'g>, tenant: &Resource<TenantSpec>) -> Option<&'g Resource<BudgetSpec>> {
    let graph = input.grants.graph();
    let mine = |budget: &&Resource<BudgetSpec>| matches!(&budget.spec.scope, BudgetScope::Tenant(scope) if scope.name.value == *tenant.name());
    graph.bundle().budgets.iter().find(mine)
}
