//! Two sets of policies, compared: what one allows that the other does not, proven over all requests, with a witness.

mod atoms;
mod block;
mod draft;
mod line;
mod search;
mod space;
mod witness;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::canonical::CanonicalStatement;
use crate::document::{Document, Version};
use crate::evaluate::{Layer, Policies};
use crate::request::Request;
use atoms::Memory;
use search::{Found, Placed, Scope, Search};
use witness::Candidate;

/// How two sets of policies relate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// What the second allows and the first does not.
    pub gained: Change,
    /// What the first allows and the second does not.
    pub lost: Change,
}

/// What one side allows beyond the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Nothing: of all requests, there is none.
    Nothing,
    /// At least this, one difference for each statement that allows more. Each has a request that was decided by both
    /// sides.
    Shown(Vec<Difference>),
    /// Nothing was shown, and not all could be ruled out, for these reasons.
    NotProven(Vec<String>),
}

/// What a statement allows that the other side does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The statement that allows.
    pub allowed_by: Place,
    /// The statement of the other side that denies, where one does; otherwise nothing there allows.
    pub denied_by: Option<Place>,
    /// A request that is allowed on the one side and not on the other.
    pub witness: Request,
    /// Whether the action of the witness is in the catalog, and its resource of a type that the action is about. Where
    /// not, the difference is one of actions or resources that nobody knows.
    pub known: bool,
}

/// Where a statement stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The name that the policy was handed in with.
    pub policy: String,
    /// The place of the statement in it, counted from 0.
    pub statement: usize,
    /// Its `Sid`.
    pub sid: Option<String>,
}

/// In one word, how the second side relates to the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Relation {
    /// Every request is decided alike.
    Equal,
    /// It allows less.
    Narrower,
    /// It allows more.
    Wider,
    /// It allows some requests that the first does not, and the other way round.
    Incomparable,
    /// It could not be told.
    NotProven,
}

impl fmt::Display for Relation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Equal => "equal",
            Self::Narrower => "narrower",
            Self::Wider => "wider",
            Self::Incomparable => "incomparable",
            Self::NotProven => "not proven",
        })
    }
}

impl Comparison {
    /// The relation of the second side to the first.
    #[must_use]
    pub fn relation(&self) -> Relation {
        match (&self.gained, &self.lost) {
            (Change::Nothing, Change::Nothing) => Relation::Equal,
            (Change::Nothing, Change::Shown(_)) => Relation::Narrower,
            (Change::Shown(_), Change::Nothing) => Relation::Wider,
            (Change::Shown(_), Change::Shown(_)) => Relation::Incomparable,
            (Change::NotProven(_), _) | (_, Change::NotProven(_)) => Relation::NotProven,
        }
    }
}

/// Compares what two sets of policies allow, over every request.
///
/// `Nothing` is a proof, and each difference has a witness which both sides decided. It is exact for wildcards,
/// `NotAction`, `NotResource`, principals, and all operators on texts, ARNs, numbers, addresses and booleans with
/// `IfExists`, `Null` and set operators; policy variables are compared as what stands for the same unknown text. What
/// goes beyond ends in [`Change::NotProven`].
///
/// Of the layers, identity policies, a boundary, session policies and control policies may come together, or resource
/// policies (with them trust policies) alone.
///
/// ```
/// use aipolicy_iam::{Change, Policies, Relation, compare, read};
///
/// let policies = |resource: &str| {
///     let text = format!(r#"{{"Statement": {{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "{resource}"}}}}"#);
///     Policies::default().identity("reports", &read(&text).unwrap())
/// };
/// let compared = compare(&policies("arn:aws:s3:::reports/2026/*"), &policies("arn:aws:s3:::reports/*"));
/// assert_eq!(compared.relation(), Relation::Wider);
/// let Change::Shown(gained) = compared.gained else { panic!() };
/// assert_eq!(gained[0].witness.resource, "arn:aws:s3:::reports/example");
/// ```
#[must_use]
pub fn compare(before: &Policies, after: &Policies) -> Comparison {
    let mut memory = Memory::default();
    Comparison { gained: beyond(after, before, &mut memory), lost: beyond(before, after, &mut memory) }
}

