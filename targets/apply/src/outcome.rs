//! What an apply tells: events while it runs, a report when it is over, or why it did not begin.

use std::fmt;
use std::time::Duration;

use aipolicy_targets::artifact::Address;
use aipolicy_targets::plan::Action;

use crate::journal::{Repair, Status};
use crate::provider::WorldError;
use crate::state::StateError;

/// Something that happens during an apply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The journal ended in half a line, which was dropped.
    Repaired(Repair),
    /// A release that died before was looked into, and its end was written down.
    Resolved {
        /// Its number.
        release: u64,
    },
    /// A change begins.
    Started {
        /// Of which document.
        address: Address,
        /// What is done.
        action: Action,
    },
    /// The world asks to wait.
    Retrying {
        /// Which document.
        address: Address,
        /// Why.
        error: WorldError,
        /// For how long.
        delay: Duration,
    },
    /// A change is done and read back.
    Done(Address),
    /// A change failed.
    Failed(Failure),
    /// A change was not begun.
    Skipped(Skipped),
}

/// A change that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Of which document.
    pub address: Address,
    /// Why.
    pub error: WorldError,
}

/// A change that was not begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Of which document.
    pub address: Address,
    /// Why.
    pub because: Skip,
}

/// Why a change was not begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Skip {
    /// It needs, directly or not, a document that failed.
    Needs(Address),
    /// The apply was told to stop.
    Stopped,
}

/// What was done, what was not, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The number of the release; none if there was nothing to do.
    pub release: Option<u64>,
    /// How it ended.
    pub status: Status,
    /// Changes that are done, in the order in which they ended.
    pub done: Vec<Address>,
    /// Changes that failed.
    pub failed: Vec<Failure>,
    /// Changes that were not begun.
    pub skipped: Vec<Skipped>,
}

/// Why a plan is not applied, or not to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApplyError {
    /// Another version made the plan.
    OtherFormat(String),
    /// The plan is for another environment.
    OtherEnvironment {
        /// That of the plan.
        planned: String,
        /// That of the state.
        found: String,
    },
    /// A change does not say what it must.
    Malformed(Address),
    /// The plan was applied before, or begun to be.
    AlreadyApplied {
        /// Its digest.
        plan: String,
    },
    /// The plan was made for another world.
    Stale(Vec<StaleBinding>),
    /// The world cannot be read.
    World(WorldError),
    /// The state cannot be read, written or locked.
    State(StateError),
}

/// Something that is not what a plan was computed from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StaleBinding {
    /// A digest or version.
    Input {
        /// Which one: `tool`, `sources`, `catalog` or `journal`.
        name: &'static str,
        /// What the plan was computed from.
        planned: String,
        /// What it is now.
        found: String,
    },
    /// A target is served by another provider.
    Provider {
        /// The target.
        target: String,
        /// Its provider when the plan was made.
        planned: String,
        /// Its provider now.
        found: Option<&'static str>,
    },
    /// The world changed.
    Observed {
        /// Documents that changed, as far as plan and journal tell. Empty if all of them lie outside of both.
        changed: Vec<Address>,
    },
}

impl fmt::Display for StaleBinding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Input { name, planned, found } => {
                write!(formatter, "{name}: was {planned:?}, is {found:?}")
            }
            Self::Provider { target, planned, found } => {
                write!(formatter, "provider of `{target}`: was `{planned}`, is `{}`", found.unwrap_or("none"))
            }
            Self::Observed { changed } if changed.is_empty() => {
                write!(formatter, "observed: documents that this plan does not touch")
            }
            Self::Observed { changed } => {
                let changed: Vec<_> = changed.iter().map(|address| format!("`{address}`")).collect();
                write!(formatter, "observed: {}", changed.join(", "))
            }
        }
    }
}

impl fmt::Display for ApplyError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherFormat(format) => write!(
                formatter,
                "the plan has format `{format}`, and this version applies `{}`: plan again",
                aipolicy_targets::plan::FORMAT
            ),
            Self::OtherEnvironment { planned, found } => {
                write!(formatter, "the plan is for environment `{planned}`, not for `{found}`")
            }
            Self::Malformed(address) => {
                write!(formatter, "the change of `{address}` does not say from what to what: plan again")
            }
            Self::AlreadyApplied { plan } => {
                write!(formatter, "plan {plan} was applied before, and a plan is applied once: plan again")
            }
            Self::Stale(bindings) => {
                let changed: Vec<_> = bindings.iter().map(ToString::to_string).collect();
                write!(formatter, "the plan is stale ({}): plan again", changed.join("; "))
            }
            Self::World(error) => error.fmt(formatter),
            Self::State(error) => error.fmt(formatter),
        }
    }
}

impl std::error::Error for ApplyError {}

impl From<WorldError> for ApplyError {
    fn from(error: WorldError) -> Self {
        Self::World(error)
    }
}

impl From<StateError> for ApplyError {
    fn from(error: StateError) -> Self {
        Self::State(error)
    }
}
