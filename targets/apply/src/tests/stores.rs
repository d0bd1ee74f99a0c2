//! State in files and in objects: what both promise, and what only objects have to be asked about.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use aipolicy_targets::plan::Desired;

use super::memory::{Fault, Memory};
use super::{Set, address, desired, lineage, local_world, options, plan, report, run};
use crate::journal::Lineage;
use crate::lock::object;
use crate::objects::Objects;
use crate::store::{Files, Shared, Store};
use crate::{
    ApplyError, Claim, Entry, Journal, JournalError, LockError, ObjectError, State, StateError, Status,
};

/// Both stores, the first in a folder.
fn both(folder: &Path) -> [Arc<dyn Store>; 2] {
    [Arc::new(Files(folder.join("state"))), Arc::new(Shared(Arc::new(Memory::default())))]
}

fn shared(memory: &Memory) -> Arc<dyn Store> {
    Arc::new(Shared(Arc::new(memory.clone())))
}

fn objects(memory: &Memory) -> Arc<dyn Objects> {
    Arc::new(memory.clone())
}

async fn opened(store: &Arc<dyn Store>) -> State {
    State::of(Arc::clone(store), lineage()).await.unwrap()
}

fn claim(holder: &str) -> Claim {
    Claim { holder: holder.into(), ..options().claim }
}

fn outcome(name: &str) -> Entry {
    Entry::Outcome { address: address(name), error: None }
}

fn wanted(round: usize) -> Desired {
    let text = format!("\"{round}\"");
    let documents = [("iam/Policy/p", 0), ("iam/Role/r", 1), ("iam/Role/s", 2)];
    let documents: Vec<_> =
        documents.into_iter().filter(|(_, out)| round % 4 != *out || round == 0).collect();
    let documents: Vec<(&str, &str, &[&str])> =
        documents.iter().map(|(name, _)| (*name, text.as_str(), &[] as &[&str])).collect();
    desired(&documents)
}

#[tokio::test]
async fn what_is_written_is_read_and_one_holder_writes() {
    let folder = tempfile::tempdir().unwrap();
    for store in both(folder.path()) {
        let mut first = opened(&store).await;
        assert_eq!(first.append("t", &[outcome("iam/Role/a")]).await, Err(StateError::NotLocked));
        first.acquire(claim("ana")).await.unwrap();
        assert_eq!(first.lock().unwrap().lease().token, 1);
        for number in 0..200 {
            first.append("t", &[outcome(&format!("iam/Role/r{number}"))]).await.unwrap();
            first.lock().unwrap().renew().await.unwrap();
        }
        let mut second = opened(&store).await;
        assert_eq!(second.journal().head(), first.journal().head());
        let held = second.acquire(claim("bob")).await;
        assert!(matches!(held, Err(StateError::Lock(LockError::Held { holder, .. })) if holder == "ana"));
        assert_eq!(first.holder().await.unwrap().unwrap().holder, "ana");
        first.release().await;
        assert_eq!(first.holder().await.unwrap(), None);
        second.acquire(claim("bob")).await.unwrap();
        assert_eq!(second.lock().unwrap().lease().token, 2);
        second.append("t", &[outcome("iam/Role/b")]).await.unwrap();
        second.release().await;
        assert_ne!(opened(&store).await.journal().head(), first.journal().head());
    }
}

#[tokio::test]
async fn a_broken_lock_ends_its_holder_and_a_token_never_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    for store in both(folder.path()) {
        let (mut late, mut next) = (opened(&store).await, opened(&store).await);
        late.acquire(claim("ana")).await.unwrap();
        assert_eq!(next.break_lock().await.unwrap().unwrap().holder, "ana");
        assert_eq!(next.break_lock().await.unwrap(), None);
        let lost = |current| Err(StateError::Lock(LockError::Lost { token: 1, current }));
        assert_eq!(late.append("t", &[outcome("iam/Role/a")]).await, lost(2));
        next.acquire(claim("bob")).await.unwrap();
        assert_eq!(next.lock().unwrap().lease().token, 3);
        assert_eq!(late.append("t", &[outcome("iam/Role/a")]).await, lost(3));
        assert_eq!(late.lock().unwrap().renew().await.map_err(StateError::Lock), lost(3));
        late.release().await;
        assert_eq!(next.holder().await.unwrap().unwrap().holder, "bob", "it is not given back by another");
        next.append("t", &[outcome("iam/Role/a")]).await.unwrap();
    }
}

