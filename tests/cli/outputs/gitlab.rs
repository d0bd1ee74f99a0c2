//! Code quality reports, against what GitLab accepts of an item and what it documents beyond that.

use std::collections::BTreeSet;

use super::{breaks, check, clean, hostile, json, refused};

pub(super) const SCHEMA: &str = "tests/data/gitlab-code-quality.schema.json";
/// The severities that GitLab documents.
const SEVERITIES: &[&str] = &["info", "minor", "major", "critical", "blocker"];

#[test]
fn every_item_keeps_to_the_schema_and_has_a_fingerprint_of_its_own() {
    for (what, (_place, folder), exit) in
        [("clean", clean(), 0), ("refused", refused(), 3), ("hostile", hostile(), 1)]
    {
        let done = check(&folder, "gitlab");
        done.expect(exit);
        let report = json(&done);
        let items = report.as_array().unwrap();
        let mut prints = BTreeSet::new();
        for item in items {
            assert_eq!(breaks(SCHEMA, item), Vec::<String>::new(), "{what}");
            assert!(SEVERITIES.contains(&item["severity"].as_str().unwrap()));
            assert!(prints.insert(item["fingerprint"].as_str().unwrap()), "twice: {item}");
            let path = item["location"]["path"].as_str().unwrap();
            assert!(folder.join(path).is_file() && !path.starts_with("./"), "{path}");
            assert!(item["location"]["lines"]["begin"].as_u64().unwrap() >= 1);
        }
        let blocks = items.iter().filter(|item| item["severity"] == "blocker").count();
        assert_eq!(blocks > 0, exit != 0, "{what}");
    }
    let (_place, folder) = refused();
    let found = json(&check(&folder, "json"))["findings"].as_array().unwrap().len();
    assert_eq!(json(&check(&folder, "gitlab")).as_array().unwrap().len(), found);
}
