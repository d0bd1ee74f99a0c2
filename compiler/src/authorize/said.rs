//! What each policy says to a question, whatever the others say.

use std::sync::Arc;

use cedar_policy::{Entities, Policy, Request};
use cedar_policy_core::ast;
use cedar_policy_core::evaluator::Evaluator;
use cedar_policy_core::extensions::Extensions;

use super::{Court, Policies, Posed, Question};
use crate::ir::{AccessRequest, PolicyIndex};
use crate::model::environment::SeverityWord;

/// What policies say to a question, each alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// Those that match, sorted.
    pub matching: Vec<PolicyIndex>,
    /// Those that cannot be evaluated, sorted, each with the reason.
    pub failing: Vec<(PolicyIndex, String)>,
}

impl Policies {
    /// Evaluates each policy that can have a say. Cedar's own answer names only those that decided, so a permit beside a
    /// forbid is not in it.
    pub fn said(&self, question: &Question) -> Said {
        self.each_said((&question.request, &question.entities), question.policies.policies())
    }

    fn each_said<'p>(
        &self,
        (request, entities): (&Request, &Entities),
        asked: impl Iterator<Item = &'p Policy>,
    ) -> Said {
        let request: &ast::Request = request.as_ref();
        let evaluator = Evaluator::new(request.clone(), entities.as_ref(), Extensions::all_available());
        let mut said = Said::default();
        for policy in asked {
            let Some(at) = self.position(policy.id()) else { continue };
            let inner: &ast::Policy = policy.as_ref();
            match evaluator.evaluate(inner) {
                Ok(true) => said.matching.push(at),
                Ok(false) => {}
                Err(error) => said.failing.push((at, error.to_string())),
            }
        }
        said.matching.sort_unstable();
        said.failing.sort_unstable();
        said
    }
}

/// A request while Cedar is asked about it.
pub(crate) struct Considered<'a> {
    pub(super) court: &'a Court<'a>,
    pub(super) posed: &'a Posed<'a>,
    /// As resources make it.
    pub(crate) request: &'a AccessRequest,
}

impl Considered<'_> {
    /// What each policy says that can have a say, where one of the wanted ones matches or cannot be evaluated; and nothing
    /// anywhere else.
    pub(crate) fn said_beside(&self, wanted: &dyn Fn(PolicyIndex) -> bool) -> Said {
        let Self { court, posed, .. } = self;
        let off = court.switched(posed.environment, SeverityWord::Off);
        let all = court.policies.index.candidates(posed.action.word(), posed.principals, &off);
        let all = Arc::as_ref(&all);
        let is_wanted = |policy: &&Policy| court.policies.position(policy.id()).is_some_and(wanted);
        let asked = (posed.question, posed.entities);
        let said = court.policies.each_said(asked, all.policies().filter(is_wanted));
        match said == Said::default() {
            true => said,
            false => court.policies.each_said(asked, all.policies()),
        }
    }
}
