//! Fallbacks that fail together with what they stand by for.

use super::{Check, Findings, Look};
use crate::diagnostic::{Diagnostic, Family, Rule, Severity};
use crate::model::model::{Inference, ModelSpec};
use crate::model::route::{Criticality, RouteSpec};
use crate::model::{Id, Resource};
use crate::resolve::{FailureDomain, Graph, Standby};

static RULE: Rule = Rule {
    code: "AIP-RTE-006",
    name: "fallback-same-failure-domain",
    severity: Severity::Advisory,
    family: Family::Verdict,
    page: include_str!("fallback_same_failure_domain.md"),
};

pub(super) const CHECK: Check = Check { rule: &RULE, run: Look::Resources(run) };

fn run(graph: &Graph, out: &mut Findings<'_>) {
    for (id, route) in graph.each::<RouteSpec>() {
        let places = graph.places_of_route(&route.spec);
        let standbys = graph.standbys(id);
        // A route may lead back to the model after others, which is one more chance.
        let same = standbys.chunk_by(|one, next| one.at == next.at);
        let same = same.filter(|step| step.iter().all(|standby| has_one_quota(graph, route, standby)));
        let same: Vec<_> = same.filter_map(|step| step.first()).collect();
        same.iter().for_each(|standby| out.report(&places, one_quota(standby)));
        if let Some(first) = standbys.first().filter(|_| same.is_empty()) {
            one_domain(graph, id, (route, first)).into_iter().for_each(|found| out.report(&places, found));
        }
    }
}

/// Quotas of Bedrock are for a model, in a region, and apart for calls through a profile.
fn has_one_quota(graph: &Graph, route: &Resource<RouteSpec>, standby: &Standby<'_>) -> bool {
    let path = |model: &ModelSpec| match model.inference.as_ref().map(|inference| &inference.value) {
        Some(Inference::Profile(geography)) => geography.value.to_string(),
        Some(Inference::Provisioned(arn)) => arn.value.as_str().to_owned(),
        Some(Inference::OnDemand) | None => String::new(),
    };
    let same = |model: &Resource<ModelSpec>| {
        let (one, other) = (&model.spec, &standby.model.spec);
        one.model_id.value == other.model_id.value
            && path(one) == path(other)
            && graph.failure_domain(&route.spec, one) == graph.failure_domain(&route.spec, other)
    };
    let mut models = graph.primaries(&route.spec).peekable();
    models.peek().is_some() && models.all(same)
}

fn one_quota(standby: &Standby<'_>) -> Diagnostic {
    let message =
        format!("`{}` is the model that failed, in the same region and quota", standby.model.name());
    let found = RULE.at(standby.at, message, "").label(standby.named, "the model");
    found.help("fall back to another model, or to this one in another region or through a profile")
}

/// Where a failure would be bad, one outage must not take everything.
fn one_domain(
    graph: &Graph,
    id: Id<RouteSpec>,
    (route, first): (&Resource<RouteSpec>, &Standby<'_>),
) -> Option<Diagnostic> {
    let high = route.spec.criticality.as_ref().filter(|word| word.value == Criticality::High)?;
    let domain = all_in_one(graph, id, route)?;
    let regions = domain.regions.into_iter().collect::<Vec<_>>().join(", ");
    let message = format!(
        "every fallback of route `{}` fails with its models: {} in {regions}",
        route.name(),
        domain.provider.word()
    );
    let found = RULE.at(first.at, message, "").label(high.span, "a failure would be bad");
    Some(found.help("add a fallback with another provider, or in another region"))
}

/// The domain that all models of a route share, the fallbacks included; nothing where one of them is elsewhere.
pub(super) fn all_in_one(
    graph: &Graph,
    id: Id<RouteSpec>,
    route: &Resource<RouteSpec>,
) -> Option<FailureDomain> {
    let standbys = graph.standbys(id).into_iter().map(|standby| standby.model);
    let mut models = graph.primaries(&route.spec).chain(standbys);
    let domain = graph.failure_domain(&route.spec, &models.next()?.spec);
    models.all(|model| graph.failure_domain(&route.spec, &model.spec) == domain).then_some(domain)
}
