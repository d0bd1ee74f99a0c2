//! Who is told when: rules for Prometheus with their tests, and dashboards, from what gateways were granted.

mod alert;
mod aws;
mod grafana;
mod metric;
mod prometheus;
mod promql;

use std::collections::BTreeMap;

use aipolicy_compiler::diagnostic::{Diagnostic, Diagnostics, Severity};
use aipolicy_compiler::model::agent::AgentModel;
use aipolicy_compiler::model::budget::{BudgetScope, BudgetSpec};
use aipolicy_compiler::model::gateway::{Dialect, GatewaySpec};
use aipolicy_compiler::model::route::{CanaryAbort, CircuitBreaker, RouteSpec};
use aipolicy_compiler::model::traffic_profile::Latency;
use aipolicy_compiler::model::value::Duration;
use aipolicy_compiler::model::workspace::TargetName;
use aipolicy_compiler::model::{Id, Resource};
use aipolicy_compiler::rule;
use aipolicy_compiler::source::Spanned;

use crate::account::Account;
use crate::artifact::{Address, Artifact};
use crate::input::Input;
use crate::origin::Origin;
use crate::routing::{self, Route, Shares, Step, Table, Target, Tenant};
use crate::tree::Tree;
use alert::Alert;

/// Everything that is watched in an environment.
struct Watched<'g> {
    input: Input<'g>,
    environment: &'g str,
    /// Gateways that serve metrics, with what they were granted.
    tables: Vec<Table<'g>>,
    origin: Origin,
}

/// A model in a step of a route, as telemetry tells it from others.
struct Deployment<'g> {
    id: String,
    route: &'g str,
    model: &'g str,
    /// The grant of the model there.
    origin: Origin,
    /// What was measured of it.
    latency: Option<&'g Latency>,
    timeout: Option<&'g Spanned<Duration>>,
    breaker: Option<&'g CircuitBreaker>,
    canary: Option<&'g CanaryAbort>,
}

impl Deployment<'_> {
    fn labels(&self) -> Vec<(&'static str, String)> {
        vec![
            ("deployment", self.id.clone()),
            ("model", self.model.to_owned()),
            ("route", self.route.to_owned()),
        ]
    }
}

/// Renders what is watched in an environment: rules and dashboards where a gateway serves metrics, and what AWS watches.
pub(crate) fn render(input: Input<'_>, out: &mut Diagnostics) -> Vec<Artifact> {
    let mut artifacts = Vec::new();
    let watched = watched(input);
    if let Some(watched) = &watched {
        let alerts = alerts(watched, out);
        artifacts.extend(prometheus::artifacts(watched, &alerts));
        artifacts.extend(grafana::artifacts(watched));
    }
    if let Some(account) = Account::of(input) {
        artifacts.extend(aws::artifacts(&account, watched.as_ref(), out));
    }
    artifacts
}

/// The rules of an environment for a Prometheus in a cluster.
pub(crate) struct Rules<'g> {
    /// Groups, each with a word for what it is about.
    pub(crate) groups: Vec<(String, Tree)>,
    /// The gateways whose metrics the rules are about.
    pub(crate) gateways: Vec<&'g Resource<GatewaySpec>>,
}

