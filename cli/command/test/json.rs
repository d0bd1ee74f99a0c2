//! The results of tests as `aipolicy.test/1`.

use aipolicy_compiler::source::Span;
use aipolicy_compiler::trial::{ClauseCover, Fate, Mutant, PolicyCover, Trial, Tried};
use serde_json::{Value, json};

use super::Report;
use super::words::title;
use crate::render::json::written;

/// The version of the format.
const FORMAT: &str = "aipolicy.test/1";

impl Report<'_> {
    pub(super) fn json(&self) -> String {
        let (values, had) = self.covered();
        let (changes, killed) = self.killed();
        written(&json!({
            "format": FORMAT,
            "cases": self.trials.iter().map(|trial| self.case_document(trial)).collect::<Vec<_>>(),
            "coverage": {
                "values": values,
                "had": had,
                "policies": self.coverage.iter().map(|policy| self.policy_document(policy)).collect::<Vec<_>>(),
            },
            "changes": {
                "made": changes,
                "noticed": killed,
                "all": self.mutants.iter().map(|mutant| self.change_document(mutant)).collect::<Vec<_>>(),
            },
            "below": self.below,
        }))
    }

    fn case_document(&self, trial: &Trial<'_>) -> Value {
        json!({
            "test": trial.test.name().as_str(),
            "number": trial.at + 1,
            "title": title(trial.case),
            "at": self.place_document(trial.case.expect.span),
            "expect": trial.case.expect.value.word(),
            "passed": trial.passed(),
            "requests": trial.asked.iter().map(|tried| self.request_document(tried)).collect::<Vec<_>>(),
        })
    }

    fn request_document(&self, tried: &Tried) -> Value {
        let [principal, action, resource] = tried.supposed.about();
        let matching = tried.said.matching.iter().map(|at| self.id(*at)).collect::<Vec<_>>();
        json!({
            "principal": principal,
            "action": action,
            "resource": resource,
            "environment": self.workspace.graph().name(tried.heard.environment),
            "askedAt": tried.supposed.line.map(|line| self.place_document(line)),
            "matching": matching,
            "faults": tried.faults.iter().map(|fault| self.fault(fault)).collect::<Vec<_>>(),
        })
    }

    fn policy_document(&self, policy: &PolicyCover) -> Value {
        let (values, had) = policy.count();
        let clause = |one: &ClauseCover| {
            json!({
                "clause": self.written(one.clause.span),
                "at": self.place_document(one.clause.span),
                "trueIn": one.true_in,
                "falseIn": one.false_in,
                "gaps": self.gaps(policy, one),
            })
        };
        json!({
            "policy": self.id(policy.policy),
            "values": values,
            "had": had,
            "matchedIn": policy.matched,
            "clauses": policy.clauses.iter().map(clause).collect::<Vec<_>>(),
        })
    }

    fn change_document(&self, mutant: &Mutant) -> Value {
        let by = match mutant.fate {
            Fate::Killed(at) => self.trials.get(at),
            Fate::Survived => None,
        };
        json!({
            "policy": self.id(mutant.mutation.policy),
            "at": self.place_document(mutant.mutation.span),
            "change": self.change(mutant),
            "noticedBy": by.map(|trial| json!({ "test": trial.test.name().as_str(), "number": trial.at + 1 })),
        })
    }

    fn place_document(&self, span: Span) -> Value {
        let at = self.workspace.sources.position(span);
        json!({ "file": self.workspace.sources.get(span.source).path(), "line": at.line, "column": at.column })
    }
}
