//! What two sets of policies decide differently, over the requests of one workspace and those combined from what it has.

use std::collections::BTreeMap;
use std::sync::Arc;

use cedar_policy::{Effect, Entities, EntityUid, Policy, Request};
use cedar_policy_core::ast;
use rayon::prelude::*;

use super::Subject;
use super::combined::{Combined, Parts, RequestType, Witness};
use super::verdict::is_about;
use crate::authorize::{Asked, Policies, Question, each_asked, on_large_stacks};
use crate::diagnostic::Severity;
use crate::ir::{Action, PolicyIndex};
use crate::model::Id;
use crate::model::environment::EnvironmentSpec;
use crate::resolve::Graph;

/// What two sets of policies decide about requests of a type.
#[derive(Debug)]
pub struct Compared {
    /// The type of the principal.
    pub principal: String,
    /// What is asked for.
    pub action: Action,
    /// The type of the resource.
    pub resource: String,
    /// Whether the policies about the action are the same, so that nothing was asked.
    pub same: bool,
    /// How many requests of the workspace were asked.
    pub asked: u64,
    /// How many combined ones.
    pub combined: Combined,
    /// What is permitted now, and was not.
    pub permitted: Option<Difference>,
    /// What was permitted, and is not now.
    pub refused: Option<Difference>,
}

/// Requests that are decided differently in one direction.
#[derive(Debug)]
pub struct Difference {
    /// How many of the workspace.
    pub asked: u64,
    /// How many of those that are combined.
    pub combined: u64,
    /// The first, of the workspace if there is one.
    pub first: Witness,
    /// What is said of it: before, and after.
    pub decided: [Decided; 2],
}

/// What a set of policies decides about a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decided {
    /// These permit it.
    Permitted(Vec<PolicyIndex>),
    /// These forbid it.
    Forbidden(Vec<PolicyIndex>),
    /// No policy permits it.
    NotPermitted,
    /// These cannot be evaluated, which stops a run.
    Failed(Vec<PolicyIndex>),
}

impl Decided {
    /// Whether it is permitted.
    pub fn permits(&self) -> bool {
        matches!(self, Self::Permitted(_))
    }

    /// The policies that decide.
    pub fn by(&self) -> &[PolicyIndex] {
        match self {
            Self::Permitted(by) | Self::Forbidden(by) | Self::Failed(by) => by,
            Self::NotPermitted => &[],
        }
    }
}

/// Compares the policies of another revision with those of a workspace, over what the workspace has. At most so many
/// combined requests of a type are asked.
pub fn compare(before: (&Graph, &Policies), after: &Subject<'_>, most: u64) -> Result<Vec<Compared>, String> {
    let sides = [Side::of(before, after), Side::of((after.graph, after.policies), after)];
    let parts = Parts::of(after, |_| true)?;
    let same = |action: Action| sides[0].about(action) == sides[1].about(action);
    let same: BTreeMap<_, _> = Action::ALL.iter().map(|action| (*action, same(*action))).collect();
    let mut asked = asked(&sides, after, &same);
    let compared = |kind: &RequestType| {
        let known = asked.remove(kind).unwrap_or_default();
        let is_same = same.get(&kind.action) == Some(&true);
        let combined = parts.count(kind, if is_same { 0 } else { most });
        let mut found = known.found;
        if !is_same {
            found.join(combine(&sides, &parts, (kind, combined)));
        }
        let [permitted, refused] = found.0.map(|one| one.difference());
        Compared {
            principal: kind.principal.to_string(),
            action: kind.action,
            resource: kind.resource.to_string(),
            same: is_same,
            asked: known.count,
            combined,
            permitted,
            refused,
        }
    };
    Ok(parts.types().iter().map(compared).collect())
}

/// A set of policies, and how much each matters in the environments of the workspace.
struct Side<'a> {
    policies: &'a Policies,
    weights: BTreeMap<Id<EnvironmentSpec>, Vec<Option<Severity>>>,
}

impl<'a> Side<'a> {
    /// An environment that the side does not have changes no severity there.
    fn of((graph, policies): (&'a Graph, &'a Policies), after: &Subject<'_>) -> Self {
        let weights = after.environments.iter().map(|environment| {
            let own = graph.find::<EnvironmentSpec>(after.graph.name(*environment));
            let weight = |at| match own {
                Some(own) => policies.severity_in(at, graph, own),
                None => Some(policies.written_severity(at)),
            };
            (*environment, policies.each().map(weight).collect())
        });
        Self { policies, weights: weights.collect() }
    }

    fn weight(&self, at: PolicyIndex, environment: Id<EnvironmentSpec>) -> Option<Severity> {
        *self.weights.get(&environment)?.get(at.0 as usize)?
    }

    /// What policies say of an action, but for what they are called: effect, scope, conditions and how much each matters
    /// where.
    fn about(&self, action: Action) -> Vec<(String, Vec<Option<Severity>>)> {
        let about = self.policies.each().filter_map(|at| {
            let policy = self.policies.get(at).filter(|policy| is_about(policy, action))?;
            let weights = self.weights.keys().map(|environment| self.weight(at, *environment));
            Some((meaning(policy), weights.collect()))
        });
        let mut about: Vec<_> = about.collect();
        about.sort();
        about
    }

