//! A workspace as it is in a folder, or as it was at a git revision that is copied into a temporary one.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use aipolicy_compiler::model::value::Date;
use tempfile::TempDir;

use crate::error::CliError;
use crate::load::load;
use crate::workspace::Workspace;

/// Reads the workspace in a folder below `place`, or the one in `place` as it was at a revision. It is called as it was
/// named.
pub(crate) fn workspace_at(name: &str, place: &Path, today: Option<Date>) -> Result<Workspace, CliError> {
    let named = place.join(name);
    let copy = if named.is_dir() { None } else { Some(copy(name, place)?) };
    let folder = copy.as_ref().map_or(named.as_path(), TempDir::path);
    let mut workspace = load(folder, today)?;
    workspace.root = PathBuf::from(name);
    Ok(workspace)
}

/// The commit that is checked out in a folder, if it is one of a repository.
pub(crate) fn head(folder: &Path) -> Option<String> {
    let asked = git(folder).args(["rev-parse", "--verify", "--quiet", "HEAD^{commit}"]).output().ok()?;
    asked.status.success().then(|| String::from_utf8_lossy(&asked.stdout).trim().to_owned())
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
