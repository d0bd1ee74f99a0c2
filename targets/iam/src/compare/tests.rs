//! What is equal, narrower, wider and neither, by the documentation of AWS.

use super::*;
use crate::read;

fn policies(statements: &str) -> Policies {
    let text = format!(r#"{{"Version": "2012-10-17", "Statement": [{statements}]}}"#);
    Policies::default().identity("p", &read(&text).unwrap_or_else(|error| panic!("{error:?}: {text}")))
}

fn allow(resource: &str) -> String {
    format!(r#"{{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "{resource}"}}"#)
}

fn relation(before: &str, after: &str) -> Relation {
    let compared = compare(&policies(before), &policies(after));
    compared.relation()
}

#[test]
fn a_wider_prefix_has_a_witness_outside_of_the_narrower() {
    let compared = compare(&policies(&allow("arn:aws:s3:::b/2026/*")), &policies(&allow("arn:aws:s3:::b/*")));
    assert_eq!(compared.relation(), Relation::Wider);
    let Change::Shown(gained) = compared.gained else { panic!("{compared:?}") };
    assert_eq!(gained[0].witness, Request::new("s3:GetObject", "arn:aws:s3:::b/example"));
}

/// A statement that allows `s3:GetObject` on a bucket under a condition.
fn under(condition: &str) -> String {
    format!(
        r#"{{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*", "Condition": {{{condition}}}}}"#
    )
}

fn deny(action: &str, resource: &str) -> String {
    format!(r#"{{"Effect": "Deny", "Action": "{action}", "Resource": "{resource}"}}"#)
}

#[test]
fn spelling_makes_no_difference() {
    let both = r#"{"Effect": "Allow", "Action": ["s3:GetObject", "S3:PUTobject"], "Resource": "*"}"#;
    let split = r#"{"Effect": "Allow", "Action": "s3:PutObject", "Resource": "*"},
        {"Effect": "Allow", "Action": ["s3:getobject", "s3:GetObjec?", "s3:Get*ject"], "Resource": ["*", "arn:*"]}"#;
    assert_eq!(relation(both, both), Relation::Equal);
    assert_eq!(relation(split, both), Relation::Narrower);
    let split = split.replace(r#", "s3:GetObjec?", "s3:Get*ject""#, "");
    assert_eq!(relation(&split, both), Relation::Equal);
}

#[test]
fn resources_are_compared_as_sets() {
    for (before, after, expected) in [
        ("arn:aws:s3:::b/*", "arn:aws:s3:::b/*", Relation::Equal),
        ("arn:aws:s3:::b/*", "arn:aws:s3:::b/2026/*", Relation::Narrower),
        ("arn:aws:s3:::b*", "arn:aws:s3:::b/*", Relation::Narrower),
        ("arn:aws:s3:::b/?", "arn:aws:s3:::b/*", Relation::Wider),
        ("arn:aws:s3:::b/a*", "arn:aws:s3:::b/*a", Relation::Incomparable),
        ("arn:aws:s3:::b/a", "arn:aws:s3:::b/A", Relation::Incomparable),
        ("arn:aws:s3:::b/**", "arn:aws:s3:::b/*", Relation::Equal),
    ] {
        assert_eq!(relation(&allow(before), &allow(after)), expected, "{before} {after}");
    }
}

#[test]
fn a_deny_takes_away_whatever_allows() {
    let all = allow("arn:aws:s3:::b/*");
    let but_secrets = format!("{all}, {}", deny("s3:*", "arn:aws:s3:::b/secret/*"));
    assert_eq!(relation(&all, &but_secrets), Relation::Narrower);
    assert_eq!(relation(&but_secrets, &all), Relation::Wider);
    let elsewhere = format!("{all}, {}", deny("s3:*", "arn:aws:s3:::c/*"));
    assert_eq!(relation(&all, &elsewhere), Relation::Equal);
    let other_action = format!("{all}, {}", deny("s3:PutObject", "*"));
    assert_eq!(relation(&all, &other_action), Relation::Equal);
    let everything = format!("{all}, {}", deny("*", "*"));
    assert_eq!(relation(&everything, &deny("*", "*")), Relation::Equal);
}

#[test]
fn a_deny_with_not_resource_is_a_boundary() {
    let inside = r#"{"Effect": "Deny", "Action": "*", "NotResource": "arn:aws:s3:::b/2026/*"}"#;
    let all = format!("{}, {inside}", allow("*"));
    assert_eq!(relation(&all, &allow("arn:aws:s3:::b/2026/*")), Relation::Equal);
}

#[test]
fn conditions_narrow() {
    let region = |operator: &str, values: &str| {
        under(&format!(r#""{operator}": {{"aws:RequestedRegion": {values}}}"#))
    };
    let none = under("");
    let only_eu = region("StringEquals", r#""eu-central-1""#);
    assert_eq!(relation(&none, &only_eu), Relation::Narrower);
    assert_eq!(relation(&only_eu, &region("StringLike", r#""eu-*""#)), Relation::Wider);
    assert_eq!(relation(&only_eu, &region("StringEqualsIfExists", r#""eu-central-1""#)), Relation::Wider);
    assert_eq!(
        relation(&only_eu, &region("StringEquals", r#"["eu-central-1", "eu-north-1"]"#)),
        Relation::Wider
    );
    assert_eq!(relation(&only_eu, &region("StringEqualsIgnoreCase", r#""EU-CENTRAL-1""#)), Relation::Wider);
    // A negated operator also holds of requests without the key.
    let not_us = region("StringNotLike", r#""us-*""#);
    assert_eq!(relation(&only_eu, &not_us), Relation::Wider);
    let split = format!("{}, {}", region("StringLike", r#""us-*""#), not_us);
    assert_eq!(relation(&none, &split), Relation::Equal);
    let present = under(r#""Null": {"aws:RequestedRegion": "false"}"#);
    let absent = under(r#""Null": {"aws:RequestedRegion": "true"}"#);
    assert_eq!(relation(&none, &format!("{present}, {absent}")), Relation::Equal);
    assert_eq!(relation(&present, &absent), Relation::Incomparable);
}

#[test]
fn lists_of_values_are_compared_by_all_their_lists() {
    let tags = |operator: &str, values: &str| under(&format!(r#""{operator}": {{"aws:TagKeys": {values}}}"#));
    let all_a = tags("ForAllValues:StringEquals", r#""a""#);
    let any_a = tags("ForAnyValue:StringEquals", r#""a""#);
    assert_eq!(relation(&all_a, &tags("ForAllValues:StringEquals", r#"["a", "b"]"#)), Relation::Wider);
    // No list at all passes the first, and a list of `a` and `b` the second.
    assert_eq!(relation(&all_a, &any_a), Relation::Incomparable);
    let guarded =
        under(r#""ForAllValues:StringEquals": {"aws:TagKeys": "a"}, "Null": {"aws:TagKeys": "false"}"#);
    assert_eq!(relation(&all_a, &guarded), Relation::Narrower);
    assert_eq!(relation(&any_a, &guarded), Relation::Narrower);
    let both = under(
        r#""ForAllValues:StringEquals": {"aws:TagKeys": "a"}, "ForAnyValue:StringEquals": {"aws:TagKeys": "a"}"#,
    );
    assert_eq!(relation(&guarded, &both), Relation::Equal);
}

#[test]
fn numbers_dates_and_addresses_are_compared_as_ranges() {
    for (operator, key, narrow, wide) in [
        ("NumericLessThan", "s3:max-keys", "10", "10.5"),
        ("NumericGreaterThanEquals", "s3:max-keys", "11", "10"),
        ("IpAddress", "aws:SourceIp", "10.1.0.0/16", "10.0.0.0/8"),
        ("NotIpAddress", "aws:SourceIp", "10.0.0.0/8", "10.1.0.0/16"),
        ("IpAddress", "aws:SourceIp", "2001:db8::1", "2001:db8::/32"),
        ("DateLessThan", "aws:CurrentTime", "2026-12-31T23:00:00Z", "2027-01-01T00:00:00+00:30"),
    ] {
        let statement = |value: &str| under(&format!(r#""{operator}": {{"{key}": "{value}"}}"#));
        assert_eq!(
            relation(&statement(narrow), &statement(wide)),
            Relation::Wider,
            "{operator} {narrow} {wide}"
        );
        assert_eq!(relation(&statement(wide), &statement(narrow)), Relation::Narrower, "{operator}");
        assert_eq!(relation(&statement(wide), &statement(wide)), Relation::Equal, "{operator}");
    }
    let halves = format!(
        "{}, {}",
        under(r#""IpAddress": {"aws:SourceIp": "10.0.0.0/9"}"#),
        under(r#""IpAddress": {"aws:SourceIp": "10.128.0.0/9"}"#)
    );
    assert_eq!(relation(&halves, &under(r#""IpAddress": {"aws:SourceIp": "10.0.0.0/8"}"#)), Relation::Equal);
}

#[test]
fn variables_stand_for_one_unknown_text() {
    let own = "arn:aws:s3:::b/${aws:PrincipalTag/team}/*";
    assert_eq!(relation(&allow(own), &allow(own)), Relation::Equal);
    assert_eq!(relation(&allow(own), &allow("arn:aws:s3:::b/*")), Relation::Wider);
    assert_eq!(relation(&allow("arn:aws:s3:::b/*"), &allow(own)), Relation::Narrower);
    assert_eq!(relation(&allow(own), &allow("arn:aws:s3:::b/${aws:userid}/*")), Relation::Incomparable);
    assert_eq!(relation(&allow("arn:aws:s3:::b/red/*"), &allow(own)), Relation::Incomparable);
    let reports = "arn:aws:s3:::b/${aws:PrincipalTag/team}/reports/*";
    assert_eq!(relation(&allow(own), &allow(reports)), Relation::Narrower);
    // A team may be called `secret`.
    let denied = format!("{}, {}", allow(own), deny("*", "arn:aws:s3:::b/secret/*"));
    assert_eq!(relation(&allow(own), &denied), Relation::Narrower);
    let elsewhere = format!("{}, {}", allow(own), deny("*", "arn:aws:s3:::c/*"));
    assert_eq!(relation(&allow(own), &elsewhere), Relation::Equal);
    let not_red = r#"{"Effect": "Allow", "Action": "s3:GetObject", "NotResource": "arn:aws:s3:::b/red/*"}"#;
    assert_eq!(relation(not_red, &format!("{not_red}, {}", allow(own))), Relation::Wider);
}

#[test]
fn a_boundary_and_control_policies_are_further_layers() {
    let document = |statements: &str| {
        read(&format!(r#"{{"Version": "2012-10-17", "Statement": [{statements}]}}"#)).unwrap()
    };
    let wide = document(&allow("*"));
    let narrow = document(&allow("arn:aws:s3:::b/*"));
    let alone = Policies::default().identity("p", &narrow);
    let bounded = Policies::default().identity("p", &wide).boundary("b", &narrow);
    assert_eq!(compare(&alone, &bounded).relation(), Relation::Equal);
    let levels = Policies::default().identity("p", &wide).service_control([("s", &narrow)]);
    assert_eq!(compare(&bounded, &levels).relation(), Relation::Equal);
    let none = Policies::default().identity("p", &narrow).boundary("b", &document(&deny("*", "*")));
    assert_eq!(compare(&alone, &none).relation(), Relation::Narrower);
    assert_eq!(compare(&none, &Policies::default()).relation(), Relation::Equal);
}

#[test]
fn trust_and_resource_policies_are_compared_by_caller() {
    let trust = |principal: &str, condition: &str| {
        let text = format!(
            r#"{{"Version": "2012-10-17", "Statement": {{"Effect": "Allow", "Principal": {principal},
            "Action": "sts:AssumeRole", "Condition": {{{condition}}}}}}}"#
        );
        Policies::default().resource("trust", &read(&text).unwrap())
    };
    let relation = |before: &Policies, after: &Policies| compare(before, after).relation();
    let role = trust(r#"{"AWS": "arn:aws:iam::111122223333:role/ci"}"#, "");
    let account = trust(r#"{"AWS": "111122223333"}"#, "");
    let anyone = trust(r#""*""#, "");
    assert_eq!(relation(&role, &account), Relation::Wider);
    assert_eq!(relation(&account, &anyone), Relation::Wider);
    assert_eq!(
        relation(&account, &trust(r#"{"AWS": "arn:aws:iam::111122223333:root"}"#, "")),
        Relation::Equal
    );
    let source = r#""StringEquals": {"aws:SourceAccount": "111122223333"}"#;
    let service = trust(r#"{"Service": "lambda.amazonaws.com"}"#, "");
    let guarded = trust(r#"{"Service": "lambda.amazonaws.com"}"#, source);
    assert_eq!(relation(&guarded, &service), Relation::Wider);
    assert_eq!(relation(&service, &role), Relation::Incomparable);
}

#[test]
fn what_is_not_understood_is_not_proven() {
    let odd = under(r#""StringLikeish": {"aws:RequestedRegion": "eu-*"}"#);
    let compared = compare(&policies(&under("")), &policies(&odd));
    assert_eq!(compared.gained, Change::Nothing);
    assert!(matches!(compared.lost, Change::Shown(_)), "{compared:?}");
    let number = under(r#""NumericLessThan": {"s3:max-keys": "many"}"#);
    assert_eq!(compare(&policies(&number), &policies(&allow("arn:aws:s3:::b/*"))).lost, Change::Nothing);
    let infixes: Vec<String> = (0..24).map(|n| allow(&format!("arn:aws:s3:::b/*/n{n}n/*"))).collect();
    let compared = compare(&policies(&infixes.join(",")), &policies(&infixes[1..].join(",")));
    assert_eq!(compared.lost, Change::NotProven(vec![TOO_MANY.to_owned()]));
}

#[test]
fn witnesses_are_of_known_actions_and_fitting_resources() {
    let statement = |action: &str, resource: &str| {
        policies(&format!(r#"{{"Effect": "Allow", "Action": "{action}", "Resource": "{resource}"}}"#))
    };
    for (action, resource, witness) in [
        ("s3:Get*", "arn:aws:s3:::b/*", Request::new("s3:GetObject", "arn:aws:s3:::b/example")),
        (
            "sqs:SendMessage",
            "*",
            Request::new("sqs:SendMessage", "arn:aws:sqs:eu-central-1:123456789012:example"),
        ),
        (
            "bedrock:InvokeAgent",
            "arn:aws:bedrock:*:111122223333:*",
            Request::new(
                "bedrock:InvokeAgent",
                "arn:aws:bedrock:eu-central-1:111122223333:agent-alias/example/example",
            ),
        ),
        ("bedrock:ListFoundationModels", "*", Request::new("bedrock:ListFoundationModels", "*")),
    ] {
        let Change::Shown(gained) = compare(&Policies::default(), &statement(action, resource)).gained else {
            panic!("{action} {resource}")
        };
        assert_eq!((&gained[0].witness, gained[0].known), (&witness, true));
    }
    // An S3 object can be no target of an action on queues.
    let odd = compare(&Policies::default(), &statement("sqs:SendMessage", "arn:aws:s3:::b/*"));
    let Change::Shown(gained) = odd.gained else { panic!("{odd:?}") };
    assert!(!gained[0].known);
}

#[test]
fn witnesses_have_real_regions_and_keys_as_aws_writes_them() {
    let policy = |regions: &str| {
        policies(&format!(
            r#"{{"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "arn:aws:sqs:{regions}:111122223333:work",
            "Condition": {{"StringLike": {{"aws:requestedregion": "{regions}", "aws:principaltag/Team": "red"}}}}}}"#
        ))
    };
    let compared = compare(&policy("eu-central-1"), &policy("eu-*"));
    let Change::Shown(gained) = compared.gained else { panic!() };
    let witness = &gained[0].witness;
    let real = ["eu-central-1", "eu-west-1"];
    assert!(real.map(|region| format!("arn:aws:sqs:{region}:111122223333:work")).contains(&witness.resource));
    let context: Vec<(&str, &[String])> = witness.context.iter().collect();
    assert_eq!(context[0], ("aws:PrincipalTag/Team", &["red".to_owned()][..]));
    assert_eq!(context[1].0, "aws:RequestedRegion");
    assert!(real.contains(&context[1].1[0].as_str()), "{witness:?}");
}
