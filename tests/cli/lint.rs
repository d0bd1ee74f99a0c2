//! `aipolicy iam lint` as a process: planted defects with their lines, shapes of files, formats and exit codes.

use serde_json::{Value, json};

use super::{Done, aipolicy};
use crate::harness::root;

/// What stands behind the line that a finding has to be on.
const MARK: &str = " @@";

/// A defect: what is wrong, the code that tells so, and a policy with a mark on its line.
const PLANTED: &[(&str, &str, &str)] = &[
    (
        "service star",
        "AIP-IAM-002",
        r#""Action": ["s3:*"], @@
        "Resource": "arn:aws:s3:::acme-ledger/*""#,
    ),
    (
        "star on star",
        "AIP-IAM-016",
        r#""Action":
        "*", @@
        "Resource": "*""#,
    ),
    (
        "`Get*`",
        "AIP-IAM-002",
        r#""Action": ["s3:PutObject",
          "s3:Get*"], @@
        "Resource": "arn:aws:s3:::acme-ledger/*""#,
    ),
    (
        "wild card across tenants",
        "AIP-IAM-018",
        r#""Action": "s3:GetObject",
        "Resource": ["arn:aws:s3:::acme-ledger/*",
          "arn:aws:s3:::*-ledger/*"] @@
        "#,
    ),
    (
        "smuggled policy variable",
        "AIP-IAM-020",
        r#""Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::acme-ledger/${aws:RequestTag/tenant}/*" @@
        "#,
    ),
    (
        "NotAction",
        "AIP-IAM-017",
        r#""Resource": "arn:aws:s3:::acme-ledger/*",
        "NotAction": ["s3:PutObject"] @@
        "#,
    ),
    (
        "broad PassRole",
        "AIP-IAM-007",
        r#""Action": ["iam:GetRole",
          "iam:PassRole"], @@
        "Resource": "arn:aws:iam::111122223333:role/tools/clerk""#,
    ),
    (
        "open trust",
        "AIP-IAM-021",
        r#""Action": "sts:AssumeRole",
        "Principal": { "AWS": "*" } @@
        "#,
    ),
    (
        "no confused-deputy condition",
        "AIP-IAM-004",
        r#""Action": "sts:AssumeRole",
        "Principal": {
          "Service": "bedrock-agentcore.amazonaws.com" @@
        }"#,
    ),
    (
        "unknown action",
        "AIP-IAM-011",
        r#""Action": ["bedrock:InvokeModel",
          "bedrock:ConverseStream"], @@
        "Resource": "arn:aws:bedrock:eu-central-1::foundation-model/amazon.nova-lite-v1:0""#,
    ),
    (
        "characters outside Latin-1",
        "AIP-IAM-023",
        r#""Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::acme-ledger/\u0142/*",
        "Condition": { "StringLike": {
          "aws:PrincipalTag/city": "Łódź" @@
        } }"#,
    ),
    (
        "another tenant's bucket",
        "AIP-IAM-019",
        r#""Action": "s3:GetObject",
        "Resource": [
          "arn:aws:s3:::acme-ledger/*",
          "arn:aws:s3:::globex-ledger/eu/*" @@
        ]"#,
    ),
    (
        "bad Sid",
        "AIP-IAM-022",
        r#""Action": "s3:GetObject",
        "Sid": "read ledger", @@
        "Resource": "arn:aws:s3:::acme-ledger/*""#,
    ),
];

fn policy(statement: &str) -> String {
    format!(
        "{{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n    {{ \"Effect\": \"Allow\",\n        {statement} }}\n  ]\n}}\n"
    )
}

/// Runs `iam lint` on these files.
fn lint(files: &[(&str, &str)], arguments: &[&str]) -> Done {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let file = folder.path().join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }
    let names = files.iter().map(|(name, _)| *name).filter(|_| !arguments.contains(&"."));
    aipolicy(
        folder.path(),
        &["iam", "lint"].into_iter().chain(names).chain(arguments.iter().copied()).collect::<Vec<_>>(),
    )
}

/// Code, file and line of each finding.
fn told(done: &Done) -> Vec<(String, String, u64)> {
    let document: Value =
        serde_json::from_str(&done.out).unwrap_or_else(|_| panic!("{}{}", done.out, done.err));
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let findings = document["findings"].as_array().unwrap().iter();
    findings.map(|one| (text(&one["code"]), text(&one["file"]), one["line"].as_u64().unwrap())).collect()
}

