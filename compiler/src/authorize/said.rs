//! What each policy says to a question, whatever the others say.

use cedar_policy_core::ast;
use cedar_policy_core::evaluator::Evaluator;
use cedar_policy_core::extensions::Extensions;

use super::{Policies, Question};
use crate::ir::PolicyIndex;

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
        let request: &ast::Request = question.request.as_ref();
        let entities = question.entities.as_ref().as_ref();
        let evaluator = Evaluator::new(request.clone(), entities, Extensions::all_available());
        let mut said = Said::default();
        for policy in question.policies.policies() {
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
