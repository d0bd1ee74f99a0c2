//! Messages of a topic: SNS hands each to the function.

use aipolicy_compiler::diagnostic::Diagnostics;
use aipolicy_compiler::model::trigger::TopicTrigger;

use super::{DeadLetters, Trigger, refusal};
use crate::artifact::Artifact;
use crate::bedrock::request::{Request, address};
use crate::bedrock::shared::plain_name;
use crate::origin::Origin;
use crate::tree::Tree;

pub(super) fn artifacts(
    trigger: &Trigger<'_>,
    found: &TopicTrigger,
    letters: &mut DeadLetters,
    out: &mut Diagnostics,
) -> Vec<Artifact> {
    let Some(name) = plain_name(&found.topic, out) else { return Vec::new() };
    if name.contains('.') {
        let message = "SNS hands messages of a FIFO topic to queues only";
        out.report(refusal(found.topic.span, message, "name a standard topic, or use `sqs`"));
        return Vec::new();
    }
    let (account, region) = (trigger.agent.account, trigger.agent.region());
    let Some((service, topic)) = account.delivers(trigger.agent.resource, trigger.spec) else {
        return Vec::new();
    };
    let permitted = letters.permit(trigger, (service, &topic), out);
    let permission = trigger.permission((service, &topic));
    let redrive = Tree::map([("deadLetterTargetArn", trigger.dead.arn())]);
    let members = vec![
        ("TopicArn", Tree::text(&topic).from(Origin::written(found.topic.span))),
        ("Protocol", Tree::text("lambda").from(trigger.default("trigger.function"))),
        ("Endpoint", Tree::text(trigger.function_arn()).from(trigger.default("origin.name"))),
        ("Attributes", Tree::map([("RedrivePolicy", redrive)])),
        ("ReturnSubscriptionArn", Tree::bool(true).from(trigger.default("trigger.function"))),
    ];
    let needs = vec![trigger.address("Function"), permission.document.address.clone(), permitted];
    let address = address("Subscription", &trigger.name);
    let subscription = Request { address, region, members, needs }.artifact(&trigger.origin);
    vec![permission, subscription]
}
