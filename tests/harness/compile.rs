//! Compiles a set of files as the product does, on a fixed day: from paths and texts to findings.

use aipolicy_compiler::authorize::pack_policies;
use aipolicy_compiler::diagnostic::{Diagnostic, Diagnostics};
use aipolicy_compiler::model::Bundle;
use aipolicy_compiler::model::value::Date;
use aipolicy_compiler::resolve::{FileAnswer, file_requests};
use aipolicy_compiler::source::{SourceKind, SourceMap};
use aipolicy_compiler::waive::Waivers;
use aipolicy_compiler::{Compilation, judge};

use super::cases::Finding;

/// The root of a workspace for files that bring none, with a resource, since a workspace of nothing is an error.
const WORKSPACE: &str = "\
apiVersion: aipolicy.dev/v1
kind: Workspace
metadata: { name: case }
spec: { packs: [baseline, residency], targets: [] }
---
apiVersion: aipolicy.dev/v1
kind: Group
metadata: { name: group-of-the-case }
spec: { members: [ana@acme.example] }
";

/// What became of a set of files.
pub(crate) struct Compiled {
    pub(crate) sources: SourceMap,
    pub(crate) compilation: Compilation,
    pub(crate) diagnostics: Diagnostics,
}

/// The day of every case.
pub(crate) fn today() -> Date {
    Date(jiff::civil::date(2026, 11, 22))
}

/// Compiles the files and returns what is found, sorted by place.
///
/// A `.yaml` file holds resources and a `.cedar` file policies; any other can be named by a resource. Without a
/// `Workspace` among them, and without an `aipolicy.yaml`, one with the packs `baseline` and `residency` is added.
pub(crate) fn findings(files: &[(String, String)]) -> Vec<Finding> {
    let compiled = compile(&with_workspace(files));
    stopping(&compiled.diagnostics, &compiled.sources)
}

/// Compiles the files without one of the shipped policies, to see whether it matters.
pub(crate) fn findings_without(policy: &str, files: &[(String, String)]) -> Vec<Finding> {
    let compiled = compile_without(&with_workspace(files), Some(policy));
    stopping(&compiled.diagnostics, &compiled.sources)
}

/// Compiles the files without one of the checks, to see whether it matters.
pub(crate) fn findings_without_check(code: &str, files: &[(String, String)]) -> Vec<Finding> {
    let Compiled { sources, compilation, .. } = compile(&with_workspace(files));
    let mut found = Diagnostics::default();
    let mut waivers = Waivers::new(&compilation.graph, &sources, today());
    judge(&compilation.policies, &mut waivers, |check| check.rule.code != code, &mut found);
    stopping(&found, &sources)
}

/// What is found and not waived.
fn stopping(found: &Diagnostics, sources: &SourceMap) -> Vec<Finding> {
    found.iter().filter(|found| found.waived.is_none()).map(|found| finding(found, sources)).collect()
}

/// Compiles exactly these files.
pub(crate) fn compile(files: &[(String, String)]) -> Compiled {
    compile_without(files, None)
}

/// Compiles exactly these files, without the shipped policy of this id.
pub(crate) fn compile_without(files: &[(String, String)], policy: Option<&str>) -> Compiled {
    compile_on(today(), files, policy)
}

/// Compiles exactly these files as of a day, without the shipped policy of this id.
pub(crate) fn compile_on(day: Date, files: &[(String, String)], policy: Option<&str>) -> Compiled {
    let mut sources = SourceMap::new();
    for (path, text) in files {
        sources.add(path.as_str(), text.as_str(), kind(path));
    }
    let mut diagnostics = Diagnostics::default();
    let bundle = aipolicy_compiler::read(&sources, &mut diagnostics);
    let answers: Vec<_> =
        file_requests(&bundle).into_iter().map(|request| answer(request.path, &sources)).collect();
    match policy {
        None => aipolicy_compiler::add_packs(&bundle, &mut sources, &mut diagnostics),
        Some(policy) => add_packs_without(policy, &bundle, &mut sources),
    }
    let compilation = aipolicy_compiler::compile(bundle, (&sources, &answers), day, &mut diagnostics);
    Compiled { sources, compilation, diagnostics }
}

fn add_packs_without(policy: &str, bundle: &Bundle, sources: &mut SourceMap) {
    let id = format!("@id(\"{policy}\")");
    let packs = bundle.workspaces.iter().flat_map(|workspace| &workspace.spec.packs);
    for shipped in packs.flat_map(|pack| pack_policies(pack.value)) {
        if !shipped.text.contains(&id) {
            sources.add(shipped.path, shipped.text, SourceKind::Policies { shipped: true });
        }
    }
}

/// The files, and the root of a workspace if they have none.
pub(crate) fn with_workspace(files: &[(String, String)]) -> Vec<(String, String)> {
    let is_root = |(path, text): &(String, String)| {
        path == "aipolicy.yaml" || (kind(path) == SourceKind::Resources && text.contains("kind: Workspace"))
    };
    let root = (!files.iter().any(is_root)).then(|| ("aipolicy.yaml".to_owned(), WORKSPACE.to_owned()));
    files.iter().cloned().chain(root).collect()
}

fn kind(path: &str) -> SourceKind {
    match path.rsplit_once('.').map(|(_, extension)| extension) {
        _ if SourceKind::is_resources(path) => SourceKind::Resources,
        Some("cedar") => SourceKind::Policies { shipped: false },
        _ => SourceKind::Referenced,
    }
}

fn answer(path: String, sources: &SourceMap) -> FileAnswer {
    match sources.find(&path) {
        Some(source) => FileAnswer::Found { path, source },
        None => FileAnswer::Unreadable { path, why: "there is no such file".to_owned() },
    }
}

pub(crate) fn finding(found: &Diagnostic, sources: &SourceMap) -> Finding {
    let span = found.primary.span;
    Finding {
        file: sources.get(span.source).path().to_owned(),
        line: sources.position(span).line,
        severity: found.severity.word().to_owned(),
        code: found.code.to_string(),
        message: found.message.clone(),
    }
}

#[test]
fn files_without_a_workspace_get_one_and_others_do_not() {
    let file = |path: &str, text: &str| (path.to_owned(), text.to_owned());
    assert_eq!(with_workspace(&[file("a.yaml", "kind: Group\n")]).len(), 2);
    assert_eq!(with_workspace(&[file("a.yaml", "kind: Workspace\n")]).len(), 1);
    assert_eq!(with_workspace(&[file("aipolicy.yaml", "")]).len(), 1);
    assert_eq!(with_workspace(&[file("a.md", "kind: Workspace\n")]).len(), 2);
}

#[test]
fn a_finding_has_the_place_and_the_word_of_its_severity() {
    let text = "apiVersion: aipolicy.dev/v1\nkind: Group\nmetadata: { name: a }\nspec: { members: 5 }\n";
    let found = findings(&[("a.yaml".to_owned(), text.to_owned())]);
    let found: Vec<_> =
        found.iter().map(|one| (one.file.as_str(), one.line, one.severity.as_str())).collect();
    assert_eq!(found, [("a.yaml", 4, "error")]);
}
