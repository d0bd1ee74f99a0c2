//! A release: what is asked before it, told while it goes on, and told when it is over.

use std::io::{IsTerminal, Write as _};
use std::sync::Arc;

use aipolicy_apply::{ApplyError, Event, Options, Report, Site, Status, SystemClock};
use aipolicy_targets::plan::ApprovedPlan;

use crate::error::{CliError, Exit};
use crate::findings::Findings;
use crate::render::text as findings;
use crate::ui::Ui;
use crate::waiting::{Interrupts, block_on, interrupts};
use crate::workspace::{Workspace, verdict};
use crate::world::{Place, Planned, inputs};

/// Asks on a terminal; without one, `--yes` has to have been said.
pub(in crate::command) fn agree((yes, question): (bool, &str), ui: &mut Ui) -> Result<(), CliError> {
    if yes {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() {
        let error = CliError::usage("nobody is there to ask");
        return Err(error.hint("say `--yes`, or apply a saved plan"));
    }
    ui.remark(format!("{question} Only `yes` is taken for yes."));
    let _ = std::io::stderr().flush();
    let mut answer = String::new();
    let read = std::io::stdin().read_line(&mut answer);
    match read {
        Ok(_) if answer.trim() == "yes" => Ok(()),
        Ok(_) | Err(_) => Err(CliError::usage("nothing was changed")),
    }
}

/// How a release of a workspace is carried out: by whoever runs this, of the sources as they are.
pub(in crate::command) fn options(workspace: &Workspace) -> Options {
    Options { inputs: Some(inputs(workspace)), ..Options::new(holder(), Arc::new(SystemClock)) }
}

/// Carries a plan out.
pub(in crate::command) fn carry_out(
    place: &mut Place<'_>,
    (approved, mut options): (&ApprovedPlan, Options),
    ui: &mut Ui,
) -> Result<Exit, CliError> {
    let quiet = !std::io::stderr().is_terminal();
    let mut tell = |event: Event| {
        if let Some(line) = line(&event, quiet) {
            ui.remark(line);
        }
    };
    let report = block_on(async {
        let Interrupts { once, mut twice } = interrupts()?;
        options.stop = once;
        let site = Site { world: &place.world, state: &mut place.state };
        tokio::select! {
            report = aipolicy_apply::apply(approved, site, options, &mut tell) => Ok(report),
            Ok(_) = twice.wait_for(|asked| *asked) => Err(ended_at_once()),
        }
    })??;
    told(report, ui)
}

fn ended_at_once() -> CliError {
    CliError::tool("ended at once: what was in flight may be done or not")
        .hint("the next apply looks what became of it, and goes on from there")
}

/// The plan, if Cedar lets its changes through; what does not is told.
pub(in crate::command) fn approved(
    workspace: &Workspace,
    planned: Planned,
    ui: &mut Ui,
) -> Result<ApprovedPlan, CliError> {
    planned.approved.ok_or_else(|| {
        ui.remark(findings::render(&Findings::new(workspace, &planned.refusals), ui.width()).trim_end());
        let exit = verdict(&planned.refusals);
        let said = if exit == Exit::Waits { "the changes have to wait" } else { "the changes are refused" };
        CliError::findings(exit, said)
    })
}

/// Who holds the lock, for whoever finds it held.
fn holder() -> String {
    let user = std::env::var("USER").unwrap_or_else(|_| "somebody".into());
    let host = std::env::var("HOSTNAME").unwrap_or_else(|_| "this machine".into());
    format!("{user}@{host} {}", std::process::id())
}

/// What is said while it goes on: everything on a terminal, and in a log only what is not ordinary.
fn line(event: &Event, quiet: bool) -> Option<String> {
    match event {
        Event::Started { address, action } => (!quiet).then(|| format!("  {} {address} …", action.word())),
        Event::Done(address) => (!quiet).then(|| format!("  done {address}")),
        Event::Retrying { address, error, .. } => Some(format!("  again {address}: {error}")),
        Event::Failed(failure) => Some(format!("  failed {}: {}", failure.address, failure.error)),
        Event::Skipped(skipped) => Some(format!("  skipped {}", skipped.address)),
        Event::Repaired(repair) => {
            Some(format!("the journal ended in half a line ({repair:?}); it was dropped"))
        }
        Event::Resolved { release } => {
            Some(format!("release {release} was interrupted; what it did is known again"))
        }
    }
}

fn told(report: Result<Report, ApplyError>, ui: &mut Ui) -> Result<Exit, CliError> {
    let report = report.map_err(|error| {
        let exit = match &error {
            ApplyError::Stale(_) | ApplyError::AlreadyApplied { .. } => Exit::Stale,
            ApplyError::State(state) => crate::world::state_error(state).exit,
            ApplyError::OtherFormat(_)
            | ApplyError::OtherEnvironment { .. }
            | ApplyError::Malformed(_)
            | ApplyError::World(_) => Exit::Error,
        };
        CliError::findings(exit, error.to_string())
    })?;
    let summary = format!(
        "{} done, {} failed, {} skipped\n",
        report.done.len(),
        report.failed.len(),
        report.skipped.len()
    );
    ui.print(&summary)?;
    match report.status {
        Status::Complete => Ok(Exit::Clean),
        Status::Partial | Status::Stopped | Status::Interrupted => {
            let error = CliError::tool("not everything was applied");
            Err(error.hint("`aipolicy plan` shows what is left; the next apply goes on from there"))
        }
    }
}
