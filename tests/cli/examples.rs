//! The examples are the end-to-end suite: what each compiles to is kept beside it, every byte.

use std::collections::BTreeMap;

use super::{DAY, aipolicy};
use crate::harness::{files_below, golden, root};

/// Everything that `aipolicy build` writes for an example.
fn built(example: &str) -> BTreeMap<String, String> {
    let out = tempfile::tempdir().unwrap();
    let folder = root().join("examples").join(example);
    let out_name = out.path().join("out");
    aipolicy(&folder, &["build", "--as-of", DAY, "--out", out_name.to_str().unwrap()]).expect(0);
    let read = |file: String| (file.clone(), std::fs::read_to_string(out_name.join(&file)).unwrap());
    let version = |(file, text): (String, String)| (file, text.replace(env!("CARGO_PKG_VERSION"), "VERSION"));
    files_below(&out_name).into_iter().map(read).map(version).collect()
}

#[test]
fn quickstart_compiles_to_what_is_kept() {
    golden::expect_folder("examples/quickstart/expected", &built("quickstart"));
}

#[test]
fn acme_compiles_to_what_is_kept() {
    golden::expect_folder("examples/acme/expected", &built("acme"));
}

#[test]
fn every_example_is_tested() {
    let folders = std::fs::read_dir(root().join("examples")).unwrap();
    let mut names: Vec<_> = folders.map(|found| found.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names, ["acme", "quickstart"], "add a test above");
}
