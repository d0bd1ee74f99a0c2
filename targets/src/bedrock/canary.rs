//! How a new version of an agent is tried: a share of what triggers start goes to it, until an alarm rings or it has baked.
//!
//! The version that is tried has an alias or an endpoint of its own, and the one that callers use follows it. Whatever starts
//! sessions reports what became of those on trial as metrics of the log (CloudWatch user guide, "Embedding metrics within
//! logs"), and asks the alarms before it starts one.

use aipolicy_compiler::diagnostic::Diagnostics;
use aipolicy_compiler::model::agent::{AgentModel, ReleaseCanary};
use aipolicy_compiler::model::model::Prices;
use aipolicy_compiler::model::value::Price;
use aipolicy_compiler::source::Spanned;

use super::agent::{Agent, Refusal};
use super::request::{Members, Request, address};
use crate::artifact::{Address, Artifact, Trial};
use crate::origin::Origin;
use crate::request::tag_list;
use crate::tree::Tree;

/// Where metrics of sessions on trial are, and their dimension, whose value is the version.
const NAMESPACE: &str = "aipolicy";
const DIMENSION: &str = "canary";

/// What ends a trial: a word for its name, the metric, and how much is too much of it, with what says so.
struct Criterion {
    word: &'static str,
    told: &'static str,
    metric: &'static str,
    statistic: (&'static str, &'static str),
    most: f64,
    origin: Origin,
}

impl<'a> Agent<'a> {
    /// How its new versions are tried, if they are.
    pub(super) fn canary(&self) -> Option<&'a ReleaseCanary> {
        self.spec().canary()
    }

    /// Prices of the one model that it calls itself.
    fn prices(&self) -> Option<&'a Prices> {
        let AgentModel::Model(named) = &self.spec().model.value else { return None };
        self.account.graph().get(named)?.spec.price.as_ref()
    }
}

/// Refuses what cannot be tried, or not measured.
pub(super) fn check(agent: &Agent<'_>, refusal: Refusal, out: &mut Diagnostics) {
    let Some(canary) = agent.canary() else { return };
    let weight = &canary.weight;
    if agent.spec().triggers.is_empty() {
        let message = "nothing but triggers can send a share of the sessions to a new version";
        out.report(refusal(weight.span, message, "add a trigger, or leave `canary` out"));
    }
    if !(1..10_000).contains(&weight.value.basis_points()) {
        let message = "a trial has a share of the sessions, and not none or all of them";
        out.report(refusal(weight.span, message, "choose a `weight` between 0.01% and 99.99%"));
    }
    if let Some(cost) = canary.abort.cost_per_request.as_ref() {
        let dollars = |price: &Spanned<Price>| price.value.money.currency == "USD";
        let priced = agent.prices().filter(|prices| dollars(&prices.input));
        if priced.and_then(|prices| prices.output.as_ref()).is_none_or(|output| !dollars(output))
            || cost.value.currency != "USD"
        {
            let message = "what a session costs is known in USD, of an agent that calls one model with prices for both ways";
            out.report(refusal(cost.span, message, "use `errorRate` or `p99`, or give the model prices"));
        }
    }
}

/// A trial of the state of an agent that has this digest, with its alarms.
pub(super) fn artifacts(
    agent: &Agent<'_>,
    (canary, by): (&ReleaseCanary, &Address),
    state: &str,
) -> (Trial, Vec<Artifact>) {
    let version: String = state.trim_start_matches("sha256:").chars().take(8).collect();
    let criteria = criteria(canary);
    let alarms: Vec<_> =
        criteria.iter().filter_map(|criterion| alarm(agent, canary, (criterion, &version))).collect();
    let trial = Trial {
        agent: agent.name().to_owned(),
        version,
        by: by.clone(),
        bake: canary.bake.value.seconds(),
        alarms: alarms.iter().map(|alarm| alarm.document.address.clone()).collect(),
    };
    (trial, alarms)
}

