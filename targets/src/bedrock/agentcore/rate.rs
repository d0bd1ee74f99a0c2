//! How often the tools of a gateway may be called: each tool, and each caller.

use aipolicy_compiler::diagnostic::Diagnostics;
use aipolicy_compiler::model::value::{Period, Rate, RateUnit};
use aipolicy_compiler::source::Spanned;

use super::gateway::Addresses;
use super::{Agent, manifest, refusal};
use crate::artifact::Artifact;
use crate::bedrock::request::{Request, address, reference};
use crate::origin::Origin;
use crate::tree::Tree;

/// The greatest rate that the service takes.
const GREATEST: u64 = 10_000_000;

/// One limit for all tools that have a rate, and one for callers.
pub(super) fn artifacts(agent: &Agent<'_>, addresses: &Addresses, out: &mut Diagnostics) -> Vec<Artifact> {
    let mut limits = Vec::new();
    let mut tools = Vec::new();
    let mut first = None;
    for call in agent.calls {
        let Some(rate) = &call.tool.rate else { continue };
        let Some(tree) = requests(rate, out) else { continue };
        let named = Tree::text(manifest::action(call));
        let entry = Tree::map([("dimensions", Tree::map([(TOOL, named)])), ("requests", tree)]);
        tools.push(entry.from(call.origin.clone()));
        first.get_or_insert_with(|| Origin::written(rate.span));
    }
    limits.extend(first.map(|origin| artifact(agent, addresses, ("tools", TOOL, tools), &origin)));
    if let Some(rate) = agent.token_callers().and_then(|callers| callers.rate.as_ref())
        && let Some(tree) = requests(rate, out)
    {
        let each = Tree::map([(SUBJECT, Tree::text("*").from(agent.account.default("agentcore.rate")))]);
        let entry = Tree::map([("dimensions", each), ("requests", tree)]);
        let origin = Origin::written(rate.span);
        limits.push(artifact(agent, addresses, ("callers", SUBJECT, vec![entry]), &origin));
    }
    limits
}

const TOOL: &str = "toolName";
const SUBJECT: &str = "$.context.jwt.sub";

fn artifact(
    agent: &Agent<'_>,
    addresses: &Addresses,
    (id, key, entries): (&str, &'static str, Vec<Tree>),
    origin: &Origin,
) -> Artifact {
    let default = || agent.account.default("agentcore.rate");
    let members = vec![
        ("gatewayIdentifier", reference(&addresses.gateway, "gatewayId")),
        ("rateLimitId", Tree::text(id).from(default())),
        ("dimensionKeys", Tree::list([Tree::text(key)]).from(default())),
        ("entries", Tree::list(entries)),
    ];
    let own = address("GatewayRateLimit", format!("{}.{id}", addresses.gateway.name));
    let mut needs = vec![addresses.gateway.clone()];
    needs.extend(addresses.targets.clone());
    Request { address: own, region: agent.region(), members, needs }.artifact(origin)
}

/// A rate as the service takes it: requests in a second or a minute.
fn requests(rate: &Spanned<Rate>, out: &mut Diagnostics) -> Option<Tree> {
    let Rate { amount, unit, period } = rate.value;
    let refused = match (unit, period) {
        (RateUnit::Tokens, _) => Some(("a gateway counts calls of tools, and no tokens", "use `requests`")),
        (RateUnit::Requests, Period::Hour | Period::Day) => {
            Some(("a gateway counts calls in a second or a minute", "use `requests/min`"))
        }
        (RateUnit::Requests, Period::Second | Period::Minute) => {
            (amount > GREATEST).then_some(("a gateway limits nothing above 10,000,000", "choose less"))
        }
    };
    if let Some((message, help)) = refused {
        out.report(refusal(rate.span, message, help));
        return None;
    }
    let period = if period == Period::Second { "second" } else { "minute" };
    let tree = Tree::map([("rate", Tree::integer(amount)), ("period", Tree::text(period))]);
    Some(Tree::list([tree]).from(Origin::written(rate.span)))
}
