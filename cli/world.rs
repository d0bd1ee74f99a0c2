//! The world and the state of an environment, as its resources say where they are.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use aipolicy_apply::{
    Adoption, FileProblem, Free, Inputs, JournalError, Lineage, Local, LockError, ObjectError, State,
    StateError, StatePlace, World,
};
use aipolicy_compiler::catalog::Catalog;
use aipolicy_compiler::diagnostic::Diagnostics;
use aipolicy_compiler::model::Id;
use aipolicy_compiler::model::environment::EnvironmentSpec;
use aipolicy_compiler::model::workspace::{S3State, StateBackend};
use aipolicy_targets::artifact::{Artifact, Document};
use aipolicy_targets::effects;
use aipolicy_targets::plan::{
    Actual, ApprovedPlan, Bindings, Desired, Header, Plan, Promoted, authorize, permitted, report_drift,
};
use jiff::Timestamp;

use crate::error::{CliError, Exit};
use crate::provider::{all_served, world};
use crate::steps::Chosen;
use crate::waiting::block_on;
use crate::workspace::Workspace;

/// The folder of the state when the workspace does not say.
const DEFAULT_STATE: &str = ".aipolicy";
/// How long a look at a world may wait for services that are busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// An environment whose world can be looked at and changed.
pub(crate) struct Place<'w> {
    workspace: &'w Workspace,
    environment: Id<EnvironmentSpec>,
    pub(crate) name: String,
    pub(crate) world: World,
    pub(crate) state: State,
    /// Where the state is, for people.
    pub(crate) kept: String,
    providers: BTreeMap<String, String>,
}

/// What can be said about adopting an object.
pub(crate) enum Adoptable {
    /// It is ours already.
    Ours,
    /// It can be adopted: the plan that does it, and what it is.
    Free(Box<(Planned, Free)>),
}

/// What became of planning.
pub(crate) struct Planned {
    pub(crate) plan: Plan,
    /// The plan again, if Cedar lets all of its changes through.
    pub(crate) approved: Option<ApprovedPlan>,
    /// Why not.
    pub(crate) refusals: Diagnostics,
    /// What somebody else changed.
    pub(crate) drift: Diagnostics,
}

impl<'w> Place<'w> {
    /// Opens the state of an environment and finds its providers. Nothing is written.
    pub(crate) fn open(
        workspace: &'w Workspace,
        environment: (Id<EnvironmentSpec>, &str),
    ) -> Result<Self, CliError> {
        Self::open_beside(workspace, workspace, environment)
    }

    /// The same, with the state where another version of the workspace has it.
    pub(crate) fn open_beside(
        stated: &Workspace,
        workspace: &'w Workspace,
        (id, name): (Id<EnvironmentSpec>, &str),
    ) -> Result<Self, CliError> {
        let folder = local_folder(stated)?;
        let lineage = Lineage { workspace: name_of(workspace).to_owned(), environment: name.to_owned() };
        let place = state_place(stated, &folder)?;
        let state = block_on(State::open(&place, lineage))?;
        let state = state.map_err(|error| {
            state_error(&error).hint(format!("the state of `{name}` is in `{}`", place.of(name)))
        })?;
        let local = Arc::new(Local::new(folder.join("world").join(name), name_of(workspace)));
        let found = workspace.graph().resource(id);
        let found = found.ok_or_else(|| CliError::usage(format!("there is no environment `{name}`")))?;
        let (world, providers) = world(workspace, found, (&local, state.journal().places()))?;
        Ok(Self {
            workspace,
            environment: id,
            name: name.to_owned(),
            world,
            state,
            kept: place.of(name),
            providers,
        })
    }

    /// The documents that are there, but for roles that are not ours: what those may do is for others to say.
    pub(crate) async fn observed(&self) -> Result<Vec<Document>, CliError> {
        let actual = self.observe().await?;
        let ours =
            actual.documents.into_values().filter(|one| one.owned || one.document.address.kind != "Role");
        Ok(ours.map(|observed| observed.document).collect())
    }

    /// What should be, and what is. Only reads.
    async fn looked_at(&mut self, refusals: &mut Diagnostics) -> Result<(Vec<Artifact>, Actual), CliError> {
        let artifacts = self.workspace.artifacts(self.environment, refusals).map_err(|why| {
            CliError::findings(Exit::Refused, format!("`{}` cannot be planned: {why}", self.name))
                .hint("`aipolicy check` shows every finding")
        })?;
        all_served(&self.name, &self.world, &artifacts)?;
        self.world.expect(artifacts.iter().map(|artifact| &artifact.document));
        let trials = artifacts.iter().filter_map(|artifact| artifact.trial.as_ref());
        self.world.watch_alarms(trials.flat_map(|trial| &trial.alarms));
        let actual = self.observe().await?;
        Ok((artifacts, actual))
    }

