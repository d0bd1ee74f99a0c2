//! `aipolicy plan`.

mod markdown;
mod text;

pub(super) use text::plan as text;

use std::path::{Path, PathBuf};

use aipolicy_compiler::diagnostic::Diagnostics;
use aipolicy_compiler::model::Id;
use aipolicy_compiler::model::environment::EnvironmentSpec;
use aipolicy_targets::key::SigningKey;
use aipolicy_targets::plan::Plan;

use super::{Folder, not_asked};
use crate::error::{CliError, Exit};
use crate::findings::Findings;
use crate::output::{Kind, Outputs};
use crate::render::{Format, text as findings};
use crate::signing::{self, Signer, Trust};
use crate::steps::Steps;
use crate::ui::Ui;
use crate::waiting::block_on;
use crate::workspace::{Workspace, verdict};
use crate::world::Place;

/// How a plan is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum PlanFormat {
    /// For people.
    #[default]
    Text,
    /// `aipolicy.plan/1`, one plan or a list of them.
    Json,
    /// A comment on a pull request, of at most 60 kB.
    Markdown,
    /// SARIF 2.1.0, for code scanning: what is found, what refuses, and what somebody else changed.
    Sarif,
    /// JUnit, for reports of tests: the same findings.
    Junit,
    /// A code quality report of GitLab: the same findings.
    Gitlab,
}

impl PlanFormat {
    /// The format of findings that it is, if it is one.
    fn of_findings(self) -> Option<Format> {
        match self {
            Self::Text | Self::Json | Self::Markdown => None,
            Self::Sarif => Some(Format::Sarif),
            Self::Junit => Some(Format::Junit),
            Self::Gitlab => Some(Format::Gitlab),
        }
    }
}

impl Kind for PlanFormat {}

/// Shows what would change, and what could happen that could not before
///
/// Compares the artifacts of each environment with its world. Effects come first: what may happen that could not, and
/// the other way round. Then come the documents, each with its difference and the lines that cause it. Nothing is
/// changed; `aipolicy apply` does that.
///
/// `--output sarif=plan.sarif --output junit=plan.xml` writes findings too: those of the workspace, why a change is refused, and
/// what somebody else changed since it was applied. Where there is no plan, they say why.
///
/// `-o FILE --sign-key KEY` signs the saved plan: a DSSE envelope with Ed25519. Where `plans: { keys: [...] }` of the workspace names
/// public keys, `aipolicy apply` takes nothing else.
///
/// Exit codes: 0 planned, 1 the input cannot be understood, 2 with `--detailed-exitcode` when there are changes, 3 a
/// request or a change is refused, 4 an approval or a change window is missing, 5 the state cannot be trusted.
#[derive(clap::Args)]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    workspace: Folder,
    #[command(flatten)]
    outputs: Outputs<PlanFormat>,
    /// Saves the plan of one environment into this file, for `aipolicy apply --plan FILE`
    #[arg(short = 'o', long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    signer: Signer,
    #[command(flatten)]
    steps: Steps,
    /// Ends with 2 when there are changes
    #[arg(long)]
    detailed_exitcode: bool,
}

impl PlanArgs {
    pub(crate) fn run(self, ui: &mut Ui) -> Result<Exit, CliError> {
        let outputs = self.outputs.checked()?;
        let workspace = self.workspace.load()?;
        let refused = |ui: &mut Ui, found: &Diagnostics| {
            let findings = Findings::new(&workspace, found);
            outputs.write_some(ui, |format, width| Some(findings.render(format.of_findings()?, width)))
        };
        if let Err(error) = judged(&workspace, ui) {
            refused(ui, &workspace.diagnostics)?;
            return Err(error);
        }
        self.steps.check(&workspace)?;
        let signed = signed(self.out.as_deref(), &self.signer, &workspace)?;
        let environments = workspace.environments(&self.workspace.view.environments)?;
        if environments.is_empty() {
            let error = CliError::usage("there is no environment to plan for");
            return Err(error.hint("write a resource of kind `Environment`"));
        }
        if self.out.is_some() && environments.len() != 1 {
            let error = CliError::usage("a saved plan is about one environment");
            return Err(error.hint("name it with `-e ENV`"));
        }
        let made = match made(&workspace, (&environments, &self.steps), ui) {
            Ok(made) => made,
            Err(error) => {
                let found = workspace.found(&environments);
                if found.has_errors() {
                    refused(ui, &found)?;
                }
                return Err(error);
            }
        };
        save(&made.plans, &signed, ui)?;
        let mut findings = Findings::of_plan(&workspace, &made.found);
        findings.evaluated.not_run.extend(not_asked(&workspace, "plan", &environments)?);
        outputs.write(ui, |format, width| match format.of_findings() {
            Some(format) => findings.render(format, width),
            None => written(format, &made.plans),
        })?;
        let changes = made.plans.iter().any(|plan| !plan.is_empty());
        Ok(match () {
            () if let Some(exit) = made.refused => exit,
            () if changes && self.detailed_exitcode => Exit::Changes,
            () => Exit::Clean,
        })
    }
}

