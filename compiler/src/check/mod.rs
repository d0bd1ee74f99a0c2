//! What is wrong about well-formed resources, and Cedar has no word for: arithmetic, graphs and text.

mod canary_weights_invalid;
mod disabled_agent_referenced;
mod fallback_cycle;
mod gate_bypassable;
mod missing_response_cap;
mod mutating_tool_without_gate;

use crate::diagnostic::{Diagnostics, Rule};
use crate::resolve::Graph;

/// A check: what it finds, and how.
#[derive(Debug)]
pub struct Check {
    /// The rule, with its page.
    pub rule: &'static Rule,
    run: fn(&Graph, &mut Diagnostics),
}

/// Every check, by code.
pub static CHECKS: &[Check] = &[
    mutating_tool_without_gate::CHECK,
    gate_bypassable::CHECK,
    disabled_agent_referenced::CHECK,
    fallback_cycle::CHECK,
    missing_response_cap::CHECK,
    canary_weights_invalid::CHECK,
];

/// Runs every check.
pub fn run(graph: &Graph, out: &mut Diagnostics) {
    CHECKS.iter().for_each(|check| (check.run)(graph, out));
}