#[tokio::test]
async fn the_state_of_another_environment_or_workspace_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for store in both(folder.path()) {
        let mut state = opened(&store).await;
        state.acquire(claim("ana")).await.unwrap();
        state.append("t", &[outcome("iam/Role/a")]).await.unwrap();
        for (workspace, environment) in [("acme", "staging"), ("other", "prod")] {
            let lineage = Lineage { workspace: workspace.into(), environment: environment.into() };
            let found = State::of(Arc::clone(&store), lineage).await.err();
            assert_eq!(found, Some(StateError::Journal(JournalError::OtherLineage)));
        }
    }
}

#[tokio::test]
async fn a_plan_is_applied_once_by_one_of_many() {
    for round in 0..5 {
        let folder = tempfile::tempdir().unwrap();
        for store in both(folder.path()) {
            let world = local_world(&folder.path().join(format!("{round}")));
            let _none = std::fs::remove_dir_all(folder.path().join(format!("{round}")));
            let plan = plan(&wanted(round), &world, &opened(&store).await).await;
            let (mut applies, side_by_side) = (tokio::task::JoinSet::new(), tokio::task::LocalSet::new());
            for _ in 0..8 {
                let (plan, world, store) = (plan.clone(), world.clone(), Arc::clone(&store));
                let apply = async move { run(&plan, &world, &mut opened(&store).await).await };
                applies.spawn_local_on(apply, &side_by_side);
            }
            let ends = side_by_side.run_until(applies.join_all()).await;
            let won = ends.iter().filter(|end| end.is_ok()).count();
            let others_are_kept_out = ends.iter().filter_map(|end| end.as_ref().err()).all(|error| {
                matches!(
                    error,
                    ApplyError::State(StateError::Lock(LockError::Held { .. }))
                        | ApplyError::AlreadyApplied { .. }
                )
            });
            assert!(won == 1 && others_are_kept_out, "{ends:?}");
            assert_eq!(opened(&store).await.journal().releases(), 1);
        }
    }
}

#[tokio::test]
async fn segments_are_bounded_and_a_write_costs_the_same_however_long_the_journal_is() {
    let memory = Memory::default();
    let mut state = opened(&shared(&memory)).await;
    state.acquire(claim("ana")).await.unwrap();
    let long = Entry::Outcome { address: address("iam/Role/r"), error: Some("e".repeat(2_000)) };
    for _ in 0..200 {
        let before = memory.writes();
        state.append("t", std::slice::from_ref(&long)).await.unwrap();
        // A segment and the record of the head, and that record once more for the first.
        assert!(memory.writes() - before <= if before == 1 { 3 } else { 2 });
    }
    let all = memory.all();
    let sizes: Vec<usize> =
        all.iter().filter(|(name, _)| name.starts_with("journal/")).map(|(_, bytes)| bytes.len()).collect();
    assert!(sizes.len() > 5 && sizes.iter().all(|size| *size < (64 << 10) + 3_000), "{sizes:?}");
    assert_eq!(opened(&shared(&memory)).await.journal().head(), state.journal().head());
}

/// Some releases, the last of which died.
async fn written(memory: &Memory, folder: &Path) {
    let store = shared(memory);
    for round in 0..3 {
        let world = local_world(folder);
        let mut state = opened(&store).await;
        let plan = plan(&wanted(round), &world, &state).await;
        run(&plan, &world, &mut state).await.unwrap();
    }
    let mut state = opened(&store).await;
    state.acquire(claim("ana")).await.unwrap();
    let long = Entry::Outcome { address: address("iam/Role/r"), error: Some("e".repeat(30_000)) };
    for _ in 0..3 {
        state.append("t", std::slice::from_ref(&long)).await.unwrap();
    }
    state.append("t", &[outcome("iam/Role/x")]).await.unwrap();
    state.release().await;
}

