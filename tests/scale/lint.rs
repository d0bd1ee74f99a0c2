//! `iam lint` of many roles, beside reading the same text as JSON.
//!
//! Roles are those of `aws iam get-account-authorization-details`: each with a trust policy and an inline policy of five
//! statements, all different in their names. One thread, the best of three runs.

use std::error::Error;
use std::io::Write as _;

use aipolicy_iam::Places;
use aipolicy_iam::lint::{Options, lint};
use serde_json::{Value, json};

use crate::clock::best;

/// Of so many roles, one has a defect.
const DEFECTIVE: usize = 100;

/// Measures numbers of roles and prints a table.
pub(crate) fn run(words: &mut dyn Iterator<Item = String>) -> Result<(), Box<dyn Error>> {
    let sizes = words.map(|word| word.parse()).collect::<Result<Vec<usize>, _>>()?;
    let sizes = if sizes.is_empty() { vec![1_000, 10_000] } else { sizes };
    let mut out = std::io::stdout().lock();
    // The catalog is read once, whatever there is to lint.
    lint(&details(1), &Options::default())?;
    writeln!(
        out,
        "{:>8} {:>10} {:>10} {:>8} {:>10} {:>9}",
        "roles", "lint s", "json s", "ratio", "us/role", "findings"
    )?;
    for roles in sizes {
        let text = details(roles);
        let mut found = 0;
        let linted = best(|| found = findings(&text));
        let parsed = best(|| drop(serde_json::from_str::<Value>(&text)));
        #[expect(clippy::cast_precision_loss, reason = "numbers of roles are small")]
        let each = linted * 1e6 / roles as f64;
        let ratio = linted / parsed;
        writeln!(out, "{roles:>8} {linted:>10.3} {parsed:>10.3} {ratio:>8.1} {each:>10.1} {found:>9}")?;
    }
    Ok(())
}

/// Findings with their lines, as the command tells them.
fn findings(text: &str) -> usize {
    let Ok(report) = lint(text, &Options::default()) else { return 0 };
    let places = Places::of(text, report.findings.iter().map(|finding| finding.pointer.clone()));
    report.findings.iter().filter(|finding| places.line(&finding.pointer) > 0).count()
}

fn details(roles: usize) -> String {
    let roles: Vec<Value> = (0..roles).map(role).collect();
    json!({ "RoleDetailList": roles }).to_string()
}

fn role(at: usize) -> Value {
    let allow = |actions: &[&str], resources: &[String]| json!({ "Effect": "Allow", "Action": actions, "Resource": resources });
    let model = |region: &str| format!("arn:aws:bedrock:{region}::foundation-model/amazon.nova-lite-v1:0");
    let here = |service: &str, name: &str| format!("arn:aws:{service}:eu-central-1:111122223333:{name}-{at}");
    let star = if at.is_multiple_of(DEFECTIVE) { "s3:*" } else { "s3:GetObject" };
    let models = ["eu-central-1", "eu-north-1", "eu-west-1", "eu-west-3"].map(model);
    let invoke = json!({
        "Effect": "Allow",
        "Action": ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"],
        "Resource": models,
        "Condition": { "StringEquals": {
            "bedrock:InferenceProfileArn": here("bedrock", "inference-profile/eu.amazon.nova-lite-v1:0"),
        } },
    });
    let statements = json!([
        invoke,
        allow(&[star, "s3:PutObject"], &[format!("arn:aws:s3:::acme-{at}/eu/*")]),
        allow(
            &["dynamodb:GetItem", "dynamodb:Query", "dynamodb:PutItem"],
            &[here("dynamodb", "table/orders")]
        ),
        allow(&["sqs:SendMessage", "sqs:GetQueueAttributes"], &[here("sqs", "papers")]),
        allow(
            &["logs:CreateLogStream", "logs:PutLogEvents"],
            &[format!("{}:*", here("logs", "log-group:/acme"))]
        ),
    ]);
    let trust = json!({
        "Effect": "Allow",
        "Principal": { "Service": "bedrock-agentcore.amazonaws.com" },
        "Action": "sts:AssumeRole",
        "Condition": { "StringEquals": { "aws:SourceAccount": "111122223333" } },
    });
    let document = |statements: Value| json!({ "Version": "2012-10-17", "Statement": statements });
    json!({
        "RoleName": format!("role-{at}"),
        "AssumeRolePolicyDocument": document(json!([trust])),
        "RolePolicyList": [{ "PolicyName": "own", "PolicyDocument": document(statements) }],
    })
}
