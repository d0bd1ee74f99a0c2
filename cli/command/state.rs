//! `aipolicy state`.

use super::Elsewhere;
use crate::error::{CliError, Exit};
use crate::ui::Ui;
use crate::world::{Place, state_error};

/// Looks after the state of an environment
#[derive(clap::Args)]
pub(crate) struct StateArgs {
    #[command(subcommand)]
    action: Action,
}

/// What can be done with the state.
#[derive(clap::Subcommand)]
enum Action {
    /// Breaks the lock of an environment, and says whose it was
    ///
    /// Whoever held it cannot write any more: its token is no longer the current one.
    Unlock {
        #[command(flatten)]
        workspace: Elsewhere,
    },
}

impl StateArgs {
    pub(crate) fn run(self, ui: &mut Ui) -> Result<Exit, CliError> {
        let Action::Unlock { workspace: named } = self.action;
        let workspace = named.load(ui)?;
        for environment in workspace.environments(&named.view.environments)? {
            let place = Place::open(&workspace, environment)?;
            let lease = place.state.break_lock().map_err(|error| state_error(&error))?;
            ui.print(&match lease {
                Some(lease) => format!("{}: the lock of {} is broken\n", place.name, lease.holder),
                None => format!("{}: nobody holds the lock\n", place.name),
            })?;
        }
        Ok(Exit::Clean)
    }
}
