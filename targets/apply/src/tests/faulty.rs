//! A provider that counts, waits, fails and dies as a test asks, in front of a local world.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use aipolicy_targets::artifact::{Address, Document};
use aipolicy_targets::plan::Observed;
use async_trait::async_trait;
use rustix::process::{Signal, getpid, kill_process};

use crate::{Adoption, Known, Local, Provider, WorldError};

/// What goes wrong.
#[derive(Clone, Default)]
pub(super) struct Faults {
    /// Documents that are refused.
    pub(super) refused: BTreeSet<Address>,
    /// How many calls fail for a while, before their effect or, every other one, after it.
    pub(super) busy: usize,
    /// The process is killed at this call: before its effect if odd, after it if even.
    pub(super) killed_at: Option<usize>,
    /// Writes are swallowed.
    pub(super) is_deaf: bool,
    /// How long a call takes.
    pub(super) pause: Duration,
}

/// What was seen.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) calls: AtomicUsize,
    running: AtomicUsize,
    pub(super) most: AtomicUsize,
}

pub(super) struct Faulty {
    local: Local,
    faults: Faults,
    pub(super) seen: Arc<Seen>,
}

enum When {
    Before,
    After,
}

impl Faulty {
    pub(super) fn new(folder: &Path, faults: Faults) -> (Self, Arc<Seen>) {
        let seen = Arc::new(Seen::default());
        let local = Local::new(folder.join("world"), "acme");
        (Self { local, faults, seen: Arc::clone(&seen) }, seen)
    }

    async fn call(
        &self,
        address: &Address,
        work: impl Future<Output = Result<(), WorldError>>,
    ) -> Result<(), WorldError> {
        let call = self.seen.calls.fetch_add(1, Ordering::SeqCst) + 1;
        let running = self.seen.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.seen.most.fetch_max(running, Ordering::SeqCst);
        tokio::time::sleep(self.faults.pause).await;
        let result = self.faulted(call, address, work).await;
        self.seen.running.fetch_sub(1, Ordering::SeqCst);
        result
    }

    async fn faulted(
        &self,
        call: usize,
        address: &Address,
        work: impl Future<Output = Result<(), WorldError>>,
    ) -> Result<(), WorldError> {
        if self.faults.refused.contains(address) {
            return Err(WorldError::Refused { address: address.clone(), reason: "quota".into() });
        }
        if self.faults.is_deaf {
            return Ok(());
        }
        let busy = WorldError::Transient { reason: "throttled".into(), retry_after: None };
        self.die(call, When::Before);
        if call <= self.faults.busy && call % 2 == 1 {
            return Err(busy);
        }
        work.await?;
        self.die(call, When::After);
        if call <= self.faults.busy { Err(busy) } else { Ok(()) }
    }

    fn die(&self, call: usize, when: When) {
        let is_due = self.faults.killed_at.is_some_and(|at| match when {
            When::Before => at == 2 * call - 1,
            When::After => at == 2 * call,
        });
        if is_due {
            kill_process(getpid(), Signal::KILL).unwrap();
        }
    }
}

#[async_trait]
impl Provider for Faulty {
    fn name(&self) -> &'static str {
        "local"
    }

    async fn observe(&self, known: &Known) -> Result<Vec<Observed>, WorldError> {
        self.local.observe(known).await
    }

    async fn read(&self, address: &Address) -> Result<Option<Observed>, WorldError> {
        self.local.read(address).await
    }

    async fn adoption(&self, document: &Document, id: &str) -> Result<Adoption, WorldError> {
        self.local.adoption(document, id).await
    }

    async fn adopt(&self, address: &Address, expected_digest: &str) -> Result<(), WorldError> {
        self.call(address, self.local.adopt(address, expected_digest)).await
    }

    async fn create(&self, document: &Document) -> Result<(), WorldError> {
        self.call(&document.address, self.local.create(document)).await
    }

    async fn update(&self, document: &Document, expected_digest: &str) -> Result<(), WorldError> {
        self.call(&document.address, self.local.update(document, expected_digest)).await
    }

    async fn delete(&self, address: &Address, expected_digest: &str) -> Result<(), WorldError> {
        self.call(address, self.local.delete(address, expected_digest)).await
    }
}
