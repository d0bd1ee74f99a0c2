//! A Cedar policy as its clauses: the parts of scope and conditions whose truth decides whether it matches.
//!
//! A clause has no `&&`, `||`, `!` or `if` around it that is not shown in the tree, so each is looked at in the order in
//! which Cedar looks at it, and one that Cedar leaves out is left out here for the same reason.

use std::sync::Arc;

use cedar_policy::{Entities, Policy, Request};
use cedar_policy_core::ast::{
    ActionConstraint, Expr, ExprKind, Literal, PrincipalOrResourceConstraint, SlotEnv, UnaryOp, Value,
    ValueKind,
};
use cedar_policy_core::evaluator::Evaluator;
use cedar_policy_core::extensions::Extensions;
use cedar_policy_core::parser::Loc;
use cedar_policy_core::parser::text_to_cst;

use crate::source::Span;

/// Which part of a policy a clause belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// What the scope says of the principal.
    Principal,
    /// What the scope says of the action.
    Action,
    /// What the scope says of the resource.
    Resource,
    /// A part of `when` or `unless`.
    Condition,
}

/// A part that is true or false.
#[derive(Clone, Debug)]
pub struct Clause {
    /// Where it is written.
    pub span: Span,
    /// What it belongs to.
    pub part: Part,
    /// Its value, where it is written as `true` or `false`.
    pub constant: Option<bool>,
    expr: Arc<Expr>,
}

/// How clauses are put together.
#[derive(Clone, Debug)]
pub enum Tree {
    /// The clause at this position.
    Clause(usize),
    /// The contrary.
    Not(Box<Tree>, Span),
    /// Both, the second only if the first is true.
    And(Box<Tree>, Box<Tree>, Span),
    /// One of them, the second only if the first is false.
    Or(Box<Tree>, Box<Tree>, Span),
    /// The second if the first is true, else the third.
    If(Box<Tree>, Box<Tree>, Box<Tree>),
}

impl Tree {
    /// Positions of the clauses below, in order.
    pub fn clauses(&self) -> Vec<usize> {
        match self {
            Self::Clause(at) => vec![*at],
            Self::Not(inner, _) => inner.clauses(),
            Self::And(left, right, _) | Self::Or(left, right, _) => {
                left.clauses().into_iter().chain(right.clauses()).collect()
            }
            Self::If(test, then, other) => {
                [test, then, other].into_iter().flat_map(|tree| tree.clauses()).collect()
            }
        }
    }
}

/// What became of a clause in one evaluation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// It was true.
    True,
    /// It was false.
    False,
    /// It could not be evaluated, and why.
    Failed(String),
    /// It was not looked at, since this clause had decided before or could not be evaluated.
    Skipped(usize),
}

/// One evaluation of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Walk {
    /// Whether the policy matches; without an answer where it fails.
    pub matches: Option<bool>,
    /// What became of each clause.
    pub seen: Vec<Seen>,
}

/// The clauses of a policy.
#[derive(Clone, Debug)]
pub struct Clauses {
    /// Each clause: the scope's first, then those of the conditions in the order of the text.
    pub all: Vec<Clause>,
    /// The tree of scope and conditions; nothing for a policy that always matches.
    pub tree: Option<Tree>,
}

impl Clauses {
    /// The clauses of a policy that was read from the source of `place`.
    pub fn of(policy: &Policy, place: Span) -> Self {
        let inner: &cedar_policy_core::ast::Policy = policy.as_ref();
        let mut made = Self { all: Vec::new(), tree: None };
        let mut scope = scope_places(inner.loc(), place).into_iter();
        let mut next = || scope.next().unwrap_or(place);
        let places = [next(), next(), next()];
        let constrained = [
            *inner.principal_constraint().as_inner() != PrincipalOrResourceConstraint::Any,
            *inner.action_constraint() != ActionConstraint::Any,
            *inner.resource_constraint().as_inner() != PrincipalOrResourceConstraint::Any,
        ];
        let scope = [
            (Part::Principal, inner.principal_constraint().as_expr()),
            (Part::Action, inner.action_constraint().as_expr()),
            (Part::Resource, inner.resource_constraint().as_expr()),
        ];
        for (((part, expr), span), _) in
            scope.into_iter().zip(places).zip(constrained).filter(|(_, constrained)| *constrained)
        {
            let leaf = made.leaf(&Arc::new(expr), span, part);
            made.join(leaf, place);
        }
        if let Some(body) = inner.non_scope_constraints_arc() {
            let body = made.conditions(body, place);
            made.join(body, place);
        }
        made
    }

