//! Turns approved grants into artifacts with their origins, and compares artifacts with a world. Pure.
#![deny(clippy::disallowed_methods, reason = "only `cli` and `targets/apply` touch the machine")]

mod account;
pub mod artifact;
mod bedrock;
mod billing;
mod capacity;
pub mod cloudformation;
pub mod control;
pub mod effects;
pub mod envelope;
mod function;
mod gateway;
mod iam;
pub mod influence;
mod input;
pub mod key;
mod kubernetes;
pub mod kustomize;
mod lambda;
pub mod manifest;
pub mod mark;
mod observability;
mod openapi;
pub mod origin;
pub mod plan;
pub mod privilege;
mod request;
mod routing;
mod tree;

pub use tree::Tree;

use aipolicy_compiler::authorize::ApprovedGrants;
use aipolicy_compiler::diagnostic::Diagnostics;
use aipolicy_compiler::model::workspace::TargetName;
use aipolicy_compiler::rule;
use aipolicy_compiler::source::{SourceMap, Span};
use artifact::{Artifact, Wanted};
use control::{Capabilities, Control};
use input::Input;
use rayon::prelude::*;

/// A family of artifacts.
struct Target {
    name: TargetName,
    /// Renders every artifact of an environment; what it cannot express is reported at the line that asked for it.
    render: fn(Input<'_>, &mut Diagnostics) -> Vec<Artifact>,
    /// What it holds at run time: each of these controls is compiled, or refused at its line.
    carries: &'static [Control],
}

/// The targets of this version.
static TARGETS: &[Target] = &[
    Target {
        name: TargetName::Iam,
        render: iam::render,
        carries: &[Control::ToolGate, Control::ControlPolicy, Control::ResourcePolicies, Control::Exclusive],
    },
    Target {
        name: TargetName::Gateway,
        render: gateway::render,
        carries: &[Control::Quota, Control::Routing, Control::TenantBudget],
    },
    Target {
        name: TargetName::Bedrock,
        render: bedrock::render,
        carries: &[
            Control::Guardrail,
            Control::EnforcedGuardrail,
            Control::CallGuardrail,
            Control::Limits,
            Control::Memory,
            Control::Trace,
            Control::Release,
            Control::Trigger,
            Control::DelegationDepth,
            Control::ToolInput,
            Control::ToolAllow,
            Control::ToolRate,
            Control::Callers,
            Control::Confirmation,
            Control::ToolGate,
            Control::Logging,
        ],
    },
    Target { name: TargetName::Kubernetes, render: kubernetes::render, carries: &[] },
    Target { name: TargetName::Lambda, render: lambda::render, carries: &[] },
    Target {
        name: TargetName::Observability,
        render: observability::render,
        carries: &[
            Control::BudgetNotice,
            Control::OtherBudget,
            Control::Audit,
            Control::Spans,
            Control::Notifications,
        ],
    },
];

/// The targets of this version with the controls that each carries.
pub fn capabilities() -> Vec<Capabilities> {
    TARGETS.iter().map(|target| (target.name, target.carries)).collect()
}

/// What is done around the rendering of a target, which is called inside.
pub type Around<'a> = dyn Fn(TargetName, &mut dyn FnMut()) + Sync + 'a;

/// Renders every target that the workspace names, for one environment, sorted by address. Nothing is returned when a
/// target refuses.
pub fn render(
    grants: ApprovedGrants<'_>,
    sources: &SourceMap,
    out: &mut Diagnostics,
) -> Option<Vec<Artifact>> {
    render_around(grants, sources, &|_, render| render(), out)
}

/// Does what [`render`] does, and tells whoever measures it when each target begins and ends.
pub fn render_around(
    grants: ApprovedGrants<'_>,
    sources: &SourceMap,
    around: &Around<'_>,
    out: &mut Diagnostics,
) -> Option<Vec<Artifact>> {
    rendered(Input::of(grants, sources)?, around, out)
}

/// Reports what [`render`] reports, and says whether it would return anything. Most documents are not written for that.
pub fn judge(grants: ApprovedGrants<'_>, sources: &SourceMap, out: &mut Diagnostics) -> bool {
    let input = Input::of(grants, sources).map(|input| Input { wanted: Wanted::Findings, ..input });
    input.and_then(|input| rendered(input, &|_, render| render(), out)).is_some()
}

fn rendered(input: Input<'_>, around: &Around<'_>, out: &mut Diagnostics) -> Option<Vec<Artifact>> {
    let chosen: Vec<_> =
        input.workspace.targets.iter().filter_map(|named| find(named.value, named.span, out)).collect();
    let render = |target: &&Target| {
        let (mut rendered, mut found) = (Vec::new(), Diagnostics::default());
        around(target.name, &mut || rendered = (target.render)(input, &mut found));
        (rendered, found)
    };
    let mut artifacts = Vec::new();
    control::report_not_carried(input, &capabilities(), out);
    let mut sound = !out.has_errors();
    for (rendered, found) in chosen.par_iter().map(render).collect::<Vec<_>>() {
        sound &= !found.has_errors();
        out.append(found);
        artifacts.extend(rendered);
    }
    artifacts.sort_by(|left, right| left.document.address.cmp(&right.document.address));
    sound &= refuse_collisions(&artifacts, out);
    sound.then_some(artifacts)
}

fn find(name: TargetName, span: Span, out: &mut Diagnostics) -> Option<&'static Target> {
    let found = TARGETS.iter().find(|target| target.name == name);
    if found.is_none() {
        let message = format!("this version does not compile the target `{}`", name.word());
        out.report(rule::UNSUPPORTED.at(span, message, "").help("leave it out until a version that does"));
    }
    found
}

/// Two documents of one address would overwrite each other. Role names are compared without case, as IAM does.
fn refuse_collisions(artifacts: &[Artifact], out: &mut Diagnostics) -> bool {
    let lower = |artifact: &Artifact| artifact.document.address.to_string().to_lowercase();
    let mut all: Vec<_> = artifacts.iter().map(|artifact| (lower(artifact), artifact)).collect();
    // Stable, so that of several the first in order is named first.
    all.sort_by(|(left, _), (right, _)| left.cmp(right));
    let mut sound = true;
    for pair in all.windows(2) {
        let [(left, first), (right, second)] = pair else { continue };
        let place = |artifact: &Artifact| artifact.trace.origins().first().map(|origin| origin.span);
        if let (true, Some(first), Some(own)) = (left == right, place(first), place(second)) {
            let message = format!("two resources would make `{}`", second.document.address);
            out.report(rule::NAME_COLLISION.at(own, message, "this one").label(first, "and this one"));
            sound = false;
        }
    }
    sound
}
