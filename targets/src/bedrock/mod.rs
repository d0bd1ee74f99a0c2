//! Agents on Bedrock: the machines that carry out their tool calls, and what each runtime needs.

mod agent;
mod agentcore;
mod canary;
mod classic;
mod gate;
mod request;
mod shared;
mod tool;
mod trigger;

use std::collections::{BTreeMap, BTreeSet};

use aipolicy_compiler::authorize::Grant;
use aipolicy_compiler::diagnostic::Diagnostics;
use aipolicy_compiler::ir::{Circumstances, Principal};
use aipolicy_compiler::model::Resource;
use aipolicy_compiler::model::agent::{AgentRuntime, AgentSpec, Gate};

use crate::account::{Account, is_gated};
use crate::artifact::Artifact;
use crate::input::Input;
use crate::origin::Origin;
use agent::Agent;
use agentcore::Validators;
use tool::{Call, Tools};
use trigger::DeadLetters;

/// Renders every document of the agents of an environment.
pub(crate) fn render(input: Input<'_>, out: &mut Diagnostics) -> Vec<Artifact> {
    let Some(account) = Account::of(input) else { return Vec::new() };
    let mut writer = Writer {
        account: &account,
        tools: Tools::new(&account),
        validators: Validators::default(),
        waiting: BTreeMap::new(),
        letters: DeadLetters::default(),
        artifacts: Vec::new(),
        out,
    };
    for (principal, grants) in input.grants.by_principal() {
        let Principal::Agent(id) = principal else { continue };
        if let Some(agent) = account.graph().resource(id) {
            writer.agent(agent, &grants);
        }
    }
    writer.finish()
}

/// Where calls wait for approval: regions with where they are written, and the first gate that waits there.
type Waiting = BTreeMap<String, (Origin, Origin)>;

/// Collects the documents of an environment.
struct Writer<'w, 'a> {
    account: &'w Account<'a>,
    tools: Tools<'w, 'a>,
    validators: Validators,
    waiting: Waiting,
    letters: DeadLetters,
    artifacts: Vec<Artifact>,
    out: &'w mut Diagnostics,
}

impl<'a> Writer<'_, 'a> {
    /// The documents of an agent with these grants, if it may run here: without a role it does not.
    fn agent(&mut self, resource: &'a Resource<AgentSpec>, grants: &[Grant<'a>]) {
        let role = grants
            .iter()
            .find(|grant| grant.decision.request.circumstances == Circumstances::Support("role"));
        let Some(origin) = role.map(|grant| Origin::granted(*grant)) else { return };
        let calls = self.tools.calls(resource, grants, self.out);
        let machines = || calls.iter().filter(|call| call.server().is_none());
        for call in machines() {
            self.artifacts.extend(gate::artifact(self.account, call, self.out));
            self.wait(call);
        }
        let first = machines().find(|call| !is_gated(call.tool));
        self.artifacts.extend(first.and_then(|first| {
            let own = shared::calls_address(self.account, resource)?;
            shared::stream(self.account, resource, (own, self.account.calls(resource)), &first.origin)
        }));
        self.artifacts.extend(shared::function::artifact(self.account, resource, &calls, self.out));
        self.artifacts.extend(shared::profile::artifact(self.account, resource, grants));
        let agent = Agent { account: self.account, resource, grants, calls: &calls, origin };
        let made = match resource.spec.runtime.as_ref().map(|runtime| runtime.value) {
            Some(AgentRuntime::AgentCore) | None => {
                agentcore::artifacts(&agent, &mut self.validators, self.out)
            }
            Some(AgentRuntime::BedrockAgents) => classic::artifacts(&agent, self.out),
        };
        let trial = made.iter().find_map(|artifact| artifact.trial.as_ref());
        self.artifacts.extend(trigger::artifacts(&agent, trial, &mut self.letters, self.out));
        self.artifacts.extend(made);
    }

    /// Notes that calls of a tool wait for approval, and where.
    fn wait(&mut self, call: &Call<'_>) {
        if let Some(Gate::Approval(_)) = call.tool.gate.as_ref().map(|gate| &gate.value) {
            let region = self.account.region_of(call.agent).to_owned();
            let place = shared::function::region_origin(self.account, call.agent);
            self.waiting.entry(region).or_insert_with(|| (place, call.origin.clone()));
        }
    }

    fn finish(mut self) -> Vec<Artifact> {
        for (region, (place, origin)) in self.waiting {
            self.artifacts.extend(shared::approval_queue(self.account, (region, place), &origin));
        }
        self.artifacts.extend(self.letters.artifacts(&self.account.default("iam.policyVersion")));
        for code in [shared::function::code(self.account), trigger::code(self.account)] {
            if self.artifacts.iter().any(|artifact| artifact.needs.contains(&code.document.address)) {
                self.artifacts.push(code);
            }
        }
        shared::logging::check_traces(self.account, self.out);
        shared::logging::check_sessions(self.account, self.out);
        self.artifacts.extend(shared::logging::artifact(self.account, self.out));
        self.artifacts.extend(shared::enforced::artifacts(self.account, self.out));
        self.artifacts.extend(shared::guardrail::named(self.account, self.out));
        // Guardrails and profiles are there once, because of the first that uses them.
        let mut made = BTreeSet::new();
        self.artifacts.retain(|artifact| {
            let shared = ["Guardrail", "GuardrailVersion", "InferenceProfile"];
            let address = &artifact.document.address;
            !shared.contains(&address.kind.as_str()) || made.insert(address.clone())
        });
        self.artifacts
    }
}
