//! Caps that no answer of the model reaches, or no question fits under.

use super::{Check, Findings, Look};
use crate::diagnostic::{Diagnostic, Family, Rule, Severity};
use crate::model::route::{Primary, RouteSpec};
use crate::resolve::Graph;

static RULE: Rule = Rule {
    code: "AIP-RTE-016",
    name: "cap-exceeds-model-limit",
    severity: Severity::Mandatory,
    family: Family::Verdict,
    page: include_str!("cap_exceeds_model_limit.md"),
};

pub(super) const CHECK: Check = Check { rule: &RULE, run: Look::Resources(run) };

fn run(graph: &Graph, out: &mut Findings<'_>) {
    for (_, route) in graph.each::<RouteSpec>() {
        let places = graph.places_of_route(&route.spec);
        let found = route.spec.primary.iter().flat_map(|primary| beyond(graph, &route.spec, primary));
        found.for_each(|found| out.report(&places, found));
    }
}

fn beyond(graph: &Graph, route: &RouteSpec, primary: &Primary) -> Vec<Diagnostic> {
    let Some((model, caps)) = graph.get(&primary.model).zip(route.caps.as_ref()) else { return Vec::new() };
    let limits = [
        (caps.output.as_ref(), graph.output_of(&model.spec), "answers with at most"),
        (caps.input.as_ref(), graph.context_of(&model.spec), "has a context of"),
    ];
    let found = limits.into_iter().filter_map(|(cap, most, does)| {
        let (cap, most) = cap.zip(most).filter(|(cap, most)| cap.value.count() > *most)?;
        let message =
            format!("the cap is {} tokens, and `{}` {does} {most}", cap.value.count(), model.name());
        let found = RULE.at(cap.span, message, "").label(primary.model.name.span, "the model");
        Some(found.help(format!("lower the cap to {most} or less")))
    });
    found.collect()
}
