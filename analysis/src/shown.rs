//! A request that shows something, decided again by Cedar's own authorizer.

use std::collections::BTreeSet;
use std::str::FromStr;

use cedar_policy::{
    Authorizer, Decision, Entities, EntityUid, Expression, Policy, PolicySet, Request, Response,
    eval_expression,
};
use cedar_policy_core::ast::{self, Expr, ExprKind};
use cedar_policy_symcc::Env;

/// A request with the entities that it is decided by, neither of which the workspace has.
#[derive(Clone, Debug)]
pub struct Shown {
    /// Who asks for what, as `Kind/name action Kind/name`.
    pub question: String,
    /// What policies look at, as `principal.clearanceRank` and its value.
    pub facts: Vec<(String, String)>,
    /// Ids of the policies that decide on each side.
    pub by: [Vec<String>; 2],
    /// Whether some policy cannot be evaluated for it, on each side.
    pub fails: [bool; 2],
    /// Whether it is made of words that the workspace has.
    pub within: bool,
}

/// What both sides say of a counterexample.
pub(crate) struct Replay {
    request: Request,
    entities: Entities,
    responses: [Response; 2],
}

impl Replay {
    /// Asks both sets.
    pub(crate) fn of(env: Env, sets: [&PolicySet; 2]) -> Self {
        let Env { request, entities } = env;
        let responses = sets.map(|set| Authorizer::new().is_authorized(&request, set, &entities));
        Self { request, entities, responses }
    }

    /// Whether each set permits it, with every policy evaluated.
    pub(crate) fn permits(&self) -> [bool; 2] {
        self.responses.each_ref().map(|response| response.decision() == Decision::Allow)
    }

    /// Whether a policy decides.
    pub(crate) fn decides(&self) -> bool {
        self.responses.iter().any(|response| response.diagnostics().reason().next().is_some())
    }

    /// Whether policies of a set cannot be evaluated.
    pub(crate) fn fails(&self) -> [bool; 2] {
        self.responses.each_ref().map(|response| response.diagnostics().errors().next().is_some())
    }

    /// The request in words: what `policies` look at, or else those that decide.
    pub(crate) fn shown(&self, policies: &[&Policy], sets: [&PolicySet; 2], within: bool) -> Shown {
        let by = self.responses.each_ref().map(|response| {
            let mut by: Vec<_> = response.diagnostics().reason().map(ToString::to_string).collect();
            by.sort();
            by
        });
        let deciding =
            self.responses.iter().zip(sets).flat_map(|(response, set)| {
                response.diagnostics().reason().filter_map(move |id| set.policy(id))
            });
        let mut looked: BTreeSet<_> = policies.iter().copied().flat_map(paths).collect();
        if looked.is_empty() {
            looked = deciding.flat_map(paths).collect();
        }
        let longest = looked.iter().filter(|path| {
            let below = format!("{path}.");
            !looked.iter().any(|other| other.starts_with(&below))
        });
        let facts = longest.map(|path| (path.clone(), self.value(path)));
        let named = |uid: Option<&EntityUid>| {
            uid.map_or_else(String::new, |uid| format!("{}/{}", uid.type_name(), uid.id().unescaped()))
        };
        let action = self.request.action().map_or("", |uid| uid.id().unescaped());
        let (principal, resource) = (named(self.request.principal()), named(self.request.resource()));
        let question = format!("{principal} {action} {resource}");
        Shown { question, facts: facts.collect(), by, fails: self.fails(), within }
    }

    fn value(&self, path: &str) -> String {
        let read = Expression::from_str(path).ok();
        let value = read.and_then(|read| eval_expression(&self.request, &self.entities, &read).ok());
        value.map_or_else(|| "missing".to_owned(), |value| value.to_string())
    }
}

/// Attributes that a policy looks at, as `principal.tenant.name`.
pub(crate) fn paths(policy: &Policy) -> Vec<String> {
    let inner: &ast::Policy = policy.as_ref();
    let body = inner.non_scope_constraints();
    body.into_iter()
        .flat_map(Expr::subexpressions)
        .filter_map(path)
        .filter(|path| path.contains('.'))
        .collect()
}

fn path(expr: &Expr) -> Option<String> {
    let kind = expr.expr_kind();
    if let ExprKind::Var(name) = kind {
        return Some(name.to_string());
    }
    let (base, attribute) = if let ExprKind::GetAttr { expr, attr } | ExprKind::HasAttr { expr, attr } = kind
    {
        (expr, attr)
    } else {
        return None;
    };
    Some(format!("{}.{attribute}", path(base)?))
}
