//! What a trigger cannot do, and how long its function waits for the agent.

use aipolicy_compiler::diagnostic::{Diagnostic, Diagnostics, Severity};
use aipolicy_compiler::model::agent::{AgentRuntime, Gate};
use aipolicy_compiler::model::trigger::TriggerSource;
use aipolicy_compiler::model::value::Count;
use aipolicy_compiler::rule;
use aipolicy_compiler::source::Spanned;

use super::{Trigger, refusal};
use crate::artifact::Artifact;
use crate::origin::Origin;
use crate::tree::Tree;

/// What a function needs beside the agent, in seconds.
const AROUND: u64 = 20;

/// How many messages one start of a function takes: more than ten would have to be gathered first.
const BATCH: std::ops::RangeInclusive<u32> = 1..=10;

/// How many functions may take messages of a queue at once.
const TAKERS: std::ops::RangeInclusive<u32> = 2..=1000;

/// How long a function waits for an agent, and how long it runs, in seconds, with the line that says so.
pub(super) struct Wait {
    pub(super) agent: u64,
    pub(super) function: u64,
    pub(super) batch: Tree,
    pub(super) origin: Origin,
}

/// The time that a function has for its agent; what does not fit into the longest time of a function is refused.
pub(super) fn wait(trigger: &Trigger<'_>, out: &mut Diagnostics) -> Option<Wait> {
    let most = trigger.agent.account.graph().catalog().limit("lambda.duration")?;
    let (batch, tree) = batch(trigger, out)?;
    concurrency(trigger, out)?;
    let time = trigger.agent.spec().limits.as_ref().and_then(|limits| limits.wall_clock.as_ref());
    let Some(time) = time else {
        let origin = trigger.default("trigger.wait");
        return Some(Wait { agent: (most - AROUND) / batch, function: most, batch: tree, origin });
    };
    let agent = time.value.seconds() + AROUND / 2;
    let function = agent * batch + AROUND;
    if function > most {
        let message = format!(
            "an agent that works for {} s has no time within the {most} s of the function that starts it",
            time.value.seconds() * batch
        );
        let found = refusal(time.span, &message, "choose a shorter `wallClock`, or a smaller `batchSize`");
        out.report(found.label(trigger.spec.span(), "started by this"));
        return None;
    }
    Some(Wait { agent, function, batch: tree, origin: Origin::written(time.span) })
}

fn batch(trigger: &Trigger<'_>, out: &mut Diagnostics) -> Option<(u64, Tree)> {
    let written = match &trigger.spec.source {
        TriggerSource::Sqs(queue) => queue.batch_size.as_ref(),
        TriggerSource::Sns(_) | TriggerSource::EventBridge(_) | TriggerSource::Schedule(_) => None,
    };
    let Some(size) = written else {
        return Some((1, Tree::integer(1).from(trigger.default("trigger.batch"))));
    };
    within(size, BATCH, "messages at once", out)?;
    Some((u64::from(size.value.0), Tree::integer(size.value.0).from(Origin::written(size.span))))
}

fn concurrency(trigger: &Trigger<'_>, out: &mut Diagnostics) -> Option<()> {
    let Some(limit) = &trigger.spec.concurrency else { return Some(()) };
    match trigger.spec.source {
        TriggerSource::Sqs(_) => within(limit, TAKERS, "functions at once", out),
        TriggerSource::Sns(_) | TriggerSource::EventBridge(_) | TriggerSource::Schedule(_) => {
            within(limit, 1..=1000, "functions at once", out)
        }
    }
}

/// Refuses a number that a service does not take.
pub(super) fn within(
    number: &Spanned<Count>,
    possible: std::ops::RangeInclusive<u32>,
    of: &str,
    out: &mut Diagnostics,
) -> Option<()> {
    if possible.contains(&number.value.0) {
        return Some(());
    }
    let message = format!("there are {} to {} {of}", possible.start(), possible.end());
    out.report(refusal(number.span, &message, "choose a number between"));
    None
}

/// Says that nobody confirms calls where nobody is there.
pub(super) fn confirmations(trigger: &Trigger<'_>, out: &mut Diagnostics) {
    let spec = trigger.agent.spec();
    if spec.runtime.as_ref().map(|runtime| runtime.value) != Some(AgentRuntime::BedrockAgents) {
        return;
    }
    for tool in &spec.tools {
        let Some((Gate::Confirm, span)) = tool.gate.as_ref().map(|gate| (&gate.value, gate.span)) else {
            continue;
        };
        let message = format!(
            "nobody confirms a call of tool `{}` when {} start the agent: the start fails",
            tool.name.value,
            trigger.spec.phrase()
        );
        let note = rule::APPROXIMATED.at(span, message, "Agents Classic asks whoever started the agent");
        let note = note.label(trigger.spec.span(), "starts the agent");
        out.report(Diagnostic { severity: Severity::Note, ..note });
    }
}

/// Refuses a function whose environment is too large for Lambda.
pub(super) fn environment(trigger: &Trigger<'_>, function: &Artifact, out: &mut Diagnostics) {
    let Some(most) = trigger.agent.account.graph().catalog().limit("lambda.environment") else { return };
    let found: serde_json::Value = serde_json::from_str(&function.document.text).unwrap_or_default();
    let size = found.pointer("/Environment/Variables").map_or(0, |variables| variables.to_string().len());
    if u64::try_from(size).is_ok_and(|size| size <= most) {
        return;
    }
    let span = trigger.spec.input.as_ref().map_or(trigger.spec.span(), |input| input.span);
    let message = format!("what a function is told fits into {most} bytes, and this takes {size}");
    out.report(rule::TARGET_LIMIT.at(span, message, "").help("shorten `input`"));
}
