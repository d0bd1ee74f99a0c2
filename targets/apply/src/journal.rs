//! The journal of an environment: what was begun and what came of it, in a file that only grows.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use aipolicy_targets::artifact::{Address, digest};
use aipolicy_targets::plan::{Action, Bindings};
use serde::{Deserialize, Serialize};

use crate::folder::{FileError, Folder, LIMIT, machine};
use crate::line::{self, FORMAT, Line, LineError};

const FILE: &str = "journal.jsonl";
const HEAD: &str = "journal.head";
const HEAD_FORMAT: &str = "aipolicy.journal-head/1";

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
        /// The fencing token of the lock.
        token: u64,
        /// Who holds the lock.
        holder: String,
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
    /// The file cannot be read or written.
    File(FileError),
}

impl fmt::Display for JournalError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Edited { line } => {
                write!(
                    formatter,
                    "line {line} of `{FILE}` was edited or damaged: restore the file from a copy"
                )
            }
            Self::Cut { line } => {
                write!(formatter, "`{FILE}` was cut, line {line} is missing: restore the file from a copy")
            }
            Self::OtherFormat { line, format } => write!(
                formatter,
                "line {line} of `{FILE}` has format `{format}`, and this version reads `{FORMAT}`: use the version that wrote it"
            ),
            Self::Head { reason } => write!(formatter, "`{HEAD}` cannot be read: {reason}"),
            Self::Moved => {
                write!(formatter, "`{FILE}` was written to by somebody else meanwhile: plan again")
            }
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

/// What the journal must at least hold, so that a cut is seen. It is written before the first entry and whenever a
/// release starts or ends, after its entries: it is never ahead of them.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    format: String,
    sequence: u64,
    digest: String,
}

/// A journal that was read and verified.
#[derive(Debug)]
pub struct Journal {
    folder: PathBuf,
    known: Known,
    /// How many bytes are verified.
    length: u64,
    /// Whether the last verified line lacks its line break.
    is_open_ended: bool,
    repair: Option<Repair>,
    file: Option<File>,
}

/// What the entries add up to.
#[derive(Clone, Debug, Default)]
struct Known {
    sequence: u64,
    head: String,
    releases: u64,
    token: u64,
    plans: BTreeSet<String>,
    applied: BTreeMap<Address, String>,
    decisions: Vec<String>,
    open: Option<Open>,
}

#[derive(Clone, Debug)]
struct Open {
    release: u64,
    plan: String,
    holder: String,
    in_doubt: BTreeMap<Address, (Option<String>, Option<String>)>,
}

impl Journal {
    /// Reads and verifies the journal in a folder. It writes nothing; a missing one is empty.
    pub fn open(folder: &Path) -> Result<Self, JournalError> {
        let mut journal = Self {
            folder: folder.into(),
            known: Known::default(),
            length: 0,
            is_open_ended: false,
            repair: None,
            file: None,
        };
        if let Some(folder) = Folder::open(folder)? {
            let head = read_head(&folder)?;
            if let Some(file) = folder.file(FILE)? {
                journal.read(file, head.as_ref())?;
            }
            journal.reaches(head.as_ref())?;
        }
        Ok(journal)
    }

    fn read(&mut self, file: File, head: Option<&Head>) -> Result<(), JournalError> {
        let mut reader = BufReader::new(file);
        let mut bytes = Vec::new();
        loop {
            bytes.clear();
            let read = reader.by_ref().take(LIMIT).read_until(b'\n', &mut bytes);
            if read.map_err(|error| self.machine(&error))? == 0 {
                return Ok(());
            }
            self.line(&bytes)?;
            if head.is_some_and(|head| head.sequence == self.known.sequence && head.digest != self.known.head)
            {
                return Err(JournalError::Edited { line: self.known.sequence });
            }
        }
    }

    /// Takes in a line. Only the last one can lack its line break, and it may be half of a line.
    fn line(&mut self, bytes: &[u8]) -> Result<(), JournalError> {
        let length = bytes.len() as u64;
        let text = bytes.strip_suffix(b"\n");
        self.is_open_ended = text.is_none();
        let read = self.known.follow(text.unwrap_or(bytes));
        if read.is_err() && self.is_open_ended && length < LIMIT {
            self.repair = Some(Repair { line: self.known.sequence + 1, bytes: length });
            self.is_open_ended = false;
            return Ok(());
        }
        self.length += length;
        read
    }

    fn reaches(&self, head: Option<&Head>) -> Result<(), JournalError> {
        match head {
            Some(head) if head.sequence > self.known.sequence => {
                Err(JournalError::Cut { line: self.known.sequence + 1 })
            }
            None if self.known.sequence > 0 => Err(JournalError::Head { reason: "it is missing".into() }),
            _ => Ok(()),
        }
    }

    /// Writes entries, for good when it returns. The caller holds the lock.
    pub(crate) fn append(&mut self, time: &str, entries: &[Entry]) -> Result<(), JournalError> {
        if entries.is_empty() {
            return Ok(());
        }
        let (mut sequence, mut previous) = (self.known.sequence, self.known.head.clone());
        let mut text = String::from(if self.is_open_ended { "\n" } else { "" });
        for entry in entries.iter().cloned() {
            sequence += 1;
            let line = Line { format: FORMAT.into(), sequence, previous, time: time.into(), entry };
            let written = line::write(&line).map_err(|error| self.machine(&error.into()))?;
            previous = digest(written.as_bytes());
            text.push_str(&written);
            text.push('\n');
        }
        self.write(text.as_bytes())?;
        (self.known.sequence, self.known.head) = (sequence, previous);
        entries.iter().for_each(|entry| self.known.take(entry.clone()));
        if entries.iter().any(is_boundary) { self.write_head() } else { Ok(()) }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), JournalError> {
        let start = self.length;
        let unwritten = self.repair.map_or(0, |repair| repair.bytes);
        let file = self.file()?;
        let written = file.metadata().and_then(|found| {
            if found.len() != start + unwritten {
                return Ok(false);
            }
            file.set_len(start)?;
            file.seek(SeekFrom::Start(start))?;
            file.write_all(bytes).and_then(|()| file.sync_all())?;
            Ok(true)
        });
        match written {
            Ok(true) => {}
            Ok(false) => return Err(JournalError::Moved),
            Err(error) => {
                let _cut_back = file.set_len(start);
                self.repair = None;
                return Err(self.machine(&error));
            }
        }
        self.length += bytes.len() as u64;
        self.repair = None;
        self.is_open_ended = false;
        Ok(())
    }