async fn read(memory: &Memory) -> Result<Journal, JournalError> {
    Journal::in_objects(&objects(memory), &lineage()).await
}

#[tokio::test]
async fn whatever_is_cut_flipped_missing_or_rolled_back_is_found() {
    let (folder, memory) = (tempfile::tempdir().unwrap(), Memory::default());
    written(&memory, folder.path()).await;
    let all = memory.all();
    let names: Vec<_> = all.keys().filter(|name| *name != "lock.json").cloned().collect();
    assert_eq!(names, ["journal.head", "journal/000000000001.jsonl", "journal/000000000002.jsonl"]);
    let head = read(&memory).await.unwrap().head().to_owned();
    let refused = async |changed: &BTreeMap<String, Vec<u8>>, what: &str| {
        memory.set(changed);
        assert!(read(&memory).await.is_err(), "{what}");
    };
    let (mut cuts, mut flips) = (0, 0);
    for name in &names {
        let bytes = &all[name];
        let step = (bytes.len() / 3_000).max(1);
        for length in (0..bytes.len()).step_by(step) {
            let cut = BTreeMap::from([(name.clone(), bytes[..length].to_vec())]);
            refused(&all.clone().into_iter().chain(cut).collect(), &format!("{name} cut at {length}")).await;
            cuts += 1;
        }
        for at in 0..1_000 {
            let mut flipped = bytes.clone();
            flipped[at * 7_919 % bytes.len()] ^= 1 << (at % 8);
            let flip = BTreeMap::from([(name.clone(), flipped)]);
            refused(&all.clone().into_iter().chain(flip).collect(), &format!("{name} flipped {at}")).await;
            flips += 1;
        }
        let mut missing = all.clone();
        missing.remove(name);
        refused(&missing, &format!("{name} missing")).await;
    }
    report(&format!("{cuts} cuts and {flips} flips, each found"));
    memory.set(&all);
    assert_eq!(read(&memory).await.unwrap().head(), head);
}

#[tokio::test]
async fn an_older_version_is_found_but_for_one_of_everything() {
    let (folder, memory) = (tempfile::tempdir().unwrap(), Memory::default());
    let store = shared(&memory);
    let mut versions = Vec::new();
    let mut state = opened(&store).await;
    state.acquire(claim("ana")).await.unwrap();
    for number in 0..12 {
        let long =
            Entry::Outcome { address: address("iam/Role/r"), error: Some(format!("{number}").repeat(9_000)) };
        state.append("t", &[long]).await.unwrap();
        versions.push(memory.all());
    }
    let last = versions.pop().unwrap();
    let mut found = 0;
    for version in &versions {
        // Segments of an older version, whichever they are, with the record of the head as it is.
        for name in last.keys().filter(|name| name.starts_with("journal/")) {
            let mut mixed = last.clone();
            match version.get(name) {
                Some(bytes) if bytes == &last[name] => continue,
                Some(bytes) => drop(mixed.insert(name.clone(), bytes.clone())),
                None => drop(mixed.remove(name)),
            }
            memory.set(&mixed);
            assert!(read(&memory).await.is_err(), "{name}");
            found += 1;
        }
        // The whole journal of an older version is one that was so once. What was planned since is refused, and what was
        // applied since is told as changed by somebody else.
        memory.set(version);
        let rolled_back = read(&memory).await.unwrap();
        assert_ne!(rolled_back.head(), state.journal().head());
    }
    assert!(found > 10, "{found}");
    memory.set(&last);
    drop(folder);
}

