//! What belongs to an agent and is made after it: its action group, knowledge bases, collaborators, and its alias.

use aipolicy_compiler::diagnostic::Diagnostics;
use aipolicy_compiler::model::agent::{AgentRuntime, Gate};
use aipolicy_compiler::model::connector::ConnectorKind;

use super::{Agent, alias_address, canary, operation, refusal, tried_address};
use crate::account::{Account, is_associated};
use crate::artifact::{Artifact, digest};
use crate::bedrock::request::{Members, Request, address, reference};
use crate::bedrock::shared::{function, profile};
use crate::bedrock::tool::Call;
use crate::bedrock::tool::schema::Property;
use crate::origin::Origin;
use crate::tree::Tree;

/// How the tools of an agent are called together: those with an input of their own, and those that are operations.
const TOOLS: &str = "tools";
const OPERATIONS: &str = "operations";

/// The members that say which agent is meant, in the state that can be changed.
fn draft(agent: &Agent<'_>) -> Option<Members> {
    let version = Tree::text("DRAFT").from(agent.account.default("classic.draft"));
    Some(vec![("agentId", reference(&agent.own_address()?, "agent.agentId")), ("agentVersion", version)])
}

/// The tools that a state machine calls: each as a function, or as an operation.
pub(super) fn action_groups(agent: &Agent<'_>, out: &mut Diagnostics) -> Vec<Artifact> {
    let (operations, functions): (Vec<_>, Vec<_>) =
        agent.calls.iter().partition(|call| call.request.is_some());
    let mut groups = Vec::new();
    if let Some(first) = functions.first() {
        let schema = Tree::map([("functions", Tree::list(functions.iter().map(|call| function(call))))]);
        groups.extend(action_group(agent, TOOLS, ("functionSchema", schema), first));
    }
    if let Some(first) = operations.first() {
        let payload = operation::document(agent, &operations, out);
        let schema = Tree::map([("payload", payload)]);
        groups.extend(action_group(agent, OPERATIONS, ("apiSchema", schema), first));
    }
    groups
}

