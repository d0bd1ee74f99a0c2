//! The engine: stale and used plans, failures, side by side, stopping, retrying, and nothing to do.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use aipolicy_targets::plan::{Action, Desired};

use super::faulty::{Faults, Faulty, Seen};
use super::{address, desired, files, local_world, open, options, plan, run, run_with, world_of};
use crate::{
    ApplyError, Claim, Event, Inputs, LockError, Report, Site, Skip, StaleBinding, StateError, Status, World,
    WorldError,
};

fn three() -> Desired {
    desired(&[
        ("iam/Policy/p", "1", &[]),
        ("iam/Role/r", "2", &["iam/Policy/p"]),
        ("iam/Agent/a", "3", &["iam/Role/r"]),
    ])
}

fn faulty_world(folder: &Path, faults: Faults) -> (World, Arc<Seen>) {
    let (provider, seen) = Faulty::new(folder, faults);
    (world_of(provider), seen)
}

fn names(report: &Report) -> Vec<String> {
    report.done.iter().map(ToString::to_string).collect()
}

fn stale(error: Result<Report, ApplyError>) -> Vec<StaleBinding> {
    match error {
        Err(ApplyError::Stale(bindings)) => bindings,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_is_needed_comes_first_and_the_next_plan_is_empty_and_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (world, mut state) = (local_world(folder.path()), open(folder.path()).await);
    let first = plan(&three(), &world, &state).await;
    let report = run(&first, &world, &mut state).await.unwrap();
    assert_eq!(names(&report), ["iam/Policy/p", "iam/Role/r", "iam/Agent/a"]);
    assert_eq!((report.release, report.status), (Some(1), Status::Complete));
    assert_eq!(state.journal().last_decisions(), ["bot may read"]);
    assert_eq!(state.journal().last_applied().len(), 3);
    let before = files(folder.path());
    let mut state = open(folder.path()).await;
    let second = plan(&three(), &world, &state).await;
    assert!(second.is_empty());
    let report = run(&second, &world, &mut state).await.unwrap();
    assert_eq!((report.release, names(&report).len()), (None, 0));
    assert_eq!(files(folder.path()), before);
    let third = plan(&desired(&[("iam/Policy/p", "9", &[])]), &world, &state).await;
    let report = run(&third, &world, &mut state).await.unwrap();
    assert_eq!(names(&report)[0], "iam/Policy/p");
    assert_eq!(state.journal().last_applied().len(), 1);
    assert_eq!(files(folder.path()).keys().filter(|file| file.starts_with("world/iam/")).count(), 1);
}

#[tokio::test]
async fn a_plan_is_applied_once() {
    let folder = tempfile::tempdir().unwrap();
    let (world, mut state) = (local_world(folder.path()), open(folder.path()).await);
    let plan = plan(&three(), &world, &state).await;
    run(&plan, &world, &mut state).await.unwrap();
    for mut state in [state, open(folder.path()).await] {
        let again = run(&plan, &world, &mut state).await;
        assert_eq!(again, Err(ApplyError::AlreadyApplied { plan: plan.digest() }));
    }
}

#[tokio::test]
async fn a_stale_plan_is_refused_and_says_what_changed() {
    let folder = tempfile::tempdir().unwrap();
    let (world, mut state) = (local_world(folder.path()), open(folder.path()).await);
    let old = plan(&three(), &world, &state).await;
    let other = plan(&desired(&[("iam/Role/other", "1", &[])]), &world, &state).await;
    run(&other, &world, &mut state).await.unwrap();
    let bindings = stale(run(&old, &world, &mut state).await);
    assert!(
        matches!(&bindings[..], [StaleBinding::Input { name: "journal", .. }, StaleBinding::Observed { changed }] if changed.is_empty())
    );
    let now = plan(&three(), &world, &state).await;
    std::fs::create_dir_all(folder.path().join("world/iam/Policy")).unwrap();
    std::fs::write(folder.path().join("world/iam/Policy/p.json"), "theirs").unwrap();
    std::fs::write(folder.path().join("world/iam/Role/other.json"), "by hand").unwrap();
    let before = files(&folder.path().join("world"));
    let bindings = stale(run(&now, &world, &mut state).await);
    let changed = vec![address("iam/Policy/p"), address("iam/Role/other")];
    assert_eq!(bindings, [StaleBinding::Observed { changed }]);
    assert_eq!(files(&folder.path().join("world")), before);
}

#[tokio::test]
async fn other_inputs_providers_formats_and_environments_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (world, mut state) = (local_world(folder.path()), open(folder.path()).await);
    let mut plan = plan(&three(), &world, &state).await;
    let mut options = options();
    options.inputs = Some(Inputs { tool: "2".into(), sources: "s".into(), catalog: "d".into() });
    plan.providers.insert("kubernetes".into(), "kubernetes".into());
    let (result, _) = run_with(&plan, Site { world: &world, state: &mut state }, options).await;
    let text = ApplyError::Stale(stale(result)).to_string();
    for part in
        ["tool: was \"1\", is \"2\"", "catalog:", "provider of `kubernetes`: was `kubernetes`, is `none`"]
    {
        assert!(text.contains(part), "{text}");
    }
    plan.environment = "dev".into();
    assert!(matches!(run(&plan, &world, &mut state).await, Err(ApplyError::OtherEnvironment { .. })));
    plan.format = "aipolicy.plan/2".into();
    assert!(matches!(run(&plan, &world, &mut state).await, Err(ApplyError::OtherFormat(_))));
    assert!(!folder.path().join("world").exists());
}

