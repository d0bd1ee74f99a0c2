//! What is proven, shown or neither about sets of policies.

use aipolicy_compiler::inspect::Vocabulary;
use cedar_policy::{ActionConstraint, Policy, PolicySet, RequestEnv, Schema};
use cedar_policy_symcc::{CompiledPolicy, CompiledPolicySet, Env};

use crate::domain;
use crate::shown::{Replay, Shown};
use crate::solver::{Query, Solver};

/// What is known about all requests of a type.
#[derive(Clone, Debug)]
pub enum Proof {
    /// It holds for every request.
    Proven,
    /// It does not hold for this one.
    Shown(Box<Shown>),
    /// Neither is known, and why.
    NotProven(String),
}

/// A type of requests.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct About {
    /// The type of the principal.
    pub principal: String,
    /// What is asked for.
    pub action: String,
    /// The type of the resource.
    pub resource: String,
}

/// What two sets decide about a type of requests.
#[derive(Clone, Debug)]
pub struct OfSet {
    /// The type.
    pub about: About,
    /// That nothing is permitted now that was not.
    pub permitted: Proof,
    /// That nothing is refused now that was permitted.
    pub refused: Proof,
}

/// What a policy does over all requests of the types that it is about.
#[derive(Clone, Debug)]
pub struct OfPolicy {
    /// Its id.
    pub id: String,
    /// That it matches nothing.
    pub never_matches: Proof,
    /// That it can always be evaluated.
    pub never_errors: Proof,
}

/// What policies are asked with.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The schema of all policies.
    pub schema: &'a Schema,
    /// The words in which a counterexample is looked for first.
    pub vocabulary: &'a Vocabulary,
}

/// Compares two sets over all requests of the types that are wanted.
pub fn compare(
    solver: &mut Solver,
    context: Context<'_>,
    sets: [&PolicySet; 2],
    wanted: impl Fn(&About) -> bool + Sync,
) -> Vec<OfSet> {
    solver.wait(async |solver| {
        let mut all = Vec::new();
        for kind in context.schema.request_envs() {
            let about = About::of(&kind);
            if wanted(&about) {
                let [permitted, refused] = Case { context, kind, sets }.both(solver).await;
                all.push(OfSet { about, permitted, refused });
            }
        }
        all
    })
}

/// Whether a set denies every request of a type, for each type.
pub fn denied(solver: &mut Solver, context: Context<'_>, set: &PolicySet) -> Vec<(About, Proof)> {
    let none = PolicySet::new();
    solver.wait(async |solver| {
        let mut all = Vec::new();
        for kind in context.schema.request_envs() {
            let about = About::of(&kind);
            let case = Case { context, kind, sets: [&none, set] };
            let proof = case.holds(solver, [false, true], Asked::Denies).await;
            all.push((about, proof));
        }
        all
    })
}

/// What each policy does over all requests of the types that it is about.
pub fn policies(solver: &mut Solver, context: Context<'_>, set: &PolicySet) -> Vec<OfPolicy> {
    solver.wait(async |solver| {
        let mut all = Vec::new();
        for policy in set.policies() {
            let never_matches = alone(solver, context, policy, Claim::NeverMatches).await;
            let never_errors = alone(solver, context, policy, Claim::NeverErrors).await;
            all.push(OfPolicy { id: policy.id().to_string(), never_matches, never_errors });
        }
        all.sort_by(|left, right| left.id.cmp(&right.id));
        all
    })
}

impl About {
    fn of(kind: &RequestEnv) -> Self {
        Self {
            principal: kind.principal().to_string(),
            action: kind.action().id().unescaped().to_owned(),
            resource: kind.resource().to_string(),
        }
    }
}

/// Two sets and a type of requests.
struct Case<'a> {
    context: Context<'a>,
    kind: RequestEnv,
    sets: [&'a PolicySet; 2],
}

/// What is asked of compiled sets.
#[derive(Clone, Copy)]
enum Asked {
    /// Whether the one that is to permit more permits whatever the other one does.
    Implies,
    /// Whether it denies everything.
    Denies,
}

