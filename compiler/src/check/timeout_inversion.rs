//! Waiting times that end before what they wait for.

use super::{Check, Findings, Look};
use crate::diagnostic::{Diagnostic, Family, Rule, Severity};
use crate::model::route::{FallbackTarget, RouteSpec};
use crate::model::value::Duration;
use crate::resolve::Graph;
use crate::source::Spanned;

static RULE: Rule = Rule {
    code: "AIP-RTE-008",
    name: "timeout-inversion",
    severity: Severity::Mandatory,
    family: Family::Verdict,
    page: include_str!("timeout_inversion.md"),
};

pub(super) const CHECK: Check = Check { rule: &RULE, run: Look::Resources(run) };

fn run(graph: &Graph, out: &mut Findings<'_>) {
    for (_, route) in graph.each::<RouteSpec>() {
        let places = graph.places_of_route(&route.spec);
        let own = own_attempts(&route.spec).into_iter().chain(client(&route.spec));
        own.chain(next_routes(graph, &route.spec)).for_each(|found| out.report(&places, found));
    }
}

/// The time of all attempts on one model, and how many they are.
fn attempts(route: &RouteSpec) -> Option<(u64, u64)> {
    let attempt = route.timeout.as_ref()?.attempt.as_ref()?.value.milliseconds();
    let count = route.retry.as_ref().map_or(1, |retry| u64::from(retry.attempts.value.0.max(1)));
    Some((attempt.saturating_mul(count), count))
}

/// All attempts on one model have to fit into the time for everything.
fn own_attempts(route: &RouteSpec) -> Option<Diagnostic> {
    let total = route.timeout.as_ref()?.total.as_ref()?;
    let (all, count) = attempts(route).filter(|(all, _)| *all > total.value.milliseconds())?;
    let attempts = if count == 1 { "an attempt takes".to_owned() } else { format!("{count} attempts take") };
    let message = format!("{attempts} {}, and everything may take {}", time(all), written(total));
    let found = RULE.at(total.span, message, "the last attempt is cut off, and no fallback is tried");
    let attempt = route.timeout.as_ref().and_then(|timeout| timeout.attempt.as_ref());
    let found = attempt.into_iter().fold(found, |found, one| found.label(one.span, "one attempt"));
    Some(found.help("raise `total`, or lower `attempt` or `attempts`"))
}

/// A caller that gives up first pays for an answer that it does not get, and asks again.
fn client(route: &RouteSpec) -> Option<Diagnostic> {
    let client = route.client_retry.as_ref()?.timeout.as_ref()?;
    let total = route.timeout.as_ref().and_then(|timeout| timeout.total.as_ref());
    let longest = total.map(|total| total.value.milliseconds()).or(attempts(route).map(|(all, _)| all));
    let longest = longest.filter(|longest| *longest > client.value.milliseconds())?;
    let message = format!("callers wait for {}, and the gateway for {}", written(client), time(longest));
    let found = RULE.at(client.span, message, "callers give up first");
    let found = total.into_iter().fold(found, |found, total| found.label(total.span, "the gateway goes on"));
    Some(found.help("let callers wait longer than `timeout.total`"))
}

/// The time of a route that stands by is a part of the time for everything.
fn next_routes<'g>(graph: &'g Graph, route: &'g RouteSpec) -> impl Iterator<Item = Diagnostic> + use<'g> {
    let total = route.timeout.as_ref().and_then(|timeout| timeout.total.as_ref());
    route.fallback.iter().filter_map(move |fallback| {
        let FallbackTarget::Route(named) = &fallback.target else { return None };
        let next = graph.get(named)?.spec.timeout.as_ref()?.total.as_ref()?;
        let total = total.filter(|total| next.value.milliseconds() > total.value.milliseconds())?;
        let message = format!(
            "route `{}` may take {}, and the route that falls back to it {}",
            named.name.value,
            written(next),
            written(total)
        );
        let found = RULE.at(named.name.span, message, "it is cut off");
        let found = found.label(total.span, "everything ends here").label(next.span, "its own time");
        Some(found.help("raise `total` of this route, or lower that of the other"))
    })
}

fn written(duration: &Spanned<Duration>) -> String {
    time(duration.value.milliseconds())
}

fn time(milliseconds: u64) -> String {
    match milliseconds % 1000 {
        0 => format!("{} s", milliseconds / 1000),
        _ => format!("{milliseconds} ms"),
    }
}
