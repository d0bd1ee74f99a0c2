//! `aipolicy prove`.

mod least_privilege;
mod residency;

use crate::error::{CliError, Exit};
use crate::output::Kind;
use crate::ui::Ui;

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