impl Case<'_> {
    async fn both(&self, solver: &mut Solver) -> [Proof; 2] {
        let permitted = self.holds(solver, [false, true], Asked::Implies).await;
        let refused = self.holds(solver, [true, false], Asked::Implies).await;
        [permitted, refused]
    }

    /// That no request is decided by both sets as `wanted`.
    async fn holds(&self, solver: &mut Solver, wanted: [bool; 2], asked: Asked) -> Proof {
        let found = match self.ask(solver, self.sets, (wanted, asked)).await {
            Ok(None) => return Proof::Proven,
            Ok(Some(found)) => Replay::of(found, self.sets),
            Err(why) => return Proof::NotProven(why),
        };
        let mut changed = changed(self.sets);
        changed.retain(|policy| is_about(policy, &self.kind));
        if let Some(readable) = self.within(solver, (wanted, asked), &changed).await {
            return Proof::Shown(Box::new(readable.shown(&changed, self.sets, true)));
        }
        match found.permits() == wanted {
            true => Proof::Shown(Box::new(found.shown(&changed, self.sets, false))),
            false => Proof::NotProven("what the solver shows is decided otherwise by Cedar".into()),
        }
    }

    /// A request within what the workspace has words for, which Cedar decides so.
    async fn within(
        &self,
        solver: &mut Solver,
        (wanted, asked): ([bool; 2], Asked),
        changed: &[&Policy],
    ) -> Option<Replay> {
        let domain = domain::forbid(self.context.vocabulary, &self.kind, changed)?;
        let [mut before, mut after] = self.sets.map(PolicySet::clone);
        before.add(domain.clone()).ok()?;
        after.add(domain).ok()?;
        let found = self.ask(&mut solver.hurried(), [&before, &after], (wanted, asked)).await.ok()??;
        let replay = Replay::of(found, self.sets);
        (replay.permits() == wanted).then_some(replay)
    }

    async fn ask(
        &self,
        solver: &mut Solver,
        sets: [&PolicySet; 2],
        (wanted, asked): ([bool; 2], Asked),
    ) -> Result<Option<Env>, String> {
        let compile = |set: &PolicySet| {
            let compiled = CompiledPolicySet::compile(set, &self.kind, self.context.schema);
            compiled.map_err(|error| format!("the policies cannot be put to a solver: {error}"))
        };
        let (before, after) = (compile(sets[0])?, compile(sets[1])?);
        let (narrow, wide) = if wanted == [false, true] { (&after, &before) } else { (&before, &after) };
        solver
            .ask(match asked {
                Asked::Implies => Query::Implies(narrow, wide),
                Asked::Denies => Query::Denies(narrow),
            })
            .await
    }
}

/// Policies that one set has and the other does not.
fn changed<'a>([before, after]: [&'a PolicySet; 2]) -> Vec<&'a Policy> {
    let only = |these: &'a PolicySet, those: &'a PolicySet| {
        these
            .policies()
            .filter(|policy| those.policy(policy.id()).map(ToString::to_string) != Some(policy.to_string()))
    };
    only(before, after).chain(only(after, before)).collect()
}

/// What is claimed of a policy.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Claim {
    NeverMatches,
    NeverErrors,
}

/// Whether something is true of a policy for every type of requests that it is about.
async fn alone(solver: &mut Solver, context: Context<'_>, policy: &Policy, claim: Claim) -> Proof {
    let Ok(set) = PolicySet::from_policies([policy.clone()]) else {
        return Proof::NotProven("the policy cannot stand alone".into());
    };
    let mut unknown = None;
    for kind in context.schema.request_envs().filter(|kind| is_about(policy, kind)) {
        let found = match one(solver, (context, &kind), policy, claim).await {
            Ok(None) => continue,
            Ok(Some(found)) => Replay::of(found, [&set, &set]),
            Err(why) => {
                unknown = Some(why);
                continue;
            }
        };
        let readable = match domain::narrow(policy, context.vocabulary, &kind) {
            Some(narrow) => one(&mut solver.hurried(), (context, &kind), &narrow, claim).await.ok().flatten(),
            None => None,
        };
        let readable = readable.map(|found| Replay::of(found, [&set, &set]));
        if let Some(readable) = readable.filter(|replay| claim.is_broken(replay)) {
            return Proof::Shown(Box::new(readable.shown(&[policy], [&set, &set], true)));
        }
        if claim.is_broken(&found) {
            return Proof::Shown(Box::new(found.shown(&[policy], [&set, &set], false)));
        }
        unknown = Some("what the solver shows is otherwise to Cedar".into());
    }
    unknown.map_or(Proof::Proven, Proof::NotProven)
}

impl Claim {
    /// Whether a request shows that it is not so.
    fn is_broken(self, replay: &Replay) -> bool {
        match self {
            Self::NeverMatches => replay.decides(),
            Self::NeverErrors => replay.fails().contains(&true),
        }
    }
}

async fn one(
    solver: &mut Solver,
    (context, kind): (Context<'_>, &RequestEnv),
    policy: &Policy,
    claim: Claim,
) -> Result<Option<Env>, String> {
    let compiled = CompiledPolicy::compile(policy, kind, context.schema);
    let compiled = compiled.map_err(|error| format!("the policy cannot be put to a solver: {error}"))?;
    solver
        .ask(match claim {
            Claim::NeverMatches => Query::NeverMatches(&compiled),
            Claim::NeverErrors => Query::NeverErrors(&compiled),
        })
        .await
}

/// Whether the scope of a policy admits the action of a type.
fn is_about(policy: &Policy, kind: &RequestEnv) -> bool {
    match policy.action_constraint() {
        ActionConstraint::Any => true,
        ActionConstraint::Eq(uid) => uid == *kind.action(),
        ActionConstraint::In(uids) => uids.contains(kind.action()),
    }
}
