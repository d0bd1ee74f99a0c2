//! What is watched: agents, functions, queues and models. Every metric is one that the user guide of its service names.

mod agent;
mod model;
mod queue;

use aipolicy_compiler::authorize::Grant;
use aipolicy_compiler::ir::{Circumstances, Principal};
use aipolicy_compiler::model::Resource;
use aipolicy_compiler::model::agent::AgentSpec;
use aipolicy_compiler::model::trigger::AgentTrigger;
use aipolicy_compiler::model::workload::{Platform, WorkloadSpec};
use aipolicy_compiler::model::workspace::TargetName;

use super::Cloud;
use super::alarm::{Alarm, Metric, Statistic};
use crate::account::Account;
use crate::origin::Origin;
use crate::tree::Tree;
use agent::Agent;

/// What is granted to each principal.
type Granted<'g> = Vec<(Principal, Vec<Grant<'g>>)>;

/// Every alarm of an environment.
pub(super) fn alarms(cloud: &Cloud<'_, '_>) -> Vec<Alarm> {
    let account = cloud.account;
    let granted: Granted<'_> = account.input.grants.by_principal().collect();
    let mut alarms = Vec::new();
    let agents = agents(account, &granted);
    for (resource, grants) in &agents {
        alarms.extend(Agent { account, resource }.alarms(grants));
    }
    let workloads = workloads(account, &granted);
    for (workload, region, origin) in &workloads {
        alarms.extend(functions(account, workload, (region, origin)));
    }
    alarms.extend(queue::approvals(account, &agents));
    alarms.extend(queue::dead_letters(account, &agents, &workloads));
    alarms.extend(model::alarms(account));
    alarms
}

fn compiles(account: &Account<'_>, target: TargetName) -> bool {
    account.input.workspace.targets.iter().any(|found| found.value == target)
}

/// Agents that run here, with what they were granted.
type Agents<'a> = Vec<(&'a Resource<AgentSpec>, &'a [Grant<'a>])>;

fn agents<'a>(account: &Account<'a>, granted: &'a Granted<'a>) -> Agents<'a> {
    if !compiles(account, TargetName::Bedrock) {
        return Vec::new();
    }
    let agent = |(principal, grants): &'a (Principal, Vec<Grant<'a>>)| {
        let Principal::Agent(id) = *principal else { return None };
        Some((account.graph().resource(id)?, grants.as_slice()))
    };
    granted.iter().filter_map(agent).collect()
}

/// Workloads that run on Lambda here, with their region.
type Workloads<'a> = Vec<(&'a Resource<WorkloadSpec>, (String, Origin), Origin)>;

fn workloads<'a>(account: &Account<'a>, granted: &Granted<'a>) -> Workloads<'a> {
    let Some(first) = account.environment.spec.aws.regions.first() else { return Vec::new() };
    if !compiles(account, TargetName::Lambda) {
        return Vec::new();
    }
    let region = (first.value.as_str().to_owned(), Origin::written(first.span));
    let here = granted.iter().filter_map(|(principal, grants)| {
        let Principal::Workload(id) = *principal else { return None };
        let workload = account.graph().resource(id)?;
        let on_lambda = workload.spec.platform.value == Platform::Lambda;
        let mut grants = grants.iter().filter(|_| on_lambda);
        let role =
            grants.find(|grant| grant.decision.request.circumstances == Circumstances::Support("role"))?;
        Some((workload, region.clone(), Origin::granted(*role)))
    });
    here.collect()
}

fn functions(
    account: &Account<'_>,
    workload: &Resource<WorkloadSpec>,
    (region, origin): (&(String, Origin), &Origin),
) -> Vec<Alarm> {
    let Some(name) = account.workload(workload) else { return Vec::new() };
    let subject = Subject {
        account,
        told: format!("workload {}", workload.name()),
        words: vec!["workload", workload.name().as_str()],
        region: region.clone(),
        origin: origin.clone(),
    };
    subject.function(&["function"], &name)
}

/// The trigger that a grant is about.
fn granted_trigger<'a>(agent: &'a Resource<AgentSpec>, grant: &Grant<'_>) -> Option<&'a AgentTrigger> {
    let Circumstances::Trigger(at) = grant.decision.request.circumstances else { return None };
    agent.spec.triggers.get(at)
}

/// Something that is watched in a region.
struct Subject<'a> {
    account: &'a Account<'a>,
    /// What it is, in words.
    told: String,
    /// Words that the names of its alarms begin with.
    words: Vec<&'a str>,
    region: (String, Origin),
    origin: Origin,
}

impl Subject<'_> {
    /// An alarm when a metric is above a limit in periods of so many seconds, so many in a row, by default.
    fn alarm(
        &self,
        words: &[&str],
        metric: Metric,
        (most, periods, default): (f64, (u64, u64), &str),
    ) -> Alarm {
        Alarm {
            told: format!("{} of {}", words.join(" "), self.told),
            words: self.words.iter().chain(words).map(|word| (*word).to_owned()).collect(),
            region: self.region.clone(),
            metric,
            most,
            periods,
            limit: self.account.default(default),
            origin: self.origin.clone(),
            needs: Vec::new(),
        }
    }

    /// Errors of a function, and calls that it had no room for.
    fn function(&self, words: &[&str], name: &str) -> Vec<Alarm> {
        let alarm = |word, metric| {
            let words: Vec<_> = words.iter().copied().chain([word]).collect();
            self.alarm(&words, of_function(metric, name), (0.0, (300, 2), "alarms.functions"))
        };
        vec![alarm("errors", "Errors"), alarm("throttles", "Throttles")]
    }
}

/// A metric of a function. Source: Lambda developer guide, types of metrics.
fn of_function(metric: &'static str, name: &str) -> Metric {
    Metric::One {
        namespace: "AWS/Lambda",
        name: metric,
        dimension: ("FunctionName", Tree::text(name)),
        statistic: Statistic::Sum,
    }
}
