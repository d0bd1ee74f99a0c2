//! Changes of a policy as somebody might make them by mistake, and whether a test notices.
//!
//! A mutation changes the text of a policy at a place, so that it can be shown. One that Cedar could not read, or would
//! not accept with the schema, nobody could make unnoticed, and it is left out.

mod change;

use cedar_policy::{Policy, PolicyId, PolicySet, ValidationMode, Validator};
use cedar_policy_core::ast;
use cedar_policy_core::evaluator::Evaluator;
use cedar_policy_core::extensions::Extensions;

pub use change::Change;

use super::{Trial, Tried, faults};
use crate::authorize::{Hearing, Policies, Question, on_large_stacks};
use crate::clause::Clauses;
use crate::ir::PolicyIndex;
use crate::source::{SourceMap, Span};

/// A policy with a change.
#[derive(Clone, Debug)]
pub struct Mutation {
    /// The policy.
    pub policy: PolicyIndex,
    /// What is changed.
    pub change: Change,
    /// Where.
    pub span: Span,
    /// What is written there instead.
    pub written: String,
    /// The policy as it is then; nothing where it is gone.
    changed: Option<Policy>,
}

/// A mutation and what became of it.
#[derive(Clone, Debug)]
pub struct Mutant {
    /// The mutation.
    pub mutation: Mutation,
    /// What became of it.
    pub fate: Fate,
}

/// What became of a mutation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The case at this position of the trials notices.
    Killed(usize),
    /// No case notices.
    Survived,
}

impl Mutation {
    /// Whether the policy matches with the change; nothing where it then cannot be evaluated.
    pub fn matches(&self, question: &Question) -> Option<bool> {
        let Some(policy) = &self.changed else { return Some(false) };
        let request: &ast::Request = question.request.as_ref();
        let entities = question.entities.as_ref().as_ref();
        let policy: &ast::Policy = policy.as_ref();
        Evaluator::new(request.clone(), entities, Extensions::all_available()).evaluate(policy).ok()
    }
}

/// Every mutation of these policies that Cedar accepts.
pub fn mutations(policies: &Policies, chosen: &[PolicyIndex], sources: &SourceMap) -> Vec<Mutation> {
    let validator = Validator::new(policies.schema().clone());
    let of = |at: &PolicyIndex| {
        let Some((policy, fact)) = policies.get(*at).zip(policies.facts().get(at.0 as usize)) else {
            return Vec::new();
        };
        let text = sources.get(fact.span.source).text();
        let clauses = Clauses::of(policy, fact.span);
        let edits = change::edits(&clauses, (policy, policies.schema()), (text, fact.span));
        let mutation = |edit: change::Edit| {
            let change::Edit { change, span, written } = edit;
            let changed = match change == Change::Removed {
                true => None,
                false => {
                    Some(accepted(policy, &written_into(text, fact.span, (span, &written)), &validator)?)
                }
            };
            Some(Mutation { policy: *at, change, span, written, changed })
        };
        edits.into_iter().filter_map(mutation).collect()
    };
    on_large_stacks(|| chosen.iter().flat_map(of).collect())
}

/// The text of a policy with something else at a place.
fn written_into(text: &str, policy: Span, (span, written): (Span, &str)) -> String {
    let part = |start: u32, end: u32| text.get(start as usize..end as usize).unwrap_or("");
    [part(policy.start, span.start), written, part(span.end, policy.end)].concat()
}

/// The changed policy, if Cedar can read it, accepts it, and it differs.
fn accepted(policy: &Policy, text: &str, validator: &Validator) -> Option<Policy> {
    let id = PolicyId::new(AsRef::<str>::as_ref(policy.id()));
    let changed = Policy::parse(Some(id), text).ok()?;
    let (before, after): (&ast::Policy, &ast::Policy) = (policy.as_ref(), changed.as_ref());
    if before.condition() == after.condition() {
        return None;
    }
    let set = PolicySet::from_policies([changed.clone()]).ok()?;
    validator.validate(&set, ValidationMode::Strict).validation_passed().then_some(changed)
}

/// What becomes of each mutation. Only cases that pass as policies are can notice something.
pub fn mutants(
    mutations: Vec<Mutation>,
    (policies, hearing): (&Policies, &Hearing<'_>),
    trials: &[Trial<'_>],
) -> Vec<Mutant> {
    let passing: Vec<_> = trials.iter().enumerate().filter(|(_, trial)| trial.passed()).collect();
    let fate = |mutation: Mutation| {
        let killer = passing.iter().find(|(_, trial)| {
            trial.asked.iter().any(|tried| notices(&mutation, (trial, tried), (policies, hearing)))
        });
        Mutant { fate: killer.map_or(Fate::Survived, |(at, _)| Fate::Killed(*at)), mutation }
    };
    on_large_stacks(|| mutations.into_iter().map(fate).collect())
}

fn notices(
    mutation: &Mutation,
    (trial, tried): (&Trial<'_>, &Tried),
    (policies, hearing): (&Policies, &Hearing<'_>),
) -> bool {
    if !hearing.is_on(mutation.policy, tried.heard.environment) {
        return false;
    }
    let before = tried.said.matching.binary_search(&mutation.policy).is_ok();
    let matching = match mutation.matches(&tried.heard.question) {
        None => return true,
        Some(after) if after == before => return false,
        Some(after) => {
            let others = tried.said.matching.iter().copied().filter(|at| *at != mutation.policy);
            let mut matching: Vec<_> = others.chain(after.then_some(mutation.policy)).collect();
            matching.sort_unstable();
            matching
        }
    };
    let answer = hearing.together(tried.heard.environment, &matching);
    !faults(trial.case, &answer, &matching, policies).is_empty()
}
