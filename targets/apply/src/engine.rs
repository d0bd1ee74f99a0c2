//! Applying a plan: it is verified against the world it was made for, carried out, and written down.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use aipolicy_targets::artifact::{Address, Document};
use aipolicy_targets::plan::{Action, Actual, ApprovedPlan, Change, FORMAT, Plan};
use tokio::sync::watch;

use crate::clock::{Clock, written};
use crate::journal::{Entry, InDoubt, Journal, Places, Status, Unfinished};
use crate::lock::{Claim, Lock};
use crate::outcome::{ApplyError, Event, Report, StaleBinding};
use crate::retry::Patience;
use crate::run::Run;
use crate::state::State;
use crate::world::World;

/// How to apply.
#[derive(Clone)]
pub struct Options {
    /// Who takes the lock, and the clock.
    pub claim: Claim,
    /// How many changes may run at once.
    pub parallelism: usize,
    /// How long a change may wait for a busy world, all pauses together.
    pub retry_budget: Duration,
    /// Turns true to stop: what is in flight ends, nothing new begins.
    pub stop: watch::Receiver<bool>,
    /// What the tool and the sources are now, if the plan was made earlier. The plan is refused if they differ.
    pub inputs: Option<Inputs>,
    /// The commit that holds the sources, if one does: an earlier release is found again by it.
    pub revision: Option<String>,
}

/// What a plan was computed from, apart from the world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inputs {
    /// Version of aipolicy.
    pub tool: String,
    /// Digest of all sources.
    pub sources: String,
    /// Digest of the catalog.
    pub catalog: String,
}

impl Options {
    /// Options for a holder: ten changes at once, two minutes of patience, a lease of one minute, never stopped.
    pub fn new(holder: impl Into<String>, clock: Arc<dyn Clock>) -> Self {
        let (_, stop) = watch::channel(false);
        Self {
            claim: Claim { holder: holder.into(), lease: Duration::from_secs(60), clock },
            parallelism: 10,
            retry_budget: Duration::from_secs(120),
            stop,
            inputs: None,
            revision: None,
        }
    }

    pub(crate) fn patience(&self) -> Patience {
        Patience { budget: self.retry_budget, stop: self.stop.clone() }
    }
}

/// Where a plan is applied.
pub struct Site<'a> {
    /// The world.
    pub world: &'a World,
    /// The state of its environment.
    pub state: &'a mut State,
}

/// Carries out a plan that Cedar let through. It takes the lock for as long as it needs it, and gives it back. A plan
/// without changes is verified and writes nothing at all.
pub async fn apply(
    plan: &ApprovedPlan,
    site: Site<'_>,
    options: Options,
    events: &mut dyn FnMut(Event),
) -> Result<Report, ApplyError> {
    carry_out(plan.plan(), site, options, events).await
}

pub(crate) async fn carry_out(
    plan: &Plan,
    site: Site<'_>,
    options: Options,
    events: &mut dyn FnMut(Event),
) -> Result<Report, ApplyError> {
    let Site { world, state } = site;
    well_formed(plan, state.environment())?;
    if plan.is_empty() {
        unused(plan, state.journal())?;
        fresh(plan, world, state.journal(), &options).await?;
        return Ok(Report {
            release: None,
            status: Status::Complete,
            done: vec![],
            failed: vec![],
            skipped: vec![],
        });
    }
    state.acquire(options.claim.clone()).await?;
    let result = apply_locked(plan, Site { world, state: &mut *state }, options, events).await;
    state.release().await;
    result
}

async fn apply_locked(
    plan: &Plan,
    site: Site<'_>,
    options: Options,
    events: &mut dyn FnMut(Event),
) -> Result<Report, ApplyError> {
    let Site { world, state } = site;
    let _heartbeat = state.lock().map(Lock::heartbeat);
    unused(plan, state.journal())?;
    let actual = fresh(plan, world, state.journal(), &options).await?;
    if let Some(repair) = state.journal().repair() {
        events(Event::Repaired(repair));
    }
    let time = written(options.claim.clock.now());
    if let Some(unfinished) = state.journal().unfinished() {
        resolve(&unfinished, &actual, state, &time).await?;
        events(Event::Resolved { release: unfinished.release });
    }
    let release = state.journal().releases() + 1;
    state.append(&time, &[started(plan, state, (release, options.revision.clone()))]).await?;
    Run::new(plan, Site { world, state }, options, events).all(release).await
}

/// What can be said about a plan without looking at the world.
fn well_formed(plan: &Plan, environment: &str) -> Result<(), ApplyError> {
    if plan.format != FORMAT {
        return Err(ApplyError::OtherFormat(plan.format.clone()));
    }
    if plan.environment != environment {
        let (planned, found) = (plan.environment.clone(), environment.to_owned());
        return Err(ApplyError::OtherEnvironment { planned, found });
    }
    let malformed = plan.changes.iter().find(|change| !says_enough(change));
    let twice = || {
        let mut seen = BTreeSet::new();
        plan.changes.iter().find(|change| !seen.insert(&change.address))
    };
    malformed.or_else(twice).map_or(Ok(()), |change| Err(ApplyError::Malformed(change.address.clone())))
}

