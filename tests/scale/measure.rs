//! One compile, from texts to files, phase by phase.

use std::collections::BTreeSet;
use std::error::Error;
use std::path::Path;

use aipolicy_compiler::authorize::{self, Decisions, Policies};
use aipolicy_compiler::catalog::Catalog;
use aipolicy_compiler::diagnostic::Diagnostics;
use aipolicy_compiler::model::environment::EnvironmentSpec;
use aipolicy_compiler::model::value::Date;
use aipolicy_compiler::resolve::{self, FileAnswer, Graph, file_requests};
use aipolicy_compiler::source::{SourceKind, SourceMap};
use aipolicy_targets::artifact::{Artifact, digest};
use aipolicy_targets::manifest::{Manifest, SourceMapFile};
use serde::{Deserialize, Serialize};

use crate::clock::{Took, peak, time};
use crate::floor::{self, Floor};
use crate::generate::{self, Texts};

/// The phases in order.
pub(crate) const PHASES: [&str; 10] =
    ["load", "read", "link", "check", "policies", "decide", "render", "manifest", "write", "free"];
const LOAD: usize = 0;
const READ: usize = 1;
const LINK: usize = 2;
const CHECK: usize = 3;
const POLICIES: usize = 4;
const DECIDE: usize = 5;
const RENDER: usize = 6;
const MANIFEST: usize = 7;
const WRITE: usize = 8;
const FREE: usize = 9;

/// What a compile took, and what it had to do at least.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Measured {
    pub(crate) tenants: usize,
    pub(crate) bytes_read: usize,
    pub(crate) requests: usize,
    pub(crate) candidates: f64,
    pub(crate) files: usize,
    pub(crate) bytes_written: usize,
    /// By phase, in the order of [`PHASES`].
    pub(crate) phases: Vec<Took>,
    pub(crate) floor: Floor,
    /// Peak of memory before the floor was measured, in MiB.
    pub(crate) peak: f64,
}

/// Times the phases.
struct Watch(Vec<Took>);

impl Watch {
    fn time<T>(&mut self, phase: usize, run: impl FnOnce() -> T) -> T {
        let mut took = Took::default();
        let done = time(&mut took, run);
        if let Some(all) = self.0.get_mut(phase) {
            *all += took;
        }
        done
    }
}

/// A day on which no model of the generator is past its end.
fn today() -> Result<Date, Box<dyn Error>> {
    Ok(Date("2026-11-22".parse()?))
}

/// Compiles a workspace of so many tenants into a folder, then measures the floor of the same work.
pub(crate) fn measure(tenants: usize, seed: u64, folder: &Path) -> Result<Measured, Box<dyn Error>> {
    let texts = generate::workspace(tenants, seed);
    let today = today()?;
    let mut watch = Watch(vec![Took::default(); PHASES.len()]);
    let mut out = Diagnostics::default();
    let (mut sources, answers) = watch.time(LOAD, || load(texts));
    let bundle = watch.time(READ, || aipolicy_compiler::read(&sources, &mut out));
    let graph = watch.time(LINK, || {
        aipolicy_compiler::add_packs(&bundle, &mut sources, &mut out);
        let wanted: BTreeSet<_> = file_requests(&bundle).into_iter().map(|request| request.path).collect();
        debug_assert_eq!(wanted.len(), answers.len());
        resolve::link(bundle, &answers, &sources, &mut out)
    });
    watch.time(CHECK, || aipolicy_compiler::check::run(&graph, &mut out));
    let policies = watch.time(POLICIES, || authorize::read_policies(&sources, &mut out));
    let decisions = watch.time(DECIDE, || authorize::decide(&graph, &policies, today, &mut out));
    watch.time(DECIDE, || out.sort(&sources));
    let made = Made { graph, policies, decisions, sources };
    let (files, bytes_written) = made.write(&mut watch, &mut out, folder)?;
    if let Some(error) =
        out.iter().find(|found| found.severity == aipolicy_compiler::diagnostic::Severity::Mandatory)
    {
        return Err(format!("the generated workspace is not clean: {}", error.message).into());
    }
    let peak = peak()?;
    let requests = made.decisions.all().len();
    let (floor, candidates) = floor::measure(&made, today, folder)?;
    let bytes_read = made.sources.iter().map(|(_, source)| source.text().len()).sum();
    watch.time(FREE, || drop(made));
    Ok(Measured {
        tenants,
        bytes_read,
        requests,
        candidates,
        files,
        bytes_written,
        phases: watch.0,
        floor,
        peak,
    })
}

