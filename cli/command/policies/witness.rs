//! A request that shows something, for people and for programs.

use std::collections::BTreeSet;

use aipolicy_compiler::inspect::{Witness, context_keys};
use aipolicy_compiler::ir::PolicyIndex;
use serde::Serialize;

use crate::workspace::Workspace;

/// A request.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Request {
    /// `Kind/name action Kind/name`.
    pub(super) question: String,
    environment: String,
    /// Whether resources make it, or it is combined from what they have.
    asked: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) at: Option<String>,
    context: serde_json::Map<String, serde_json::Value>,
}

/// A request as programs read it.
pub(super) fn request(workspace: &Workspace, witness: &Witness) -> Request {
    let context = witness.context().into_iter().map(|(key, value)| (key, value.into()));
    Request {
        question: witness.question(),
        environment: workspace.graph().name(witness.environment).to_owned(),
        asked: witness.asked.is_some(),
        at: witness.asked.as_ref().map(|request| workspace.place(request.span)),
        context: context.collect(),
    }
}

/// The part of the context that policies speak of, as `key=value`; the day is the same for all.
pub(super) fn spoken_of(workspace: &Workspace, witness: &Witness, policies: &[PolicyIndex]) -> Vec<String> {
    let keys = policies.iter().flat_map(|at| context_keys(&workspace.compilation.policies, *at));
    let keys: BTreeSet<_> = keys.filter(|key| key != "today").collect();
    let context = witness.context();
    let told = keys.iter().map(|key| match context.iter().find(|(found, _)| found == key) {
        Some((key, value)) => format!("{key}={value}"),
        None => format!("no {key}"),
    });
    told.collect()
}