/// What `mine` allows and `other` does not.
fn beyond(mine: &Policies, other: &Policies, memory: &mut Memory) -> Change {
    let mut twins = BTreeMap::new();
    let Some(about) = About::of([mine, other]) else { return Change::NotProven(vec![MIXED.to_owned()]) };
    let [my_scope, other_scope] = [mine, other].map(|policies| scope(policies, about, &mut twins));
    let Ok((found, mut reasons)) = Search::new(&my_scope, &other_scope, memory).run() else {
        return Change::NotProven(vec![TOO_MANY.to_owned()]);
    };
    if found.leftovers.is_empty() {
        return Change::Nothing;
    }
    let shown = differences(&found, about, [mine, other]);
    if !shown.is_empty() {
        return Change::Shown(shown);
    }
    for (reading, space) in found.leftovers.iter().filter_map(|one| found.spaces.get(one.space)) {
        reasons.extend(space.reasons.iter().cloned());
        if !reading.over_colons {
            reasons.insert(COLONS.to_owned());
        }
    }
    let statements = my_scope.layers.iter().chain(&other_scope.layers).flatten();
    let variables: BTreeSet<String> = statements.flat_map(Placed::variables).collect();
    reasons.extend(variables.iter().map(|key| format!("`${{{key}}}` may stand for any text")));
    if reasons.is_empty() {
        reasons.insert("requests seem to differ, and none was found that does".to_owned());
    }
    Change::NotProven(reasons.into_iter().collect())
}

const TOO_MANY: &str = "more kinds of requests are told apart than are counted; wildcards in the middle of patterns multiply them";
const MIXED: &str =
    "resource policies are compared by themselves, and not together with policies of a caller";
const COLONS: &str = "whether `*` stands for `:` where it does not end a part of the ARN, AWS does not say";

/// How many requests are tried before a leftover counts as not shown.
const TRIED: usize = 20_000;

/// The leftovers of which a request was found that both sides decided so, one for each statement.
fn differences(found: &Found<'_>, about: About, [mine, other]: [&Policies; 2]) -> Vec<Difference> {
    let mut shown: BTreeMap<Place, Difference> = BTreeMap::new();
    let mut left = TRIED;
    for leftover in &found.leftovers {
        let allowed_by = place(mine, leftover.allowed_by);
        let Some((_, space)) = found.spaces.get(leftover.space) else { continue };
        if shown.get(&allowed_by).is_some_and(|difference| difference.known) {
            continue;
        }
        let candidates = witness::candidates(leftover, space).take(left);
        let mut tried = 0;
        let witness = candidates
            .inspect(|_| tried += 1)
            .find(|Candidate { request, .. }| about.allows(mine, request) && !about.allows(other, request));
        left -= tried;
        if let Some(Candidate { request, known }) = witness
            && (known || !shown.contains_key(&allowed_by))
        {
            let denied_by = leftover.denied_by.map(|deny| place(other, deny));
            let difference =
                Difference { allowed_by: allowed_by.clone(), denied_by, witness: request, known };
            shown.insert(allowed_by, difference);
        }
    }
    shown.into_values().collect()
}

/// What policies are about: who asks, or what is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum About {
    /// Everything that a caller may do.
    Caller,
    /// What a resource policy, such as the trust policy of a role, lets others do.
    Resource,
}

impl About {
    /// `None` where policies of both kinds come together.
    fn of(sides: [&Policies; 2]) -> Option<Self> {
        let of_resources = |(layer, ..): (Layer, &str, &Document)| layer == Layer::Resource;
        let mut all = sides.into_iter().flat_map(Policies::all).map(of_resources);
        let first = all.next().unwrap_or(false);
        all.all(|one| one == first).then_some(if first { Self::Resource } else { Self::Caller })
    }

    fn allows(self, policies: &Policies, request: &Request) -> bool {
        match self {
            Self::Caller => policies.allows(request),
            Self::Resource => policies.resource_allows(request),
        }
    }
}

/// A number for each statement, however it is spelled.
type Twins = BTreeMap<(Version, CanonicalStatement), usize>;

fn scope<'a>(policies: &'a Policies, about: About, twins: &mut Twins) -> Scope<'a> {
    let mut layers: BTreeMap<Layer, Vec<Placed<'a>>> = BTreeMap::new();
    // Without any, nothing is allowed.
    layers.entry(if about == About::Caller { Layer::Identity } else { Layer::Resource }).or_default();
    for (policy, (layer, _, document)) in policies.all().enumerate() {
        let version = document.version;
        let placed = layers.entry(layer).or_default();
        for (number, statement) in document.statements.iter().enumerate() {
            let next = twins.len();
            let twin = *twins.entry((version, CanonicalStatement::new(statement))).or_insert(next);
            placed.push(Placed { statement, version, policy, number, twin });
        }
    }
    Scope { layers: layers.into_values().collect() }
}

fn place(policies: &Policies, placed: Placed<'_>) -> Place {
    let policy = policies.all().nth(placed.policy).map_or_else(String::new, |(_, name, _)| name.to_owned());
    Place { policy, statement: placed.number, sid: placed.statement.sid.clone() }
}

#[cfg(test)]
mod tests;
