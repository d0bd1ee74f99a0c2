//! A journal in a file: lines are added to its end, and synchronised.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use async_trait::async_trait;

use super::ledger::{Head, Ledger};
use super::{JournalError, Log, Repair};
use crate::folder::{Folder, LIMIT, machine};

const FILE: &str = "journal.jsonl";
const HEAD: &str = "journal.head";

/// The file of a journal, and how much of it is verified.
pub(super) struct FileLog {
    folder: PathBuf,
    /// How many bytes are verified.
    length: u64,
    /// Whether the last verified line lacks its line break.
    is_open_ended: bool,
    /// Whether there is a line.
    is_begun: bool,
    repair: Option<Repair>,
    file: Option<File>,
}

impl FileLog {
    /// Reads and verifies the journal in a folder.
    pub(super) fn open(folder: &Path, ledger: &mut Ledger) -> Result<Self, JournalError> {
        let mut log = Self {
            folder: folder.into(),
            length: 0,
            is_open_ended: false,
            is_begun: false,
            repair: None,
            file: None,
        };
        if let Some(folder) = Folder::open(folder)? {
            let head = folder.read(HEAD)?.map(|bytes| Head::read(&bytes)).transpose()?;
            if let Some(file) = folder.file(FILE)? {
                log.read(file, ledger, head.as_ref())?;
            }
            ledger.reaches(head.as_ref())?;
        }
        log.is_begun = ledger.sequence > 0;
        Ok(log)
    }

    fn read(&mut self, file: File, ledger: &mut Ledger, head: Option<&Head>) -> Result<(), JournalError> {
        let mut reader = BufReader::new(file);
        let mut bytes = Vec::new();
        loop {
            bytes.clear();
            let read = reader.by_ref().take(LIMIT).read_until(b'\n', &mut bytes);
            if read.map_err(|error| self.machine(&error))? == 0 {
                return Ok(());
            }
            self.line(&bytes, ledger)?;
            ledger.agrees(head)?;
        }
    }

    /// Takes in a line. Only the last one can lack its line break, and it may be half of a line.
    fn line(&mut self, bytes: &[u8], ledger: &mut Ledger) -> Result<(), JournalError> {
        let length = bytes.len() as u64;
        let text = bytes.strip_suffix(b"\n");
        self.is_open_ended = text.is_none();
        let read = ledger.follow(text.unwrap_or(bytes));
        if read.is_err() && self.is_open_ended && length < LIMIT {
            self.repair = Some(Repair { line: ledger.sequence + 1, bytes: length });
            self.is_open_ended = false;
            return Ok(());
        }
        self.length += length;
        read
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
            self.file = Some(folder.writable(FILE)?);
            folder.sync()?;
        }
        self.file.as_mut().ok_or(JournalError::Moved)
    }

    fn note(&self, head: &Head) -> Result<(), JournalError> {
        Ok(Folder::make(&self.folder)?.replace(HEAD, &head.written()?)?)
    }

    fn machine(&self, error: &std::io::Error) -> JournalError {
        JournalError::File(machine(self.folder.join(FILE), error))
    }
}

#[async_trait]
impl Log for FileLog {
    /// The record of the head is written at both ends of a release alone: a crash may cut what is between.
    async fn append(&mut self, lines: &str, head: &Head, is_boundary: bool) -> Result<(), JournalError> {
        if !self.is_begun {
            self.note(&Head::of(0, ""))?;
        }
        let start = if self.is_open_ended { "\n" } else { "" };
        self.write(format!("{start}{lines}").as_bytes())?;
        self.is_begun = true;
        if is_boundary { self.note(head) } else { Ok(()) }
    }

    fn repair(&self) -> Option<Repair> {
        self.repair
    }
}