/// How the plan is saved. Keys that are of no use are told before anybody waits for a world.
fn signed<'a>(
    file: Option<&'a Path>,
    signer: &Signer,
    workspace: &Workspace,
) -> Result<Signed<'a>, CliError> {
    let trust = Trust::of(workspace)?;
    let key = if file.is_some() { signer.key()? } else { None };
    if let Some(key) = &key {
        trust.includes(key)?;
    }
    Ok(Signed { file, key, is_asked_for: trust.is_asked_for() })
}

/// The plans of some environments.
struct Made {
    plans: Vec<Plan>,
    /// How it ends since one of them may not be applied.
    refused: Option<Exit>,
    /// What was found about the workspace, and by making the plans.
    found: Diagnostics,
}

fn made(
    workspace: &Workspace,
    (environments, steps): (&[(Id<EnvironmentSpec>, &str)], &Steps),
    ui: &mut Ui,
) -> Result<Made, CliError> {
    let mut made = Made { plans: Vec::new(), refused: None, found: workspace.diagnostics.clone() };
    for environment in environments {
        let mut place = Place::open(workspace, *environment)?;
        let planned = block_on(place.plan(&steps.chosen()))??;
        if planned.approved.is_none() {
            let exit = verdict(&planned.refusals);
            // What is refused in one environment is refused, whatever waits in others.
            made.refused = Some(if made.refused.is_none_or(|before| before == Exit::Waits) {
                exit
            } else {
                Exit::Refused
            });
            ui.remark(findings::render(&Findings::new(workspace, &planned.refusals), ui.width()).trim_end());
        }
        made.found.append(planned.refusals);
        made.found.append(planned.drift);
        made.plans.push(planned.plan);
    }
    made.found.sort(&workspace.sources);
    Ok(made)
}

fn written(format: PlanFormat, plans: &[Plan]) -> String {
    match (format, plans) {
        (PlanFormat::Text, _) => plans.iter().map(text::plan).collect::<Vec<_>>().join("\n"),
        (PlanFormat::Json, [one]) => one.to_json(),
        (PlanFormat::Json, many) => crate::render::json::written(&many),
        (PlanFormat::Markdown, _) => markdown::comment(plans),
        (PlanFormat::Sarif | PlanFormat::Junit | PlanFormat::Gitlab, _) => String::new(),
    }
}

/// How the one plan is saved.
struct Signed<'a> {
    /// Into which file, if it is.
    file: Option<&'a Path>,
    key: Option<SigningKey>,
    /// Whether it is applied only if it is signed.
    is_asked_for: bool,
}

fn save(plans: &[Plan], signed: &Signed<'_>, ui: &mut Ui) -> Result<(), CliError> {
    let (Some(file), [plan]) = (signed.file, plans) else { return Ok(()) };
    let text = signing::saved(plan, signed.key.as_ref());
    std::fs::write(file, text).map_err(|error| CliError::file("written", file, &error))?;
    let command = format!("`aipolicy apply --plan {}`", file.display());
    ui.remark(match &signed.key {
        Some(key) => format!("saved, signed by {}: {command} carries it out", key.public().id()),
        None if signed.is_asked_for => {
            format!("saved and not signed: {command} will refuse it, since this workspace trusts signed plans alone")
        }
        None => format!("saved: {command} carries it out"),
    });
    Ok(())
}

/// Stops when there are findings that stop: they are told first.
pub(super) fn judged(workspace: &Workspace, ui: &mut Ui) -> Result<(), CliError> {
    let exit = verdict(&workspace.diagnostics);
    if exit == Exit::Clean {
        return Ok(());
    }
    ui.remark(findings::render(&Findings::new(workspace, &workspace.diagnostics), ui.width()).trim_end());
    Err(CliError::findings(exit, format!("`{}` is not clean", workspace.root.display())))
}