#[test]
fn every_planted_defect_is_found_on_its_line() {
    let owners = [
        "--tenant",
        "acme",
        "--owner",
        "acme=arn:aws:s3:::acme-*",
        "--owner",
        "globex=arn:aws:s3:::globex-*",
    ];
    for (what, code, statement) in PLANTED {
        let marked = policy(statement);
        let line = marked.lines().position(|line| line.ends_with(MARK)).unwrap() as u64 + 1;
        let text = marked.replace(MARK, "");
        let arguments: Vec<&str> = owners.iter().copied().chain(["--format", "json"]).collect();
        let done = lint(&[("policy.json", &text)], &arguments);
        assert_eq!(done.exit, 3, "{what}: {}{}", done.out, done.err);
        let expected = vec![((*code).to_owned(), "policy.json".to_owned(), line)];
        assert_eq!(told(&done), expected, "{what}: {}", done.out);
    }
}

#[test]
fn an_oversized_policy_is_found_where_it_begins() {
    let tables: Vec<String> =
        (0..120).map(|n| format!("arn:aws:dynamodb:eu-central-1:111122223333:table/orders-{n:03}")).collect();
    let statement = json!({ "Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": tables });
    let document = json!({ "Version": "2012-10-17", "Statement": [statement] });
    let text = format!("{{\"PolicyName\": \"orders\",\n\n \"PolicyDocument\": {document} }}");
    let done = lint(&[("policy.json", &text)], &["--format", "json"]);
    assert_eq!(told(&done), [("AIP-IAM-024".to_owned(), "policy.json".to_owned(), 3)], "{}", done.out);
}

#[test]
fn policies_are_found_in_every_shape_of_file() {
    let document = json!({ "Version": "2012-10-17", "Statement":
        { "Effect": "Allow", "Action": "s3:Get*", "Resource": "arn:aws:s3:::acme-ledger/*" } });
    let trust = json!({ "Version": "2012-10-17", "Statement":
        { "Effect": "Allow", "Principal": { "Service": "scheduler.amazonaws.com" }, "Action": "sts:AssumeRole" } });
    let encoded: String = document.to_string().bytes().map(|byte| format!("%{byte:02X}")).collect();
    let managed = json!({ "PolicyName": "AdministratorAccess", "Arn": "arn:aws:iam::aws:policy/AdministratorAccess",
        "PolicyVersionList": [{ "IsDefaultVersion": true, "Document": document }] });
    let own = json!({ "PolicyName": "own", "Arn": "arn:aws:iam::111122223333:policy/own", "PolicyVersionList":
        [{ "IsDefaultVersion": false, "Document": document }, { "IsDefaultVersion": true, "Document": document }] });
    let files: &[(&str, Value, &[&str])] = &[
        (
            "get-policy-version",
            json!({ "PolicyVersion": { "VersionId": "v1", "Document": document } }),
            &["AIP-IAM-002"],
        ),
        ("get-role", json!({ "Role": { "AssumeRolePolicyDocument": trust } }), &["AIP-IAM-004"]),
        ("get-bucket-policy", json!({ "Policy": document.to_string() }), &["AIP-IAM-002"]),
        ("raw", json!({ "PolicyVersion": { "Document": encoded } }), &["AIP-IAM-002"]),
        (
            "get-account-authorization-details",
            json!({ "RoleDetailList": [{ "AssumeRolePolicyDocument": trust, "RolePolicyList":
                [{ "PolicyName": "inline", "PolicyDocument": document }] }], "Policies": [managed, own] }),
            &["AIP-IAM-002", "AIP-IAM-002", "AIP-IAM-004"],
        ),
        (
            "template",
            json!({ "Resources": { "Role": { "Properties": { "AssumeRolePolicyDocument": trust } } } }),
            &["AIP-IAM-004"],
        ),
    ];
    for (name, value, expected) in files {
        let done = lint(&[("file.json", &value.to_string())], &["--format", "json"]);
        let mut codes: Vec<String> = told(&done).into_iter().map(|(code, ..)| code).collect();
        codes.sort();
        assert_eq!(codes, *expected, "{name}: {}", done.out);
    }
}

