//! Tests of the whole: a world in a folder, plans computed as the command line computes them, and what may go wrong.

mod crash;
mod engine;
mod faulty;
mod journal;
mod local;
mod lock;
mod memory;
mod stores;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aipolicy_targets::artifact::{Address, Document, Format};
use aipolicy_targets::plan::{Actual, Bindings, Desired, DesiredDocument, FORMAT, Plan, Promoted};
use jiff::Timestamp;

use crate::{
    ApplyError, Clock, Event, Lineage, Local, Options, Provider, Report, Site, State, StatePlace, World,
};

/// A clock that stands still until it is set.
#[derive(Default)]
struct Set(AtomicU64);

impl Clock for Set {
    fn now(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

fn address(text: &str) -> Address {
    text.parse().unwrap()
}

fn json(name: &str, text: &str) -> Document {
    Document { address: address(name), format: Format::Json, text: text.into() }
}

/// Documents that should exist, each with its text and what it needs.
fn desired(documents: &[(&str, &str, &[&str])]) -> Desired {
    let one = |(name, text, needs): &(&str, &str, &[&str])| {
        let needs = needs.iter().map(|need| address(need)).collect();
        (
            address(name),
            DesiredDocument { document: json(name, text), origins: Vec::new(), needs, trial: None },
        )
    };
    Desired { documents: documents.iter().map(one).collect() }
}

fn world_of(provider: impl Provider + 'static) -> World {
    World::new(BTreeMap::from([("iam".to_owned(), Arc::new(provider) as Arc<dyn Provider>)]))
}

fn local_world(folder: &Path) -> World {
    world_of(Local::new(folder.join("world"), "acme"))
}

fn lineage() -> Lineage {
    Lineage { workspace: "acme".into(), environment: "prod".into() }
}

async fn open(folder: &Path) -> State {
    State::open(&StatePlace::Folder(folder.join("state")), lineage()).await.unwrap()
}

fn options() -> Options {
    Options::new("ana@here 1", Arc::new(Set(AtomicU64::new(1_000))))
}

async fn plan(desired: &Desired, world: &World, state: &State) -> Plan {
    let actual = world.observe_all(state.journal()).await.unwrap();
    plan_of(desired, &actual, state)
}

fn plan_of(desired: &Desired, actual: &Actual, state: &State) -> Plan {
    let promoted = Promoted { everybody: false, agents: &BTreeSet::new(), now: Timestamp::UNIX_EPOCH };
    let (changes, foreign, _) = Plan::changes(desired, actual, &promoted);
    let bindings = Bindings {
        tool: "1".into(),
        sources: "s".into(),
        catalog: "c".into(),
        observed: actual.digest(),
        journal: state.journal().head().into(),
    };
    Plan {
        format: FORMAT.into(),
        workspace: "acme".into(),
        environment: "prod".into(),
        providers: BTreeMap::from([("iam".into(), "local".into())]),
        bindings,
        effects: Vec::new(),
        access: Vec::new(),
        changes,
        foreign,
        decisions: vec!["bot may read".into()],
        trials: Vec::new(),
    }
}

async fn run(plan: &Plan, world: &World, state: &mut State) -> Result<Report, ApplyError> {
    crate::engine::carry_out(plan, Site { world, state }, options(), &mut |_| {}).await
}

async fn run_with(plan: &Plan, site: Site<'_>, options: Options) -> (Result<Report, ApplyError>, Vec<Event>) {
    let mut events = Vec::new();
    let report = crate::engine::carry_out(plan, site, options, &mut |event| events.push(event)).await;
    (report, events)
}

/// All files below a folder with their content, for comparing a world with itself.
fn files(folder: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                found.insert(name, String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned());
            }
        }
    }
    found
}

/// Tells a number that a test has found, for `--nocapture`.
fn report(line: &str) {
    std::io::Write::write_all(&mut std::io::stdout(), format!("{line}\n").as_bytes()).unwrap();
}
