//! What is wrong about well-formed resources, and Cedar has no word for: arithmetic, graphs and text.

mod agent_session_unbounded;
mod agents_classic_new;
mod alarm_missing_or_late;
mod all_targets_can_open;
mod approver_is_requester;
mod breaker_cooldown_shorter_than_retry;
mod breaker_ineffective;
mod budget_window_mismatch;
mod canary_weights_invalid;
mod cap_exceeds_model_limit;
mod children_exceed_parent;
mod conflicting_budgets;
mod consumer_without_budget;
mod cross_tenant_shared_store;
mod delegation_cycle;
mod disabled_agent_referenced;
mod fallback_context_smaller;
mod fallback_cycle;
mod fallback_missing_capability;
mod fallback_output_cap_smaller;
mod fallback_same_failure_domain;
mod gate_bypassable;
mod gateway_beside_its_cluster;
mod guardrail_missing_or_draft;
mod inference_loop_in_lambda;
mod invocation_logging_disabled;
mod keda_metric_missing_fallback;
mod kms_grant_missing_or_broad;
mod lambda_limit_exceeded;
mod mcp_server_unpinned;
mod missing_response_cap;
mod mutating_tool_without_gate;
mod no_fallback_for_critical_tier;
mod no_model_tests;
mod no_stop_condition;
mod no_vpc_endpoint_or_endpoint_policy;
mod quality_tier_downgrade_silent;
mod retry_non_idempotent_tool;
mod retry_on_non_retryable_status;
mod rollout_without_rollback;
mod silent_truncation_policy;
mod store_without_purpose;
mod successor_not_compatible;
mod timeout_below_p99;
mod timeout_inversion;
mod tls_or_min_version;
mod toxic_combination;
mod trigger_unusable;
mod trigger_without_dead_letter;
mod unreachable_route;
mod waiver_expired;
mod waiver_expires_soon;
mod waiver_ttl_too_long;
mod waiver_unused;

use crate::diagnostic::{Diagnostic, Diagnostics, Rule};
use crate::model::Id;
use crate::model::environment::EnvironmentSpec;
use crate::model::value::Date;
use crate::resolve::Graph;
use crate::waive::Waivers;

/// A check: what it finds, and how.
#[derive(Debug)]
pub struct Check {
    /// The rule, with its page.
    pub rule: &'static Rule,
    run: fn(&Graph, &mut Findings<'_>),
}

impl Check {
    /// Runs this check alone.
    pub fn run(&self, waivers: &Waivers<'_>, out: &mut Diagnostics) {
        let graph = waivers.graph();
        (self.run)(graph, &mut Findings { graph, waivers, out });
    }
}

/// What checks report, with the severity that environments give to their rules.
struct Findings<'a> {
    graph: &'a Graph,
    waivers: &'a Waivers<'a>,
    out: &'a mut Diagnostics,
}

impl Findings<'_> {
    /// The day on which is asked.
    fn today(&self) -> Date {
        self.waivers.today()
    }

    /// Reports a finding that concerns all environments.
    fn report_everywhere(&mut self, found: Diagnostic) {
        let places: Vec<_> = self.graph.each::<EnvironmentSpec>().map(|(id, _)| id).collect();
        self.report(&places, found);
    }

    /// Reports a finding that concerns these environments, as the strictest of them has it; nothing where it is off in
    /// all of them. Without an environment nobody has said how much it matters, and it is what it is.
    fn report(&mut self, places: &[Id<EnvironmentSpec>], found: Diagnostic) {
        let places = places.iter().filter_map(|place| self.graph.resource(*place));
        let mut said = places.map(|place| place.spec.severity_of(&found.code, found.severity)).peekable();
        if said.peek().is_none() {
            return self.out.report(found);
        }
        let strictest = said.flatten().min();
        self.out.extend(strictest.map(|severity| Diagnostic { severity, ..found }));
    }
}

/// Every check, by code.
pub static CHECKS: &[Check] = &[
    mutating_tool_without_gate::CHECK,
    gate_bypassable::CHECK,
    approver_is_requester::CHECK,
    no_stop_condition::CHECK,
    mcp_server_unpinned::CHECK,
    toxic_combination::CHECK,
    delegation_cycle::CHECK,
    guardrail_missing_or_draft::CHECK,
    agents_classic_new::CHECK,
    inference_loop_in_lambda::CHECK,
    disabled_agent_referenced::CHECK,
    trigger_without_dead_letter::CHECK,
    trigger_unusable::CHECK,
    fallback_cycle::CHECK,
    fallback_context_smaller::CHECK,
    fallback_output_cap_smaller::CHECK,
    fallback_missing_capability::CHECK,
    fallback_same_failure_domain::CHECK,
    no_fallback_for_critical_tier::CHECK,
    timeout_inversion::CHECK,
    retry_non_idempotent_tool::CHECK,
    retry_on_non_retryable_status::CHECK,
    breaker_ineffective::CHECK,
    breaker_cooldown_shorter_than_retry::CHECK,
    all_targets_can_open::CHECK,
    unreachable_route::CHECK,
    missing_response_cap::CHECK,
    cap_exceeds_model_limit::CHECK,
    silent_truncation_policy::CHECK,
    canary_weights_invalid::CHECK,
    quality_tier_downgrade_silent::CHECK,
    timeout_below_p99::CHECK,
    children_exceed_parent::CHECK,
    budget_window_mismatch::CHECK,
    consumer_without_budget::CHECK,
    conflicting_budgets::CHECK,
    alarm_missing_or_late::CHECK,
    agent_session_unbounded::CHECK,
    no_vpc_endpoint_or_endpoint_policy::CHECK,
    kms_grant_missing_or_broad::CHECK,
    tls_or_min_version::CHECK,
    invocation_logging_disabled::CHECK,
    cross_tenant_shared_store::CHECK,
    store_without_purpose::CHECK,
    no_model_tests::CHECK,
    rollout_without_rollback::CHECK,
    successor_not_compatible::CHECK,
    keda_metric_missing_fallback::CHECK,
    lambda_limit_exceeded::CHECK,
    gateway_beside_its_cluster::CHECK,
];

/// Every check of waivers, by code: what they look at is what the others, and policies, have found.
pub static CHECKS_OF_WAIVERS: &[Check] =
    &[waiver_expired::CHECK, waiver_ttl_too_long::CHECK, waiver_unused::CHECK, waiver_expires_soon::CHECK];

/// So many days before one that is written, a check may say something else.
pub(crate) const DAYS_AHEAD: [i32; 2] = [waiver_expires_soon::SOON, waiver_ttl_too_long::LONGEST];

/// The checks that have nothing to look at in a workspace, and what is missing.
pub fn without_input(graph: &Graph) -> impl Iterator<Item = (&'static Rule, &'static str)> {
    let of_traffic = [breaker_ineffective::CHECK.rule, timeout_below_p99::CHECK.rule];
    let unmeasured = timeout_below_p99::lacks(graph);
    unmeasured.into_iter().flat_map(move |why| of_traffic.map(|rule| (rule, why)))
}

/// The checks of both tables.
pub fn all() -> impl Iterator<Item = &'static Check> + Clone {
    CHECKS.iter().chain(CHECKS_OF_WAIVERS)
}
