//! A lock in an object, which is never removed: its token only grows.
//!
//! Whether a holder lives is told by the clock of the service alone, which stamps each sign of life and each answer. A holder on
//! this machine is looked for among its processes, so that nobody waits for one that was killed.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use super::{Claim, Hold, Lease, Lock, LockError, end, held_by, machine};
use crate::objects::{Expect, Object, Objects, put};

const NAME: &str = "lock.json";
const FORMAT: &str = "aipolicy.lease/1";
/// How often a lock is broken whose holder renews it at the same time.
const BREAKS: u32 = 5;

/// What is written in the object.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Slot {
    format: String,
    /// The largest fencing token that anybody had.
    token: u64,
    /// How often it was renewed.
    beat: u64,
    /// Who holds it, if anybody does.
    holder: Option<Holder>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Holder {
    lease: Lease,
    /// For how long it lasts without a sign of life, in milliseconds.
    lasts: u64,
    /// Its process, among those of its machine.
    process: Option<Process>,
    /// A random number, so that no two holders ever write the same.
    nonce: u64,
}

/// A process, told from every other of a machine, and from later ones with its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Process {
    id: i32,
    /// When it was started, in ticks since the machine was.
    started: u64,
}

/// The object as it was read.
struct Found {
    slot: Slot,
    tag: String,
    age: Option<Duration>,
}

struct Held {
    objects: Arc<dyn Objects>,
    claim: Claim,
    lease: Lease,
    last: Mutex<Last>,
}

/// What was last written.
struct Last {
    tag: String,
    slot: Slot,
}

/// Takes the lock, with a token larger than `above` and than every one before.
pub(crate) async fn acquire(objects: &Arc<dyn Objects>, claim: Claim, above: u64) -> Result<Lock, LockError> {
    let found = read(objects.as_ref()).await?;
    let lasting = found.as_ref().and_then(|found| Some((found.slot.holder.as_ref()?, found.age)));
    if let Some((holder, age)) = lasting
        && holder.lives(age)
    {
        return Err(held_by(&holder.lease));
    }
    let token = found.as_ref().map_or(0, |found| found.slot.token).max(above) + 1;
    let (holder, now) = (Holder::of(&claim, token), claim.clock.now());
    let lease = holder.lease.clone();
    let slot = Slot { format: FORMAT.into(), token, beat: 0, holder: Some(holder) };
    let expect = found.as_ref().map_or(Expect::Absent, |found| Expect::Tag(&found.tag));
    let Some(tag) = put(objects.as_ref(), NAME, expect, written(&slot)?).await? else {
        let winner = read(objects.as_ref()).await?.and_then(|found| found.slot.holder);
        let unnamed = LockError::Held { holder: "another process that just took it".into(), since: now };
        return Err(winner.map_or(unnamed, |holder| held_by(&holder.lease)));
    };
    let last = Mutex::new(Last { tag, slot });
    Ok(Lock { held: Arc::new(Held { objects: Arc::clone(objects), claim, lease, last }) })
}

/// Breaks the lock, and says whose it was. Its holder fails with the next thing that it wants to write.
pub(crate) async fn break_lock(objects: &dyn Objects) -> Result<Option<Lease>, LockError> {
    for _ in 0..BREAKS {
        let Some(Found { slot, tag, .. }) = read(objects).await? else { return Ok(None) };
        let Some(holder) = slot.holder else { return Ok(None) };
        let broken = Slot { token: slot.token + 1, holder: None, ..slot };
        if put(objects, NAME, Expect::Tag(&tag), written(&broken)?).await?.is_some() {
            return Ok(Some(holder.lease));
        }
    }
    Err(LockError::Unreadable { file: NAME, reason: "it changes all the time: try once more".into() })
}

/// Who holds the lock, as far as it is written down.
pub(crate) async fn holder(objects: &dyn Objects) -> Result<Option<Lease>, LockError> {
    Ok(read(objects).await?.and_then(|found| found.slot.holder).map(|holder| holder.lease))
}

