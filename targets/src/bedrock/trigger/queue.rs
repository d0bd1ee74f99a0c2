//! Messages of a queue: Lambda takes them, and SQS moves what fails too often.

use aipolicy_compiler::diagnostic::Diagnostics;
use aipolicy_compiler::model::trigger::QueueTrigger;

use super::check::{Wait, within};
use super::{Queue, Trigger, refusal};
use crate::artifact::Artifact;
use crate::bedrock::request::{Members, Request, address};
use crate::bedrock::shared::tag_map;
use crate::origin::Origin;
use crate::tree::Tree;

/// The longest that SQS hides a message which somebody has taken, in seconds.
const LONGEST_HIDDEN: u64 = 43_200;

pub(super) fn artifacts(
    trigger: &Trigger<'_>,
    found: &QueueTrigger,
    wait: &Wait,
    out: &mut Diagnostics,
) -> Vec<Artifact> {
    refuse_endpoint(trigger, found, out);
    let Some(queue) = Queue::of(trigger.agent, &found.queue, out) else { return Vec::new() };
    let redrive = redrive(trigger, (found, &queue), wait, out);
    let mut members: Members = vec![
        ("EventSourceArn", queue.arn()),
        ("FunctionName", trigger.function_name()),
        ("Enabled", Tree::bool(true)),
        ("BatchSize", wait.batch.clone()),
        (
            "FunctionResponseTypes",
            Tree::list([Tree::text("ReportBatchItemFailures")]).from(trigger.default("trigger.partial")),
        ),
    ];
    members.extend(trigger.spec.concurrency.as_ref().map(|limit| {
        let most = Tree::integer(limit.value.0).from(Origin::written(limit.span));
        ("ScalingConfig", Tree::map([("MaximumConcurrency", most)]))
    }));
    members.push(("Tags", tag_map(trigger.agent.account)));
    let mut needs = vec![trigger.address("Function")];
    needs.extend(redrive.iter().map(|made| made.document.address.clone()));
    let address = trigger.address("EventSourceMapping");
    let mapping = Request { address, region: trigger.agent.region(), members, needs };
    redrive.into_iter().chain([mapping.artifact(&trigger.origin)]).collect()
}

/// Messages are fetched by Lambda, from outside of every VPC.
fn refuse_endpoint(trigger: &Trigger<'_>, found: &QueueTrigger, out: &mut Diagnostics) {
    let Some(connector) = trigger.agent.account.graph().get(&found.queue) else { return };
    if let Some(network) = &connector.spec.network {
        let message =
            format!("Lambda does not fetch messages of `{}` through a VPC endpoint", connector.name());
        let told = refusal(found.queue.name.span, &message, "leave `network` out of the connector");
        out.report(told.label(network.vpc_endpoint.span, "asked for here"));
    }
}

/// How the queue hides what was taken, and where it moves what fails. The rest of the queue is left as it is.
fn redrive(
    trigger: &Trigger<'_>,
    (found, queue): (&QueueTrigger, &Queue),
    wait: &Wait,
    out: &mut Diagnostics,
) -> Option<Artifact> {
    let count = match &found.max_receive_count {
        Some(count) => {
            within(count, 1..=1000, "attempts", out)?;
            Tree::integer(count.value.0).from(Origin::written(count.span))
        }
        None => Tree::integer(5).from(trigger.default("trigger.attempts")),
    };
    let policy = Tree::map([("deadLetterTargetArn", trigger.dead.arn()), ("maxReceiveCount", count)]);
    let hidden = (wait.function * 6).min(LONGEST_HIDDEN).to_string();
    let hidden = Tree::text(hidden).from(trigger.default("trigger.visibility"));
    let members = vec![
        ("QueueUrl", Tree::text(&queue.url).from(queue.origin.clone())),
        ("Attributes", Tree::map([("RedrivePolicy", policy), ("VisibilityTimeout", hidden)])),
    ];
    let address = address("QueueRedrive", &queue.name);
    let request = Request { address, region: trigger.agent.region(), members, needs: Vec::new() };
    Some(request.artifact(&trigger.origin))
}