fn says_enough(change: &Change) -> bool {
    let names =
        |document: &Option<Document>| document.as_ref().map(|document| document.address == change.address);
    match change.action {
        Action::Create => (names(&change.before), names(&change.after)) == (None, Some(true)),
        Action::Update | Action::Adopt => {
            (names(&change.before), names(&change.after)) == (Some(true), Some(true))
        }
        Action::Delete => (names(&change.before), names(&change.after)) == (Some(true), None),
    }
}

fn unused(plan: &Plan, journal: &Journal) -> Result<(), ApplyError> {
    let digest = plan.digest();
    if journal.used_plan(&digest) { Err(ApplyError::AlreadyApplied { plan: digest }) } else { Ok(()) }
}

/// Verifies that the world is the one that the plan was made for.
async fn fresh(
    plan: &Plan,
    world: &World,
    journal: &Journal,
    options: &Options,
) -> Result<Actual, ApplyError> {
    let mut stale = inputs(plan, journal, options.inputs.as_ref());
    stale.extend(providers(plan, world));
    let actual = options.patience().ask(|| world.observe_all(journal), |_, _| {}).await?;
    if actual.digest() != plan.bindings.observed {
        stale.push(StaleBinding::Observed { changed: changed(plan, &actual) });
    }
    if stale.is_empty() { Ok(actual) } else { Err(ApplyError::Stale(stale)) }
}

fn inputs(plan: &Plan, journal: &Journal, inputs: Option<&Inputs>) -> Vec<StaleBinding> {
    let bound = &plan.bindings;
    let mut pairs = vec![("journal", &bound.journal, journal.head())];
    if let Some(inputs) = inputs {
        pairs.push(("tool", &bound.tool, &inputs.tool));
        pairs.push(("sources", &bound.sources, &inputs.sources));
        pairs.push(("catalog", &bound.catalog, &inputs.catalog));
    }
    let differing = pairs.into_iter().filter(|(_, planned, found)| planned != found);
    differing
        .map(|(name, planned, found)| StaleBinding::Input {
            name,
            planned: planned.clone(),
            found: found.into(),
        })
        .collect()
}

fn providers(plan: &Plan, world: &World) -> impl Iterator<Item = StaleBinding> {
    plan.providers.iter().filter_map(|(target, planned)| {
        let found = world.provider_name(target);
        let (target, planned) = (target.clone(), planned.clone());
        (found != Some(&planned)).then_some(StaleBinding::Provider { target, planned, found })
    })
}

/// Documents that are not what the plan found, or that differ from what was last applied and that the plan leaves alone.
fn changed(plan: &Plan, actual: &Actual) -> Vec<Address> {
    let now = |address: &Address| actual.documents.get(address).map(|found| found.document.digest());
    let planned: BTreeMap<&Address, Option<String>> = plan
        .changes
        .iter()
        .map(|change| (&change.address, change.before.as_ref().map(Document::digest)))
        .collect();
    let touched =
        planned.iter().filter(|(address, before)| now(address) != **before).map(|(address, _)| *address);
    // What waits for a trial is behind what is wanted of it.
    let waits = |address: &Address| plan.trials.iter().any(|trial| trial.address == *address);
    let applied = actual.last_applied.iter();
    let drifted = applied.filter(|(address, last)| {
        !planned.contains_key(address) && !waits(address) && now(address).as_ref() != Some(last)
    });
    let mut changed: Vec<Address> = touched.chain(drifted.map(|(address, _)| address)).cloned().collect();
    changed.sort();
    changed
}

fn started(plan: &Plan, state: &State, (release, revision): (u64, Option<String>)) -> Entry {
    let lease = state.lock().map(|lock| lock.lease().clone());
    let (token, holder) = lease.map(|lease| (lease.token, lease.holder)).unwrap_or_default();
    let (plan_digest, bindings, mut places) = (plan.digest(), plan.bindings.clone(), Places::new());
    for (key, provider) in &plan.providers {
        let target = key.split('/').next().unwrap_or(key);
        places.entry(target.to_owned()).or_default().insert(provider.clone());
    }
    Entry::ReleaseStarted { release, plan: plan_digest, bindings, places, token, holder, revision }
}

/// Finds out by looking what became of a release that died, and ends it.
async fn resolve(
    unfinished: &Unfinished,
    actual: &Actual,
    state: &mut State,
    time: &str,
) -> Result<(), ApplyError> {
    let mut applied = state.journal().last_applied().clone();
    let mut entries = Vec::new();
    for doubt in &unfinished.in_doubt {
        let is_done = was_done(doubt, actual);
        match &doubt.after {
            Some(after) if is_done => drop(applied.insert(doubt.address.clone(), after.clone())),
            None if is_done => drop(applied.remove(&doubt.address)),
            _ => {}
        }
        let error = (!is_done).then(|| "the apply died before it was done".to_owned());
        entries.push(Entry::Outcome { address: doubt.address.clone(), error });
    }
    let decisions = state.journal().last_decisions().to_vec();
    let (release, status) = (unfinished.release, Status::Interrupted);
    entries.push(Entry::ReleaseFinished { release, status, applied, decisions });
    Ok(state.append(time, &entries).await?)
}

fn was_done(doubt: &InDoubt, actual: &Actual) -> bool {
    let found = actual.documents.get(&doubt.address).filter(|found| found.owned);
    found.map(|found| found.document.digest()) == doubt.after
}
