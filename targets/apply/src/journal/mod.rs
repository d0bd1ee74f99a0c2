//! The journal of an environment: what was begun and what came of it. It only grows.

mod file;
mod ledger;
pub(crate) mod line;
#[cfg(any(feature = "aws", test))]
mod segments;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;
#[cfg(any(feature = "aws", test))]
use std::sync::Arc;

use aipolicy_targets::artifact::{Address, digest};
use aipolicy_targets::plan::{Action, Bindings};
use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::folder::FileError;
use crate::objects::ObjectError;
#[cfg(any(feature = "aws", test))]
use crate::objects::Objects;
use ledger::{Head, Ledger};
use line::FORMAT;

/// Whose journal it is. It stands in its first line, so that no other can be put in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lineage {
    /// Name of the workspace.
    pub workspace: String,
    /// Name of the environment.
    pub environment: String,
}

impl Lineage {
    fn seed(&self) -> String {
        digest(format!("aipolicy.journal\0{}\0{}", self.workspace, self.environment).as_bytes())
    }
}

/// Names of providers by target: where what was applied is.
pub type Places = BTreeMap<String, BTreeSet<String>>;

/// Something that was begun or done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Entry {
    /// A plan is being applied. It will not be applied again.
    ReleaseStarted {
        /// Its number, from 1.
        release: u64,
        /// The digest of the plan.
        plan: String,
        /// What the plan was computed from.
        bindings: Bindings,
        /// The providers that serve the documents of each target.
        #[serde(default, skip_serializing_if = "Places::is_empty")]
        places: Places,
        /// The fencing token of the lock.
        token: u64,
        /// Who holds the lock.
        holder: String,
        /// The commit that holds the sources, if one does.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        revision: Option<String>,
    },
    /// A document is about to be changed.
    Intent {
        /// Which one.
        address: Address,
        /// What is about to be done.
        action: Action,
        /// Its digest before.
        before: Option<String>,
        /// Its digest after.
        after: Option<String>,
    },
    /// What became of the last intent of an address.
    Outcome {
        /// Which document.
        address: Address,
        /// What went wrong; nothing if it was done.
        error: Option<String>,
    },
    /// A release is over.
    ReleaseFinished {
        /// Its number.
        release: u64,
        /// How it ended.
        status: Status,
        /// All that was last applied: digests by address.
        applied: BTreeMap<Address, String>,
        /// What is granted now.
        decisions: Vec<String>,
    },
}

/// How a release ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// All was done.
    Complete,
    /// Something failed, the rest was done.
    Partial,
    /// It was told to stop.
    Stopped,
    /// It died; a later release found out what had become of it.
    Interrupted,
}

/// A release that was started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// The digest of all sources that it was made of.
    pub sources: String,
    /// The commit that holds them, if one does.
    pub revision: Option<String>,
    /// Whether all of it was done.
    pub is_complete: bool,
}

/// A release that was started and not finished.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfinished {
    /// Its number.
    pub release: u64,
    /// The digest of its plan.
    pub plan: String,
    /// Who applied it.
    pub holder: String,
    /// Intents of which nobody knows what became.
    pub in_doubt: Vec<InDoubt>,
}

/// An intent without an outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InDoubt {
    /// Which document.
    pub address: Address,
    /// Its digest if nothing was done.
    pub before: Option<String>,
    /// Its digest if all was done.
    pub after: Option<String>,
}

/// An end of the journal that a crash left, and that is dropped with the next entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repair {
    /// The line that was not finished.
    pub line: u64,
    /// How many bytes of it there are.
    pub bytes: u64,
}

/// Why a journal is not read or written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JournalError {
    /// A line is not what was written.
    Edited {
        /// Which one, from 1.
        line: u64,
    },
    /// Lines are missing.
    Cut {
        /// The first that is missing.
        line: u64,
    },
    /// It is that of another environment or workspace.
    OtherLineage,
    /// Another version of aipolicy wrote it.
    OtherFormat {
        /// The line.
        line: u64,
        /// Its format.
        format: String,
    },
    /// The record of its head cannot be read.
    Head {
        /// What is wrong with it.
        reason: String,
    },
    /// Somebody else wrote to it meanwhile.
    Moved,
    /// A file cannot be read or written.
    File(FileError),
    /// An object cannot be read or written.
    Object(ObjectError),
}

