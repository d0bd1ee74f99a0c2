//! Agents Classic: an agent with action groups, knowledge bases and collaborators, and an alias on a numbered version.

mod agent;
mod beside;
mod operation;
mod refuse;

use aipolicy_compiler::diagnostic::{Diagnostic, Diagnostics};
use aipolicy_compiler::model::Resource;
use aipolicy_compiler::model::agent::AgentSpec;
use aipolicy_compiler::model::guardrail::GuardrailSpec;
use aipolicy_compiler::rule;
use aipolicy_compiler::source::Span;

use super::agent::{Agent, Started};
use super::canary;
use super::request::{address, reference};
use crate::account::Account;
use crate::artifact::{Address, Artifact};
use crate::origin::Origin;

impl<'a> Agent<'a> {
    /// The guardrail that its content must pass.
    fn guardrail(&self) -> Option<&'a Resource<GuardrailSpec>> {
        self.account.graph().get(self.spec().guardrail.as_ref()?)
    }

    fn own_address(&self) -> Option<Address> {
        own_address(self.account, self.resource)
    }
}

fn own_address(account: &Account<'_>, agent: &Resource<AgentSpec>) -> Option<Address> {
    account.classic(agent).map(|name| address("Agent", name))
}

/// The address of the alias that callers use.
fn alias_address(account: &Account<'_>, agent: &Resource<AgentSpec>) -> Option<Address> {
    account.alias(agent).map(|name| address("AgentAlias", name))
}

/// The address of the alias of the version that is tried.
fn tried_address(account: &Account<'_>, agent: &Resource<AgentSpec>) -> Option<Address> {
    account.canary_alias(agent).map(|name| address("AgentAlias", name))
}

/// What a function needs to know of an agent to start it.
pub(super) fn started(agent: &Agent<'_>) -> Option<Started> {
    let alias = alias_address(agent.account, agent.resource)?;
    let mut variables = vec![
        ("AGENT", reference(&agent.own_address()?, "agent.agentId")),
        ("ALIAS", reference(&alias, "agentAlias.agentAliasId")),
    ];
    let tried = tried_address(agent.account, agent.resource);
    variables.extend(tried.iter().map(|tried| ("CANARY", reference(tried, "agentAlias.agentAliasId"))));
    Some(Started { variables, needs: std::iter::once(alias).chain(tried).collect(), canary: None })
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
    beside.extend(beside::action_groups(agent, out));
    beside.extend(beside::permission(agent));
    beside.extend(beside::knowledge_bases(agent));
    beside.extend(beside::collaborators(agent, out));
    artifacts.extend(agent::artifact(agent, out));
    artifacts.extend(beside::aliases(agent, &artifacts, &beside));
    artifacts.extend(beside);
    artifacts
}