    /// What can be said about adopting an object for a document, and if it can be, the plan that does it. Only reads.
    pub(crate) async fn adoption(&mut self, address: &str, id: &str) -> Result<Adoptable, CliError> {
        let mut refusals = Diagnostics::default();
        let (artifacts, actual) = self.looked_at(&mut refusals).await?;
        let known = || artifacts.iter().map(|artifact| artifact.document.address.to_string());
        let found = artifacts.iter().find(|artifact| artifact.document.address.to_string() == address);
        let Some(artifact) = found else {
            let known: Vec<_> = known().collect();
            let error = CliError::usage(format!("`{}` has no document `{address}`", self.name));
            return Err(error.nearest(address, known.iter().map(String::as_str)));
        };
        let adoption = self.world.adoption(&artifact.document, id, PATIENCE).await;
        let free = match adoption.map_err(|error| CliError::tool(error.to_string()))? {
            Adoption::Ours => return Ok(Adoptable::Ours),
            Adoption::No(why) => {
                let exit = if why.is_refusal() { Exit::Refused } else { Exit::Error };
                let said = format!("`{id}` is not imported as `{address}`: {why}");
                return Err(CliError::findings(exit, said));
            }
            Adoption::Free(free) => free,
        };
        let desired = Desired::of(std::slice::from_ref(artifact), &self.workspace.sources);
        let Some(wanted) = desired.documents.get(&artifact.document.address) else {
            return Err(CliError::tool(format!("`{address}` is no document")));
        };
        let changed = (wanted, free.found.clone(), free.marked.clone());
        let decisions = self.state.journal().last_decisions().to_vec();
        let plan = Plan::adopting(self.header(actual.digest()), changed, decisions);
        let planned = self.asked(plan, &artifacts, refusals);
        Ok(Adoptable::Free(Box::new((planned, free))))
    }

    /// A plan that Cedar was asked about.
    fn asked(&self, plan: Plan, artifacts: &[Artifact], mut refusals: Diagnostics) -> Planned {
        let asked = (&self.workspace.compilation, self.environment);
        let approved = authorize(plan.clone(), asked, (artifacts, Timestamp::now()), &mut refusals);
        refusals.sort(&self.workspace.sources);
        Planned { plan, approved, refusals, drift: Diagnostics::default() }
    }

    /// Compares what should be with what is, and asks Cedar about the changes. Only reads.
    pub(crate) async fn plan(&mut self, chosen: &Chosen) -> Result<Planned, CliError> {
        let workspace = self.workspace;
        let mut refusals = Diagnostics::default();
        let (artifacts, actual) = self.looked_at(&mut refusals).await?;
        let before = effects::recall(self.state.journal().last_decisions());
        let before =
            before.map_err(|why| CliError::tool(format!("the journal holds what is no grant: {why}")))?;
        let graph = workspace.graph();
        let after =
            effects::facts(graph, &workspace.compilation.decisions, self.environment, &workspace.sources);
        let desired = Desired::of(&artifacts, &workspace.sources);
        let (agents, everybody) = (&chosen.agents, chosen.everybody);
        let promoted = Promoted { everybody, agents, now: Timestamp::now() };
        let (header, facts) = (self.header(actual.digest()), (&before, &after));
        let plan = Plan::between(header, (&desired, &actual), facts, &promoted);
        let mut planned = self.asked(plan, &artifacts, refusals);
        if let Some(found) = graph.resource(self.environment) {
            report_drift(&planned.plan, &artifacts, found.name_span(), &mut planned.drift);
        }
        Ok(planned)
    }

    /// Whether the policies of another version of the workspace permit every change of a plan. What they refuse is told.
    pub(crate) fn is_permitted_by(
        &self,
        other: &Workspace,
        plan: &Plan,
        refusals: &mut Diagnostics,
    ) -> Result<bool, CliError> {
        let environments = other.environments(std::slice::from_ref(&self.name))?;
        let [(environment, _)] = environments.as_slice() else { return Ok(false) };
        Ok(permitted(plan, (&other.compilation, *environment), Timestamp::now(), refusals))
    }

