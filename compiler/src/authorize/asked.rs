//! Every request of a workspace with the question that Cedar is asked about it, and everything that could be asked about.

use std::collections::BTreeSet;
use std::sync::Arc;

use cedar_policy::{Entities, EntityUid, PolicySet, Request};
use cedar_policy_core::ast;
use cedar_policy_core::evaluator::Evaluator;
use cedar_policy_core::extensions::Extensions;
use rayon::prelude::*;

use super::{Court, POOL, Policies, Question, derive, entities};
use crate::diagnostic::Severity;
use crate::ir::{AccessRequest, PolicyIndex};
use crate::model::Id;
use crate::model::environment::{EnvironmentSpec, SeverityWord};
use crate::model::value::Date;
use crate::resolve::Graph;

/// A request as resources make it, and as Cedar is asked about it.
#[derive(Clone, Debug)]
pub struct Asked {
    /// As resources make it.
    pub request: AccessRequest,
    /// As Cedar is asked, with every policy that can have a say there.
    pub question: Question,
}

/// Looks at every request that [`super::decide`] asks about, a group at a time and several groups at once, on threads on
/// which each policy can be evaluated. Results are in the order of groups. What cannot be asked is left out, and is an error
/// of the run.
pub fn each_asked<T: Send>(
    (graph, policies, today): (&Graph, &Policies, Date),
    look: impl Fn(&[Asked]) -> T + Sync,
) -> Vec<T> {
    let court = Court::new(graph, policies, today);
    let groups = derive::requests(graph);
    on_large_stacks(|| groups.into_par_iter().map(|group| look(&court.asked(group))).collect())
}

/// Runs what evaluates policies where each that is read can be evaluated.
pub(crate) fn on_large_stacks<T: Send>(run: impl FnOnce() -> T + Send) -> T {
    match POOL.as_ref() {
        Some(pool) => pool.install(run),
        None => run(),
    }
}

/// Everything in a workspace that policies may speak about, or why it cannot be put together.
pub fn everything(graph: &Graph, policies: &Policies, today: Date) -> Result<Entities, String> {
    let court = Court::new(graph, policies, today);
    let mut all = entities::Slice::new(&court.shared);
    entities::every_key(graph).for_each(|key| all.add(key));
    all.finish()
}

impl Policies {
    /// Every policy, in order.
    pub fn each(&self) -> impl Iterator<Item = PolicyIndex> + use<> {
        (0..u32::try_from(self.facts.len()).unwrap_or(u32::MAX)).map(PolicyIndex)
    }

    /// How much a policy matters in an environment; nothing where it is switched off.
    pub fn severity_in(
        &self,
        policy: PolicyIndex,
        graph: &Graph,
        environment: Id<EnvironmentSpec>,
    ) -> Option<Severity> {
        let written = self.written_severity(policy);
        let at = policy.0 as usize;
        let forbids = self.effects.get(at) == Some(&cedar_policy::Effect::Forbid);
        let found = graph.resource(environment).zip(self.facts.get(at)).filter(|_| forbids);
        found.map_or(Some(written), |(environment, fact)| environment.spec.severity_of(&fact.id, written))
    }

    /// How much a policy matters where no environment says anything else.
    pub(crate) fn written_severity(&self, policy: PolicyIndex) -> Severity {
        self.severity.get(policy.0 as usize).copied().unwrap_or(Severity::Mandatory)
    }

    /// The policies that can have a say about an action and a principal: itself, then those above it.
    pub(crate) fn about(&self, action: &str, principals: &[EntityUid]) -> Arc<PolicySet> {
        self.index.candidates(action, principals, &BTreeSet::new())
    }

    /// Some of the policies, as a set of Cedar.
    pub fn set(&self, chosen: &[PolicyIndex]) -> PolicySet {
        let policies = chosen.iter().filter_map(|at| self.get(*at).cloned());
        PolicySet::from_policies(policies).unwrap_or_default()
    }

    /// Whether a policy matches a request; nothing where it cannot be evaluated.
    pub(crate) fn matches(&self, at: PolicyIndex, request: &Request, entities: &Entities) -> Option<bool> {
        let request: &ast::Request = request.as_ref();
        let policy: &ast::Policy = self.get(at)?.as_ref();
        let evaluator = Evaluator::new(request.clone(), entities.as_ref(), Extensions::all_available());
        evaluator.evaluate(policy).ok()
    }
}

impl Court<'_> {
    pub(super) fn asked(&self, group: Vec<AccessRequest>) -> Vec<Asked> {
        let Ok(entities) = self.entities(&group) else { return Vec::new() };
        let entities = Arc::new(entities);
        let asked = |request: AccessRequest| {
            let principals = entities::principal(self.graph, request.principal);
            let off = self.switched(request.environment, SeverityWord::Off);
            let question = Question {
                request: self.question(&request, &principals).ok()?,
                policies: self.policies.index.candidates(request.action.word(), &principals, &off),
                entities: Arc::clone(&entities),
            };
            Some(Asked { request, question })
        };
        group.into_iter().filter_map(asked).collect()
    }
}
