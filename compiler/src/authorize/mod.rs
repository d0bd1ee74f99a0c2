//! Asks Cedar about every request of a workspace; the only maker of approved grants.

mod approve;
mod context;
mod derive;
mod entities;
mod index;
mod nesting;
mod packs;
mod policies;
mod report;
mod value;

pub use approve::{ApprovedGrants, Decisions, Grant};
pub use packs::{SHIPPED, ShippedPolicy, of as pack_policies, page as policy_page};
pub use policies::{Policies, SCHEMA, read as read_policies};

use std::collections::BTreeSet;
use std::sync::LazyLock;

use cedar_policy::{Authorizer, Context, Decision as Verdict, Entities, EntityUid, Request, Response};
use rayon::prelude::*;

use crate::diagnostic::{Diagnostic, Diagnostics, Severity};
use crate::ir::{AccessRequest, Circumstances, Decision, Outcome, PolicyIndex};
use crate::model::environment::{EnvironmentSpec, SeverityWord};
use crate::model::value::Date;
use crate::resolve::Graph;
use crate::rule;
use entities::Slice;

/// Derives every request and asks Cedar about each. What is refused, and what cannot be evaluated, is reported.
/// When something has stopped the run before, the verdicts can be read, and nothing is approved.
pub fn decide(graph: &Graph, policies: &Policies, today: Date, out: &mut Diagnostics) -> Decisions {
    let today = today.to_string();
    let court = Court { graph, policies, today: &today };
    let groups = derive::requests(graph);
    let judge = || groups.into_par_iter().map(|group| court.judge(group)).collect();
    let judged: Vec<_> = match POOL.as_ref() {
        Some(pool) => pool.install(judge),
        None => judge(),
    };
    let mut all = Vec::with_capacity(judged.iter().map(|judged| judged.decisions.len()).sum());
    let mut warnings = Vec::new();
    for judged in judged {
        all.extend(judged.decisions);
        warnings.extend(judged.warnings);
        out.append(judged.errors);
    }
    let sound = !out.has_errors();
    report::refusals(graph, policies, &all, out);
    report::warnings(graph, policies, &warnings, out);
    Decisions::new(all, policies.facts().to_vec(), sound)
}

/// Threads on which every policy that is read can be evaluated. On smaller stacks Cedar gives up with an error.
static POOL: LazyLock<Option<rayon::ThreadPool>> =
    LazyLock::new(|| rayon::ThreadPoolBuilder::new().stack_size(nesting::STACK).build().ok());

/// What became of a group of requests.
struct Judged {
    decisions: Vec<Decision>,
    /// Requests that an advisory policy would forbid.
    warnings: Vec<(AccessRequest, PolicyIndex)>,
    errors: Diagnostics,
}

struct Court<'a> {
    graph: &'a Graph,
    policies: &'a Policies,
    today: &'a str,
}

