//! Every request of a workspace, counted by the policies that match it.

use std::collections::BTreeMap;

use super::{Failed, Subject};
use crate::authorize::{Asked, each_asked};
use crate::diagnostic::Severity;
use crate::ir::{AccessRequest, Action, PolicyIndex};

/// Policies that match a request, sorted, each with how much it matters there.
pub(super) type Matching = Vec<(PolicyIndex, Severity)>;

/// Requests, counted.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// By action and policies that are switched off where they are made.
    pub(super) asked: BTreeMap<(Action, Vec<PolicyIndex>), usize>,
    /// By the policies that match.
    pub(super) matching: BTreeMap<Matching, usize>,
    /// By the policy that could not be evaluated.
    pub(super) failed: BTreeMap<PolicyIndex, Failed>,
}

/// Counts every request.
pub(super) fn count(subject: &Subject<'_>) -> Tally {
    let Subject { graph, policies, today, .. } = *subject;
    let off: BTreeMap<_, Vec<_>> = subject
        .environments
        .iter()
        .map(|environment| {
            let off = |at: &PolicyIndex| policies.severity_in(*at, graph, *environment).is_none();
            (*environment, policies.each().filter(off).collect())
        })
        .collect();
    let counted = each_asked((graph, policies, today), |group| {
        let mut tally = Tally::default();
        for one in group {
            if let Some(off) = off.get(&one.request.environment) {
                tally.add(subject, one, off);
            }
        }
        tally
    });
    counted.into_iter().fold(Tally::default(), Tally::join)
}

impl Tally {
    fn add(&mut self, subject: &Subject<'_>, one: &Asked, off: &[PolicyIndex]) {
        let Subject { graph, policies, .. } = *subject;
        let said = policies.said(&one.question);
        let severity = |at: PolicyIndex| {
            policies.severity_in(at, graph, one.request.environment).unwrap_or(Severity::Note)
        };
        *self.asked.entry((one.request.action, off.to_vec())).or_default() += 1;
        *self
            .matching
            .entry(said.matching.into_iter().map(|at| (at, severity(at))).collect())
            .or_default() += 1;
        for (at, why) in said.failing {
            self.fail(at, Failed { count: 1, why, first: AccessRequest::clone(&one.request) });
        }
    }

    fn fail(&mut self, at: PolicyIndex, failed: Failed) {
        match self.failed.get_mut(&at) {
            Some(known) => known.count += failed.count,
            None => _ = self.failed.insert(at, failed),
        }
    }

    fn join(mut self, other: Self) -> Self {
        for (key, count) in other.asked {
            *self.asked.entry(key).or_default() += count;
        }
        for (key, count) in other.matching {
            *self.matching.entry(key).or_default() += count;
        }
        for (at, failed) in other.failed {
            self.fail(at, failed);
        }
        self
    }
}