#[test]
fn a_tag_says_whose_a_role_is() {
    let document = |bucket: &str| {
        json!({ "Version": "2012-10-17", "Statement":
        { "Effect": "Allow", "Action": "s3:GetObject", "Resource": format!("arn:aws:s3:::{bucket}/*") } })
    };
    let role = json!({ "Tags": [{ "Key": "team", "Value": "acme" }], "RolePolicyList": [
        { "PolicyName": "a", "PolicyDocument": document("acme-ledger") },
        { "PolicyName": "b", "PolicyDocument": document("globex-ledger") }] });
    let arguments = [
        "--tenant-tag",
        "team",
        "--owner",
        "acme=arn:aws:s3:::acme-*",
        "--owner",
        "globex=arn:aws:s3:::globex-*",
    ];
    let said = lint(&[("role.json", &role.to_string())], &arguments).expect(3);
    assert!(
        said.contains("`arn:aws:s3:::globex-ledger/*` belongs to `globex`, and the policy to `acme`"),
        "{said}"
    );
    assert!(said.contains("1 error"), "{said}");
    lint(&[("role.json", &role.to_string())], &["--tenant-tag", "team"]).expect(0);
    let said = lint(&[("role.json", "{}")], &["--owner", "acme"]).expect(1);
    assert!(said.contains("write it like"), "{said}");
}

#[test]
fn exit_codes_tell_clean_refused_and_unreadable() {
    let clean = policy(r#""Action": "s3:GetObject", "Resource": "arn:aws:s3:::acme-ledger/*""#);
    let said = lint(&[("a.json", &clean)], &[]).expect(0);
    assert_eq!(said, "no findings in 1 policy, by 32 rules\n");
    let warned =
        policy(r#""Action": ["s3:GetObject", "s3:GetObject"], "Resource": "arn:aws:s3:::acme-ledger/*""#);
    assert!(lint(&[("a.json", &warned)], &[]).expect(0).contains("1 warning"));
    let broken = lint(&[("a.json", "{\n  \"Statement\": [,]\n}")], &[]).expect(1);
    assert!(broken.contains("a.json:2:") && broken.contains("cannot be read as JSON"), "{broken}");
    let refused = policy(r#""Action": "s3:GetObject""#).replace("Allow", "allow");
    assert!(lint(&[("a.json", &refused)], &[]).expect(1).contains("`allow` is not an effect"));
    assert!(lint(&[("a.json", "{\"a\": 1}")], &[]).expect(1).contains("there is no policy in `a.json`"));
    assert!(lint(&[("b/a.json", "{\"a\": 1}")], &["."]).expect(1).contains("there is no policy in `.`"));
    let mixed = [("b/a.json", "{\"a\": 1}"), ("b/c.json", clean.as_str()), ("b/d.txt", "nothing")];
    assert_eq!(lint(&mixed, &["."]).expect(0), "no findings in 1 policy, by 32 rules\n");
    assert!(aipolicy(&root(), &["iam", "lint", "nowhere.json"]).expect(1).contains("nowhere.json"));
}

#[test]
fn every_format_has_the_place() {
    let text = policy("\"Action\": \"s3:*\",\n        \"Resource\": \"arn:aws:s3:::acme-ledger/*\"");
    let files = [("b/policy.json", text.as_str())];
    let github = lint(&files, &["--format", "github"]).expect(3);
    assert!(
        github.starts_with("::error file=b/policy.json,line=5,endLine=5,col=19,endColumn=25,"),
        "{github}"
    );
    let sarif: Value = serde_json::from_str(&lint(&files, &["--format", "sarif"]).expect(3)).unwrap();
    let result = &sarif["runs"][0]["results"][0];
    assert_eq!(result["ruleId"], "AIP-IAM-002");
    assert_eq!(result["locations"][0]["physicalLocation"]["region"]["startLine"], 5);
    let rules = sarif["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap();
    let rule = rules.iter().find(|rule| rule["id"] == "AIP-IAM-002").unwrap();
    let page = rule["help"]["markdown"].as_str().unwrap();
    assert!(page.starts_with("# wildcard-action (AIP-IAM-002)"), "{page}");
    let json: Value = serde_json::from_str(&lint(&files, &["--format", "json"]).expect(3)).unwrap();
    assert_eq!((json["policies"].as_u64(), json.get("resources")), (Some(1), None));
}

#[test]
fn the_page_of_a_rule_is_explained_by_code_and_name() {
    for name in ["AIP-IAM-028", "key-missing-for-action"] {
        let said = aipolicy(&root(), &["explain", name]).expect(0);
        assert!(said.starts_with("# key-missing-for-action (AIP-IAM-028)"), "{said}");
    }
    assert!(aipolicy(&root(), &["explain"]).expect(0).contains("AIP-IAM-021    open-trust"));
}
