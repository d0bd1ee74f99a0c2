//! Parts of a policy that fail for values that the schema allows. A `forbid` that fails does not forbid.

use cedar_policy_core::ast::{BinaryOp, Expr, ExprKind, Literal, UnaryOp};

use super::{MayFail, Subject};
use crate::clause::spanned;
use crate::ir::PolicyIndex;

/// Functions on days and durations of which the result may be too large.
const OVERFLOWING: &[&str] = &["offset", "durationSince", "toDate"];

/// Why a computation may fail.
const LARGE: &str = "the result may not fit into 64 bits";

/// What in a policy may fail. The validator has refused constructors of anything but literals, and attributes that may be
/// missing and are not tested with `has`.
pub(super) fn parts(subject: &Subject<'_>, at: PolicyIndex) -> Vec<MayFail> {
    let fact = subject.policies.facts().get(at.0 as usize);
    let Some((policy, fact)) = subject.policies.get(at).zip(fact) else { return Vec::new() };
    let inner: &cedar_policy_core::ast::Policy = policy.as_ref();
    let Some(body) = inner.non_scope_constraints() else { return Vec::new() };
    let may_fail = |expr: &Expr| {
        let span = spanned(expr.source_loc(), fact.span);
        why(expr).map(|why| MayFail { span, why })
    };
    let mut found: Vec<_> = body.subexpressions().filter_map(may_fail).collect();
    found.sort_by_key(|one| one.span);
    found.dedup();
    found
}

fn why(expr: &Expr) -> Option<String> {
    let kind = expr.expr_kind();
    if is_arithmetic(expr) {
        return number(expr).is_none().then(|| LARGE.into());
    }
    if let ExprKind::ExtensionFunctionApp { fn_name, .. } = kind {
        let overflows = OVERFLOWING.contains(&fn_name.to_string().as_str());
        return overflows.then(|| "the result may be too far away for a date or a duration".into());
    }
    let ExprKind::GetAttr { expr, .. } = kind else { return None };
    let ExprKind::Lit(Literal::EntityUID(uid)) = expr.expr_kind() else { return None };
    Some(format!("a request brings the entities that it is about, and `{uid}` may not be among them"))
}

fn is_arithmetic(expr: &Expr) -> bool {
    let kind = expr.expr_kind();
    matches!(kind, ExprKind::BinaryApp { op: BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul, .. })
        || matches!(kind, ExprKind::UnaryApp { op: UnaryOp::Neg, .. })
}

/// The value of a computation with numbers that are written, if it has one.
fn number(expr: &Expr) -> Option<i64> {
    match expr.expr_kind() {
        ExprKind::Lit(Literal::Long(number)) => Some(*number),
        ExprKind::UnaryApp { op: UnaryOp::Neg, arg } => number(arg)?.checked_neg(),
        ExprKind::BinaryApp { op, arg1, arg2 } => {
            let (left, right) = (number(arg1)?, number(arg2)?);
            match op {
                BinaryOp::Add => left.checked_add(right),
                BinaryOp::Sub => left.checked_sub(right),
                BinaryOp::Mul => left.checked_mul(right),
                BinaryOp::Eq
                | BinaryOp::Less
                | BinaryOp::LessEq
                | BinaryOp::In
                | BinaryOp::Contains
                | BinaryOp::ContainsAll
                | BinaryOp::ContainsAny
                | BinaryOp::GetTag
                | BinaryOp::HasTag => None,
            }
        }
        ExprKind::Lit(_)
        | ExprKind::Var(_)
        | ExprKind::Slot(_)
        | ExprKind::Unknown(_)
        | ExprKind::If { .. }
        | ExprKind::And { .. }
        | ExprKind::Or { .. }
        | ExprKind::UnaryApp { .. }
        | ExprKind::ExtensionFunctionApp { .. }
        | ExprKind::GetAttr { .. }
        | ExprKind::HasAttr { .. }
        | ExprKind::ExtHasAttr { .. }
        | ExprKind::Like { .. }
        | ExprKind::Is { .. }
        | ExprKind::Set(_)
        | ExprKind::Record(_) => None,
    }
}
