//! A workspace in memory: compiled, judged and rendered, for whoever wants to look at more than its findings.

use aipolicy_compiler::authorize::pack_policies;
use aipolicy_compiler::diagnostic::Diagnostics;
use aipolicy_compiler::model::Bundle;
use aipolicy_compiler::model::environment::EnvironmentSpec;
use aipolicy_compiler::model::value::Date;
use aipolicy_compiler::resolve::{FileAnswer, file_requests};
use aipolicy_compiler::source::{SourceKind, SourceMap};
use aipolicy_compiler::{Compilation, add_packs, compile, read};
use aipolicy_targets::artifact::Artifact;
use serde_json::Value;

use super::cases::Finding;
use super::{files_below, root};

/// The workspace of a case that writes none.
const WORKSPACE: &str = "{ apiVersion: aipolicy.dev/v1, kind: Workspace, metadata: { name: case }, \
                         spec: { packs: [baseline, residency], targets: [] } }\n";

/// Everything that came of a set of files.
pub(crate) struct Built {
    pub(crate) sources: SourceMap,
    pub(crate) compilation: Compilation,
    pub(crate) diagnostics: Diagnostics,
    /// What each environment got, by its name; nothing for one that was refused.
    pub(crate) artifacts: Vec<(String, Vec<Artifact>)>,
}

impl Built {
    pub(crate) fn new(files: &[(String, String)]) -> Self {
        Self::without(None, files)
    }

    /// One file, `case.yaml`.
    pub(crate) fn of(text: impl Into<String>) -> Self {
        Self::new(&[("case.yaml".to_owned(), text.into())])
    }

    /// A folder of the repository.
    pub(crate) fn example(folder: &str) -> Self {
        let folder = root().join(folder);
        let read = |name: String| {
            let text = super::read(&folder.join(&name));
            (name, text)
        };
        Self::new(&files_below(&folder).into_iter().map(read).collect::<Vec<_>>())
    }

    /// The files, compiled without the shipped policy of this id.
    pub(crate) fn without(policy: Option<&str>, files: &[(String, String)]) -> Self {
        let (mut sources, mut out) = (SourceMap::new(), Diagnostics::default());
        for (path, text) in files {
            let kind = match path.rsplit_once('.').map(|(_, end)| end) {
                Some("yaml") => SourceKind::Resources,
                Some("cedar") => SourceKind::Policies { shipped: false },
                _ => SourceKind::Referenced,
            };
            sources.add(path.clone(), text.clone(), kind);
        }
        if !files.iter().any(|(_, text)| text.contains("kind: Workspace")) {
            sources.add("aipolicy.yaml", WORKSPACE, SourceKind::Resources);
        }
        let bundle = read(&sources, &mut out);
        match policy {
            None => add_packs(&bundle, &mut sources, &mut out),
            Some(policy) => add_packs_without(policy, &bundle, &mut sources),
        }
        let answers = answers(&bundle, &sources);
        let day: Date = Date("2026-11-22".parse().unwrap());
        let compilation = compile(bundle, (&sources, &answers), day, &mut out);
        let mut built = Self { sources, compilation, diagnostics: out, artifacts: Vec::new() };
        built.render();
        built
    }

    fn render(&mut self) {
        let graph = &self.compilation.graph;
        let sound = !self.diagnostics.has_errors();
        for (id, environment) in graph.each::<EnvironmentSpec>() {
            let Some(grants) = self.compilation.decisions.approved(graph, id).filter(|_| sound) else {
                continue;
            };
            let mut out = Diagnostics::default();
            let rendered = aipolicy_targets::render(grants, &self.sources, &mut out);
            self.diagnostics.append(out);
            self.artifacts.extend(rendered.map(|found| (environment.name().to_string(), found)));
        }
    }

    /// What was reported, in the order of the report.
    pub(crate) fn findings(&self) -> Vec<Finding> {
        let finding = |found: &aipolicy_compiler::diagnostic::Diagnostic| Finding {
            file: self.sources.get(found.primary.span.source).path().to_owned(),
            line: self.sources.position(found.primary.span).line,
            severity: found.severity.word().to_owned(),
            code: found.code.to_string(),
            message: found.message.clone(),
        };
        self.diagnostics.iter().map(finding).collect()
    }

    /// Every artifact of every environment.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Artifact> {
        self.artifacts.iter().flat_map(|(_, artifacts)| artifacts)
    }

    /// Every artifact, where nothing at all must have been refused.
    #[track_caller]
    pub(crate) fn sound(&self) -> Vec<&Artifact> {
        let errors: Vec<_> = self.findings().into_iter().filter(|found| found.severity == "error").collect();
        assert!(errors.is_empty(), "{errors:#?}");
        self.all().collect()
    }

    /// The document at an address such as `iam/Role/x`.
    #[track_caller]
    pub(crate) fn text(&self, address: &str) -> &str {
        let found = self.sound().into_iter().find(|one| one.document.address.to_string() == address);
        let known = || self.all().map(|one| one.document.address.to_string()).collect::<Vec<_>>();
        &found.unwrap_or_else(|| panic!("no {address} among {:#?}", known())).document.text
    }

    /// The JSON document at an address.
    #[track_caller]
    pub(crate) fn json(&self, address: &str) -> Value {
        serde_json::from_str(self.text(address)).unwrap()
    }
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

fn answers(bundle: &Bundle, sources: &SourceMap) -> Vec<FileAnswer> {
    let answer = |path: String| match sources.find(&path) {
        Some(source) => FileAnswer::Found { path, source },
        None => FileAnswer::Unreadable { path, why: "the case does not have it".into() },
    };
    file_requests(bundle).into_iter().map(|request| answer(request.path)).collect()
}
