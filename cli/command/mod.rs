//! The commands, one file each; the comment on its arguments is its manual page.

mod apply;
mod build;
mod can;
mod check;
mod diff;
mod explain;
mod forecast;
mod iam;
mod import;
mod init;
mod plan;
mod policies;
mod prove;
mod schema;
mod state;
mod test;
mod r#where;
mod why;

use std::path::PathBuf;

use aipolicy_compiler::authorize::Hearing;
use aipolicy_compiler::model::Id;
use aipolicy_compiler::model::environment::EnvironmentSpec;
use aipolicy_compiler::model::value::Date;

use crate::error::{CliError, Exit};
use crate::evaluated::NotRun;
use crate::load::{clock, load};
use crate::ui::Ui;
use crate::workspace::Workspace;

/// What `aipolicy` can do.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    Init(init::Init),
    Check(check::Check),
    Build(build::Build),
    Plan(plan::PlanArgs),
    Policies(policies::PoliciesArgs),
    Apply(apply::Apply),
    Import(import::Import),
    Diff(diff::Diff),
    Can(can::Can),
    Why(why::Why),
    Where(r#where::Where),
    Explain(explain::Explain),
    Forecast(forecast::Forecast),
    Iam(iam::IamArgs),
    Prove(prove::ProveArgs),
    Schema(schema::Schema),
    State(state::StateArgs),
    Test(test::Test),
}

impl Command {
    pub(crate) fn run(self, ui: &mut Ui) -> Result<Exit, CliError> {
        match self {
            Self::Init(init) => init.run(ui),
            Self::Check(check) => check.run(ui),
            Self::Build(build) => build.run(ui),
            Self::Plan(plan) => plan.run(ui),
            Self::Policies(policies) => policies.run(ui),
            Self::Apply(apply) => apply.run(ui),
            Self::Import(import) => import.run(ui),
            Self::Diff(diff) => diff.run(ui),
            Self::Can(can) => can.run(ui),
            Self::Why(why) => why.run(ui),
            Self::Where(place) => place.run(ui),
            Self::Explain(explain) => explain.run(ui),
            Self::Forecast(forecast) => forecast.run(ui),
            Self::Iam(iam) => iam.run(ui),
            Self::Prove(prove) => prove.run(ui),
            Self::Schema(schema) => schema.run(ui),
            Self::State(state) => state.run(ui),
            Self::Test(test) => test.run(ui),
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

/// The workspace, of a command with arguments of its own.
#[derive(clap::Args)]
pub(crate) struct Elsewhere {
    /// The folder of the workspace
    #[arg(short = 'C', value_name = "DIR", default_value = ".")]
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

impl Elsewhere {
    /// Whoever asks the policies of a workspace about requests that are supposed, on the day that was chosen.
    pub(crate) fn hearing<'w>(&self, workspace: &'w Workspace) -> Hearing<'w> {
        let Workspace { compilation, .. } = workspace;
        Hearing::new(&compilation.graph, &compilation.policies, self.view.as_of.unwrap_or_else(clock))
    }

    /// The workspace, which must be understood for an answer about it.
    pub(crate) fn load(&self, ui: &mut Ui) -> Result<Workspace, CliError> {
        let workspace = load(&self.folder, self.view.as_of)?;
        workspace.understood(ui)?;
        Ok(workspace)
    }
}

fn day(text: &str) -> Result<Date, String> {
    let plain = text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    let read = text.parse().ok().filter(|_| plain).map(Date);
    read.ok_or_else(|| "a day is written like 2027-03-31".into())
}

/// The environments that were not asked for, as something that was not run.
fn not_asked(
    workspace: &Workspace,
    what: &str,
    chosen: &[(Id<EnvironmentSpec>, &str)],
) -> Result<Vec<NotRun>, CliError> {
    let others = workspace.environments(&[])?.into_iter().filter(|one| !chosen.contains(one));
    let told = |(_, name): (_, &str)| {
        NotRun::new(format!("{what} of `{name}`"), "the environment was not asked for")
    };
    Ok(others.map(told).collect())
}