async fn read(objects: &dyn Objects) -> Result<Option<Found>, LockError> {
    let Some(Object { bytes, tag, age }) = objects.get(NAME).await? else { return Ok(None) };
    let unreadable = |reason: String| LockError::Unreadable { file: NAME, reason };
    let slot: Slot = serde_json::from_slice(&bytes).map_err(|error| unreadable(error.to_string()))?;
    if slot.format != FORMAT {
        return Err(unreadable(format!("format `{}` is not known here", slot.format)));
    }
    Ok(Some(Found { slot, tag, age }))
}

fn written(slot: &Slot) -> Result<Vec<u8>, LockError> {
    let text = serde_json::to_string_pretty(slot);
    let text = text.map_err(|error| LockError::Unreadable { file: NAME, reason: error.to_string() })?;
    Ok(format!("{text}\n").into_bytes())
}

impl Holder {
    fn of(claim: &Claim, token: u64) -> Self {
        let (now, lasts) = (claim.clock.now(), end(0, claim.lease));
        let lease = Lease {
            format: FORMAT.into(),
            holder: claim.holder.clone(),
            token,
            machine: processes(),
            acquired_at: now,
            expires_at: end(now, claim.lease),
        };
        Self { lease, lasts, process: Process::own(), nonce: RandomState::new().hash_one(now) }
    }

    /// Whether it may live. Where neither its process nor the age of its last sign of life is known, it does.
    fn lives(&self, age: Option<Duration>) -> bool {
        let is_gone =
            self.lease.machine == processes() && self.process.is_some_and(|process| !process.is_there());
        let is_late = age.is_some_and(|age| age >= Duration::from_millis(self.lasts));
        !is_gone && !is_late
    }
}

/// What tells the processes of this system, or of this container on it, from all others.
fn processes() -> String {
    let space = std::fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    format!("{} {}", machine(), space.display())
}

impl Process {
    fn own() -> Option<Self> {
        let id = rustix::process::getpid().as_raw_nonzero().get();
        started(id).map(|started| Self { id, started })
    }

    /// A process of somebody else may be hidden, and is there all the same.
    fn is_there(self) -> bool {
        let is_gone = Pid::from_raw(self.id).is_none_or(|id| test_kill_process(id) == Err(Errno::SRCH));
        !is_gone && started(self.id).is_none_or(|started| started == self.started)
    }
}

/// When a process was started: the 22nd field of its status (`proc_pid_stat(5)`). One that has ended and is not yet taken notice of
/// was never started.
fn started(id: i32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The second field, a name in parentheses, may hold anything.
    let mut fields = status.rsplit_once(") ")?.1.split(' ');
    match fields.next()? {
        "Z" | "X" => Some(0),
        _ => fields.nth(18)?.parse().ok(),
    }
}

#[async_trait]
impl Hold for Held {
    fn lease(&self) -> &Lease {
        &self.lease
    }

    fn lasts(&self) -> Duration {
        self.claim.lease
    }

    async fn check(&self) -> Result<(), LockError> {
        let found = read(self.objects.as_ref()).await?;
        let current = found.as_ref().map_or(0, |found| found.slot.token);
        let is_ours = current == self.lease.token && found.is_some_and(|found| found.slot.holder.is_some());
        if is_ours { Ok(()) } else { Err(self.lost(current)) }
    }

    async fn renew(&self) -> Result<(), LockError> {
        let mut last = self.last.lock().await;
        if last.slot.holder.is_none() {
            return Ok(());
        }
        let slot = Slot { beat: last.slot.beat + 1, ..last.slot.clone() };
        let written = put(self.objects.as_ref(), NAME, Expect::Tag(&last.tag), written(&slot)?).await?;
        let Some(tag) = written else {
            let found = read(self.objects.as_ref()).await?;
            return Err(self.lost(found.map_or(0, |found| found.slot.token)));
        };
        *last = Last { tag, slot };
        Ok(())
    }

    async fn release(&self) {
        let mut last = self.last.lock().await;
        last.slot.holder = None;
        if let Ok(bytes) = written(&last.slot) {
            let _stays_behind = put(self.objects.as_ref(), NAME, Expect::Tag(&last.tag), bytes).await;
        }
    }
}

impl Held {
    fn lost(&self, current: u64) -> LockError {
        LockError::Lost { token: self.lease.token, current }
    }
}