/// Kills an apply at each of its writes, before and after, and loses each answer. One further apply repairs.
#[tokio::test]
async fn whatever_write_is_the_last_one_more_apply_repairs() {
    let mut kills = 0;
    for fault in [Fault::Before, Fault::After, Fault::Unheard] {
        for write in 1.. {
            let (folder, memory) = (tempfile::tempdir().unwrap(), Memory::default());
            let (world, store) = (local_world(folder.path()), shared(&memory));
            let first = plan(&wanted(0), &world, &opened(&store).await).await;
            run(&first, &world, &mut opened(&store).await).await.unwrap();
            let (round, mut state) = (1, opened(&store).await);
            let second = plan(&wanted(round), &world, &state).await;
            memory.fails_at(write, fault);
            let ended = run(&second, &world, &mut state).await;
            if memory.writes() < write {
                ended.unwrap();
                break;
            }
            kills += 1;
            if fault == Fault::Unheard {
                assert_eq!(ended.unwrap().status, Status::Complete, "an answer that is lost is looked for");
            }
            memory.heals();
            // The holder is a process that lives, so that its lease has to end.
            memory.passes(Duration::from_secs(60));
            let mut state = opened(&store).await;
            let repair = plan(&wanted(round), &world, &state).await;
            run(&repair, &world, &mut state).await.unwrap();
            let state = opened(&store).await;
            assert!(plan(&wanted(round), &world, &state).await.is_empty(), "{fault:?} at {write}");
            // Where all was done and not written down, there is nothing to repair, and nothing is written.
            if !repair.is_empty() {
                assert_eq!(state.journal().unfinished(), None, "{fault:?} at {write}");
                let applied: Vec<_> = state.journal().last_applied().keys().cloned().collect();
                let documents: Vec<_> = wanted(round).documents.into_keys().collect();
                assert_eq!(applied, documents, "{fault:?} at {write}");
            }
        }
    }
    report(&format!("{kills} writes that were the last, or unheard"));
    assert!(kills > 30, "{kills}");
}

#[tokio::test]
async fn a_late_writer_loses_by_whatever_it_writes_first() {
    let memory = Memory::default();
    let store = shared(&memory);
    for is_full in [false, true] {
        memory.set(&BTreeMap::new());
        let mut state = opened(&store).await;
        state.acquire(claim("ana")).await.unwrap();
        let size = if is_full { 70_000 } else { 10 };
        let long = Entry::Outcome { address: address("iam/Role/r"), error: Some("e".repeat(size)) };
        state.append("t", &[long]).await.unwrap();
        state.release().await;
        let (mut late, mut next) = (read(&memory).await.unwrap(), read(&memory).await.unwrap());
        next.append("t", &[outcome("iam/Role/a")]).await.unwrap();
        // Even the same entries at the same time are not the same lines after others.
        assert_eq!(late.append("u", &[outcome("iam/Role/a")]).await, Err(JournalError::Moved));
        read(&memory).await.unwrap();
    }
}

#[tokio::test]
async fn a_holder_elsewhere_counts_until_the_service_has_not_heard_of_it_for_its_lease() {
    let (memory, clock) = (Memory::default(), Arc::new(Set(AtomicU64::new(5_000))));
    let all = objects(&memory);
    let claim = |holder: &str| Claim {
        holder: holder.into(),
        lease: Duration::from_secs(60),
        clock: Arc::<Set>::clone(&clock),
    };
    let held = object::acquire(&all, claim("ana@there 1"), 0).await.unwrap();
    // Another machine: its processes are not to be seen.
    let text = String::from_utf8(memory.all()["lock.json"].clone()).unwrap();
    let machine = &held.lease().machine.clone();
    memory.set(&BTreeMap::from([("lock.json".to_owned(), text.replace(machine, "there").into_bytes())]));
    // Whatever our own clock says.
    for now in [0, 5_000, u64::MAX] {
        clock.0.store(now, Ordering::SeqCst);
        let refused = object::acquire(&all, claim("bob"), 0).await.err().unwrap();
        assert_eq!(refused, LockError::Held { holder: "ana@there 1".into(), since: 5_000 });
    }
    memory.passes(Duration::from_secs(59));
    object::acquire(&all, claim("bob"), 0).await.err().unwrap();
    memory.passes(Duration::from_secs(1));
    let taken = object::acquire(&all, claim("bob"), 7).await.unwrap();
    assert_eq!(taken.lease().token, 8, "above all that was seen");
    assert_eq!(held.check().await, Err(LockError::Lost { token: 1, current: 8 }));
    assert_eq!(held.renew().await, Err(LockError::Lost { token: 1, current: 8 }));
    held.release().await;
    taken.check().await.unwrap();
    // A sign of life counts from when the service hears of it.
    memory.passes(Duration::from_secs(59));
    taken.renew().await.unwrap();
    memory.passes(Duration::from_secs(59));
    object::acquire(&all, claim("cyd"), 0).await.err().unwrap();
}

