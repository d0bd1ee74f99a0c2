//! The log of a function, which is kept for some time and no longer.

use crate::account::Account;
use crate::artifact::Artifact;
use crate::bedrock::request::{Request, address};
use crate::bedrock::shared::tag_map;
use crate::origin::Origin;
use crate::tree::Tree;

/// The name of the log group of a function.
fn group(function: &str) -> String {
    format!("/aws/lambda/{function}")
}

/// Where a function writes its log.
pub(crate) fn config(account: &Account<'_>, function: &str) -> Tree {
    let tree = Tree::map([("LogFormat", Tree::text("Text")), ("LogGroup", Tree::text(group(function)))]);
    tree.from(account.default("function.log"))
}

/// The log group of a function and how long it keeps what is written.
pub(crate) fn artifacts(
    account: &Account<'_>,
    (function, region): (&str, (String, Origin)),
    origin: &Origin,
) -> Vec<Artifact> {
    let name = || ("logGroupName", Tree::text(group(function)).from(account.default("function.log")));
    let made = address("LogGroup", function);
    let kept = vec![name(), ("retentionInDays", Tree::integer(30).from(account.default("function.log")))];
    let retention = Request {
        address: address("LogRetention", function),
        region: region.clone(),
        members: kept,
        needs: vec![made.clone()],
    };
    let members = vec![name(), ("tags", tag_map(account))];
    let group = Request { address: made, region, members, needs: Vec::new() };
    vec![group.artifact(origin), retention.artifact(origin)]
}