/// The rules of an environment, where this target is compiled and a gateway serves metrics.
pub(crate) fn rules(input: Input<'_>) -> Option<Rules<'_>> {
    let compiled = input.workspace.targets.iter().any(|target| target.value == TargetName::Observability);
    let watched = watched(input).filter(|_| compiled)?;
    // What cannot be watched is reported where the files are rendered.
    let alerts = alerts(&watched, &mut Diagnostics::default());
    let groups = prometheus::groups(&watched, &alerts);
    let groups = groups.into_iter().map(|(word, group)| (word, group.from(watched.origin.clone())));
    let gateways = watched.tables.iter().map(|table| table.gateway);
    Some(Rules { groups: groups.collect(), gateways: gateways.collect() })
}

fn watched(input: Input<'_>) -> Option<Watched<'_>> {
    let graph = input.grants.graph();
    let environment = graph.resource(input.grants.environment())?;
    let serves = |gateway: &Resource<GatewaySpec>| {
        let telemetry = gateway.spec.telemetry.as_ref();
        let asked =
            telemetry.and_then(|telemetry| telemetry.prometheus.as_ref()).is_some_and(|word| word.value);
        asked && gateway.spec.dialect.value == Dialect::Litellm
    };
    let shares = Shares::gather(input);
    let here = graph.each::<GatewaySpec>().filter(|(_, gateway)| {
        gateway.spec.environment.id() == Some(input.grants.environment()) && serves(gateway)
    });
    let tables: Vec<_> = here.map(|(id, gateway)| shares.table(id, gateway)).collect();
    let first = tables.first()?.gateway.spec.telemetry.as_ref()?.prometheus.as_ref()?;
    let origin = Origin::written(first.span);
    Some(Watched { input, environment: environment.name().as_str(), tables, origin })
}

impl<'g> Watched<'g> {
    fn address(&self, kind: &str, name: impl Into<String>) -> Address {
        Address { target: "observability".into(), kind: kind.into(), name: name.into() }
    }

    /// Every tenant that a gateway serves, by name.
    fn tenants(&self) -> BTreeMap<&str, &Tenant<'g>> {
        let served = self.tables.iter().flat_map(|table| &table.tenants);
        served.map(|tenant| (tenant.resource.name().as_str(), tenant)).collect()
    }

    /// Every model in every step of every route.
    fn deployments(&self) -> impl Iterator<Item = Deployment<'_>> {
        self.tables
            .iter()
            .flat_map(move |table| table.routes.iter().flat_map(move |route| self.of_route(table, route)))
    }

    fn of_route<'t>(&'t self, table: &'t Table<'g>, route: &'t Route<'g>) -> Vec<Deployment<'t>> {
        let steps = route.steps.iter().enumerate();
        let targets = steps.flat_map(|(at, step)| step.targets.iter().map(move |target| (at, step, target)));
        targets.filter_map(|found| self.deployment(table, route, found)).collect()
    }

    fn deployment<'t>(
        &'t self,
        table: &'t Table<'g>,
        route: &'t Route<'g>,
        (at, step, target): (usize, &'t Step<'g>, &'t Target),
    ) -> Option<Deployment<'t>> {
        let model = table.backends.get(&target.backend)?.model.name().as_str();
        let governed = &step.governed_by.spec;
        let canaries =
            governed.primary.iter().filter(|primary| at == 0 && primary.model.name.value.as_str() == model);
        Some(Deployment {
            id: routing::deployment(route.name, at, &target.backend),
            route: route.name,
            model,
            origin: target.origin.clone(),
            latency: self.measured(route.id, model),
            timeout: governed.timeout.as_ref().and_then(|timeout| timeout.attempt.as_ref()),
            breaker: governed.circuit_breaker.as_ref(),
            canary: canaries.filter_map(|primary| Some(&primary.canary.as_ref()?.abort)).next(),
        })
    }

    /// What was measured of a model when it serves a route.
    fn measured(&self, route: Id<RouteSpec>, model: &str) -> Option<&'g Latency> {
        self.input.grants.graph().profiles_of(route).find_map(|profile| {
            let mut measured = profile.spec.latency.0.iter();
            measured.find(|(found, _)| found.name.value.as_str() == model).map(|(_, latency)| latency)
        })
    }
}

fn alerts(watched: &Watched<'_>, out: &mut Diagnostics) -> Vec<Alert> {
    let graph = watched.input.grants.graph();
    let tenants = watched.tenants();
    let mut alerts = Vec::new();
    for budget in graph.budgets_among(&tenants.values().map(|tenant| tenant.id).collect()) {
        if !concerns(watched, budget) {
            continue;
        }
        match alert::budget::alerts(budget) {
            Some(found) => alerts.extend(found),
            None => out.report(unseen(budget)),
        }
        alerts.extend(alert::notice::alerts(budget).into_iter().flatten());
    }
    alerts.extend(tenants.into_values().flat_map(|tenant| alert::tokens::alerts(watched, tenant)));
    for table in &watched.tables {
        alerts.extend(table.routes.iter().flat_map(|route| alert::route::fallbacks(watched, route)));
    }
    for deployment in watched.deployments() {
        alerts.extend(alert::latency::alerts(&deployment));
        alerts.extend(alert::route::breaker(&deployment));
        alerts.extend(alert::canary::alerts(&deployment));
    }
    alerts
}

/// Whether a budget covers what the gateways of the environment serve, if it is that of a tenant which they serve, or of
/// anything but a tenant.
fn concerns(watched: &Watched<'_>, budget: &Resource<BudgetSpec>) -> bool {
    let here = watched.input.grants.environment();
    match &budget.spec.scope {
        BudgetScope::Organisation | BudgetScope::Tenant(_) => true,
        BudgetScope::Environment(environment) => environment.id() == Some(here),
        BudgetScope::Agent(agent) => {
            let graph = watched.input.grants.graph();
            let served = graph.get(agent).and_then(|agent| match &agent.spec.model.value {
                AgentModel::Route(route) => Some(route.name.value.as_str()),
                AgentModel::Model(_) => None,
            });
            let mut routes = watched.tables.iter().flat_map(|table| &table.routes);
            served.is_some_and(|route| routes.any(|found| found.name == route))
        }
    }
}

/// A budget that telemetry says nothing about.
fn unseen(budget: &Resource<BudgetSpec>) -> Diagnostic {
    let why = match &budget.spec.scope {
        BudgetScope::Agent(_) => "the metrics of LiteLLM do not tell the agents of a tenant apart",
        BudgetScope::Organisation | BudgetScope::Environment(_) | BudgetScope::Tenant(_) => {
            "the metrics of LiteLLM count US dollars and tokens"
        }
    };
    let message = format!("no alert watches how fast budget `{}` is spent: {why}", budget.name());
    let mut found = rule::APPROXIMATED.at(budget.spec.limit.span, message, "this limit");
    found.severity = Severity::Note;
    found
}
