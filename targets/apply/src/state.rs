//! The state of an environment: its journal, and the lock without which nothing is written to it.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use crate::journal::{Entry, Journal, JournalError, Lineage};
use crate::lock::{Claim, Lease, Lock, LockError};
#[cfg(feature = "aws")]
use crate::objects::{Bucket, S3};
#[cfg(feature = "aws")]
use crate::store::Shared;
use crate::store::{Files, Store};

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

/// Where the states of environments are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StatePlace {
    /// Below a folder, each in a folder of its name.
    Folder(PathBuf),
    /// In a bucket, the keys of each beginning with its name.
    #[cfg(feature = "aws")]
    Bucket(Bucket),
}

impl StatePlace {
    /// Where the state of an environment is, as people find it.
    pub fn of(&self, environment: &str) -> String {
        match self {
            Self::Folder(folder) => folder.join(environment).display().to_string(),
            #[cfg(feature = "aws")]
            Self::Bucket(Bucket { name, prefix, .. }) => format!("s3://{name}/{prefix}{environment}/"),
        }
    }
}

/// The state of one environment.
pub struct State {
    lineage: Lineage,
    store: Arc<dyn Store>,
    journal: Journal,
    lock: Option<Lock>,
}

impl State {
    /// Reads the state of an environment. It takes no lock and writes nothing.
    pub async fn open(place: &StatePlace, lineage: Lineage) -> Result<Self, StateError> {
        let store: Arc<dyn Store> = match place {
            StatePlace::Folder(folder) => Arc::new(Files(folder.join(&lineage.environment))),
            #[cfg(feature = "aws")]
            StatePlace::Bucket(bucket) => {
                let prefix = format!("{}{}/", bucket.prefix, lineage.environment);
                Arc::new(Shared(Arc::new(S3::new(Bucket { prefix, ..bucket.clone() }))))
            }
        };
        Self::of(store, lineage).await
    }

    pub(crate) async fn of(store: Arc<dyn Store>, lineage: Lineage) -> Result<Self, StateError> {
        let journal = store.journal(&lineage).await?;
        Ok(Self { lineage, store, journal, lock: None })
    }

    /// The environment.
    pub fn environment(&self) -> &str {
        &self.lineage.environment
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
    pub async fn acquire(&mut self, claim: Claim) -> Result<(), StateError> {
        let lock = self.store.lock(claim, self.journal.token()).await?;
        match self.store.journal(&self.lineage).await {
            Ok(journal) => {
                self.journal = journal;
                self.lock = Some(lock);
                Ok(())
            }
            Err(error) => {
                lock.release().await;
                Err(error.into())
            }
        }
    }

    /// Gives the lock back.
    pub async fn release(&mut self) {
        if let Some(lock) = self.lock.take() {
            lock.release().await;
        }
    }

    /// Writes to the journal, if the lock is still ours.
    pub async fn append(&mut self, time: &str, entries: &[Entry]) -> Result<(), StateError> {
        self.lock.as_ref().ok_or(StateError::NotLocked)?.check().await?;
        Ok(self.journal.append(time, entries).await?)
    }

    /// Breaks the lock, whoever holds it, and says whose it was.
    pub async fn break_lock(&self) -> Result<Option<Lease>, StateError> {
        Ok(self.store.break_lock().await?)
    }

    /// Who holds the lock, as far as it is written down.
    pub async fn holder(&self) -> Result<Option<Lease>, StateError> {
        Ok(self.store.holder().await?)
    }
}
