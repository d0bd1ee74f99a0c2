//! Why a policy matches nothing: which of its parts never held, and whether it could match at all.

use std::collections::BTreeMap;

use cedar_policy::Effect;
use rayon::prelude::*;

use super::combined::{Combined, Parts, Witness, context_keys};
use super::verdict::is_about;
use super::{Inspected, Never, Subject, Vacuous, Verdict};
use crate::authorize::{each_asked, on_large_stacks};
use crate::clause::{Clauses, Seen, Tree};
use crate::ir::{Action, PolicyIndex};

/// So many combined requests of a type are asked.
const TRIED: u64 = 20_000;

/// Says of each policy that matches nothing why, if it is wanted.
pub(super) fn explain(subject: &Subject<'_>, all: &mut [Inspected], wanted: impl Fn(PolicyIndex) -> bool) {
    let vacuous = |one: &&mut Inspected| matches!(one.verdict, Verdict::Vacuous(_)) && wanted(one.policy);
    let mut found: Vec<_> = all.iter_mut().filter(vacuous).collect();
    if found.is_empty() {
        return;
    }
    let which: Vec<_> = found.iter().map(|one| one.policy).collect();
    let mut never = never(subject, &which);
    let about = |action: Action| {
        which.iter().filter_map(|at| subject.policies.get(*at)).any(|policy| is_about(policy, action))
    };
    let parts = Parts::of(subject, about).ok();
    for one in &mut found {
        let tried = parts.as_ref().map(|parts| first(subject, parts, one.policy));
        let (combined, witness) = tried.unzip();
        let told = Vacuous {
            never: never.remove(&one.policy).unwrap_or_default(),
            combined,
            witness: witness.flatten().map(Box::new),
        };
        let forbids = subject.policies.get(one.policy).is_some_and(|found| found.effect() == Effect::Forbid);
        one.verdict = match (forbids, &told.witness) {
            (true, Some(_)) => Verdict::Guards(told),
            (true | false, _) => Verdict::Vacuous(told),
        };
    }
}

/// How often a part was true and false.
#[derive(Clone, Copy, Default)]
struct Counted {
    looked: usize,
    held: [usize; 2],
}

/// The parts of each policy that would have had to be something else for any request.
fn never(subject: &Subject<'_>, which: &[PolicyIndex]) -> BTreeMap<PolicyIndex, Vec<Never>> {
    let Subject { graph, policies, today, environments } = *subject;
    let read = |at: &PolicyIndex| {
        let (policy, fact) = policies.get(*at).zip(policies.facts().get(at.0 as usize))?;
        Some((*at, policy, Clauses::of(policy, fact.span)))
    };
    let read: Vec<_> = which.iter().filter_map(read).collect();
    let empty = || read.iter().map(|(.., clauses)| vec![Counted::default(); clauses.all.len()]);
    let counted = each_asked((graph, policies, today), |group| {
        let mut counted: Vec<Vec<Counted>> = empty().collect();
        for one in group.iter().filter(|one| environments.contains(&one.request.environment)) {
            for ((at, policy, clauses), counted) in read.iter().zip(&mut counted) {
                let on = policies.severity_in(*at, graph, one.request.environment).is_some();
                if on && is_about(policy, one.request.action) {
                    let walk = clauses.walk(&one.question.request, &one.question.entities);
                    counted.iter_mut().zip(&walk.seen).for_each(|(counted, seen)| counted.add(seen));
                }
            }
        }
        counted
    });
    let sum = counted.into_iter().fold(empty().collect::<Vec<_>>(), |mut sum, group| {
        let pairs = sum.iter_mut().flatten().zip(group.into_iter().flatten());
        pairs.for_each(|(sum, one)| sum.join(one));
        sum
    });
    let told = read.iter().zip(sum).map(|((at, _, clauses), counted)| (*at, stuck(clauses, &counted)));
    told.collect()
}

impl Counted {
    fn add(&mut self, seen: &Seen) {
        match seen {
            Seen::True => self.held[1] += 1,
            Seen::False => self.held[0] += 1,
            Seen::Failed(_) => {}
            Seen::Skipped(_) => return,
        }
        self.looked += 1;
    }

    fn join(&mut self, other: Self) {
        self.looked += other.looked;
        self.held.iter_mut().zip(other.held).for_each(|(sum, one)| *sum += one);
    }
}

/// Parts that were looked at and never were what they had to be.
fn stuck(clauses: &Clauses, counted: &[Counted]) -> Vec<Never> {
    let mut needed = vec![None; clauses.all.len()];
    clauses.tree.iter().for_each(|tree| need(tree, true, &mut needed));
    let all = clauses.all.iter().zip(needed).zip(counted);
    let stuck = all.filter_map(|((clause, needed), counted)| {
        let was: bool = needed?;
        let held = counted.held.get(usize::from(was)).copied();
        (counted.looked > 0 && held == Some(0)).then_some(Never {
            span: clause.span,
            was,
            looked: counted.looked,
        })
    });
    stuck.collect()
}

/// What each part has to be so that the policy can match; nothing for one that may be either.
fn need(tree: &Tree, value: bool, needed: &mut [Option<bool>]) {
    match tree {
        Tree::Clause(at) => needed.get_mut(*at).into_iter().for_each(|one| *one = Some(value)),
        Tree::Not(inner, _) => need(inner, !value, needed),
        Tree::And(left, right, _) | Tree::Or(left, right, _) => {
            need(left, value, needed);
            need(right, value, needed);
        }
        Tree::If(_, then, other) => {
            need(then, value, needed);
            need(other, value, needed);
        }
    }
}

/// The first combined request that a policy matches, and among how many.
fn first(subject: &Subject<'_>, parts: &Parts, at: PolicyIndex) -> (Combined, Option<Witness>) {
    let policies = subject.policies;
    let Some(policy) = policies.get(at) else { return (Combined::default(), None) };
    let keys = context_keys(policies, at);
    let mut all = Combined::default();
    for kind in parts.types().iter().filter(|kind| is_about(policy, kind.action)) {
        let varied = parts.varied(kind, &keys);
        let combined = varied.count(kind, TRIED);
        let matching = |nth| {
            let witness = varied.nth(kind, combined, nth)?;
            let matches = policies.matches(at, &witness.request, &parts.entities) == Some(true);
            matches.then_some(witness)
        };
        let found = on_large_stacks(|| (0..combined.tried).into_par_iter().find_map_first(matching));
        all.tried += combined.tried;
        all.of = all.of.saturating_add(combined.of);
        all.contexts_left_out += combined.contexts_left_out;
        if found.is_some() {
            return (all, found);
        }
    }
    (all, None)
}
