//! What a compile writes: the artifacts of each target, and what lies beside them, as `aipolicy build` does it.

use std::collections::BTreeMap;
use std::error::Error;
use std::ffi::OsStr;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use aipolicy_compiler::authorize::ApprovedGrants;
use aipolicy_compiler::catalog::Catalog;
use aipolicy_compiler::diagnostic::Diagnostics;
use aipolicy_compiler::model::workspace::TargetName;
use aipolicy_targets::artifact::{Artifact, digest};
use aipolicy_targets::kustomize::kustomizations;
use aipolicy_targets::manifest::{Manifest, SourceMapFile};
use serde::{Deserialize, Serialize};

use crate::clock::{Took, time};
use crate::measure::{FREE, MANIFEST, Made, WRITE, Watch};

/// What one target made.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OfTarget {
    pub(crate) files: usize,
    pub(crate) bytes: usize,
    pub(crate) render: Took,
}

/// What was made so far.
pub(crate) struct Output<'m> {
    made: &'m Made,
    /// The digest of all sources.
    digest: String,
    pub(crate) files: usize,
    pub(crate) bytes: usize,
    pub(crate) targets: BTreeMap<String, OfTarget>,
}

impl<'m> Output<'m> {
    pub(crate) fn new(made: &'m Made, watch: &mut Watch) -> Self {
        let digest = watch.time(MANIFEST, || made.digest());
        Self { made, digest, files: 0, bytes: 0, targets: BTreeMap::new() }
    }

    /// Renders an environment, and keeps what each target took.
    pub(crate) fn render(
        &mut self,
        grants: ApprovedGrants<'_>,
        out: &mut Diagnostics,
    ) -> Option<Vec<Artifact>> {
        let targets = Mutex::new(&mut self.targets);
        let around = |target: TargetName, render: &mut dyn FnMut()| {
            let mut took = Took::default();
            time(&mut took, render);
            let mut targets = targets.lock().unwrap_or_else(PoisonError::into_inner);
            targets.entry(target.word().to_owned()).or_default().render += took;
        };
        aipolicy_targets::render_around(grants, &self.made.sources, &around, out)
    }

    /// Writes the artifacts of an environment into a folder, and what lies beside them.
    pub(crate) fn write(
        &mut self,
        artifacts: &[Artifact],
        folder: &Path,
        watch: &mut Watch,
    ) -> Result<(), Box<dyn Error>> {
        let beside = watch.time(MANIFEST, || self.beside(artifacts))?;
        watch.time(WRITE, || write(artifacts, &beside, folder))?;
        for artifact in artifacts {
            let of_target = self.targets.entry(artifact.document.address.target.clone()).or_default();
            of_target.files += 1;
            of_target.bytes += artifact.document.text.len();
        }
        self.files += artifacts.len() + beside.len();
        let documents = artifacts.iter().map(|artifact| artifact.document.text.len());
        self.bytes += documents.chain(beside.values().map(String::len)).sum::<usize>();
        watch.time(FREE, || drop(beside));
        Ok(())
    }

    /// The manifest, the source map and the kustomizations of artifacts, by path.
    fn beside(&self, artifacts: &[Artifact]) -> Result<BTreeMap<String, String>, serde_json::Error> {
        let mut beside = kustomizations(artifacts);
        let manifest = Manifest::new(artifacts, "scale", &self.digest, Catalog::shipped().digest());
        let manifest = serde_json::to_string_pretty(&manifest.with(&beside))? + "\n";
        let origins =
            SourceMapFile::new(artifacts, &self.made.sources, (&self.made.graph, &self.made.decisions));
        beside.insert("origins.json".to_owned(), origins.text());
        beside.insert("manifest.json".to_owned(), manifest);
        Ok(beside)
    }
}

impl Made {
    /// The digest of all sources, as the command line makes it.
    fn digest(&self) -> String {
        let line = |path: &str, text: &str| format!("{path}\0{}\n", digest(text.as_bytes()));
        let mut lines: Vec<_> =
            self.sources.iter().map(|(_, source)| line(source.path(), source.text())).collect();
        lines.sort();
        digest(lines.concat().as_bytes())
    }
}

fn write(
    artifacts: &[Artifact],
    beside: &BTreeMap<String, String>,
    folder: &Path,
) -> Result<(), std::io::Error> {
    let documents = artifacts.iter().map(|artifact| (artifact.document.file(), &artifact.document.text));
    let mut last = None;
    for (file, text) in documents.chain(beside.iter().map(|(file, text)| (file.clone(), text))) {
        let path = folder.join(file);
        // Documents of one folder follow each other.
        let above = path.parent().map(Path::as_os_str);
        if above != last.as_deref() {
            above.map_or(Ok(()), std::fs::create_dir_all)?;
            last = above.map(OsStr::to_owned);
        }
        std::fs::write(path, text)?;
    }
    Ok(())
}
