//! The memory of an agent: what was said, for as many days as the agent keeps it.

use aipolicy_compiler::diagnostic::Diagnostics;
use aipolicy_compiler::ir::Circumstances;

use super::{Agent, refusal};
use crate::artifact::{Address, Artifact};
use crate::bedrock::request::{Request, address};
use crate::bedrock::shared::tag_map;
use crate::origin::Origin;
use crate::tree::Tree;

/// The shortest time in days that every source gives; the service model says 3, its documentation 7.
const SHORTEST: u64 = 7;
const LONGEST: u64 = 3650;

/// The address of an agent's memory, where it has one.
pub(super) fn own_address(agent: &Agent<'_>) -> Option<Address> {
    agent.spec().memory.as_ref()?;
    Some(address("Memory", agent.account.memory(agent.resource)?))
}

pub(super) fn artifact(agent: &Agent<'_>, out: &mut Diagnostics) -> Option<Artifact> {
    let memory = agent.spec().memory.as_ref()?;
    let grant = agent.grants.iter().find(|grant| {
        matches!(&grant.decision.request.circumstances, Circumstances::Storage(found) if found.place == "memory")
    })?;
    let own = agent.account.region_of(agent.resource);
    if let Some(region) = memory.region.as_ref().filter(|region| region.value.as_str() != own) {
        let message = format!("a harness in {own} keeps its memory there");
        out.report(refusal(region.span, &message, "leave `region` out, or give it to the agent"));
    }
    let Some(retention) = &memory.retention else {
        let message = "a memory needs a `retention`";
        out.report(refusal(agent.resource.name_span(), message, "add `memory: { retention: 30d }`"));
        return None;
    };
    let days = retention.value.days();
    if !(SHORTEST..=LONGEST).contains(&days) || retention.value.seconds() != days * 86_400 {
        let message = format!("a memory keeps what was said for {SHORTEST} to {LONGEST} whole days");
        out.report(refusal(retention.span, &message, "choose another `retention`"));
        return None;
    }
    let name = own_address(agent)?;
    let members = vec![
        ("name", Tree::text(&name.name).from(agent.account.default("origin.name"))),
        ("eventExpiryDuration", Tree::integer(days).from(Origin::written(retention.span))),
        ("tags", tag_map(agent.account)),
    ];
    let request = Request { address: name, region: agent.region(), members, needs: Vec::new() };
    Some(request.artifact(&Origin::granted(*grant)))
}
