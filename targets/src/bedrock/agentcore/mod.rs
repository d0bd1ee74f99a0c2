//! Agents on AgentCore: a harness with its memory, and a gateway whose policy engine decides about every tool call.

mod authorizer;
mod gateway;
mod harness;
mod manifest;
mod memory;
mod model;
mod policy;
mod rate;
mod server;

use aipolicy_compiler::diagnostic::{Diagnostic, Diagnostics, Severity};
use aipolicy_compiler::model::agent::Gate;
use aipolicy_compiler::rule;
use aipolicy_compiler::source::Span;

use super::agent::{Agent, Started};
use super::canary;
use crate::artifact::Artifact;
pub(super) use manifest::Validators;

/// Everything that AgentCore needs to run an agent.
pub(super) fn artifacts(
    agent: &Agent<'_>,
    validators: &mut Validators,
    out: &mut Diagnostics,
) -> Vec<Artifact> {
    refuse(agent, out);
    let mut artifacts = Vec::new();
    if agent.calls.is_empty() {
        if let Some(callers) = &agent.spec().callers {
            out.report(refusal(
                callers.span,
                "an agent without tools has no gateway to call",
                "leave `callers` out",
            ));
        }
    } else {
        artifacts.extend(authorizer::client(agent, out));
        artifacts.extend(gateway::artifacts(agent, validators, out));
    }
    artifacts.extend(memory::artifact(agent, out));
    artifacts.extend(harness::artifacts(agent, out));
    artifacts
}

/// What a function needs to know of an agent to start it.
pub(super) fn started(agent: &Agent<'_>) -> Option<Started> {
    harness::started(agent)
}

fn refusal(span: Span, message: &str, help: &str) -> Diagnostic {
    rule::UNSUPPORTED.at(span, message, "AgentCore cannot do this").help(help)
}

fn difference(span: Span, message: &str) -> Diagnostic {
    Diagnostic {
        severity: Severity::Note,
        ..rule::APPROXIMATED.at(span, message, "AgentCore does this differently")
    }
}

/// Reports what a harness has no member for.
fn refuse(agent: &Agent<'_>, out: &mut Diagnostics) {
    let spec = agent.spec();
    if let Some(guardrail) = &spec.guardrail {
        let message = "a harness has no guardrail";
        let help =
            "leave it out and use a guardrail where the model is called, or use `runtime: bedrock-agents`";
        out.report(refusal(guardrail.name.span, message, help));
    }
    for other in &spec.collaborators {
        let help = "give the agent the tools of the other one, or use `runtime: bedrock-agents`";
        out.report(refusal(other.agent.name.span, "a harness hands no work to other agents", help));
    }
    canary::check(agent, refusal, out);
    for call in agent.calls {
        let gate = call.tool.gate.as_ref();
        if let Some((Gate::Confirm, span)) = gate.map(|gate| (&gate.value, gate.span)) {
            let help = "use `approval` or `verify`, or `runtime: bedrock-agents`";
            out.report(refusal(span, "a gateway cannot ask the user to confirm a call", help));
        }
    }
    for property in agent.calls.iter().filter_map(|call| manifest::unspeakable(&call.shape)) {
        let message =
            format!("`{}` is no name that the policies of a gateway can have for an input", property.name);
        out.report(refusal(
            property.shape.span,
            &message,
            "use letters, digits and `_`, and no word of Cedar",
        ));
    }
    if let Some(limits) = &spec.limits {
        let gone = [
            (
                limits.consecutive_failures.as_ref().map(|limit| limit.span),
                "a harness does not count failures",
            ),
            (limits.sessions.as_ref().map(|limit| limit.span), "a harness does not count sessions"),
            (limits.concurrent.as_ref().map(|limit| limit.span), "a harness does not limit sessions at once"),
        ];
        for (span, message) in gone.into_iter().filter_map(|(span, message)| Some((span?, message))) {
            out.report(refusal(span, message, "leave it out"));
        }
        if let Some(tokens) = &limits.tokens_per_session {
            let message = "a harness counts the tokens of answers, in each invocation by itself";
            out.report(difference(tokens.span, message));
        }
    }
    if let Some(retention) = spec.trace.as_ref().and_then(|trace| trace.retention.as_ref()) {
        let message =
            "records of gates and delivered traces are kept as long as the store for traces keeps them";
        out.report(difference(retention.span, message));
    }
    for redacted in spec.trace.iter().flat_map(|trace| &trace.redact) {
        let message = "records of gates hold no inputs; logs of AgentCore do, and are not delivered";
        out.report(difference(redacted.span, message));
    }
}
