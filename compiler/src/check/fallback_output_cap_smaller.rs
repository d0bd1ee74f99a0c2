//! Fallbacks that cannot answer at the length that a route allows.

use super::{Check, Findings, Look};
use crate::diagnostic::{Diagnostic, Family, Rule, Severity};
use crate::model::Resource;
use crate::model::route::RouteSpec;
use crate::resolve::{Graph, Standby};

static RULE: Rule = Rule {
    code: "AIP-RTE-004",
    name: "fallback-output-cap-smaller",
    severity: Severity::Advisory,
    family: Family::Verdict,
    page: include_str!("fallback_output_cap_smaller.md"),
};

pub(super) const CHECK: Check = Check { rule: &RULE, run: Look::Resources(run) };

fn run(graph: &Graph, out: &mut Findings<'_>) {
    for (id, route) in graph.each::<RouteSpec>() {
        let places = graph.places_of_route(&route.spec);
        let found = graph.standbys(id).into_iter().filter_map(|standby| shorter(graph, route, &standby));
        found.for_each(|found| out.report(&places, found));
    }
}

fn shorter(graph: &Graph, route: &Resource<RouteSpec>, standby: &Standby<'_>) -> Option<Diagnostic> {
    let cap = route.spec.caps.as_ref()?.output.as_ref()?;
    let most = graph.output_of(&standby.model.spec).filter(|most| *most < cap.value.count())?;
    let message = format!(
        "`{}` answers with at most {most} tokens, and route `{}` allows {}",
        standby.model.name(),
        route.name(),
        cap.value.count()
    );
    let found = RULE.at(standby.at, message, "long answers are cut off here");
    let found = found.label(cap.span, "the cap").label(standby.named, "the model");
    Some(found.help(format!("lower the cap to {most}, or fall back to a model with longer answers")))
}
