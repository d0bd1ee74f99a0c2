//! Finds `"Resource": "*"` of actions that can be about one resource.

use crate::action::Action;
use crate::lint::policy::{Kind, Policy, Statement};
use crate::lint::{Findings, Rule, Severity, listed};

pub(super) const RULE: Rule = Rule {
    code: "AIP-IAM-001",
    name: "wildcard-resource",
    severity: Severity::Error,
    page: include_str!("wildcard_resource.md"),
    check,
};

fn check(policy: &Policy<'_>, findings: &mut Findings<'_>) {
    // A resource policy with `*` is about the resource that it is attached to.
    if policy.kind != Kind::Identity {
        return;
    }
    for statement in policy.grants().filter(|statement| statement.is_on_everything()) {
        let tagged = |key: &str| key.contains("resourcetag/") || key == "kms:resourcealiases";
        let named = statement.named().iter().flat_map(|item| item.actions.iter().copied());
        let scoped: Vec<_> = named.filter(|action| is_scoped(action, statement)).collect();
        let everything = statement.on().iter().find(|item| item.text == "*");
        if let (Some(at), Some(first)) = (everything, scoped.first())
            && !statement.is_narrowed_by(tagged)
        {
            // The shortest is what most people mean: the bucket rather than its access point.
            let formats = first.resource_types().flat_map(|kind| kind.formats.iter());
            let format = formats.min_by_key(|format| format.len());
            let help = format.map_or_else(
                || "name the resources".to_owned(),
                |format| format!("name the resources, as `{format}`"),
            );
            findings.at(at, format!("{} on every resource", allowed(&scoped)), help);
        }
    }
}

/// Whether an action can be about one resource. Where it need not be, a key of its service may narrow it as well:
/// `cloudwatch:PutMetricData` has `cloudwatch:namespace`.
fn is_scoped(action: &Action, statement: &Statement<'_>) -> bool {
    let of_service = |key: &str| key.split(':').next() == Some(action.service);
    let is_required = action.on.iter().any(|on| on.required);
    !action.on.is_empty() && (is_required || !statement.is_narrowed_by(of_service))
}

fn allowed(actions: &[&'static Action]) -> String {
    format!("{} {} allowed", listed(actions), if actions.len() == 1 { "is" } else { "are" })
}
