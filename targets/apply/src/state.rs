//! The state of an environment: its journal, and the lock without which nothing is written to it.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::journal::{Entry, Journal, JournalError};
use crate::lock::{Claim, Lease, Lock, LockError};

/// Why state is not read or written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StateError {
    /// It is about the journal.
    Journal(JournalError),
    /// It is about the lock.
    Lock(LockError),
    /// The lock was never taken.
    NotLocked,
}

impl fmt::Display for StateError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Journal(error) => error.fmt(formatter),
            Self::Lock(error) => error.fmt(formatter),
            Self::NotLocked => write!(formatter, "the journal is written under the lock only"),
        }
    }
}

impl std::error::Error for StateError {}

impl From<JournalError> for StateError {
    fn from(error: JournalError) -> Self {
        Self::Journal(error)
    }
}

impl From<LockError> for StateError {
    fn from(error: LockError) -> Self {
        Self::Lock(error)
    }
}

/// The state of one environment, in `<folder>/<environment>/`.
pub struct State {
    environment: String,
    folder: PathBuf,
    journal: Journal,
    lock: Option<Lock>,
}

impl State {
    /// Reads the state of an environment. It takes no lock and writes nothing.
    pub fn open(folder: &Path, environment: &str) -> Result<Self, StateError> {
        let folder = folder.join(environment);
        let journal = Journal::open(&folder)?;
        Ok(Self { environment: environment.into(), folder, journal, lock: None })
    }

    /// The environment.
    pub fn environment(&self) -> &str {
        &self.environment
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The journal, as it was when it was last read or written from here.
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// The lock, if it is ours.
    pub fn lock(&self) -> Option<&Lock> {
        self.lock.as_ref()
    }

    /// Takes the lock, and reads the journal once more: from now on nobody else writes to it.
    pub fn acquire(&mut self, claim: Claim) -> Result<(), StateError> {
        let lock = Lock::acquire(&self.folder, claim, self.journal.token())?;
        self.journal = Journal::open(&self.folder)?;
        self.lock = Some(lock);
        Ok(())
    }

    /// Gives the lock back.
    pub fn release(&mut self) {
        self.lock = None;
    }

    /// Writes to the journal, if the lock is still ours.
    pub fn append(&mut self, time: &str, entries: &[Entry]) -> Result<(), StateError> {
        self.lock.as_ref().ok_or(StateError::NotLocked)?.check()?;
        Ok(self.journal.append(time, entries)?)
    }

    /// Breaks the lock, whoever holds it, and says whose it was.
    pub fn break_lock(&self) -> Result<Option<Lease>, StateError> {
        Ok(Lock::break_lock(&self.folder)?)
    }
}
