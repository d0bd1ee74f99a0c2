//! `aipolicy state`.

use super::Elsewhere;
use crate::error::{CliError, Exit};
use crate::ui::Ui;
use crate::waiting::block_on;
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
    /// Tells where the state of an environment is, what it holds, and who writes to it
    ///
    /// The journal is verified, as it is by `plan` and `apply`. The digest of its last entry is what a saved plan is bound to: whoever
    /// keeps it elsewhere can tell whether the state is an older one.
    Show {
        #[command(flatten)]
        workspace: Elsewhere,
    },
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
        let (Action::Show { workspace: named } | Action::Unlock { workspace: named }) = &self.action;
        let workspace = named.load(ui)?;
        for environment in workspace.environments(&named.view.environments)? {
            let place = Place::open(&workspace, environment)?;
            let told = match self.action {
                Action::Show { .. } => shown(&place)?,
                Action::Unlock { .. } => unlocked(&place)?,
            };
            ui.print(&told)?;
        }
        Ok(Exit::Clean)
    }
}

fn shown(place: &Place<'_>) -> Result<String, CliError> {
    let holder = block_on(place.state.holder())?.map_err(|error| state_error(&error))?;
    let journal = place.state.journal();
    let mut told = format!("{}: {}\n", place.name, place.kept);
    told += &match (journal.releases(), journal.unfinished()) {
        (0, _) => "  nothing was applied\n".to_owned(),
        (count, None) => format!("  release {count} was the last, and has ended\n"),
        (count, Some(last)) => format!("  release {count}, by {}, was interrupted\n", last.holder),
    };
    if !journal.head().is_empty() {
        told += &format!("  {} documents were last applied\n", journal.last_applied().len());
        told += &format!("  last entry {}\n", journal.head());
    }
    told += &holder.map_or_else(
        || "  nobody holds the lock\n".to_owned(),
        |lease| format!("  the lock is held by {}\n", lease.holder),
    );
    Ok(told)
}

fn unlocked(place: &Place<'_>) -> Result<String, CliError> {
    let lease = block_on(place.state.break_lock())?.map_err(|error| state_error(&error))?;
    Ok(match lease {
        Some(lease) => format!("{}: the lock of {} is broken\n", place.name, lease.holder),
        None => format!("{}: nobody holds the lock\n", place.name),
    })
}
