//! Finds services that may act for anybody: the confused deputy.

use crate::lint::policy::{Kind, Policy};
use crate::lint::{Findings, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    code: "AIP-IAM-004",
    name: "trust-without-source-conditions",
    severity: Severity::Error,
    page: include_str!("trust_without_source_conditions.md"),
    check,
};

/// Services that say of no role on whose behalf they assume it. Source: "The confused deputy problem" in the IAM user
/// guide says that keys are sent by services "that support them"; execution roles of instances and functions belong to
/// the account that runs them, and Pod Identity is narrowed by the tags of its session.
const SILENT: &[&str] =
    &["ec2.amazonaws.com", "lambda.amazonaws.com", "edgelambda.amazonaws.com", "pods.eks.amazonaws.com"];

/// Keys that say on whose behalf a service acts.
const SOURCES: &[&str] = &[
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceorgid",
    "aws:sourceorgpaths",
    "aws:sourceowner",
    "kms:calleraccount",
];

fn check(policy: &Policy<'_>, findings: &mut Findings<'_>) {
    if !matches!(policy.kind, Kind::Trust | Kind::Resource) {
        return;
    }
    for statement in policy.grants() {
        let Some(principals) = statement.principals.as_ref().filter(|one| !one.negated) else { continue };
        if statement.is_narrowed_by(|key| SOURCES.contains(&key) || key.starts_with("kms:encryptioncontext:"))
        {
            continue;
        }
        for (_, service) in principals.items.iter().filter(|(kind, _)| *kind == "Service") {
            if policy.kind == Kind::Trust && SILENT.contains(&&*service.text) {
                continue;
            }
            findings.at(
                service,
                format!("`{}` may do this for whoever asks it to, in any account", service.text),
                "add `StringEquals` of `aws:SourceAccount`, and `ArnLike` of `aws:SourceArn`",
            );
        }
    }
}
