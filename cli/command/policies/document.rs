//! What policies do, for programs.

use aipolicy_compiler::inspect::{Combined, Inspected, Verdict};
use aipolicy_compiler::ir::PolicyIndex;
use aipolicy_compiler::source::Span;
use serde::Serialize;

use super::inspection::word;
use super::symbolic::{Known, KnownDocument};
use super::witness::{Request, request};
use super::{Told, is_shipped};

/// The version of the format.
const FORMAT: &str = "aipolicy.policies/1";

#[derive(Serialize)]
pub(super) struct Document {
    format: &'static str,
    /// How many requests were asked.
    requests: usize,
    policies: Vec<Policy>,
    /// What a solver says of all requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    symbolic: Option<KnownDocument>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Policy {
    id: String,
    file: String,
    line: usize,
    shipped: bool,
    verdict: &'static str,
    /// How many requests to its actions were asked.
    requests: usize,
    matched: usize,
    /// Policies because of which it is shadowed, redundant or overridden.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    by: Vec<String>,
    /// Of a redundant policy: how many requests are permitted by nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_permitted: Option<usize>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    never: Vec<Part>,
    #[serde(skip_serializing_if = "Option::is_none")]
    combined: Option<Tried>,
    #[serde(skip_serializing_if = "Option::is_none")]
    witness: Option<Request>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    may_error: Vec<Part>,
    #[serde(skip_serializing_if = "Option::is_none")]
    errors: Option<Failed>,
}

/// A part of a policy.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Part {
    line: usize,
    column: usize,
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    /// What it never was.
    #[serde(skip_serializing_if = "Option::is_none")]
    was: Option<bool>,
    /// For how many requests it was looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    looked: Option<usize>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Tried {
    tried: u64,
    of: u64,
    contexts_left_out: u64,
}

impl From<Combined> for Tried {
    fn from(Combined { tried, of, contexts_left_out }: Combined) -> Self {
        Self { tried, of, contexts_left_out }
    }
}

#[derive(Serialize)]
struct Failed {
    requests: usize,
    why: String,
    at: String,
}

impl Told<'_> {
    /// Every policy.
    pub(super) fn document(&self) -> Document {
        let policies = self.found.policies.iter().filter_map(|one| self.policy(one)).collect();
        let symbolic = self.proven.as_ref().map(Known::document);
        Document { format: FORMAT, requests: self.found.asked, policies, symbolic }
    }

    fn policy(&self, one: &Inspected) -> Option<Policy> {
        let workspace = self.workspace;
        let facts = workspace.compilation.policies.facts();
        let fact = facts.get(one.policy.0 as usize)?;
        let id = |at: &PolicyIndex| facts.get(at.0 as usize).map(|fact| fact.id.clone());
        let (by, not_permitted) = match &one.verdict {
            Verdict::Shadowed { by, .. } => (vec![*by], None),
            Verdict::Redundant { beside, not_permitted } => (beside.clone(), Some(*not_permitted)),
            Verdict::Overridden(by) => (by.clone(), None),
            Verdict::Decides | Verdict::Vacuous(_) | Verdict::Guards(_) | Verdict::Off | Verdict::Changes => {
                (Vec::new(), None)
            }
        };
        let why = match &one.verdict {
            Verdict::Vacuous(why) | Verdict::Guards(why) => Some(why),
            Verdict::Decides
            | Verdict::Shadowed { .. }
            | Verdict::Redundant { .. }
            | Verdict::Overridden(_)
            | Verdict::Off
            | Verdict::Changes => None,
        };
        let never = why.iter().flat_map(|why| &why.never);
        Some(Policy {
            id: fact.id.clone(),
            file: workspace.sources.get(fact.head.source).path().to_owned(),
            line: workspace.sources.position(fact.head).line,
            shipped: is_shipped(workspace, one.policy),
            verdict: word(&one.verdict),
            requests: one.asked,
            matched: one.matched,
            by: by.iter().filter_map(id).collect(),
            not_permitted,
            never: never
                .map(|part| Part { was: Some(part.was), looked: Some(part.looked), ..self.part(part.span) })
                .collect(),
            combined: why.and_then(|why| why.combined).map(Tried::from),
            witness: why.and_then(|why| why.witness.as_deref()).map(|witness| request(workspace, witness)),
            may_error: one
                .may_fail
                .iter()
                .map(|part| Part { why: Some(part.why.clone()), ..self.part(part.span) })
                .collect(),
            errors: one.failed.as_ref().map(|failed| Failed {
                requests: failed.count,
                why: failed.why.clone(),
                at: workspace.place(failed.first.span),
            }),
        })
    }

    fn part(&self, span: Span) -> Part {
        let at = self.workspace.sources.position(span);
        let text = self.workspace.sources.slice(span).to_owned();
        Part { line: at.line, column: at.column, text, why: None, was: None, looked: None }
    }
}
