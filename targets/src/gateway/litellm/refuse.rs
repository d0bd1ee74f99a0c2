//! What LiteLLM cannot do is refused at the line that asks for it; what it does a little differently is said there.

use std::collections::BTreeMap;

use aipolicy_compiler::catalog::Catalog;
use aipolicy_compiler::diagnostic::{Diagnostic, Diagnostics, Severity};
use aipolicy_compiler::model::budget::Threshold;
use aipolicy_compiler::model::route::{Compression, RouteSpec, Trigger, Truncation};
use aipolicy_compiler::model::value::BudgetLimit;
use aipolicy_compiler::rule;
use aipolicy_compiler::source::Span;

use crate::routing::{Route, Table, Tenant};
/// What LiteLLM does not tell apart when it falls back.
const FAILURES: [Trigger; 3] = [Trigger::Throttled, Trigger::Unavailable, Trigger::Timeout];

/// Compares what routes and tenants ask for with what LiteLLM does.
pub(super) fn check(table: &Table<'_>, out: &mut Diagnostics) {
    let mut tasks: BTreeMap<&str, Span> = BTreeMap::new();
    for route in &table.routes {
        refuse_fields(&route.resource.spec, out);
        refuse_deadline(route, out);
        tell_differences(&route.resource.spec, out);
        if let Some(task) = &route.resource.spec.r#match.task
            && let Some(first) = tasks.insert(task.value.as_str(), task.span)
        {
            let message =
                format!("two routes of gateway `{}` have the task `{}`", table.gateway.name(), task.value);
            let found = refusal(
                task.span,
                message,
                "LiteLLM finds a route by one name; give each route its own task",
            );
            out.report(found.label(first, "the other one"));
        }
    }
    refuse_ambiguous_tasks(table, out);
    for tenant in &table.tenants {
        refuse_budget(tenant, out);
    }
}

/// A task is another name of its route, so it cannot be the name of another route.
fn refuse_ambiguous_tasks(table: &Table<'_>, out: &mut Diagnostics) {
    for route in &table.routes {
        let Some(task) = &route.resource.spec.r#match.task else { continue };
        let same = |other: &&Route<'_>| other.name == task.value.as_str() && other.name != route.name;
        if let Some(other) = table.routes.iter().find(same) {
            let message = format!("the task `{}` is the name of another route of the gateway", task.value);
            let found = refusal(task.span, message, "LiteLLM finds a route by one name; use another task");
            out.report(found.label(other.resource.name_span(), "the other route"));
        }
    }
}

fn refusal(span: Span, message: impl Into<String>, help: &str) -> Diagnostic {
    rule::UNSUPPORTED.at(span, message, "LiteLLM cannot do this").help(help)
}

fn difference(span: Span, message: impl Into<String>) -> Diagnostic {
    Diagnostic {
        severity: Severity::Note,
        ..rule::APPROXIMATED.at(span, message, "LiteLLM does this differently")
    }
}

fn refuse_fields(spec: &RouteSpec, out: &mut Diagnostics) {
    let mut refuse = |span: Span, message: &str, help: &str| out.report(refusal(span, message, help));
    if let Some(budget) = spec.retry.as_ref().and_then(|retry| retry.budget.as_ref()) {
        refuse(budget.span, "LiteLLM has no budget for retries", "leave it out, and keep `attempts` small");
    }
    for header in spec.r#match.headers.0.values() {
        refuse(header.span, "LiteLLM cannot match headers", "match a task instead");
    }
    let retried = spec.retry.iter().flat_map(|retry| &retry.on);
    for on in retried.filter(|on| on.value == Trigger::ContextOverflow) {
        refuse(on.span, "LiteLLM does not retry a request that is too long", "add a fallback for it");
    }
    if let Some(context) = &spec.context {
        if let Some(word) = context.compress.as_ref().filter(|word| word.value != Compression::None) {
            refuse(word.span, "LiteLLM cannot change the context", "use `compress: none`");
        }
        if let Some(connector) = context.retrieval.as_ref().and_then(|retrieval| retrieval.some()) {
            refuse(connector.name.span, "LiteLLM cannot add retrieved content", "use `retrieval: none`");
        }
    }
    if let Some(batch) = spec.batch.as_ref().filter(|batch| batch.max_size.value.0 > 1) {
        refuse(batch.max_size.span, "LiteLLM does not batch requests", "use `maxSize: 1`");
    }
    if let Some(store) = spec.cache.as_ref().and_then(|cache| cache.some()) {
        refuse(store.name.span, "a cache is not compiled for LiteLLM yet", "use `cache: none`");
    }
    let truncate = spec.caps.as_ref().and_then(|caps| caps.truncate.as_ref());
    if let Some(word) = truncate.filter(|word| word.value == Truncation::OldestFirst) {
        refuse(word.span, "LiteLLM does not shorten requests", "use `truncate: refuse`");
    }
}

