//! Where a policy can be changed, and into what.

use cedar_policy::{ActionConstraint, Policy, PrincipalConstraint, ResourceConstraint, Schema};
use cedar_policy_core::ast::{BinaryOp, EntityType, EntityUID, Expr, ExprKind};
use cedar_policy_core::validator::{ValidatorActionId, ValidatorSchema};

use crate::clause::{Clauses, Part, Tree};
use crate::source::Span;

/// What is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Change {
    /// The policy is gone.
    Removed,
    /// The scope is about more principals, actions or resources, or about one action less.
    Scope,
    /// A whole condition is gone.
    ConditionDropped,
    /// `when` is `unless`, or the other way round.
    ConditionReversed,
    /// One side of `&&` or `||` is gone.
    OperandDropped,
    /// `&&` is `||`, or the other way round.
    OperatorSwapped,
    /// A clause is its contrary.
    Negated,
    /// A comparison leaves out its bound, or takes it in.
    Boundary,
    /// A list has one element less.
    ElementDropped,
}

impl Change {
    /// What is changed, in words.
    pub fn phrase(self) -> &'static str {
        match self {
            Self::Removed => "the policy is gone",
            Self::Scope => "the scope is changed",
            Self::ConditionDropped => "the condition is gone",
            Self::ConditionReversed => "the condition is reversed",
            Self::OperandDropped => "the operand is gone",
            Self::OperatorSwapped => "`&&` and `||` are swapped",
            Self::Negated => "the clause is negated",
            Self::Boundary => "the bound is moved",
            Self::ElementDropped => "an element is gone",
        }
    }
}

/// A change of a text.
pub(super) struct Edit {
    pub(super) change: Change,
    pub(super) span: Span,
    pub(super) written: String,
}

/// Every change of a policy that is worth trying.
pub(super) fn edits(
    clauses: &Clauses,
    (policy, schema): (&Policy, &Schema),
    (text, place): (&str, Span),
) -> Vec<Edit> {
    let mut writer = Writer { text, edits: Vec::new() };
    writer.put(Change::Removed, place, String::new());
    for clause in &clauses.all {
        match clause.part {
            Part::Principal if has_other_principals(policy, schema) => writer.any(clause.span, "principal"),
            Part::Resource if has_other_resources(policy, schema) => writer.any(clause.span, "resource"),
            Part::Action => writer.one_action_less(clause.span),
            Part::Principal | Part::Resource => {}
            Part::Condition => writer.clause(clause.span, clause.expr()),
        }
    }
    for condition in &clauses.conditions {
        writer.put(Change::ConditionDropped, condition.span, String::new());
        let other = if writer.at(condition.word) == "when" { "unless" } else { "when" };
        writer.put(Change::ConditionReversed, condition.word, other.to_owned());
    }
    if let Some(tree) = &clauses.tree {
        writer.tree(tree, clauses);
    }
    writer.edits
}

struct Writer<'t> {
    text: &'t str,
    edits: Vec<Edit>,
}

impl<'t> Writer<'t> {
    fn put(&mut self, change: Change, span: Span, written: String) {
        self.edits.push(Edit { change, span, written });
    }

