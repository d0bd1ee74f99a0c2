//! Where the state of an environment is kept: a folder, or objects of a service that many can reach.

use std::path::PathBuf;
#[cfg(any(feature = "aws", test))]
use std::sync::Arc;

use async_trait::async_trait;

use crate::journal::{Journal, JournalError, Lineage};
#[cfg(any(feature = "aws", test))]
use crate::lock::object;
use crate::lock::{Claim, Lease, Lock, LockError, folder};
#[cfg(any(feature = "aws", test))]
use crate::objects::Objects;

/// What keeps a state: its journal, and the lock without which nothing is written to it.
#[async_trait]
pub(crate) trait Store: Send + Sync {
    /// Reads and verifies the journal. It writes nothing.
    async fn journal(&self, lineage: &Lineage) -> Result<Journal, JournalError>;

    /// Takes the lock, with a token larger than `above` and than every one before.
    async fn lock(&self, claim: Claim, above: u64) -> Result<Lock, LockError>;

    /// Breaks the lock, whoever holds it, and says whose it was.
    async fn break_lock(&self) -> Result<Option<Lease>, LockError>;

    /// Who holds the lock, as far as it is written down.
    async fn holder(&self) -> Result<Option<Lease>, LockError>;
}

/// A folder with plain files.
pub(crate) struct Files(pub(crate) PathBuf);

#[async_trait]
impl Store for Files {
    async fn journal(&self, lineage: &Lineage) -> Result<Journal, JournalError> {
        Journal::in_folder(&self.0, lineage)
    }

    async fn lock(&self, claim: Claim, above: u64) -> Result<Lock, LockError> {
        folder::acquire(&self.0, claim, above)
    }

    async fn break_lock(&self) -> Result<Option<Lease>, LockError> {
        folder::break_lock(&self.0)
    }

    async fn holder(&self) -> Result<Option<Lease>, LockError> {
        folder::holder(&self.0)
    }
}

/// Objects that are written on conditions.
#[cfg(any(feature = "aws", test))]
pub(crate) struct Shared(pub(crate) Arc<dyn Objects>);

#[cfg(any(feature = "aws", test))]
#[async_trait]
impl Store for Shared {
    async fn journal(&self, lineage: &Lineage) -> Result<Journal, JournalError> {
        Journal::in_objects(&self.0, lineage).await
    }

    async fn lock(&self, claim: Claim, above: u64) -> Result<Lock, LockError> {
        object::acquire(&self.0, claim, above).await
    }

    async fn break_lock(&self) -> Result<Option<Lease>, LockError> {
        object::break_lock(self.0.as_ref()).await
    }

    async fn holder(&self) -> Result<Option<Lease>, LockError> {
        object::holder(self.0.as_ref()).await
    }
}
