//! Reports what somebody else changed since it was last applied.

use std::collections::BTreeMap;

use aipolicy_compiler::diagnostic::{Diagnostic, Diagnostics, Severity};
use aipolicy_compiler::rule;
use aipolicy_compiler::source::Span;

use super::{Plan, Reason};
use crate::artifact::{Address, Artifact};

/// Reports each change of a plan of these artifacts that is there because somebody else was, at the line that asked for the
/// document. What nothing asks for any more is reported at `environment`, the name of the environment. It stops nothing.
pub fn report(plan: &Plan, artifacts: &[Artifact], environment: Span, out: &mut Diagnostics) {
    let lines: BTreeMap<&Address, Span> = artifacts
        .iter()
        .filter_map(|artifact| Some((&artifact.document.address, artifact.trace.at("")?.span)))
        .collect();
    for change in &plan.changes {
        match change.reason {
            Reason::Sources | Reason::References | Reason::Trial => continue,
            Reason::Drift | Reason::SourcesAndDrift => {}
        }
        let (what, help) = match change.before {
            Some(_) => ("changed", "write into the sources what should stay; the next apply undoes the rest"),
            None => (
                "removed",
                "disable or remove what asks for it, if it should stay away; the next apply makes it again",
            ),
        };
        let message = format!("`{}` was {what} by somebody else in `{}`", change.address, plan.environment);
        let (span, label) = match lines.get(&change.address) {
            Some(span) => (*span, "asked for here"),
            None => (environment, "in this environment"),
        };
        let found = rule::CHANGED_OUTSIDE.at(span, message, label).help(help);
        out.report(Diagnostic { severity: Severity::Advisory, ..found });
    }
}
