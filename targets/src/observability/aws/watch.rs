//! What is watched: machines of tools, functions, gateways and guardrails of agents, and models. Every metric is one that the
//! user guide of its service names.

use std::collections::BTreeMap;

use aipolicy_compiler::authorize::Grant;
use aipolicy_compiler::ir::{Circumstances, Object, Principal};
use aipolicy_compiler::model::Resource;
use aipolicy_compiler::model::agent::{AgentRuntime, AgentSpec, Tool};
use aipolicy_compiler::model::model::{Inference, ModelProvider, ModelSpec};
use aipolicy_compiler::model::traffic_profile::{Latency, TrafficProfileSpec};
use aipolicy_compiler::model::value::Duration;
use aipolicy_compiler::model::workspace::TargetName;
use aipolicy_compiler::source::Spanned;

use super::Cloud;
use super::alarm::{Alarm, Metric, Statistic};
use crate::account::{Account, is_associated, is_direct};
use crate::artifact::Address;
use crate::observability::alert::number;
use crate::origin::Origin;
use crate::request::reference;

/// Every alarm of an environment.
pub(super) fn alarms(cloud: &Cloud<'_, '_>) -> Vec<Alarm> {
    let account = cloud.account;
    let mut alarms = Vec::new();
    if account.input.workspace.targets.iter().any(|target| target.value == TargetName::Bedrock) {
        for (principal, grants) in account.input.grants.by_principal() {
            let Principal::Agent(id) = principal else { continue };
            let Some(resource) = account.graph().resource(id) else { continue };
            alarms.extend(Agent { account, resource }.alarms(&grants));
        }
    }
    alarms.extend(models(account));
    alarms
}

struct Agent<'a> {
    account: &'a Account<'a>,
    resource: &'a Resource<AgentSpec>,
}

impl Agent<'_> {
    fn alarms(&self, grants: &[Grant<'_>]) -> Vec<Alarm> {
        let called = |grant: &Grant<'_>| {
            let Object::Tool(_, at) = grant.decision.request.object else { return None };
            self.resource.spec.tools.get(at).filter(|tool| !self.is_associated(tool))
        };
        let tools: Vec<&Tool> = grants.iter().filter_map(called).collect();
        let machines: Vec<_> = tools.iter().filter(|tool| !self.is_direct(tool)).collect();
        let mut alarms: Vec<_> = machines.iter().flat_map(|tool| self.machine(tool)).collect();
        if !machines.is_empty() {
            alarms.extend(self.function());
        }
        if !tools.is_empty() {
            alarms.extend(self.gateway());
        }
        alarms.extend(self.guardrail());
        alarms
    }

    fn is_associated(&self, tool: &Tool) -> bool {
        let connector = self.account.graph().get(&tool.connector);
        connector.is_some_and(|connector| is_associated(&self.resource.spec, tool, connector))
    }

    /// Whether the gateway calls the connector of a tool itself, so that there is no machine.
    fn is_direct(&self, tool: &Tool) -> bool {
        let connector = self.account.graph().get(&tool.connector);
        connector.is_some_and(|connector| is_direct(&self.resource.spec, connector))
    }

    fn alarm(
        &self,
        words: &[&str],
        metric: Metric,
        (most, periods, default): (f64, (u64, u64), &str),
    ) -> Alarm {
        let written = self.resource.spec.region.as_ref().map(|region| Origin::written(region.span));
        let region = written.unwrap_or_else(|| self.account.default("agent.region"));
        let mut all = vec![self.resource.name().to_string()];
        all.extend(words.iter().map(|word| (*word).to_owned()));
        Alarm {
            told: format!("{} of agent {}", words.join(" "), self.resource.name()),
            words: all,
            region: (self.account.region_of(self.resource).to_owned(), region),
            metric,
            most,
            periods,
            limit: self.account.default(default),
            origin: Origin::written(self.resource.name_span()),
            needs: Vec::new(),
        }
    }

    /// Executions that fail, refusals among them, and those that nobody answered in time.
    fn machine(&self, tool: &Tool) -> Vec<Alarm> {
        let Some(name) = self.account.machine(self.resource, tool) else { return Vec::new() };
        let arn = self.account.arn(
            "states",
            self.account.region_of(self.resource),
            &format!("stateMachine:{name}"),
        );
        let metric = |name| Metric::One {
            namespace: "AWS/States",
            name,
            dimension: ("StateMachineArn", arn.clone()),
            statistic: Statistic::Sum,
        };
        let tool = tool.name.value.as_str();
        vec![
            self.alarm(&[tool, "failed"], metric("ExecutionsFailed"), (4.0, (900, 1), "alarms.machines")),
            self.alarm(
                &[tool, "timed-out"],
                metric("ExecutionsTimedOut"),
                (0.0, (900, 1), "alarms.machines"),
            ),
        ]
    }

    fn function(&self) -> Vec<Alarm> {
        let Some(name) = self.account.function(self.resource) else { return Vec::new() };
        let metric = |metric| Metric::One {
            namespace: "AWS/Lambda",
            name: metric,
            dimension: ("FunctionName", name.clone()),
            statistic: Statistic::Sum,
        };
        vec![
            self.alarm(&["function", "errors"], metric("Errors"), (0.0, (300, 2), "alarms.functions")),
            self.alarm(&["function", "throttles"], metric("Throttles"), (0.0, (300, 2), "alarms.functions")),
        ]
    }

    fn is_classic(&self) -> bool {
        self.resource.spec.runtime.as_ref().is_some_and(|one| one.value == AgentRuntime::BedrockAgents)
    }

    /// The guardrail of an agent on Agents Classic. What it does not let through is its work, and no problem.
    fn guardrail(&self) -> Vec<Alarm> {
        let region = self.account.region_of(self.resource);
        let named = self.resource.spec.guardrail.as_ref().filter(|_| self.is_classic());
        let Some(name) = named.and_then(|named| self.account.guardrail(named.name.value.as_str(), region))
        else {
            return Vec::new();
        };
        let made = Address { target: "bedrock".into(), kind: "Guardrail".into(), name };
        let alarm = |word: &str, name| {
            let metric = Metric::Any {
                namespace: "AWS/Bedrock/Guardrails",
                name,
                label: "GuardrailArn",
                resource: reference(&made, "guardrailArn"),
            };
            let alarm = self.alarm(&["guardrail", word], metric, (0.0, (300, 2), "alarms.guardrails"));
            Alarm { needs: vec![made.clone()], ..alarm }
        };
        vec![alarm("errors", "InvocationServerErrors"), alarm("throttles", "InvocationThrottles")]
    }

    /// The gateway for the tools of an agent on AgentCore.
    fn gateway(&self) -> Vec<Alarm> {
        let Some(name) = self.account.gateway(self.resource).filter(|_| !self.is_classic()) else {
            return Vec::new();
        };
        let made = Address { target: "bedrock".into(), kind: "Gateway".into(), name };
        let alarm = |word: &str, name| {
            let metric = Metric::Any {
                namespace: "AWS/Bedrock-AgentCore",
                name,
                label: "Resource",
                resource: reference(&made, "gatewayArn"),
            };
            let alarm = self.alarm(&["gateway", word], metric, (0.0, (300, 2), "alarms.gateways"));
            Alarm { needs: vec![made.clone()], ..alarm }
        };
        vec![alarm("errors", "SystemErrors"), alarm("throttles", "Throttles")]
    }
}

