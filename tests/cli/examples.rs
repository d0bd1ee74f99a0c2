//! The examples are the end-to-end suite: what each compiles to is kept beside it, every byte.

use std::collections::BTreeMap;

use aipolicy_targets::cloudformation::TARGET;

use super::{DAY, aipolicy};
use crate::harness::{files_below, golden, root};

/// Everything that `aipolicy build` writes for an example, and the templates that it writes for an environment.
fn built(example: &str, environment: &str) -> BTreeMap<String, String> {
    let mut files = written(example, &[]);
    let templates = written(example, &["--format", "cloudformation", "-e", environment]);
    let folder = format!("{environment}/{TARGET}/");
    files.extend(templates.into_iter().filter(|(file, _)| file.starts_with(&folder)));
    files
}

fn written(example: &str, more: &[&str]) -> BTreeMap<String, String> {
    let out = tempfile::tempdir().unwrap();
    let folder = root().join("examples").join(example);
    let out_name = out.path().join("out");
    let usual = ["build", "--as-of", DAY, "--out", out_name.to_str().unwrap()];
    aipolicy(&folder, &[&usual, more].concat()).expect(0);
    let read = |file: String| (file.clone(), std::fs::read_to_string(out_name.join(&file)).unwrap());
    let version = |(file, text): (String, String)| (file, text.replace(env!("CARGO_PKG_VERSION"), "VERSION"));
    files_below(&out_name).into_iter().map(read).map(version).collect()
}

#[test]
fn quickstart_compiles_to_what_is_kept() {
    golden::expect_folder("examples/quickstart/expected", &built("quickstart", "dev"));
}

#[test]
fn acme_compiles_to_what_is_kept() {
    golden::expect_folder("examples/acme/expected", &built("acme", "staging"));
}

#[test]
fn every_example_is_tested() {
    let folders = std::fs::read_dir(root().join("examples")).unwrap();
    let mut names: Vec<_> = folders.map(|found| found.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names, ["acme", "quickstart", "reviews"], "add a test above, or in review.rs");
}
