//! Roles and policies.

use super::super::shape::{DROPPED, PLAIN, Shape, VERBATIM};
use super::Kind;

pub(super) static KINDS: &[Kind] = &[
    Kind::resource(
        "Role",
        "AWS::IAM::Role",
        Shape::Members(&[
            ("AssumeRolePolicyDocument", "AssumeRolePolicyDocument", &VERBATIM),
            ("AttachedManagedPolicies", "ManagedPolicyArns", &PLAIN),
        ]),
    )
    .of_target("iam"),
    // A policy has no tags in a template. Its path is its mark of ownership.
    Kind::resource(
        "Policy",
        "AWS::IAM::ManagedPolicy",
        Shape::Members(&[
            ("PolicyName", "ManagedPolicyName", &PLAIN),
            ("PolicyDocument", "PolicyDocument", &VERBATIM),
            ("Tags", "", &DROPPED),
        ]),
    )
    .of_target("iam"),
    // Made in the account that manages the organisation, or that it has delegated this to.
    Kind::resource(
        "ServiceControlPolicy",
        "AWS::Organizations::Policy",
        Shape::Members(&[("Content", "Content", &VERBATIM)]),
    )
    .of_target("iam"),
];
