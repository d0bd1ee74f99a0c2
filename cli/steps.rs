//! Which steps of releases are taken at once: versions that callers get before the end of their trial.

use std::collections::BTreeSet;
use std::str::FromStr;

use aipolicy_apply::{Journal, Release};
use aipolicy_compiler::model::agent::AgentSpec;
use aipolicy_targets::plan::{Plan, TrialState};

use crate::error::CliError;
use crate::workspace::Workspace;

/// Agents whose new versions are not tried any longer.
#[derive(clap::Args)]
pub(crate) struct Steps {
    /// Gives the new version of an agent to its callers without waiting for the end of its trial; may be given several times
    #[arg(long, value_name = "AGENT")]
    promote: Vec<String>,
}

/// The agents of which callers get the new version at once.
#[derive(Default)]
pub(crate) struct Chosen {
    pub(crate) everybody: bool,
    pub(crate) agents: BTreeSet<String>,
}

impl Chosen {
    /// Every agent.
    pub(crate) fn everybody() -> Self {
        Self { everybody: true, agents: BTreeSet::new() }
    }

    /// Those that a saved plan gives to callers at once.
    pub(crate) fn saved(mut self, plan: Option<&Plan>) -> Self {
        let trials = plan.into_iter().flat_map(|plan| &plan.trials);
        let promoted = trials.filter(|trial| trial.state == TrialState::Promoted);
        self.agents.extend(promoted.map(|trial| trial.agent.clone()));
        self
    }
}

impl Steps {
    /// Requires that each agent is there, and is tried.
    pub(crate) fn check(&self, workspace: &Workspace) -> Result<(), CliError> {
        for name in &self.promote {
            let mut agents = workspace.graph().each::<AgentSpec>();
            let Some((_, agent)) = agents.find(|(_, agent)| agent.name().as_str() == name) else {
                return Err(CliError::usage(format!("there is no agent `{name}` to promote")));
            };
            if agent.spec.canary().is_none() {
                let error = CliError::usage(format!("new versions of `{name}` are not tried"));
                return Err(error.hint("callers get them at once: leave `--promote` out"));
            }
        }
        Ok(())
    }

    pub(crate) fn chosen(&self) -> Chosen {
        Chosen { everybody: false, agents: self.promote.iter().cloned().collect() }
    }
}

/// An earlier release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Earlier {
    /// The last one that was complete before the newest.
    Previous,
    /// The one with this number.
    Number(u64),
}

impl FromStr for Earlier {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.parse() {
            Ok(number) => Ok(Self::Number(number)),
            Err(_) if text == "previous" => Ok(Self::Previous),
            Err(_) => Err("a release is a number, or `previous`".to_owned()),
        }
    }
}

impl Earlier {
    /// The release that is meant, with its number.
    pub(crate) fn of(self, journal: &Journal, environment: &str) -> Result<(u64, Release), CliError> {
        let number = match self {
            Self::Number(number) => Some(number),
            Self::Previous => journal.before_last(),
        };
        let Some(number) = number else {
            return Err(CliError::usage(format!("`{environment}` has no release before the last one")));
        };
        let Some(release) = journal.release(number) else {
            let error = CliError::usage(format!("`{environment}` has no release {number}"));
            return Err(error.hint(format!("the last one is {}", journal.releases())));
        };
        Ok((number, release.clone()))
    }
}
