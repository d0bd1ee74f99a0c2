//! Roles of gates: the call behind an approval or a verification is made by the gate, never by the agent.

use aipolicy_compiler::authorize::Grant;
use aipolicy_compiler::ir::Object;
use aipolicy_compiler::model::agent::{AgentSpec, Gate, Tool};
use aipolicy_compiler::model::connector::{ConnectorKind, ConnectorSpec};
use aipolicy_compiler::model::{Ref, Resource};

use super::policy::Allow;
use super::{Writer, acts_itself};
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
    /// The function that verifies, with its grant.
    verification: Option<(&'w Ref<ConnectorSpec>, Grant<'w>)>,
}

impl<'w> Writer<'w> {
    fn gated(&self) -> Vec<Gated<'w>> {
        let Some(agent) = self.agent() else { return Vec::new() };
        let found = agent.spec.tools.iter().enumerate().filter_map(|(at, tool)| {
            let gate = tool.gate.as_ref()?;
            let call = self.grants.iter().find(
                |grant| matches!(grant.decision.request.object, Object::Tool(_, found) if found == at),
            )?;
            let connector = self.use_of(&tool.connector)?;
            let verification = match &gate.value {
                Gate::Verify(verify) => Some((&verify.with, self.use_of(&verify.with)?)),
                Gate::Approval(_) | Gate::Confirm => None,
            };
            let found = Gated { agent, tool, call: *call, connector, verification };
            acts_itself(&gate.value).then_some(found)
        });
        found.collect()
    }

    /// The grant to use a connector that was asked for at this place.
    fn use_of(&self, reference: &Ref<ConnectorSpec>) -> Option<Grant<'w>> {
        let asked = |grant: &&Grant<'_>| {
            let request = &grant.decision.request;
            request.span == reference.name.span && matches!(request.object, Object::Connector(_))
        };
        self.grants.iter().find(asked).copied()
    }

    /// What a gate needs: the call that it makes, and before it the call of the function that verifies.
    fn gate_allows(&mut self, gated: &Gated<'w>) -> Vec<Allow> {
        let mut allows = self.connector(gated.connector);
        let Some((reference, grant)) = gated.verification else { return allows };
        let kind = self.account.graph().get(reference).map(|connector| &connector.spec.kind);
        if !matches!(kind, Some(ConnectorKind::Lambda(_))) {
            let message = format!("`{}` is no function, and cannot verify a call", reference.name.value);
            self.refuse::<()>(reference.name.span, message, "name a connector of the kind `lambda`");
            return allows;
        }
        let verifies = |allow: Allow| Allow { sid: format!("Verify by {}", reference.name.value), ..allow };
        allows.extend(self.connector(grant).into_iter().map(verifies));
        allows
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

    /// The role of each gate, with the calls that it makes.
    pub(super) fn gates(&mut self) -> Vec<Artifact> {
        let mut artifacts = Vec::new();
        for gated in self.gated() {
            let Some(machine) = self.machine(&gated) else { continue };
            let gate = gated.tool.gate.as_ref().map_or(gated.tool.name.span, |gate| gate.span);
            let trust = self.gate_trust(machine, Origin::written(gate));
            let allows = self.gate_allows(&gated);
            let words = ["gate", gated.agent.name().as_str(), gated.tool.name.value.as_str()];
            artifacts.extend(self.documents(&words, (&trust, &allows), &Origin::granted(gated.call)));
        }
        artifacts
    }

    /// The state machine of a gate, by the name that it gets.
    fn machine(&mut self, gated: &Gated<'_>) -> Option<String> {
        let words = ["gate", gated.agent.name().as_str(), gated.tool.name.value.as_str()];
        let longest = self.account.graph().catalog().limit("stepFunctions.stateMachineName");
        let name = self.account.name(&words, usize::try_from(longest?).ok()?);
        let region = self.agent_region(gated.agent);
        self.arn("states", region, (&format!("stateMachine:{name}"), gated.tool.name.span))
    }
}