/// A model as it is called: in a region, under an id.
struct Called<'a> {
    model: &'a Resource<ModelSpec>,
    origin: Origin,
}

/// Models that gateways and workloads call. Agents call theirs through profiles of their tenants, and under which id these are
/// counted is not documented.
fn models(account: &Account<'_>) -> Vec<Alarm> {
    let mut called: BTreeMap<(String, String), Called<'_>> = BTreeMap::new();
    for grant in account.input.grants.grants() {
        let request = &grant.decision.request;
        let (Circumstances::Invocation(call), Object::Model(id)) = (&request.circumstances, &request.object)
        else {
            continue;
        };
        let Some(model) = account.graph().resource(*id) else { continue };
        let agent = matches!(request.principal, Principal::Agent(_));
        if agent || model.spec.provider.value != ModelProvider::Bedrock {
            continue;
        }
        let invoked = match (&call.profile, model.spec.inference.as_ref().map(|one| &one.value)) {
            (Some(profile), _) => profile.to_string(),
            (None, Some(Inference::Provisioned(arn))) => arn.value.as_str().to_owned(),
            (None, _) => model.spec.model_id.value.as_str().to_owned(),
        };
        let key = (call.source.to_string(), invoked);
        called.entry(key).or_insert_with(|| Called { model, origin: Origin::granted(grant) });
    }
    called.iter().flat_map(|(key, called)| model(account, key, called)).collect()
}

fn model(account: &Account<'_>, (region, id): &(String, String), called: &Called<'_>) -> Vec<Alarm> {
    let name = called.model.name().as_str();
    let dimension = || ("ModelId", id.clone());
    let one =
        |name, statistic| Metric::One { namespace: "AWS/Bedrock", name, dimension: dimension(), statistic };
    let alarm = |word: &str, metric, (most, periods, limit): (f64, (u64, u64), Origin)| Alarm {
        words: [name, region, word].map(str::to_owned).into(),
        region: (region.clone(), called.origin.clone()),
        metric,
        most,
        periods,
        told: format!("{word} of model {name} in {region}"),
        limit,
        origin: called.origin.clone(),
        needs: Vec::new(),
    };
    let default = || account.default("alarms.models");
    let mut alarms = vec![
        alarm("throttles", one("InvocationThrottles", Statistic::Sum), (9.0, (300, 1), default())),
        alarm("server-errors", one("InvocationServerErrors", Statistic::Sum), (9.0, (300, 1), default())),
        alarm("client-errors", one("InvocationClientErrors", Statistic::Sum), (49.0, (300, 1), default())),
    ];
    for (word, most) in measured(account, called.model) {
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

/// The longest latency that was measured of a model, in milliseconds, by percentile.
fn measured(account: &Account<'_>, model: &Resource<ModelSpec>) -> Vec<(&'static str, Spanned<u64>)> {
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
