//! Controls that resources declare, and which target carries each; what no target carries is told where it is written.

mod declared;

use std::collections::{BTreeMap, BTreeSet};

use aipolicy_compiler::diagnostic::{Diagnostic, Diagnostics, Severity};
use aipolicy_compiler::model::KindName;
use aipolicy_compiler::model::workspace::TargetName;
use aipolicy_compiler::rule;

use crate::input::Input;
use declared::{Declared, Holder};

/// A target, and the controls that it carries: it compiles each of them, or refuses it where it is written.
pub type Capabilities = (TargetName, &'static [Control]);

macro_rules! controls {
    ($($(#[doc = $doc:literal])* $name:ident = $kind:ident $field:literal;)+) => {
        /// A part of a resource that limits what may happen at run time, so that something has to hold it there. What
        /// Cedar decides before is none, and neither is what only describes.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Control {
            $($(#[doc = $doc])* $name,)+
        }

        impl Control {
            /// Every control, by resource.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The kind of the resource that declares it.
            pub fn kind(self) -> KindName {
                match self {
                    $(Self::$name => KindName::$kind,)+
                }
            }

            /// The field that declares it.
            pub fn field(self) -> &'static str {
                match self {
                    $(Self::$name => $field,)+
                }
            }
        }
    };
}

controls! {
    /// What content of an agent must pass.
    Guardrail = Agent "guardrail";
    /// What stops an agent.
    Limits = Agent "limits";
    /// How long, and where, an agent remembers.
    Memory = Agent "memory";
    /// What is recorded of an agent, and how long it is kept.
    Trace = Agent "trace";
    /// What ends the trial of a new version.
    Release = Agent "release";
    /// What starts an agent: once for each key, and what fails is kept.
    Trigger = Agent "triggers";
    /// How deep work may be handed on.
    DelegationDepth = Agent "collaborators.maxDepth";
    /// The JSON Schema of what a tool takes.
    ToolInput = Agent "tools.input";
    /// The values that a tool takes.
    ToolAllow = Agent "tools.allow";
    /// How often a tool may be called.
    ToolRate = Agent "tools.rate";
    /// Who calls the tools of an agent.
    Callers = Agent "callers";
    /// The user confirms the call of a tool.
    Confirmation = Agent "tools.gate: confirm";
    /// Somebody approves the call of a tool, or a function agrees to it: nobody else has the right to make it.
    ToolGate = Agent "tools.gate";
    /// The limit of a tenant's budget.
    TenantBudget = Budget "limit";
    /// The limit of a budget of the organisation or an environment.
    OtherBudget = Budget "limit";
    /// The limit of an agent's budget.
    AgentBudget = Budget "limit";
    /// Who is told when a budget is used up to a share.
    BudgetNotice = Budget "thresholds.notify";
    /// Who is told when a budget of an agent is used up to a share.
    AgentNotice = Budget "thresholds.notify";
    /// What is logged of prompts and completions, and of traces.
    Logging = Environment "logging";
    /// The steps of a trace, beside its logs.
    Spans = Environment "logging.spans";
    /// Who called what, as CloudTrail records it.
    Audit = Environment "logging.audit";
    /// Who is told when something is wrong.
    Notifications = Environment "notifications";
    /// What every call of a model must pass.
    EnforcedGuardrail = Environment "enforcedGuardrail";
    /// What nobody in the account may do.
    ControlPolicy = Environment "serviceControlPolicy";
    /// The least version of TLS.
    Tls = Environment "network.tls";
    /// Whose policy is written from here.
    ResourcePolicies = Environment "resourcePolicies";
    /// That nobody else does what somebody was granted.
    Exclusive = Connector "exclusive";
    /// Everything that a route says: who, where to, and within which limits.
    Routing = Route "match";
    /// How much a tenant may ask.
    Quota = Tenant "quota";
    /// What calls of models by a workload must pass.
    CallGuardrail = Workload "uses.guardrail";
}

/// How often each control is declared in an environment.
pub(crate) fn declared(input: Input<'_>) -> BTreeMap<Control, usize> {
    let mut counts = BTreeMap::new();
    for declared in declared::holders(input).iter().flat_map(|holder| &holder.controls) {
        *counts.entry(declared.control).or_default() += 1;
    }
    counts
}

/// Tells which controls of an environment no target of the workspace carries. Where this version has a target that
/// does, that is an error; where it has none, a warning, since then no workspace could be right. A workspace without
/// targets is only checked. The environment may say how much it matters there.
pub(crate) fn report_not_carried(input: Input<'_>, targets: &[Capabilities], out: &mut Diagnostics) {
    let chosen: BTreeSet<_> = input.workspace.targets.iter().map(|target| target.value).collect();
    if chosen.is_empty() {
        return;
    }
    let carriers = |control: Control| {
        let able = targets.iter().filter(|(_, carried)| carried.contains(&control));
        able.map(|(target, _)| *target).collect::<BTreeSet<_>>()
    };
    let environment = input.grants.graph().resource(input.grants.environment());
    for mut holder in declared::holders(input) {
        holder.controls.sort_by_key(|declared| declared.control);
        let mut missing: BTreeMap<Option<TargetName>, Vec<Declared>> = BTreeMap::new();
        for declared in &holder.controls {
            let able = carriers(declared.control);
            if able.is_disjoint(&chosen) {
                missing.entry(able.first().copied()).or_default().push(*declared);
            }
        }
        let found = missing.iter().filter_map(|(target, controls)| finding(&holder, *target, controls));
        out.extend(found.filter_map(|found| {
            let severity = environment?.spec.severity_of(&found.code, found.severity)?;
            Some(Diagnostic { severity, ..found })
        }));
    }
}

fn finding(holder: &Holder<'_>, target: Option<TargetName>, controls: &[Declared]) -> Option<Diagnostic> {
    let (first, rest) = controls.split_first()?;
    let mut fields: Vec<_> = controls.iter().map(|declared| declared.control.field()).collect();
    fields.dedup();
    let fields: Vec<_> = fields.iter().map(|field| format!("`{field}`")).collect();
    let fields = match fields.as_slice() {
        [few @ .., last] if !few.is_empty() => format!("{} and {last}", few.join(", ")),
        one => one.concat(),
    };
    let kind = first.control.kind().word().to_lowercase();
    let message = format!("no target of the workspace holds {fields} of {kind} `{}`", holder.name);
    let label = |declared: &Declared| format!("declares `{}`", declared.control.field());
    let mut found = rule::NOT_CARRIED.at(first.span, message, label(first));
    for declared in rest {
        found = found.label(declared.span, label(declared));
    }
    Some(match target {
        Some(target) => {
            let word = target.word();
            found.help(format!("add `{word}` to `targets` of the workspace, or leave the control out"))
        }
        None => {
            let help = "no target of this version does: hold it with something else, or leave it out";
            Diagnostic { severity: Severity::Advisory, ..found.help(help) }
        }
    })
}
