//! `aipolicy prove`.

mod least_privilege;
mod residency;

use aipolicy_compiler::diagnostic::{Diagnostics, Rule};
use aipolicy_compiler::model::Id;
use aipolicy_compiler::model::environment::EnvironmentSpec;
use serde_json::{Value, json};

use super::{Folder, not_asked};
use crate::error::{CliError, Exit};
use crate::findings::Findings;
use crate::output::{Kind, Outputs};
use crate::render::Format;
use crate::render::json::written;
use crate::ui::Ui;
use crate::workspace::Workspace;

/// Proves something about everything that could happen, or shows what breaks it
///
/// A proof holds for every request, not for those that somebody thought of. What breaks it is shown with a request, the
/// policy that decides it, and the line that asked. `--output sarif=proof.sarif --output junit=proof.xml` writes it as findings
/// too; where nothing can be proven since the workspace is refused, they say why.
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
    /// SARIF 2.1.0, for code scanning: what breaks it, and what is not proven
    Sarif,
    /// JUnit, for reports of tests: the same findings
    Junit,
    /// A code quality report of GitLab: the same findings
    Gitlab,
}

impl ProofFormat {
    /// The format of findings that it is, if it is one.
    fn of_findings(self) -> Option<Format> {
        match self {
            Self::Text | Self::Json => None,
            Self::Sarif => Some(Format::Sarif),
            Self::Junit => Some(Format::Junit),
            Self::Gitlab => Some(Format::Gitlab),
        }
    }
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

/// What is known about an environment after a proof was tried.
trait Told {
    fn holds(&self) -> bool;

    /// For people.
    fn text(&self) -> String;

    /// For programs.
    fn json(&self) -> Value;

    /// As findings: at least one where it does not hold, and none where it does.
    fn report(&self, out: &mut Diagnostics);
}

/// What is proven, as programs know it.
struct Claimed {
    /// The version of the format.
    format: &'static str,
    /// The rules that tell what breaks it.
    rules: &'static [&'static Rule],
    /// In words.
    what: &'static str,
}

/// An environment, and its name.
type Named<'w> = (Id<EnvironmentSpec>, &'w str);

/// Tries a proof about each environment that is asked about, and writes what came of it.
fn tell(
    ui: &mut Ui,
    (folder, outputs): (&Folder, Outputs<ProofFormat>),
    claimed: &Claimed,
    prove: impl for<'w> Fn(&'w Workspace, Named<'w>) -> Result<Box<dyn Told + 'w>, CliError>,
) -> Result<Exit, CliError> {
    let outputs = outputs.checked()?;
    let workspace = folder.load()?;
    let refused = |ui: &mut Ui, found: &Diagnostics| {
        let findings = Findings::new(&workspace, found);
        outputs.write_some(ui, |format, width| Some(findings.render(format.of_findings()?, width)))
    };
    if let Err(error) = workspace.understood(ui) {
        refused(ui, &workspace.diagnostics)?;
        return Err(error);
    }
    let environments = workspace.environments(&folder.view.environments)?;
    let all: Result<Vec<_>, _> = environments.iter().map(|named| prove(&workspace, *named)).collect();
    let all = match all {
        Ok(all) => all,
        Err(error) => {
            let found = workspace.found(&environments);
            if found.has_errors() {
                refused(ui, &found)?;
            }
            return Err(error);
        }
    };
    if all.is_empty() {
        let error = CliError::usage("there is no environment to prove anything about");
        return Err(error.hint("write a resource of kind `Environment`"));
    }
    let mut found = Diagnostics::default();
    all.iter().for_each(|told| told.report(&mut found));
    found.sort(&workspace.sources);
    let mut findings = Findings::of_proof(&workspace, &found, claimed.rules);
    findings.evaluated.not_run.extend(not_asked(&workspace, claimed.what, &environments)?);
    outputs.write(ui, |format, width| match (format.of_findings(), format) {
        (Some(format), _) => findings.render(format, width),
        (None, ProofFormat::Json) => {
            let environments: Vec<Value> = all.iter().map(|told| told.json()).collect();
            written(&json!({ "format": claimed.format, "environments": environments }))
        }
        (None, ProofFormat::Text | ProofFormat::Sarif | ProofFormat::Junit | ProofFormat::Gitlab) => {
            all.iter().map(|told| told.text()).collect()
        }
    })?;
    let holds = all.iter().all(|told| told.holds());
    Ok(if holds { Exit::Clean } else { Exit::Refused })
}
