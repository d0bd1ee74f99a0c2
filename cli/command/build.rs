//! `aipolicy build`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use aipolicy_compiler::diagnostic::Diagnostics;
use aipolicy_targets::artifact::{Artifact, digest};
use aipolicy_targets::kustomize::kustomizations;
use aipolicy_targets::manifest::{MANIFEST, Manifest, SourceMapFile};
use serde::Deserialize;

use super::Folder;
use crate::error::{CliError, Exit};
use crate::findings::{Findings, counted};
use crate::load::is_source_folder;
use crate::render::{json::written, text};
use crate::ui::Ui;
use crate::workspace::{Workspace, verdict};

/// Writes the artifacts of every environment into a folder
///
/// Each environment has a folder of its own with its artifacts, `origins.json` that says where every value comes from,
/// and `manifest.json` with the digests of all files and of what they were made from. The folder of a cluster,
/// `kubernetes/CLUSTER`, has a `kustomization.yaml` for `kubectl apply -k`. Only what differs is written.
/// Files of a former build that are no longer made are removed; files that somebody else made, or changed, are left
/// and reported.
///
/// With `--format cloudformation`, what the targets `iam` and `bedrock` make is written as templates in
/// `cloudformation/Template`: `iam` for roles and policies, to be deployed first (with `CAPABILITY_NAMED_IAM`), and one
/// for each region. What CloudFormation has no resource type for stays a document, and a warning says so; what it cannot
/// express, such as more than 500 resources in a region, is refused.
///
/// Nothing is written unless every environment that is meant can be compiled. Exit codes: 0 written, 1 the input
/// cannot be understood, 3 something is refused.
#[derive(clap::Args)]
pub(crate) struct Build {
    #[command(flatten)]
    workspace: Folder,
    /// The folder to write into
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
    /// How the resources of AWS are written
    #[arg(long, value_enum, default_value_t)]
    format: BuildFormat,
}

/// How the resources of AWS are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum BuildFormat {
    /// Each as the request that makes it
    #[default]
    Documents,
    /// Together, as templates of CloudFormation
    Cloudformation,
}

/// The files of an environment, by path.
type Files = BTreeMap<String, String>;

impl Build {
    pub(crate) fn run(self, ui: &mut Ui) -> Result<Exit, CliError> {
        let workspace = self.workspace.load()?;
        self.refuse_source_folder()?;
        workspace.understood(ui)?;
        let (mut found, mut told) = (workspace.diagnostics.clone(), Diagnostics::default());
        let mut compiled = Vec::new();
        let mut missing = Vec::new();
        for (id, name) in workspace.environments(&self.workspace.view.environments)? {
            let artifacts = workspace.artifacts(id, &mut found);
            let written = artifacts.and_then(|artifacts| match self.format {
                BuildFormat::Documents => Ok(artifacts),
                BuildFormat::Cloudformation => workspace.templates(id, artifacts, &mut told),
            });
            match written {
                Ok(artifacts) => compiled.push((name, artifacts)),
                Err(why) => missing.push(format!("`{name}` cannot be compiled: {why}")),
            }
        }
        if !missing.is_empty() {
            found.append(told);
            let exit = if verdict(&found) == Exit::Clean { Exit::Error } else { verdict(&found) };
            tell(found, &workspace, ui);
            return Err(CliError::findings(exit, missing.join("; ")).hint("nothing was written"));
        }
        tell(told, &workspace, ui);
        let digest = workspace.digest();
        for (name, artifacts) in &compiled {
            let files = files((&workspace, &digest), artifacts);
            let done = Output { folder: self.out.join(name) }.write(&files, ui)?;
            ui.print(&format!("{name}: {done}\n"))?;
        }
        Ok(Exit::Clean)
    }

    /// Artifacts in YAML would be read as resources the next time.
    fn refuse_source_folder(&self) -> Result<(), CliError> {
        let real = |path: &Path| path.canonicalize().ok();
        let Some(root) = real(&self.workspace.folder) else { return Ok(()) };
        let out = std::path::absolute(&self.out).unwrap_or_else(|_| self.out.clone());
        let existing = out.ancestors().find_map(|above| Some((real(above)?, above)));
        let whole = existing.map(|(real, above)| real.join(out.strip_prefix(above).unwrap_or(Path::new(""))));
        let inside = whole.as_deref().and_then(|out| out.strip_prefix(&root).ok());
        if inside.is_none_or(|inside| !is_source_folder(inside)) {
            return Ok(());
        }
        let message =
            format!("`{}` is part of the workspace, whose YAML files are sources", self.out.display());
        Err(CliError::usage(message)
            .hint("choose a folder outside, or a hidden one such as `.aipolicy/build`"))
    }
}

/// Shows findings, if there are any.
fn tell(mut found: Diagnostics, workspace: &Workspace, ui: &mut Ui) {
    found.sort(&workspace.sources);
    if found.iter().next().is_some() {
        ui.remark(text::render(&Findings::new(workspace, &found), ui.width()).trim_end());
    }
}

