//! Same input, same output: neither a second run nor the order in which files are read shows anywhere.

use std::collections::BTreeMap;

use aipolicy_compiler::diagnostic::{Diagnostics, Label};
use aipolicy_compiler::ir::Outcome;
use aipolicy_compiler::model::environment::EnvironmentSpec;
use aipolicy_compiler::source::SourceMap;

use super::example_files;
use crate::harness::compile::{Compiled, compile};

/// Everything that a run says, without the ids of sources.
#[derive(Debug, PartialEq, Eq)]
struct Said {
    findings: Vec<String>,
    decisions: Vec<String>,
    documents: BTreeMap<String, String>,
}

fn acme() -> Vec<(String, String)> {
    let endings = [".yaml", ".cedar", ".md", ".json"];
    let files = example_files(&endings).into_iter();
    files.filter_map(|(path, text)| Some((path.strip_prefix("examples/acme/")?.to_owned(), text))).collect()
}

fn said(files: &[(String, String)]) -> Said {
    let compiled = compile(files);
    let Compiled { sources, compilation, mut diagnostics } = compiled;
    let graph = &compilation.graph;
    let mut documents = BTreeMap::new();
    for (id, environment) in graph.each::<EnvironmentSpec>() {
        let Some(grants) = compilation.decisions.approved(graph, id) else { continue };
        let mut out = Diagnostics::default();
        let artifacts = aipolicy_targets::render(grants, &sources, &mut out).unwrap_or_default();
        for artifact in artifacts {
            let path = format!("{}/{}", environment.name(), artifact.document.file());
            let origins = artifact.trace.origins().iter().map(|origin| place(&sources, origin.span));
            let text = format!("{}\n{}", artifact.document.text, origins.collect::<Vec<_>>().join("\n"));
            documents.insert(path, text);
        }
        diagnostics.append(out);
    }
    diagnostics.sort(&sources);
    Said {
        findings: findings(&diagnostics, &sources),
        decisions: decisions(&compilation, &sources),
        documents,
    }
}

fn place(sources: &SourceMap, span: aipolicy_compiler::source::Span) -> String {
    format!("{}:{}-{}", sources.get(span.source).path(), span.start, span.end)
}

fn findings(diagnostics: &Diagnostics, sources: &SourceMap) -> Vec<String> {
    let label = |label: &Label| format!("{} {}", place(sources, label.span), label.text);
    let one = |found: &aipolicy_compiler::diagnostic::Diagnostic| {
        let related: Vec<_> = found.related.iter().map(label).collect();
        let words = (&found.code, found.severity, &found.message, &found.note, &found.help);
        format!("{} {words:?} {related:?}", label(&found.primary))
    };
    diagnostics.iter().map(one).collect()
}

fn decisions(compilation: &aipolicy_compiler::Compilation, sources: &SourceMap) -> Vec<String> {
    let graph = &compilation.graph;
    let ids = |policies: &[aipolicy_compiler::ir::PolicyIndex]| {
        let facts = policies.iter().filter_map(|at| compilation.decisions.policy(*at));
        facts.map(|fact| fact.id.clone()).collect::<Vec<_>>().join(", ")
    };
    let one = |decision: &aipolicy_compiler::ir::Decision| {
        let request = &decision.request;
        let outcome = match &decision.outcome {
            Outcome::Permitted(by) => format!("permitted by {}", ids(by)),
            Outcome::Forbidden(by) => format!("forbidden by {}", ids(by)),
            Outcome::NotPermitted => "not permitted".to_owned(),
        };
        let (who, what) = (request.principal.label(graph), request.object.label(graph));
        let facts = request.facts(graph);
        format!(
            "{who:?} {} {what:?} {facts:?} {} {outcome}",
            request.action.word(),
            place(sources, request.span)
        )
    };
    compilation.decisions.all().iter().map(one).collect()
}

#[test]
fn neither_a_second_run_nor_the_order_of_files_shows() {
    let files = acme();
    let first = said(&files);
    assert!(first.decisions.len() > 100 && first.documents.len() > 10, "{} decisions", first.decisions.len());
    assert_eq!(said(&files), first, "a second run");
    let mut other = files;
    other.reverse();
    assert_eq!(said(&other), first, "files in reverse");
    other.sort_by_key(|(path, text)| (text.len() % 7, path.len() % 5, path.clone()));
    assert_eq!(said(&other), first, "files shuffled");
}

#[test]
fn findings_do_not_depend_on_the_order_of_files() {
    let mut files = acme();
    for (_, text) in &mut files {
        *text = text.replace("eu-central-1", "us-east-1").replace("dataClass:", "dataclass:");
    }
    let first = said(&files);
    assert!(first.findings.len() > 10, "{:?}", first.findings);
    files.reverse();
    assert_eq!(said(&files), first);
}
