//! Agents Classic: an agent with action groups, knowledge bases and collaborators, and an alias on a numbered version.

mod agent;
mod beside;
mod refuse;

use aipolicy_compiler::authorize::Grant;
use aipolicy_compiler::diagnostic::{Diagnostic, Diagnostics};
use aipolicy_compiler::model::Resource;
use aipolicy_compiler::model::agent::AgentSpec;
use aipolicy_compiler::model::guardrail::GuardrailSpec;
use aipolicy_compiler::rule;
use aipolicy_compiler::source::Span;

use super::request::address;
use super::shared::function;
use super::tool::Call;
use crate::account::Account;
use crate::artifact::{Address, Artifact};
use crate::origin::Origin;

/// An agent on Agents Classic, with what was granted to it.
pub(super) struct Agent<'a> {
    pub(super) account: &'a Account<'a>,
    pub(super) resource: &'a Resource<AgentSpec>,
    /// Everything that it was granted.
    pub(super) grants: &'a [Grant<'a>],
    pub(super) calls: &'a [Call<'a>],
    /// The grant of its role, which is there because the agent is.
    pub(super) origin: Origin,
}

impl<'a> Agent<'a> {
    fn spec(&self) -> &'a AgentSpec {
        &self.resource.spec
    }

    fn name(&self) -> &'a str {
        self.resource.name().as_str()
    }

    fn region(&self) -> (String, Origin) {
        (
            self.account.region_of(self.resource).to_owned(),
            function::region_origin(self.account, self.resource),
        )
    }

    /// The guardrail that its content must pass.
    fn guardrail(&self) -> Option<&'a Resource<GuardrailSpec>> {
        self.account.graph().get(self.spec().guardrail.as_ref()?)
    }

    fn own_address(&self) -> Option<Address> {
        own_address(self.account, self.resource)
    }
}

fn own_address(account: &Account<'_>, agent: &Resource<AgentSpec>) -> Option<Address> {
    Some(address("Agent", account.limited_name(&[agent.name().as_str()], "bedrock.agentName")?))
}

/// The address of the alias that callers use.
fn alias_address(account: &Account<'_>, agent: &Resource<AgentSpec>) -> Option<Address> {
    let agent = own_address(account, agent)?;
    Some(address("AgentAlias", format!("{}.{}", agent.name, account.environment.name())))
}

fn refusal(span: Span, message: &str, help: &str) -> Diagnostic {
    rule::UNSUPPORTED.at(span, message, "Agents Classic cannot do this").help(help)
}

/// Everything that Agents Classic needs to run an agent. What agents share is made for each of them.
pub(super) fn artifacts(agent: &Agent<'_>, out: &mut Diagnostics) -> Vec<Artifact> {
    refuse::check(agent, out);
    let mut artifacts = Vec::new();
    if let (Some(guardrail), Some(named)) = (agent.guardrail(), &agent.spec().guardrail) {
        let used = Origin::written(named.name.span);
        let place = agent.region().0;
        artifacts.extend(super::shared::guardrail::artifacts(agent.account, (guardrail, &place), &used, out));
    }
    let mut beside = Vec::new();
    beside.extend(beside::action_group(agent));
    beside.extend(beside::permission(agent));
    beside.extend(beside::knowledge_bases(agent));
    beside.extend(beside::collaborators(agent, out));
    artifacts.extend(agent::artifact(agent, out));
    artifacts.extend(beside::alias(agent, &artifacts, &beside));
    artifacts.extend(beside);
    artifacts
}
