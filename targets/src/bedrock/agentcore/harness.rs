//! The harness that runs an agent: its model, instructions and limits, its gateway as the only tool, and an endpoint on a
//! numbered version.

use aipolicy_compiler::diagnostic::Diagnostics;

use super::gateway::Addresses;
use super::{Agent, Started, authorizer, canary, memory, model, refusal};
use crate::artifact::{Address, Artifact};
use crate::bedrock::request::{Members, Request, address, reference, role};
use crate::bedrock::shared::tag_map;
use crate::origin::Origin;
use crate::tree::Tree;

/// The longest that a harness lives, in seconds.
const LONGEST: u64 = 28_800;

pub(super) fn artifacts(agent: &Agent<'_>, out: &mut Diagnostics) -> Vec<Artifact> {
    harness(agent, out).unwrap_or_default()
}

fn harness(agent: &Agent<'_>, out: &mut Diagnostics) -> Option<Vec<Artifact>> {
    let own = address("Harness", agent.account.harness(agent.resource)?);
    let (role, role_address) = role(agent.account, &["agent", agent.name()]);
    let model = model::model(agent, out)?;
    let mut needs = vec![role_address];
    let mut members: Members = vec![
        ("harnessName", Tree::text(&own.name).from(agent.account.default("origin.name"))),
        ("executionRoleArn", role),
        ("model", model.member),
    ];
    members.extend(prompt(agent).map(|prompt| ("systemPrompt", prompt)));
    let mut allowed = Vec::new();
    if let (false, Some(addresses)) = (agent.calls.is_empty(), Addresses::of(agent)) {
        members.push(("tools", tools(agent, &addresses)));
        allowed.push(Tree::text(format!("@{TOOLS}/*")));
        needs.push(addresses.gateway);
        needs.extend(addresses.targets);
        needs.extend(authorizer::client_address(agent));
    }
    members.push(("allowedTools", Tree::list(allowed).from(agent.account.default("agentcore.tools"))));
    members.push(("memory", remembered(agent)));
    needs.extend(memory::own_address(agent));
    needs.extend(model.needs);
    members.extend(limits(agent, out));
    members.push(("tags", tag_map(agent.account)));
    let made = Request { address: own, region: agent.region(), members, needs }.artifact(&agent.origin);
    let endpoints = endpoints(agent, &made);
    Some(model.key.into_iter().chain([made]).chain(endpoints).collect())
}

/// The name of the gateway among the tools of a harness.
const TOOLS: &str = "tools";

fn tools(agent: &Agent<'_>, addresses: &Addresses) -> Tree {
    let gateway = Tree::map([
        ("gatewayArn", reference(&addresses.gateway, "gatewayArn")),
        ("outboundAuth", authorizer::outbound(agent)),
    ]);
    let tool = Tree::map([
        ("type", Tree::text("agentcore_gateway")),
        ("name", Tree::text(TOOLS)),
        ("config", Tree::map([("agentCoreGateway", gateway)])),
    ]);
    Tree::list([tool]).from(agent.account.default("agentcore.tools"))
}

fn prompt(agent: &Agent<'_>) -> Option<Tree> {
    let file = agent.spec().instructions.as_ref()?;
    let source = agent.account.graph().file(file)?;
    let text = agent.account.input.sources.get(source).text();
    let block = Tree::map([("text", Tree::text(text))]);
    Some(Tree::list([block]).from(Origin::written(file.file.span)))
}

fn remembered(agent: &Agent<'_>) -> Tree {
    match memory::own_address(agent) {
        Some(memory) => {
            let config = Tree::map([("arn", reference(&memory, "memory.arn"))]);
            Tree::map([("agentCoreMemoryConfiguration", config)])
        }
        None => {
            Tree::map([("disabled", Tree::map::<String>([]))]).from(agent.account.default("agentcore.memory"))
        }
    }
}

fn limits(agent: &Agent<'_>, out: &mut Diagnostics) -> Members {
    let mut members: Members = Vec::new();
    let Some(limits) = &agent.spec().limits else { return members };
    members.extend(
        limits
            .steps
            .as_ref()
            .map(|steps| ("maxIterations", Tree::integer(steps.value.0).from(Origin::written(steps.span)))),
    );
    members.extend(
        limits.tokens_per_session.as_ref().map(|tokens| {
            ("maxTokens", Tree::integer(tokens.value.count()).from(Origin::written(tokens.span)))
        }),
    );
    if let Some(time) = &limits.wall_clock {
        if time.value.seconds() > LONGEST || time.value.milliseconds() % 1000 != 0 {
            let message = format!("a harness runs for whole seconds, at most {LONGEST}");
            out.report(refusal(time.span, &message, "choose another `wallClock`"));
        }
        members
            .push(("timeoutSeconds", Tree::integer(time.value.seconds()).from(Origin::written(time.span))));
    }
    members
}

fn endpoint_address(harness: &Address, name: &str) -> Address {
    address("HarnessEndpoint", format!("{}.{name}", harness.name))
}

/// What a function needs to know of the harness to start it.
pub(super) fn started(agent: &Agent<'_>) -> Option<Started> {
    let own = address("Harness", agent.account.harness(agent.resource)?);
    let place = Origin::written(agent.account.environment.name_span());
    let name = agent.account.endpoint();
    let mut variables = vec![
        ("HARNESS", reference(&own, "harness.arn")),
        ("ENDPOINT", Tree::text(&name).from(place.clone())),
    ];
    let mut needs = vec![endpoint_address(&own, &name)];
    if agent.canary().is_some() {
        let name = agent.account.canary_endpoint();
        needs.push(endpoint_address(&own, &name));
        variables.push(("CANARY", Tree::text(name).from(place)));
    }
    Some(Started { variables, needs, canary: None })
}

/// The endpoint that callers use. It stays on a version until it is told otherwise. Where new versions are tried, another
/// endpoint gets them, and this one the version that was tried there.
fn endpoints(agent: &Agent<'_>, harness: &Artifact) -> Vec<Artifact> {
    let own = &harness.document.address;
    let place = Origin::written(agent.account.environment.name_span());
    let state = harness.document.digest();
    let request = |name: String, version: Tree, needs: Vec<Address>| {
        let members = vec![
            ("harnessId", reference(own, "harness.harnessId")),
            ("endpointName", Tree::text(&name).from(place.clone())),
            ("targetVersion", version),
            ("description", Tree::text(&state).from(agent.account.default("agentcore.endpoint"))),
            ("tags", tag_map(agent.account)),
        ];
        Request { address: endpoint_address(own, &name), region: agent.region(), members, needs }
    };
    let (name, newest) = (agent.account.endpoint(), reference(own, "harness.harnessVersion"));
    let Some(canary) = agent.canary() else {
        return vec![request(name, newest, vec![own.clone()]).artifact(&agent.origin)];
    };
    let first = request(agent.account.canary_endpoint(), newest, vec![own.clone()]);
    let tried = first.address.clone();
    let (trial, mut all) = canary::artifacts(agent, (canary, &tried), &state);
    let origin = Origin::written(canary.weight.span);
    let version = reference(&tried, "endpoint.targetVersion").from(origin.clone());
    let follows = request(name, version, vec![own.clone(), tried]);
    all.push(first.artifact(&origin));
    all.push(Artifact { trial: Some(trial), ..follows.artifact(&agent.origin) });
    all
}
