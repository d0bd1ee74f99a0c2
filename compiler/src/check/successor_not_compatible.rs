//! Models whose successor is able to do less.

use super::{Check, Findings, Look};
use crate::diagnostic::{Family, Rule, Severity};
use crate::model::model::{Capability, ModelSpec};
use crate::resolve::Graph;

static RULE: Rule = Rule {
    code: "AIP-LIF-012",
    name: "successor-not-compatible",
    severity: Severity::Advisory,
    family: Family::Verdict,
    page: include_str!("successor_not_compatible.md"),
};

pub(super) const CHECK: Check = Check { rule: &RULE, run: Look::Resources(run) };

fn run(graph: &Graph, out: &mut Findings<'_>) {
    for (_, model) in graph.each::<ModelSpec>() {
        let Some(named) = model.spec.lifecycle.as_ref().and_then(|life| life.successor.as_ref()) else {
            continue;
        };
        let Some(successor) = graph.get(named) else { continue };
        let lacks = lacks(graph, (&model.spec, &successor.spec));
        if lacks.is_empty() {
            continue;
        }
        let message =
            format!("`{}` cannot stand in for `{}`: {}", successor.name(), model.name(), lacks.join(", "));
        let found = RULE.at(named.name.span, message, "named as its successor");
        let found = found.label(successor.spec.model_id.span, "the successor");
        out.report(&[], found.help("name a model that is able to do as much"));
    }
}

/// What the first model is able to do and the second one is not. What is not known of one of them says nothing.
fn lacks(graph: &Graph, (model, successor): (&ModelSpec, &ModelSpec)) -> Vec<String> {
    let able = |of: &ModelSpec, to| graph.is_able(of, to);
    let lost = Capability::ALL
        .iter()
        .filter(|one| able(model, **one) == Some(true) && able(successor, **one) == Some(false));
    let mut lacks: Vec<_> = lost.map(|capability| format!("no `{}`", capability.word())).collect();
    if let Some((before, after)) = graph.context_of(model).zip(graph.context_of(successor))
        && after < before
    {
        lacks.push(format!("a context of {after} tokens instead of {before}"));
    }
    lacks
}
