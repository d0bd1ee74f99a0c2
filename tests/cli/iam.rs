//! `iam`: what policies decide and mean, from files alone.

use std::path::Path;

use super::{aipolicy, write};
use crate::harness::root;

const ROLE: &str = "examples/acme/expected/prod/iam/Role/acme-prod-tools-paper-reader.json";
const POLICY: &str = "examples/acme/expected/prod/iam/Policy/acme-prod-tools-paper-reader.json";
const PAPER: &str = "arn:aws:s3:::acme-research-papers/reviewed/a.pdf";

const MIXED: &str = r#"{
  "Version": "2012-10-17",
  "Statement": [
    {"Sid": "Read", "Effect": "Allow", "Action": "s3:Get*", "Resource": "arn:aws:s3:::data/${aws:PrincipalTag/team}/*"},
    {
      "Effect": "Deny",
      "NotAction": ["s3:GetObject", "iam:*"],
      "NotResource": "*",
      "Condition": {
        "StringNotEquals": {"aws:RequestedRegion": ["eu-central-1", "eu-west-1"]},
        "Null": {"aws:SourceVpce": "true"},
        "ForAllValues:StringLike": {"aws:TagKeys": "cost*"}
      }
    }
  ]
}"#;

/// Asks from the root of the repository, so that paths are those of the examples.
fn ask(arguments: &[&str]) -> super::Done {
    aipolicy(&root(), &[&["iam"], arguments].concat())
}

#[test]
fn a_role_that_was_built_is_decided_about() {
    let get = ["evaluate", "--role", ROLE, "--action", "s3:GetObject", "--resource"];
    let said = ask(&[&get[..], &[PAPER]].concat()).expect(0);
    assert!(said.contains("allowed\n"), "{said}");
    assert!(said.contains(&format!("allowed by identity policy {POLICY}:7 `ReadPapers`")), "{said}");
    assert!(said.contains("assuming that the resource is in the account of the caller"), "{said}");
    let said = ask(&[&get[..], &["arn:aws:s3:::acme-research-papers/drafts/a.pdf"]].concat()).expect(3);
    assert!(said.contains("denied\n  no identity policy allows it; the nearest is"), "{said}");
    assert!(said.contains("its resources are `arn:aws:s3:::acme-research-papers/reviewed/*`"), "{said}");
}

#[test]
fn conditions_are_told_with_what_the_request_says() {
    let list = ["evaluate", "--role", ROLE, "--action", "s3:ListBucket"];
    let list = [&list[..], &["--resource", "arn:aws:s3:::acme-research-papers"]].concat();
    let said = ask(&list).expect(3);
    let wanted = "its condition is `StringLike` `s3:prefix` `reviewed/*`, and the request";
    assert!(said.contains(&format!("{wanted} does not have it")), "{said}");
    let said = ask(&[&list[..], &["--context", "s3:prefix=drafts/"]].concat()).expect(3);
    assert!(said.contains(&format!("{wanted} says `drafts/`")), "{said}");
    ask(&[&list[..], &["--context", "s3:prefix=reviewed/2026"]].concat()).expect(0);
}

#[test]
fn every_kind_of_policy_has_its_say() {
    let place = tempfile::tempdir().unwrap();
    let all =
        r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}"#;
    let none =
        r#"{"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "s3:*", "Resource": "*"}}"#;
    let bucket = r#"{"Policy": "{\"Statement\": {\"Effect\": \"Allow\", \"Principal\": {\"AWS\": \"111122223333\"}, \"Action\": \"s3:*\", \"Resource\": \"*\"}}"}"#;
    let request = r#"{"principal": {"AWS": "arn:aws:iam::111122223333:user/ann"}, "action": "s3:GetObject",
        "resource": "arn:aws:s3:::b/k", "context": {"aws:ResourceAccount": "444455556666"}}"#;
    for (file, text) in
        [("all.json", all), ("none.json", none), ("bucket.json", bucket), ("request.json", request)]
    {
        write(place.path(), file, text);
    }
    let ask = |more: &[&str]| {
        let given = ["iam", "evaluate", "--identity", "all.json", "--request", "request.json"];
        aipolicy(place.path(), &[&given[..], more].concat())
    };
    let said = ask(&[]).expect(3);
    assert!(said.contains("no resource policy allows s3:GetObject"), "{said}");
    ask(&["--resource-policy", "bucket.json"]).expect(0);
    for option in ["--boundary", "--session", "--scp", "--identity"] {
        let said = ask(&["--resource-policy", "bucket.json", option, "none.json"]).expect(3);
        assert!(said.contains("denied by ") && said.contains("none.json:1"), "{option}: {said}");
    }
    ask(&["--resource-policy", "bucket.json", "--scp", "all.json,all.json", "--boundary", "all.json"])
        .expect(0);
}

