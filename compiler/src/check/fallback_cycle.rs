//! Routes that fall back to themselves.

use std::collections::BTreeSet;

use super::Check;
use crate::diagnostic::{Diagnostics, Family, Rule, Severity};
use crate::model::Id;
use crate::model::route::{FallbackTarget, RouteSpec};
use crate::resolve::Graph;

static RULE: Rule = Rule {
    code: "AIP-RTE-002",
    name: "fallback-cycle",
    severity: Severity::Mandatory,
    family: Family::Verdict,
    page: include_str!("fallback_cycle.md"),
};

pub(super) const CHECK: Check = Check { rule: &RULE, run };

type Routes = BTreeSet<Id<RouteSpec>>;

/// Reports each circle once, at the fallback that closes it.
fn run(graph: &Graph, out: &mut Diagnostics) {
    let mut done = Routes::new();
    for (start, _) in graph.each::<RouteSpec>() {
        walk(graph, start, &mut Vec::new(), (&mut done, out));
    }
}

/// Follows fallbacks from a route; what has been followed before holds no new circle.
fn walk(
    graph: &Graph,
    at: Id<RouteSpec>,
    path: &mut Vec<Id<RouteSpec>>,
    (done, out): (&mut Routes, &mut Diagnostics),
) {
    let Some(route) = graph.resource(at).filter(|_| !done.contains(&at)) else { return };
    path.push(at);
    for fallback in &route.spec.fallback {
        let FallbackTarget::Route(reference) = &fallback.target else { continue };
        let Some(next) = reference.id() else { continue };
        match path.iter().position(|seen| *seen == next) {
            Some(start) => {
                let circle = path.iter().skip(start).chain([&next]);
                let names: Vec<_> = circle.map(|id| graph.name(*id)).collect();
                let message = format!("routes fall back in a circle: {}", names.join(" → "));
                let help = "let the last route fall back to a model";
                out.report(RULE.at(reference.name.span, message, "closes the circle").help(help));
            }
            None => walk(graph, next, path, (&mut *done, &mut *out)),
        }
    }
    path.pop();
    done.insert(at);
}