    fn file(&mut self) -> Result<&mut File, JournalError> {
        if self.file.is_none() {
            let folder = Folder::make(&self.folder)?;
            if self.known.sequence == 0 {
                self.write_head()?;
            }
            self.file = Some(folder.writable(FILE)?);
            folder.sync()?;
        }
        self.file.as_mut().ok_or(JournalError::Moved)
    }

    fn write_head(&self) -> Result<(), JournalError> {
        let Known { sequence, head, .. } = &self.known;
        let head = Head { format: HEAD_FORMAT.into(), sequence: *sequence, digest: head.clone() };
        let text = serde_json::to_string(&head).map_err(|error| self.machine(&error.into()))?;
        Ok(Folder::make(&self.folder)?.replace(HEAD, format!("{text}\n").as_bytes())?)
    }

    fn machine(&self, error: &std::io::Error) -> JournalError {
        JournalError::File(machine(self.folder.join(FILE), error))
    }

    /// The digest of the last line; empty for a new journal.
    pub fn head(&self) -> &str {
        &self.known.head
    }

    /// Whether a plan was applied, or was begun to be.
    pub fn used_plan(&self, plan: &str) -> bool {
        self.known.plans.contains(plan)
    }

    /// What was last applied: digests by address. Of an unfinished release, what is known to have been done.
    pub fn last_applied(&self) -> &BTreeMap<Address, String> {
        &self.known.applied
    }

    /// What was granted by the last release that was complete.
    pub fn last_decisions(&self) -> &[String] {
        &self.known.decisions
    }

    /// The release that died, if the last one did.
    pub fn unfinished(&self) -> Option<Unfinished> {
        let open = self.known.open.as_ref()?;
        let in_doubt = open.in_doubt.iter();
        let in_doubt = in_doubt.map(|(address, (before, after))| InDoubt {
            address: address.clone(),
            before: before.clone(),
            after: after.clone(),
        });
        Some(Unfinished {
            release: open.release,
            plan: open.plan.clone(),
            holder: open.holder.clone(),
            in_doubt: in_doubt.collect(),
        })
    }

    /// How many releases were started.
    pub fn releases(&self) -> u64 {
        self.known.releases
    }

    /// The end that a crash left, if it did; it does not count.
    pub fn repair(&self) -> Option<Repair> {
        self.repair
    }

    /// The largest fencing token that ever wrote here.
    pub(crate) fn token(&self) -> u64 {
        self.known.token
    }
}

fn is_boundary(entry: &Entry) -> bool {
    matches!(entry, Entry::ReleaseStarted { .. } | Entry::ReleaseFinished { .. })
}

fn read_head(folder: &Folder) -> Result<Option<Head>, JournalError> {
    let Some(bytes) = folder.read(HEAD)? else { return Ok(None) };
    let head: Head = serde_json::from_slice(&bytes)
        .map_err(|error| JournalError::Head { reason: format!("{error}: restore it from a copy") })?;
    if head.format != HEAD_FORMAT {
        let reason = format!("format `{}` is not known here, only `{HEAD_FORMAT}` is", head.format);
        return Err(JournalError::Head { reason });
    }
    Ok(Some(head))
}

impl Known {
    /// Verifies that a line follows, and takes it in.
    fn follow(&mut self, text: &[u8]) -> Result<(), JournalError> {
        let number = self.sequence + 1;
        let line = line::read(text).map_err(|error| match error {
            LineError::Edited => JournalError::Edited { line: number },
            LineError::OtherFormat(format) => JournalError::OtherFormat { line: number, format },
        })?;
        if line.sequence != number {
            return Err(JournalError::Cut { line: number });
        }
        if line.previous != self.head {
            return Err(JournalError::Edited { line: self.sequence.max(1) });
        }
        self.sequence = number;
        self.head = digest(text);
        self.take(line.entry);
        Ok(())
    }

    fn take(&mut self, entry: Entry) {
        match entry {
            Entry::ReleaseStarted { release, plan, token, holder, .. } => {
                self.releases = release;
                self.token = self.token.max(token);
                self.plans.insert(plan.clone());
                self.open = Some(Open { release, plan, holder, in_doubt: BTreeMap::new() });
            }
            Entry::Intent { address, before, after, .. } => {
                if let Some(open) = &mut self.open {
                    open.in_doubt.insert(address, (before, after));
                }
            }
            Entry::Outcome { address, error } => self.settle(address, error.is_none()),
            Entry::ReleaseFinished { applied, decisions, .. } => {
                self.applied = applied;
                self.decisions = decisions;
                self.open = None;
            }
        }
    }

    fn settle(&mut self, address: Address, is_done: bool) {
        let intent = self.open.as_mut().and_then(|open| open.in_doubt.remove(&address));
        match intent {
            Some((_, Some(after))) if is_done => drop(self.applied.insert(address, after)),
            Some((_, None)) if is_done => drop(self.applied.remove(&address)),
            _ => {}
        }
    }
}
