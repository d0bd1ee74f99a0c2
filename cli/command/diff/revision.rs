//! One side of a comparison: a folder or a git revision, with everything that is compiled from it.

use std::collections::BTreeMap;

use aipolicy_compiler::diagnostic::{Diagnostics, Family};
use aipolicy_compiler::model::environment::EnvironmentSpec;
use aipolicy_targets::artifact::{Artifact, Document};

use crate::command::Elsewhere;
use crate::error::CliError;
use crate::revision::workspace_at;
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
        let workspace = workspace_at(name, &place.folder, place.view.as_of)?;
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
