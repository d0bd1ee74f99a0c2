//! A file of rules for Prometheus, and a file of tests for promtool that shows each alert firing and keeping quiet.

use std::collections::BTreeMap;

use super::alert::Alert;
use super::alert::spent::Rivals;
use super::metric::{self, Percentile, Recorded};
use super::promql::duration;
use super::{Watched, alert};
use crate::artifact::{Artifact, Format};
use crate::origin::Origin;
use crate::tree::Tree;

/// How often rules are evaluated, in seconds. Default `alerts.interval`.
const INTERVAL: u64 = 60;
/// How often what a period has used is counted, in seconds: it reads many samples. Default `alerts.interval`.
const SLOW: u64 = 3600;

/// The rules and their tests.
pub(super) fn artifacts(watched: &Watched<'_>, alerts: &[Alert]) -> Vec<Artifact> {
    let rules = watched.address("PrometheusRules", watched.environment);
    let file = format!("../{}/{}.yaml", rules.kind, rules.name);
    let tests = watched.address("PrometheusTests", watched.environment);
    let made = |address, tree: &dyn Fn() -> Tree| {
        Artifact::of(watched.input.wanted, (address, Format::Yaml), watched.origin.clone(), tree)
    };
    vec![made(rules, &|| self::rules(watched, alerts)), made(tests, &|| self::tests(watched, &file, alerts))]
}

fn rules(watched: &Watched<'_>, alerts: &[Alert]) -> Tree {
    let groups = groups(watched, alerts).into_iter().map(|(_, group)| group);
    Tree::map([("groups", Tree::list(groups))])
}

/// Groups of rules, each with a word for what it is about.
pub(super) fn groups(watched: &Watched<'_>, alerts: &[Alert]) -> Vec<(String, Tree)> {
    let always = [Percentile::P95, Percentile::P99].map(|one| metric::latency(one, alert::latency::WINDOW));
    let mut recorded: BTreeMap<String, Recorded> = BTreeMap::new();
    for one in alerts.iter().flat_map(|alert| &alert.reads).chain(&always) {
        recorded.insert(one.name.clone(), one.clone());
    }
    let record = |one: Recorded| {
        Tree::map([("record", Tree::text(one.name)), ("expr", Tree::text(one.expression.to_string()))])
    };
    let (slow, fast): (Vec<_>, Vec<_>) = recorded.into_values().partition(|one| one.step > 0);
    let all = |rules: Vec<Recorded>| rules.into_iter().map(record).collect();
    let mut groups = vec![("recorded", INTERVAL, all(fast))];
    if !slow.is_empty() {
        groups.push(("to-date", SLOW, all(slow)));
    }
    let mut by_name: BTreeMap<&str, Vec<Tree>> = BTreeMap::new();
    for alert in alerts {
        by_name.entry(alert.name).or_default().push(rule(alert));
    }
    groups.extend(by_name.into_iter().map(|(name, rules)| (name, INTERVAL, rules)));
    let grouped = |(name, interval, rules)| (words(name), group(watched, (name, interval), rules));
    groups.into_iter().map(grouped).collect()
}

/// A name in capitals as words with hyphens.
fn words(name: &str) -> String {
    let mut words = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !words.is_empty() {
            words.push('-');
        }
        words.push(letter.to_ascii_lowercase());
    }
    words
}

fn group(watched: &Watched<'_>, (name, seconds): (&str, u64), rules: Vec<Tree>) -> Tree {
    let interval = Origin::default(watched.input.sources, "alerts.interval");
    Tree::map([
        ("name", Tree::text(format!("aipolicy.{}.{name}", watched.environment))),
        ("interval", Tree::text(duration(seconds)).from(interval)),
        ("rules", Tree::list(rules)),
    ])
}

fn rule(alert: &Alert) -> Tree {
    Tree::map([
        ("alert", Tree::text(alert.name)),
        ("expr", Tree::text(alert.expression.to_string())),
        ("for", Tree::text(duration(alert.hold))),
        ("labels", labels(alert, None)),
        ("annotations", annotations(alert)),
    ])
    .from(alert.origin.clone())
}

fn labels(alert: &Alert, left: Option<&(&'static str, String)>) -> Tree {
    let own = alert.labels.iter().chain(left).map(|(label, value)| (*label, Tree::text(value.as_str())));
    Tree::map(own.chain([("severity", Tree::text(alert.urgency.word()))]))
}

fn annotations(alert: &Alert) -> Tree {
    Tree::map([("summary", Tree::text(alert.summary.as_str()))])
}

fn tests(watched: &Watched<'_>, file: &str, alerts: &[Alert]) -> Tree {
    let rivals = Rivals::of(alerts);
    let tests = alerts.iter().flat_map(|alert| [test(alert, true, &rivals), test(alert, false, &rivals)]);
    let interval = Origin::default(watched.input.sources, "alerts.interval");
    Tree::map([
        ("rule_files", Tree::list([Tree::text(file)])),
        ("evaluation_interval", Tree::text(duration(INTERVAL)).from(interval)),
        ("tests", Tree::list(tests)),
    ])
}

fn test<'a>(alert: &'a Alert, fires: bool, rivals: &Rivals<'a>) -> Tree {
    let (feeds, told) = rivals.world(alert, fires);
    let minutes = feeds.iter().map(|feed| feed.minutes).max().unwrap_or_default();
    let series = feeds.iter().map(|feed| {
        Tree::map([("series", Tree::text(feed.series.to_string())), ("values", Tree::text(feed.values()))])
    });
    let told = told.into_iter().map(|one| {
        Tree::map([("exp_labels", labels(one, one.left.as_ref())), ("exp_annotations", annotations(one))])
    });
    let expected = Tree::map([
        ("eval_time", Tree::text(format!("{minutes}m"))),
        ("alertname", Tree::text(alert.name)),
        ("exp_alerts", Tree::list(told)),
    ]);
    let verb = if fires { "fires" } else { "keeps quiet" };
    let about: Vec<_> = alert.labels.iter().map(|(label, value)| format!("{label} {value}")).collect();
    Tree::map([
        ("name", Tree::text(format!("{} {verb}: {}", alert.name, about.join(", ")))),
        ("interval", Tree::text(duration(INTERVAL))),
        ("input_series", Tree::list(series)),
        ("alert_rule_test", Tree::list([expected])),
    ])
    .from(alert.origin.clone())
}
