//! `aipolicy prove`.

mod least_privilege;
mod residency;

use aipolicy_compiler::model::Id;
use aipolicy_compiler::model::environment::EnvironmentSpec;
use serde_json::{Value, json};

use super::Folder;
use crate::error::{CliError, Exit};
use crate::output::{Kind, Outputs};
use crate::render::json::written;
use crate::ui::Ui;
use crate::workspace::Workspace;

/// Proves something about everything that could happen, or shows what breaks it
///
/// A proof holds for every request, not for those that somebody thought of. What breaks it is shown with a request, the
/// policy that decides it, and the line that asked.
#[derive(clap::Args)]
pub(crate) struct ProveArgs {
    #[command(subcommand)]
    claim: Claim,
}

/// How a proof is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum ProofFormat {
    /// For people
    #[default]
    Text,
    /// For programs; its `format` says which version
    Json,
}

impl Kind for ProofFormat {}

/// What can be proven.
#[derive(clap::Subcommand)]
enum Claim {
    LeastPrivilege(least_privilege::LeastPrivilege),
    Residency(residency::Residency),
}

impl ProveArgs {
    pub(crate) fn run(self, ui: &mut Ui) -> Result<Exit, CliError> {
        match self.claim {
            Claim::LeastPrivilege(claim) => claim.run(ui),
            Claim::Residency(claim) => claim.run(ui),
        }
    }
}

/// What is known about an environment after a proof was tried.
trait Told {
    fn holds(&self) -> bool;

    /// For people.
    fn text(&self) -> String;

    /// For programs.
    fn json(&self) -> Value;
}

/// An environment, and its name.
type Named<'w> = (Id<EnvironmentSpec>, &'w str);

/// Tries a proof about each environment that is asked about, and writes what came of it in a version of the format.
fn tell(
    ui: &mut Ui,
    (folder, outputs): (&Folder, Outputs<ProofFormat>),
    version: &str,
    prove: impl for<'w> Fn(&'w Workspace, Named<'w>) -> Result<Box<dyn Told + 'w>, CliError>,
) -> Result<Exit, CliError> {
    let outputs = outputs.checked()?;
    let workspace = folder.load()?;
    workspace.understood(ui)?;
    let environments = workspace.environments(&folder.view.environments)?;
    let all = environments.into_iter().map(|named| prove(&workspace, named));
    let all = all.collect::<Result<Vec<_>, _>>()?;
    if all.is_empty() {
        let error = CliError::usage("there is no environment to prove anything about");
        return Err(error.hint("write a resource of kind `Environment`"));
    }
    outputs.write(ui, |format, _| match format {
        ProofFormat::Text => all.iter().map(|told| told.text()).collect(),
        ProofFormat::Json => {
            let environments: Vec<Value> = all.iter().map(|told| told.json()).collect();
            written(&json!({ "format": version, "environments": environments }))
        }
    })?;
    let holds = all.iter().all(|told| told.holds());
    Ok(if holds { Exit::Clean } else { Exit::Refused })
}