impl fmt::Display for JournalError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Edited { line } => {
                write!(formatter, "line {line} of the journal was edited or damaged: restore it from a copy")
            }
            Self::Cut { line } => {
                write!(formatter, "the journal was cut, line {line} is missing: restore it from a copy")
            }
            Self::OtherLineage => write!(
                formatter,
                "the journal is that of another environment or workspace: restore the right one from a copy"
            ),
            Self::OtherFormat { line, format } => write!(
                formatter,
                "line {line} of the journal has format `{format}`, and this version reads `{FORMAT}`: use the version that wrote it"
            ),
            Self::Head { reason } => {
                write!(formatter, "the record of the head of the journal cannot be read: {reason}")
            }
            Self::Moved => {
                write!(formatter, "the journal was written to by somebody else meanwhile: plan again")
            }
            Self::Object(error) => error.fmt(formatter),
            Self::File(error) => error.fmt(formatter),
        }
    }
}

impl std::error::Error for JournalError {}

impl From<FileError> for JournalError {
    fn from(error: FileError) -> Self {
        Self::File(error)
    }
}

impl From<ObjectError> for JournalError {
    fn from(error: ObjectError) -> Self {
        Self::Object(error)
    }
}

/// Where the lines of a journal are.
#[async_trait]
trait Log: Send + Sync {
    /// Writes lines to the end, for good when it returns, and then the record of the head. Nothing is written if somebody else
    /// has written meanwhile. A boundary is the begin or the end of a release.
    async fn append(&mut self, lines: &str, head: &Head, is_boundary: bool) -> Result<(), JournalError>;

    /// The end that a crash left.
    fn repair(&self) -> Option<Repair> {
        None
    }
}

/// A journal that was read and verified.
pub struct Journal {
    ledger: Ledger,
    log: Box<dyn Log>,
}

impl Journal {
    /// Reads and verifies the journal in a folder. It writes nothing; a missing one is empty.
    pub fn in_folder(folder: &Path, lineage: &Lineage) -> Result<Self, JournalError> {
        let mut ledger = Ledger::new(lineage);
        let log = file::FileLog::open(folder, &mut ledger)?;
        Ok(Self { ledger, log: Box::new(log) })
    }

    /// The same for one in objects.
    #[cfg(any(feature = "aws", test))]
    pub(crate) async fn in_objects(
        objects: &Arc<dyn Objects>,
        lineage: &Lineage,
    ) -> Result<Self, JournalError> {
        let mut ledger = Ledger::new(lineage);
        let log = segments::SegmentLog::open(objects, &mut ledger).await?;
        Ok(Self { ledger, log: Box::new(log) })
    }

    /// Writes entries, for good when it returns. The caller holds the lock.
    pub(crate) async fn append(&mut self, time: &str, entries: &[Entry]) -> Result<(), JournalError> {
        if entries.is_empty() {
            return Ok(());
        }
        let composed = self.ledger.lines(time, entries);
        let (lines, head) = composed.map_err(|error| JournalError::Head { reason: error.to_string() })?;
        self.log.append(&lines, &head, entries.iter().any(is_boundary)).await?;
        self.ledger.grow(head, time, entries);
        Ok(())
    }

    /// The digest of the last line; empty for a new journal.
    pub fn head(&self) -> &str {
        &self.ledger.head
    }

    /// Whether a plan was applied, or was begun to be.
    pub fn used_plan(&self, plan: &str) -> bool {
        self.ledger.plans.contains(plan)
    }

    /// What was last applied: digests by address. Of an unfinished release, what is known to have been done.
    pub fn last_applied(&self) -> &BTreeMap<Address, String> {
        &self.ledger.applied
    }

    /// When each document was last changed, as far as one knows.
    pub fn changed_at(&self) -> &BTreeMap<Address, Timestamp> {
        &self.ledger.changed_at
    }

    /// Where the last release was carried out; nothing if an earlier version did it, which did not note it.
    pub fn places(&self) -> &Places {
        &self.ledger.places
    }

    /// What was granted by the last release that was complete.
    pub fn last_decisions(&self) -> &[String] {
        &self.ledger.decisions
    }

    /// The release that died, if the last one did.
    pub fn unfinished(&self) -> Option<Unfinished> {
        self.ledger.unfinished()
    }

    /// A release, by its number.
    pub fn release(&self, number: u64) -> Option<&Release> {
        self.ledger.known.get(&number)
    }

    /// The last release before the newest that was complete.
    pub fn before_last(&self) -> Option<u64> {
        let complete = self.ledger.known.iter().filter(|(_, release)| release.is_complete);
        complete.map(|(number, _)| *number).rev().find(|number| *number < self.ledger.releases)
    }

    /// How many releases were started.
    pub fn releases(&self) -> u64 {
        self.ledger.releases
    }

    /// The end that a crash left, if it did; it does not count.
    pub fn repair(&self) -> Option<Repair> {
        self.log.repair()
    }

    /// The largest fencing token that ever wrote here.
    pub(crate) fn token(&self) -> u64 {
        self.ledger.token
    }
}

fn is_boundary(entry: &Entry) -> bool {
    matches!(entry, Entry::ReleaseStarted { .. } | Entry::ReleaseFinished { .. })
}
