//! Finds resources that belong to another tenant than the policy.

use crate::action::overlap;
use crate::lint::policy::Policy;
use crate::lint::{Findings, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    code: "AIP-IAM-019",
    name: "resource-of-another-tenant",
    severity: Severity::Error,
    page: include_str!("resource_of_another_tenant.md"),
    check,
};

fn check(policy: &Policy<'_>, findings: &mut Findings<'_>) {
    let Some(own) = policy.tenant else { return };
    for statement in policy.grants() {
        for item in statement.on().iter().filter(|item| item.text != "*") {
            let owners = || policy.options.owners.iter().filter(|(_, owned)| overlap(&item.text, owned));
            // A pattern that reaches the own resources too reaches several tenants, which is another finding.
            if owners().any(|(tenant, _)| tenant == own) {
                continue;
            }
            if let Some((other, _)) = owners().next()
                && owners().all(|(tenant, _)| tenant == other)
            {
                let message = format!("`{}` belongs to `{other}`, and the policy to `{own}`", item.text);
                findings.at(item, message, format!("name a resource of `{own}`"));
            }
        }
    }
}
