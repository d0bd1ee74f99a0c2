//! The record of which files in a local world are ours, in `.owned.json`.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::fs::FlockOperation;
use serde::{Deserialize, Serialize};

use crate::folder::{Folder, problem};
use crate::provider::WorldError;

pub(crate) const FILE: &str = ".owned.json";
const FORMAT: &str = "aipolicy.owned/1";

/// Files that carry a mark, each with the workspace that made it.
pub(crate) type Marks = BTreeMap<String, String>;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    format: String,
    files: Marks,
}

#[derive(Deserialize)]
struct Versioned {
    format: String,
}

/// Reads the record; none is an empty one.
pub(crate) fn read(root: &Folder) -> Result<Marks, WorldError> {
    let Some(bytes) = root.read(FILE)? else { return Ok(Marks::new()) };
    let failed =
        |reason: String| WorldError::Marks { path: root.path().join(FILE).display().to_string(), reason };
    let versioned: Versioned = serde_json::from_slice(&bytes).map_err(|error| failed(error.to_string()))?;
    if versioned.format != FORMAT {
        return Err(failed(format!("format `{}` is not known here, only `{FORMAT}` is", versioned.format)));
    }
    let record: Record = serde_json::from_slice(&bytes).map_err(|error| failed(error.to_string()))?;
    Ok(record.files)
}

/// What is to become of the mark of a file: set for a workspace, or taken away.
type Edit = Option<String>;

/// Edits of the record. Those that wait while one is written are written together, so that many changes at once cost
/// few writes.
#[derive(Default)]
pub(crate) struct MarkWriter {
    waiting: Mutex<Waiting>,
    writing: Mutex<()>,
}

#[derive(Default)]
struct Waiting {
    edits: BTreeMap<String, (u64, Edit)>,
    last: u64,
    written: u64,
}

impl MarkWriter {
    /// Marks a file as made by a workspace, for good when it returns.
    pub(crate) fn mark(&self, root: &Folder, file: &str, workspace: &str) -> Result<(), WorldError> {
        self.edit(root, file, Some(workspace.into()))
    }

    /// Takes the mark of a file away, for good when it returns.
    pub(crate) fn unmark(&self, root: &Folder, file: &str) -> Result<(), WorldError> {
        self.edit(root, file, None)
    }

    fn edit(&self, root: &Folder, file: &str, edit: Edit) -> Result<(), WorldError> {
        let ticket = self.enqueue(file, edit);
        let _alone = held(&self.writing);
        if held(&self.waiting).written >= ticket {
            return Ok(());
        }
        let (edits, last) = self.snapshot();
        let result = update(root, |marks| edits.into_iter().for_each(|(file, edit)| set(marks, file, edit)));
        let mut waiting = held(&self.waiting);
        match result {
            Ok(()) => waiting.settle(last),
            Err(_) => drop(waiting.edits.remove(file)),
        }
        result
    }

    fn enqueue(&self, file: &str, edit: Edit) -> u64 {
        let mut waiting = held(&self.waiting);
        waiting.last += 1;
        let ticket = waiting.last;
        waiting.edits.insert(file.into(), (ticket, edit));
        ticket
    }

    fn snapshot(&self) -> (Vec<(String, Edit)>, u64) {
        let waiting = held(&self.waiting);
        let edits = waiting.edits.iter().map(|(file, (_, edit))| (file.clone(), edit.clone()));
        (edits.collect(), waiting.last)
    }
}

impl Waiting {
    fn settle(&mut self, last: u64) {
        self.edits.retain(|_, (ticket, _)| *ticket > last);
        self.written = last;
    }
}

fn set(marks: &mut Marks, file: String, edit: Edit) {
    match edit {
        Some(workspace) => drop(marks.insert(file, workspace)),
        None => drop(marks.remove(&file)),
    }
}

/// Changes the record while nobody else does, on this machine.
pub(crate) fn update(root: &Folder, change: impl FnOnce(&mut Marks)) -> Result<(), WorldError> {
    let guard = Folder::make(root.path())?;
    let locked = rustix::fs::flock(guard.handle(), FlockOperation::LockExclusive);
    locked.map_err(|error| problem(root.path().into(), error))?;
    let mut files = read(root)?;
    change(&mut files);
    write(root, files)
}

fn write(root: &Folder, files: Marks) -> Result<(), WorldError> {
    let record = Record { format: FORMAT.into(), files };
    let text =
        serde_json::to_string_pretty(&record).map_err(|error| WorldError::Broken(error.to_string()))?;
    Ok(root.replace(FILE, format!("{text}\n").as_bytes())?)
}

/// A writer that died in the middle leaves nothing that the next one could not carry on with.
fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
