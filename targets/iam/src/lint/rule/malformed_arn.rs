//! Finds resources and principals that are no ARN.

use crate::arn::{Partition, is_region};
use crate::lint::policy::Policy;
use crate::lint::{Findings, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    code: "AIP-IAM-034",
    name: "malformed-arn",
    severity: Severity::Error,
    page: include_str!("malformed_arn.md"),
    check,
};

fn check(policy: &Policy<'_>, findings: &mut Findings<'_>) {
    for statement in &policy.statements {
        for item in statement.resources.iter().flat_map(|resources| &resources.items) {
            if let Some(why) = mistake(&item.text).filter(|_| item.text != "*") {
                findings.at(item, format!("`{}` is no ARN: {why}", item.text), HELP);
            }
        }
        let principals = statement.principals.iter().flat_map(|principals| &principals.items);
        for (_, item) in principals.filter(|(kind, _)| *kind == "AWS") {
            if !is_principal(&item.text) {
                let message = format!("`{}` is no principal of AWS", item.text);
                findings.at(
                    item,
                    message,
                    "write the ARN of a role, user or account, or the twelve digits of an account",
                );
            }
        }
    }
}

const HELP: &str = "write `arn:partition:service:region:account:resource`";

fn mistake(text: &str) -> Option<String> {
    // A variable may stand for any part, and a `*` for several.
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let open = |part: &str| part.contains(['*', '?', '$']);
    let [arn, partition, service, region, account, resource] = parts.as_slice() else {
        let is_short = parts.first() == Some(&"arn") && parts.last().is_some_and(|last| open(last));
        return (!is_short).then(|| "it does not have the six parts of one".to_owned());
    };
    let is_partition =
        Partition::ALL.iter().any(|known| known.as_str() == *partition) || partition.starts_with("aws-iso");
    let is_account = account.is_empty() || *account == "aws" || is_number(account);
    let wrong = [
        (*arn != "arn", format!("it begins with `{arn}`")),
        (!open(partition) && !is_partition, format!("there is no partition `{partition}`")),
        (!open(service) && service.is_empty(), "it names no service".to_owned()),
        (!open(region) && !region.is_empty() && !is_region(region), format!("`{region}` is no region")),
        (!open(account) && !is_account, format!("`{account}` is no account, which has twelve digits")),
        (resource.is_empty(), "it names no resource".to_owned()),
    ];
    wrong.into_iter().find(|(is_wrong, _)| *is_wrong).map(|(_, why)| why)
}

fn is_number(account: &str) -> bool {
    account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit())
}

/// An ARN, an account, everybody, or what AWS writes for a principal that is gone.
fn is_principal(text: &str) -> bool {
    let is_id =
        text.len() >= 16 && text.starts_with('A') && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let is_arn = text.starts_with("arn:") && mistake(text).is_none() && !text.contains('*');
    text == "*" || is_number(text) || is_id || is_arn || text.contains("${")
}
