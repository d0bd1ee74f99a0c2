//! Puts a plan together: documents against a world, effects first, and leave to make the changes.

use std::collections::BTreeMap;

use aipolicy_compiler::Compilation;
use aipolicy_compiler::authorize::{ChangeRequest, permit_changes};
use aipolicy_compiler::diagnostic::Diagnostics;
use aipolicy_compiler::model::Id;
use aipolicy_compiler::model::environment::EnvironmentSpec;
use aipolicy_compiler::rule;
use aipolicy_compiler::source::SourceMap;
use jiff::Timestamp;

use super::{
    Action, Actual, Bindings, Change, Desired, DesiredDocument, Effect, EffectClass, FORMAT, Origin, Plan,
    Promoted, Reason,
};
use crate::artifact::{Artifact, Document};
use crate::effects::{self, Facts};

/// What a plan is called and bound to.
#[derive(Clone, Debug)]
pub struct Header {
    /// Name of the workspace.
    pub workspace: String,
    /// Name of the environment.
    pub environment: String,
    /// The provider of each target.
    pub providers: BTreeMap<String, String>,
    /// What the plan is computed from.
    pub bindings: Bindings,
}

impl Desired {
    /// What artifacts say should exist, each with the lines that cause it.
    pub fn of(artifacts: &[Artifact], sources: &SourceMap) -> Self {
        let documents = artifacts.iter().map(|artifact| {
            let mut origins: Vec<_> =
                artifact.trace.origins().iter().map(|origin| place(origin, sources)).collect();
            origins.sort();
            origins.dedup();
            let document = artifact.document.clone();
            (
                document.address.clone(),
                DesiredDocument {
                    document,
                    origins,
                    needs: artifact.needs.clone(),
                    trial: artifact.trial.clone(),
                },
            )
        });
        Self { documents: documents.collect() }
    }
}

fn place(origin: &crate::origin::Origin, sources: &SourceMap) -> Origin {
    let file = sources.get(origin.span.source).path().to_owned();
    Origin { file, line: sources.position(origin.span).line }
}

impl Plan {
    /// Compares what should be with what is. `before` is what was granted when it was last applied.
    pub fn between(
        header: Header,
        (desired, actual): (&Desired, &Actual),
        (before, after): (&Facts, &Facts),
        promoted: &Promoted<'_>,
    ) -> Self {
        let effects = effects::compare(before, after);
        let access = effects::access(
            actual.documents.values().map(|observed| &observed.document),
            desired.documents.values().map(|wanted| &wanted.document),
        );
        let (mut changes, foreign, trials) = Self::changes(desired, actual, promoted);
        for change in &mut changes {
            change.effect = class(change, &effects);
        }
        Self {
            format: FORMAT.into(),
            workspace: header.workspace,
            environment: header.environment,
            providers: header.providers,
            bindings: header.bindings,
            effects,
            access,
            changes,
            foreign,
            decisions: effects::record(after),
            trials,
        }
    }
}

impl Plan {
    /// Has an object marked as ours that was found as it is in `found`, and will be as it is in `marked`. Nothing else is
    /// done: what is granted stays what it was, and what the sources want of the object otherwise is for the next plan.
    pub fn adopting(
        header: Header,
        (wanted, found, marked): (&DesiredDocument, Document, Document),
        decisions: Vec<String>,
    ) -> Self {
        let change = Change {
            address: wanted.document.address.clone(),
            action: Action::Adopt,
            reason: Reason::Sources,
            effect: EffectClass::Neutral,
            before: Some(found),
            after: Some(marked),
            after_changes: Vec::new(),
            origins: wanted.origins.clone(),
        };
        Self {
            format: FORMAT.into(),
            workspace: header.workspace,
            environment: header.environment,
            providers: header.providers,
            bindings: header.bindings,
            effects: Vec::new(),
            access: Vec::new(),
            changes: vec![change],
            foreign: Vec::new(),
            decisions,
            trials: Vec::new(),
        }
    }
}

/// The effect of a change is that of the grants whose lines cause the document. What is removed takes away.
fn class(change: &Change, effects: &[Effect]) -> EffectClass {
    if change.action == Action::Delete {
        let narrows = effects.iter().any(|effect| effect.class == EffectClass::Narrows);
        return if narrows { EffectClass::Narrows } else { EffectClass::Neutral };
    }
    let mine =
        |effect: &&Effect| effect.origin.as_ref().is_some_and(|origin| change.origins.contains(origin));
    effects.iter().filter(mine).fold(EffectClass::Neutral, |class, effect| class.and(effect.class))
}

/// A plan whose changes may be made. Only [`authorize`] makes one, and only this is applied.
#[derive(Clone, Debug)]
pub struct ApprovedPlan {
    plan: Plan,
}

impl ApprovedPlan {
    /// The plan.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }
}

/// Asks Cedar about every change of a plan of these artifacts, at a moment. What is refused is reported, and so is what is in
/// the way and not ours.
pub fn authorize(
    plan: Plan,
    (compilation, environment): (&Compilation, Id<EnvironmentSpec>),
    (artifacts, now): (&[Artifact], Timestamp),
    out: &mut Diagnostics,
) -> Option<ApprovedPlan> {
    report_unowned(&plan, artifacts, out);
    let is_permitted = permitted(&plan, (compilation, environment), now, out);
    (is_permitted && plan.foreign.is_empty()).then_some(ApprovedPlan { plan })
}

/// Whether the policies of a workspace permit every change of a plan at a moment. What they refuse is reported.
pub fn permitted(
    plan: &Plan,
    (compilation, environment): (&Compilation, Id<EnvironmentSpec>),
    now: Timestamp,
    out: &mut Diagnostics,
) -> bool {
    let requests: Vec<_> = plan.changes.iter().map(request).collect();
    permit_changes((&compilation.graph, &compilation.policies), environment, (&requests, now), out)
}

fn report_unowned(plan: &Plan, artifacts: &[Artifact], out: &mut Diagnostics) {
    for artifact in artifacts.iter().filter(|artifact| plan.foreign.contains(&artifact.document.address)) {
        let Some(origin) = artifact.trace.at("") else { continue };
        let message = format!("`{}` exists already and is not ours", artifact.document.address);
        let found = rule::UNOWNED.at(origin.span, message, "asked for here");
        let help = format!(
            "bring it under the care of this environment with `aipolicy import {} ID -e {}`, choose another name, or \
             remove what is there",
            artifact.document.address, plan.environment
        );
        out.report(found.help(help));
    }
}

/// To adopt something is to change its tags, so that policies about updates speak of it too.
fn request(change: &Change) -> ChangeRequest {
    let action = if change.action == Action::Adopt { Action::Update } else { change.action };
    ChangeRequest {
        target: change.address.target.clone(),
        kind: change.address.kind.clone(),
        address: change.address.to_string(),
        operation: action.word(),
        effect: change.effect.word(),
    }
}
