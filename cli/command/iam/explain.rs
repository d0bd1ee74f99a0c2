//! `aipolicy iam explain`.

use std::path::PathBuf;

use super::file::Source;
use super::words;
use crate::error::{CliError, Exit};
use crate::ui::{Ui, harmless};

/// Says in words what each statement of a policy means, with its line
///
/// Who may do what with what, and when. Wildcards, variables and negated elements are told as what they are, and so is
/// what no request can meet.
///
/// Exit codes: 0 explained, 1 the file is no policy.
#[derive(clap::Args)]
pub(crate) struct Explain {
    /// A file with policies; `-` is the standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

impl Explain {
    pub(crate) fn run(self, ui: &mut Ui) -> Result<Exit, CliError> {
        let sources = Source::read(&self.file)?;
        let told: Vec<_> = sources.iter().map(told).collect();
        ui.print(&harmless(&told.join("\n")))?;
        Ok(Exit::Clean)
    }
}

fn told(source: &Source) -> String {
    let document = source.document();
    let statements = document.statements.iter().enumerate().map(|(index, statement)| {
        let sid = statement.sid.as_ref().map(|sid| format!(" `{sid}`")).unwrap_or_default();
        let place = format!("{}:{}{sid}\n", source.file(), source.line(index));
        let lines = words::of(statement, document.version, source.is_trust());
        place + &lines.iter().map(|line| format!("  {line}\n")).collect::<String>()
    });
    statements.collect()
}
