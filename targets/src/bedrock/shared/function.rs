//! The function that an agent's tool calls come through. It starts state machines, and knows nothing else.

use aipolicy_compiler::diagnostic::Diagnostics;
use aipolicy_compiler::model::Resource;
use aipolicy_compiler::model::agent::AgentSpec;
use aipolicy_compiler::rule;

use crate::account::{Account, is_gated};
use crate::artifact::{Address, Artifact};
use crate::bedrock::request::{Request, address, reference, role};
use crate::bedrock::tool::Call;
use crate::origin::Origin;
use crate::tree::Tree;

const CODE: &str = include_str!("aipolicy_tools.py");

/// What Lambda takes as the environment of a function.
const LARGEST_ENVIRONMENT: usize = 4096;

/// The address of the function of an agent.
pub(crate) fn own_address(account: &Account<'_>, agent: &Resource<AgentSpec>) -> Option<Address> {
    account.function(agent).map(|name| address("Function", name))
}

/// The ARN of the function of an agent.
pub(crate) fn own_arn(account: &Account<'_>, agent: &Resource<AgentSpec>) -> Option<String> {
    let name = account.function(agent)?;
    Some(account.arn("lambda", account.region_of(agent), &format!("function:{name}")))
}

/// The code of every such function.
pub(crate) fn code(account: &Account<'_>) -> Artifact {
    Artifact::text(code_address(), CODE, &account.default("bedrock.function"))
}

fn code_address() -> Address {
    address("FunctionCode", "aipolicy_tools.py")
}

/// The function of an agent with these tools.
pub(crate) fn artifact(
    account: &Account<'_>,
    agent: &Resource<AgentSpec>,
    calls: &[Call<'_>],
    out: &mut Diagnostics,
) -> Option<Artifact> {
    let calls: Vec<_> = calls.iter().filter(|call| call.server().is_none()).collect();
    let own = own_address(account, agent)?;
    let (role, role_address) = role(account, &["caller", agent.name().as_str()]);
    let default = || account.default("bedrock.function");
    let machines = Tree::map(
        calls.iter().filter_map(|call| Some((call.tool.name.value.to_string(), machine(account, call)?))),
    );
    let size = serde_json::to_string(&machines).map_or(usize::MAX, |text| text.len());
    if size > LARGEST_ENVIRONMENT {
        let message =
            format!("the tools of an agent fit into {LARGEST_ENVIRONMENT} bytes, and these take {size}");
        let help = "split the tools over several agents";
        out.report(rule::TARGET_LIMIT.at(agent.name_span(), message, "").help(help));
        return None;
    }
    let members = vec![
        ("FunctionName", Tree::text(&own.name).from(account.default("origin.name"))),
        ("Runtime", Tree::text("python3.13").from(default())),
        ("Handler", Tree::text("aipolicy_tools.handler").from(default())),
        ("Role", role),
        ("Code", Tree::map([("ZipFile", reference(&code_address(), "zip"))]).from(default())),
        ("Timeout", Tree::integer(300).from(default())),
        ("MemorySize", Tree::integer(256).from(default())),
        ("Environment", Tree::map([("Variables", Tree::map([("MACHINES", machines)]))])),
        ("Tags", super::tag_map(account)),
    ];
    let request = Request {
        address: own,
        region: (account.region_of(agent).to_owned(), region_origin(account, agent)),
        members,
        needs: vec![role_address, code_address()],
    };
    calls.first().map(|first| request.artifact(&first.origin))
}

/// Where the region of an agent is written.
pub(crate) fn region_origin(account: &Account<'_>, agent: &Resource<AgentSpec>) -> Origin {
    let written = agent.spec.region.as_ref().map(|region| Origin::written(region.span));
    written.unwrap_or_else(|| account.default("agent.region"))
}

fn machine(account: &Account<'_>, call: &Call<'_>) -> Option<Tree> {
    let name = account.machine(call.agent, call.tool)?;
    let arn = account.arn("states", account.region_of(call.agent), &format!("stateMachine:{name}"));
    let mut entries = vec![("arn", Tree::text(arn)), ("wait", Tree::bool(!is_gated(call.tool)))];
    entries.extend(call.request.as_ref().map(|request| {
        let named = format!("{} {}", request.operation.method, request.operation.path);
        ("operation", Tree::text(named).from(Origin::written(request.operation.span)))
    }));
    entries.extend(
        call.tool
            .idempotency_key
            .as_ref()
            .map(|key| ("key", Tree::text(key.value.as_str()).from(Origin::written(key.span)))),
    );
    Some(Tree::map(entries).from(call.origin.clone()))
}
