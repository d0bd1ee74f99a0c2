//! Finds trust in everybody, and in whole accounts.

use crate::lint::policy::{Kind, Policy, account, is_account};
use crate::lint::{Findings, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    code: "AIP-IAM-021",
    name: "open-trust",
    severity: Severity::Error,
    page: include_str!("open_trust.md"),
    check,
};

/// Keys that say who the caller is, or where it is.
const CALLERS: &[&str] = &[
    "aws:principalarn",
    "aws:principalaccount",
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:principalservicename",
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceorgid",
    "aws:sourceorgpaths",
    "aws:sourceowner",
    "aws:sourcevpc",
    "aws:sourcevpcarn",
    "aws:sourcevpce",
    "aws:sourceip",
    "aws:vpceaccount",
    "aws:vpceorgid",
    "aws:vpceorgpaths",
    "kms:calleraccount",
    "s3:dataaccesspointaccount",
    "s3:dataaccesspointarn",
    "lambda:functionurlauthtype",
];

fn check(policy: &Policy<'_>, findings: &mut Findings<'_>) {
    for statement in policy.grants() {
        let Some(principals) = statement.principals.as_ref().filter(|one| !one.negated) else { continue };
        let tagged = |key: &str| CALLERS.contains(&key) || key.starts_with("aws:principaltag/");
        if statement.is_narrowed_by(tagged) {
            continue;
        }
        for (kind, item) in &principals.items {
            let is_aws = matches!(*kind, "AWS" | "*");
            if is_aws && item.text == "*" {
                let message = "everybody is allowed, in every account";
                findings.at(
                    item,
                    message,
                    "name who is allowed, or ask for `aws:PrincipalOrgID` or `aws:PrincipalArn`",
                );
            } else if is_aws
                && policy.kind == Kind::Trust
                && statement.conditions.is_empty()
                && is_account(&item.text)
            {
                let message = format!(
                    "everything in account `{}` that may assume roles may assume this one",
                    account(&item.text)
                );
                findings.at(
                    item,
                    message,
                    "name the roles, or ask for `aws:PrincipalArn` or `sts:ExternalId`",
                );
            }
        }
    }
}
