//! Finds `"Resource": "*"` of actions that can be about one resource.

use crate::action::Action;
use crate::lint::policy::{Kind, Policy};
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
        let about = |action: &&'static Action| !action.on.is_empty();
        let named = statement.named().iter().flat_map(|item| item.actions.iter().copied());
        let scoped: Vec<_> = named.filter(about).collect();
        let everything = statement.on().iter().find(|item| item.text == "*");
        if let (Some(at), Some(first)) = (everything, scoped.first())
            && !statement.is_narrowed_by(tagged)
        {
            let format = first.resource_types().next().and_then(|kind| kind.formats.first());
            let help = format.map_or_else(
                || "name the resources".to_owned(),
                |format| format!("name the resources, as `{format}`"),
            );
            findings.at(at, format!("{} on every resource", allowed(&scoped)), help);
        }
    }
}

fn allowed(actions: &[&'static Action]) -> String {
    format!("{} {} allowed", listed(actions), if actions.len() == 1 { "is" } else { "are" })
}