#[tokio::test]
async fn a_process_that_was_killed_keeps_nobody_out() {
    let memory = Memory::default();
    let all = objects(&memory);
    let held = object::acquire(&all, claim("ana"), 0).await.unwrap();
    object::acquire(&all, claim("bob"), 0).await.err().expect("this process lives");
    let text = String::from_utf8(memory.all()["lock.json"].clone()).unwrap();
    let mut child = std::process::Command::new("true").spawn().unwrap();
    let (own, other) = (format!("\"id\": {}", std::process::id()), format!("\"id\": {}", child.id()));
    assert!(text.contains(&own), "{text}");
    // One that has ended, whether somebody took notice or not, and one that has our number and was started at another time.
    let set = |text: String| memory.set(&BTreeMap::from([("lock.json".to_owned(), text.into_bytes())]));
    std::thread::sleep(Duration::from_millis(200));
    set(text.replace(&own, &other));
    drop(object::acquire(&all, claim("bob"), 0).await.unwrap());
    child.wait().unwrap();
    set(text.replace(&own, &other));
    drop(object::acquire(&all, claim("bob"), 0).await.unwrap());
    set(text.replace("\"started\": ", "\"started\": 1"));
    drop(object::acquire(&all, claim("bob"), 0).await.unwrap());
    drop(held);
}

#[tokio::test]
async fn of_many_who_want_the_lock_one_gets_it() {
    let memory = Memory::default();
    let all = objects(&memory);
    for round in 1..=20 {
        let mut tries = tokio::task::JoinSet::new();
        for number in 0..8 {
            let all = Arc::clone(&all);
            tries.spawn(async move { object::acquire(&all, claim(&format!("h{number}")), 0).await });
        }
        let mut ends = tries.join_all().await;
        let held = ends.iter().position(Result::is_ok).unwrap();
        let held = ends.swap_remove(held).unwrap();
        assert!(ends.iter().all(|end| matches!(end, Err(LockError::Held { .. }))));
        assert_eq!(held.lease().token, round);
        held.release().await;
    }
}

#[tokio::test]
async fn what_nobody_wrote_is_refused_and_not_overwritten() {
    let memory = Memory::default();
    let all = objects(&memory);
    for text in ["", "{}", r#"{"format":"aipolicy.lease/9","token":1,"beat":0,"holder":null}"#] {
        memory.set(&BTreeMap::from([("lock.json".to_owned(), text.as_bytes().to_vec())]));
        let refused = object::acquire(&all, claim("ana"), 0).await.err().unwrap();
        assert!(matches!(refused, LockError::Unreadable { file: "lock.json", .. }), "{refused}");
        assert_eq!(memory.all()["lock.json"], text.as_bytes());
    }
    memory.set(&BTreeMap::from([
        (
            "journal.head".to_owned(),
            b"{\"format\":\"aipolicy.journal-head/1\",\"sequence\":0,\"digest\":\"\"}\n".to_vec(),
        ),
        ("journal/000000000001.jsonl".to_owned(), vec![0xff, b'\n']),
    ]));
    let refused = read(&memory).await.err();
    assert!(matches!(refused, Some(JournalError::Object(ObjectError::Damaged { .. }))), "{refused:?}");
}
