//! Roles of gates: the call behind an approval or a verification is made by the gate, never by the agent.

use aipolicy_compiler::authorize::Grant;
use aipolicy_compiler::ir::Object;
use aipolicy_compiler::model::Resource;
use aipolicy_compiler::model::agent::{AgentSpec, Tool};

use super::policy::Allow;
use super::Writer;
use crate::account::is_gated;
use crate::artifact::Artifact;
use crate::origin::Origin;

const START: &[&str] = &["states:StartExecution"];

/// A tool whose call is made by its gate.
struct Gated<'w> {
    agent: &'w Resource<AgentSpec>,
    tool: &'w Tool,
    /// The grant of the tool, and that of its connector.
    call: Grant<'w>,
    connector: Grant<'w>,
}

impl<'w> Writer<'w> {
    fn gated(&self) -> Vec<Gated<'w>> {
        let Some(agent) = self.agent() else { return Vec::new() };
        let found = agent.spec.tools.iter().enumerate().filter_map(|(at, tool)| {
            let call = self.grants.iter().find(
                |grant| matches!(grant.decision.request.object, Object::Tool(_, found) if found == at),
            )?;
            let connector = self.grants.iter().find(|grant| {
                let request = &grant.decision.request;
                request.span == tool.connector.name.span && matches!(request.object, Object::Connector(_))
            })?;
            is_gated(tool).then_some(Gated { agent, tool, call: *call, connector: *connector })
        });
        found.collect()
    }

    /// The right to start the gate of each gated tool.
    pub(super) fn gate_starts(&mut self) -> Vec<Allow> {
        let mut allows = Vec::new();
        for gated in self.gated() {
            let origin = Origin::granted(gated.call);
            allows.extend(self.machine(&gated).map(|arn| Allow {
                sid: format!("Start {}", gated.tool.name.value),
                actions: START,
                resources: vec![(arn, Origin::written(gated.tool.name.span))],
                conditions: Vec::new(),
                origin,
            }));
        }
        allows
    }

    /// The role of each gate, with the one call that it makes.
    pub(super) fn gates(&mut self) -> Vec<Artifact> {
        let mut artifacts = Vec::new();
        for gated in self.gated() {
            let Some(machine) = self.machine(&gated) else { continue };
            let gate = gated.tool.gate.as_ref().map_or(gated.tool.name.span, |gate| gate.span);
            let trust = self.gate_trust(machine, Origin::written(gate));
            let allows = self.connector(gated.connector);
            let words = ["gate", gated.agent.name().as_str(), gated.tool.name.value.as_str()];
            artifacts.extend(self.documents(&words, (&trust, &allows), &Origin::granted(gated.call)));
        }
        artifacts
    }

    /// The state machine of a gate, by the name that it gets.
    fn machine(&mut self, gated: &Gated<'_>) -> Option<String> {
        let name = self.account.machine(gated.agent, gated.tool)?;
        let region = self.account.region_of(gated.agent);
        self.arn("states", region, (&format!("stateMachine:{name}"), gated.tool.name.span))
    }
}
