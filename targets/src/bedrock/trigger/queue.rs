//! Messages of a queue: Lambda takes them, and SQS moves what fails too often.

use aipolicy_compiler::diagnostic::Diagnostics;
use aipolicy_compiler::model::trigger::QueueTrigger;

use super::check::{Wait, within};
use super::{Queue, Trigger, refusal};
use crate::artifact::Artifact;
use crate::function::Taken;
use crate::origin::Origin;
use crate::tree::Tree;

pub(super) fn artifacts(
    trigger: &Trigger<'_>,
    found: &QueueTrigger,
    wait: &Wait,
    out: &mut Diagnostics,
) -> Vec<Artifact> {
    refuse_endpoint(trigger, found, out);
    let Some(queue) = Queue::of(trigger.agent, &found.queue, out) else { return Vec::new() };
    let attempts = match &found.max_receive_count {
        Some(count) => {
            let Some(()) = within(count, 1..=1000, "attempts", out) else { return Vec::new() };
            Tree::integer(count.value.0).from(Origin::written(count.span))
        }
        None => Tree::integer(5).from(trigger.default("function.attempts")),
    };
    let most = trigger.spec.concurrency.as_ref();
    let taken = Taken {
        queue: queue.name,
        place: queue.origin,
        dead: trigger.dead.arn(),
        attempts,
        batch: wait.batch.clone(),
        most: most.map(|most| Tree::integer(most.value.0).from(Origin::written(most.span))),
        seconds: wait.function,
    };
    trigger.function().takes(trigger.agent.account, taken)
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
