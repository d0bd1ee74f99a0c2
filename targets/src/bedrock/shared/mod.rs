//! What agents of both runtimes share: names and ARNs, the queue for approvals, guardrails, profiles, functions and logging.

pub(crate) mod enforced;
pub(crate) mod function;
pub(crate) mod guardrail;
pub(crate) mod logging;
pub(crate) mod profile;

use aipolicy_compiler::diagnostic::Diagnostics;
use aipolicy_compiler::model::Resource;
use aipolicy_compiler::model::agent::AgentSpec;
use aipolicy_compiler::model::connector::{ConnectorSpec, LambdaTool};
use aipolicy_compiler::resolve::StorePlace;
use aipolicy_compiler::rule;
use aipolicy_compiler::source::Span;

use crate::account::Account;
use crate::artifact::{Address, Artifact};
use crate::bedrock::request::{Request, address};
pub(crate) use crate::function::{plain_name, queue_url};
use crate::origin::Origin;
use crate::request::tag_list;
pub(crate) use crate::request::tag_map;
use crate::tree::Tree;

/// The queue in which calls of a region wait for approval.
pub(crate) struct Queue {
    pub(crate) address: Address,
    pub(crate) url: String,
}

/// The ARN of a function, whose name and qualifier are names and nothing more.
pub(crate) fn function_arn(
    account: &Account<'_>,
    region: &str,
    function: &LambdaTool,
    out: &mut Diagnostics,
) -> Option<String> {
    let mut resource = format!("function:{}", plain_name(&function.function, out)?);
    if let Some(qualifier) = &function.qualifier {
        resource.push(':');
        resource.push_str(plain_name(qualifier, out)?);
    }
    Some(account.arn("lambda", region, &resource))
}

/// The marks of ownership as a list with small letters.
pub(crate) fn lower_tags(account: &Account<'_>) -> Tree {
    tag_list(account, ("key", "value"))
}

/// Whether a connector is where the agent is; reported where it is not.
pub(crate) fn same_region(
    (connector, named): (&Resource<ConnectorSpec>, Span),
    region: &str,
    out: &mut Diagnostics,
) -> Option<()> {
    let own = connector.spec.region.value.as_str();
    if own == region {
        return Some(());
    }
    let message = format!(
        "`{}` is in {own}, and a state machine in {region} calls services of its own region",
        connector.name()
    );
    let found = rule::UNSUPPORTED.at(named, message, "").label(connector.spec.region.span, "its region");
    out.report(found.help("give the agent the region of its connectors"));
    None
}

/// The queue for approvals of a region.
pub(crate) fn approvals(account: &Account<'_>, region: &str) -> Option<Queue> {
    let name = account.approvals(region)?;
    let url = queue_url(account, region, &name);
    Some(Queue { address: address("ApprovalQueue", name), url })
}

/// The queue for approvals as a request to create it. It is there because of the first gate that needs it.
pub(crate) fn approval_queue(
    account: &Account<'_>,
    region: (String, Origin),
    origin: &Origin,
) -> Option<Artifact> {
    let queue = approvals(account, &region.0)?;
    let encrypted = match account.kept_key(StorePlace::Session, &region.0) {
        Some(key) => ("KmsMasterKeyId", Tree::text(key.value.as_str()).from(Origin::written(key.span))),
        None => ("SqsManagedSseEnabled", Tree::text("true")),
    };
    let attributes = Tree::map([("MessageRetentionPeriod", Tree::text("1209600")), encrypted]);
    let members = vec![
        ("QueueName", Tree::text(&queue.address.name).from(account.default("origin.name"))),
        ("Attributes", attributes.from(account.default("bedrock.approvalQueue"))),
        ("tags", tag_map(account)),
    ];
    let request = Request { address: queue.address, region, members, needs: Vec::new() };
    Some(request.artifact(origin))
}

/// The log group to which the machines of an agent write records, and the line that names it; none, if traces go
/// elsewhere, or rest in another region than the agent runs in.
pub(crate) fn record_group<'a>(
    account: &Account<'a>,
    agent: &Resource<AgentSpec>,
) -> Option<(&'a str, Origin)> {
    let (group, _) = account.records(account.region_of(agent))?;
    Some((group.value.as_str(), Origin::written(group.span)))
}

/// The stream that records of ungated calls of an agent share, by the address of its document.
pub(crate) fn calls_address(account: &Account<'_>, agent: &Resource<AgentSpec>) -> Option<Address> {
    account.function(agent).map(|name| address("LogStream", name))
}

/// A stream in the log group for traces, where that is in the region of the agent.
pub(crate) fn stream(
    account: &Account<'_>,
    agent: &Resource<AgentSpec>,
    (own, name): (Address, String),
    origin: &Origin,
) -> Option<Artifact> {
    let (group, place) = record_group(account, agent)?;
    let members = vec![
        ("logGroupName", Tree::text(group).from(place)),
        ("logStreamName", Tree::text(name).from(account.default("bedrock.record"))),
    ];
    let region = (account.region_of(agent).to_owned(), function::region_origin(account, agent));
    Some(Request { address: own, region, members, needs: Vec::new() }.artifact(origin))
}
