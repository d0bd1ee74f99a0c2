//! Asks Cedar about every request of a workspace; the only maker of approved grants.

mod approve;
mod asked;
mod changes;
mod context;
mod derive;
mod entities;
mod index;
mod nesting;
mod packs;
mod policies;
mod report;
mod said;
mod shared;
mod suppose;
mod value;

pub use approve::{ApprovedGrants, Decisions, Grant};
pub(crate) use asked::on_large_stacks;
pub use asked::{Asked, each_asked, everything};
pub use changes::{ChangeRequest, permit_changes};
pub use packs::{SHIPPED, ShippedPolicy, of as pack_policies, page as policy_page};
pub(crate) use policies::prepare;
pub use policies::{Policies, SCHEMA, read as read_policies};
pub(crate) use said::Considered;
pub use said::Said;
pub use suppose::{After, Altered, Heard, Hearing, Place, Supposed, Taken};

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use cedar_policy::{Authorizer, Decision as Verdict, Entities, EntityUid, PolicySet, Request, Response};
use rayon::prelude::*;

use crate::diagnostic::{Diagnostic, Diagnostics, Severity};
use crate::ir::{AccessRequest, Action, Circumstances, Decision, Outcome, PolicyIndex};
use crate::model::Id;
use crate::model::environment::{EnvironmentSpec, SeverityWord};
use crate::model::value::Date;
use crate::resolve::Graph;
use crate::rule;
use crate::waive::Waivers;
use entities::{Key, Slice};
use shared::Shared;

/// Derives every request and asks Cedar about each. What is refused, and what cannot be evaluated, is reported.
/// A forbid that a waiver names does not stop its requests: they are asked again without it, so that something still has to
/// permit them. When something has stopped the run before, the verdicts can be read, and nothing is approved.
pub fn decide(policies: &Policies, waivers: &mut Waivers<'_>, out: &mut Diagnostics) -> Decisions {
    decide_and_look((policies, &|_, (): &mut ()| {}), waivers, out).0
}

/// Does the same, and shows each request while Cedar is asked about it, together with what was noted of its group before.
/// What was noted is given back by group, in order.
pub(crate) fn decide_and_look<T: Default + Send>(
    (policies, look): (&Policies, &Look<'_, T>),
    waivers: &mut Waivers<'_>,
    out: &mut Diagnostics,
) -> (Decisions, Vec<T>) {
    let graph = waivers.graph();
    let court = Court::new(graph, policies, waivers.today());
    let groups = derive::requests(graph);
    let judge = |group| court.judge(group, look);
    let judged: Vec<_> = on_large_stacks(|| groups.into_par_iter().map(judge).collect());
    let mut all = Vec::with_capacity(judged.iter().map(|(judged, _)| judged.decisions.len()).sum());
    let (mut warnings, mut noted) = (Vec::new(), Vec::with_capacity(judged.len()));
    for (judged, of_group) in judged {
        all.extend(judged.decisions);
        warnings.extend(judged.warnings);
        noted.push(of_group);
        out.append(judged.errors);
    }
    let mut forbidden = report::forbidden(graph, policies, &all);
    let named = waivers.apply(&mut forbidden.found);
    forbidden.waive(&named, &mut all);
    on_large_stacks(|| court.ask_again(&mut all, &mut warnings, out));
    let sound = !out.has_errors();
    out.append(forbidden.found);
    report::not_permitted(graph, policies, &all, out);
    let mut found = Diagnostics::default();
    for severity in [Severity::Advisory, Severity::Note] {
        report::warnings(graph, policies, (&warnings, severity), &mut found);
    }
    waivers.apply(&mut found);
    out.append(found);
    (Decisions::new(all, policies.facts().to_vec(), (waivers, sound)), noted)
}

/// Is shown a request.
type Show<'s> = &'s mut dyn FnMut(&Considered<'_>);

/// Notes something about a request.
pub(crate) type Look<'l, T> = dyn Fn(&Considered<'_>, &mut T) + Sync + 'l;

/// Threads on which every policy that is read can be evaluated. On smaller stacks Cedar gives up with an error.
static POOL: LazyLock<Option<rayon::ThreadPool>> = LazyLock::new(|| {
    let threads = rayon::current_num_threads();
    rayon::ThreadPoolBuilder::new().num_threads(threads).stack_size(nesting::STACK).build().ok()
});

/// A request, the policy that would forbid it, and how much that matters.
type Warning = (AccessRequest, PolicyIndex, Severity);

/// A question as Cedar is asked it.
#[derive(Clone, Debug)]
pub struct Question {
    /// Who asks for what, with the context.
    pub request: Request,
    /// The policies that can have a say.
    pub policies: Arc<PolicySet>,
    /// What the policies can reach.
    pub entities: Arc<Entities>,
}

/// Shows every question that [`decide`] asks, group by group, to whoever measures Cedar or asks another engine.
/// A group that cannot be asked is left out.
pub fn each_question(graph: &Graph, policies: &Policies, today: Date, show: &mut dyn FnMut(&[Question])) {
    let court = Court::new(graph, policies, today);
    for group in derive::requests(graph) {
        let asked = court.asked(group);
        show(&asked.into_iter().map(|asked| asked.question).collect::<Vec<_>>());
    }
}

/// A question with everything that decides how it is answered.
struct Posed<'a> {
    environment: Id<EnvironmentSpec>,
    action: Action,
    /// The principal, then those above it.
    principals: &'a [EntityUid],
    question: &'a Request,
    entities: &'a Entities,
}

