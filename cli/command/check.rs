//! `aipolicy check`.

use aipolicy_compiler::diagnostic::Diagnostics;

use super::{Folder, View};
use crate::error::{CliError, Exit};
use crate::evaluated::NotRun;
use crate::findings::Findings;
use crate::load::{READING, load_timed};
use crate::output::Outputs;
use crate::render::Format;
use crate::timings::Timings;
use crate::ui::Ui;
use crate::workspace::{Workspace, verdict};

/// Says everything that can be said without looking at the world
///
/// Reads every `*.yaml` file below the folder, asks Cedar about each access that the resources ask for, and compiles
/// the artifacts of every environment whose requests are all permitted, so that what a target cannot express is found
/// too. Findings go to standard output, and with `--output` into files too, in as many formats as wanted:
/// `--output sarif=findings.sarif --output junit=findings.xml`. Each says which rules were run, and what was not run and
/// why.
///
/// Exit codes: 0 clean, 1 the input cannot be understood, 3 the input is understood and the answer is no.
#[derive(clap::Args)]
pub(crate) struct Check {
    #[command(flatten)]
    workspace: Folder,
    #[command(flatten)]
    outputs: Outputs<Format>,
    /// Tells on standard error how long each part took
    #[arg(long)]
    timings: bool,
}

impl Check {
    pub(crate) fn run(self, ui: &mut Ui) -> Result<Exit, CliError> {
        let outputs = self.outputs.checked()?;
        let mut timings = Timings::start(READING);
        let View { environments, as_of } = self.workspace.view;
        let workspace = load_timed(&self.workspace.folder, as_of, &mut timings)?;
        timings.mark("rendering");
        let (found, not_run) = judged(&workspace, &environments)?;
        timings.mark("telling");
        let mut findings = Findings::new(&workspace, &found);
        findings.evaluated.not_run.extend(not_run);
        outputs.write(ui, |format, width| findings.render(format, width))?;
        if self.timings {
            ui.remark(timings.text().trim_end());
        }
        Ok(verdict(&found))
    }
}

/// Every finding about a workspace and its environments with these names, or all, and what was not compiled.
fn judged(workspace: &Workspace, names: &[String]) -> Result<(Diagnostics, Vec<NotRun>), CliError> {
    let chosen = match workspace.environments(names) {
        // A name that an unreadable file may hold is no mistake of the caller.
        Err(_) if verdict(&workspace.diagnostics) == Exit::Error => Vec::new(),
        found => found?,
    };
    let mut found = workspace.diagnostics.clone();
    let mut not_run = Vec::new();
    for (id, name) in workspace.environments(&[])? {
        let what = format!("artifacts of `{name}`");
        if !chosen.iter().any(|(one, _)| *one == id) {
            not_run.push(NotRun::new(what, "the environment was not asked for"));
            continue;
        }
        let mut refusals = Diagnostics::default();
        if let Err(why) = workspace.judge(id, &mut refusals) {
            not_run.push(NotRun::new(what, why));
        }
        found.append(refusals);
    }
    found.sort(&workspace.sources);
    Ok((found, not_run))
}
