//! Finds rights with which whoever has them gives themselves any other.

use crate::lint::policy::{Kind, Policy};
use crate::lint::{Findings, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    code: "AIP-IAM-008",
    name: "privilege-escalation-path",
    severity: Severity::Error,
    page: include_str!("privilege_escalation_path.md"),
    check,
};

/// What leads further, and how, after "whoever may do that". A role that is handed over is for the rule of `iam:PassRole`.
///
/// Source: "AWS IAM Privilege Escalation: Methods and Mitigation" by Rhino Security Labs; what each action is about is from the
/// service authorization reference.
const PATHS: &[(&str, &str)] = &[
    ("iam:CreatePolicyVersion", "rewrites any policy, also those that they have themselves"),
    ("iam:SetDefaultPolicyVersion", "brings back any old version of a policy"),
    ("iam:AttachUserPolicy", "attaches any policy to any user, also to themselves"),
    ("iam:AttachGroupPolicy", "attaches any policy to any group, also to one of their own"),
    ("iam:AttachRolePolicy", "attaches any policy to any role, also to their own"),
    ("iam:PutUserPolicy", "writes policies of any user, also their own"),
    ("iam:PutGroupPolicy", "writes policies of any group, also of one of their own"),
    ("iam:PutRolePolicy", "writes policies of any role, also of their own"),
    ("iam:UpdateAssumeRolePolicy", "lets themselves become any role"),
    ("iam:AddUserToGroup", "joins any group"),
    ("iam:CreateAccessKey", "makes keys of any user"),
    ("iam:CreateLoginProfile", "gives any user a password that they know"),
    ("iam:UpdateLoginProfile", "gives any user a password that they know"),
    ("iam:DeleteRolePermissionsBoundary", "takes the boundary off any role, also off their own"),
    ("iam:DeleteUserPermissionsBoundary", "takes the boundary off any user, also off themselves"),
    ("lambda:UpdateFunctionCode", "runs code of their own with the role of any function"),
    ("glue:UpdateDevEndpoint", "works on any development endpoint, with its role"),
];

/// Keys that bound what is given away: which policy, which boundary, and what the resource is marked as.
const BOUNDING: &[&str] = &["iam:permissionsboundary", "iam:policyarn"];

fn check(policy: &Policy<'_>, findings: &mut Findings<'_>) {
    for statement in policy.grants().filter(|_| policy.kind == Kind::Identity) {
        let Some(resource) = statement.on().iter().find(|resource| is_any(&resource.text)) else { continue };
        if statement.is_narrowed_by(|key| BOUNDING.contains(&key) || key.contains("resourcetag/")) {
            continue;
        }
        for item in statement.named().iter().filter(|item| item.text.text != "*") {
            let Some((action, how)) = PATHS.iter().find(|(action, _)| item.covers(action)) else { continue };
            findings.at(
                &item.text,
                format!("whoever may use `{action}` on `{}` {how}", resource.text),
                "name the resources that it is needed for, or ask for a condition that bounds what is given",
            );
        }
    }
}

/// Whether a pattern is about every resource of its kind.
fn is_any(pattern: &str) -> bool {
    let resource = pattern.splitn(6, ':').nth(5).unwrap_or(pattern);
    let name = resource.split_once(['/', ':']).map_or(resource, |(_, name)| name);
    name.ends_with('*') && name.trim_matches(['/', '*']).is_empty()
}
