//! Models as they are called in a region: by gateways and workloads under their id, by agents through the profile of
//! their tenant.
//!
//! Source: Bedrock user guide, CloudWatch metrics of `bedrock-runtime`, which names the dimension `ModelId`. That it has the
//! id at the end of the ARN of an application inference profile, and not the ARN, is what the samples of AWS for such
//! profiles say and what the recorded answers of CloudWatch in the tests of Cloud Custodian (pull request 10898) show.

use std::collections::BTreeMap;

use aipolicy_compiler::authorize::Grant;
use aipolicy_compiler::ir::{Circumstances, Invocation, Object, Principal};
use aipolicy_compiler::model::Resource;
use aipolicy_compiler::model::agent::AgentModel;
use aipolicy_compiler::model::model::{Inference, ModelProvider, ModelSpec};
use aipolicy_compiler::model::traffic_profile::{Latency, TrafficProfileSpec};
use aipolicy_compiler::model::value::Duration;
use aipolicy_compiler::model::workspace::TargetName;
use aipolicy_compiler::source::Spanned;

use super::compiles;
use crate::account::Account;
use crate::artifact::Address;
use crate::observability::alert::number;
use crate::observability::aws::alarm::{Alarm, Metric, Statistic};
use crate::origin::Origin;
use crate::request::{last, reference};
use crate::tree::Tree;

/// A model as it is called in a region.
struct Called<'a> {
    model: &'a Resource<ModelSpec>,
    /// The tenant whose profile it is called through.
    tenant: Option<&'a str>,
    /// The id under which its calls are counted.
    id: Tree,
    origin: Origin,
    needs: Vec<Address>,
}

/// The alarms on every model that is called.
pub(super) fn alarms(account: &Account<'_>) -> Vec<Alarm> {
    let mut called: BTreeMap<(String, String), Called<'_>> = BTreeMap::new();
    for grant in account.input.grants.grants() {
        let request = &grant.decision.request;
        let (Circumstances::Invocation(call), Object::Model(id)) = (&request.circumstances, &request.object)
        else {
            continue;
        };
        let Some(model) = account.graph().resource(*id) else { continue };
        if model.spec.provider.value != ModelProvider::Bedrock {
            continue;
        }
        let found = match request.principal {
            Principal::Agent(_) => of_agent(account, (model, call), grant),
            Principal::Gateway(_)
            | Principal::Workload(_)
            | Principal::Tenant(_)
            | Principal::Environment(_)
            | Principal::Route(_) => Some(direct((model, call), grant)),
        };
        let Some((counted, found)) = found else { continue };
        called.entry((call.source.to_string(), counted)).or_insert(found);
    }
    let mut longest: BTreeMap<&str, Measured> = BTreeMap::new();
    let mut alarms = Vec::new();
    for ((region, _), called) in &called {
        let of_model = longest.entry(called.model.name().as_str());
        let measured = of_model.or_insert_with(|| measured(account, called.model));
        alarms.extend(model(account, region, called, measured));
    }
    alarms
}

