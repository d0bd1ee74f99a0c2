//! `iam lint`: the page of every rule shows what it finds and what it does not, and both are true.

use std::collections::BTreeSet;

use aipolicy_iam::Places;
use aipolicy_iam::lint::{Options, RULES, Report, Severity, boundaries, lint};

use crate::harness::cases::{Finding, check_folder, files_of};

const FOLDER: &str = "targets/iam/src/lint/rule";

/// Whose is what in the pages.
fn options() -> Options {
    let owner = |tenant: &str| (tenant.to_owned(), format!("arn:aws:s3:::{tenant}-*"));
    Options {
        tenant: Some("acme".to_owned()),
        owners: vec![owner("acme"), owner("globex")],
        ..Options::default()
    }
}

fn findings(files: &[(String, String)]) -> Vec<Finding> {
    files.iter().flat_map(|(file, text)| findings_of(file, &without_comments(text))).collect()
}

/// The text with nothing where a finding is noted, every place as it was.
fn without_comments(text: &str) -> String {
    let line = |line: &str| {
        let comment = ["error", "warning"].iter().find_map(|word| line.find(&format!("// {word}[")));
        comment.map_or(line.to_owned(), |at| line[..at].to_owned())
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

fn findings_of(file: &str, text: &str) -> Vec<Finding> {
    let report: Report = lint(text, &options()).unwrap();
    assert!(report.policies > 0, "{text}");
    let places = Places::of(text, report.findings.iter().map(|one| one.pointer.clone()));
    let finding = |one: &aipolicy_iam::lint::Finding| Finding {
        file: file.to_owned(),
        line: places.line(&one.pointer),
        severity: if one.rule.severity == Severity::Warning { "warning" } else { "error" }.to_owned(),
        code: one.rule.code.to_owned(),
        message: one.message.clone(),
    };
    report.findings.iter().map(finding).collect()
}

#[test]
fn every_page_of_a_lint_rule_has_the_findings_that_it_notes() {
    check_folder(FOLDER, &findings);
}

#[test]
fn what_a_lint_rule_reports_has_its_code_and_the_corrected_twin_has_none() {
    for rule in RULES {
        assert!(rule.page.starts_with(&format!("# {} ({})\n", rule.name, rule.code)), "{}", rule.name);
        let (mut reported, mut accepted) = (0, 0);
        for (title, files) in files_of(rule.page) {
            let found = findings(&files);
            let codes: BTreeSet<_> = found.iter().map(|one| one.code.as_str()).collect();
            let not = title.starts_with("What is not");
            assert!(not || title.starts_with("What is reported"), "{}: {title}", rule.name);
            let expected = if not { BTreeSet::new() } else { BTreeSet::from([rule.code]) };
            assert_eq!(codes, expected, "{}: {title}: {found:#?}", rule.name);
            (reported, accepted) = (reported + usize::from(!not), accepted + usize::from(not));
        }
        assert!(reported > 0 && accepted > 0, "{}", rule.name);
    }
}

/// Every JSON file below `expected` of every example, and of the workspaces that the tests of targets compile.
fn emitted() -> Vec<(String, String)> {
    let folder = crate::harness::root().join("examples");
    let files = crate::harness::files_below(&folder).into_iter();
    let json = files.filter(|name| name.contains("/expected/") && name.ends_with(".json"));
    json.map(|name| (name.clone(), std::fs::read_to_string(folder.join(&name)).unwrap())).collect()
}

#[test]
fn what_aipolicy_emits_is_clean() {
    let (mut policies, mut problems) = (0, Vec::new());
    let emitted = emitted();
    let boundaries = emitted.iter().flat_map(|(_, text)| boundaries(text).unwrap()).collect();
    let options = Options { boundaries, ..Options::default() };
    for (name, text) in emitted {
        let report = lint(&text, &options).unwrap();
        policies += report.policies;
        let places = Places::new(&text);
        let told = report.findings.iter().map(|one| {
            format!("{name}:{}: {}: {}; {}", places.line(&one.pointer), one.rule.code, one.message, one.help)
        });
        problems.extend(told);
    }
    println!("{policies} emitted policies linted");
    assert!(policies > 100, "{policies}");
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// A boundary allows nothing by itself, whether a role of the same file or of another one has it.
#[test]
fn a_permissions_boundary_is_a_ceiling() {
    let policy = r#""PolicyName": "edge", "PolicyDocument": {"Version": "2012-10-17", "Statement": [
        {"Sid": "A", "Effect": "Allow", "Action": "s3:Get*", "Resource": "arn:aws:s3:::acme-*"}]}"#;
    let (arn, count) = ("arn:aws:iam::111122223333:policy/a/edge", |text: &str, options: &Options| {
        lint(text, options).unwrap().findings.len()
    });
    assert!(count(&format!("{{{policy}}}"), &Options::default()) > 0);
    let boundaries = boundaries(&format!(r#"{{"PermissionsBoundary": "{arn}"}}"#)).unwrap();
    assert_eq!(count(&format!("{{{policy}}}"), &Options { boundaries, ..Options::default() }), 0);
    for named in [format!(r#""{arn}""#), format!(r#"{{"PermissionsBoundaryArn": "{arn}"}}"#)] {
        let both =
            format!(r#"{{"Policies": [{{{policy}}}], "Roles": [{{"PermissionsBoundary": {named}}}]}}"#);
        assert_eq!(count(&both, &Options::default()), 0, "{named}");
    }
}

#[test]
fn codes_and_names_are_unique_over_all_tables() {
    let ours = RULES.iter().map(|rule| (rule.code, rule.name));
    let all: Vec<_> = ours.chain(aipolicy_compiler::rules().map(|rule| (rule.code, rule.name))).collect();
    let codes: BTreeSet<_> = all.iter().map(|(code, _)| code).collect();
    let names: BTreeSet<_> = all.iter().map(|(_, name)| name).collect();
    assert_eq!((codes.len(), names.len()), (all.len(), all.len()));
    assert!(RULES.is_sorted_by_key(|rule| rule.code));
}

/// Each right that leads to any other is found on every resource of its kind, and on none where one is named, a condition bounds
/// it, or the policy is one that gives nothing.
#[test]
fn what_leads_to_any_right_is_found_wherever_it_is_unbounded() {
    let paths = [
        ("iam:CreatePolicyVersion", "arn:aws:iam::111122223333:policy/"),
        ("iam:SetDefaultPolicyVersion", "arn:aws:iam::111122223333:policy/"),
        ("iam:AttachUserPolicy", "arn:aws:iam::111122223333:user/"),
        ("iam:AttachGroupPolicy", "arn:aws:iam::111122223333:group/"),
        ("iam:AttachRolePolicy", "arn:aws:iam::111122223333:role/"),
        ("iam:PutUserPolicy", "arn:aws:iam::111122223333:user/"),
        ("iam:PutGroupPolicy", "arn:aws:iam::111122223333:group/"),
        ("iam:PutRolePolicy", "arn:aws:iam::111122223333:role/"),
        ("iam:UpdateAssumeRolePolicy", "arn:aws:iam::111122223333:role/"),
        ("iam:AddUserToGroup", "arn:aws:iam::111122223333:group/"),
        ("iam:CreateAccessKey", "arn:aws:iam::111122223333:user/"),
        ("iam:CreateLoginProfile", "arn:aws:iam::111122223333:user/"),
        ("iam:UpdateLoginProfile", "arn:aws:iam::111122223333:user/"),
        ("iam:DeleteRolePermissionsBoundary", "arn:aws:iam::111122223333:role/"),
        ("iam:DeleteUserPermissionsBoundary", "arn:aws:iam::111122223333:user/"),
        ("lambda:UpdateFunctionCode", "arn:aws:lambda:eu-central-1:111122223333:function:"),
        ("glue:UpdateDevEndpoint", "arn:aws:glue:eu-central-1:111122223333:devEndpoint/"),
    ];
    let found = |action: &str, resource: &str, condition: &str, effect: &str| {
        let policy = format!(
            r#"{{"Version": "2012-10-17", "Statement": {{"Effect": "{effect}", "Action": "{action}", "Resource": "{resource}"{condition}}}}}"#
        );
        let codes = lint(&policy, &Options::default()).unwrap().findings;
        let codes: BTreeSet<_> = codes.iter().map(|one| one.rule.code).collect();
        assert!(
            !codes.contains("AIP-IAM-010") && !codes.contains("AIP-IAM-011"),
            "{action} on {resource}: {codes:?}"
        );
        codes.contains("AIP-IAM-008")
    };
    for (action, resource) in paths {
        for any in [format!("{resource}*"), "*".to_owned()] {
            assert!(found(action, &any, "", "Allow"), "{action} on {any}");
            assert!(!found(action, &any, "", "Deny"), "{action} on {any}");
        }
        assert!(!found(action, &format!("{resource}clerk"), "", "Allow"), "{action}");
        let marked = r#", "Condition": {"StringEquals": {"aws:ResourceTag/team": "clerks"}}"#;
        assert!(!found(action, &format!("{resource}*"), marked, "Allow"), "{action}");
    }
    let bounded =
        r#", "Condition": {"ArnEquals": {"iam:PolicyARN": "arn:aws:iam::111122223333:policy/reads"}}"#;
    assert!(!found("iam:AttachRolePolicy", "arn:aws:iam::111122223333:role/*", bounded, "Allow"));
    let elsewhere = r#", "Condition": {"StringEquals": {"aws:RequestedRegion": "eu-central-1"}}"#;
    assert!(found("iam:AttachRolePolicy", "arn:aws:iam::111122223333:role/*", elsewhere, "Allow"));
}
