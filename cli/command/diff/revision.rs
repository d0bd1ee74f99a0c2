//! One side of a comparison: a folder, or a git revision that is copied into a temporary one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use aipolicy_compiler::diagnostic::{Diagnostics, Family};
use aipolicy_compiler::model::environment::EnvironmentSpec;
use aipolicy_targets::artifact::{Artifact, Document};
use tempfile::TempDir;

use crate::command::Elsewhere;
use crate::error::CliError;
use crate::load::load;
use crate::workspace::Workspace;

/// The documents of an environment by file, or why there are none.
pub(super) type Compiled = Result<BTreeMap<String, Document>, String>;

/// A workspace to compare.
pub(super) struct Side {
    /// As it was named.
    pub(super) name: String,
    pub(super) workspace: Workspace,
    /// By environment.
    pub(super) documents: BTreeMap<String, Compiled>,
    /// What compiling them found.
    pub(super) refusals: Diagnostics,
}

impl Side {
    /// Reads the workspace in a folder, or as it was at a revision.
    pub(super) fn load(name: &str, place: &Elsewhere) -> Result<Self, CliError> {
        let named = place.folder.join(name);
        let copy = if named.is_dir() { None } else { Some(copy(name, &place.folder)?) };
        let folder = copy.as_ref().map_or(named.as_path(), TempDir::path);
        let mut workspace = load(folder, place.view.as_of)?;
        workspace.root = PathBuf::from(name);
        let (documents, refusals) = compiled(&workspace, &place.view.environments);
        Ok(Self { name: name.to_owned(), workspace, documents, refusals })
    }

    /// Whether there are documents of every environment.
    pub(super) fn is_compiled(&self) -> bool {
        self.documents.values().all(Result::is_ok)
    }

    /// Whether anything but findings can be told of it.
    pub(super) fn is_understood(&self) -> bool {
        !self.workspace.diagnostics.has_errors_of(Family::Input)
    }
}

/// Compiles the environments with these names, or all.
fn compiled(workspace: &Workspace, chosen: &[String]) -> (BTreeMap<String, Compiled>, Diagnostics) {
    let mut refusals = Diagnostics::default();
    let all = workspace.graph().each::<EnvironmentSpec>();
    let named = all.map(|(id, found)| (id, found.name().to_string()));
    let meant = named.filter(|(_, name)| chosen.is_empty() || chosen.contains(name));
    let documents = meant.map(|(id, name)| {
        let artifacts = workspace.artifacts(id, &mut refusals);
        let by_file =
            |all: Vec<Artifact>| all.into_iter().map(|one| (one.document.file(), one.document)).collect();
        (name, artifacts.map(by_file))
    });
    (documents.collect(), refusals)
}

/// Copies a folder as it was at a revision. Nothing of it is run, and the repository stays as it is.
fn copy(revision: &str, folder: &Path) -> Result<TempDir, CliError> {
    let commit = commit(revision, folder)?;
    let copy =
        tempfile::tempdir().map_err(|error| CliError::tool(format!("no temporary folder: {error}")))?;
    let mut git = git(folder);
    let mut archive = git.args(["archive", "--format=tar", &commit]).stdout(Stdio::piped());
    archive = archive.stderr(Stdio::piped());
    let mut archive = archive.spawn().map_err(|error| missing("git", &error))?;
    let mut tar = Command::new("tar");
    tar.args(["-xf", "-", "-C"]).arg(copy.path()).stderr(Stdio::piped());
    if let Some(stream) = archive.stdout.take() {
        tar.stdin(stream);
    }
    let unpacked = tar.output().map_err(|error| missing("tar", &error))?;
    let archived = archive.wait_with_output().map_err(|error| missing("git", &error))?;
    for (done, what) in [(&archived, "git archive"), (&unpacked, "tar")] {
        if !done.status.success() {
            let said = String::from_utf8_lossy(&done.stderr).trim().to_owned();
            let message = format!("`{}` at `{revision}` cannot be read: {what}: {said}", folder.display());
            return Err(CliError::tool(message));
        }
    }
    Ok(copy)
}

/// The commit that a revision means.
fn commit(revision: &str, folder: &Path) -> Result<String, CliError> {
    let name = format!("{revision}^{{commit}}");
    let asked = git(folder).args(["rev-parse", "--verify", "--quiet", "--end-of-options", &name]).output();
    let asked = asked.map_err(|error| missing("git", &error))?;
    if asked.status.success() {
        return Ok(String::from_utf8_lossy(&asked.stdout).trim().to_owned());
    }
    let message = format!("`{revision}` is neither a folder nor a revision of `{}`", folder.display());
    Err(CliError::usage(message).hint("`-C DIR` names a workspace in a git repository"))
}

fn git(folder: &Path) -> Command {
    let mut git = Command::new("git");
    git.arg("-C").arg(folder).stdin(Stdio::null());
    git
}

fn missing(program: &str, error: &std::io::Error) -> CliError {
    CliError::tool(format!("`{program}` cannot be run: {error}")).hint("compare two folders instead")
}
