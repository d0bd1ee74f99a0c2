//! `aipolicy apply`.

pub(super) mod release;

use std::path::{Path, PathBuf};

use aipolicy_apply::Options;
use aipolicy_compiler::diagnostic::Diagnostics;
use aipolicy_targets::plan::Plan;

use super::{View, plan};
use crate::error::{CliError, Exit};
use crate::findings::Findings;
use crate::load::load;
use crate::render::text as findings;
use crate::revision::{head, workspace_at};
use crate::signing::{Signer, Verifier};
use crate::steps::{Chosen, Earlier, Steps};
use crate::ui::Ui;
use crate::waiting::block_on;
use crate::workspace::{Workspace, verdict};
use crate::world::{Place, name_of};

/// Carries out a plan, or plans and asks
///
/// With a saved plan, everything that it was computed from must still be so: sources, catalog, version, world and
/// journal. It is computed again and must come out the same, and it is applied at most once. Without one, the plan is
/// shown and `yes` is asked for.
///
/// Where `plans: { keys: [...] }` of the workspace or `--verify-key` names public keys, a plan is applied if one of them has signed
/// it, and is looked at before anything is asked of the world; without a saved plan, `--sign-key` shows that whoever applies could
/// have signed. The keys of the workspace are those of this checkout, so it is what is trusted; `--verify-key` trusts a key
/// that no checkout can exchange.
///
/// Where an agent says how its new versions are tried (`release: { canary: … }`), they go to a share of the sessions that triggers
/// start, and an apply gives them to callers after `bake`, if no alarm rang. `--promote AGENT` does that at once. `--release N`
/// applies the sources of an earlier release once more, from the commit that it was applied from: they are checked as they would
/// be today, the policies that are there now have to permit the changes too, and nothing waits for a trial.
///
/// Each operation is journaled before and after, and read back. Ctrl-C and SIGTERM let what is
/// in flight end, and begin nothing more; the second one waits for nothing. An interrupted apply is repaired by the next one.
///
/// Exit codes: 0 applied or nothing to do, 1 an operation failed or the input cannot be understood, 3 a request or a
/// change is refused, 4 an approval or a change window is missing, 5 the plan or the state is stale, 6 somebody else is
/// applying.
#[derive(clap::Args)]
pub(crate) struct Apply {
    /// The folder of the workspace, or a saved plan
    #[arg(value_name = "DIR|FILE", default_value = ".")]
    path: PathBuf,
    /// A saved plan
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,
    /// The folder of the workspace, beside a saved plan
    #[arg(short = 'C', value_name = "DIR")]
    folder: Option<PathBuf>,
    #[command(flatten)]
    view: View,
    #[command(flatten)]
    signer: Signer,
    #[command(flatten)]
    verifier: Verifier,
    #[command(flatten)]
    steps: Steps,
    /// Applies the sources of an earlier release once more: its number, or `previous`
    #[arg(long, value_name = "N", conflicts_with_all = ["plan", "promote"])]
    release: Option<Earlier>,
    /// Does not ask
    #[arg(long)]
    yes: bool,
    /// How many operations run side by side
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=100))]
    parallelism: u16,
}

impl Apply {
    pub(crate) fn run(self, ui: &mut Ui) -> Result<Exit, CliError> {
        let file = self.file();
        let folder = match (&self.folder, &file) {
            (Some(folder), _) => folder.clone(),
            (None, Some(_)) if self.path.is_file() => PathBuf::from("."),
            (None, _) => self.path.clone(),
        };
        let current = load(&folder, self.view.as_of)?;
        let trust = self.verifier.trust(&current)?;
        if let (Some(_), Some(file)) = (&self.release, &file) {
            let error = CliError::usage("a saved plan is of the sources that are there");
            return Err(error.hint(format!("leave `{}` or `--release` out", file.display())));
        }
        let earlier = self.release.map(|which| self.earlier((&current, &folder), which, ui)).transpose()?;
        let workspace = earlier.as_ref().map_or(&current, |(workspace, _)| workspace);
        plan::judged(workspace, ui)?;
        self.steps.check(workspace)?;
        let saved = file.map(|file| trust.open(file)).transpose()?;
        match &saved {
            Some(saved) => self.is_of(saved, workspace)?,
            None => trust.unsaved(&self.signer)?,
        }
        let mut place = self.place((&current, workspace), saved.as_ref())?;
        if let Some(saved) = &saved {
            unused(saved, &place)?;
        }
        let chosen = match &earlier {
            Some(_) => Chosen::everybody(),
            None => self.steps.chosen().saved(saved.as_ref()),
        };
        let planned = block_on(place.plan(&chosen))??;
        if let Some(saved) = &saved {
            unchanged(saved, &planned.plan)?;
        }
        if earlier.is_some() {
            allowed_now((&current, &place), &planned.plan, ui)?;
        }
        let approved = release::approved(workspace, planned, ui)?;
        if approved.plan().is_empty() {
            ui.print(&plan::text(approved.plan()))?;
            return Ok(Exit::Clean);
        }
        if saved.is_none() {
            ui.print(&plan::text(approved.plan()))?;
            release::agree((self.yes, "Apply these changes?"), ui)?;
        }
        let options = Options {
            parallelism: usize::from(self.parallelism),
            revision: earlier.as_ref().map_or_else(|| head(&folder), |(_, revision)| Some(revision.clone())),
            ..release::options(workspace)
        };
        release::carry_out(&mut place, (&approved, options), ui)
    }

