//! `aipolicy policies`.

mod compare;
mod document;
mod inspection;
mod symbolic;
mod witness;

use aipolicy_compiler::inspect::{Inspection, Subject, inspect};
use aipolicy_compiler::ir::PolicyIndex;
use aipolicy_compiler::model::Id;
use aipolicy_compiler::model::environment::EnvironmentSpec;
use aipolicy_compiler::source::{SourceKind, Span};

use super::Folder;
use crate::error::{CliError, Exit};
use crate::load::{clock, load};
use crate::output::{Kind, Outputs};
use crate::render::json::written;
use crate::ui::Ui;
use crate::workspace::Workspace;

/// Tells what each Cedar policy does over the requests of the workspace
///
/// Every request that resources make is asked again, and each policy is evaluated alone. A policy is *vacuous* if it matches
/// no request, *shadowed* if one other policy of its effect matches each request that it matches, *redundant* if without it
/// nothing would be decided differently, and *overridden* if it permits only what is forbidden. A `forbid` that matches no
/// request *guards* if it would match one that is combined: any principal and resource of the workspace, in a context
/// of what occurs for the action. That is not a finding: where everything is in order, no forbid matches. A policy *may error*
/// where a part of it fails for values that the schema allows, and a `forbid` that fails does not forbid.
///
/// Findings are about the policies of the workspace; those that ship are counted, and `--all` lists them. Waivers are not
/// looked at. What policies say of changes is asked when a change is planned.
///
/// Exit codes: 0 nothing found or warnings only, 1 the input cannot be understood, or there is no solver, 3 a policy cannot be evaluated for a
/// request, or there are warnings and `--deny-warnings`.
#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct PoliciesArgs {
    #[command(subcommand)]
    other: Option<Other>,
    #[command(flatten)]
    workspace: Folder,
    /// Lists every policy, those that ship included
    #[arg(long)]
    all: bool,
    /// Exits with 3 where there is a warning
    #[arg(short = 'D', long)]
    deny_warnings: bool,
    #[command(flatten)]
    demand: symbolic::Demand,
    #[command(flatten)]
    outputs: Outputs<PoliciesFormat>,
}

/// What else can be asked of policies.
#[derive(clap::Subcommand)]
enum Other {
    Compare(compare::Compare),
}

/// How it is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum PoliciesFormat {
    /// For people
    #[default]
    Text,
    /// `aipolicy.policies/1`
    Json,
}

impl Kind for PoliciesFormat {}

/// What is told.
struct Told<'w> {
    workspace: &'w Workspace,
    found: Inspection,
    all: bool,
    /// What a solver says, where one was asked.
    proven: Option<symbolic::Known>,
}

impl PoliciesArgs {
    pub(crate) fn run(self, ui: &mut Ui) -> Result<Exit, CliError> {
        match self.other {
            Some(Other::Compare(compare)) => return compare.run(ui),
            None => {}
        }
        let outputs = self.outputs.checked()?;
        let mut solver = self.demand.solver(ui)?;
        let today = self.workspace.view.as_of.unwrap_or_else(clock);
        let workspace = load(&self.workspace.folder, Some(today))?;
        workspace.understood(ui)?;
        let environments = workspace.environments(&self.workspace.view.environments)?;
        let environments: Vec<Id<EnvironmentSpec>> = environments.into_iter().map(|(id, _)| id).collect();
        let subject = Subject {
            graph: workspace.graph(),
            policies: &workspace.compilation.policies,
            today,
            environments: &environments,
        };
        let found = inspect(&subject, |at| self.all || !is_shipped(&workspace, at));
        if found.asked == 0 {
            let error =
                CliError::usage("the workspace makes no request, so nothing can be told of its policies");
            return Err(error.hint("policies are asked what agents, workloads, routes and tenants need"));
        }
        let own = |at: PolicyIndex| !is_shipped(&workspace, at);
        let proven = solver.as_mut().map(|solver| symbolic::policies(solver, &subject, own)).transpose()?;
        let told = Told { workspace: &workspace, found, all: self.all, proven };
        outputs.write(ui, |format, width| match format {
            PoliciesFormat::Text => told.text(width),
            PoliciesFormat::Json => written(&told.document()),
        })?;
        Ok(if told.is_clean(self.deny_warnings) { Exit::Clean } else { Exit::Refused })
    }
}

/// Where a policy is written.
fn place(workspace: &Workspace, at: PolicyIndex) -> Option<Span> {
    workspace.compilation.policies.facts().get(at.0 as usize).map(|fact| fact.head)
}

/// Whether a policy ships with the product.
fn is_shipped(workspace: &Workspace, at: PolicyIndex) -> bool {
    let kind = place(workspace, at).map(|span| workspace.sources.get(span.source).kind());
    kind == Some(SourceKind::Policies { shipped: true })
}
