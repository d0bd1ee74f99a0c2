//! The lock of an environment: one writer at a time, on this machine and on others that share the folder.

use std::fmt;
use std::fs::File;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use rustix::fs::FlockOperation;
use rustix::io::Errno;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::clock::{Clock, written};
use crate::folder::{FileError, Folder, problem};

const LEASE: &str = "lock.json";
const LEASE_FORMAT: &str = "aipolicy.lock/1";
const FENCE: &str = "fence";
const FENCE_FORMAT: &str = "aipolicy.fence/1";
/// Locked with `flock` for as long as its holder lives, so that a dead one is told from a live one at once.
const GUARD: &str = "lock.guard";

/// Who wants the lock, and for how long it lasts without a sign of life.
#[derive(Clone)]
pub struct Claim {
    /// For people: `user@host pid`.
    pub holder: String,
    /// How long after its last renewal a holder on another machine counts as dead.
    pub lease: Duration,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// A lock as it is written down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Lease {
    format: String,
    /// Who holds it.
    pub holder: String,
    /// Its fencing token: larger than that of every holder before.
    pub token: u64,
    /// The running system it was taken on.
    pub machine: String,
    /// When it was taken, in milliseconds since 1970.
    pub acquired_at: u64,
    /// When it ends unless it is renewed, in milliseconds since 1970.
    pub expires_at: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fence {
    format: String,
    token: u64,
}

/// Why the lock is not ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LockError {
    /// Somebody holds it.
    Held {
        /// Who.
        holder: String,
        /// Since when, in milliseconds since 1970.
        since: u64,
    },
    /// It was ours, and was taken over or broken meanwhile.
    Lost {
        /// Our fencing token.
        token: u64,
        /// The current one.
        current: u64,
    },
    /// It is written in a way that this version does not read.
    Unreadable {
        /// The file.
        file: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// A file cannot be read or written.
    File(FileError),
}

impl fmt::Display for LockError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Held { holder, since } => write!(
                formatter,
                "the lock is held by {holder} since {}: wait, or run `aipolicy state unlock` if it is dead",
                written(*since)
            ),
            Self::Lost { token, current } => write!(
                formatter,
                "the lock was lost meanwhile (token {token}, now {current}): nothing more is written, plan again"
            ),
            Self::Unreadable { file, reason } => write!(formatter, "`{file}` cannot be read: {reason}"),
            Self::File(error) => error.fmt(formatter),
        }
    }
}

impl std::error::Error for LockError {}

impl From<FileError> for LockError {
    fn from(error: FileError) -> Self {
        Self::File(error)
    }
}

/// The lock, held until it is dropped.
pub struct Lock {
    held: Arc<Held>,
}

struct Held {
    folder: Folder,
    claim: Claim,
    lease: Lease,
    guard: File,
    is_released: Mutex<bool>,
}

impl Lock {
    /// Takes the lock of a folder, with a token larger than `above` and than every one before.
    pub fn acquire(folder: &Path, claim: Claim, above: u64) -> Result<Self, LockError> {
        let folder = Folder::make(folder)?;
        let now = claim.clock.now();
        let guard = guard(&folder)?.ok_or_else(|| taken(&folder, now))?;
        let machine = machine();
        if let Some(found) = lease(&folder)?
            && found.machine != machine
            && found.expires_at > now
        {
            return Err(held_by(&found));
        }
        let token = fence(&folder)?.max(above) + 1;
        write_fence(&folder, token)?;
        let format = LEASE_FORMAT.to_owned();
        let expires_at = end(now, claim.lease);
        let lease =
            Lease { format, holder: claim.holder.clone(), token, machine, acquired_at: now, expires_at };
        write_json(&folder, LEASE, &lease)?;
        Ok(Self { held: Arc::new(Held { folder, claim, lease, guard, is_released: Mutex::new(false) }) })
    }

    /// What is written down about it.
    pub fn lease(&self) -> &Lease {
        &self.held.lease
    }

    /// Verifies that nobody took it over. Whoever fails this must not write.
    pub fn check(&self) -> Result<(), LockError> {
        self.held.check()
    }

    /// Says that the holder lives.
    pub fn renew(&self) -> Result<(), LockError> {
        self.held.renew()
    }

    /// Renews the lock from now on, until what is returned is dropped.
    pub fn heartbeat(&self) -> Heartbeat {
        let (held, pause) = (Arc::downgrade(&self.held), self.held.claim.lease / 3);
        Heartbeat { task: tokio::spawn(beat(held, pause)) }
    }

    /// Breaks the lock of a folder, for `state unlock`. Returns whose it was; late writes of a holder that lives after
    /// all are rejected.
    pub fn break_lock(folder: &Path) -> Result<Option<Lease>, LockError> {
        let Some(folder) = Folder::open(folder)? else { return Ok(None) };
        let Some(broken) = lease(&folder)? else { return Ok(None) };
        write_fence(&folder, fence(&folder)?.max(broken.token) + 1)?;
        folder.remove(LEASE)?;
        folder.remove(GUARD)?;
        Ok(Some(broken))
    }

