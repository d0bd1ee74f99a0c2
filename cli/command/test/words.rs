//! What is told of a case, a gap and a change, in words that all formats share.

use aipolicy_compiler::ir::{Outcome, PolicyFact, PolicyIndex};
use aipolicy_compiler::model::policy_test::PolicyCase;
use aipolicy_compiler::source::Span;
use aipolicy_compiler::trial::{Change, ClauseCover, Fault, Mutant, PolicyCover, Tried, Why};

use super::Report;

/// A share with its numbers, rounded down so that only all is 100 %.
pub(super) fn share(all: usize, had: usize) -> String {
    match (had * 100).checked_div(all) {
        Some(percent) => format!("{had} of {all} ({percent} %)"),
        None => "0 of 0".to_owned(),
    }
}

/// What a case is about: its title, or its request.
pub(super) fn title(case: &PolicyCase) -> String {
    match &case.title {
        Some(title) => title.value.to_string(),
        None => {
            let entity = |one: &aipolicy_compiler::model::policy_test::Entity| {
                format!("{}/{}", one.kind, one.name.value)
            };
            format!("{} {} {}", entity(&case.principal), case.action.value.word(), entity(&case.resource))
        }
    }
}

fn counted(requests: usize) -> String {
    if requests == 1 { "the request".to_owned() } else { format!("the {requests} requests") }
}

/// A text on one line.
fn on_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl Report<'_> {
    pub(super) fn fact(&self, at: PolicyIndex) -> Option<&PolicyFact> {
        self.workspace.compilation.policies.facts().get(at.0 as usize)
    }

    pub(super) fn id(&self, at: PolicyIndex) -> &str {
        self.fact(at).map_or("", |fact| fact.id.as_str())
    }

    /// What is written at a place.
    pub(super) fn written(&self, span: Span) -> String {
        let text = self.workspace.sources.get(span.source).text();
        on_one_line(text.get(span.start as usize..span.end as usize).unwrap_or(""))
    }

    /// What is not as a case expects.
    pub(super) fn fault(&self, fault: &Fault) -> String {
        let list = |all: &[PolicyIndex]| {
            let named = all.iter().map(|at| self.workspace.policy(*at));
            named.collect::<Vec<_>>().join(", ")
        };
        match fault {
            Fault::Decision(Outcome::Permitted(by)) => {
                format!("expected deny, but permitted by {}", list(by))
            }
            Fault::Decision(Outcome::Forbidden(by)) => {
                format!("expected allow, but forbidden by {}", list(by))
            }
            Fault::Decision(Outcome::NotPermitted) => "expected allow, but no policy permits it".to_owned(),
            Fault::Silent(at) => format!("{} does not match, and should", list(&[*at])),
            Fault::Speaks(at) => format!("{} matches, and should not", list(&[*at])),
            Fault::Fails(why) => format!("policies cannot be evaluated: {}", why.join("; ")),
        }
    }

    /// Where a request is made, and what of its context tells it from others.
    pub(super) fn circumstances(&self, tried: &Tried) -> String {
        let environment = self.workspace.graph().name(tried.heard.environment);
        let keys = ["region", "place", "need", "dataClass", "gate", "access", "operation", "effect"];
        let told = |key: &&str| Some(format!("{key}={}", tried.supposed.value(key)?.trim_matches('"')));
        let told = keys.iter().filter_map(told);
        std::iter::once(environment.to_owned()).chain(told).collect::<Vec<_>>().join(", ")
    }

    /// Values that a clause never had, and why: one sentence for each, but one for all of a clause that was never looked at.
    pub(super) fn gaps(&self, policy: &PolicyCover, clause: &ClauseCover) -> Vec<String> {
        let text = self.written(clause.clause.span);
        let told = clause.gaps.iter().map(|gap| match gap.why {
            Why::NothingAsked => format!("`{text}` was never looked at: no case was asked"),
            Why::Always { requests } => {
                let reached = if requests == 1 {
                    "the only request".to_owned()
                } else {
                    format!("all {requests} requests")
                };
                format!(
                    "`{text}` was never {}: it was {} in {reached} that came to it",
                    gap.value, !gap.value
                )
            }
            Why::Unreached { by, value, requests } => {
                let by = policy.clauses.get(by).map(|by| self.written(by.clause.span)).unwrap_or_default();
                let value = value.map_or("not to be evaluated".to_owned(), |value| value.to_string());
                format!(
                    "`{text}` was never looked at: `{by}` was {value} in {} that came closest",
                    counted(requests)
                )
            }
            Why::Failed { requests } => {
                format!(
                    "`{text}` was never {}: it could not be evaluated in {}",
                    gap.value,
                    counted(requests)
                )
            }
        });
        let mut told: Vec<_> = told.collect();
        told.dedup();
        told
    }

    /// A change of a policy.
    pub(super) fn change(&self, mutant: &Mutant) -> String {
        let mutation = &mutant.mutation;
        let why = mutation.change.phrase();
        match mutation.change {
            Change::Removed => format!("`{}`: {why}", self.id(mutation.policy)),
            Change::ConditionDropped | Change::OperandDropped => {
                format!("`{}`: {why}", self.written(mutation.span))
            }
            Change::Scope
            | Change::ConditionReversed
            | Change::OperatorSwapped
            | Change::Negated
            | Change::Boundary
            | Change::ElementDropped => {
                let (before, after) = (self.written(mutation.span), on_one_line(&mutation.written));
                format!("`{before}` → `{after}`: {why}")
            }
        }
    }
}