impl Court<'_> {
    fn judge(&self, group: Vec<AccessRequest>) -> Judged {
        let mut judged =
            Judged { decisions: Vec::new(), warnings: Vec::new(), errors: Diagnostics::default() };
        let mut slice = Slice::new(self.graph);
        for request in &group {
            slice.principal(request.principal);
            slice.object(&request.object);
            slice.environment(request.environment);
            request.tenant.into_iter().for_each(|tenant| slice.tenant(tenant));
            self.named_in_context(request, &mut slice);
        }
        let entities = match slice.finish(&self.policies.schema) {
            Ok(entities) => entities,
            Err(error) => {
                let spans = group.first().map(|request| request.span);
                judged.errors.extend(spans.map(|span| cannot(span, &error.to_string())));
                return judged;
            }
        };
        for request in group {
            let outcome = self.ask(&request, &entities, &mut judged);
            judged.decisions.extend(outcome.map(|outcome| Decision { request, outcome }));
        }
        judged
    }

    fn named_in_context(&self, request: &AccessRequest, slice: &mut Slice<'_>) {
        match &request.circumstances {
            Circumstances::Invocation(call) => call.route.into_iter().for_each(|route| slice.route(route)),
            Circumstances::Storage(storage) => {
                storage.store.into_iter().for_each(|store| slice.data_store(store));
            }
            _ => {}
        }
    }

    /// The verdict on a request; one that cannot be evaluated is an error and has none.
    fn ask(&self, request: &AccessRequest, entities: &Entities, judged: &mut Judged) -> Option<Outcome> {
        let principals = entities::principal(self.graph, request.principal);
        let question = match self.question(request, &principals) {
            Ok(question) => question,
            Err(why) => {
                judged.errors.report(cannot(request.span, &why));
                return None;
            }
        };
        let off = self.switched(request, SeverityWord::Off);
        let answer = self.answer(request, &question, &principals, (&off, entities));
        self.report_failures(request, &answer, judged)?;
        let reasons = self.reasons(&answer);
        if answer.decision() == Verdict::Allow {
            return Some(Outcome::Permitted(reasons));
        }
        let (advisory, mandatory): (Vec<_>, Vec<_>) =
            reasons.into_iter().partition(|policy| self.is_advisory(*policy, request));
        if advisory.is_empty() || !mandatory.is_empty() {
            return Some(if mandatory.is_empty() {
                Outcome::NotPermitted
            } else {
                Outcome::Forbidden(mandatory)
            });
        }
        judged.warnings.extend(advisory.iter().map(|policy| (request.clone(), *policy)));
        let without = off.into_iter().chain(advisory.iter().map(|policy| policy.0 as usize)).collect();
        let answer = self.answer(request, &question, &principals, (&without, entities));
        let reasons = self.reasons(&answer);
        Some(match answer.decision() {
            Verdict::Allow => Outcome::Permitted(reasons),
            Verdict::Deny if reasons.is_empty() => Outcome::NotPermitted,
            Verdict::Deny => Outcome::Forbidden(reasons),
        })
    }

    fn question(&self, request: &AccessRequest, principals: &[EntityUid]) -> Result<Request, String> {
        let principal = principals.first().cloned().ok_or("the request has no principal")?;
        let action = entities::uid("Action", request.action.word());
        let object = entities::object(self.graph, &request.object);
        let pairs = context::pairs(self.graph, request, self.today);
        let context = Context::from_pairs(pairs).map_err(|error| error.to_string())?;
        Request::new(principal, action, object, context, Some(&self.policies.schema))
            .map_err(|error| error.to_string())
    }

    fn answer(
        &self,
        request: &AccessRequest,
        question: &Request,
        principals: &[EntityUid],
        (without, entities): (&BTreeSet<usize>, &Entities),
    ) -> Response {
        let candidates = self.policies.index.candidates(request.action.word(), principals, without);
        Authorizer::new().is_authorized(question, &candidates, entities)
    }

    /// The policies that decided, sorted.
    fn reasons(&self, answer: &Response) -> Vec<PolicyIndex> {
        let mut reasons: Vec<_> =
            answer.diagnostics().reason().filter_map(|id| self.policies.position(id)).collect();
        reasons.sort_unstable();
        reasons
    }

    /// A policy that fails is skipped by Cedar. A `forbid` that is skipped does not forbid, so this stops the run.
    fn report_failures(&self, request: &AccessRequest, answer: &Response, judged: &mut Judged) -> Option<()> {
        let mut sound = Some(());
        for error in answer.diagnostics().errors() {
            judged.errors.report(cannot(request.span, &error.to_string()));
            sound = None;
        }
        sound
    }

    fn is_advisory(&self, policy: PolicyIndex, request: &AccessRequest) -> bool {
        let written = self.policies.severity.get(policy.0 as usize).copied();
        let fact = self.policies.facts.get(policy.0 as usize);
        match fact.and_then(|fact| self.setting(request, &fact.id)) {
            Some(SeverityWord::Mandatory) => false,
            Some(SeverityWord::Advisory | SeverityWord::Note | SeverityWord::Off) => true,
            None => written == Some(Severity::Advisory),
        }
    }

    /// What the environment of a request says about a rule.
    fn setting(&self, request: &AccessRequest, rule: &str) -> Option<SeverityWord> {
        let environment = self.graph.resource::<EnvironmentSpec>(request.environment)?;
        environment.spec.severity.0.get(rule).map(|word| word.value)
    }

    /// Policies to which the environment of a request gives this word.
    fn switched(&self, request: &AccessRequest, word: SeverityWord) -> BTreeSet<usize> {
        let Some(environment) = self.graph.resource::<EnvironmentSpec>(request.environment) else {
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
