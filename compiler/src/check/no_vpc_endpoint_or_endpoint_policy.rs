//! Sensitive prompts that leave a private network to reach a model.

use super::{Check, Findings, Look};
use crate::diagnostic::{Family, Rule, Severity};
use crate::model::Id;
use crate::model::environment::EnvironmentSpec;
use crate::model::gateway::GatewaySpec;
use crate::model::model::ModelProvider;
use crate::model::route::RouteSpec;
use crate::resolve::{Graph, class_rank};
use crate::source::Span;

static RULE: Rule = Rule {
    code: "AIP-IAM-014",
    name: "no-vpc-endpoint-or-endpoint-policy",
    severity: Severity::Advisory,
    family: Family::Verdict,
    page: include_str!("no_vpc_endpoint_or_endpoint_policy.md"),
};

pub(super) const CHECK: Check = Check { rule: &RULE, run: Look::Resources(run) };

/// The least sensitive class whose requests stay in a private network.
const SENSITIVE: &str = "confidential";

/// The service that prompts are sent to.
const SERVICE: &str = "bedrock-runtime";

fn run(graph: &Graph, out: &mut Findings<'_>) {
    let Some(sensitive) = graph.find(SENSITIVE).map(|class| class_rank(graph, class)) else { return };
    for (id, gateway) in graph.each::<GatewaySpec>().filter(|(_, gateway)| gateway.spec.cluster.is_some()) {
        let place = gateway.spec.environment.id().and_then(|id| Some((id, graph.resource(id)?)));
        let Some((place, environment)) = place else { continue };
        let Some(endpoint) = without_endpoint(&environment.spec) else { continue };
        let route = graph.routes_of(id).find(|(id, route)| {
            let rank = route.spec.data_class.id().map_or(0, |class| class_rank(graph, class));
            rank >= sensitive && reaches_bedrock(graph, *id, &route.spec)
        });
        if let Some((_, route)) = route {
            let message = format!(
                "requests of route `{}` leave the network of `{}` to reach `{SERVICE}`",
                route.name(),
                environment.name()
            );
            let found = RULE.at(endpoint, message, "other services have an endpoint here");
            let found = found.label(route.spec.data_class.name.span, "what is in them");
            out.report(&[place], found.help(format!("add `{SERVICE}` to `network.endpoints`")));
        }
    }
}

/// The first endpoint of a network that has some, and none for models.
fn without_endpoint(environment: &EnvironmentSpec) -> Option<Span> {
    let endpoints = &environment.network.as_ref()?.endpoints.0;
    let for_models = |service: &String| {
        service == SERVICE || service.strip_prefix(SERVICE).is_some_and(|rest| rest.starts_with('.'))
    };
    let first = endpoints.values().next()?;
    (!endpoints.keys().any(for_models)).then_some(first.span)
}

fn reaches_bedrock(graph: &Graph, id: Id<RouteSpec>, route: &RouteSpec) -> bool {
    let standbys = graph.standbys(id).into_iter().map(|standby| standby.model);
    let mut models = graph.primaries(route).chain(standbys);
    models.any(|model| model.spec.provider.value == ModelProvider::Bedrock)
}
