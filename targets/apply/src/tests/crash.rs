//! Killed at any instant: the next plan and apply repair, with nothing lost, doubled, orphaned or taken from others.

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, Hasher as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use aipolicy_targets::artifact::Address;
use aipolicy_targets::plan::Desired;

use super::faulty::{Faults, Faulty};
use super::{desired, files, local_world, open, options, plan, run, run_with, world_of};
use crate::{Site, Status};

const FOLDER: &str = "AIPOLICY_CRASH_FOLDER";
const ROUND: &str = "AIPOLICY_CRASH_ROUND";
const AT: &str = "AIPOLICY_CRASH_AT";
const KILLS: &str = "AIPOLICY_KILLS";

/// Some thirty documents, of which each round changes a third, drops some and brings some.
fn wanted(round: u64) -> Desired {
    let mut all = Desired::default();
    for number in 0..36_u64 {
        let (role, policy) = (format!("iam/Role/r{number}"), format!("iam/Policy/p{number}"));
        let text = format!("\"{}\"", if number % 3 == round % 3 { round } else { 0 });
        if number % 6 == round % 6 {
            continue;
        }
        match number % 2 {
            0 => all.documents.extend(desired(&[(&policy, &text, &[])]).documents),
            _ => {
                let need = format!("iam/Policy/p{}", number - 1);
                all.documents.extend(desired(&[(&role, &text, &[&need])]).documents);
            }
        }
    }
    all
}

/// What a child process does when a test of this module starts it; nothing otherwise.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let folder = Path::new(&folder);
    let round = std::env::var(ROUND).unwrap().parse().unwrap();
    let killed_at = std::env::var(AT).ok().map(|at| at.parse().unwrap());
    let (provider, _) = Faulty::new(folder, Faults { killed_at, ..Faults::default() });
    let (world, mut state) = (world_of(provider), open(folder).await);
    let plan = plan(&wanted(round), &world, &state).await;
    let mut options = options();
    options.parallelism = 4;
    let (report, _) = run_with(&plan, Site { world: &world, state: &mut state }, options).await;
    assert_eq!(report.unwrap().status, Status::Complete);
}

fn start(folder: &Path, round: u64, at: Option<usize>) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "tests::crash::child"]).stdout(Stdio::null()).stderr(Stdio::null());
    command.env(FOLDER, folder).env(ROUND, round.to_string());
    if let Some(at) = at {
        command.env(AT, at.to_string());
    }
    command.spawn().unwrap()
}

fn foreign(folder: &Path) {
    let kind = folder.join("world/iam/Role");
    std::fs::create_dir_all(&kind).unwrap();
    std::fs::write(kind.join("foreign.json"), "theirs").unwrap();
    std::fs::write(kind.join("r7.yaml"), "theirs").unwrap();
}

/// After a kill: nothing half-written counts, and one plan and apply bring the world to what is wanted.
async fn converges(folder: &Path, round: u64) -> bool {
    let (world, mut state) = (local_world(folder), open(folder).await);
    let was_unfinished = state.journal().unfinished().is_some();
    let possible: Vec<String> = (0..=round).map(|round| format!("\"{round}\"")).collect();
    for found in
        world.observe_all(state.journal()).await.unwrap().documents.values().filter(|found| found.owned)
    {
        assert!(possible.contains(&found.document.text), "{found:?}");
    }
    let repairing = plan(&wanted(round), &world, &state).await;
    let report = run(&repairing, &world, &mut state).await.unwrap();
    assert_eq!((report.status, report.failed.len(), report.skipped.len()), (Status::Complete, 0, 0));
    let state = open(folder).await;
    assert!(plan(&wanted(round), &world, &state).await.is_empty());
    settled(folder, round, !repairing.is_empty()).await;
    was_unfinished
}

