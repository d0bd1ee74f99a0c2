//! What each policy does over the requests of a workspace, and what two sets of policies decide differently.

mod combined;
mod compare;
mod fails;
mod tally;
mod verdict;
mod vocabulary;
mod why;

use crate::authorize::Policies;
use crate::ir::{AccessRequest, PolicyIndex};
use crate::model::Id;
use crate::model::environment::EnvironmentSpec;
use crate::model::value::Date;
use crate::resolve::Graph;
use crate::source::Span;

pub use combined::{Combined, Witness, context_keys};
pub use compare::{Compared, Decided, Difference, compare, decisive};
pub(crate) use tally::{Tally, Watched};
pub use vocabulary::{Ranked, Shape, Vocabulary, Words, vocabulary};

/// Policies, and what they are asked about.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The workspace.
    pub graph: &'a Graph,
    /// Its policies.
    pub policies: &'a Policies,
    /// The day on which they are asked.
    pub today: Date,
    /// The environments that are meant.
    pub environments: &'a [Id<EnvironmentSpec>],
}

/// What policies do over the requests of a workspace. Waivers are not looked at.
#[derive(Debug)]
pub struct Inspection {
    /// How many requests were asked.
    pub asked: usize,
    /// Each policy, in order.
    pub policies: Vec<Inspected>,
}

/// What a policy does.
#[derive(Debug)]
pub struct Inspected {
    /// Which policy.
    pub policy: PolicyIndex,
    /// How many requests to its actions were asked where it is switched on.
    pub asked: usize,
    /// How many of them it matches.
    pub matched: usize,
    /// What that amounts to.
    pub verdict: Verdict,
    /// Parts that fail for some values that the schema allows.
    pub may_fail: Vec<MayFail>,
    /// Requests for which it could not be evaluated.
    pub failed: Option<Failed>,
}

/// What the matches of a policy amount to.
#[derive(Debug)]
pub enum Verdict {
    /// Without it some decision, or some finding of an advisory policy, would be another one.
    Decides,
    /// It matches no request.
    Vacuous(Vacuous),
    /// A `forbid` that matches no request, and would match one that is combined.
    Guards(Vacuous),
    /// One other policy with the same effect matches each request that it matches.
    Shadowed {
        /// The other policy.
        by: PolicyIndex,
        /// Whether they match the same requests.
        mutual: bool,
    },
    /// Without it nothing would be decided differently.
    Redundant {
        /// The policies that decide in its place, sorted.
        beside: Vec<PolicyIndex>,
        /// How many of the requests that it forbids are permitted by nothing.
        not_permitted: usize,
    },
    /// A `permit` of which each request is forbidden, by these policies.
    Overridden(Vec<PolicyIndex>),
    /// It is switched off wherever it could be asked.
    Off,
    /// It is about changes of the world alone, which are asked about when they are planned.
    Changes,
}

/// Why a policy matches nothing.
#[derive(Debug, Default)]
pub struct Vacuous {
    /// Parts that held for no request, of those that were looked at.
    pub never: Vec<Never>,
    /// Requests that are combined from the entities and contexts of the workspace.
    pub combined: Option<Combined>,
    /// The first of them that it matches.
    pub witness: Option<Box<Witness>>,
}

/// A part of a policy that would have had to be another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Never {
    /// Where it is written.
    pub span: Span,
    /// What it never was.
    pub was: bool,
    /// For how many requests it was looked at.
    pub looked: usize,
}

/// A part of a policy that fails for some values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MayFail {
    /// Where it is written.
    pub span: Span,
    /// Why it may fail.
    pub why: String,
}

/// Requests for which a policy could not be evaluated.
#[derive(Debug)]
pub struct Failed {
    /// How many.
    pub count: usize,
    /// Why, for the first.
    pub why: String,
    /// The first.
    pub first: AccessRequest,
}

/// Asks what every policy does. `detailed` are those of which is told why they match nothing.
pub fn inspect(subject: &Subject<'_>, detailed: impl Fn(PolicyIndex) -> bool) -> Inspection {
    let tally = tally::count(subject);
    let mut all: Vec<_> = subject.policies.each().map(|at| verdict::of(subject, &tally, at)).collect();
    why::explain(subject, &mut all, detailed);
    Inspection { asked: tally.asked.values().sum(), policies: all }
}

impl Watched<'_> {
    /// What these policies do, by what was counted. Where another one stands in for one of them, nothing was counted of what
    /// that one does elsewhere, so `mutual` is not known.
    pub(crate) fn conclude(&self, counted: Vec<Tally>) -> Inspection {
        let tally = counted.into_iter().fold(Tally::default(), Tally::join);
        let policies = self.wanted.iter().map(|at| verdict::of(&self.subject, &tally, *at)).collect();
        Inspection { asked: tally.asked.values().sum(), policies }
    }
}
