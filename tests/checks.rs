//! The page of every check shows what it reports and what it does not, and both are true.

use std::collections::BTreeSet;

use aipolicy_compiler::check::CHECKS;

use crate::harness::cases::{check_folder, files_of};
use crate::harness::compile::findings;

#[test]
fn every_page_has_the_findings_that_it_notes() {
    check_folder("compiler/src/check", &findings);
}

#[test]
fn what_is_reported_has_the_code_of_the_check_and_what_is_not_has_none() {
    for check in CHECKS {
        let rule = check.rule;
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
