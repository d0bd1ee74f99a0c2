//! Tests of policies: whether each case has the decision that it expects, which clauses of policies the cases reach,
//! and which changes of a policy no case would notice.

mod coverage;
mod mutant;

use std::collections::BTreeSet;

pub use coverage::{ClauseCover, Gap, PolicyCover, Why, cover};
pub use mutant::{Change, Fate, Mutant, Mutation, mutants, mutations};

use crate::authorize::{Answer, Heard, Hearing, Policies, Said, Supposed, on_large_stacks};
use crate::diagnostic::Diagnostics;
use crate::ir::{Outcome, PolicyIndex};
use crate::model::Resource;
use crate::model::policy_test::{Expected, PolicyCase, PolicyTestSpec};
use crate::model::value::{Date, Text};
use crate::resolve::Graph;
use crate::rule;
use crate::source::Spanned;

/// A case with the requests that it means, and what became of them.
#[derive(Debug)]
pub struct Trial<'g> {
    /// The test that it belongs to.
    pub test: &'g Resource<PolicyTestSpec>,
    /// Its position there, from 0.
    pub at: usize,
    /// The case.
    pub case: &'g PolicyCase,
    /// Each request.
    pub asked: Vec<Tried>,
}

/// A request of a case.
#[derive(Debug)]
pub struct Tried {
    /// The request.
    pub supposed: Supposed,
    /// What policies say to it together.
    pub heard: Heard,
    /// What each says alone.
    pub said: Said,
    /// What is not as the case expects.
    pub faults: Vec<Fault>,
}

/// What is not as a case expects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is permitted by these policies, or refused: forbidden by these, or permitted by none.
    Decision(Outcome),
    /// A policy does not match, and should.
    Silent(PolicyIndex),
    /// A policy matches, and should not.
    Speaks(PolicyIndex),
    /// Policies cannot be evaluated, and why.
    Fails(Vec<String>),
}

impl Trial<'_> {
    /// Whether everything is as expected.
    pub fn passed(&self) -> bool {
        self.asked.iter().all(|tried| tried.faults.is_empty())
    }
}

/// Reports the cases of a workspace that cannot be asked.
pub fn unclear(graph: &Graph, policies: &Policies, today: Date, out: &mut Diagnostics) {
    let cases = || graph.each::<PolicyTestSpec>().flat_map(|(_, test)| &test.spec);
    if cases().next().is_none() {
        return;
    }
    on_large_stacks(|| {
        let hearing = Hearing::new(graph, policies, today);
        for case in cases() {
            named(case, policies, out);
            out.extend(hearing.case(case).err().map(|unclear| *unclear));
        }
    });
}

/// Asks every case of a workspace. What cannot be asked is reported, and has no trial.
pub fn trials<'g>(
    graph: &'g Graph,
    asked: (&Policies, &Hearing<'_>),
    out: &mut Diagnostics,
) -> Vec<Trial<'g>> {
    on_large_stacks(|| each_trial(graph, asked, out))
}

fn each_trial<'g>(
    graph: &'g Graph,
    (policies, hearing): (&Policies, &Hearing<'_>),
    out: &mut Diagnostics,
) -> Vec<Trial<'g>> {
    let cases = graph.each::<PolicyTestSpec>().flat_map(|(_, test)| {
        let cases = test.spec.iter().enumerate();
        cases.map(move |(at, case)| (test, at, case))
    });
    let mut found = Vec::new();
    for (test, at, case) in cases {
        let known = named(case, policies, out);
        match hearing.case(case) {
            Err(unclear) => out.report(*unclear),
            Ok(supposed) => {
                let tried = supposed.into_iter().map(|one| attempt(one, case, (policies, hearing)));
                match tried.collect::<Result<Vec<_>, String>>() {
                    Ok(asked) if known => found.push(Trial { test, at, case, asked }),
                    Ok(_) => {}
                    Err(why) => out.report(rule::TEST_UNCLEAR.at(case.action.span, why, "")),
                }
            }
        }
    }
    found
}

/// Whether a policy of each name is there; one that is not is reported.
fn named(case: &PolicyCase, policies: &Policies, out: &mut Diagnostics) -> bool {
    let mut all = true;
    for name in case.by.iter().chain(&case.not_by) {
        let text = name.value.as_str();
        if policies.find(text).is_none() {
            let found =
                rule::TEST_UNCLEAR.at(name.span, format!("there is no policy with the id `{text}`"), "");
            let known = policies.facts().iter().map(|fact| fact.id.as_str());
            out.report(match crate::yaml::nearest(text, known) {
                Some(near) => found.help(format!("did you mean `{near}`?")),
                None => found,
            });
            all = false;
        }
    }
    all
}

fn attempt(
    supposed: Supposed,
    case: &PolicyCase,
    (policies, hearing): (&Policies, &Hearing<'_>),
) -> Result<Tried, String> {
    let heard = hearing.hear(&supposed)?;
    let said = policies.said(&heard.question);
    let faults = match &heard.answer {
        Ok(answer) => faults(case, answer, &said.matching, policies),
        Err(why) => vec![Fault::Fails(why.clone())],
    };
    Ok(Tried { supposed, heard, said, faults })
}

/// What is not as a case expects, where policies answer so and these match.
pub fn faults(
    case: &PolicyCase,
    answer: &Answer,
    matching: &[PolicyIndex],
    policies: &Policies,
) -> Vec<Fault> {
    let allowed = matches!(answer.outcome, Outcome::Permitted(_));
    let expected = case.expect.value == Expected::Allow;
    let decision = (allowed != expected).then(|| Fault::Decision(answer.outcome.clone()));
    let matching: BTreeSet<_> = matching.iter().copied().collect();
    let found = |names: &[Spanned<Text>], wanted: bool| -> Vec<PolicyIndex> {
        let all = names.iter().filter_map(|name| policies.find(name.value.as_str()));
        all.filter(|at| matching.contains(at) != wanted).collect()
    };
    let silent = found(&case.by, true).into_iter().map(Fault::Silent);
    let speaks = found(&case.not_by, false).into_iter().map(Fault::Speaks);
    decision.into_iter().chain(silent).chain(speaks).collect()
}
