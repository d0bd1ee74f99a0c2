//! `aipolicy check`.

use std::path::PathBuf;

use aipolicy_compiler::diagnostic::Diagnostics;

use super::Folder;
use crate::error::{CliError, Exit};
use crate::render::{Findings, Format, json};
use crate::ui::Ui;
use crate::workspace::verdict;

/// Says everything that can be said without looking at the world
///
/// Reads every `*.yaml` file below the folder, asks Cedar about each access that the resources ask for, and compiles
/// the artifacts of every environment whose requests are all permitted, so that what a target cannot express is found
/// too. Nothing is written. Findings go to standard output, in every format.
///
/// Exit codes: 0 clean, 1 the input cannot be understood, 3 the input is understood and the answer is no.
#[derive(clap::Args)]
pub(crate) struct Check {
    #[command(flatten)]
    workspace: Folder,
    /// How findings are written
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Also writes the findings as JSON into this file
    #[arg(long, value_name = "FILE")]
    json_out: Option<PathBuf>,
}

impl Check {
    pub(crate) fn run(self, ui: &mut Ui) -> Result<Exit, CliError> {
        let workspace = self.workspace.load()?;
        let environments = match workspace.environments(&self.workspace.view.environments) {
            // A name that an unreadable file may hold is no mistake of the caller.
            Err(_) if verdict(&workspace.diagnostics) == Exit::Error => Vec::new(),
            found => found?,
        };
        let mut found = workspace.diagnostics.clone();
        let mut not_run = Vec::new();
        for (id, name) in environments {
            let mut refusals = Diagnostics::default();
            if let Err(why) = workspace.artifacts(id, &mut refusals) {
                not_run.push(format!("artifacts of `{name}` not compiled: {why}"));
            }
            found.append(refusals);
        }
        found.sort(&workspace.sources);
        let mut findings = Findings::new(&workspace, &found);
        findings.not_run = not_run;
        if let Some(file) = &self.json_out {
            std::fs::write(file, json::render(&findings))
                .map_err(|error| CliError::file("written", file, &error))?;
        }
        ui.print(&findings.render(self.format, ui.width()))?;
        Ok(verdict(&found))
    }
}
