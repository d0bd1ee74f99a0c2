//! What tests share: Markdown cases with expected findings, and golden files that `UPDATE=1` rewrites.

pub(crate) mod annotate;
pub(crate) mod cases;
pub(crate) mod compile;
pub(crate) mod cvc5;
pub(crate) mod debian;
pub(crate) mod golden;
pub(crate) mod markdown;
pub(crate) mod modules;
pub(crate) mod program;
pub(crate) mod tools;
pub(crate) mod workspace;

use std::path::{Path, PathBuf};

/// Returns the root of the repository: the nearest folder above this crate that holds `Cargo.lock`.
pub(crate) fn root() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = package.ancestors().find(|folder| folder.join("Cargo.lock").is_file());
    root.unwrap_or(package).to_path_buf()
}

/// Tells whether `UPDATE=1` asks for expectations to be rewritten instead of compared.
pub(crate) fn updating() -> bool {
    std::env::var_os("UPDATE").is_some_and(|value| value == "1")
}

/// Reads a text file, or fails the test by naming it.
#[track_caller]
pub(crate) fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()))
}

/// Returns the files under `folder`, recursively, as sorted paths relative to it with `/` between their parts.
#[track_caller]
pub(crate) fn files_below(folder: &Path) -> Vec<String> {
    let mut files = Vec::new();
    collect(folder, "", &mut files);
    files.sort();
    files
}

#[track_caller]
fn collect(folder: &Path, prefix: &str, files: &mut Vec<String>) {
    let entries = std::fs::read_dir(folder);
    let entries = entries.unwrap_or_else(|error| panic!("cannot read folder {}: {error}", folder.display()));
    for entry in entries.map(Result::unwrap) {
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type().unwrap().is_dir() {
            collect(&entry.path(), &format!("{name}/"), files);
        } else {
            files.push(name);
        }
    }
}

/// How many cases a property is tried with: as many as `AIPOLICY_CASES` says, and `usual` otherwise.
pub(crate) fn tries(usual: usize) -> usize {
    std::env::var("AIPOLICY_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(usual)
}
