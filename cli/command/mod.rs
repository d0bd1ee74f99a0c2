//! The commands, one file each; the comment on its arguments is its manual page.

mod check;

use std::path::PathBuf;

use aipolicy_compiler::model::value::Date;

use crate::error::{CliError, Exit};
use crate::load::load;
use crate::ui::Ui;
use crate::workspace::Workspace;

/// What `aipolicy` can do.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    Check(check::Check),
}

impl Command {
    pub(crate) fn run(self, ui: &mut Ui) -> Result<Exit, CliError> {
        match self {
            Self::Check(check) => check.run(ui),
        }
    }
}

/// The workspace, of a command without arguments of its own.
#[derive(clap::Args)]
pub(crate) struct Folder {
    /// The folder of the workspace
    #[arg(value_name = "DIR", default_value = ".")]
    pub(crate) folder: PathBuf,
    #[command(flatten)]
    pub(crate) view: View,
}

/// How a workspace is looked at.
#[derive(clap::Args)]
pub(crate) struct View {
    /// An environment; may be given several times, and without it all are meant
    #[arg(short = 'e', long = "environment", value_name = "ENV")]
    pub(crate) environments: Vec<String>,
    /// The day on which policies are asked; today in UTC when left out
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
    pub(crate) as_of: Option<Date>,
}

impl Folder {
    pub(crate) fn load(&self) -> Result<Workspace, CliError> {
        load(&self.folder, self.view.as_of)
    }
}

fn day(text: &str) -> Result<Date, String> {
    let plain = text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    let read = text.parse().ok().filter(|_| plain).map(Date);
    read.ok_or_else(|| "a day is written like 2027-03-31".into())
}
