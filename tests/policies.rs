//! Every shipped policy has a case that it refuses and one that it does not, and without it the first is let through.

use aipolicy_compiler::authorize::{SHIPPED, ShippedPolicy};

use crate::harness::cases::{Finding, check_folder, files_of};
use crate::harness::compile::{findings, findings_without};

/// Permits for whatever is asked: there is no request that only they let through and that could be refused.
const PERMIT_ALL: &[&str] = &["baseline-support", "baseline-tools"];

#[test]
fn every_case_has_the_findings_that_it_notes() {
    check_folder("policies", &|files| findings(files));
}

fn id(policy: &ShippedPolicy) -> &str {
    policy.text.split('"').nth(1).unwrap()
}

fn count(found: &[Finding], code: &str) -> usize {
    found.iter().filter(|one| one.code == code).count()
}

#[test]
fn without_a_policy_its_cases_come_out_differently() {
    // Changes are asked for when a plan is applied: `tests/changes.rs`.
    let policies: Vec<_> =
        SHIPPED.iter().filter(|policy| !policy.text.contains("Action::\"change\"")).collect();
    for policy in policies {
        let is_forbid = id(policy).starts_with("AIP-");
        let code = if is_forbid { id(policy) } else { "AIP-POL-005" };
        let (mut refused, mut passed, mut turned) = (0, 0, 0);
        for (title, files) in files_of(policy.page) {
            let with = count(&findings(&files), code);
            let without = count(&findings_without(id(policy), &files), code);
            let told_so = title.starts_with("Refused") || title.starts_with("Warned");
            assert_eq!(with > 0, told_so, "{}: {title}", policy.path);
            (refused, passed) = (refused + usize::from(with > 0), passed + usize::from(with == 0));
            // Without a forbid nothing of its code is left; without a permit what passed is refused.
            assert!(!is_forbid || without == 0, "{}: {title}: reported without the policy", policy.path);
            turned += usize::from(if is_forbid { with > 0 } else { with == 0 && without > 0 });
        }
        assert!(passed > 0, "{}: no case passes", policy.path);
        assert!(refused > 0 || PERMIT_ALL.contains(&id(policy)), "{}: no case is refused", policy.path);
        assert!(turned > 0, "{}: no case needs the policy", policy.path);
    }
}
