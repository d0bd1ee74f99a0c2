//! The agent itself: its model, what it is told, its guardrail and its memory.

use aipolicy_compiler::diagnostic::Diagnostics;
use aipolicy_compiler::model::agent::AgentModel;
use aipolicy_compiler::model::model::ModelProvider;
use aipolicy_compiler::resolve::StorePlace;

use super::{Agent, refusal};
use crate::artifact::Artifact;
use crate::bedrock::request::{Members, Request, reference, role};
use crate::bedrock::shared::profile::{self, Invoked};
use crate::bedrock::shared::{guardrail, tag_map};
use crate::origin::Origin;
use crate::tree::Tree;

/// Lengths of what an agent is told.
const INSTRUCTION: std::ops::RangeInclusive<usize> = 40..=4000;

/// The longest that a memory is kept, in days.
const LONGEST: u64 = 365;

/// The agent as a request to create it.
pub(super) fn artifact(agent: &Agent<'_>, out: &mut Diagnostics) -> Option<Artifact> {
    let own = agent.own_address()?;
    let (role, role_address) = role(agent.account, &["agent", agent.name()]);
    let model = model(agent, out)?;
    let mut needs = vec![role_address];
    needs.extend(model.needs);
    let mut members: Members = vec![
        ("agentName", Tree::text(&own.name).from(agent.account.default("origin.name"))),
        ("agentResourceRoleArn", role),
        ("foundationModel", model.id),
    ];
    members.extend(instruction(agent, out).map(|text| ("instruction", text)));
    if let (Some(found), Some(named)) = (agent.guardrail(), &agent.spec().guardrail) {
        let (made, version) = guardrail::addresses(agent.account, found, &agent.region().0)?;
        let config = Tree::map([
            ("guardrailIdentifier", reference(&made, "guardrailId")),
            ("guardrailVersion", reference(&version, "version")),
        ]);
        members.push(("guardrailConfiguration", config.from(Origin::written(named.name.span))));
        needs.extend([made, version]);
    }
    members.extend(memory(agent, out).map(|memory| ("memoryConfiguration", memory)));
    members.extend(key(agent, out).map(|key| ("customerEncryptionKeyArn", key)));
    let collaboration = match agent.spec().collaborators.first() {
        Some(other) => Tree::text("SUPERVISOR").from(Origin::written(other.agent.name.span)),
        None => Tree::text("DISABLED").from(agent.account.default("classic.collaboration")),
    };
    members.push(("agentCollaboration", collaboration));
    members.push(("tags", tag_map(agent.account)));
    Some(Request { address: own, region: agent.region(), members, needs }.artifact(&agent.origin))
}

fn model(agent: &Agent<'_>, out: &mut Diagnostics) -> Option<Invoked> {
    let graph = agent.account.graph();
    let named = match &agent.spec().model.value {
        AgentModel::Model(named) => named,
        AgentModel::Route(named) => {
            let message = "Agents Classic calls Bedrock by itself, and never through a gateway";
            out.report(refusal(named.name.span, message, "name a model, or use `runtime: agentcore`"));
            return None;
        }
    };
    let model = graph.get(named)?;
    if model.spec.provider.value != ModelProvider::Bedrock {
        let message = "Agents Classic calls models of Bedrock";
        out.report(refusal(named.name.span, message, "use a model with `provider: bedrock`"));
        return None;
    }
    profile::invoked(agent.account, (agent.spec(), agent.grants), named)
}

fn instruction(agent: &Agent<'_>, out: &mut Diagnostics) -> Option<Tree> {
    let file = agent.spec().instructions.as_ref()?;
    let source = agent.account.graph().file(file)?;
    let text = agent.account.input.sources.get(source).text();
    let length = text.chars().count();
    if !INSTRUCTION.contains(&length) {
        let message = format!("Agents Classic takes 40 to 4000 characters, and these are {length}");
        out.report(refusal(file.file.span, &message, "shorten them, or say more"));
    }
    Some(Tree::text(text).from(Origin::written(file.file.span)))
}

fn memory(agent: &Agent<'_>, out: &mut Diagnostics) -> Option<Tree> {
    let (days, origin) = agent.remembers(&(1..=LONGEST), refusal, out)?;
    let kinds = Tree::list([Tree::text("SESSION_SUMMARY").from(agent.account.default("classic.memory"))]);
    let days = Tree::integer(days).from(origin.clone());
    let tree = Tree::map([("enabledMemoryTypes", kinds), ("storageDays", days)]);
    Some(tree.from(origin))
}

/// The key of sessions and of memory, which Agents Classic encrypts with one.
fn key(agent: &Agent<'_>, out: &mut Diagnostics) -> Option<Tree> {
    let region = agent.region().0;
    let sessions = agent.account.kept_key(StorePlace::Session, &region);
    let memory =
        agent.spec().memory.as_ref().and_then(|_| agent.account.kept_key(StorePlace::Memory, &region));
    if let (Some(sessions), Some(memory)) = (sessions, memory)
        && sessions.value.as_str() != memory.value.as_str()
    {
        let message = "Agents Classic has one key for sessions and memory";
        let found = refusal(memory.span, message, "name the same key for both stores");
        out.report(found.label(sessions.span, "the key for sessions"));
    }
    let key = agent.account.classic_key(agent.resource)?;
    Some(Tree::text(key.value.as_str()).from(Origin::written(key.span)))
}
