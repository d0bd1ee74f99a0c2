//! What the entries of a journal add up to, and whether a line follows those before it.

use std::collections::{BTreeMap, BTreeSet};

use aipolicy_targets::artifact::{Address, digest};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::line::{self, FORMAT, Line, LineError};
use super::{Entry, InDoubt, JournalError, Lineage, Places, Release, Status, Unfinished};

const HEAD_FORMAT: &str = "aipolicy.journal-head/1";

/// What a journal must at least hold, so that a cut is seen. It is written before the first entry, and after those that it is
/// about: it is never ahead of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Head {
    format: String,
    pub(super) sequence: u64,
    pub(super) digest: String,
}

impl Head {
    pub(super) fn of(sequence: u64, digest: &str) -> Self {
        Self { format: HEAD_FORMAT.into(), sequence, digest: digest.to_owned() }
    }

    pub(super) fn read(bytes: &[u8]) -> Result<Self, JournalError> {
        let head: Self = serde_json::from_slice(bytes)
            .map_err(|error| JournalError::Head { reason: format!("{error}: restore it from a copy") })?;
        if head.format != HEAD_FORMAT {
            let reason = format!("format `{}` is not known here, only `{HEAD_FORMAT}` is", head.format);
            return Err(JournalError::Head { reason });
        }
        if head.written()? != bytes {
            return Err(JournalError::Head {
                reason: "it was edited or damaged: restore it from a copy".into(),
            });
        }
        Ok(head)
    }

    pub(super) fn written(&self) -> Result<Vec<u8>, JournalError> {
        let text = serde_json::to_string(self);
        let text = text.map_err(|error| JournalError::Head { reason: error.to_string() })?;
        Ok(format!("{text}\n").into_bytes())
    }
}

/// What the entries add up to.
#[derive(Clone, Debug)]
pub(super) struct Ledger {
    /// What the first line follows.
    seed: String,
    pub(super) sequence: u64,
    /// The digest of the last line; empty for a new journal.
    pub(super) head: String,
    pub(super) releases: u64,
    /// Releases by their numbers.
    pub(super) known: BTreeMap<u64, Release>,
    pub(super) token: u64,
    pub(super) plans: BTreeSet<String>,
    pub(super) applied: BTreeMap<Address, String>,
    pub(super) changed_at: BTreeMap<Address, Timestamp>,
    pub(super) decisions: Vec<String>,
    pub(super) places: Places,
    open: Option<Open>,
}

#[derive(Clone, Debug)]
struct Open {
    release: u64,
    plan: String,
    holder: String,
    in_doubt: BTreeMap<Address, (Option<String>, Option<String>)>,
}

impl Ledger {
    /// A journal without an entry.
    pub(super) fn new(lineage: &Lineage) -> Self {
        Self {
            seed: lineage.seed(),
            sequence: 0,
            head: String::new(),
            releases: 0,
            known: BTreeMap::new(),
            token: 0,
            plans: BTreeSet::new(),
            applied: BTreeMap::new(),
            changed_at: BTreeMap::new(),
            decisions: Vec::new(),
            places: Places::new(),
            open: None,
        }
    }

    /// The release that died, if the last one did.
    pub(super) fn unfinished(&self) -> Option<Unfinished> {
        let open = self.open.as_ref()?;
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

    /// Whether the line that was just taken in is the one that the record of the head names, if it is about that line.
    pub(super) fn agrees(&self, head: Option<&Head>) -> Result<(), JournalError> {
        match head {
            Some(head) if head.sequence == self.sequence && head.digest != self.head => {
                Err(JournalError::Edited { line: self.sequence })
            }
            _ => Ok(()),
        }
    }

    /// Whether there is all that the record of the head wants.
    pub(super) fn reaches(&self, head: Option<&Head>) -> Result<(), JournalError> {
        match head {
            Some(head) if head.sequence > self.sequence => Err(JournalError::Cut { line: self.sequence + 1 }),
            None if self.sequence > 0 => Err(JournalError::Head { reason: "it is missing".into() }),
            _ => Ok(()),
        }
    }

    /// What the next line follows.
    fn previous(&self) -> &str {
        if self.sequence == 0 { &self.seed } else { &self.head }
    }

    /// The lines of entries, and the head that the journal has with them.
    pub(super) fn lines(&self, time: &str, entries: &[Entry]) -> Result<(String, Head), serde_json::Error> {
        let (mut head, mut previous) = (Head::of(self.sequence, &self.head), self.previous().to_owned());
        let mut text = String::new();
        for entry in entries.iter().cloned() {
            let sequence = head.sequence + 1;
            let line = Line { format: FORMAT.into(), sequence, previous, time: time.into(), entry };
            let written = line::write(&line)?;
            previous = digest(written.as_bytes());
            head = Head::of(sequence, &previous);
            text.push_str(&written);
            text.push('\n');
        }
        Ok((text, head))
    }

    /// Takes in entries that were written, after which the journal has this head.
    pub(super) fn grow(&mut self, head: Head, time: &str, entries: &[Entry]) {
        (self.sequence, self.head) = (head.sequence, head.digest);
        entries.iter().for_each(|entry| self.take(time, entry.clone()));
    }

    /// Verifies that a line follows, and takes it in.
    pub(super) fn follow(&mut self, text: &[u8]) -> Result<(), JournalError> {
        let number = self.sequence + 1;
        let line = line::read(text).map_err(|error| match error {
            LineError::Edited => JournalError::Edited { line: number },
            LineError::OtherFormat(format) => JournalError::OtherFormat { line: number, format },
        })?;
        if line.sequence != number {
            return Err(JournalError::Cut { line: number });
        }
        if line.previous != self.previous() {
            let other = self.sequence == 0;
            return Err(if other {
                JournalError::OtherLineage
            } else {
                JournalError::Edited { line: self.sequence }
            });
        }
        self.sequence = number;
        self.head = digest(text);
        self.take(&line.time, line.entry);
        Ok(())
    }

    fn take(&mut self, time: &str, entry: Entry) {
        match entry {
            Entry::ReleaseStarted { release, plan, token, holder, bindings, places, revision } => {
                let known = Release { sources: bindings.sources, revision, is_complete: false };
                self.known.insert(release, known);
                self.places = places;
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
            Entry::Outcome { address, error } => self.settle(time, address, error.is_none()),
            Entry::ReleaseFinished { release, status, applied, decisions } => {
                if let Some(known) = self.known.get_mut(&release) {
                    known.is_complete = status == Status::Complete;
                }
                self.applied = applied;
                self.decisions = decisions;
                self.open = None;
            }
        }
    }

    fn settle(&mut self, time: &str, address: Address, is_done: bool) {
        if let (true, Ok(time)) = (is_done, time.parse()) {
            self.changed_at.insert(address.clone(), time);
        }
        let intent = self.open.as_mut().and_then(|open| open.in_doubt.remove(&address));
        match intent {
            Some((_, Some(after))) if is_done => drop(self.applied.insert(address, after)),
            Some((_, None)) if is_done => drop(self.applied.remove(&address)),
            _ => {}
        }
    }
}
