//! A journal in objects: lines are collected in segments of a bounded size, numbered without a gap.
//!
//! The last segment is replaced while it is small, and then the next one is made; both on the condition that nobody else did. So a
//! write costs the same however long the journal is, and of two writers one loses.

use std::sync::Arc;

use async_trait::async_trait;

use super::ledger::{Head, Ledger};
use super::{JournalError, Log};
use crate::objects::{Expect, ObjectError, Objects, put};

const HEAD: &str = "journal.head";
const FOLDER: &str = "journal/";
const EXTENSION: &str = ".jsonl";
/// A segment of so many bytes gets no more lines.
const FULL: usize = 64 << 10;

/// The segments of a journal.
pub(super) struct SegmentLog {
    objects: Arc<dyn Objects>,
    /// The number of the last segment, 0 if there is none.
    number: u64,
    text: String,
    tag: String,
    /// The tag of the record of the head, if there is one.
    head: Option<String>,
}

impl SegmentLog {
    /// Reads and verifies a journal. The record of the head comes first, since others may go on writing meanwhile.
    pub(super) async fn open(objects: &Arc<dyn Objects>, ledger: &mut Ledger) -> Result<Self, JournalError> {
        let noted = objects.get(HEAD).await?;
        let head = noted.as_ref().map(|noted| Head::read(&noted.bytes)).transpose()?;
        let mut log = Self {
            objects: Arc::clone(objects),
            number: 0,
            text: String::new(),
            tag: String::new(),
            head: noted.map(|noted| noted.tag),
        };
        let names = objects.list(FOLDER).await?;
        let count = names.iter().filter_map(|name| number(name)).max().unwrap_or(0);
        for number in 1..=count {
            log.take(number, ledger, head.as_ref()).await?;
        }
        ledger.reaches(head.as_ref())?;
        Ok(log)
    }

    /// Reads and verifies the next segment.
    async fn take(
        &mut self,
        number: u64,
        ledger: &mut Ledger,
        head: Option<&Head>,
    ) -> Result<(), JournalError> {
        let name = name(number);
        let found = self.objects.get(&name).await?;
        let found = found.ok_or(JournalError::Cut { line: ledger.sequence + 1 })?;
        let damaged = |reason: &str| {
            JournalError::Object(ObjectError::Damaged {
                place: self.objects.place(&name),
                reason: reason.into(),
            })
        };
        let text = String::from_utf8(found.bytes).map_err(|_| damaged("it is no text"))?;
        // An object is written whole, so that no crash leaves half a line.
        let lines = text.strip_suffix('\n').ok_or_else(|| damaged("its last line has no end"))?;
        for line in lines.split('\n') {
            ledger.follow(line.as_bytes())?;
            ledger.agrees(head)?;
        }
        (self.number, self.text, self.tag) = (number, text, found.tag);
        Ok(())
    }

    async fn write(&mut self, lines: &str) -> Result<(), JournalError> {
        let goes_on = self.number > 0 && self.text.len() < FULL;
        let number = if goes_on { self.number } else { self.number + 1 };
        let expect = if goes_on { Expect::Tag(&self.tag) } else { Expect::Absent };
        let start = if goes_on { self.text.as_str() } else { "" };
        let text = format!("{start}{lines}");
        let written = put(self.objects.as_ref(), &name(number), expect, text.clone().into_bytes()).await?;
        let tag = written.ok_or(JournalError::Moved)?;
        (self.number, self.text, self.tag) = (number, text, tag);
        Ok(())
    }

    async fn note(&mut self, head: &Head) -> Result<(), JournalError> {
        let expect = self.head.as_deref().map_or(Expect::Absent, Expect::Tag);
        let written = put(self.objects.as_ref(), HEAD, expect, head.written()?).await?;
        self.head = Some(written.ok_or(JournalError::Moved)?);
        Ok(())
    }
}

#[async_trait]
impl Log for SegmentLog {
    /// The record of the head is written each time: no crash cuts an object, so that whatever is missing was taken away.
    async fn append(&mut self, lines: &str, head: &Head, _: bool) -> Result<(), JournalError> {
        if self.head.is_none() {
            self.note(&Head::of(0, "")).await?;
        }
        self.write(lines).await?;
        self.note(head).await
    }
}

/// Names sort as numbers do.
fn name(number: u64) -> String {
    format!("{FOLDER}{number:012}{EXTENSION}")
}

fn number(found: &str) -> Option<u64> {
    let number = found.strip_prefix(FOLDER)?.strip_suffix(EXTENSION)?.parse().ok()?;
    (name(number) == found).then_some(number)
}
