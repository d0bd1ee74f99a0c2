//! What a command ends with: an exit code, or an error with a hint.

use std::io::ErrorKind;
use std::path::Path;

/// How the process ends, the same for every command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Clean, or no change.
    Clean = 0,
    /// The input, the usage or the tool is at fault.
    Error = 1,
    /// There are changes.
    Changes = 2,
    /// A policy, a mandatory check or a proof says no.
    Refused = 3,
    /// An approval or a change window is missing.
    Waits = 4,
    /// A plan or the state is stale.
    Stale = 5,
    /// Somebody else holds the lock.
    Locked = 6,
}

/// Why a command could not do what it was asked to.
#[must_use = "an error is told or passed on"]
#[derive(Debug)]
pub(crate) struct CliError {
    pub(crate) exit: Exit,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

impl CliError {
    /// The arguments, or what they name, are wrong.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { exit: Exit::Error, message: message.into(), hint: None }
    }

    /// The machine did not do what it was asked to.
    pub(crate) fn tool(message: impl Into<String>) -> Self {
        Self { exit: Exit::Error, message: message.into(), hint: None }
    }

    /// A file or folder could not be read or written.
    pub(crate) fn file(what: &str, path: &Path, error: &std::io::Error) -> Self {
        Self::tool(format!("`{}` cannot be {what}: {}", path.display(), why(error)))
    }

    /// Findings, told already, leave nothing to work with.
    pub(crate) fn findings(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), hint: None }
    }

    /// Says what to do.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Names the nearest known word, or lists the known ones.
    pub(crate) fn nearest<'w>(self, word: &str, known: impl IntoIterator<Item = &'w str>) -> Self {
        let known: Vec<_> = known.into_iter().collect();
        match aipolicy_compiler::nearest(word, known.iter().copied()) {
            Some(near) => self.hint(format!("`{near}` is the nearest")),
            None if known.is_empty() => self,
            None => {
                let few: Vec<_> = known.iter().take(12).map(|word| format!("`{word}`")).collect();
                let more = if known.len() > few.len() { ", …" } else { "" };
                self.hint(format!("known: {}{more}", few.join(", ")))
            }
        }
    }
}

/// An error of the machine in a few words, without its number.
pub(crate) fn why(error: &std::io::Error) -> String {
    let known = [
        (ErrorKind::NotFound, "there is no such file"),
        (ErrorKind::PermissionDenied, "permission denied"),
        (ErrorKind::IsADirectory, "it is a folder"),
        (ErrorKind::NotADirectory, "it is not a folder"),
        (ErrorKind::AlreadyExists, "it exists already"),
    ];
    let found = known.iter().find(|(kind, _)| *kind == error.kind());
    found.map_or_else(|| error.to_string(), |(_, why)| (*why).to_owned())
}