fn action_group(
    agent: &Agent<'_>,
    name: &str,
    schema: (&'static str, Tree),
    first: &Call<'_>,
) -> Option<Artifact> {
    let own = agent.own_address()?;
    let arn = function::own_arn(agent.account, agent.resource)?;
    let executor = Tree::map([("lambda", Tree::text(arn).from(agent.account.default("origin.name")))]);
    let mut members = draft(agent)?;
    members.extend([
        ("actionGroupName", Tree::text(name).from(agent.account.default("classic.actionGroup"))),
        ("actionGroupExecutor", executor),
        schema,
        ("actionGroupState", Tree::text("ENABLED").from(agent.account.default("classic.actionGroup"))),
    ]);
    let mut needs = vec![own.clone()];
    needs.extend(function::own_address(agent.account, agent.resource));
    needs.push(address("FunctionPermission", own.name.clone()));
    let address = address("ActionGroup", format!("{}.{name}", own.name));
    Some(Request { address, region: agent.region(), members, needs }.artifact(&first.origin))
}

fn function(call: &Call<'_>) -> Tree {
    let parameters = call.shape.properties().iter().map(|one| (one.name.clone(), parameter(one)));
    let tree = Tree::map([
        ("name", Tree::text(call.tool.name.value.as_str())),
        ("description", described(call)),
        ("parameters", Tree::map(parameters)),
        ("requireConfirmation", confirmed(call)),
    ]);
    tree.from(call.origin.clone())
}

/// What a tool is for.
pub(super) fn described(call: &Call<'_>) -> Tree {
    let written = call.tool.description.as_ref();
    written.map_or_else(
        || Tree::text(call.tool.name.value.as_str()),
        |text| Tree::text(text.value.as_str()).from(Origin::written(text.span)),
    )
}

/// Whether the user confirms each call.
pub(super) fn confirmed(call: &Call<'_>) -> Tree {
    match call.tool.gate.as_ref().map(|gate| (&gate.value, gate.span)) {
        Some((Gate::Confirm, span)) => Tree::text("ENABLED").from(Origin::written(span)),
        Some((Gate::Approval(_) | Gate::Verify(_), _)) | None => Tree::text("DISABLED"),
    }
}

fn parameter(property: &Property) -> Tree {
    let mut entries = Vec::new();
    entries.extend(property.shape.description.as_ref().map(|(text, span)| {
        let short: String = text.chars().take(500).collect();
        ("description", Tree::text(short).from(Origin::written(*span)))
    }));
    entries.push(("type", Tree::text(property.shape.word())));
    entries.push(("required", Tree::bool(property.required)));
    Tree::map(entries).from(Origin::written(property.shape.span))
}

/// The right of this agent alone to call the function.
pub(super) fn permission(agent: &Agent<'_>) -> Option<Artifact> {
    let (first, own) = (agent.calls.first()?, agent.own_address()?);
    let named = function::own_address(agent.account, agent.resource)?;
    let default = || agent.account.default("classic.permission");
    let members = vec![
        ("FunctionName", Tree::text(&named.name).from(agent.account.default("origin.name"))),
        ("StatementId", Tree::text("aipolicy").from(default())),
        ("Action", Tree::text("lambda:InvokeFunction").from(first.origin.clone())),
        ("Principal", Tree::text("bedrock.amazonaws.com").from(default())),
        ("SourceAccount", Tree::text(agent.account.id()).from(default())),
        ("SourceArn", reference(&own, "agent.agentArn").from(default())),
    ];
    let address = address("FunctionPermission", own.name.clone());
    let needs = vec![named, own];
    Some(Request { address, region: agent.region(), members, needs }.artifact(&first.origin))
}

/// Knowledge bases that the agent asks by itself.
pub(super) fn knowledge_bases(agent: &Agent<'_>) -> Vec<Artifact> {
    let mut artifacts = Vec::new();
    let Some(own) = agent.own_address() else { return artifacts };
    for tool in &agent.spec().tools {
        let Some(connector) = agent.account.graph().get(&tool.connector) else { continue };
        let ConnectorKind::KnowledgeBase(base) = &connector.spec.kind else { continue };
        let granted =
            agent.grants.iter().find(|grant| grant.decision.request.span == tool.connector.name.span);
        let (true, Some(grant), Some(mut members)) =
            (is_associated(agent.spec(), tool, connector), granted, draft(agent))
        else {
            continue;
        };
        let description = tool.description.as_ref().map_or_else(
            || Tree::text(tool.name.value.as_str()),
            |text| Tree::text(text.value.as_str()).from(Origin::written(text.span)),
        );
        members.extend([
            ("knowledgeBaseId", Tree::text(base.id.value.as_str()).from(Origin::written(base.id.span))),
            ("description", description),
            ("knowledgeBaseState", Tree::text("ENABLED")),
        ]);
        let address = address("AgentKnowledgeBase", format!("{}.{}", own.name, tool.name.value));
        let request = Request { address, region: agent.region(), members, needs: vec![own.clone()] };
        artifacts.push(request.artifact(&Origin::granted(*grant)));
    }
    artifacts
}

/// Agents that work may be handed to, each by its alias.
pub(super) fn collaborators(agent: &Agent<'_>, out: &mut Diagnostics) -> Vec<Artifact> {
    let mut artifacts = Vec::new();
    let Some(own) = agent.own_address() else { return artifacts };
    for other in &agent.spec().collaborators {
        let named = other.agent.name.span;
        let Some(resource) = agent.account.graph().get(&other.agent) else { continue };
        if resource.spec.runtime.as_ref().map(|runtime| runtime.value) != Some(AgentRuntime::BedrockAgents) {
            out.report(refusal(named, "a collaborator is on Agents Classic too", "give it the same runtime"));
            continue;
        }
        if let Some(depth) = other.max_depth.as_ref().filter(|depth| depth.value.0 != 1) {
            let message = "how deep work is handed on can only be 1";
            out.report(refusal(depth.span, message, "use `maxDepth: 1`"));
        } else if let Some(next) = resource.spec.collaborators.first() {
            let message = "a collaborator that hands work on goes deeper than 1";
            out.report(refusal(next.agent.name.span, message, "remove its collaborators"));
        }
        let granted = agent.grants.iter().find(|grant| grant.decision.request.span == named);
        let (Some(grant), Some(alias), Some(mut members)) =
            (granted, alias_address(agent.account, resource), draft(agent))
        else {
            continue;
        };
        let instruction = format!("Hand over what {} is for.", resource.name());
        members.extend([
            ("agentDescriptor", Tree::map([("aliasArn", reference(&alias, "agentAlias.agentAliasArn"))])),
            ("collaboratorName", Tree::text(resource.name().as_str())),
            ("collaborationInstruction", Tree::text(instruction)),
            (
                "relayConversationHistory",
                Tree::text("DISABLED").from(agent.account.default("classic.collaboration")),
            ),
        ]);
        let address = address("AgentCollaborator", format!("{}.{}", own.name, resource.name()));
        let needs = vec![own.clone(), alias];
        let request = Request { address, region: agent.region(), members, needs };
        artifacts.push(request.artifact(&Origin::granted(*grant)));
    }
    artifacts
}

/// The alias that callers use. Without a version of its own it gets the next numbered one, cut from the draft when
/// everything that belongs to the agent is made and the agent is prepared. Where new versions are tried, another alias gets
/// it, and this one the version that was tried there.
pub(super) fn aliases(agent: &Agent<'_>, made: &[Artifact], beside: &[Artifact]) -> Vec<Artifact> {
    let (Some(own), Some(alias)) = (agent.own_address(), alias_address(agent.account, agent.resource)) else {
        return Vec::new();
    };
    // A version keeps the ARN of the profile that it was cut with, and a profile that is made anew has another.
    let profile = profile::artifact(agent.account, agent.resource, agent.grants);
    let parts = made.iter().chain(beside).chain(&profile);
    let parts: Vec<_> = parts.map(|one| one.document.digest()).collect();
    let state = digest(parts.join("\n").as_bytes());
    let mut needs = vec![own.clone()];
    needs.extend(beside.iter().map(|one| one.document.address.clone()));
    let place = Origin::written(agent.account.environment.name_span());
    let name = agent.account.environment.name().as_str();
    let request = |name: String, tag: String| {
        let mut tags: Vec<_> = agent
            .account
            .marks()
            .map(|(key, value)| (key, Tree::text(value).from(agent.account.default("aws.tags"))))
            .into();
        tags.push(("aipolicy:agent", Tree::text(tag)));
        let members: Members = vec![
            ("agentId", reference(&own, "agent.agentId")),
            ("agentAliasName", Tree::text(name).from(place.clone())),
            ("description", Tree::text(&state).from(agent.account.default("classic.alias"))),
            ("tags", Tree::map(tags)),
        ];
        members
    };
    let members = request(name.to_owned(), agent.name().to_owned());
    let region = agent.region();
    let Some((canary, tried)) = agent.canary().zip(tried_address(agent.account, agent.resource)) else {
        return vec![Request { address: alias, region, members, needs }.artifact(&agent.origin)];
    };
    let (trial, mut all) = canary::artifacts(agent, (canary, &tried), &state);
    let origin = Origin::written(canary.weight.span);
    let mut follows = members;
    let version = reference(&tried, "agentAlias.routingConfiguration.0.agentVersion");
    let routing = Tree::list([Tree::map([("agentVersion", version)])]).from(origin.clone());
    follows.push(("routingConfiguration", routing));
    let members = request(format!("{name}-canary"), Account::canary_tag(agent.resource));
    let first = Request { address: tried.clone(), region: region.clone(), members, needs };
    let follows = Request { address: alias, region, members: follows, needs: vec![own, tried] };
    all.push(first.artifact(&origin));
    all.push(Artifact { trial: Some(trial), ..follows.artifact(&agent.origin) });
    all
}
