//! What is decided, by table.

use super::*;
use crate::read;
use crate::request::Caller;

const ROLE: &str = "arn:aws:iam::111122223333:role/app";
const SESSION: &str = "arn:aws:sts::111122223333:assumed-role/app/one";
const USER: &str = "arn:aws:iam::111122223333:user/ann";
const OBJECT: &str = "arn:aws:s3:::bucket/key";

fn document(statements: &str) -> Document {
    read(&format!(r#"{{"Version": "2012-10-17", "Statement": [{statements}]}}"#)).unwrap()
}

fn allow(rest: &str) -> Document {
    document(&format!(r#"{{"Effect": "Allow", {rest}}}"#))
}

fn everything() -> Document {
    allow(r#""Action": "*", "Resource": "*""#)
}

fn to(principal: &str) -> Document {
    allow(&format!(r#""Principal": {principal}, "Action": "s3:*", "Resource": "*""#))
}

fn get(caller: &str) -> Request {
    Request::new("s3:GetObject", OBJECT).by(Caller::aws(caller))
}

/// The layers that do not allow; panics when the decision is another one.
fn silent(decision: &Decision<'_>) -> Vec<Layer> {
    match decision {
        Decision::Allowed { .. } => Vec::new(),
        Decision::ImplicitDeny { by } => by.iter().map(|one| one.layer).collect(),
        Decision::ExplicitDeny { .. } | Decision::Undecided(_) => panic!("{decision:?}"),
    }
}

#[test]
fn nothing_is_allowed_by_nothing() {
    assert_eq!(silent(&Policies::default().decide(&get(ROLE))), [Layer::Identity]);
}

#[test]
fn a_deny_anywhere_wins() {
    let deny = document(r#"{"Effect": "Deny", "Action": "s3:GetObject", "Resource": "*"}"#);
    let deny_all = document(r#"{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"}"#);
    let all = || Policies::default().identity("all", &everything());
    for (policies, layer) in [
        (all().identity("deny", &deny), Layer::Identity),
        (all().boundary("deny", &deny), Layer::Boundary),
        (all().session("deny", &deny), Layer::Session),
        (all().service_control([("deny", &deny)]), Layer::ServiceControl(0)),
        (all().resource_control([("deny", &deny_all)]), Layer::ResourceControl(0)),
        (all().resource("deny", &deny_all), Layer::Resource),
    ] {
        let Decision::ExplicitDeny { by } = policies.decide(&get(ROLE)) else { panic!("{layer}") };
        assert_eq!(by, [Cause { layer, policy: "deny", statement: 0, sid: None, flaw: None }]);
    }
}

#[test]
fn every_layer_has_to_allow() {
    let other = allow(r#""Action": "sqs:*", "Resource": "*""#);
    let all = || Policies::default().identity("all", &everything());
    assert_eq!(silent(&all().boundary("b", &other).decide(&get(ROLE))), [Layer::Boundary]);
    assert_eq!(silent(&all().session("s", &other).decide(&get(ROLE))), [Layer::Session]);
    let levels = all().service_control([("root", &everything())]).service_control([("unit", &other)]);
    assert_eq!(silent(&levels.decide(&get(ROLE))), [Layer::ServiceControl(1)]);
    let either = all().service_control([("a", &other), ("b", &everything())]);
    assert!(either.decide(&get(ROLE)).is_allowed());
    let none = all().service_control(Vec::<(String, &Document)>::new());
    assert_eq!(silent(&none.decide(&get(ROLE))), [Layer::ServiceControl(0)]);
}

// "Policy evaluation for requests within a single account" of the IAM User Guide.
#[test]
fn what_a_resource_policy_grants_within_an_account_depends_on_whom_it_names() {
    let other = allow(r#""Action": "sqs:*", "Resource": "*""#);
    let bounded = || Policies::default().boundary("b", &other).session("s", &other);
    let account = r#"{"AWS": "111122223333"}"#;
    let root = r#"{"AWS": "arn:aws:iam::111122223333:root"}"#;
    let limits: &[Layer] = &[Layer::Boundary, Layer::Session];
    let all: &[Layer] = &[Layer::Identity, Layer::Boundary, Layer::Session];
    let quoted = |arn: &str| format!(r#"{{"AWS": "{arn}"}}"#);
    for (caller, principal, expected) in [
        (SESSION, r#""*""#.to_owned(), &[][..]),
        (SESSION, r#"{"AWS": "*"}"#.to_owned(), &[]),
        (SESSION, quoted(SESSION), &[]),
        (SESSION, quoted(ROLE), limits),
        (SESSION, account.to_owned(), all),
        (SESSION, root.to_owned(), all),
        (SESSION, quoted(USER), all),
        (SESSION, quoted("arn:aws:iam::444455556666:role/app"), all),
        (SESSION, quoted("arn:aws-cn:iam::111122223333:role/app"), all),
        (SESSION, quoted("arn:aws:sts::111122223333:assumed-role/app/two"), all),
        (SESSION, r#"{"Service": "s3.amazonaws.com"}"#.to_owned(), all),
        (ROLE, quoted(ROLE), limits),
        (USER, quoted(USER), &[]),
        (USER, account.to_owned(), all),
    ] {
        let policies = bounded().resource("bucket", &to(&principal));
        assert_eq!(silent(&policies.decide(&get(caller))), expected, "{caller} {principal}");
    }
}

#[test]
fn both_accounts_have_to_allow() {
    let request = get(SESSION).with("aws:ResourceAccount", "444455556666");
    let ours = Policies::default().identity("all", &everything());
    let theirs = to(&format!(r#"{{"AWS": "{ROLE}"}}"#));
    assert_eq!(silent(&ours.decide(&request)), [Layer::Resource]);
    let alone = Policies::default().resource("bucket", &theirs);
    assert_eq!(silent(&alone.decide(&request)), [Layer::Identity]);
    assert!(ours.resource("bucket", &theirs).decide(&request).is_allowed());
}

#[test]
fn services_are_allowed_by_resources_alone() {
    let request = Request::new("s3:GetObject", OBJECT).by(Caller::service("logs.amazonaws.com"));
    let bucket = to(r#"{"Service": "logs.amazonaws.com"}"#);
    let nothing = Vec::<(String, &Document)>::new;
    let policies = Policies::default().resource("bucket", &bucket).service_control(nothing());
    assert!(policies.decide(&request).is_allowed());
    assert_eq!(
        silent(&policies.clone().resource_control(nothing()).decide(&request)),
        [Layer::ResourceControl(0)]
    );
    let held = policies.identity("all", &everything());
    assert!(matches!(held.decide(&request), Decision::Undecided(Undecided::NoHolder(_))));
}

#[test]
fn control_policies_do_not_concern_service_linked_roles() {
    let role = "arn:aws:iam::111122223333:role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX";
    let session = "arn:aws:sts::111122223333:assumed-role/AWSServiceRoleForX/s";
    let nothing = Vec::<(String, &Document)>::new;
    let policies = Policies::default().identity("all", &everything()).service_control(nothing());
    assert!(policies.decide(&get(role)).is_allowed());
    assert!(policies.decide(&get(session).with("aws:PrincipalArn", role)).is_allowed());
    assert_eq!(silent(&policies.decide(&get(session))), [Layer::ServiceControl(0)]);
}

#[test]
fn keys_and_roles_decide_themselves_whether_the_account_has_a_say() {
    let key = "arn:aws:kms:eu-central-1:111122223333:key/k";
    let request = Request::new("kms:Decrypt", key).by(Caller::aws(SESSION));
    let key_policy = |principal: &str| {
        allow(&format!(r#""Principal": {{"AWS": "{principal}"}}, "Action": "kms:*", "Resource": "*""#))
    };
    let identity = || Policies::default().identity("all", &everything());
    let account = key_policy("arn:aws:iam::111122223333:root");
    assert!(identity().resource("key", &account).decide(&request).is_allowed());
    assert_eq!(silent(&Policies::default().resource("key", &account).decide(&request)), [Layer::Identity]);
    assert!(Policies::default().resource("key", &key_policy(ROLE)).decide(&request).is_allowed());
    assert_eq!(silent(&identity().resource("key", &key_policy(USER)).decide(&request)), [Layer::Resource]);
    let alone = identity();
    let Decision::Allowed { assuming, .. } = alone.decide(&request) else { panic!() };
    assert_eq!(assuming, [Assumption::KeyPolicy]);
}

#[test]
fn what_is_not_modelled_is_not_decided() {
    let policies = Policies::default().identity("all", &everything());
    let undecided = |caller| policies.decide(&get(caller));
    assert_eq!(undecided("arn:aws:iam::111122223333:root"), Decision::Undecided(Undecided::Root));
    for caller in ["me", "arn:aws:iam::1:user/x", "arn:aws:s3:::b", "arn:aws:iam::111122223333:group/g"] {
        assert_eq!(undecided(caller), Decision::Undecided(Undecided::Caller(caller.to_owned())));
    }
}

#[test]
fn a_statement_that_cannot_be_evaluated_fails_closed() {
    let odd = |effect: &str, operator: &str| {
        document(&format!(
            r#"{{"Effect": "{effect}", "Action": "s3:*", "Resource": "*", "Condition": {{"{operator}": {{"a:b": "x"}}}}}}"#
        ))
    };
    for operator in
        ["StringLikes", "NumericEquals", "DateEquals", "Bool", "IpAddress", "BinaryEquals", "Null"]
    {
        let policies = Policies::default().identity("odd", &odd("Allow", operator));
        assert_eq!(silent(&policies.decide(&get(ROLE))), [Layer::Identity], "{operator}");
        let policies =
            Policies::default().identity("all", &everything()).identity("odd", &odd("Deny", operator));
        assert!(matches!(policies.decide(&get(ROLE)), Decision::ExplicitDeny { .. }), "{operator}");
        let elsewhere = Request::new("sqs:SendMessage", "*").by(Caller::aws(ROLE));
        assert!(policies.decide(&elsewhere).is_allowed(), "{operator}");
    }
}

#[test]
fn the_nearest_statement_is_told_with_what_it_lacks() {
    let near = document(
        r#"{"Sid": "Far", "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::other/*",
            "Condition": {"StringEquals": {"aws:RequestedRegion": "eu-central-1"}}},
           {"Sid": "Near", "Effect": "Allow", "Action": "s3:Get*", "Resource": "arn:aws:s3:::bucket/*",
            "Condition": {"StringEquals": {"aws:RequestedRegion": "eu-central-1"}}},
           {"Sid": "Nothing", "Effect": "Allow", "Action": "s3:Put*", "Resource": "*"}"#,
    );
    let policies = Policies::default().identity("p", &near);
    let request = get(ROLE).with("aws:RequestedRegion", "us-east-1");
    let Decision::ImplicitDeny { by } = policies.decide(&request) else { panic!() };
    let nearest = by[0].nearest.as_ref().unwrap();
    assert_eq!((nearest.cause.sid, nearest.cause.statement), (Some("Near"), 1));
    let region = Element::Condition { operator: "StringEquals", key: "aws:RequestedRegion" };
    assert_eq!(nearest.unmet, [region]);
}