    /// Who holds the lock of a folder, as far as it is written down.
    pub fn holder(folder: &Path) -> Result<Option<Lease>, LockError> {
        Folder::open(folder)?.map_or(Ok(None), |folder| lease(&folder))
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        self.held.release();
    }
}

impl Held {
    fn check(&self) -> Result<(), LockError> {
        let current = fence(&self.folder)?;
        if current == self.lease.token {
            Ok(())
        } else {
            Err(LockError::Lost { token: self.lease.token, current })
        }
    }

    fn renew(&self) -> Result<(), LockError> {
        let is_released = self.is_released();
        if *is_released {
            return Ok(());
        }
        self.check()?;
        let expires_at = end(self.claim.clock.now(), self.claim.lease);
        write_json(&self.folder, LEASE, &Lease { expires_at, ..self.lease.clone() })
    }

    /// Gives the lock back. A lease that stays behind because it cannot be removed is that of a dead holder.
    fn release(&self) {
        let mut is_released = self.is_released();
        *is_released = true;
        let is_ours = |found: Lease| found.token == self.lease.token;
        if lease(&self.folder).ok().flatten().is_some_and(is_ours) {
            let _stays_behind = self.folder.remove(LEASE);
        }
        let _closed_anyway = rustix::fs::flock(&self.guard, FlockOperation::Unlock);
    }

    fn is_released(&self) -> MutexGuard<'_, bool> {
        self.is_released.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Renews a lock until it is dropped.
#[must_use = "the lock is renewed for as long as this lives"]
pub struct Heartbeat {
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Heartbeat {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A renewal that fails is tried again at the next beat; one that was taken over is over, and the next write says so.
async fn beat(held: Weak<Held>, pause: Duration) {
    loop {
        tokio::time::sleep(pause).await;
        match held.upgrade().map(|held| held.renew()) {
            None | Some(Err(LockError::Lost { .. })) => return,
            Some(_) => {}
        }
    }
}

/// The guard, locked; nothing if a living holder has it. A guard that was removed while we waited for it guards nothing.
fn guard(folder: &Folder) -> Result<Option<File>, LockError> {
    loop {
        let file = folder.writable(GUARD)?;
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) if folder.leads_to(GUARD, &file) => return Ok(Some(file)),
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => return Ok(None),
            Err(error) => return Err(problem(folder.path().join(GUARD), error).into()),
        }
    }
}

fn taken(folder: &Folder, now: u64) -> LockError {
    let unnamed = LockError::Held { holder: "another process that just took it".into(), since: now };
    lease(folder).map_or_else(|error| error, |found| found.as_ref().map_or(unnamed, held_by))
}

fn held_by(lease: &Lease) -> LockError {
    LockError::Held { holder: lease.holder.clone(), since: lease.acquired_at }
}

/// What tells a running system from every other, and from itself after a restart.
fn machine() -> String {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id");
    boot.map_or_else(
        |_| rustix::system::uname().nodename().to_string_lossy().into_owned(),
        |boot| boot.trim().to_owned(),
    )
}

fn end(now: u64, lease: Duration) -> u64 {
    now.saturating_add(u64::try_from(lease.as_millis()).unwrap_or(u64::MAX))
}

fn lease(folder: &Folder) -> Result<Option<Lease>, LockError> {
    let lease: Option<Lease> = read_json(folder, LEASE)?;
    match lease {
        Some(lease) if lease.format != LEASE_FORMAT => Err(other_format(LEASE, &lease.format)),
        lease => Ok(lease),
    }
}

fn fence(folder: &Folder) -> Result<u64, LockError> {
    let fence: Option<Fence> = read_json(folder, FENCE)?;
    match fence {
        Some(fence) if fence.format != FENCE_FORMAT => Err(other_format(FENCE, &fence.format)),
        fence => Ok(fence.map_or(0, |fence| fence.token)),
    }
}

fn write_fence(folder: &Folder, token: u64) -> Result<(), LockError> {
    write_json(folder, FENCE, &Fence { format: FENCE_FORMAT.into(), token })
}

fn other_format(file: &'static str, format: &str) -> LockError {
    LockError::Unreadable { file, reason: format!("format `{format}` is not known here") }
}

fn read_json<T: DeserializeOwned>(folder: &Folder, file: &'static str) -> Result<Option<T>, LockError> {
    let Some(bytes) = folder.read(file)? else { return Ok(None) };
    let unreadable = |error: serde_json::Error| LockError::Unreadable { file, reason: error.to_string() };
    serde_json::from_slice(&bytes).map(Some).map_err(unreadable)
}

fn write_json<T: Serialize>(folder: &Folder, file: &'static str, value: &T) -> Result<(), LockError> {
    let unreadable = |error: serde_json::Error| LockError::Unreadable { file, reason: error.to_string() };
    let text = serde_json::to_string_pretty(value).map_err(unreadable)?;
    Ok(folder.replace(file, format!("{text}\n").as_bytes())?)
}
