//! A workspace in memory: compiled, judged and rendered, for whoever wants to look at more than its findings.

use aipolicy_compiler::Compilation;
use aipolicy_compiler::authorize::ApprovedGrants;
use aipolicy_compiler::diagnostic::Diagnostics;
use aipolicy_compiler::model::environment::EnvironmentSpec;
use aipolicy_compiler::model::workspace::TargetName;
use aipolicy_compiler::source::SourceMap;
use aipolicy_targets::artifact::Artifact;
use aipolicy_targets::privilege::prove;
use serde_json::Value;

use super::cases::Finding;
use super::compile::{Compiled, compile_without, finding, with_workspace};
use super::{files_below, root};

/// An agent that calls a model for its tenant.
pub(crate) const ONE_AGENT: &str = "\
apiVersion: aipolicy.dev/v1
kind: Workspace
metadata: { name: case }
spec: { packs: [baseline], policies: [policies], targets: [iam] }
---
apiVersion: aipolicy.dev/v1
kind: Environment
metadata: { name: prod }
spec: { aws: { accountId: \"111122223333\", regions: [eu-central-1] } }
---
apiVersion: aipolicy.dev/v1
kind: Tenant
metadata: { name: team }
spec: { owner: team@acme.example, environments: [prod], clearance: [internal], models: [small] }
---
apiVersion: aipolicy.dev/v1
kind: Model
metadata: { name: small }
spec: { provider: bedrock, modelId: openai.gpt-oss-20b-1:0, regions: [eu-central-1] }
---
apiVersion: aipolicy.dev/v1
kind: Agent
metadata: { name: clerk }
spec: { tenant: team, model: { model: small } }
";

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
        Self::example_with(folder, |text| text)
    }

    /// A folder of the repository, with its files changed.
    pub(crate) fn example_with(folder: &str, change: impl Fn(String) -> String) -> Self {
        let folder = root().join(folder);
        let read = |name: String| {
            let text = change(super::read(&folder.join(&name)));
            (name, text)
        };
        Self::new(
            &files_below(&folder)
                .into_iter()
                .filter(|name| !name.starts_with("expected/"))
                .map(read)
                .collect::<Vec<_>>(),
        )
    }

    /// The files, compiled without the shipped policy of this id.
    pub(crate) fn without(policy: Option<&str>, files: &[(String, String)]) -> Self {
        let Compiled { sources, compilation, diagnostics } = compile_without(&with_workspace(files), policy);
        let mut built = Self { sources, compilation, diagnostics, artifacts: Vec::new() };
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
            judged(grants, &self.sources, (rendered.is_some(), &out));
            self.diagnostics.append(out);
            if let Some(artifacts) = &rendered {
                least_privilege(grants, &self.sources, artifacts);
            }
            self.artifacts.extend(rendered.map(|found| (environment.name().to_string(), found)));
        }
    }

    /// What was reported and is not waived, in the order of the report.
    pub(crate) fn findings(&self) -> Vec<Finding> {
        let standing = self.diagnostics.iter().filter(|found| found.waived.is_none());
        standing.map(|found| finding(found, &self.sources)).collect()
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

/// Of whatever a test compiles, the same is found where documents are not wanted.
#[track_caller]
fn judged(grants: ApprovedGrants<'_>, sources: &SourceMap, (sound, found): (bool, &Diagnostics)) {
    let mut out = Diagnostics::default();
    assert_eq!(aipolicy_targets::judge(grants, sources, &mut out), sound);
    assert!(out.iter().eq(found.iter()), "{out:#?}\n{found:#?}");
}

/// Of whatever a test compiles, roles may do what was granted and nothing else.
#[track_caller]
fn least_privilege(grants: ApprovedGrants<'_>, sources: &SourceMap, artifacts: &[Artifact]) {
    let targets = &grants.graph().bundle().workspaces[0].spec.targets;
    if targets.iter().any(|target| target.value == TargetName::Iam) {
        let documents = artifacts.iter().map(|artifact| &artifact.document);
        let proof = prove(grants, sources, documents, &aipolicy_targets::capabilities()).unwrap();
        assert!(proof.holds(), "{:#?}\n{:#?}\n{:#?}", proof.unused, proof.ineffective, proof.not_proven);
    }
}
