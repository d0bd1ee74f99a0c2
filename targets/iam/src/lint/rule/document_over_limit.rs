//! Finds policies that are longer than AWS accepts.

use crate::limits;
use crate::lint::policy::{Kind, Policy};
use crate::lint::{Findings, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    code: "AIP-IAM-024",
    name: "document-over-limit",
    severity: Severity::Error,
    page: include_str!("document_over_limit.md"),
    check,
};

fn check(policy: &Policy<'_>, findings: &mut Findings<'_>) {
    let Ok(document) = &policy.document else { return };
    let (limit, what) = match policy.kind {
        Kind::Identity => (limits::MANAGED_POLICY, "a managed policy"),
        Kind::Trust => (limits::TRUST_POLICY, "a trust policy"),
        Kind::Ceiling => (limits::SERVICE_CONTROL_POLICY, "a service control policy"),
        // Each service has a limit of its own.
        Kind::Resource => return,
    };
    let size = limits::measure(document);
    if size > limit {
        let message = format!("the policy has {size} characters, and {what} may have {limit}");
        findings.report(policy.inner(), message, "cut it into several policies, or name fewer resources");
    }
}
