//! Routes that fall back to themselves.

use std::collections::BTreeSet;

use super::{Check, Findings, Look};
use crate::diagnostic::{Family, Rule, Severity};
use crate::model::route::{FallbackTarget, RouteSpec};
use crate::model::{Id, Ref};
use crate::resolve::Graph;

static RULE: Rule = Rule {
    code: "AIP-RTE-002",
    name: "fallback-cycle",
    severity: Severity::Mandatory,
    family: Family::Verdict,
    page: include_str!("fallback_cycle.md"),
};

pub(super) const CHECK: Check = Check { rule: &RULE, run: Look::Resources(run) };

/// The most routes of a circle that a message names.
const LONGEST: usize = 12;

/// Reports routes that fall back to themselves, each circle once, and the same wherever the routes are written.
fn run(graph: &Graph, out: &mut Findings<'_>) {
    let mut walk = Walk { graph, left: BTreeSet::new(), reported: BTreeSet::new() };
    let mut starts: Vec<_> = graph.each::<RouteSpec>().collect();
    starts.sort_by_key(|(_, route)| route.name());
    starts.into_iter().for_each(|(start, _)| walk.from(start, out));
}

/// A walk along fallbacks that enters each route once; its path is kept here and not on the stack.
struct Walk<'g> {
    graph: &'g Graph,
    /// Routes from which every way has been walked.
    left: BTreeSet<Id<RouteSpec>>,
    /// Routes of circles that have been reported.
    reported: BTreeSet<Id<RouteSpec>>,
}

impl<'g> Walk<'g> {
    fn from(&mut self, start: Id<RouteSpec>, out: &mut Findings<'_>) {
        if self.left.contains(&start) {
            return;
        }
        let mut path = vec![(start, self.ways(start))];
        let mut entered = BTreeSet::from([start]);
        while let Some((_, ways)) = path.last_mut() {
            let Some((next, reference)) = ways.pop() else {
                self.left.extend(path.pop().map(|(left, _)| left));
                continue;
            };
            if entered.insert(next) {
                if !self.left.contains(&next) {
                    path.push((next, self.ways(next)));
                }
            } else if !self.left.contains(&next)
                && !self.reported.contains(&next)
                && let Some(at) = path.iter().rposition(|(id, _)| *id == next)
            {
                let circle: Vec<_> = path.iter().skip(at).map(|(id, _)| *id).collect();
                self.report(&circle, reference, out);
            }
        }
    }

    /// The routes that a route falls back to, the first one last.
    fn ways(&self, from: Id<RouteSpec>) -> Vec<(Id<RouteSpec>, &'g Ref<RouteSpec>)> {
        let fallbacks = self.graph.resource(from).into_iter().flat_map(|route| &route.spec.fallback);
        let routes = fallbacks.filter_map(|fallback| match &fallback.target {
            FallbackTarget::Route(reference) => Some((reference.id()?, reference)),
            FallbackTarget::Model(_) => None,
        });
        let mut ways: Vec<_> = routes.collect();
        ways.reverse();
        ways
    }

    fn report(&mut self, circle: &[Id<RouteSpec>], closing: &Ref<RouteSpec>, out: &mut Findings<'_>) {
        if circle.iter().any(|id| self.reported.contains(id)) {
            return;
        }
        self.reported.extend(circle);
        let about: Vec<_> = circle.iter().map(|id| self.graph.name(*id)).collect();
        let about = about.join(" → ");
        let mut names: Vec<_> = circle.iter().chain(circle.first()).map(|id| self.graph.name(*id)).collect();
        if names.len() > LONGEST {
            names.splice(LONGEST / 2..names.len() - LONGEST / 2, ["…"]);
        }
        let message = format!("routes fall back in a circle: {}", names.join(" → "));
        let found = RULE.at(closing.name.span, message, "closes the circle").about([about]);
        let routes = circle.iter().filter_map(|id| self.graph.resource(*id));
        let places: Vec<_> = routes.flat_map(|route| self.graph.places_of_route(&route.spec)).collect();
        out.report(&places, found.help("let the last route fall back to a model"));
    }
}