#[tokio::test]
async fn a_change_that_points_elsewhere_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (world, mut state) = (local_world(folder.path()), open(folder.path()).await);
    let good = plan(&three(), &world, &state).await;
    let mut edited = good.clone();
    edited.changes[0].after.as_mut().unwrap().address.name = "admin".into();
    let mut empty = good.clone();
    empty.changes[1].action = Action::Delete;
    let mut double = good.clone();
    double.changes.push(good.changes[0].clone());
    for plan in [edited, empty, double] {
        assert!(matches!(run(&plan, &world, &mut state).await, Err(ApplyError::Malformed(_))));
    }
    assert!(!folder.path().join("state").exists());
}

#[tokio::test]
async fn a_foreign_document_is_never_touched() {
    let folder = tempfile::tempdir().unwrap();
    let (world, mut state) = (local_world(folder.path()), open(folder.path()).await);
    std::fs::create_dir_all(folder.path().join("world/iam/Policy")).unwrap();
    std::fs::write(folder.path().join("world/iam/Policy/p.json"), "theirs").unwrap();
    let honest = plan(&three(), &world, &state).await;
    assert_eq!(honest.foreign, [address("iam/Policy/p")]);
    let mut forged = honest.clone();
    let mut theft = honest.changes[0].clone();
    theft.address = address("iam/Policy/p");
    theft.after = Some(super::json("iam/Policy/p", "ours"));
    theft.after_changes.clear();
    forged.changes.push(theft);
    let report = run(&forged, &world, &mut state).await.unwrap();
    assert_eq!(report.failed[0].error, WorldError::Foreign(address("iam/Policy/p")));
    assert_eq!(files(folder.path())["world/iam/Policy/p.json"], "theirs");
}

#[tokio::test]
async fn a_failure_stops_its_dependants_only_and_the_next_plan_is_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let faults = Faults { refused: BTreeSet::from([address("iam/Role/r")]), ..Faults::default() };
    let (world, _) = faulty_world(folder.path(), faults);
    let mut state = open(folder.path()).await;
    let mut wanted = three();
    wanted.documents.extend(desired(&[("iam/Role/s", "4", &["iam/Policy/p"])]).documents);
    let first = plan(&wanted, &world, &state).await;
    let (report, events) = run_with(&first, Site { world: &world, state: &mut state }, options()).await;
    let report = report.unwrap();
    assert_eq!(
        (names(&report), report.status),
        (vec!["iam/Policy/p".into(), "iam/Role/s".into()], Status::Partial)
    );
    assert_eq!(report.failed[0].address, address("iam/Role/r"));
    assert_eq!(report.skipped[0].address, address("iam/Agent/a"));
    assert_eq!(report.skipped[0].because, Skip::Needs(address("iam/Role/r")));
    assert!(events.iter().any(|event| matches!(event, Event::Skipped(_))));
    assert!(state.journal().last_decisions().is_empty(), "what is not all done is not what is granted");
    let world = local_world(folder.path());
    let rest = plan(&wanted, &world, &state).await;
    assert_eq!(
        rest.changes.iter().map(|change| change.address.to_string()).collect::<Vec<_>>(),
        ["iam/Role/r", "iam/Agent/a"]
    );
    assert_eq!(run(&rest, &world, &mut state).await.unwrap().status, Status::Complete);
}

