//! Decisions of IAM, told with the lines of the statements that decided.

use std::collections::BTreeSet;

use aipolicy_iam::{
    Assumption, Caller, Cause, Decision, Element, Matcher, NearMiss, Request, Silence, Statement,
};
use serde_json::{Value, json};

use super::file::Source;
use crate::render::json::written;
use crate::ui::harmless;

/// How many resources of a statement are told.
const FEW: usize = 5;
/// The version of the format.
const FORMAT: &str = "aipolicy.iam-decision/1";

/// What is decided by policies that stand in no file, and why, below it.
pub(in crate::command) fn told(request: &Request, decision: &Decision<'_>) -> String {
    Told::new(request, decision, &[]).verdict()
}

/// A decision, and what is needed to tell it: the files of the policies, where there are any.
pub(super) struct Told<'a> {
    request: &'a Request,
    decision: &'a Decision<'a>,
    sources: &'a [Source],
}

impl<'a> Told<'a> {
    pub(super) fn new(request: &'a Request, decision: &'a Decision<'a>, sources: &'a [Source]) -> Self {
        Self { request, decision, sources }
    }

    pub(super) fn text(&self) -> String {
        let Request { action, resource, .. } = self.request;
        let who = self.request.principal.as_ref().map(|Caller { name, .. }| format!("{name} "));
        let question = format!("{}{action} {resource}\n", who.unwrap_or_default());
        format!("{}{}", harmless(&question), self.verdict())
    }

    /// What is decided, and why, below it.
    fn verdict(&self) -> String {
        let (verdict, lines): (_, Vec<String>) = match self.decision {
            Decision::Allowed { by, assuming } => {
                let by = by.iter().map(|cause| format!("allowed by {}", self.place(cause)));
                let assuming = assuming.iter().map(|one| format!("assuming that {}", assumed(*one)));
                ("\x1b[32mallowed\x1b[0m", by.chain(assuming).collect())
            }
            Decision::ExplicitDeny { by } => {
                ("\x1b[31mdenied\x1b[0m", by.iter().map(|cause| self.denied(cause)).collect())
            }
            Decision::ImplicitDeny { by } => {
                ("\x1b[31mdenied\x1b[0m", by.iter().map(|silence| self.silent(silence)).collect())
            }
            Decision::Undecided(why) => ("undecided", vec![why.to_string()]),
        };
        let lines: String = lines.iter().map(|line| format!("  {line}\n")).collect();
        format!("{verdict}\n{}", harmless(&lines))
    }

    fn denied(&self, cause: &Cause<'_>) -> String {
        let flaw = cause.flaw.as_ref().map(|flaw| format!(", which cannot be evaluated: {flaw}"));
        format!("denied by {}{}", self.place(cause), flaw.unwrap_or_default())
    }

    fn silent(&self, silence: &Silence<'_>) -> String {
        let Some(NearMiss { cause, unmet }) = &silence.nearest else {
            return format!("no {} allows {}", silence.layer, self.request.action);
        };
        let unmet: Vec<_> = unmet.iter().map(|element| self.unmet(cause, element)).collect();
        format!(
            "no {} allows it; the nearest is {}, but\n    {}",
            silence.layer,
            self.place(cause),
            unmet.join("\n    ")
        )
    }

    fn unmet(&self, cause: &Cause<'_>, element: &Element<'_>) -> String {
        match element {
            Element::Principal => "its principals are others".to_owned(),
            Element::Resource => self.resources(cause),
            Element::Statement => "it cannot be evaluated".to_owned(),
            Element::Condition { operator, key } => {
                let wanted = self.wanted(cause, operator, key);
                let said = match self.request.context.values(key) {
                    [] => "the request does not have it".to_owned(),
                    values => format!("the request says {}", quoted(values)),
                };
                format!("its condition is `{operator}` `{key}`{wanted}, and {said}")
            }
        }
    }

