//! Which way a field of a resource points: what lets more happen, and what less. What is not told here is unclear, and a
//! reviewer is asked to read it.

use std::cmp::Ordering;

use aipolicy_targets::plan::EffectClass::{self, Mixed, Narrows, Neutral, Widens};
use serde_json::Value;

use super::amount::order;

/// What more of a field means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    /// More lets more happen; without it there is no limit.
    Limit,
    /// Less lets more happen; without it there is no limit.
    Floor,
    /// More lets more happen; without it there is none.
    Allowance,
    /// What is there takes something away.
    Guard,
    /// What is there gives something.
    Grant,
    /// Its items give something; without the field there is no limit.
    Choice,
    /// What may happen because of it is told as effects.
    Told,
}

use Direction::{Allowance, Choice, Floor, Grant, Guard, Limit, Told};

/// Kinds, fields from the root of the resource without the names of items, and their directions. The first that fits
/// holds; an empty field is the resource itself. `*` is any part of a path.
const FIELDS: &[(&str, &str, Direction)] = &[
    ("Agent", "spec.clearance", Grant),
    ("Agent", "spec.collaborators", Grant),
    ("Agent", "spec.enabled", Allowance),
    ("Agent", "spec.environments", Grant),
    ("Agent", "spec.guardrail", Guard),
    ("Agent", "spec.limits", Limit),
    ("Agent", "spec.memory.retention", Allowance),
    ("Agent", "spec.tools.allow.*.max", Limit),
    ("Agent", "spec.tools.allow.*.maxLength", Limit),
    ("Agent", "spec.tools.allow.*.min", Floor),
    ("Agent", "spec.tools.allow.*.minLength", Floor),
    ("Agent", "spec.tools.allow.*.oneOf", Choice),
    ("Agent", "spec.tools.allow", Guard),
    ("Agent", "spec.tools.gate.approval.from", Grant),
    ("Agent", "spec.tools.gate", Guard),
    ("Agent", "spec.tools.rate", Limit),
    ("Agent", "spec.tools", Told),
    ("Agent", "spec.trace.redact", Guard),
    ("Agent", "spec.trace.retention", Allowance),
    ("Agent", "spec.triggers.concurrency", Limit),
    ("Agent", "spec.triggers", Told),
    ("Agent", "", Told),
    ("Budget", "spec.limit", Limit),
    ("Budget", "spec.period", Floor),
    ("Budget", "spec.thresholds", Guard),
    ("Budget", "spec.tolerance", Allowance),
    ("Budget", "", Guard),
    ("Cluster", "", Told),
    ("Connector", "spec.backup.regions", Grant),
    ("Connector", "spec.encryption", Guard),
    ("Connector", "spec.exclusive", Guard),
    ("Connector", "spec.partition", Guard),
    ("Connector", "spec.s3.prefixes", Told),
    ("Connector", "", Told),
    ("DataStore", "spec.encryption", Guard),
    ("DataStore", "spec.immutable", Guard),
    ("DataStore", "spec.retention", Limit),
    ("DataStore", "", Told),
    ("Environment", "spec.approvals.from", Grant),
    ("Environment", "spec.approvals.required", Floor),
    ("Environment", "spec.approvals", Guard),
    ("Environment", "spec.aws.regions", Grant),
    ("Environment", "spec.enforcedGuardrail", Guard),
    ("Environment", "spec.resourcePolicies", Guard),
    ("Environment", "spec.serviceControlPolicy", Guard),
    ("Environment", "", Told),
    ("Gateway", "", Told),
    ("Group", "spec.members", Grant),
    ("Group", "spec.notAlone", Guard),
    ("Group", "", Told),
    ("Guardrail", "spec.filters", Floor),
    ("Guardrail", "spec.grounding", Floor),
    ("Guardrail", "spec", Guard),
    ("Guardrail", "", Guard),
    ("Model", "spec.processing.approvedClasses", Grant),
    ("Model", "spec.regions", Told),
    ("Model", "", Told),
    ("ResidencyRule", "spec.allow", Grant),
    ("ResidencyRule", "spec.appliesTo", Guard),
    ("ResidencyRule", "spec.storage.retention", Limit),
    ("ResidencyRule", "spec.storage.retentionAtLeast", Floor),
    ("ResidencyRule", "", Guard),
    ("Route", "spec.caps", Limit),
    ("Route", "spec.circuitBreaker", Guard),
    ("Route", "spec.fallback", Told),
    ("Route", "spec.primary", Told),
    ("Route", "spec.retry.attempts", Allowance),
    ("Route", "", Told),
    ("Tenant", "spec.clearance", Grant),
    ("Tenant", "spec.environments", Grant),
    ("Tenant", "spec.models", Grant),
    ("Tenant", "spec.quota", Limit),
    ("Tenant", "", Told),
    ("Waiver", "spec.expires", Allowance),
    ("Waiver", "spec.fingerprints", Grant),
    ("Waiver", "spec.resources", Grant),
    ("Waiver", "", Grant),
    ("Workload", "spec.uses", Told),
    ("Workload", "", Told),
    ("Workspace", "spec.packs", Guard),
    ("Workspace", "spec.policies", Guard),
];