fn many(count: usize) -> Desired {
    let mut all = Desired::default();
    for number in 0..count {
        all.documents.extend(desired(&[(&format!("iam/Role/r{number:02}"), "1", &[])]).documents);
    }
    all
}

#[tokio::test]
async fn no_more_run_at_once_than_allowed() {
    for parallelism in [1, 3, 8] {
        let folder = tempfile::tempdir().unwrap();
        let faults = Faults { pause: Duration::from_millis(15), ..Faults::default() };
        let (world, seen) = faulty_world(folder.path(), faults);
        let mut state = open(folder.path()).await;
        let plan = plan(&many(16), &world, &state).await;
        let mut options = options();
        options.parallelism = parallelism;
        let (report, _) = run_with(&plan, Site { world: &world, state: &mut state }, options).await;
        assert_eq!(report.unwrap().done.len(), 16);
        assert_eq!(seen.most.load(Ordering::SeqCst), parallelism);
    }
}

#[tokio::test]
async fn stopping_ends_what_is_in_flight_and_begins_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (world, seen) =
        faulty_world(folder.path(), Faults { pause: Duration::from_millis(20), ..Faults::default() });
    let mut state = open(folder.path()).await;
    let first = plan(&many(12), &world, &state).await;
    let (sender, stop) = tokio::sync::watch::channel(false);
    let mut options = options();
    (options.stop, options.parallelism) = (stop, 4);
    let mut stop_at_first = |event| {
        if matches!(event, Event::Started { .. }) {
            sender.send_replace(true);
        }
    };
    let site = Site { world: &world, state: &mut state };
    let report = crate::engine::carry_out(&first, site, options, &mut stop_at_first).await.unwrap();
    assert_eq!((report.done.len(), report.skipped.len(), report.status), (4, 8, Status::Stopped));
    assert_eq!(seen.calls.load(Ordering::SeqCst), 4);
    assert!(report.skipped.iter().all(|skipped| skipped.because == Skip::Stopped));
    assert_eq!(state.journal().unfinished(), None);
    let rest = plan(&many(12), &world, &state).await;
    assert_eq!(run(&rest, &world, &mut state).await.unwrap().done.len(), 8);
}

#[tokio::test(start_paused = true)]
async fn a_busy_world_is_asked_again_and_nothing_is_done_twice() {
    let folder = tempfile::tempdir().unwrap();
    let (world, seen) = faulty_world(folder.path(), Faults { busy: 12, ..Faults::default() });
    let mut state = open(folder.path()).await;
    let plan = plan(&three(), &world, &state).await;
    let (report, events) = run_with(&plan, Site { world: &world, state: &mut state }, options()).await;
    assert_eq!(report.unwrap().status, Status::Complete);
    assert_eq!(seen.calls.load(Ordering::SeqCst), 15);
    assert_eq!(events.iter().filter(|event| matches!(event, Event::Retrying { .. })).count(), 12);
}

#[tokio::test(start_paused = true)]
async fn patience_ends() {
    let folder = tempfile::tempdir().unwrap();
    let (world, _) = faulty_world(
        folder.path(),
        Faults { busy: usize::MAX, refused: BTreeSet::new(), ..Faults::default() },
    );
    let mut state = open(folder.path()).await;
    let plan =
        plan(&desired(&[("iam/Role/r", "1", &[]), ("iam/Role/s", "1", &["iam/Role/r"])]), &world, &state)
            .await;
    let mut options = options();
    options.retry_budget = Duration::from_millis(90);
    let (report, events) = run_with(&plan, Site { world: &world, state: &mut state }, options).await;
    let report = report.unwrap();
    assert!(matches!(report.failed[0].error, WorldError::Transient { .. }));
    assert_eq!((report.failed.len(), report.skipped.len()), (1, 1));
    assert!(!events.iter().any(|event| matches!(event, Event::Retrying { .. })));
}

#[tokio::test]
async fn what_does_not_read_back_is_a_failure() {
    let folder = tempfile::tempdir().unwrap();
    let (world, _) = faulty_world(folder.path(), Faults { is_deaf: true, ..Faults::default() });
    let mut state = open(folder.path()).await;
    let plan = plan(&three(), &world, &state).await;
    let report = run(&plan, &world, &mut state).await.unwrap();
    assert_eq!(report.failed[0].error, WorldError::ReadBack(address("iam/Policy/p")));
    assert_eq!((report.done.len(), report.skipped.len()), (0, 2));
    assert!(state.journal().last_applied().is_empty());
}

