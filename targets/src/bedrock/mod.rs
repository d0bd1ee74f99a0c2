//! Agents on Bedrock: the machines that carry out their tool calls, and what each runtime needs.

mod gate;
mod reference;
mod shared;
mod tool;

use std::collections::BTreeMap;

use aipolicy_compiler::diagnostic::Diagnostics;
use aipolicy_compiler::model::agent::{AgentSpec, Gate};

use crate::account::Account;
use crate::artifact::Artifact;
use crate::input::Input;
use crate::origin::Origin;

/// Renders every document of the agents of an environment.
pub(crate) fn render(input: Input<'_>, out: &mut Diagnostics) -> Vec<Artifact> {
    let Some(account) = Account::of(input) else { return Vec::new() };
    let mut artifacts = Vec::new();
    // The first gate of each region that waits for people.
    let mut waiting: BTreeMap<&str, Origin> = BTreeMap::new();
    for (id, agent) in account.graph().each::<AgentSpec>() {
        let calls = tool::calls(&account, (id, agent), out);
        for call in &calls {
            if let Some(Gate::Approval(_)) = call.tool.gate.as_ref().map(|gate| &gate.value) {
                waiting.entry(account.region_of(agent)).or_insert_with(|| call.origin.clone());
            }
            artifacts.extend(gate::artifact(&account, call, out));
        }
    }
    for (region, origin) in waiting {
        artifacts.extend(shared::approval_queue(&account, region, &origin));
    }
    artifacts
}