/// LiteLLM has no deadline for a whole request, so the attempts must fit by themselves.
fn refuse_deadline(route: &Route<'_>, out: &mut Diagnostics) {
    let Some(total) = route.resource.spec.timeout.as_ref().and_then(|timeout| timeout.total.as_ref()) else {
        return;
    };
    // A pause that the catalog does not know is taken for endless: then nothing fits, and the deadline is refused.
    let pause = Catalog::shipped().limit("litellm.longestPause").unwrap_or(u64::MAX);
    let mut worst = 0_u64;
    for step in &route.steps {
        let spec = &step.governed_by.spec;
        let Some(attempt) = spec.timeout.as_ref().and_then(|timeout| timeout.attempt.as_ref()) else {
            let message = "LiteLLM has no deadline for a whole request, and `attempt` is not set";
            out.report(refusal(total.span, message, "set `timeout.attempt`"));
            return;
        };
        let attempts = spec.retry.as_ref().map_or(1, |retry| u64::from(retry.attempts.value.0.max(1)));
        let pauses = (attempts - 1).saturating_mul(pause);
        worst = worst.saturating_add(attempts * attempt.value.milliseconds()).saturating_add(pauses);
    }
    if worst > total.value.milliseconds() {
        let message = format!(
            "LiteLLM has no deadline for a whole request, and its attempts may take {} s",
            worst.div_ceil(1000)
        );
        out.report(refusal(total.span, message, "raise `total`, or lower `attempt` or `attempts`"));
    }
}

fn tell_differences(spec: &RouteSpec, out: &mut Diagnostics) {
    let mut tell = |span: Span, message: &str| out.report(difference(span, message));
    for primary in &spec.primary {
        if let Some(canary) = &primary.canary {
            let abort = &canary.abort;
            let error = abort.error_rate.as_ref().map(|found| found.span);
            let span = error.or(abort.p99.as_ref().map(|found| found.span));
            let span = span.or(abort.cost_per_request.as_ref().map(|found| found.span));
            tell(
                span.unwrap_or(primary.model.name.span),
                "LiteLLM keeps the weights of a canary; an alarm must end it",
            );
        }
    }
    for fallback in &spec.fallback {
        let on = |wanted: &Trigger| fallback.on.iter().find(|on| on.value == *wanted);
        let named = FAILURES.iter().filter_map(on).collect::<Vec<_>>();
        if let Some(first) = named.first().filter(|_| named.len() < FAILURES.len()) {
            tell(
                first.span,
                "LiteLLM falls back on every failure, whether throttled, unavailable or too slow",
            );
        }
    }
    if let Some(breaker) = &spec.circuit_breaker {
        let message = "LiteLLM counts failures per minute, not in a row, with the least number of all routes of a gateway";
        tell(breaker.consecutive_failures.span, message);
    }
    if let Some(backoff) = spec.retry.as_ref().and_then(|retry| retry.backoff.as_ref()) {
        tell(backoff.base.span, "LiteLLM pauses between attempts by a rule of its own, for at most 8 s");
    }
}

fn refuse_budget(tenant: &Tenant<'_>, out: &mut Diagnostics) {
    let Some(budget) = tenant.budget else { return };
    let spec = &budget.spec;
    for threshold in &spec.thresholds {
        match threshold {
            Threshold::Shift(shift) => {
                let message = "LiteLLM cannot shift requests to another tier when a budget is used up";
                out.report(refusal(shift.to.span, message, "use `do: block`, or another dialect"));
            }
            Threshold::Block(block) if block.at.value.basis_points() != 10_000 => {
                let message = "LiteLLM refuses requests at the whole limit, not at a share of it";
                out.report(refusal(block.at.span, message, "use `at: 100%` and a smaller limit"));
            }
            Threshold::Block(block) => tell_budget(spec, block.at.span, out),
            Threshold::Notify(_) => {}
        }
    }
}

fn tell_budget(spec: &aipolicy_compiler::model::budget::BudgetSpec, at: Span, out: &mut Diagnostics) {
    match spec.limit.value {
        BudgetLimit::Money(money) if money.currency == "USD" => {
            let message = "LiteLLM without a database counts a budget in memory: each instance for itself, lost at a restart";
            out.report(difference(at, message));
        }
        BudgetLimit::Money(money) => {
            let message = format!("LiteLLM counts budgets in USD, not in {}", money.currency);
            out.report(refusal(spec.limit.span, message, "write the limit in USD"));
        }
        BudgetLimit::Tokens(_) => {
            let message = "LiteLLM cannot limit tokens over a calendar period";
            out.report(refusal(
                spec.limit.span,
                message,
                "write the limit in USD, or limit the rate in `quota`",
            ));
        }
    }
}