    /// The file of the saved plan, if one was named.
    fn file(&self) -> Option<&Path> {
        let named = self.plan.as_deref();
        named.or_else(|| self.path.is_file().then_some(self.path.as_path()))
    }

    /// Requires that a saved plan is for this workspace, and for the environment that was named, if one was.
    fn is_of(&self, saved: &Plan, workspace: &Workspace) -> Result<(), CliError> {
        let (planned, found) = (&saved.workspace, name_of(workspace));
        if planned != found {
            let said = format!("the plan is for workspace `{planned}`, not for `{found}`");
            return Err(CliError::findings(Exit::Stale, said));
        }
        let (planned, named) = (&saved.environment, &self.view.environments);
        if named.is_empty() || named == std::slice::from_ref(planned) {
            return Ok(());
        }
        let found = named.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" and ");
        let said = format!("the plan is for environment `{planned}`, not for {found}");
        Err(CliError::findings(Exit::Stale, said))
    }

    /// The workspace as it was in an earlier release of the environment.
    fn earlier(
        &self,
        (current, folder): (&Workspace, &Path),
        which: Earlier,
        ui: &mut Ui,
    ) -> Result<(Workspace, String), CliError> {
        current.understood(ui)?;
        let place = self.place((current, current), None)?;
        let (number, release) = which.of(place.state.journal(), &place.name)?;
        let Some(revision) = &release.revision else {
            let said = format!("release {number} of `{}` was applied from no git repository", place.name);
            let hint = format!("check out the sources whose digest is {}, and apply them", release.sources);
            return Err(CliError::usage(said).hint(hint));
        };
        let mut workspace = workspace_at(revision, folder, self.view.as_of)?;
        if workspace.digest() != release.sources {
            let said =
                format!("release {number} of `{}` had sources that {revision} does not hold", place.name);
            return Err(
                CliError::findings(Exit::Stale, said).hint("they were not committed: apply them by hand")
            );
        }
        workspace.root.clone_from(&current.root);
        ui.remark(format!("release {number} is {revision}"));
        Ok((workspace, revision.clone()))
    }

    fn place<'w>(
        &self,
        (stated, workspace): (&Workspace, &'w Workspace),
        saved: Option<&Plan>,
    ) -> Result<Place<'w>, CliError> {
        let named: Vec<String> = match saved {
            Some(plan) => vec![plan.environment.clone()],
            None => self.view.environments.clone(),
        };
        match workspace.environments(&named)?.as_slice() {
            [one] => Place::open_beside(stated, workspace, *one),
            many => {
                let names: Vec<_> = many.iter().map(|(_, name)| format!("`{name}`")).collect();
                let error = CliError::usage("apply changes one environment at a time");
                Err(error.hint(format!("name it with `-e`: {}", names.join(", "))))
            }
        }
    }
}

fn unused(saved: &Plan, place: &Place<'_>) -> Result<(), CliError> {
    if place.state.journal().used_plan(&saved.digest()) {
        let error = CliError::findings(Exit::Stale, "this plan has been applied already");
        return Err(error.hint("make a new one with `aipolicy plan`"));
    }
    Ok(())
}

/// A saved plan that does not come out the same again is stale, or was edited.
fn unchanged(saved: &Plan, again: &Plan) -> Result<(), CliError> {
    let bound = [
        ("the version of aipolicy", &saved.bindings.tool, &again.bindings.tool),
        ("the sources", &saved.bindings.sources, &again.bindings.sources),
        ("the catalog", &saved.bindings.catalog, &again.bindings.catalog),
        ("the world", &saved.bindings.observed, &again.bindings.observed),
        ("the journal", &saved.bindings.journal, &again.bindings.journal),
    ];
    let trials = (saved.trials != again.trials).then_some("how new versions do on trial");
    let changed = bound.iter().filter(|(_, then, now)| then != now).map(|(what, ..)| *what);
    let changed: Vec<_> = changed.chain(trials).collect();
    let error = match changed.as_slice() {
        [] if saved == again => return Ok(()),
        [] => CliError::findings(Exit::Stale, "the plan was edited: it does not come out like this"),
        some => CliError::findings(Exit::Stale, format!("the plan is stale: {} changed", some.join(" and "))),
    };
    Err(error.hint("make a new one with `aipolicy plan`"))
}

/// What an earlier version of the sources permits must be permitted by those that are there, too.
fn allowed_now((current, place): (&Workspace, &Place<'_>), plan: &Plan, ui: &mut Ui) -> Result<(), CliError> {
    let mut refusals = Diagnostics::default();
    if place.is_permitted_by(current, plan, &mut refusals)? {
        return Ok(());
    }
    ui.remark(findings::render(&Findings::new(current, &refusals), ui.width()).trim_end());
    let exit = if verdict(&refusals) == Exit::Waits { Exit::Waits } else { Exit::Refused };
    Err(CliError::findings(exit, "the policies that are there now refuse the changes"))
}