    fn resources(&self, cause: &Cause<'_>) -> String {
        let few = |names: &BTreeSet<String>| {
            let more = if names.len() > FEW { ", …" } else { "" };
            format!("{}{more}", quoted(names.iter().take(FEW)))
        };
        match self.statement(cause).and_then(|statement| statement.resources.as_ref()) {
            Some(Matcher::In(names)) => format!("its resources are {}", few(names)),
            Some(Matcher::NotIn(names)) => format!("its resources are all but {}", few(names)),
            None => "its resources are others".to_owned(),
        }
    }

    /// What a condition compares with.
    fn wanted(&self, cause: &Cause<'_>, operator: &str, key: &str) -> String {
        let conditions = self.statement(cause).map(|statement| &statement.conditions);
        let values = conditions.and_then(|conditions| conditions.get(operator)?.get(key));
        values.map(|values| format!(" {}", quoted(values))).unwrap_or_default()
    }

    /// A statement as people find it: by its line, or by the name of its policy.
    fn place(&self, cause: &Cause<'_>) -> String {
        let sid = cause.sid.map(|sid| format!(" `{sid}`"));
        let place = match self.source(cause) {
            Some(source) => format!("{}:{}", source.file(), source.line(cause.statement)),
            None => cause.policy.to_owned(),
        };
        format!("{} {place}{}", cause.layer, sid.unwrap_or_default())
    }

    fn statement(&self, cause: &Cause<'_>) -> Option<&Statement> {
        self.source(cause)?.document().statements.get(cause.statement)
    }

    fn source(&self, cause: &Cause<'_>) -> Option<&Source> {
        self.sources.iter().find(|source| source.label == cause.policy)
    }

    pub(super) fn json(&self) -> String {
        let mut told = match self.decision {
            Decision::Allowed { by, assuming } => json!({
                "decision": "allowed",
                "by": by.iter().map(|cause| self.cause(cause)).collect::<Vec<_>>(),
                "assuming": assuming.iter().map(|one| assumed(*one)).collect::<Vec<_>>(),
            }),
            Decision::ExplicitDeny { by } => json!({
                "decision": "explicitDeny",
                "by": by.iter().map(|cause| self.cause(cause)).collect::<Vec<_>>(),
            }),
            Decision::ImplicitDeny { by } => json!({
                "decision": "implicitDeny",
                "by": by.iter().map(|silence| self.silence(silence)).collect::<Vec<_>>(),
            }),
            Decision::Undecided(why) => json!({ "decision": "undecided", "why": why.to_string() }),
        };
        if let Value::Object(fields) = &mut told {
            fields.insert("format".to_owned(), json!(FORMAT));
            fields.insert("request".to_owned(), json!(self.request));
        }
        written(&told)
    }

    fn cause(&self, cause: &Cause<'_>) -> Value {
        let source = self.source(cause);
        json!({
            "layer": cause.layer.to_string(),
            "policy": cause.policy,
            "statement": cause.statement,
            "sid": cause.sid,
            "line": source.map(|source| source.line(cause.statement)),
            "flaw": cause.flaw.as_ref().map(ToString::to_string),
        })
    }

    fn silence(&self, silence: &Silence<'_>) -> Value {
        let nearest = silence.nearest.as_ref().map(|NearMiss { cause, unmet }| {
            json!({
                "statement": self.cause(cause),
                "unmet": unmet.iter().map(|element| self.unmet(cause, element)).collect::<Vec<_>>(),
            })
        });
        json!({ "layer": silence.layer.to_string(), "nearest": nearest })
    }
}

fn quoted<'v>(values: impl IntoIterator<Item = &'v String>) -> String {
    values.into_iter().map(|value| format!("`{value}`")).collect::<Vec<_>>().join(", ")
}

fn assumed(assumption: Assumption) -> &'static str {
    match assumption {
        Assumption::SameAccount => "the resource is in the account of the caller",
        Assumption::KeyPolicy => "the key policy leaves it to the policies of the account",
        Assumption::TrustPolicy => "the trust policy leaves it to the policies of the account",
    }
}
