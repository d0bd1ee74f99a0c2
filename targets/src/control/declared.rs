//! Every resource of an environment with the controls that it declares.

use std::collections::BTreeSet;

use aipolicy_compiler::ir::Principal;
use aipolicy_compiler::model::agent::{
    AgentLimits, AgentMemory, AgentSpec, AgentTrace, Collaborator, Gate, Release, Tool,
};
use aipolicy_compiler::model::budget::{BudgetScope, BudgetSpec, Threshold};
use aipolicy_compiler::model::connector::ConnectorSpec;
use aipolicy_compiler::model::environment::{EnvironmentSpec, Logging, ResourcePolicies};
use aipolicy_compiler::model::model::Quota;
use aipolicy_compiler::model::route::RouteSpec;
use aipolicy_compiler::model::tenant::TenantSpec;
use aipolicy_compiler::model::workload::WorkloadSpec;
use aipolicy_compiler::model::{Id, Name, Ref, Resource, Spec};
use aipolicy_compiler::source::Span;

use super::Control;
use crate::input::Input;

/// A control where it is declared.
#[derive(Clone, Copy, Debug)]
pub(super) struct Declared {
    pub(super) control: Control,
    pub(super) span: Span,
}

/// The controls of one resource.
pub(super) struct Holder<'g> {
    pub(super) name: &'g Name,
    pub(super) controls: Vec<Declared>,
}

/// The resources that have a say in an environment, by kind. An agent that is switched off has none.
pub(super) fn holders(input: Input<'_>) -> Vec<Holder<'_>> {
    let (graph, here) = (input.grants.graph(), input.grants.environment());
    let granted: BTreeSet<_> = input.grants.grants().map(|grant| grant.decision.request.principal).collect();
    let agents = graph.each::<AgentSpec>().filter(|(id, _)| granted.contains(&Principal::Agent(*id)));
    let budgets = graph.each::<BudgetSpec>().filter(|(_, budget)| match &budget.spec.scope {
        BudgetScope::Organisation => true,
        BudgetScope::Environment(scope) => scope.id() == Some(here),
        BudgetScope::Agent(scope) => scope.id().is_some_and(|id| granted.contains(&Principal::Agent(id))),
        BudgetScope::Tenant(scope) => {
            graph.get(scope).is_some_and(|tenant| names(&tenant.spec.environments, here))
        }
    });
    let routes = graph.each::<RouteSpec>().filter(|(_, route)| {
        let gateway = graph.get(&route.spec.gateway);
        gateway.is_some_and(|gateway| gateway.spec.environment.id() == Some(here))
    });
    let tenants = graph.each::<TenantSpec>().filter(|(_, tenant)| names(&tenant.spec.environments, here));
    let mut all: Vec<_> = agents.map(|(_, agent)| holder(agent, of_agent(&agent.spec))).collect();
    all.extend(budgets.map(|(_, budget)| holder(budget, of_budget(&budget.spec))));
    all.extend(graph.each::<ConnectorSpec>().filter_map(|(_, connector)| {
        let word = connector.spec.exclusive.as_ref().filter(|word| word.value)?;
        Some(holder(connector, vec![at(Control::Exclusive, word.span)]))
    }));
    all.extend(graph.resource(here).map(|found| holder(found, of_environment(&found.spec))));
    all.extend(routes.map(|(_, route)| holder(route, vec![at(Control::Routing, route.name_span())])));
    all.extend(tenants.map(|(_, tenant)| holder(tenant, of_tenant(&tenant.spec))));
    all.extend(graph.each::<WorkloadSpec>().filter_map(|(id, workload)| {
        let named = workload.spec.uses.as_ref()?.guardrail.as_ref()?;
        let runs = granted.contains(&Principal::Workload(id));
        runs.then(|| holder(workload, vec![at(Control::CallGuardrail, named.name.span)]))
    }));
    all
}

fn names<S: Spec>(references: &[Ref<S>], id: Id<S>) -> bool {
    references.iter().any(|reference| reference.id() == Some(id))
}

fn holder<S>(resource: &Resource<S>, controls: Vec<Declared>) -> Holder<'_> {
    Holder { name: resource.name(), controls }
}

fn at(control: Control, span: Span) -> Declared {
    Declared { control, span }
}

/// Takes an agent apart, so that a new field is not forgotten here.
fn of_agent(agent: &AgentSpec) -> Vec<Declared> {
    let AgentSpec {
        guardrail,
        tools,
        callers,
        collaborators,
        limits,
        memory,
        trace,
        release,
        triggers,
        // Decided by Cedar and compiled into roles, or what makes the agent and does not limit it.
        tenant: _,
        enabled: _,
        environments: _,
        runtime: _,
        region: _,
        model: _,
        instructions: _,
        clearance: _,
    } = agent;
    let named = [
        (Control::Guardrail, guardrail.as_ref().map(|guardrail| guardrail.name.span)),
        (Control::Callers, callers.as_ref().map(|callers| callers.span)),
        (Control::Limits, limits.as_ref().and_then(of_limits)),
        (Control::Memory, memory.as_ref().and_then(of_memory)),
        (Control::Trace, trace.as_ref().and_then(of_trace)),
        (Control::Release, release.as_ref().and_then(of_release)),
    ];
    let mut all: Vec<_> = named.into_iter().filter_map(|(control, span)| Some(at(control, span?))).collect();
    all.extend(triggers.iter().map(|trigger| at(Control::Trigger, trigger.span())));
    all.extend(tools.iter().flat_map(of_tool));
    all.extend(collaborators.iter().filter_map(of_collaborator));
    all
}

