//! Finds elements that policies of this kind do not have, or lack.

use crate::lint::policy::{Kind, Policy};
use crate::lint::{Findings, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    code: "AIP-IAM-038",
    name: "element-out-of-place",
    severity: Severity::Error,
    page: include_str!("element_out_of_place.md"),
    check,
};

fn check(policy: &Policy<'_>, findings: &mut Findings<'_>) {
    for statement in &policy.statements {
        let (principals, resources) = (&statement.principals, &statement.resources);
        match policy.kind {
            Kind::Identity | Kind::Ceiling => {
                if let Some(principals) = principals.as_ref().filter(|_| policy.kind == Kind::Identity) {
                    let message = "a policy that is attached to a role or user names no principal";
                    findings.report(&principals.pointer, message, "leave the element out");
                }
                if resources.is_none() {
                    findings.report(&statement.pointer, "the statement names no resource", "add `Resource`");
                }
            }
            Kind::Trust => {
                if let Some(resources) = resources {
                    let message = "a trust policy is about its role, and names no resource";
                    findings.report(&resources.pointer, message, "leave the element out");
                }
                if principals.is_none() {
                    findings.report(
                        &statement.pointer,
                        "the statement does not say whom it is about",
                        "add `Principal`",
                    );
                }
            }
            Kind::Resource => {
                if principals.is_none() {
                    findings.report(
                        &statement.pointer,
                        "the statement does not say whom it is about",
                        "add `Principal`",
                    );
                }
            }
        }
    }
}