/// The world holds exactly what is wanted and what is foreign, and marks and journal say so.
async fn settled(folder: &Path, round: u64, was_repaired: bool) {
    let mut expected: BTreeMap<String, String> = wanted(round)
        .documents
        .values()
        .filter(|wanted| wanted.document.address.name != "r7")
        .map(|wanted| (wanted.document.file(), wanted.document.text.clone()))
        .collect();
    let marks: Vec<String> = expected.keys().cloned().collect();
    expected.insert("iam/Role/foreign.json".into(), "theirs".into());
    expected.insert("iam/Role/r7.yaml".into(), "theirs".into());
    let mut found = files(&folder.join("world"));
    let owned: serde_json::Value = serde_json::from_str(&found.remove(".owned.json").unwrap()).unwrap();
    found.retain(|file, _| was_repaired || !file.ends_with("-tmp"));
    assert_eq!(found, expected);
    let owned = owned["files"].as_object().unwrap().keys().cloned();
    // Without a repair there was no write, so a mark may be left of a file that is gone; the next write sweeps it.
    let owned: Vec<String> = owned.filter(|file| was_repaired || expected.contains_key(file)).collect();
    assert_eq!(owned, marks);
    if was_repaired {
        let applied = open(folder).await.journal().last_applied().clone();
        let names: Vec<String> = applied.keys().map(|address: &Address| format!("{address}.json")).collect();
        assert_eq!(names, marks);
    }
}

/// Waits until the child began its release, so that kills fall into the apply and not into the start of a process.
fn await_release(folder: &Path, child: &mut Child) {
    let size = || std::fs::metadata(folder.join("state/prod/journal.jsonl")).map_or(0, |found| found.len());
    let before = size();
    while size() == before && child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_micros(100));
    }
}

fn random() -> u64 {
    std::hash::RandomState::new().build_hasher().finish()
}

/// How many kills there were, fell into a release, and came too late.
#[derive(Debug, Default)]
struct Tally {
    kills: u64,
    within: u64,
    late: u64,
}

/// Kills a few applies in a world of their own; most within the release, some anywhere.
async fn kill_some(rounds: u64, tally: &mut Tally) {
    let folder = tempfile::tempdir().unwrap();
    foreign(folder.path());
    let begun = Instant::now();
    let mut first = start(folder.path(), 0, None);
    await_release(folder.path(), &mut first);
    let released = Instant::now();
    assert!(first.wait().unwrap().success());
    let (whole, applying) = (begun.elapsed(), released.elapsed());
    for round in 1..=rounds {
        let mut child = start(folder.path(), round, None);
        let window = if round % 4 == 0 { whole } else { applying };
        if round % 4 > 0 {
            await_release(folder.path(), &mut child);
        }
        std::thread::sleep(Duration::from_micros(random() % window.as_micros() as u64));
        child.kill().unwrap();
        tally.kills += 1;
        tally.late += u64::from(child.wait().unwrap().success());
        tally.within += u64::from(converges(folder.path(), round).await);
    }
}

#[tokio::test]
async fn killed_at_random_it_converges() {
    let kills: u64 = std::env::var(KILLS).ok().map_or(25, |kills| kills.parse().unwrap());
    let (begun, mut tally) = (Instant::now(), Tally::default());
    while tally.kills < kills {
        kill_some((kills - tally.kills).min(9), &mut tally).await;
    }
    let line = format!("{tally:?} in {:?}\n", begun.elapsed());
    std::io::Write::write_all(&mut std::io::stdout(), line.as_bytes()).unwrap();
    assert!(tally.within * 4 >= kills, "{line}");
}

#[tokio::test]
async fn killed_before_and_after_each_call_it_converges() {
    let step = if std::env::var(KILLS).is_ok() { 1 } else { 4 };
    let folder = tempfile::tempdir().unwrap();
    foreign(folder.path());
    assert!(start(folder.path(), 0, None).wait().unwrap().success());
    let (mut killed, mut round, mut at) = (0, 0, 1);
    loop {
        round += 1;
        let ended = start(folder.path(), round, Some(at)).wait().unwrap();
        converges(folder.path(), round).await;
        if ended.success() {
            break;
        }
        killed += 1;
        at += step;
    }
    let line = format!("killed before and after calls: {killed} times\n");
    std::io::Write::write_all(&mut std::io::stdout(), line.as_bytes()).unwrap();
    assert!(killed >= 5, "{killed}");
}