/// Whether a change of a field lets more or less happen. A side without a value does not have the field. `path` has a name
/// for each step, and `false` for an item of a list.
pub(super) fn class(
    kind: &str,
    path: &[(String, bool)],
    before: Option<&Value>,
    after: Option<&Value>,
) -> EffectClass {
    let fields: Vec<&str> = path.iter().filter(|(_, field)| *field).map(|(name, _)| name.as_str()).collect();
    let is_item = path.last().is_some_and(|(_, field)| !field);
    let found = FIELDS.iter().find(|(of, field, _)| *of == kind && fits(field, &fields));
    let Some((_, _, direction)) = found else { return Mixed };
    let is_gone = after.is_none();
    let by_presence = |gives: bool| if gives == is_gone { Narrows } else { Widens };
    match (before, after) {
        (Some(before), Some(after)) => by_amount(*direction, order(before, after)),
        _ => match direction {
            Limit | Floor | Guard => by_presence(false),
            Allowance | Grant => by_presence(true),
            Choice => by_presence(is_item),
            Told => Neutral,
        },
    }
}

/// What a change of an amount means, where `order` is that of before and after.
fn by_amount(direction: Direction, order: Option<Ordering>) -> EffectClass {
    match (direction, order) {
        (_, None) => Mixed,
        (_, Some(Ordering::Equal)) => Neutral,
        (Limit | Allowance | Grant, Some(Ordering::Less)) | (Floor | Guard, Some(Ordering::Greater)) => {
            Widens
        }
        (Limit | Allowance | Grant, Some(Ordering::Greater)) | (Floor | Guard, Some(Ordering::Less)) => {
            Narrows
        }
        (Choice | Told, Some(_)) => Mixed,
    }
}

/// Whether a path begins with the parts of a field; one without parts fits the resource itself alone.
fn fits(field: &str, path: &[&str]) -> bool {
    if field.is_empty() {
        return path.is_empty();
    }
    let parts: Vec<&str> = field.split('.').collect();
    parts.len() <= path.len() && parts.iter().zip(path).all(|(part, step)| *part == "*" || part == step)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use aipolicy_compiler::model::{KindName, kind_schema};

    use super::*;

    #[test]
    fn every_field_of_the_table_is_one() {
        for (kind, field, _) in FIELDS {
            let schema = kind_schema(KindName::find(kind).unwrap()).to_string();
            for part in field.split('.').filter(|part| !part.is_empty() && *part != "*") {
                assert!(schema.contains(&format!("\"{part}\":")), "{kind} has no `{part}` of `{field}`");
            }
        }
        let twice: Vec<_> = FIELDS.iter().map(|(kind, field, _)| (kind, field)).collect();
        assert!(twice.iter().enumerate().all(|(at, one)| !twice[..at].contains(one)));
    }

    #[test]
    fn fields_point_somewhere_and_what_is_unknown_is_unclear() {
        let path = |text: &str| -> Vec<(String, bool)> {
            text.split('.')
                .map(|part| (part.trim_start_matches('#').to_owned(), !part.starts_with('#')))
                .collect()
        };
        let [low, high] = [json!(1), json!(2)];
        let cases = [
            ("Budget", "spec.limit", Some(&low), Some(&high), Widens),
            ("Budget", "spec.limit", Some(&high), Some(&low), Narrows),
            ("Budget", "spec.limit", Some(&high), None, Widens),
            ("Environment", "spec.approvals.required", Some(&high), Some(&low), Widens),
            ("Environment", "spec.approvals.from.#leads", None, Some(&low), Widens),
            ("Environment", "spec.enforcedGuardrail", Some(&low), None, Widens),
            ("Agent", "spec.tools.#refund.gate", Some(&low), None, Widens),
            ("Agent", "spec.tools.#refund.allow.amount.max", Some(&low), Some(&high), Widens),
            ("Agent", "spec.tools.#refund.allow.currency.oneOf", Some(&low), None, Widens),
            ("Agent", "spec.tools.#refund.allow.currency.oneOf.#EUR", Some(&low), None, Narrows),
            ("Agent", "spec.model.route", Some(&low), Some(&high), Mixed),
            ("Waiver", "", None, Some(&low), Widens),
            ("Nothing", "spec.x", Some(&low), None, Mixed),
        ];
        for (kind, field, before, after, expected) in cases {
            let path = if field.is_empty() { Vec::new() } else { path(field) };
            assert_eq!(class(kind, &path, before, after), expected, "{kind} {field}");
        }
    }
}
