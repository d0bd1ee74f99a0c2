//! What is wrong about well-formed resources, and Cedar has no word for: arithmetic, graphs and text.

mod agents_classic_new;
mod canary_weights_invalid;
mod disabled_agent_referenced;
mod fallback_cycle;
mod gate_bypassable;
mod lambda_limit_exceeded;
mod missing_response_cap;
mod mutating_tool_without_gate;
mod store_without_purpose;
mod trigger_unusable;
mod trigger_without_dead_letter;

use crate::diagnostic::{Diagnostic, Diagnostics, Rule};
use crate::model::Id;
use crate::model::environment::EnvironmentSpec;
use crate::resolve::Graph;

/// A check: what it finds, and how.
#[derive(Debug)]
pub struct Check {
    /// The rule, with its page.
    pub rule: &'static Rule,
    run: fn(&Graph, &mut Findings<'_>),
}

impl Check {
    /// Runs this check alone.
    pub fn run(&self, graph: &Graph, out: &mut Diagnostics) {
        (self.run)(graph, &mut Findings { graph, out });
    }
}

/// What checks report, with the severity that environments give to their rules.
struct Findings<'a> {
    graph: &'a Graph,
    out: &'a mut Diagnostics,
}

impl Findings<'_> {
    /// Reports a finding that concerns these environments, as the strictest of them has it; nothing where it is off in
    /// all of them. Without an environment nobody has said how much it matters, and it is what it is.
    fn report(&mut self, places: &[Id<EnvironmentSpec>], found: Diagnostic) {
        let places = places.iter().filter_map(|place| self.graph.resource(*place));
        let mut said = places.map(|place| place.spec.severity_of(&found.code, found.severity)).peekable();
        if said.peek().is_none() {
            return self.out.report(found);
        }
        let strictest = said.flatten().min();
        self.out.extend(strictest.map(|severity| Diagnostic { severity, ..found }));
    }
}

/// Every check, by code.
pub static CHECKS: &[Check] = &[
    mutating_tool_without_gate::CHECK,
    gate_bypassable::CHECK,
    agents_classic_new::CHECK,
    disabled_agent_referenced::CHECK,
    trigger_without_dead_letter::CHECK,
    trigger_unusable::CHECK,
    fallback_cycle::CHECK,
    missing_response_cap::CHECK,
    canary_weights_invalid::CHECK,
    store_without_purpose::CHECK,
    lambda_limit_exceeded::CHECK,
];

/// Runs every check.
pub fn run(graph: &Graph, out: &mut Diagnostics) {
    CHECKS.iter().for_each(|check| check.run(graph, out));
}