/// The first limit that is written.
fn of_limits(limits: &AgentLimits) -> Option<Span> {
    let AgentLimits { steps, wall_clock, tokens_per_session, consecutive_failures, sessions, concurrent } =
        limits;
    let spans = [
        steps.as_ref().map(|found| found.span),
        wall_clock.as_ref().map(|found| found.span),
        tokens_per_session.as_ref().map(|found| found.span),
        consecutive_failures.as_ref().map(|found| found.span),
        sessions.as_ref().map(|found| found.span),
        concurrent.as_ref().map(|found| found.span),
    ];
    spans.into_iter().flatten().next()
}

fn of_memory(memory: &AgentMemory) -> Option<Span> {
    let AgentMemory { retention, region } = memory;
    let retention = retention.as_ref().map(|found| found.span);
    retention.or(region.as_ref().map(|found| found.span))
}

fn of_trace(trace: &AgentTrace) -> Option<Span> {
    let AgentTrace { redact, retention } = trace;
    redact.first().map(|found| found.span).or(retention.as_ref().map(|found| found.span))
}

fn of_release(release: &Release) -> Option<Span> {
    let Release { canary } = release;
    canary.as_ref().map(|canary| canary.weight.span)
}

fn of_tool(tool: &Tool) -> Vec<Declared> {
    let Tool {
        input,
        operation,
        allow,
        rate,
        gate,
        // Compiled into roles, or what checks and people know a tool by.
        name: _,
        connector: _,
        access: _,
        description: _,
        idempotency_key: _,
        trust: _,
    } = tool;
    let gate = gate.as_ref().map(|gate| match &gate.value {
        Gate::Confirm => at(Control::Confirmation, gate.span),
        Gate::Approval(_) | Gate::Verify(_) => at(Control::ToolGate, gate.span),
    });
    let described = input.as_ref().map(|input| input.file.span);
    let described = described.or(operation.as_ref().map(|operation| operation.span));
    let input = described.map(|span| at(Control::ToolInput, span));
    let allow = allow.0.values().next().map(|first| at(Control::ToolAllow, first.span));
    let rate = rate.as_ref().map(|rate| at(Control::ToolRate, rate.span));
    [input, allow, rate, gate].into_iter().flatten().collect()
}

fn of_collaborator(collaborator: &Collaborator) -> Option<Declared> {
    let Collaborator { agent: _, max_depth } = collaborator;
    max_depth.as_ref().map(|depth| at(Control::DelegationDepth, depth.span))
}

fn of_budget(budget: &BudgetSpec) -> Vec<Declared> {
    let (control, notice) = match &budget.scope {
        BudgetScope::Tenant(_) => (Control::TenantBudget, Control::BudgetNotice),
        BudgetScope::Environment(_) | BudgetScope::Organisation => {
            (Control::OtherBudget, Control::BudgetNotice)
        }
        BudgetScope::Agent(_) => (Control::AgentBudget, Control::AgentNotice),
    };
    let notices = budget.thresholds.iter().filter_map(|threshold| match threshold {
        Threshold::Notify(notify) => Some(at(notice, notify.at.span)),
        Threshold::Shift(_) | Threshold::Block(_) => None,
    });
    std::iter::once(at(control, budget.limit.span)).chain(notices).collect()
}

fn of_environment(environment: &EnvironmentSpec) -> Vec<Declared> {
    let logs = environment.logging.iter().flat_map(of_logging);
    let tls = environment.network.as_ref().and_then(|network| network.tls.as_ref());
    let told = environment.notifications.iter().filter_map(|found| found.sns.first());
    let logs = logs.chain(told.map(|topic| at(Control::Notifications, topic.span)));
    let logs = logs.chain(tls.map(|tls| at(Control::Tls, tls.span)));
    let policies = environment.resource_policies.as_ref().and_then(of_policies);
    let closed = environment.service_control_policy.as_ref().filter(|asked| asked.value);
    let closed = closed.map(|asked| at(Control::ControlPolicy, asked.span));
    let enforced = environment.enforced_guardrail.as_ref();
    let enforced = enforced.map(|asked| at(Control::EnforcedGuardrail, asked.guardrail.name.span));
    logs.chain(policies).chain(closed).chain(enforced).collect()
}

/// The first resource whose policy is written.
fn of_policies(policies: &ResourcePolicies) -> Option<Declared> {
    let ResourcePolicies { endpoints, connectors, stores } = policies;
    let first = endpoints.first().map(|named| named.span);
    let first = first.or_else(|| connectors.first().map(|named| named.name.span));
    let first = first.or_else(|| stores.first().map(|named| named.name.span));
    first.map(|span| at(Control::ResourcePolicies, span))
}

fn of_logging(logging: &Logging) -> Vec<Declared> {
    let Logging { invocations, traces, spans, audit } = logging;
    let stores = [
        (Control::Logging, invocations),
        (Control::Logging, traces),
        (Control::Spans, spans),
        (Control::Audit, audit),
    ];
    let named = stores.into_iter().filter_map(|(control, store)| Some((control, store.as_ref()?)));
    named.map(|(control, store)| at(control, store.name.span)).collect()
}

fn of_tenant(tenant: &TenantSpec) -> Vec<Declared> {
    let first = |quota: &Quota| {
        let Quota { tokens, requests } = quota;
        tokens.as_ref().map(|rate| rate.span).or(requests.as_ref().map(|rate| rate.span))
    };
    let quota = tenant.quota.as_ref().and_then(first);
    quota.map(|span| at(Control::Quota, span)).into_iter().collect()
}