#[expect(clippy::cast_precision_loss, reason = "amounts and times of this size are exact")]
fn criteria(canary: &ReleaseCanary) -> Vec<Criterion> {
    let abort = &canary.abort;
    let errors = abort.error_rate.as_ref().map(|most| Criterion {
        word: "errors",
        told: "fails",
        metric: "Failed",
        statistic: ("Statistic", "Average"),
        most: f64::from(most.value.basis_points()) / 10_000.0,
        origin: Origin::written(most.span),
    });
    let slow = abort.p99.as_ref().map(|most| Criterion {
        word: "slow",
        told: "is slow",
        metric: "Milliseconds",
        statistic: ("ExtendedStatistic", "p99"),
        most: most.value.milliseconds() as f64,
        origin: Origin::written(most.span),
    });
    let cost = abort.cost_per_request.as_ref().map(|most| Criterion {
        word: "cost",
        told: "is expensive",
        metric: "Dollars",
        statistic: ("Statistic", "Average"),
        most: most.value.micros as f64 / 1e6,
        origin: Origin::written(most.span),
    });
    [errors, slow, cost].into_iter().flatten().collect()
}

/// The alarm of one criterion on one version. Once it has rung it stays so: nothing is sent there any more that could say
/// otherwise. Each version has alarms of its own, so that none begins with what another one has done.
fn alarm(
    agent: &Agent<'_>,
    canary: &ReleaseCanary,
    (criterion, version): (&Criterion, &str),
) -> Option<Artifact> {
    let account = agent.account;
    let name = format!("{}-{}-{version}", account.canary_alarms(agent.resource)?, criterion.word);
    let default = || account.default("canary.alarm");
    let place = || criterion.origin.clone();
    let dimension = [("Name", Tree::text(DIMENSION)), ("Value", measured(agent, version))];
    let told =
        format!("version {version} of agent {} {}, and is not tried any more", agent.name(), criterion.told);
    let mut members: Members = vec![
        ("AlarmName", Tree::text(&name).from(account.default("origin.name"))),
        ("AlarmDescription", Tree::text(told)),
    ];
    let topics = account.environment.spec.notifications.iter().flat_map(|told| &told.sns);
    let topics = topics.filter(|topic| topic.value.part(3) == account.region_of(agent.resource));
    let topics: Vec<_> =
        topics.map(|topic| Tree::text(topic.value.as_str()).from(Origin::written(topic.span))).collect();
    if !topics.is_empty() {
        members.push(("AlarmActions", Tree::list(topics)));
    }
    members.extend([
        ("Namespace", Tree::text(NAMESPACE).from(default())),
        ("MetricName", Tree::text(criterion.metric).from(place())),
        ("Dimensions", Tree::list([Tree::map(dimension)])),
        ("Period", Tree::integer(300).from(default())),
        (criterion.statistic.0, Tree::text(criterion.statistic.1).from(place())),
        ("EvaluationPeriods", Tree::integer(1).from(default())),
        ("Threshold", Tree::decimal(criterion.most).from(place())),
        ("ComparisonOperator", Tree::text("GreaterThanThreshold").from(place())),
        ("TreatMissingData", Tree::text("ignore").from(default())),
        ("Tags", tag_list(account, ("Key", "Value"))),
    ]);
    let origin = Origin::written(canary.weight.span);
    let address = address("Alarm", name);
    Some(Request { address, region: agent.region(), members, needs: Vec::new() }.artifact(&origin))
}

/// The value of the dimension, by which sessions of a version are told from all others.
fn measured(agent: &Agent<'_>, version: &str) -> Tree {
    let name = agent.account.name_of_canary(agent.resource);
    Tree::text(format!("{name}-{version}")).from(agent.account.default("origin.name"))
}

/// What the function that starts sessions is told of a trial.
pub(super) fn started(agent: &Agent<'_>, trial: &Trial) -> Option<Tree> {
    let canary = agent.canary()?;
    let origin = Origin::written(canary.weight.span);
    let alarms = trial.alarms.iter().map(|alarm| Tree::text(&alarm.name));
    let mut entries = vec![
        ("alarms", Tree::list(alarms.collect::<Vec<_>>()).from(origin.clone())),
        ("name", measured(agent, &trial.version)),
        ("weight", Tree::integer(canary.weight.value.basis_points()).from(origin)),
    ];
    let costs = canary.abort.cost_per_request.is_some();
    if let Some(prices) = agent.prices().filter(|_| costs) {
        let both = [("inputTokens", Some(&prices.input)), ("outputTokens", prices.output.as_ref())];
        let both = both.into_iter().filter_map(|(name, price)| {
            let price = price?;
            let micros = Tree::integer(price.value.micros_per_million());
            Some((name, micros.from(Origin::written(price.span))))
        });
        entries.push(("microdollarsPerMillion", Tree::map(both.collect::<Vec<_>>())));
    }
    Some(Tree::map(entries))
}
