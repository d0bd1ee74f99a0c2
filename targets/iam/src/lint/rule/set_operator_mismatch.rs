//! Finds keys with several values that are compared as if they had one.

use crate::action;
use crate::lint::policy::Policy;
use crate::lint::{Findings, Rule, Severity};
use crate::operator::{Comparison, Quantifier};

pub(super) const RULE: Rule = Rule {
    code: "AIP-IAM-036",
    name: "set-operator-mismatch",
    severity: Severity::Warning,
    page: include_str!("set_operator_mismatch.md"),
    check,
};

fn check(policy: &Policy<'_>, findings: &mut Findings<'_>) {
    for condition in policy.statements.iter().flat_map(|statement| &statement.conditions) {
        let Some(operator) = condition.operator.filter(|operator| operator.comparison != Comparison::Null)
        else {
            continue;
        };
        let global = action::global_key(condition.key);
        let key = global.or_else(|| action::service(condition.key.split(':').next()?)?.key(condition.key));
        let Some(key) = key else { continue };
        if key.many && operator.quantifier == Quantifier::One {
            let message = format!(
                "`{}` may have several values, and `{}` looks at one",
                key.name, condition.operator_text
            );
            let help = format!("write `ForAnyValue:{0}` or `ForAllValues:{0}`", condition.operator_text);
            findings.report(&condition.pointer, message, help);
        } else if global.is_some() && !key.many && operator.quantifier != Quantifier::One {
            let message =
                format!("`{}` has one value, and `{}` is for several", key.name, condition.operator_text);
            let plain = condition.operator_text.split(':').nth(1).unwrap_or_default();
            findings.report(&condition.pointer, message, format!("write `{plain}`"));
        }
    }
}
