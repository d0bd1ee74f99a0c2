//! The language: what is accepted, what is refused and where, what the schemas say, and what hostile input does.

mod cases;
mod corpus;
mod determinism;
mod hostile;
mod schemas;
mod values;

use aipolicy_compiler::diagnostic::{Diagnostics, Family, Severity};
use aipolicy_compiler::rule;
use aipolicy_compiler::source::{SourceKind, SourceMap};

use crate::harness::{files_below, read, root};

/// The files of the examples whose names end so, each with its path and text.
fn example_files(endings: &[&str]) -> Vec<(String, String)> {
    let folder = root().join("examples");
    let mut names = files_below(&folder);
    names.retain(|name| endings.iter().any(|ending| name.ends_with(ending)) && !name.contains("/expected/"));
    names.into_iter().map(|name| (format!("examples/{name}"), read(&folder.join(&name)))).collect()
}

/// Reads one file of resources, and returns what is found in it; that it is no workspace of its own is not.
fn reading(text: &str) -> Diagnostics {
    let mut sources = SourceMap::new();
    sources.add("case.yaml", text, SourceKind::Resources);
    let mut out = Diagnostics::default();
    aipolicy_compiler::read(&sources, &mut out);
    let mut found = Diagnostics::default();
    let about_all = [rule::WORKSPACE_COUNT.code, rule::NO_RESOURCES.code];
    out.iter()
        .filter(|one| !about_all.contains(&one.code.as_ref()))
        .for_each(|one| found.report(one.clone()));
    found
}

/// Tells whether the reader refuses a text: by its form, or because it holds a secret.
fn is_refused(text: &str) -> bool {
    reading(text).iter().any(|found| {
        let by_form = found.family == Family::Input || found.code == rule::INLINE_SECRET.code;
        by_form && found.severity == Severity::Mandatory
    })
}
