//! The lock: held, dead, expired, broken, lost.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::{Set, files, open};
use crate::lock::folder;
use crate::{Claim, Entry, Lock, LockError, StateError};

fn claim(holder: &str, clock: &Arc<Set>) -> Claim {
    let clock: Arc<dyn crate::Clock> = Arc::<Set>::clone(clock);
    Claim { holder: holder.into(), lease: Duration::from_secs(60), clock }
}

fn take(folder: &Path, holder: &str, clock: &Arc<Set>) -> Result<Lock, LockError> {
    folder::acquire(folder, claim(holder, clock), 0)
}

fn refusal(result: Result<Lock, LockError>) -> LockError {
    result.err().unwrap()
}

#[test]
fn a_living_holder_is_named_and_a_released_lock_is_free() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), Arc::new(Set::default()));
    clock.0.store(5_000, Ordering::SeqCst);
    let lock = take(folder.path(), "ana@here 1", &clock).unwrap();
    clock.0.store(9_000_000, Ordering::SeqCst);
    let error = refusal(take(folder.path(), "bob@here 2", &clock));
    assert_eq!(error, LockError::Held { holder: "ana@here 1".into(), since: 5_000 });
    assert!(error.to_string().contains("held by ana@here 1 since 1970-01-01T00:00:05Z"), "{error}");
    assert_eq!(folder::holder(folder.path()).unwrap().unwrap().holder, "ana@here 1");
    drop(lock);
    assert_eq!(folder::holder(folder.path()).unwrap(), None);
    assert_eq!(take(folder.path(), "bob@here 2", &clock).unwrap().lease().token, 2);
}

#[test]
fn a_dead_holder_of_this_machine_keeps_nobody_out() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), Arc::new(Set::default()));
    drop(take(folder.path(), "ana@here 1", &clock).unwrap());
    let lock = take(folder.path(), "ana@here 1", &clock).unwrap();
    let left = files(folder.path())["lock.json"].clone();
    drop(lock);
    std::fs::write(folder.path().join("lock.json"), left).unwrap();
    assert_eq!(take(folder.path(), "bob@here 2", &clock).unwrap().lease().token, 3);
}

#[test]
fn a_holder_elsewhere_counts_until_its_lease_ends() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), Arc::new(Set::default()));
    let text = r#"{"format":"aipolicy.lock/1","holder":"cyd@there 3","token":7,"machine":"there","acquiredAt":1,"expiresAt":60001}"#;
    std::fs::write(folder.path().join("lock.json"), text).unwrap();
    std::fs::write(folder.path().join("fence"), r#"{"format":"aipolicy.fence/1","token":7}"#).unwrap();
    let error = refusal(take(folder.path(), "ana@here 1", &clock));
    assert_eq!(error, LockError::Held { holder: "cyd@there 3".into(), since: 1 });
    clock.0.store(60_001, Ordering::SeqCst);
    assert_eq!(take(folder.path(), "ana@here 1", &clock).unwrap().lease().token, 8);
}

#[tokio::test]
async fn a_broken_lock_is_free_and_its_holder_writes_no_more() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), Arc::new(Set::default()));
    let mut late = open(folder.path()).await;
    late.acquire(claim("ana@here 1", &clock)).await.unwrap();
    assert_eq!(late.break_lock().await.unwrap().unwrap().holder, "ana@here 1");
    assert_eq!(late.break_lock().await.unwrap(), None);
    let mut next = open(folder.path()).await;
    next.acquire(claim("bob@here 2", &clock)).await.unwrap();
    let entry = Entry::Outcome { address: super::address("iam/Role/a"), error: None };
    let lost = StateError::Lock(LockError::Lost { token: 1, current: 3 });
    assert_eq!(late.append("t", std::slice::from_ref(&entry)).await, Err(lost.clone()));
    assert_eq!(late.lock().unwrap().renew().await.map_err(StateError::Lock), Err(lost));
    late.release().await;
    assert_eq!(folder::holder(&folder.path().join("state/prod")).unwrap().unwrap().holder, "bob@here 2");
    next.append("t", &[entry]).await.unwrap();
    next.release().await;
    assert_eq!(next.append("t", &[]).await, Err(StateError::NotLocked));
}

#[test]
fn a_token_never_comes_back() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), Arc::new(Set::default()));
    assert_eq!(folder::acquire(folder.path(), claim("ana", &clock), 41).unwrap().lease().token, 42);
    assert_eq!(take(folder.path(), "bob", &clock).unwrap().lease().token, 43);
}

#[test]
fn what_another_version_wrote_is_refused() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), Arc::new(Set::default()));
    std::fs::write(folder.path().join("fence"), r#"{"format":"aipolicy.fence/2","token":7}"#).unwrap();
    let error = refusal(take(folder.path(), "ana", &clock));
    assert!(matches!(error, LockError::Unreadable { file: "fence", .. }), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_heartbeat_renews_the_lease() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), Arc::new(Set::default()));
    let lock = take(folder.path(), "ana", &clock).unwrap();
    let heartbeat = lock.heartbeat();
    clock.0.store(50_000, Ordering::SeqCst);
    tokio::time::sleep(Duration::from_secs(21)).await;
    assert_eq!(folder::holder(folder.path()).unwrap().unwrap().expires_at, 110_000);
    drop(heartbeat);
    clock.0.store(90_000, Ordering::SeqCst);
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(folder::holder(folder.path()).unwrap().unwrap().expires_at, 110_000);
}

#[test]
fn of_many_who_want_it_one_gets_it() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), Arc::new(Set::default()));
    for _ in 0..20 {
        let held: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|number| {
                    scope.spawn({
                        let (folder, clock) = (folder.path(), &clock);
                        move || take(folder, &format!("h{number}"), clock)
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(held.iter().filter(|held| held.is_ok()).count(), 1);
        assert!(
            held.iter().all(|held| !matches!(held, Err(error) if !matches!(error, LockError::Held { .. })))
        );
    }
}
