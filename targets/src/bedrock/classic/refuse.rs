//! What Agents Classic has no member for.

use aipolicy_compiler::diagnostic::{Diagnostic, Diagnostics, Severity};
use aipolicy_compiler::rule;

use super::{Agent, refusal};
use crate::bedrock::tool::schema::Kind;

/// Compares what an agent asks for with what Agents Classic does.
pub(super) fn check(agent: &Agent<'_>, out: &mut Diagnostics) {
    let spec = agent.spec();
    if agent.name().contains("--") {
        let message = "an agent cannot have `--` in its name";
        out.report(rule::TARGET_LIMIT.at(agent.resource.name_span(), message, "").help("rename it"));
    }
    if let Some(callers) = &spec.callers {
        let message = "Agents Classic knows its callers by IAM alone";
        out.report(refusal(callers.span, message, "leave `callers` out, or use `runtime: agentcore`"));
    }
    for rate in spec.tools.iter().filter_map(|tool| tool.rate.as_ref()) {
        let message = "Agents Classic does not count calls of tools";
        out.report(refusal(rate.span, message, "leave `rate` out, or use `runtime: agentcore`"));
    }
    if let Some(limits) = &spec.limits {
        let written = [
            (limits.steps.as_ref().map(|limit| limit.span), "Agents Classic does not limit steps"),
            (limits.wall_clock.as_ref().map(|limit| limit.span), "Agents Classic does not limit time"),
            (
                limits.tokens_per_session.as_ref().map(|limit| limit.span),
                "Agents Classic does not limit tokens",
            ),
            (
                limits.consecutive_failures.as_ref().map(|limit| limit.span),
                "Agents Classic does not count failures",
            ),
            (limits.sessions.as_ref().map(|limit| limit.span), "Agents Classic does not count sessions"),
            (
                limits.concurrent.as_ref().map(|limit| limit.span),
                "Agents Classic does not limit sessions at once",
            ),
        ];
        for (span, message) in written.into_iter().filter_map(|(span, message)| Some((span?, message))) {
            out.report(refusal(span, message, "leave it out, or use `runtime: agentcore`"));
        }
    }
    super::canary::check(agent, refusal, out);
    let mut differs = |span, message: &str| {
        let note = rule::APPROXIMATED.at(span, message, "Agents Classic does this differently");
        out.report(Diagnostic { severity: Severity::Note, ..note });
    };
    if let Some(retention) = spec.trace.as_ref().and_then(|trace| trace.retention.as_ref()) {
        differs(retention.span, "records of gates are kept as long as the store for traces keeps them");
    }
    for redacted in spec.trace.iter().flat_map(|trace| &trace.redact) {
        differs(
            redacted.span,
            "records of gates hold no inputs; traces that a caller asks for are not redacted",
        );
    }
    for call in agent.calls {
        for property in call.shape.properties() {
            if matches!(property.shape.kind, Kind::Object(_)) {
                let message = format!("`{}` is an object, and inputs of a function are flat", property.name);
                out.report(refusal(property.shape.span, &message, "use texts, numbers, booleans and lists"));
            }
        }
    }
}
