//! How the things of each service live.

mod agentcore;
mod agents;
mod bedrock;
mod budgets;
mod events;
mod functions;
mod logs;
mod machines;
mod observability;
mod policies;
mod queues;
mod tables;

use serde_json::Value;

use super::life::{Life, List, Member, Tags, Update};
use super::services::Service;

/// The lives of all kinds.
pub(super) fn all() -> impl Iterator<Item = &'static Life> {
    let of_models = [bedrock::LIVES, agents::LIVES, agentcore::LIVES, machines::LIVES, functions::LIVES];
    let beside = [queues::LIVES, events::LIVES, tables::LIVES, logs::LIVES, policies::LIVES];
    let watched = [observability::LIVES, budgets::LIVES];
    of_models.into_iter().chain(beside).chain(watched).flatten()
}

/// What most kinds have in common.
const PLAIN: Life = Life {
    words: &[],
    service: Service::Bedrock,
    whole: None,
    home: None,
    list: List { operation: "", ask: &[], at: "", keys: &[], latest: None, asked: None, on_demand: false },
    read: None,
    create: ("", ""),
    update: Update::Never,
    delete: "",
    identity: &["name"],
    members: &[],
    echoes: &[],
    texts: &[],
    tags: None,
    states: &["status"],
    is_setting: false,
    first: None,
    filled: &[],
    is_doubled: false,
};

/// Tags as a map.
const TAG_MAP: Tags = Tags {
    member: "tags",
    arn: ("resourceArn", "arn"),
    pair: None,
    keys: "tagKeys",
    operations: ("ListTagsForResource", "TagResource", "UntagResource"),
    said: "tags",
};

/// A member that a service keeps to itself: it is taken to be what is wanted.
const fn untold(name: &'static str) -> Member {
    fn wanted(_: &Value, wanted: Option<&Value>) -> Option<Value> {
        wanted.cloned()
    }
    Member::As(name, wanted)
}