    fn decide(
        &self,
        request: &Request,
        entities: &Arc<Entities>,
        environment: Id<EnvironmentSpec>,
    ) -> Decided {
        let action = request.action().map_or("", |uid| uid.id().unescaped());
        let principals: Vec<EntityUid> = request.principal().map_or_else(Vec::new, |principal| {
            let above = entities.ancestors(principal).into_iter().flatten().cloned();
            std::iter::once(principal.clone()).chain(above).collect()
        });
        let said = self.policies.said(&Question {
            request: request.clone(),
            policies: self.policies.about(action, &principals),
            entities: Arc::clone(entities),
        });
        let is_on = |at: &PolicyIndex| self.weight(*at, environment).is_some();
        let failing: Vec<_> = said.failing.into_iter().map(|(at, _)| at).filter(is_on).collect();
        if !failing.is_empty() {
            return Decided::Failed(failing);
        }
        let effect = |at: &PolicyIndex| self.policies.get(*at).map(Policy::effect);
        let (permits, forbids): (Vec<_>, Vec<_>) =
            said.matching.into_iter().filter(is_on).partition(|at| effect(at) == Some(Effect::Permit));
        let stops = |at: &PolicyIndex| self.weight(*at, environment) == Some(Severity::Mandatory);
        let forbids: Vec<_> = forbids.into_iter().filter(stops).collect();
        match (forbids.is_empty(), permits.is_empty()) {
            (false, _) => Decided::Forbidden(forbids),
            (true, true) => Decided::NotPermitted,
            (true, false) => Decided::Permitted(permits),
        }
    }
}

/// The policies that decide in an environment: those that permit, and those that stop there.
pub fn decisive(policies: &Policies, graph: &Graph, environment: &str) -> Vec<PolicyIndex> {
    let environment = graph.find::<EnvironmentSpec>(environment);
    let decides = |at: &PolicyIndex| match policies.get(*at).map(Policy::effect) {
        Some(Effect::Permit) => true,
        Some(Effect::Forbid) => match environment {
            Some(environment) => policies.severity_in(*at, graph, environment) == Some(Severity::Mandatory),
            None => policies.written_severity(*at) == Severity::Mandatory,
        },
        None => false,
    };
    policies.each().filter(decides).collect()
}

/// What a policy says, without its annotations.
fn meaning(policy: &Policy) -> String {
    let inner: &ast::Policy = policy.as_ref();
    let body = inner.non_scope_constraints().map(ToString::to_string).unwrap_or_default();
    let scope = (inner.principal_constraint(), inner.action_constraint(), inner.resource_constraint());
    format!("{} ({}, {}, {}) {body}", inner.effect(), scope.0, scope.1, scope.2)
}

/// Requests that are decided differently, in one direction.
#[derive(Default)]
struct Counted {
    asked: u64,
    combined: u64,
    first: Option<(Witness, [Decided; 2])>,
}

impl Counted {
    fn difference(self) -> Option<Difference> {
        let Self { asked, combined, first } = self;
        first.map(|(first, decided)| Difference { asked, combined, first, decided })
    }

    fn join(&mut self, other: Self) {
        self.asked += other.asked;
        self.combined += other.combined;
        self.first = self.first.take().or(other.first);
    }
}

/// What is permitted now, and what is refused now.
#[derive(Default)]
struct Both([Counted; 2]);

impl Both {
    /// What a request adds: nothing where both sides decide it alike.
    fn of(sides: &[Side<'_>; 2], witness: Witness, entities: &Arc<Entities>) -> Self {
        let decided =
            [&sides[0], &sides[1]].map(|side| side.decide(&witness.request, entities, witness.environment));
        let [before, after] = [decided[0].permits(), decided[1].permits()];
        let (asked, combined) = (u64::from(witness.asked.is_some()), u64::from(witness.asked.is_none()));
        let counted = Counted { asked, combined, first: Some((witness, decided)) };
        match (before, after) {
            (false, true) => Self([counted, Counted::default()]),
            (true, false) => Self([Counted::default(), counted]),
            (true, true) | (false, false) => Self::default(),
        }
    }

    fn join(&mut self, other: Self) {
        self.0.iter_mut().zip(other.0).for_each(|(one, other)| one.join(other));
    }

    fn joined(mut self, other: Self) -> Self {
        self.join(other);
        self
    }
}

/// What was asked of a type.
#[derive(Default)]
struct Known {
    count: u64,
    found: Both,
}

/// The requests of the workspace, by type.
fn asked(
    sides: &[Side<'_>; 2],
    after: &Subject<'_>,
    same: &BTreeMap<Action, bool>,
) -> BTreeMap<RequestType, Known> {
    let groups = each_asked((after.graph, after.policies, after.today), |group| {
        let mut known: BTreeMap<RequestType, Known> = BTreeMap::new();
        for Asked { request, question } in group {
            let Some((principal, resource)) = question.request.principal().zip(question.request.resource())
            else {
                continue;
            };
            if !after.environments.contains(&request.environment) {
                continue;
            }
            let [principal, resource] = [principal, resource].map(|uid| uid.type_name().clone());
            let known = known.entry(RequestType { principal, action: request.action, resource }).or_default();
            known.count += 1;
            if same.get(&request.action) != Some(&true) {
                let witness = Witness {
                    request: question.request.clone(),
                    environment: request.environment,
                    asked: Some(request.clone()),
                };
                known.found.join(Both::of(sides, witness, &question.entities));
            }
        }
        known
    });
    let mut all: BTreeMap<RequestType, Known> = BTreeMap::new();
    for (kind, known) in groups.into_iter().flatten() {
        let all = all.entry(kind).or_default();
        all.count += known.count;
        all.found.join(known.found);
    }
    all
}

/// The combined requests of a type.
fn combine(sides: &[Side<'_>; 2], parts: &Parts, (kind, combined): (&RequestType, Combined)) -> Both {
    let one = |nth| match parts.nth(kind, combined, nth) {
        Some(witness) => Both::of(sides, witness, &parts.entities),
        None => Both::default(),
    };
    // Joined in order, so that the first is the same whatever the threads.
    on_large_stacks(|| (0..combined.tried).into_par_iter().map(one).reduce(Both::default, Both::joined))
}
