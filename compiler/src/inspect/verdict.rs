//! What the matches of a policy amount to.

use std::collections::BTreeSet;

use cedar_policy::{ActionConstraint, Effect, Policy};

use super::tally::{Matching, Tally};
use super::{Failed, Inspected, Subject, Vacuous, Verdict, fails};
use crate::diagnostic::Severity;
use crate::ir::{AccessRequest, Action, PolicyIndex};

/// A policy, the policies that match with it, and for how many requests each time.
struct Case<'a> {
    subject: &'a Subject<'a>,
    tally: &'a Tally,
    policy: PolicyIndex,
    with: Vec<(&'a Matching, usize)>,
}

/// What a policy does, by what was counted.
pub(super) fn of(subject: &Subject<'_>, tally: &Tally, at: PolicyIndex) -> Inspected {
    let policy = subject.policies.get(at);
    let about = |action: Action| policy.is_some_and(|policy| is_about(policy, action));
    let asked = tally.asked.iter().filter(|((action, off), _)| about(*action) && !off.contains(&at));
    let case = Case { subject, tally, policy: at, with: matched(tally, at).collect() };
    Inspected {
        policy: at,
        asked: asked.map(|(_, count)| count).sum(),
        matched: case.with.iter().map(|(_, count)| count).sum(),
        verdict: case.verdict(policy),
        may_fail: fails::parts(subject, at),
        failed: tally.failed.get(&at).map(|failed| Failed {
            count: failed.count,
            why: failed.why.clone(),
            first: AccessRequest::clone(&failed.first),
        }),
    }
}

/// Requests that a policy matches, by the policies that do.
fn matched(tally: &Tally, at: PolicyIndex) -> impl Iterator<Item = (&Matching, usize)> {
    let with = tally.matching.iter().filter(move |(matching, _)| matching.iter().any(|(one, _)| *one == at));
    with.map(|(matching, count)| (matching, *count))
}

/// Whether the scope of a policy admits an action.
pub(super) fn is_about(policy: &Policy, action: Action) -> bool {
    let named = |uid: &cedar_policy::EntityUid| uid.id().unescaped() == action.word();
    match policy.action_constraint() {
        ActionConstraint::Any => true,
        ActionConstraint::Eq(uid) => named(&uid),
        ActionConstraint::In(uids) => uids.iter().any(named),
    }
}

impl Case<'_> {
    fn verdict(&self, policy: Option<&Policy>) -> Verdict {
        let Subject { graph, policies, environments, .. } = *self.subject;
        if self.with.is_empty() {
            let changes = policy.is_some_and(|policy| {
                Action::ALL.iter().all(|action| is_about(policy, *action) == (*action == Action::Change))
            });
            let off = |environment| policies.severity_in(self.policy, graph, environment).is_none();
            return match environments {
                _ if changes => Verdict::Changes,
                [_, ..] if environments.iter().copied().all(off) => Verdict::Off,
                _ => Verdict::Vacuous(Vacuous::default()),
            };
        }
        match policy.map(Policy::effect) {
            Some(Effect::Permit) if self.with.iter().all(|(matching, _)| self.is_blocked(matching)) => {
                Verdict::Overridden(self.others(|at, severity| self.blocks(at, severity)))
            }
            Some(_) => self.shadowed().or_else(|| self.redundant()).unwrap_or(Verdict::Decides),
            None => Verdict::Decides,
        }
    }

    fn effect(&self, at: PolicyIndex) -> Option<Effect> {
        self.subject.policies.get(at).map(Policy::effect)
    }

    fn blocks(&self, at: PolicyIndex, severity: Severity) -> bool {
        self.effect(at) == Some(Effect::Forbid) && severity == Severity::Mandatory
    }

    fn is_blocked(&self, matching: &Matching) -> bool {
        matching.iter().any(|(at, severity)| self.blocks(*at, *severity))
    }

    /// What is decided: whether something is permitted, and the strictest advice about it.
    fn decision(&self, matching: &Matching, without: Option<PolicyIndex>) -> (bool, Option<Severity>) {
        let rest: Matching = matching.iter().filter(|(at, _)| Some(*at) != without).copied().collect();
        if self.is_blocked(&rest) {
            return (false, None);
        }
        let forbids = rest.iter().filter(|(at, _)| self.effect(*at) == Some(Effect::Forbid));
        let permitted = rest.iter().any(|(at, _)| self.effect(*at) == Some(Effect::Permit));
        (permitted, forbids.map(|(_, severity)| *severity).min())
    }

    /// The first policy of the same effect that matches wherever this one does, and matters as much there.
    fn shadowed(&self) -> Option<Verdict> {
        let weight = |matching: &Matching| {
            matching.iter().find(|(at, _)| *at == self.policy).map(|(_, severity)| *severity)
        };
        let stands_in = |matching: &Matching| -> BTreeSet<PolicyIndex> {
            let equal = |(at, severity): &&(PolicyIndex, Severity)| {
                *at != self.policy
                    && self.effect(*at) == self.effect(self.policy)
                    && Some(*severity) <= weight(matching)
            };
            matching.iter().filter(equal).map(|(at, _)| *at).collect()
        };
        let mut common = self.with.iter().map(|(matching, _)| stands_in(matching));
        let first = common.next()?;
        let common = common.fold(first, |left, right| left.intersection(&right).copied().collect());
        let by = common.into_iter().next()?;
        let count = |with: &mut dyn Iterator<Item = usize>| with.sum::<usize>();
        let own = count(&mut self.with.iter().map(|(_, count)| *count));
        let mutual = own == count(&mut matched(self.tally, by).map(|(_, count)| count));
        Some(Verdict::Shadowed { by, mutual })
    }

    fn redundant(&self) -> Option<Verdict> {
        let same = |(matching, _): &(&Matching, usize)| {
            self.decision(matching, None) == self.decision(matching, Some(self.policy))
        };
        if !self.with.iter().all(same) {
            return None;
        }
        let permits =
            |matching: &Matching| matching.iter().any(|(at, _)| self.effect(*at) == Some(Effect::Permit));
        let bare = self.with.iter().filter(|(matching, _)| {
            let rest: Matching = matching.iter().filter(|(at, _)| *at != self.policy).copied().collect();
            !permits(matching) && !self.is_blocked(&rest)
        });
        let not_permitted = bare.map(|(_, count)| count).sum();
        let effect = self.effect(self.policy);
        let beside = self.others(|at, severity| self.effect(at) == effect || self.blocks(at, severity));
        Some(Verdict::Redundant { beside, not_permitted })
    }

    /// Other policies that match with it.
    fn others(&self, wanted: impl Fn(PolicyIndex, Severity) -> bool) -> Vec<PolicyIndex> {
        let others = self.with.iter().flat_map(|(matching, _)| matching.iter());
        let wanted = others.filter(|(at, severity)| *at != self.policy && wanted(*at, *severity));
        wanted.map(|(at, _)| *at).collect::<BTreeSet<_>>().into_iter().collect()
    }
}
