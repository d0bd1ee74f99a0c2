//! Models that take over without a test.

use std::collections::BTreeSet;

use super::{Check, Findings, Look};
use crate::diagnostic::{Diagnostic, Family, Rule, Severity};
use crate::model::Ref;
use crate::model::model::ModelSpec;
use crate::model::model_test::ModelTestSpec;
use crate::model::route::RouteSpec;
use crate::resolve::Graph;

static RULE: Rule = Rule {
    code: "AIP-LIF-006",
    name: "no-model-tests",
    severity: Severity::Advisory,
    family: Family::Verdict,
    page: include_str!("no_model_tests.md"),
};

pub(super) const CHECK: Check = Check { rule: &RULE, run: Look::Resources(run) };

fn run(graph: &Graph, out: &mut Findings<'_>) {
    let tested: BTreeSet<_> =
        graph.each::<ModelTestSpec>().filter_map(|(_, test)| test.spec.model.id()).collect();
    let untested = |named: &Ref<ModelSpec>| named.id().is_some_and(|id| !tested.contains(&id));
    for (_, route) in graph.each::<RouteSpec>() {
        let trials = route.spec.primary.iter().filter(|primary| primary.canary.is_some());
        for primary in trials.filter(|primary| untested(&primary.model)) {
            let message =
                format!("`{}` is on trial, and no test says what it must do", primary.model.name.value);
            out.report(&graph.places_of_route(&route.spec), found(&primary.model, message));
        }
    }
    for (_, model) in graph.each::<ModelSpec>() {
        let successor = model.spec.lifecycle.as_ref().and_then(|life| life.successor.as_ref());
        if let Some(successor) = successor.filter(|named| untested(named)) {
            let message = format!(
                "`{}` is to replace `{}`, and no test says what it must do",
                successor.name.value,
                model.name()
            );
            out.report(&[], found(successor, message));
        }
    }
}

fn found(named: &Ref<ModelSpec>, message: String) -> Diagnostic {
    RULE.at(named.name.span, message, "").help("add a `ModelTest` with a request and what the answer must be")
}
