//! A lock in a folder: one writer at a time, on this machine and on others that share the folder.

use std::fs::File;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use rustix::fs::FlockOperation;
use rustix::io::Errno;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{Claim, Hold, Lease, Lock, LockError, end, held_by, machine};
use crate::folder::{Folder, problem};

const LEASE: &str = "lock.json";
const LEASE_FORMAT: &str = "aipolicy.lock/1";
const FENCE: &str = "fence";
const FENCE_FORMAT: &str = "aipolicy.fence/1";
/// Locked with `flock` for as long as its holder lives, so that a dead one is told from a live one at once.
const GUARD: &str = "lock.guard";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fence {
    format: String,
    token: u64,
}

struct Held {
    folder: Folder,
    claim: Claim,
    lease: Lease,
    guard: File,
    is_released: Mutex<bool>,
}

/// Takes the lock of a folder, with a token larger than `above` and than every one before.
pub(crate) fn acquire(folder: &Path, claim: Claim, above: u64) -> Result<Lock, LockError> {
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
    let lease = Lease { format, holder: claim.holder.clone(), token, machine, acquired_at: now, expires_at };
    write_json(&folder, LEASE, &lease)?;
    Ok(Lock { held: Arc::new(Held { folder, claim, lease, guard, is_released: Mutex::new(false) }) })
}

/// Breaks the lock of a folder, for `state unlock`. Returns whose it was; late writes of a holder that lives after
/// all are rejected.
pub(crate) fn break_lock(folder: &Path) -> Result<Option<Lease>, LockError> {
    let Some(folder) = Folder::open(folder)? else { return Ok(None) };
    let Some(broken) = lease(&folder)? else { return Ok(None) };
    write_fence(&folder, fence(&folder)?.max(broken.token) + 1)?;
    folder.remove(LEASE)?;
    folder.remove(GUARD)?;
    Ok(Some(broken))
}

/// Who holds the lock of a folder, as far as it is written down.
pub(crate) fn holder(folder: &Path) -> Result<Option<Lease>, LockError> {
    Folder::open(folder)?.map_or(Ok(None), |folder| lease(&folder))
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
        self.is_current()
    }

    async fn renew(&self) -> Result<(), LockError> {
        let is_released = self.is_released();
        if *is_released {
            return Ok(());
        }
        self.is_current()?;
        let expires_at = end(self.claim.clock.now(), self.claim.lease);
        write_json(&self.folder, LEASE, &Lease { expires_at, ..self.lease.clone() })
    }

    async fn release(&self) {
        self.abandon();
    }

    fn abandon(&self) {
        let mut is_released = self.is_released();
        *is_released = true;
        let is_ours = |found: Lease| found.token == self.lease.token;
        if lease(&self.folder).ok().flatten().is_some_and(is_ours) {
            let _stays_behind = self.folder.remove(LEASE);
        }
        let _closed_anyway = rustix::fs::flock(&self.guard, FlockOperation::Unlock);
    }
}

impl Held {
    fn is_current(&self) -> Result<(), LockError> {
        let current = fence(&self.folder)?;
        if current == self.lease.token {
            Ok(())
        } else {
            Err(LockError::Lost { token: self.lease.token, current })
        }
    }

    fn is_released(&self) -> MutexGuard<'_, bool> {
        self.is_released.lock().unwrap_or_else(PoisonError::into_inner)
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
