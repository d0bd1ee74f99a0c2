//! Roles and policies, of resources too.

use super::super::shape::{DROPPED, PLAIN, Shape, VERBATIM};
use super::{Kind, Place};

pub(super) static KINDS: &[Kind] = &[
    Kind::resource(
        "BucketPolicy",
        "AWS::S3::BucketPolicy",
        Shape::Members(&[("Policy", "PolicyDocument", &VERBATIM)]),
    )
    .of_target("iam"),
    Kind::new(
        "BucketStatements",
        Place::Beside("a bucket has one policy, and that of this bucket is somebody else's"),
        Shape::Verbatim,
    )
    .of_target("iam"),
    Kind::new(
        "EndpointPolicy",
        Place::Beside("an `AWS::EC2::VPCEndpoint` holds its policy itself, and a stack cannot change one that it has not made"),
        Shape::Verbatim,
    )
    .of_target("iam"),
    Kind::new(
        "KeyStatements",
        Place::Beside("an `AWS::KMS::Key` holds its policy itself, and a stack cannot change one that it has not made"),
        Shape::Verbatim,
    )
    .of_target("iam"),
    Kind::resource(
        "SecretPolicy",
        "AWS::SecretsManager::ResourcePolicy",
        Shape::Members(&[("ResourcePolicy", "ResourcePolicy", &VERBATIM)]),
    )
    .of_target("iam"),
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
