//! Which clauses of policies were true and which were false in some request; and of each that was not, why.

use std::collections::BTreeMap;

use crate::authorize::{Policies, Question, on_large_stacks};
use crate::clause::{Clause, Clauses, Part, Seen};
use crate::ir::PolicyIndex;

/// What became of a policy in all requests.
#[derive(Clone, Debug)]
pub struct PolicyCover {
    /// The policy.
    pub policy: PolicyIndex,
    /// In how many requests it matched.
    pub matched: usize,
    /// Its clauses.
    pub clauses: Vec<ClauseCover>,
}

/// What became of a clause in all requests.
#[derive(Clone, Debug)]
pub struct ClauseCover {
    /// The clause.
    pub clause: Clause,
    /// In how many requests it was true.
    pub true_in: usize,
    /// In how many requests it was false.
    pub false_in: usize,
    /// In how many requests it could not be evaluated.
    pub failed_in: usize,
    /// In how many requests it was not looked at, by the clause that had decided before and the value of that; one that
    /// could not be evaluated has none.
    pub skipped: BTreeMap<(usize, Option<bool>), usize>,
    /// Values that it should have had in some request, and had in none.
    pub gaps: Vec<Gap>,
}

/// A value that a clause never had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The value.
    pub value: bool,
    /// Why not.
    pub why: Why,
}

/// Why a clause never had a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// Nothing was asked at all.
    NothingAsked,
    /// It had the other value in each of so many requests that reached it.
    Always {
        /// How many.
        requests: usize,
    },
    /// It was never looked at, since another clause had decided before.
    Unreached {
        /// The position of the last clause that did: requests that came so far came closest.
        by: usize,
        /// Its value; nothing where it could not be evaluated.
        value: Option<bool>,
        /// In how many requests.
        requests: usize,
    },
    /// It could not be evaluated wherever it was looked at.
    Failed {
        /// In how many requests.
        requests: usize,
    },
}

impl PolicyCover {
    /// How many values its clauses should have had, and how many of them they had.
    pub fn count(&self) -> (usize, usize) {
        let wanted: usize = self.clauses.iter().map(|one| wanted(&one.clause).len()).sum();
        let missed: usize = self.clauses.iter().map(|one| one.gaps.len()).sum();
        (wanted, wanted.saturating_sub(missed))
    }
}

/// The values that tests should show a clause with. What a scope excludes is not looked at any further, so there it is
/// enough to match.
fn wanted(clause: &Clause) -> &'static [bool] {
    match (clause.part, clause.constant) {
        (Part::Principal | Part::Action | Part::Resource, _) | (Part::Condition, Some(true)) => &[true],
        (Part::Condition, Some(false)) => &[false],
        (Part::Condition, None) => &[true, false],
    }
}

/// Evaluates these policies for every request.
pub fn cover<'q>(
    policies: &Policies,
    chosen: &[PolicyIndex],
    questions: impl Iterator<Item = &'q Question> + Clone + Send + Sync,
) -> Vec<PolicyCover> {
    let one = |at: &PolicyIndex| {
        let (policy, fact) = policies.get(*at).zip(policies.facts().get(at.0 as usize))?;
        Some(cover_one(*at, &Clauses::of(policy, fact.span), questions.clone()))
    };
    on_large_stacks(|| chosen.iter().filter_map(one).collect())
}

fn cover_one<'q>(
    policy: PolicyIndex,
    clauses: &Clauses,
    questions: impl Iterator<Item = &'q Question>,
) -> PolicyCover {
    let start = |clause: &Clause| ClauseCover {
        clause: clause.clone(),
        true_in: 0,
        false_in: 0,
        failed_in: 0,
        skipped: BTreeMap::new(),
        gaps: Vec::new(),
    };
    let mut cover = PolicyCover { policy, matched: 0, clauses: clauses.all.iter().map(start).collect() };
    for question in questions {
        let walk = clauses.walk(&question.request, &question.entities);
        cover.matched += usize::from(walk.matches == Some(true));
        let value = |at: usize| match walk.seen.get(at) {
            Some(Seen::True) => Some(true),
            Some(Seen::False) => Some(false),
            Some(Seen::Failed(_) | Seen::Skipped(_)) | None => None,
        };
        for (one, seen) in cover.clauses.iter_mut().zip(&walk.seen) {
            match seen {
                Seen::True => one.true_in += 1,
                Seen::False => one.false_in += 1,
                Seen::Failed(_) => one.failed_in += 1,
                Seen::Skipped(by) => *one.skipped.entry((*by, value(*by))).or_default() += 1,
            }
        }
    }
    for one in &mut cover.clauses {
        let had = |value: bool| if value { one.true_in } else { one.false_in };
        let missing = wanted(&one.clause).iter().filter(|value| had(**value) == 0);
        one.gaps = missing.map(|value| Gap { value: *value, why: why(one, had(!value)) }).collect();
    }
    cover
}

fn why(one: &ClauseCover, other: usize) -> Why {
    match (other, one.failed_in, one.skipped.last_key_value()) {
        (0, 0, None) => Why::NothingAsked,
        (0, 0, Some((&(by, value), &requests))) => Why::Unreached { by, value, requests },
        (0, failed, _) => Why::Failed { requests: failed },
        (requests, _, _) => Why::Always { requests },
    }
}