/// What policies say together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The verdict.
    pub outcome: Outcome,
    /// Advisory policies that would forbid it.
    pub advisory: Vec<PolicyIndex>,
}

/// What a request names.
fn reached(request: &AccessRequest) -> Vec<Key> {
    let mut keys =
        vec![request.principal.into(), (&request.object).into(), Key::Environment(request.environment)];
    keys.extend(request.tenant.map(Key::Tenant));
    if let Circumstances::Invocation(call) = &request.circumstances {
        keys.extend(call.route.map(Key::Route));
    }
    if let Circumstances::Storage(storage) = &request.circumstances {
        keys.extend(storage.store.map(Key::DataStore));
    }
    keys
}

/// What became of a group of requests.
struct Judged {
    decisions: Vec<Decision>,
    /// Requests that an advisory policy would forbid.
    warnings: Vec<Warning>,
    errors: Diagnostics,
}

struct Court<'a> {
    graph: &'a Graph,
    policies: &'a Policies,
    shared: Shared<'a>,
}

impl<'a> Court<'a> {
    fn new(graph: &'a Graph, policies: &'a Policies, today: Date) -> Self {
        Self { graph, policies, shared: Shared::new(graph, &policies.schema, &today.to_string()) }
    }

    fn judge<T: Default>(&self, group: Vec<AccessRequest>, look: &Look<'_, T>) -> (Judged, T) {
        let mut judged =
            Judged { decisions: Vec::new(), warnings: Vec::new(), errors: Diagnostics::default() };
        let mut noted = T::default();
        let entities = match self.entities(&group) {
            Ok(entities) => entities,
            Err(error) => {
                let spans = group.first().map(|request| request.span);
                judged.errors.extend(spans.map(|span| cannot(span, &error)));
                return (judged, noted);
            }
        };
        for request in group {
            let look = &mut |considered: &Considered<'_>| look(considered, &mut noted);
            let outcome = self.ask(&request, (&entities, &BTreeSet::new(), look), &mut judged);
            let decided = outcome.map(|outcome| Decision { request, outcome, waived: Box::default() });
            judged.decisions.extend(decided);
        }
        (judged, noted)
    }

    /// Asks once more about requests of which everything that forbids them is waived, without that.
    fn ask_again(&self, all: &mut [Decision], warnings: &mut Vec<Warning>, out: &mut Diagnostics) {
        for decision in all {
            let waived: BTreeSet<_> =
                decision.waived.iter().map(|waiving| waiving.policy.0 as usize).collect();
            let Outcome::Forbidden(by) = &decision.outcome else { continue };
            if waived.is_empty() || !by.iter().all(|policy| waived.contains(&(policy.0 as usize))) {
                continue;
            }
            let mut judged =
                Judged { decisions: Vec::new(), warnings: Vec::new(), errors: Diagnostics::default() };
            let outcome = match self.entities(std::slice::from_ref(&decision.request)) {
                Ok(entities) => self.ask(&decision.request, (&entities, &waived, &mut |_| {}), &mut judged),
                Err(_) => None,
            };
            // What cannot be asked again stays forbidden.
            decision.outcome = outcome.unwrap_or_else(|| decision.outcome.clone());
            warnings.extend(judged.warnings);
            out.append(judged.errors);
        }
    }

    /// Everything that a group of requests can reach.
    fn entities(&self, group: &[AccessRequest]) -> Result<Entities, String> {
        let mut slice = Slice::new(&self.shared);
        group.iter().flat_map(reached).for_each(|key| slice.add(key));
        slice.finish()
    }

