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
