//! Verdicts, and the proof that everything in an environment was permitted.

use std::collections::{BTreeMap, BTreeSet};

use crate::ir::{Decision, Outcome, PolicyFact, PolicyIndex, Principal, Waiving};
use crate::model::Id;
use crate::model::environment::EnvironmentSpec;
use crate::resolve::Graph;
use crate::waive::Waivers;

/// Every verdict of a run. Anyone may read it; no target accepts it.
#[derive(Debug)]
pub struct Decisions {
    all: Vec<Decision>,
    policies: Vec<PolicyFact>,
    by_environment: BTreeMap<Id<EnvironmentSpec>, Vec<usize>>,
    by_principal: BTreeMap<Id<EnvironmentSpec>, BTreeMap<Principal, Vec<usize>>>,
    refused: BTreeSet<Id<EnvironmentSpec>>,
    sound: bool,
    asked: bool,
}

impl Decisions {
    /// Keeps verdicts. Only [`decide`](super::decide) calls this, with what Cedar said; `sound` is whether nothing
    /// else stopped the run. A verdict that needs a waiver holds while each of its waivers does.
    pub(super) fn new(
        all: Vec<Decision>,
        policies: Vec<PolicyFact>,
        (waivers, sound): (&Waivers<'_>, bool),
    ) -> Self {
        let mut by_environment: BTreeMap<_, Vec<usize>> = BTreeMap::new();
        let mut by_principal: BTreeMap<_, BTreeMap<_, Vec<usize>>> = BTreeMap::new();
        let mut refused = BTreeSet::new();
        for (at, decision) in all.iter().enumerate() {
            let environment = decision.request.environment;
            by_environment.entry(environment).or_default().push(at);
            let here = by_principal.entry(environment).or_default();
            here.entry(decision.request.principal).or_default().push(at);
            let waived = decision.waived.iter().all(|waiving| waivers.holds(waiving.waiver));
            if !decision.permitted() || !waived {
                refused.insert(environment);
            }
        }
        Self { all, policies, by_environment, by_principal, refused, sound, asked: true }
    }

    /// No verdict at all, because the policies cannot be read; nothing is approved.
    pub(crate) fn none(policies: &super::Policies, waivers: &Waivers<'_>) -> Self {
        Self { asked: false, ..Self::new(Vec::new(), policies.facts().to_vec(), (waivers, false)) }
    }

    /// Takes every approval back: something was found after policies were asked.
    pub(crate) fn withhold(&mut self) {
        self.sound = false;
    }

    /// Whether policies were asked at all.
    pub fn asked(&self) -> bool {
        self.asked
    }

    /// Every verdict, in the order of resources.
    pub fn all(&self) -> &[Decision] {
        &self.all
    }

    /// The verdicts of an environment.
    pub fn of(&self, environment: Id<EnvironmentSpec>) -> impl Iterator<Item = &Decision> {
        let positions = self.by_environment.get(&environment).map_or(&[][..], Vec::as_slice);
        positions.iter().filter_map(|at| self.all.get(*at))
    }

    /// The policies that were asked.
    pub fn policies(&self) -> &[PolicyFact] {
        &self.policies
    }

    /// The policy at a position.
    pub fn policy(&self, index: PolicyIndex) -> Option<&PolicyFact> {
        self.policies.get(index.0 as usize)
    }

    /// What may be compiled for an environment: everything that it asked for, or nothing.
    pub fn approved<'d>(
        &'d self,
        graph: &'d Graph,
        environment: Id<EnvironmentSpec>,
    ) -> Option<ApprovedGrants<'d>> {
        let approved = self.sound && !self.refused.contains(&environment);
        approved.then_some(ApprovedGrants { graph, decisions: self, environment })
    }
}

/// Grants of one environment, all of them permitted by Cedar. Only [`Decisions::approved`] makes one, and only
/// [`decide`](super::decide) makes those.
///
/// ```compile_fail
/// use aipolicy_compiler::authorize::ApprovedGrants;
/// fn forge(graph: &aipolicy_compiler::resolve::Graph, decisions: &aipolicy_compiler::authorize::Decisions) {
///     let environment = graph.find("prod").unwrap();
///     let forged = ApprovedGrants { graph, decisions, environment };
/// }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ApprovedGrants<'d> {
    graph: &'d Graph,
    decisions: &'d Decisions,
    environment: Id<EnvironmentSpec>,
}

/// A permitted request with the policies that permitted it.
#[derive(Clone, Copy, Debug)]
pub struct Grant<'d> {
    /// The request and its verdict.
    pub decision: &'d Decision,
    /// The policies that permitted it; never none.
    pub policies: &'d [PolicyIndex],
    /// The policies that forbid it, each with the waiver because of which that does not stop it.
    pub waived: &'d [Waiving],
}

impl<'d> Grant<'d> {
    fn of(decision: &'d Decision) -> Option<Self> {
        match &decision.outcome {
            Outcome::Permitted(policies) => Some(Self { decision, policies, waived: &decision.waived }),
            Outcome::Forbidden(_) | Outcome::NotPermitted => None,
        }
    }
}

impl<'d> ApprovedGrants<'d> {
    /// The resources that the grants came from.
    pub fn graph(&self) -> &'d Graph {
        self.graph
    }

    /// The environment.
    pub fn environment(&self) -> Id<EnvironmentSpec> {
        self.environment
    }

    /// Every grant, in the order of resources.
    pub fn grants(&self) -> impl Iterator<Item = Grant<'d>> + use<'d> {
        self.decisions.of(self.environment).filter_map(Grant::of)
    }

    /// Everybody who was granted something, with all of it, in the order of resources.
    pub fn by_principal(&self) -> impl Iterator<Item = (Principal, Vec<Grant<'d>>)> + use<'d> {
        let decisions = self.decisions;
        let here = decisions.by_principal.get(&self.environment).into_iter().flatten();
        here.map(|(principal, positions)| {
            let found = positions.iter().filter_map(|at| decisions.all.get(*at));
            (*principal, found.filter_map(Grant::of).collect())
        })
    }

    /// The policy at a position.
    pub fn policy(&self, index: PolicyIndex) -> Option<&'d PolicyFact> {
        self.decisions.policy(index)
    }
}