/// A compiled workspace.
pub(crate) struct Made {
    pub(crate) graph: Graph,
    pub(crate) policies: Policies,
    pub(crate) decisions: Decisions,
    pub(crate) sources: SourceMap,
}

fn load(texts: Texts) -> (SourceMap, Vec<FileAnswer>) {
    let mut sources = SourceMap::new();
    for (path, text) in texts.resources {
        sources.add(path, text, SourceKind::Resources);
    }
    for (path, text) in texts.policies {
        sources.add(path, text, SourceKind::Policies { shipped: false });
    }
    let mut named = Vec::new();
    for (path, text) in texts.named {
        let source = sources.add(path.clone(), text, SourceKind::Referenced);
        named.push(FileAnswer::Found { path, source });
    }
    (sources, named)
}

impl Made {
    /// Writes every environment into a folder of its own; returns how many files and bytes.
    fn write(
        &self,
        watch: &mut Watch,
        out: &mut Diagnostics,
        folder: &Path,
    ) -> Result<(usize, usize), Box<dyn Error>> {
        let (mut files, mut bytes) = (0, 0);
        let digest = watch.time(MANIFEST, || self.digest());
        for (id, environment) in self.graph.each::<EnvironmentSpec>() {
            let grants = self.decisions.approved(&self.graph, id).ok_or("an environment is refused")?;
            let artifacts = watch.time(RENDER, || aipolicy_targets::render(grants, &self.sources, out));
            let artifacts = artifacts.ok_or("a target refuses")?;
            let beside = watch.time(MANIFEST, || self.beside(&artifacts, &digest))?;
            let folder = folder.join(environment.name().as_str());
            let written = watch.time(WRITE, || write(&artifacts, &beside, &folder))?;
            files += written.0;
            bytes += written.1;
            watch.time(FREE, || drop((artifacts, beside)));
        }
        Ok((files, bytes))
    }

    /// The digest of all sources, as the command line makes it.
    fn digest(&self) -> String {
        let line = |path: &str, text: &str| format!("{path}\0{}\n", digest(text.as_bytes()));
        let mut lines: Vec<_> =
            self.sources.iter().map(|(_, source)| line(source.path(), source.text())).collect();
        lines.sort();
        digest(lines.concat().as_bytes())
    }

    /// The manifest and the source map of artifacts.
    fn beside(
        &self,
        artifacts: &[Artifact],
        digest: &str,
    ) -> Result<[(&'static str, String); 2], serde_json::Error> {
        let manifest = Manifest::new(artifacts, "scale", digest, Catalog::shipped().digest());
        let origins = SourceMapFile::new(artifacts, &self.sources, &self.decisions);
        Ok([
            ("manifest.json", serde_json::to_string_pretty(&manifest)? + "\n"),
            ("origins.json", serde_json::to_string_pretty(&origins)? + "\n"),
        ])
    }
}

fn write(
    artifacts: &[Artifact],
    beside: &[(&str, String)],
    folder: &Path,
) -> Result<(usize, usize), std::io::Error> {
    let mut bytes = 0;
    let mut folders = BTreeSet::new();
    for artifact in artifacts {
        let address = &artifact.document.address;
        if folders.insert((&address.target, &address.kind)) {
            std::fs::create_dir_all(folder.join(&address.target).join(&address.kind))?;
        }
        std::fs::write(folder.join(artifact.document.file()), &artifact.document.text)?;
        bytes += artifact.document.text.len();
    }
    for (name, text) in beside {
        std::fs::write(folder.join(name), text)?;
        bytes += text.len();
    }
    Ok((artifacts.len() + beside.len(), bytes))
}
