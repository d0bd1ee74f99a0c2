//! New versions of agents: one document gets a version first, and another follows when nothing went wrong for long enough.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Action, Actual, Change, Desired, DesiredDocument, Reason, compare};
use crate::artifact::{self, Address};

/// How an alarm is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlarmState {
    /// What it watches is as it should be.
    Quiet,
    /// What it watches is not.
    Ringing,
    /// Nothing was measured yet.
    Unknown,
}

/// Whom callers shall get the new version of without waiting for the end of its trial, and the moment of the plan.
#[derive(Clone, Copy, Debug)]
pub struct Promoted<'p> {
    /// Every agent, as when an earlier release is taken back to.
    pub everybody: bool,
    /// These agents.
    pub agents: &'p BTreeSet<String>,
    /// The moment at which one plans.
    pub now: Timestamp,
}

/// A new version of an agent that callers do not have yet, or get by this plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Trial {
    /// The agent.
    pub agent: String,
    /// The version, by the first digits of its digest.
    pub version: String,
    /// What callers use, which follows.
    pub address: Address,
    /// How it goes.
    pub state: TrialState,
}

/// How a trial goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum TrialState {
    /// It begins with this plan, and lasts for so many seconds.
    Begins {
        /// How long.
        bake: u64,
    },
    /// It goes on.
    Runs {
        /// When callers may get the version.
        until: Timestamp,
    },
    /// It lasted long enough, and some alarms have measured nothing.
    Unmeasured {
        /// These.
        alarms: Vec<Address>,
    },
    /// These alarms ended it.
    Aborted {
        /// These.
        alarms: Vec<Address>,
    },
    /// Nothing went wrong: callers get the version by this plan.
    Passed,
    /// Somebody wants callers to get the version by this plan, however its trial went.
    Promoted,
}

impl TrialState {
    /// Whether callers get the version by this plan.
    pub fn is_over(&self) -> bool {
        matches!(self, Self::Passed | Self::Promoted)
    }
}

/// Takes out of a plan what has to wait for a trial, and tells how each trial goes.
pub(super) fn hold(
    changes: &mut Vec<Change>,
    (desired, actual): (&Desired, &Actual),
    promoted: &Promoted<'_>,
) -> Vec<Trial> {
    let followers: BTreeMap<&Address, _> = desired
        .documents
        .iter()
        .filter_map(|(address, wanted)| Some((address, wanted.trial.as_ref()?)))
        .collect();
    let mut trials = Vec::new();
    for (address, trial) in followers {
        let Some(at) = changes.iter().position(|change| change.address == *address) else { continue };
        let Some(change) = changes.get_mut(at).filter(|change| change.action == Action::Update) else {
            continue;
        };
        // What is seen there differs as soon as the version that is tried has another number.
        match change.reason {
            Reason::Sources | Reason::SourcesAndDrift => change.reason = Reason::Sources,
            Reason::Drift if is_later(&trial.by, address, actual) => change.reason = Reason::References,
            Reason::Drift | Reason::References | Reason::Trial => {}
        }
        if change.reason != Reason::Sources {
            continue;
        }
        let begins = changes.iter().any(|change| change.address == trial.by);
        let since = actual.changed_at.get(&trial.by);
        let state = match since {
            _ if promoted.everybody || promoted.agents.contains(&trial.agent) => TrialState::Promoted,
            _ if begins => TrialState::Begins { bake: trial.bake },
            None => {
                changes.extend(again(desired.documents.get(&trial.by), (&trial.by, actual)));
                TrialState::Begins { bake: trial.bake }
            }
            Some(since) => judged(trial, (*since, promoted.now), &actual.alarms),
        };
        if !state.is_over() {
            changes.retain(|change| change.address != *address);
        }
        let (agent, version) = (trial.agent.clone(), trial.version.clone());
        trials.push(Trial { agent, version, address: address.clone(), state });
    }
    trials
}

/// Whether one was changed after the other.
fn is_later(one: &Address, other: &Address, actual: &Actual) -> bool {
    let at = |address| actual.changed_at.get(address);
    at(one).zip(at(other)).is_some_and(|(one, other)| one > other)
}

/// The change that writes a document once more, as it is.
fn again(wanted: Option<&DesiredDocument>, (address, actual): (&Address, &Actual)) -> Option<Change> {
    let found = actual.documents.get(address).filter(|found| found.owned)?;
    Some(compare::change(wanted?, Some(found), Reason::Trial))
}

fn judged(
    trial: &artifact::Trial,
    (since, now): (Timestamp, Timestamp),
    alarms: &BTreeMap<Address, AlarmState>,
) -> TrialState {
    let are = |state: AlarmState| {
        let is = |alarm: &&Address| alarms.get(alarm).copied().unwrap_or(AlarmState::Unknown) == state;
        trial.alarms.iter().filter(is).cloned().collect::<Vec<_>>()
    };
    let ringing = are(AlarmState::Ringing);
    if !ringing.is_empty() {
        return TrialState::Aborted { alarms: ringing };
    }
    let bake = SignedDuration::from_secs(i64::try_from(trial.bake).unwrap_or(i64::MAX));
    let until = since.checked_add(bake).unwrap_or(Timestamp::MAX);
    if now < until {
        return TrialState::Runs { until };
    }
    match are(AlarmState::Unknown) {
        unknown if unknown.is_empty() => TrialState::Passed,
        alarms => TrialState::Unmeasured { alarms },
    }
}
