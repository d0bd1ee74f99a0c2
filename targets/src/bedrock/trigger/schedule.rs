//! Schedules: EventBridge Scheduler calls the function with a role of its own.

use aipolicy_compiler::diagnostic::Diagnostics;
use aipolicy_compiler::model::trigger::{ScheduleTrigger, Times};

use super::{Trigger, refusal};
use crate::artifact::Artifact;
use crate::bedrock::request::{Request, address, role};
use crate::origin::Origin;
use crate::request::tag_list;
use crate::tree::Tree;

/// What Scheduler puts in the place of this word is the same for every attempt.
const SCHEDULED: &str = "<aws.scheduler.scheduled-time>";

/// The longest expression, with what stands around it.
const LONGEST: usize = 256 - "cron()".len();

/// The schedule, in a group of its own: groups can be tagged, and a role names the group that it is for.
pub(super) fn artifacts(
    trigger: &Trigger<'_>,
    found: &ScheduleTrigger,
    out: &mut Diagnostics,
) -> Vec<Artifact> {
    let Some(expression) = expression(found, out) else { return Vec::new() };
    let (agent, account) = (trigger.agent, trigger.agent.account);
    let group = address("ScheduleGroup", &trigger.name);
    let grouped = Request {
        address: group.clone(),
        region: agent.region(),
        members: vec![("Name", trigger.named()), ("Tags", tag_list(account, ("Key", "Value")))],
        needs: Vec::new(),
    };
    let (role, role_address) = role(account, &["schedule", agent.name(), trigger.spec.name()]);
    let zone = match &found.time_zone {
        Some(zone) => Tree::text(&zone.value.0).from(Origin::written(zone.span)),
        None => Tree::text("UTC").from(trigger.default("trigger.timeZone")),
    };
    let default = || trigger.default("trigger.schedule");
    let target = Tree::map([
        ("Arn", Tree::text(trigger.function_arn()).from(trigger.default("origin.name"))),
        ("RoleArn", role),
        ("DeadLetterConfig", Tree::map([("Arn", trigger.dead.arn())])),
        ("RetryPolicy", trigger.retries()),
        ("Input", Tree::map([("scheduledTime", Tree::text(SCHEDULED))]).from(default())),
    ]);
    let members = vec![
        ("Name", trigger.named()),
        ("GroupName", trigger.named()),
        ("ScheduleExpression", expression),
        ("ScheduleExpressionTimezone", zone),
        ("FlexibleTimeWindow", Tree::map([("Mode", Tree::text("OFF"))]).from(default())),
        ("State", Tree::text("ENABLED").from(default())),
        ("Target", target),
    ];
    let needs = vec![group, role_address, trigger.address("Function")];
    let schedule =
        Request { address: address("Schedule", &trigger.name), region: agent.region(), members, needs };
    vec![grouped.artifact(&trigger.origin), schedule.artifact(&trigger.origin)]
}

fn expression(found: &ScheduleTrigger, out: &mut Diagnostics) -> Option<Tree> {
    let (text, span) = match &found.times {
        Times::Cron(cron) => (format!("cron({})", cron.value), cron.span),
        Times::Rate(rate) => {
            let (minutes, rest) = (rate.value.seconds() / 60, rate.value.milliseconds() % 60_000);
            if minutes == 0 || rest != 0 {
                let message = "Scheduler counts whole minutes";
                out.report(refusal(rate.span, message, "choose another `rate`"));
                return None;
            }
            let unit = if minutes == 1 { "minute" } else { "minutes" };
            (format!("rate({minutes} {unit})"), rate.span)
        }
    };
    if text.len() > LONGEST + "cron()".len() {
        let message = format!("an expression has at most {LONGEST} characters");
        out.report(refusal(span, &message, "use several triggers"));
        return None;
    }
    Some(Tree::text(text).from(Origin::written(span)))
}
