//! The memory of an agent: what was said, for as many days as the agent keeps it.

use aipolicy_compiler::diagnostic::Diagnostics;
use aipolicy_compiler::ir::Circumstances;
use aipolicy_compiler::resolve::StorePlace;

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
    let grant = agent.grants.iter().find(|grant| {
        matches!(&grant.decision.request.circumstances, Circumstances::Storage(found) if found.place == "memory")
    })?;
    let (days, origin) = agent.remembers(&(SHORTEST..=LONGEST), refusal, out)?;
    let name = own_address(agent)?;
    let mut members = vec![
        ("name", Tree::text(&name.name).from(agent.account.default("origin.name"))),
        ("eventExpiryDuration", Tree::integer(days).from(origin)),
        ("tags", tag_map(agent.account)),
    ];
    let key = agent.account.kept_key(StorePlace::Memory, &agent.region().0).map(|key| {
        let place = Origin::written(key.span);
        ("encryptionKeyArn", Tree::text(key.value.as_str()).from(place))
    });
    members.extend(key);
    let request = Request { address: name, region: agent.region(), members, needs: Vec::new() };
    Some(request.artifact(&Origin::granted(*grant)))
}