    /// The verdict on a request, without the policies that are waived; one that cannot be evaluated is an error and has
    /// none.
    fn ask(
        &self,
        request: &AccessRequest,
        (entities, waived, show): (&Entities, &BTreeSet<usize>, Show<'_>),
        judged: &mut Judged,
    ) -> Option<Outcome> {
        let principals = entities::principal(self.graph, request.principal);
        let question = self.question(request, &principals);
        let answer = question.map_err(|why| vec![why]).and_then(|question| {
            let environment = request.environment;
            let action = request.action;
            let posed = Posed { environment, action, principals: &principals, question: &question, entities };
            show(&Considered { court: self, posed: &posed, request });
            self.settle(&posed, waived)
        });
        match answer {
            Ok(answer) => {
                let warning = |at: PolicyIndex| (request.clone(), at, self.severity(at, request.environment));
                judged.warnings.extend(answer.advisory.into_iter().map(warning));
                Some(answer.outcome)
            }
            // A policy that fails is skipped by Cedar. A `forbid` that is skipped does not forbid, so this stops the run.
            Err(reasons) => {
                judged.errors.extend(reasons.iter().map(|why| cannot(request.span, why)));
                None
            }
        }
    }

    /// Asks Cedar, and once more without the advisory policies where only those forbid; or why policies cannot be
    /// evaluated.
    fn settle(&self, asked: &Posed<'_>, waived: &BTreeSet<usize>) -> Result<Answer, Vec<String>> {
        let off = self.switched(asked.environment, SeverityWord::Off).into_iter();
        let off = off.chain(waived.iter().copied()).collect();
        let response = self.respond(asked, &off)?;
        let reasons = self.reasons(&response);
        if response.decision() == Verdict::Allow {
            return Ok(Answer { outcome: Outcome::Permitted(reasons), advisory: Vec::new() });
        }
        let stops = |policy: &PolicyIndex| self.severity(*policy, asked.environment) == Severity::Mandatory;
        let (mandatory, advisory): (Vec<_>, Vec<_>) = reasons.into_iter().partition(stops);
        if advisory.is_empty() || !mandatory.is_empty() {
            let outcome = match mandatory.is_empty() {
                true => Outcome::NotPermitted,
                false => Outcome::Forbidden(mandatory),
            };
            return Ok(Answer { outcome, advisory: Vec::new() });
        }
        let without = off.into_iter().chain(advisory.iter().map(|policy| policy.0 as usize)).collect();
        let response = self.respond(asked, &without)?;
        let reasons = self.reasons(&response);
        let outcome = match response.decision() {
            Verdict::Allow => Outcome::Permitted(reasons),
            Verdict::Deny if reasons.is_empty() => Outcome::NotPermitted,
            Verdict::Deny => Outcome::Forbidden(reasons),
        };
        Ok(Answer { outcome, advisory })
    }

    fn question(&self, request: &AccessRequest, principals: &[EntityUid]) -> Result<Request, String> {
        let principal = principals.first().cloned().ok_or("the request has no principal")?;
        let action = entities::uid("Action", request.action.word());
        let object = entities::object(self.graph, &request.object);
        let pairs = context::pairs(&self.shared, request)?;
        let kinds = [request.action.word(), request.principal.kind().word(), request.object.kind()];
        let shape = (kinds, pairs.iter().map(|(key, _)| *key).collect());
        let known = self.shared.is_sound(&shape);
        let schema = (!known).then_some(&self.policies.schema);
        let made = Request::new(principal, action, object, value::context(pairs), schema);
        let made = made.map_err(|error| error.to_string())?;
        if !known {
            self.shared.note_sound(shape);
        }
        Ok(made)
    }

    /// What Cedar says without some policies; or which of the others cannot be evaluated.
    fn respond(&self, asked: &Posed<'_>, without: &BTreeSet<usize>) -> Result<Response, Vec<String>> {
        let candidates = self.policies.index.candidates(asked.action.word(), asked.principals, without);
        let response = Authorizer::new().is_authorized(asked.question, &candidates, asked.entities);
        let failed: Vec<_> = response.diagnostics().errors().map(ToString::to_string).collect();
        if failed.is_empty() { Ok(response) } else { Err(failed) }
    }

    /// The policies that decided, sorted.
    fn reasons(&self, answer: &Response) -> Vec<PolicyIndex> {
        let mut reasons: Vec<_> =
            answer.diagnostics().reason().filter_map(|id| self.policies.position(id)).collect();
        reasons.sort_unstable();
        reasons
    }

    /// How much a policy matters where a request is made. One that is off there is not asked, unless it permits.
    fn severity(&self, policy: PolicyIndex, environment: Id<EnvironmentSpec>) -> Severity {
        let at = policy.0 as usize;
        let written = self.policies.severity.get(at).copied().unwrap_or(Severity::Mandatory);
        let environment = self.graph.resource(environment);
        let Some((fact, environment)) = self.policies.facts.get(at).zip(environment) else { return written };
        environment.spec.severity_of(&fact.id, written).unwrap_or(Severity::Advisory)
    }

    /// Policies to which an environment gives this word.
    fn switched(&self, environment: Id<EnvironmentSpec>, word: SeverityWord) -> BTreeSet<usize> {
        let Some(environment) = self.graph.resource(environment) else {
            return BTreeSet::new();
        };
        let ids = environment.spec.severity.0.iter().filter(|(_, found)| found.value == word);
        let positions = ids.filter_map(|(id, _)| self.policies.facts.iter().position(|fact| fact.id == *id));
        let forbids = |at: &usize| self.policies.effects.get(*at) == Some(&cedar_policy::Effect::Forbid);
        positions.filter(forbids).collect()
    }
}

fn cannot(span: crate::source::Span, why: &str) -> Diagnostic {
    rule::POLICY_ERROR.at(
        span,
        format!("the request of this line cannot be evaluated: {why}"),
        "asked for here",
    )
}

impl Extend<Diagnostic> for Diagnostics {
    fn extend<I: IntoIterator<Item = Diagnostic>>(&mut self, found: I) {
        found.into_iter().for_each(|found| self.report(found));
    }
}
