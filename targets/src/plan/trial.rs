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
        let is_behind = is_later(&trial.by, address, actual);
        match change.reason {
            Reason::SourcesAndDrift if is_behind => change.reason = Reason::Sources,
            Reason::Drift if is_behind => change.reason = Reason::References,
            Reason::Sources
            | Reason::SourcesAndDrift
            | Reason::Drift
            | Reason::References
            | Reason::Trial => {}
        }
        if !matches!(change.reason, Reason::Sources | Reason::SourcesAndDrift) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::{Document, Format};
    use crate::plan::{Observed, Plan};

    const NEW: &str = "bedrock/AgentAlias/a.prod-canary";
    const CALLERS: &str = "bedrock/AgentAlias/a.prod";
    const ALARM: &str = "bedrock/Alarm/a-canary-errors-2";

    fn address(text: &str) -> Address {
        text.parse().unwrap()
    }

    fn document(address: &str, text: &str) -> Document {
        Document { address: address.parse().unwrap(), format: Format::Json, text: text.into() }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    /// A world in which both have the first version, or the one that is tried the second, and what is wanted of it: the second.
    struct World {
        desired: Desired,
        actual: Actual,
    }

    impl World {
        fn new(tried: &str, callers: Option<&str>) -> Self {
            let (mut desired, mut actual) = (Desired::default(), Actual::default());
            let trial = artifact::Trial {
                agent: "a".into(),
                version: "2".into(),
                by: address(NEW),
                bake: 3600,
                alarms: vec![address(ALARM)],
            };
            let found = [(NEW, Some(tried), None), (CALLERS, callers, Some(trial))];
            for (name, found, trial) in found {
                let wanted = DesiredDocument {
                    document: document(name, "{\"v\":2}"),
                    origins: Vec::new(),
                    needs: Vec::new(),
                    trial,
                };
                desired.documents.insert(address(name), wanted);
                if let Some(text) = found {
                    let document = document(name, text);
                    actual.last_applied.insert(address(name), document.digest());
                    actual.documents.insert(address(name), Observed { document, owned: true });
                }
            }
            Self { desired, actual }
        }

        fn tried_since(mut self, seconds: i64) -> Self {
            self.actual.changed_at.insert(address(NEW), at(seconds));
            self
        }

        fn alarm(mut self, state: AlarmState) -> Self {
            self.actual.alarms.insert(address(ALARM), state);
            self
        }

        /// What is changed, with the reasons, and how the trial goes.
        fn plan(&self, now: i64, promoted: &[&str]) -> (Vec<(String, Reason)>, Option<TrialState>) {
            let agents = promoted.iter().map(|name| (*name).to_owned()).collect();
            let promoted = Promoted { everybody: false, agents: &agents, now: at(now) };
            let (changes, _, trials) = Plan::changes(&self.desired, &self.actual, &promoted);
            let told = changes.iter().map(|change| (change.address.to_string(), change.reason));
            (told.collect(), trials.into_iter().next().map(|trial| trial.state))
        }
    }

    const FIRST: &str = "{\"v\":1}";
    const SECOND: &str = "{\"v\":2}";

    fn only(address: &str, reason: Reason) -> Vec<(String, Reason)> {
        vec![(address.to_owned(), reason)]
    }

    #[test]
    fn a_new_version_is_tried_before_callers_get_it() {
        let world = World::new(FIRST, Some(FIRST)).alarm(AlarmState::Quiet);
        let begins = Some(TrialState::Begins { bake: 3600 });
        assert_eq!(world.plan(0, &[]), (only(NEW, Reason::Sources), begins));
        let world = World::new(SECOND, Some(FIRST)).alarm(AlarmState::Quiet).tried_since(1000);
        let runs = Some(TrialState::Runs { until: at(4600) });
        assert_eq!(world.plan(4599, &[]), (Vec::new(), runs), "one second is left");
        assert_eq!(world.plan(4600, &[]), (only(CALLERS, Reason::Sources), Some(TrialState::Passed)));
    }

    #[test]
    fn callers_do_not_get_what_made_an_alarm_ring_or_was_never_measured() {
        let rang = World::new(SECOND, Some(FIRST)).alarm(AlarmState::Ringing).tried_since(1000);
        let aborted = Some(TrialState::Aborted { alarms: vec![address(ALARM)] });
        assert_eq!(rang.plan(1001, &[]), (Vec::new(), aborted.clone()), "at once");
        assert_eq!(rang.plan(1_000_000, &[]), (Vec::new(), aborted), "and for good");
        let unmeasured = Some(TrialState::Unmeasured { alarms: vec![address(ALARM)] });
        let silent = World::new(SECOND, Some(FIRST)).alarm(AlarmState::Unknown).tried_since(1000);
        assert_eq!(silent.plan(1_000_000, &[]), (Vec::new(), unmeasured.clone()));
        let gone = World::new(SECOND, Some(FIRST)).tried_since(1000);
        assert_eq!(
            gone.plan(1_000_000, &[]),
            (Vec::new(), unmeasured),
            "an alarm that is not there says nothing"
        );
    }

    #[test]
    fn somebody_may_want_callers_to_have_it_at_once() {
        let promoted = Some(TrialState::Promoted);
        let rang = World::new(SECOND, Some(FIRST)).alarm(AlarmState::Ringing).tried_since(1000);
        assert_eq!(rang.plan(1001, &["a"]), (only(CALLERS, Reason::Sources), promoted.clone()));
        assert_eq!(rang.plan(1001, &["b"]).0, Vec::new(), "another agent is another matter");
        let (changes, state) = World::new(FIRST, Some(FIRST)).plan(0, &["a"]);
        assert_eq!((changes.len(), state), (2, promoted), "with the version that is tried");
    }

    #[test]
    fn a_trial_of_which_nobody_knows_the_begin_begins_anew() {
        let world = World::new(SECOND, Some(FIRST)).alarm(AlarmState::Quiet);
        let begins = Some(TrialState::Begins { bake: 3600 });
        assert_eq!(world.plan(1_000_000, &[]), (only(NEW, Reason::Trial), begins));
    }

    #[test]
    fn the_first_version_and_what_others_changed_wait_for_nothing() {
        let (changes, trial) = World::new(SECOND, None).plan(0, &[]);
        assert_eq!((changes, trial), (only(CALLERS, Reason::Sources), None), "nobody has another one");
        let mut world = World::new(SECOND, Some(FIRST)).tried_since(1000);
        let wanted = world.desired.documents[&address(CALLERS)].document.digest();
        world.actual.last_applied.insert(address(CALLERS), wanted);
        assert_eq!(world.plan(1001, &[]), (only(CALLERS, Reason::Drift), None), "they have had it before");
        let mut touched = World::new(FIRST, Some(FIRST));
        touched.actual.last_applied.insert(address(CALLERS), "what we wrote".into());
        let (changes, _) = touched.plan(0, &["a"]);
        assert!(
            changes.contains(&(CALLERS.to_owned(), Reason::SourcesAndDrift)),
            "somebody did: {changes:?}"
        );
        world.actual.changed_at.insert(address(CALLERS), at(999));
        let follows = (only(CALLERS, Reason::References), None);
        assert_eq!(world.plan(1001, &[]), follows, "it was cut once more, and nobody else did anything");
    }
}
