//! Circles among references, which no later phase could walk.

use std::collections::BTreeSet;

use super::Graph;
use crate::diagnostic::Diagnostics;
use crate::model::Id;
use crate::model::route::{FallbackTarget, RouteSpec};
use crate::rule;

/// Reports routes that fall back to themselves, each circle once.
pub(super) fn check(graph: &Graph, out: &mut Diagnostics) {
    let mut reported = BTreeSet::new();
    for (start, _) in graph.each::<RouteSpec>() {
        let mut path = vec![start];
        walk(graph, &mut path, &mut reported, out);
    }
}

fn walk(
    graph: &Graph,
    path: &mut Vec<Id<RouteSpec>>,
    reported: &mut BTreeSet<Id<RouteSpec>>,
    out: &mut Diagnostics,
) {
    let (Some(start), Some(last)) = (path.first().copied(), path.last().copied()) else { return };
    let Some(route) = graph.resource(last) else { return };
    for fallback in &route.spec.fallback {
        let FallbackTarget::Route(reference) = &fallback.target else { continue };
        let Some(next) = reference.id() else { continue };
        if next == start {
            if path.iter().all(|id| !reported.contains(id)) {
                reported.extend(path.iter().copied());
                let names: Vec<_> = path.iter().chain([&start]).map(|id| graph.name(*id)).collect();
                let message = format!("routes fall back in a circle: {}", names.join(" → "));
                let help = "let the last route fall back to a model";
                out.report(
                    rule::FALLBACK_CYCLE.at(reference.name.span, message, "closes the circle").help(help),
                );
            }
        } else if !path.contains(&next) {
            path.push(next);
            walk(graph, path, reported, out);
            path.pop();
        }
    }
}
