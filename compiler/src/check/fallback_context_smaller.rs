//! Fallbacks that a long request does not fit into.

use super::{Check, Findings, Look};
use crate::diagnostic::{Diagnostic, Family, Rule, Severity};
use crate::model::Resource;
use crate::model::route::RouteSpec;
use crate::resolve::{Graph, Standby};

static RULE: Rule = Rule {
    code: "AIP-RTE-003",
    name: "fallback-context-smaller",
    severity: Severity::Mandatory,
    family: Family::Verdict,
    page: include_str!("fallback_context_smaller.md"),
};

pub(super) const CHECK: Check = Check { rule: &RULE, run: Look::Resources(run) };

fn run(graph: &Graph, out: &mut Findings<'_>) {
    for (id, route) in graph.each::<RouteSpec>() {
        let places = graph.places_of_route(&route.spec);
        let found = graph.standbys(id).into_iter().filter_map(|standby| smaller(graph, route, &standby));
        found.for_each(|found| out.report(&places, found));
    }
}

fn smaller(graph: &Graph, route: &Resource<RouteSpec>, standby: &Standby<'_>) -> Option<Diagnostic> {
    let caps = route.spec.caps.as_ref()?;
    let input = caps.input.as_ref()?;
    let output = caps.output.as_ref().map_or(0, |output| output.value.count());
    let needed = input.value.count().saturating_add(output);
    let context = graph.context_of(&standby.model.spec).filter(|context| *context < needed)?;
    let message = format!(
        "`{}` has a context of {context} tokens, and route `{}` allows {needed} of question and answer",
        standby.model.name(),
        route.name()
    );
    let found = RULE.at(standby.at, message, "a long request fails here too");
    let found = found.label(input.span, "this long").label(standby.named, "the model");
    Some(found.help(format!("use a model with a context of {needed} tokens, or lower `caps`")))
}