    fn join(&mut self, tree: Tree, place: Span) {
        self.tree = Some(match self.tree.take() {
            Some(before) => Tree::And(Box::new(before), Box::new(tree), place),
            None => tree,
        });
    }

    fn leaf(&mut self, expr: &Arc<Expr>, span: Span, part: Part) -> Tree {
        let written = |value: bool| *expr.expr_kind() == ExprKind::Lit(Literal::Bool(value));
        let constant = [true, false].into_iter().find(|value| written(*value));
        self.all.push(Clause { span, part, constant, expr: Arc::clone(expr) });
        Tree::Clause(self.all.len() - 1)
    }

    fn conditions(&mut self, expr: &Arc<Expr>, place: Span) -> Tree {
        let span = spanned(expr.source_loc(), place);
        if let ExprKind::And { left, right } = expr.expr_kind() {
            let left = self.conditions(left, span);
            return Tree::And(Box::new(left), Box::new(self.conditions(right, span)), span);
        }
        if let ExprKind::Or { left, right } = expr.expr_kind() {
            let left = self.conditions(left, span);
            return Tree::Or(Box::new(left), Box::new(self.conditions(right, span)), span);
        }
        if let ExprKind::If { test_expr, then_expr, else_expr } = expr.expr_kind() {
            let test = self.conditions(test_expr, span);
            let then = self.conditions(then_expr, span);
            return Tree::If(Box::new(test), Box::new(then), Box::new(self.conditions(else_expr, span)));
        }
        // `a > b` is read as `!(a <= b)`, so what is negated and simple is one clause, as it is written.
        match negated(expr).filter(|inner| is_compound(inner)) {
            Some(inner) => Tree::Not(Box::new(self.conditions(inner, span)), span),
            None => self.leaf(expr, span, Part::Condition),
        }
    }

    /// Evaluates the policy as Cedar does, and notes what became of each clause.
    pub fn walk(&self, request: &Request, entities: &Entities) -> Walk {
        let extensions = Extensions::all_available();
        let inner: &cedar_policy_core::ast::Request = request.as_ref();
        let evaluator = Evaluator::new(inner.clone(), entities.as_ref(), extensions);
        let mut walk = Walk { matches: Some(true), seen: vec![Seen::Skipped(0); self.all.len()] };
        if let Some(tree) = &self.tree {
            walk.matches = self.visit(tree, &evaluator, &mut walk.seen).map(|(value, _)| value).ok();
        }
        walk
    }

    /// The value of a tree and the clause that decided it, or the clause that failed.
    fn visit(
        &self,
        tree: &Tree,
        evaluator: &Evaluator<'_>,
        seen: &mut [Seen],
    ) -> Result<(bool, usize), usize> {
        let skip = |seen: &mut [Seen], tree: &Tree, by: usize| {
            for at in tree.clauses() {
                seen.get_mut(at).into_iter().for_each(|one| *one = Seen::Skipped(by));
            }
        };
        match tree {
            Tree::Clause(at) => self.look(*at, evaluator, seen),
            Tree::Not(inner, _) => self.visit(inner, evaluator, seen).map(|(value, by)| (!value, by)),
            Tree::And(left, right, _) | Tree::Or(left, right, _) => {
                let decisive = matches!(tree, Tree::Or(..));
                match self.visit(left, evaluator, seen) {
                    Ok((value, _)) if value != decisive => self.visit(right, evaluator, seen),
                    Ok((value, by)) => {
                        skip(seen, right, by);
                        Ok((value, by))
                    }
                    Err(by) => {
                        skip(seen, right, by);
                        Err(by)
                    }
                }
            }
            Tree::If(test, then, other) => match self.visit(test, evaluator, seen) {
                Ok((value, by)) => {
                    let (chosen, left_out) = if value { (then, other) } else { (other, then) };
                    skip(seen, left_out, by);
                    self.visit(chosen, evaluator, seen)
                }
                Err(by) => {
                    skip(seen, then, by);
                    skip(seen, other, by);
                    Err(by)
                }
            },
        }
    }

    fn look(&self, at: usize, evaluator: &Evaluator<'_>, seen: &mut [Seen]) -> Result<(bool, usize), usize> {
        let Some((clause, seen)) = self.all.get(at).zip(seen.get_mut(at)) else { return Err(at) };
        match evaluator.interpret(&clause.expr, &SlotEnv::new()).map(|value| truth(&value)) {
            Ok(value) => {
                *seen = if value { Seen::True } else { Seen::False };
                Ok((value, at))
            }
            Err(error) => {
                *seen = Seen::Failed(error.to_string());
                Err(at)
            }
        }
    }
}

