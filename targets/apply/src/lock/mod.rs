//! The lock of an environment: one writer at a time, wherever its state is kept.

pub(crate) mod folder;
#[cfg(any(feature = "aws", test))]
pub(crate) mod object;

use std::fmt;
use std::sync::{Arc, Weak};
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::clock::{Clock, written};
use crate::folder::FileError;
use crate::objects::ObjectError;

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
    /// An object cannot be read or written.
    Object(ObjectError),
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
            Self::Object(error) => error.fmt(formatter),
        }
    }
}

impl std::error::Error for LockError {}

impl From<FileError> for LockError {
    fn from(error: FileError) -> Self {
        Self::File(error)
    }
}

impl From<ObjectError> for LockError {
    fn from(error: ObjectError) -> Self {
        Self::Object(error)
    }
}

/// A lock that is held.
#[async_trait]
trait Hold: Send + Sync {
    /// What is written down about it.
    fn lease(&self) -> &Lease;

    /// For how long it lasts without a sign of life.
    fn lasts(&self) -> Duration;

    /// Verifies that nobody took it over.
    async fn check(&self) -> Result<(), LockError>;

    /// Says that the holder lives.
    async fn renew(&self) -> Result<(), LockError>;

    /// Gives it back. What stays behind because it cannot be taken away is that of a dead holder.
    async fn release(&self);

    /// The same where nothing can be waited for, as far as that goes.
    fn abandon(&self) {}
}

/// The lock, held until it is released or dropped.
pub struct Lock {
    held: Arc<dyn Hold>,
}

impl Lock {
    /// What is written down about it.
    pub fn lease(&self) -> &Lease {
        self.held.lease()
    }

    /// Verifies that nobody took it over. Whoever fails this must not write.
    pub async fn check(&self) -> Result<(), LockError> {
        self.held.check().await
    }

    /// Says that the holder lives.
    pub async fn renew(&self) -> Result<(), LockError> {
        self.held.renew().await
    }

    /// Gives it back.
    pub async fn release(self) {
        self.held.release().await;
    }

    /// Renews the lock from now on, until what is returned is dropped.
    pub fn heartbeat(&self) -> Heartbeat {
        let (held, pause) = (Arc::downgrade(&self.held), self.held.lasts() / 3);
        Heartbeat { task: tokio::spawn(beat(held, pause)) }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        self.held.abandon();
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
async fn beat(held: Weak<dyn Hold>, pause: Duration) {
    loop {
        tokio::time::sleep(pause).await;
        let Some(held) = held.upgrade() else { return };
        if matches!(held.renew().await, Err(LockError::Lost { .. })) {
            return;
        }
    }
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