    fn at(&self, span: Span) -> &'t str {
        self.text.get(span.start as usize..span.end as usize).unwrap_or("")
    }

    fn any(&mut self, span: Span, variable: &str) {
        self.put(Change::Scope, span, variable.to_owned());
    }

    fn one_action_less(&mut self, span: Span) {
        let Some((head, list)) = self.at(span).split_once('[') else { return };
        let Some((list, tail)) = list.rsplit_once(']') else { return };
        let all: Vec<_> = list.split(',').map(str::trim).filter(|one| !one.is_empty()).collect();
        for left_out in 0..all.len() {
            let kept = all.iter().enumerate().filter(|(at, _)| *at != left_out).map(|(_, one)| *one);
            let kept = kept.collect::<Vec<_>>().join(", ");
            self.put(Change::Scope, span, format!("{head}[{kept}]{tail}"));
        }
    }

    /// A clause: its contrary, its bound, the elements of its lists.
    fn clause(&mut self, span: Span, expr: &Expr) {
        self.put(Change::Negated, span, format!("!({})", self.at(span)));
        for part in expr.subexpressions() {
            let at =
                |expr: &Expr| expr.source_loc().map(|loc| Span::new(span.source, loc.start(), loc.end()));
            if let ExprKind::BinaryApp { op: BinaryOp::Less | BinaryOp::LessEq, arg1, arg2 } =
                part.expr_kind()
                && let (Some(left), Some(right)) = (at(arg1), at(arg2))
            {
                self.boundary(span, Span { start: left.end, end: right.start, ..span });
            }
            if let ExprKind::Set(elements) = part.expr_kind()
                && let (Some(whole), true) = (at(part), elements.len() > 1)
            {
                let texts: Option<Vec<_>> =
                    elements.iter().map(|one| at(one).map(|at| self.at(at))).collect();
                self.elements(span, whole, &texts.unwrap_or_default());
            }
        }
    }

    /// A clause with something else in a part of it.
    fn inside(&mut self, change: Change, clause: Span, (part, written): (Span, &str)) {
        let before = self.at(Span { end: part.start, ..clause });
        let after = self.at(Span { start: part.end, ..clause });
        self.put(change, clause, format!("{before}{written}{after}"));
    }

    fn boundary(&mut self, clause: Span, between: Span) {
        let operators = [("<=", "<"), (">=", ">"), ("<", "<="), (">", ">=")];
        let gap = self.at(between);
        let written = operators.iter().find(|(operator, _)| gap.contains(operator));
        if let Some((operator, other)) = written {
            self.inside(Change::Boundary, clause, (between, &gap.replacen(operator, other, 1)));
        }
    }

    fn elements(&mut self, clause: Span, whole: Span, texts: &[&str]) {
        for left_out in 0..texts.len() {
            let kept = texts.iter().enumerate().filter(|(at, _)| *at != left_out).map(|(_, one)| *one);
            let kept = kept.collect::<Vec<_>>().join(", ");
            self.inside(Change::ElementDropped, clause, (whole, &format!("[{kept}]")));
        }
    }

    fn tree(&mut self, tree: &Tree, clauses: &Clauses) {
        match tree {
            Tree::Clause(_) => {}
            Tree::Not(inner, _) => self.tree(inner, clauses),
            Tree::If(test, then, other, _) => {
                [test, then, other].into_iter().for_each(|tree| self.tree(tree, clauses));
            }
            Tree::And(_, _, span) | Tree::Or(_, _, span) => {
                let both = matches!(tree, Tree::And(..));
                let operands = operands(tree, (both, *span));
                self.chain(&operands, (if both { "&&" } else { "||" }, *span), clauses);
                operands.into_iter().for_each(|operand| self.tree(operand, clauses));
            }
        }
    }

    /// Operands with the same operator between them: each may be gone, and each operator may be the other one. Conditions
    /// and parts of the scope stand beside each other without one, and are changed elsewhere.
    fn chain(&mut self, operands: &[&Tree], (operator, span): (&str, Span), clauses: &Clauses) {
        let other = if operator == "&&" { "||" } else { "&&" };
        let places: Vec<_> = operands.iter().filter_map(|operand| clauses.place(operand)).collect();
        let gaps = places.iter().zip(places.iter().skip(1));
        let signs: Vec<_> = gaps
            .filter_map(|(left, right)| {
                self.sign(Span { start: left.end, end: right.start, ..span }, operator)
            })
            .collect();
        if signs.len() + 1 != operands.len() {
            return;
        }
        let Some(first) = signs.first() else { return };
        self.put(Change::OperandDropped, Span { end: first.end, ..span }, String::new());
        let ends = signs.iter().skip(1).map(|sign| sign.start).chain([span.end]);
        for (sign, end) in signs.iter().zip(ends) {
            let operand = Span { end, ..*sign };
            self.put(Change::OperandDropped, operand, String::new());
            let written = self.at(operand).replacen(operator, other, 1);
            self.put(Change::OperatorSwapped, operand, written);
        }
    }

    /// Where the only operator is in the text between two operands.
    fn sign(&self, between: Span, operator: &str) -> Option<Span> {
        let mut at = between.start as usize;
        for line in self.at(between).split_inclusive('\n') {
            let code = line.split("//").next().unwrap_or("");
            if let Some(found) = code.find(operator) {
                return Some(Span::new(between.source, at + found, at + found + operator.len()));
            }
            at += line.len();
        }
        None
    }
}

/// The operands of a chain `a && b && c`, of which Cedar keeps one place.
fn operands(tree: &Tree, (both, span): (bool, Span)) -> Vec<&Tree> {
    match tree {
        Tree::And(left, right, at) if both && *at == span => {
            operands(left, (both, span)).into_iter().chain([&**right]).collect()
        }
        Tree::Or(left, right, at) if !both && *at == span => {
            operands(left, (both, span)).into_iter().chain([&**right]).collect()
        }
        Tree::Clause(_) | Tree::Not(..) | Tree::And(..) | Tree::Or(..) | Tree::If(..) => vec![tree],
    }
}

/// Whether the actions of a policy have principals that its scope excludes by their type.
fn has_other_principals(policy: &Policy, schema: &Schema) -> bool {
    let PrincipalConstraint::Is(kind) = policy.principal_constraint() else { return true };
    actions(policy, schema).any(|action| others(action.applies_to_principals(), &kind.to_string()))
}

/// Whether the actions of a policy have resources that its scope excludes by their type.
fn has_other_resources(policy: &Policy, schema: &Schema) -> bool {
    let ResourceConstraint::Is(kind) = policy.resource_constraint() else { return true };
    actions(policy, schema).any(|action| others(action.applies_to_resources(), &kind.to_string()))
}

fn others<'k>(mut kinds: impl Iterator<Item = &'k EntityType>, wanted: &str) -> bool {
    kinds.any(|kind| kind.to_string() != wanted)
}

/// The actions that a policy is about.
fn actions<'s>(policy: &Policy, schema: &'s Schema) -> impl Iterator<Item = &'s ValidatorActionId> + use<'s> {
    let schema: &ValidatorSchema = schema.as_ref();
    let named: Vec<EntityUID> = match policy.action_constraint() {
        ActionConstraint::Any => schema.actions().cloned().collect(),
        ActionConstraint::Eq(action) => vec![action.into()],
        ActionConstraint::In(actions) => actions.into_iter().map(EntityUID::from).collect(),
    };
    named.into_iter().filter_map(|action| schema.get_action_id(&action))
}
