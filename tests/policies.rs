//! Every shipped policy has a case that it refuses and one that it does not, and without it the first is let through.

use aipolicy_compiler::authorize::{SHIPPED, ShippedPolicy};

use crate::harness::cases::{check_folder, files_of};
use crate::harness::compile::{findings, findings_without};

#[test]
fn every_case_has_the_findings_that_it_notes() {
    check_folder("policies", &|files| findings(files));
}

fn id(policy: &ShippedPolicy) -> &str {
    policy.text.split('"').nth(1).unwrap()
}

#[test]
fn every_page_has_a_case_that_is_refused_and_one_that_is_not() {
    for policy in SHIPPED {
        let code = if id(policy).starts_with("AIP-") { id(policy) } else { "AIP-POL-005" };
        let mut seen = [0, 0];
        for (_, files) in files_of(policy.page) {
            let found = findings(&files);
            seen[usize::from(found.iter().any(|one| one.code == code))] += 1;
        }
        // Nothing that can be asked for is ever refused by these two: they permit all that there is.
        let permits_all = ["baseline-change", "baseline-support", "baseline-tools"].contains(&id(policy));
        assert!(seen[0] > 0 && (seen[1] > 0 || permits_all), "{}: {seen:?}", policy.path);
    }
}

#[test]
fn without_a_policy_its_cases_come_out_differently() {
    for policy in SHIPPED.iter().filter(|policy| id(policy) != "baseline-change") {
        let forbids = policy.text.contains("\nforbid (");
        let mut matters = false;
        for (title, files) in files_of(policy.page) {
            let (with, without) = (findings(&files), findings_without(id(policy), &files));
            if forbids {
                let told = |found: &[crate::harness::cases::Finding]| found.iter().any(|one| one.code == id(policy));
                assert!(!told(&without), "{}: {title}: reported without the policy", policy.path);
                matters |= told(&with);
            } else {
                let refused = |found: &[crate::harness::cases::Finding]| {
                    found.iter().filter(|one| one.code == "AIP-POL-005").count()
                };
                matters |= refused(&with) == 0 && refused(&without) > 0;
            }
        }
        assert!(matters, "{}: no case needs the policy", policy.path);
    }
}