#[test]
fn a_decision_is_also_json() {
    let question =
        ["evaluate", "--role", ROLE, "--action", "sqs:SendMessage", "--resource", "*", "--format", "json"];
    let done = ask(&question);
    assert_eq!(done.exit, 3);
    let told: serde_json::Value = serde_json::from_str(&done.out).unwrap();
    assert_eq!(told["format"], "aipolicy.iam-decision/1");
    assert_eq!(told["decision"], "implicitDeny");
    assert_eq!(told["by"][0]["layer"], "identity policy");
    assert_eq!(told["request"]["action"], "sqs:SendMessage");
    let arn = "arn:aws:iam::111122223333:role/aipolicy/acme-ai/prod/acme-prod-tools-paper-reader";
    assert_eq!(told["request"]["context"]["aws:PrincipalArn"], arn);
}

#[test]
fn slips_are_not_denials() {
    for (arguments, why) in [
        (&["--action", "s3:GetObject", "--resource", "*"][..], "there are no policies to decide by"),
        (&["--role", ROLE, "--action", "GetObject", "--resource", "*"], "`GetObject` is no action"),
        (&["--role", ROLE, "--action", "s3:GetObject", "--resource", "bucket"], "`bucket` is no resource"),
        (&["--role", POLICY, "--action", "s3:GetObject", "--resource", "*"], "is no role"),
        (&["--identity", ROLE, "--action", "s3:GetObject", "--resource", "*"], "has a trust policy alone"),
        (&["--role", ROLE, "--action", "s3:GetObject"], "required"),
        (&["--role", ROLE, "--request", "Cargo.toml"], "`Cargo.toml` is no request"),
        (
            &[
                "--role",
                ROLE,
                "--principal",
                "arn:aws:iam::111122223333:root",
                "--action",
                "a:b",
                "--resource",
                "*",
            ],
            "this is not decided: the root user",
        ),
    ] {
        let said = ask(&[&["evaluate"], arguments].concat()).expect(1);
        assert!(said.contains(why), "{arguments:?}: {said}");
    }
}

#[test]
fn mistakes_in_files_are_told_with_their_lines() {
    let place = tempfile::tempdir().unwrap();
    write(place.path(), "bad.json", "{\"PolicyDocument\": {\n\"Statement\": [\n{\"Effect\": \"Allow\"}]}}");
    let said = aipolicy(place.path(), &["iam", "explain", "bad.json"]).expect(1);
    assert!(said.contains("bad.json:3: the statement names no action"), "{said}");
}

#[test]
fn statements_are_told_in_words() {
    let place = tempfile::tempdir().unwrap();
    write(place.path(), "mixed.json", MIXED);
    let done = aipolicy(place.path(), &["iam", "explain", "mixed.json"]);
    assert_eq!(done.exit, 0);
    let expected = "\
mixed.json:4 `Read`
  whoever holds this policy may
    do whatever is called `s3:Get*`
    with whatever is named `arn:aws:s3:::data/${aws:PrincipalTag/team}/*`
  note: `${…}` stands for what the request says under that key
mixed.json:5
  whoever holds this policy must not
    do everything of every service but everything of `iam` or `s3:GetObject`
    with everything but everything
    if every value of `aws:TagKeys` is like `cost*`, or the request has none
    and the request does not have `aws:SourceVpce`
    and `aws:RequestedRegion` is not any of `eu-central-1`, `eu-west-1`, or the request does not have it
";
    assert_eq!(done.out, expected);
}

#[test]
fn everything_that_was_built_is_explained() {
    let folder = "examples/acme/expected/prod/iam";
    let files = crate::harness::files_below(&root().join(folder));
    assert!(files.len() > 20);
    for file in files.iter().filter(|file| file.ends_with(".json")) {
        let path = Path::new(folder).join(file);
        let said = ask(&["explain", path.to_str().unwrap()]).expect(0);
        assert!(said.contains(" may\n") || said.contains(" must not\n"), "{file}: {said}");
        assert!(!said.contains("no condition operator"), "{file}: {said}");
    }
}