fn break_lock(folder: &std::path::Path) {
    crate::lock::folder::break_lock(&folder.join("state/prod")).unwrap().unwrap();
}

#[tokio::test]
async fn a_held_lock_keeps_an_apply_out_and_a_lost_one_ends_it() {
    let folder = tempfile::tempdir().unwrap();
    let (world, mut state, mut other) =
        (local_world(folder.path()), open(folder.path()).await, open(folder.path()).await);
    let plan = plan(&three(), &world, &state).await;
    let claim = Claim { holder: "bob@here 2".into(), ..options().claim };
    other.acquire(claim).await.unwrap();
    let refused = run(&plan, &world, &mut state).await;
    assert!(
        matches!(refused, Err(ApplyError::State(StateError::Lock(LockError::Held { holder, .. }))) if holder == "bob@here 2")
    );
    other.release().await;
    let mut break_it = |event| {
        if matches!(event, Event::Done(_)) {
            break_lock(folder.path());
        }
    };
    let site = Site { world: &world, state: &mut state };
    let lost = crate::engine::carry_out(&plan, site, options(), &mut break_it).await;
    assert!(matches!(lost, Err(ApplyError::State(StateError::Lock(LockError::Lost { .. })))), "{lost:?}");
    let state = open(folder.path()).await;
    assert_eq!(state.journal().unfinished().unwrap().in_doubt[0].address, address("iam/Policy/p"));
    assert_eq!(files(&folder.path().join("world/iam")).len(), 1);
}

#[tokio::test]
async fn a_release_that_died_is_looked_into() {
    let folder = tempfile::tempdir().unwrap();
    let (world, mut state) = (local_world(folder.path()), open(folder.path()).await);
    let first = plan(&three(), &world, &state).await;
    let mut break_it = |event| {
        if matches!(event, Event::Done(_)) {
            break_lock(folder.path());
        }
    };
    let site = Site { world: &world, state: &mut state };
    crate::engine::carry_out(&first, site, options(), &mut break_it).await.unwrap_err();
    let mut state = open(folder.path()).await;
    let rest = plan(&three(), &world, &state).await;
    let (report, events) = run_with(&rest, Site { world: &world, state: &mut state }, options()).await;
    assert_eq!(report.unwrap().done.len(), 2);
    assert_eq!(events[0], Event::Resolved { release: 1 });
    assert_eq!(state.journal().last_applied().len(), 3, "what was done and not written down is known again");
}

#[tokio::test]
async fn what_is_ours_is_not_forgotten_in_another_world() {
    let folder = tempfile::tempdir().unwrap();
    let (world, mut state) = (local_world(folder.path()), open(folder.path()).await);
    let first = plan(&three(), &world, &state).await;
    run(&first, &world, &mut state).await.unwrap();
    let moved = crate::Local::new(folder.path().join("world"), "acme");
    let elsewhere = crate::Local::new(folder.path().join("elsewhere"), "acme");
    let providers: [(String, Arc<dyn crate::Provider>); 2] =
        [("gateway".into(), Arc::new(moved)), ("iam".into(), Arc::new(elsewhere))];
    let error = World::new(providers.into()).observe_all(state.journal()).await.unwrap_err();
    assert_eq!(error, WorldError::Stranded { address: address("iam/Agent/a"), provider: "local" });
}

#[tokio::test]
async fn what_is_ours_is_not_forgotten_where_nothing_lives_any_more() {
    let folder = tempfile::tempdir().unwrap();
    let (world, mut state) = (local_world(folder.path()), open(folder.path()).await);
    let first = plan(&three(), &world, &state).await;
    run(&first, &world, &mut state).await.unwrap();
    let known = open(folder.path()).await;
    assert_eq!(known.journal().places()["iam"].iter().collect::<Vec<_>>(), ["local"]);
    let elsewhere = crate::Local::new(folder.path().join("elsewhere"), "acme");
    let mut moved = world_of(elsewhere);
    assert_eq!(moved.observe_all(known.journal()).await.unwrap().documents.len(), 0, "nobody looks there");
    moved.watch(Arc::new(crate::Local::new(folder.path().join("world"), "acme")));
    let error = moved.observe_all(known.journal()).await.unwrap_err();
    assert_eq!(error, WorldError::Stranded { address: address("iam/Agent/a"), provider: "local" });
    // What is not ours is none of our business there.
    std::fs::remove_file(folder.path().join("world/.owned.json")).unwrap();
    assert_eq!(moved.observe_all(known.journal()).await.unwrap().documents.len(), 0);
}