    async fn observe(&self) -> Result<Actual, CliError> {
        let found = self.world.observe_patiently(self.state.journal(), PATIENCE).await;
        found.map_err(|error| CliError::tool(error.to_string()))
    }

    fn header(&self, observed: String) -> Header {
        let Inputs { tool, sources, catalog } = inputs(self.workspace);
        let journal = self.state.journal().head().to_owned();
        Header {
            workspace: name_of(self.workspace).to_owned(),
            environment: self.name.clone(),
            providers: self.providers.clone(),
            bindings: Bindings { tool, sources, catalog, observed, journal },
        }
    }
}

/// What a plan of this workspace is computed from, but for the world.
pub(crate) fn inputs(workspace: &Workspace) -> Inputs {
    Inputs {
        tool: env!("CARGO_PKG_VERSION").to_owned(),
        sources: workspace.digest(),
        catalog: Catalog::shipped().digest().to_owned(),
    }
}

/// The name of a workspace.
pub(crate) fn name_of(workspace: &Workspace) -> &str {
    workspace.graph().bundle().workspaces.first().map_or("", |found| found.name().as_str())
}

/// The folder of embedded worlds, and of the state where that is not kept elsewhere: where the workspace says, below its root.
fn local_folder(workspace: &Workspace) -> Result<PathBuf, CliError> {
    match backend(workspace) {
        None | Some(StateBackend::S3(_)) => Ok(workspace.root.join(DEFAULT_STATE)),
        Some(StateBackend::Local(folder)) => {
            inside(&workspace.root, folder.value.as_str()).ok_or_else(|| {
                let place = workspace.place(folder.span);
                CliError::usage(format!("{place}: the state `{}` is not below the workspace", folder.value))
            })
        }
    }
}

fn backend(workspace: &Workspace) -> Option<&StateBackend> {
    workspace.graph().bundle().workspaces.first()?.spec.state.as_ref()
}

fn state_place(workspace: &Workspace, folder: &Path) -> Result<StatePlace, CliError> {
    match backend(workspace) {
        None | Some(StateBackend::Local(_)) => Ok(StatePlace::Folder(folder.join("state"))),
        Some(StateBackend::S3(s3)) => bucket(workspace, s3),
    }
}

#[cfg(feature = "aws")]
fn bucket(_: &Workspace, s3: &S3State) -> Result<StatePlace, CliError> {
    let prefix = s3.prefix.as_ref().map_or("", |prefix| prefix.value.as_str());
    Ok(StatePlace::Bucket(aipolicy_apply::Bucket {
        name: s3.bucket.value.as_str().to_owned(),
        prefix: if prefix.is_empty() || prefix.ends_with('/') {
            prefix.to_owned()
        } else {
            format!("{prefix}/")
        },
        region: s3.region.value.as_str().to_owned(),
    }))
}

#[cfg(not(feature = "aws"))]
fn bucket(workspace: &Workspace, s3: &S3State) -> Result<StatePlace, CliError> {
    let place = workspace.place(s3.bucket.span);
    let error = CliError::usage(format!("{place}: this binary was built without state in S3"));
    Err(error.hint("build it with the feature `aws`, which only `--no-default-features` leaves out"))
}

fn inside(root: &Path, folder: &str) -> Option<PathBuf> {
    let plain = Path::new(folder).components().all(|part| matches!(part, std::path::Component::Normal(_)));
    (plain && !folder.is_empty()).then(|| root.join(folder))
}

/// An error of the state with its exit code.
pub(crate) fn state_error(error: &StateError) -> CliError {
    let exit = match error {
        StateError::Lock(LockError::Held { .. }) => Exit::Locked,
        StateError::Lock(LockError::Object(error)) | StateError::Journal(JournalError::Object(error)) => {
            match error {
                ObjectError::Damaged { .. } => Exit::Stale,
                ObjectError::NoCredentials(_) | ObjectError::Refused { .. } => Exit::Error,
            }
        }
        StateError::Lock(LockError::File(error)) | StateError::Journal(JournalError::File(error)) => {
            match error.problem {
                // A disk that is full says nothing about the state.
                FileProblem::Machine(_) => Exit::Error,
                FileProblem::NotPlain | FileProblem::TooLarge => Exit::Stale,
            }
        }
        StateError::Lock(_) | StateError::Journal(_) | StateError::NotLocked => Exit::Stale,
    };
    CliError::findings(exit, error.to_string())
}