fn files((workspace, digest): (&Workspace, &str), artifacts: &[Artifact]) -> Files {
    let origins = SourceMapFile::new(
        artifacts,
        &workspace.sources,
        (workspace.graph(), &workspace.compilation.decisions),
    );
    let catalog = workspace.graph().catalog().digest();
    let kustomizations = kustomizations(artifacts);
    let manifest = Manifest::new(artifacts, env!("CARGO_PKG_VERSION"), digest, catalog);
    let manifest = manifest.with(&kustomizations);
    let documents =
        artifacts.iter().map(|artifact| (artifact.document.file(), artifact.document.text.clone()));
    let beside = [("origins.json", origins.text()), ("manifest.json", written(&manifest))];
    documents.chain(kustomizations).chain(beside.map(|(name, text)| (name.to_owned(), text))).collect()
}

/// What is read of a manifest that lies in the folder.
#[derive(Deserialize)]
struct Former {
    format: String,
    files: BTreeMap<String, String>,
}

/// The folder of an environment.
struct Output {
    folder: PathBuf,
}

impl Output {
    /// Makes the folder hold these files, and says what was done.
    fn write(&self, files: &Files, ui: &mut Ui) -> Result<String, CliError> {
        let former = self.former()?;
        let mut changed = 0;
        for (name, text) in files {
            changed += usize::from(self.write_one(name, text)?);
        }
        let mut removed = 0;
        for (name, former) in former.iter().filter(|(name, _)| !files.contains_key(*name)) {
            removed += usize::from(self.remove(name, former)?);
        }
        for name in self.foreign(files)? {
            ui.remark(format!(
                "left alone: {}, which this build did not make",
                self.folder.join(name).display()
            ));
        }
        let kept = files.len() - changed;
        Ok(format!("{} written, {kept} unchanged, {removed} removed", counted(changed, "file")))
    }

    /// The files that a former build wrote, with their digests.
    fn former(&self) -> Result<BTreeMap<String, String>, CliError> {
        let path = self.path("manifest.json")?;
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
            Err(error) => return Err(CliError::file("read", &path, &error)),
        };
        match serde_json::from_str::<Former>(&text) {
            Ok(former) if former.format == MANIFEST => Ok(former.files),
            _ => {
                let error = CliError::usage(format!("`{}` is no manifest of this version", path.display()));
                Err(error.hint("choose another folder, or remove it"))
            }
        }
    }

    /// The path of a file, with nothing above it inside of the folder that is a link.
    fn path(&self, name: &str) -> Result<PathBuf, CliError> {
        let plain = Path::new(name).components().all(|part| matches!(part, Component::Normal(_)));
        let path = self.folder.join(name);
        let inside = path.ancestors().take_while(|above| above.starts_with(&self.folder));
        let link = inside.filter(|above| above.is_symlink()).last();
        match link {
            None if plain => Ok(path),
            None => Err(CliError::usage(format!("`{name}` leads out of `{}`", self.folder.display()))),
            Some(link) => {
                let error = CliError::usage(format!(
                    "`{}` is a link, and nothing is written through links",
                    link.display()
                ));
                Err(error.hint("remove it"))
            }
        }
    }

    /// Writes a file unless it says the same already; tells whether it did.
    fn write_one(&self, name: &str, text: &str) -> Result<bool, CliError> {
        let path = self.path(name)?;
        if std::fs::read(&path).is_ok_and(|present| present == text.as_bytes()) {
            return Ok(false);
        }
        let folder = path.parent().unwrap_or(&path);
        std::fs::create_dir_all(folder).map_err(|error| CliError::file("made", folder, &error))?;
        std::fs::write(&path, text).map_err(|error| CliError::file("written", &path, &error))?;
        Ok(true)
    }

    /// Removes a file of a former build, unless somebody changed it, and the folders that are empty without it.
    fn remove(&self, name: &str, former: &str) -> Result<bool, CliError> {
        let path = self.path(name)?;
        if !std::fs::read(&path).is_ok_and(|present| digest(&present) == former) {
            return Ok(false);
        }
        std::fs::remove_file(&path).map_err(|error| CliError::file("removed", &path, &error))?;
        let inside = path.ancestors().skip(1).take_while(|above| *above != self.folder);
        for folder in inside {
            if std::fs::remove_dir(folder).is_err() {
                break;
            }
        }
        Ok(true)
    }

    /// Files in the folder that were not made.
    fn foreign(&self, files: &Files) -> Result<BTreeSet<String>, CliError> {
        let walk = ignore::WalkBuilder::new(&self.folder).standard_filters(false).build();
        let mut foreign = BTreeSet::new();
        for entry in walk {
            let entry = entry.map_err(|error| CliError::tool(error.to_string()))?;
            let name = entry.path().strip_prefix(&self.folder).unwrap_or(entry.path());
            let name = name.to_string_lossy().replace('\\', "/");
            let folder = entry.file_type().is_some_and(|kind| kind.is_dir());
            if !folder && !files.contains_key(&name) {
                foreign.insert(name);
            }
        }
        Ok(foreign)
    }
}