/// Whether a value is `true`. The schema was asked before, so it is a boolean.
fn truth(value: &Value) -> bool {
    *value.value_kind() == ValueKind::Lit(Literal::Bool(true))
}

/// What is negated.
fn negated(expr: &Expr) -> Option<&Arc<Expr>> {
    if let ExprKind::UnaryApp { op: UnaryOp::Not, arg } = expr.expr_kind() { Some(arg) } else { None }
}

/// Whether something has clauses of its own.
fn is_compound(expr: &Expr) -> bool {
    matches!(expr.expr_kind(), ExprKind::And { .. } | ExprKind::Or { .. } | ExprKind::If { .. })
        || negated(expr).is_some_and(|inner| is_compound(inner))
}

/// A place that Cedar tells, in the source of the policy.
pub(crate) fn spanned(loc: Option<&Loc>, place: Span) -> Span {
    loc.map_or(place, |loc| Span::new(place.source, loc.start(), loc.end()))
}

/// Where the scope of a policy speaks of principal, action and resource.
fn scope_places(loc: Option<&Loc>, place: Span) -> Vec<Span> {
    let Some((loc, text)) = loc.and_then(|loc| Some((loc, loc.snippet()?))) else { return Vec::new() };
    let Ok(read) = text_to_cst::parse_policy(text) else { return Vec::new() };
    let Some(cedar_policy_core::parser::cst::Policy::Policy(read)) = read.as_inner() else {
        return Vec::new();
    };
    let at = |inner: &Loc| Span::new(place.source, loc.start() + inner.start(), loc.start() + inner.end());
    read.variables.iter().map(|one| one.loc().map_or(place, at)).collect()
}

#[cfg(test)]
mod tests {
    use cedar_policy::PolicySet;
    use cedar_policy_core::ast::Expr;

    use super::*;
    use crate::authorize::SHIPPED;
    use crate::source::SourceId;

    fn read(text: &str) -> Vec<Clauses> {
        let set: PolicySet = text.parse().unwrap();
        let of = |policy: &Policy| {
            let inner: &cedar_policy_core::ast::Policy = policy.as_ref();
            let loc = inner.loc().unwrap();
            Clauses::of(policy, Span::new(SourceId::DEFAULTS, loc.start(), loc.end()))
        };
        set.policies().map(of).collect()
    }

    fn texts<'t>(text: &'t str, clauses: &Clauses) -> Vec<&'t str> {
        clauses.all.iter().map(|one| &text[one.span.start as usize..one.span.end as usize]).collect()
    }

    #[test]
    fn the_place_of_each_clause_holds_its_text() {
        for policy in SHIPPED {
            for clauses in read(policy.text) {
                assert!(!clauses.all.is_empty(), "{}", policy.path);
                for (clause, text) in clauses.all.iter().zip(texts(policy.text, &clauses)) {
                    if clause.part == Part::Condition {
                        let again: Expr = text.parse().unwrap_or_else(|_| panic!("{}: {text}", policy.path));
                        assert_eq!(&again, &*clause.expr, "{}: {text}", policy.path);
                    } else {
                        let word = ["principal", "action", "resource"][clause.part as usize];
                        assert!(text.starts_with(word), "{}: {text}", policy.path);
                    }
                }
            }
        }
    }

    #[test]
    fn what_decides_alone_is_a_clause() {
        let text = r#"
@id("a")
permit (principal, action == Action::"invokeModel", resource is Model)
when { context.fallback && !(context.direct || !context.crossRegion) && context.dataClassRank >= 2 }
unless { if context has profile then context.profile like "eu.*" else (resource.name == "a") };
"#;
        let clauses = read(text).remove(0);
        let wanted = [
            r#"action == Action::"invokeModel""#,
            "resource is Model",
            "context.fallback",
            "context.direct",
            "!context.crossRegion",
            "context.dataClassRank >= 2",
            "context has profile",
            r#"context.profile like "eu.*""#,
            r#"resource.name == "a""#,
        ];
        assert_eq!(texts(text, &clauses), wanted);
        assert_eq!(clauses.tree.unwrap().clauses(), (0..wanted.len()).collect::<Vec<_>>());
    }
}
