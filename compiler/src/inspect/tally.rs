//! Every request of a workspace, counted by the policies that match it.

use std::collections::BTreeMap;

use super::{Failed, Subject};
use crate::authorize::{Considered, Said, each_asked};
use crate::diagnostic::Severity;
use crate::ir::{AccessRequest, Action, PolicyIndex};
use crate::model::Id;
use crate::model::environment::EnvironmentSpec;

/// Policies that match a request, sorted, each with how much it matters there.
pub(super) type Matching = Vec<(PolicyIndex, Severity)>;

/// Requests, counted.
#[derive(Debug, Default)]
pub(crate) struct Tally {
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
    let off = off(subject);
    let counted = each_asked((graph, policies, today), |group| {
        let mut tally = Tally::default();
        for one in group {
            if let Some(off) = off.get(&one.request.environment) {
                tally.add(subject, (&one.request, policies.said(&one.question)), off);
            }
        }
        tally
    });
    counted.into_iter().fold(Tally::default(), Tally::join)
}

/// The policies that are switched off, by environment.
fn off(subject: &Subject<'_>) -> BTreeMap<Id<EnvironmentSpec>, Vec<PolicyIndex>> {
    let Subject { graph, policies, environments, .. } = *subject;
    let off = |environment: &Id<EnvironmentSpec>| {
        let off = |at: &PolicyIndex| policies.severity_in(*at, graph, *environment).is_none();
        (*environment, policies.each().filter(off).collect())
    };
    environments.iter().map(off).collect()
}

/// Counts requests while Cedar is asked about them, where one of some policies matches. So what is counted is about these
/// policies alone.
pub(crate) struct Watched<'a> {
    pub(super) subject: Subject<'a>,
    pub(super) wanted: Vec<PolicyIndex>,
    off: BTreeMap<Id<EnvironmentSpec>, Vec<PolicyIndex>>,
}

impl<'a> Watched<'a> {
    /// Nothing yet, about these policies, sorted.
    pub(crate) fn new(subject: Subject<'a>, wanted: Vec<PolicyIndex>) -> Self {
        let off = off(&subject);
        Self { subject, wanted, off }
    }

    /// Counts a request.
    pub(crate) fn look(&self, considered: &Considered<'_>, tally: &mut Tally) {
        if let Some(off) = self.off.get(&considered.request.environment) {
            let said = considered.said_beside(&|at| self.wanted.binary_search(&at).is_ok());
            tally.add(&self.subject, (considered.request, said), off);
        }
    }
}

impl Tally {
    fn add(&mut self, subject: &Subject<'_>, (request, said): (&AccessRequest, Said), off: &[PolicyIndex]) {
        let Subject { graph, policies, .. } = *subject;
        let severity =
            |at: PolicyIndex| policies.severity_in(at, graph, request.environment).unwrap_or(Severity::Note);
        *self.asked.entry((request.action, off.to_vec())).or_default() += 1;
        *self
            .matching
            .entry(said.matching.into_iter().map(|at| (at, severity(at))).collect())
            .or_default() += 1;
        for (at, why) in said.failing {
            self.fail(at, Failed { count: 1, why, first: AccessRequest::clone(request) });
        }
    }

    fn fail(&mut self, at: PolicyIndex, failed: Failed) {
        match self.failed.get_mut(&at) {
            Some(known) => known.count += failed.count,
            None => _ = self.failed.insert(at, failed),
        }
    }

    pub(super) fn join(mut self, other: Self) -> Self {
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