/// The longest latency of a model in milliseconds, by percentile.
type Measured = Vec<(&'static str, Spanned<u64>)>;

/// A model that is called under its own id, or under that of a profile of AWS.
fn direct<'a>(
    (model, call): (&'a Resource<ModelSpec>, &Invocation),
    grant: Grant<'_>,
) -> (String, Called<'a>) {
    let invoked = match (&call.profile, model.spec.inference.as_ref().map(|one| &one.value)) {
        (Some(profile), _) => profile.to_string(),
        (None, Some(Inference::Provisioned(arn))) => arn.value.as_str().to_owned(),
        (None, _) => model.spec.model_id.value.as_str().to_owned(),
    };
    let id = Tree::text(&invoked);
    (invoked, Called { model, tenant: None, id, origin: Origin::granted(grant), needs: Vec::new() })
}

/// The own model of an agent, through the profile of its tenant where it has one.
fn of_agent<'a>(
    account: &Account<'a>,
    (model, call): (&'a Resource<ModelSpec>, &Invocation),
    grant: Grant<'a>,
) -> Option<(String, Called<'a>)> {
    let Principal::Agent(id) = grant.decision.request.principal else { return None };
    let agent = account.graph().resource(id).filter(|_| compiles(account, TargetName::Bedrock))?;
    let AgentModel::Model(_) = &agent.spec.model.value else { return None };
    let tenant = account.graph().get(&agent.spec.tenant)?.name().as_str();
    let Some(name) = account.charged(tenant, model, call) else { return Some(direct((model, call), grant)) };
    let made = Address { target: "bedrock".into(), kind: "InferenceProfile".into(), name };
    let id = last(reference(&made, "inferenceProfileArn"));
    let counted = made.to_string();
    let called =
        Called { model, tenant: Some(tenant), id, origin: Origin::granted(grant), needs: vec![made] };
    Some((counted, called))
}

fn model(account: &Account<'_>, region: &str, called: &Called<'_>, measured: &Measured) -> Vec<Alarm> {
    let name = called.model.name().as_str();
    let dimension = || ("ModelId", called.id.clone());
    let one =
        |name, statistic| Metric::One { namespace: "AWS/Bedrock", name, dimension: dimension(), statistic };
    let whose = called.tenant.map_or_else(String::new, |tenant| format!(" for tenant {tenant}"));
    let alarm = |word: &str, metric, (most, periods, limit): (f64, (u64, u64), Origin)| Alarm {
        words: called.tenant.into_iter().chain([name, region, word]).map(str::to_owned).collect(),
        region: (region.to_owned(), called.origin.clone()),
        metric,
        most,
        periods,
        told: format!("{word} of model {name} in {region}{whose}"),
        limit,
        origin: called.origin.clone(),
        needs: called.needs.clone(),
    };
    let default = || account.default("alarms.models");
    let mut alarms = vec![
        alarm("throttles", one("InvocationThrottles", Statistic::Sum), (9.0, (300, 1), default())),
        alarm("server-errors", one("InvocationServerErrors", Statistic::Sum), (9.0, (300, 1), default())),
        alarm("client-errors", one("InvocationClientErrors", Statistic::Sum), (49.0, (300, 1), default())),
    ];
    for (word, most) in measured {
        let limit = Origin::written(most.span);
        let milliseconds = number(most.value) * 1.5;
        let metric = one("InvocationLatency", Statistic::Percentile(word));
        alarms.push(alarm(&format!("latency-{word}"), metric, (milliseconds, (300, 3), limit)));
    }
    if let Some(quota) = called.model.spec.quota.as_ref().and_then(|quota| quota.tokens.as_ref()) {
        let names = ["InputTokenCount", "OutputTokenCount"];
        let metric = Metric::Sum { namespace: "AWS/Bedrock", names, dimension: dimension() };
        let most = number(quota.value.per_minute()) * 0.9;
        alarms.push(alarm("tokens", metric, (most, (60, 5), Origin::written(quota.span))));
    }
    alarms
}

/// The longest latency that was measured of a model on any route.
fn measured(account: &Account<'_>, model: &Resource<ModelSpec>) -> Measured {
    let profiles = account.graph().each::<TrafficProfileSpec>();
    let of_model: Vec<_> = profiles
        .flat_map(|(_, profile)| &profile.spec.latency.0)
        .filter(|(found, _)| found.name.value == *model.name())
        .map(|(_, latency)| latency)
        .collect();
    let longest = |word, of: fn(&Latency) -> Option<&Spanned<Duration>>| {
        let most = of_model.iter().filter_map(|latency| of(latency)).max_by_key(|most| most.value);
        most.map(|most| (word, Spanned { value: most.value.milliseconds(), span: most.span }))
    };
    let all =
        [longest("p95", |latency| latency.p95.as_ref()), longest("p99", |latency| latency.p99.as_ref())];
    all.into_iter().flatten().collect()
}
