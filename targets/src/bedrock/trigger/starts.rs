//! The table in which starts of an agent are written down: digests of keys, and no content. And the stream for records of the
//! sessions that they begin.

use super::Trigger;
use crate::artifact::{Address, Artifact};
use crate::bedrock::agent::Agent;
use crate::bedrock::request::{Members, Request, address};
use crate::bedrock::shared;
use crate::origin::Origin;
use crate::request::tag_list;
use crate::tree::Tree;

pub(super) fn own_address(agent: &Agent<'_>) -> Option<Address> {
    Some(address("Table", agent.account.starts(agent.resource)?))
}

/// The table, which is there because of the first trigger, and what makes it forget.
pub(super) fn artifacts(first: &Trigger<'_>) -> Vec<Artifact> {
    let agent = first.agent;
    let Some(own) = own_address(agent) else { return Vec::new() };
    let default = || first.default("trigger.starts");
    let name = || ("TableName", Tree::text(&own.name).from(first.default("origin.name")));
    let pair = |one: (&'static str, &str), other: (&'static str, &str)| {
        Tree::map([(one.0, Tree::text(one.1)), (other.0, Tree::text(other.1))])
    };
    let attribute = |name: &str| pair(("AttributeName", name), ("AttributeType", "S"));
    let key = |name: &str, kind: &str| pair(("AttributeName", name), ("KeyType", kind));
    let mut members: Members = vec![
        name(),
        ("AttributeDefinitions", Tree::list([attribute("trigger"), attribute("start")]).from(default())),
        ("KeySchema", Tree::list([key("trigger", "HASH"), key("start", "RANGE")]).from(default())),
        ("BillingMode", Tree::text("PAY_PER_REQUEST").from(default())),
    ];
    if let Some(found) = agent.account.starts_key(agent.resource) {
        let origin = Origin::written(found.span);
        let encryption = Tree::map([
            ("Enabled", Tree::bool(true)),
            ("SSEType", Tree::text("KMS")),
            ("KMSMasterKeyId", Tree::text(found.value.as_str())),
        ]);
        members.push(("SSESpecification", encryption.from(origin)));
    }
    members.push(("Tags", tag_list(agent.account, ("Key", "Value"))));
    let forget =
        Tree::map([("Enabled", Tree::bool(true)), ("AttributeName", Tree::text("expires"))]).from(default());
    let forgotten = Request {
        address: address("TimeToLive", &own.name),
        region: agent.region(),
        members: vec![name(), ("TimeToLiveSpecification", forget)],
        needs: vec![own.clone()],
    };
    let table = Request { address: own.clone(), region: agent.region(), members, needs: Vec::new() };
    let stream = sessions_address(agent).and_then(|own| {
        let name = agent.account.sessions(agent.resource);
        shared::stream(agent.account, agent.resource, (own, name), &first.origin)
    });
    let made = [table.artifact(&first.origin), forgotten.artifact(&first.origin)];
    made.into_iter().chain(stream).collect()
}

/// The stream for records of sessions, where they are kept.
pub(super) fn sessions_address(agent: &Agent<'_>) -> Option<Address> {
    shared::record_group(agent.account, agent.resource)?;
    agent.account.starts(agent.resource).map(|name| address("LogStream", name))
}
