//! Alarms of CloudWatch on what agents and workloads are made of, on their queues, and on the models that are called. They
//! tell the topics of their own region.

use aipolicy_compiler::diagnostic::{Diagnostic, Diagnostics, Severity};
use aipolicy_compiler::model::value::Arn;
use aipolicy_compiler::rule;
use aipolicy_compiler::source::Spanned;

use super::{Cloud, address, watch};
use crate::account::Account;
use crate::artifact::{Address, Artifact};
use crate::origin::Origin;
use crate::request::{Members, join, tag_list};
use crate::tree::Tree;

/// What an alarm compares.
pub(super) enum Metric {
    /// A statistic of one metric with these dimensions.
    One { namespace: &'static str, name: &'static str, dimension: (&'static str, Tree), statistic: Statistic },
    /// The sum of a metric over everything that a resource reports, whatever else it says about itself.
    Any { namespace: &'static str, name: &'static str, label: &'static str, resource: Tree },
    /// The sum of metrics with one dimension.
    Sum { namespace: &'static str, names: [&'static str; 2], dimension: (&'static str, Tree) },
}

/// A statistic of CloudWatch.
#[derive(Clone, Copy)]
pub(super) enum Statistic {
    Sum,
    Maximum,
    Percentile(&'static str),
}

/// One alarm.
pub(super) struct Alarm {
    /// Words of its name.
    pub(super) words: Vec<String>,
    pub(super) region: (String, Origin),
    pub(super) metric: Metric,
    /// More than this is too much.
    pub(super) most: f64,
    /// Seconds of a period, and how many of them in a row are too many.
    pub(super) periods: (u64, u64),
    pub(super) told: String,
    /// What says how much is too much.
    pub(super) limit: Origin,
    /// What is watched.
    pub(super) origin: Origin,
    pub(super) needs: Vec<Address>,
}

/// The alarms of an environment that names somebody to tell.
pub(super) fn artifacts(cloud: &Cloud<'_, '_>, out: &mut Diagnostics) -> Vec<Artifact> {
    let Some(notifications) = &cloud.account.environment.spec.notifications else { return Vec::new() };
    let topics: Vec<_> = notifications.sns.iter().filter(|topic| is_topic(topic, out)).collect();
    let alarms = watch::alarms(cloud);
    tell_silence(&alarms, &topics, out);
    let most = cloud.account.graph().catalog().limit("cloudwatch.alarmActions");
    for topic in &topics {
        let same: Vec<_> = topics.iter().filter(|other| region(other) == region(topic)).collect();
        let last = most.and_then(|most| same.get(usize::try_from(most).ok()?));
        if last.is_some_and(|last| last.span == topic.span) {
            let message = "an alarm tells at most 5 topics";
            out.report(
                rule::TARGET_LIMIT.at(topic.span, message, "one too many").help("let one topic tell others"),
            );
        }
    }
    alarms.into_iter().filter_map(|alarm| artifact(cloud, alarm, &topics)).collect()
}

fn region(topic: &Spanned<Arn>) -> &str {
    topic.value.part(3)
}

fn is_topic(topic: &Spanned<Arn>, out: &mut Diagnostics) -> bool {
    let sound = topic.value.part(2) == "sns" && !region(topic).is_empty();
    if !sound {
        let message = format!("`{}` is no topic of SNS", topic.value.as_str());
        out.report(rule::UNSUPPORTED.at(topic.span, message, "").help("name the ARN of a topic"));
    }
    sound
}

/// An alarm tells topics of its own region alone.
fn tell_silence(alarms: &[Alarm], topics: &[&Spanned<Arn>], out: &mut Diagnostics) {
    let mut regions: Vec<_> = alarms.iter().map(|alarm| &alarm.region).collect();
    regions.sort();
    regions.dedup_by(|left, right| left.0 == right.0);
    for (name, origin) in regions {
        if topics.iter().any(|topic| region(topic) == name) {
            continue;
        }
        let message = format!("alarms in {name} tell nobody: no topic of `notifications.sns` is there");
        let found = rule::APPROXIMATED.at(origin.span, message, "an alarm tells topics of its own region");
        out.report(Diagnostic { severity: Severity::Advisory, ..found.help("name a topic in this region") });
    }
}

fn artifact(cloud: &Cloud<'_, '_>, alarm: Alarm, topics: &[&Spanned<Arn>]) -> Option<Artifact> {
    let account = cloud.account;
    let words: Vec<_> = alarm.words.iter().map(String::as_str).collect();
    let name = account.limited_name(&words, "cloudwatch.alarmName")?;
    let told = topics.iter().filter(|topic| region(topic) == alarm.region.0);
    let told = told.map(|topic| Tree::text(topic.value.as_str()).from(Origin::written(topic.span)));
    let mut members = vec![
        ("AlarmName", Tree::text(&name).from(account.default("origin.name"))),
        ("AlarmDescription", Tree::text(&alarm.told)),
    ];
    let told: Vec<_> = told.collect();
    if !told.is_empty() {
        members.push(("AlarmActions", Tree::list(told)));
    }
    members.extend(compared(account, &alarm));
    members.extend([
        ("EvaluationPeriods", Tree::integer(alarm.periods.1).from(alarm.limit.clone())),
        ("Threshold", Tree::decimal(alarm.most).from(alarm.limit.clone())),
        ("ComparisonOperator", Tree::text("GreaterThanThreshold").from(alarm.limit.clone())),
        ("TreatMissingData", Tree::text("notBreaching").from(account.default("alarms.missing"))),
        ("Tags", tag_list(account, ("Key", "Value"))),
    ]);
    let mut request = cloud.request(address("Alarm", name), alarm.region, members);
    request.needs = alarm.needs;
    Some(request.artifact(&alarm.origin))
}

/// The metric of an alarm as members of the request.
fn compared(account: &Account<'_>, alarm: &Alarm) -> Members {
    let dimensions = |(name, value): &(&'static str, Tree)| {
        Tree::list([Tree::map([("Name", Tree::text(*name)), ("Value", value.clone())])])
    };
    let period = || Tree::integer(alarm.periods.0).from(alarm.limit.clone());
    match &alarm.metric {
        Metric::One { namespace, name, dimension, statistic } => vec![
            ("Namespace", Tree::text(*namespace)),
            ("MetricName", Tree::text(*name)),
            ("Dimensions", dimensions(dimension)),
            ("Period", period()),
            match statistic {
                Statistic::Sum => ("Statistic", Tree::text("Sum")),
                Statistic::Maximum => ("Statistic", Tree::text("Maximum")),
                Statistic::Percentile(word) => ("ExtendedStatistic", Tree::text(*word)),
            },
        ],
        Metric::Any { namespace, name, label, resource } => {
            let before = format!("SELECT SUM({name}) FROM \"{namespace}\" WHERE {label} = '");
            let query = join([Tree::text(before), resource.clone(), Tree::text("'")]);
            let query = [
                ("Id", Tree::text("all")),
                ("Expression", query),
                ("Period", period()),
                ("ReturnData", Tree::bool(true)),
            ];
            vec![("Metrics", Tree::list([Tree::map(query)]).from(account.default("alarms.query")))]
        }
        Metric::Sum { namespace, names, dimension } => {
            let one = |(id, name): (&str, &&'static str)| {
                let metric = Tree::map([
                    ("Namespace", Tree::text(*namespace)),
                    ("MetricName", Tree::text(*name)),
                    ("Dimensions", dimensions(dimension)),
                ]);
                let stat = [("Metric", metric), ("Period", period()), ("Stat", Tree::text("Sum"))];
                let stat = Tree::map(stat);
                Tree::map([("Id", Tree::text(id)), ("MetricStat", stat), ("ReturnData", Tree::bool(false))])
            };
            let sum = [
                ("Id", Tree::text("all")),
                ("Expression", Tree::text("FILL(one, 0) + FILL(two, 0)")),
                ("ReturnData", Tree::bool(true)),
            ];
            let all = ["one", "two"].into_iter().zip(names).map(one).chain([Tree::map(sum)]);
            vec![("Metrics", Tree::list(all.collect::<Vec<_>>()))]
        }
    }
}
