//! Policy documents in files, and the lines of their statements.

use std::io::Read as _;
use std::path::Path;
use std::rc::Rc;

use aipolicy_iam::{Document, Found, Places, find};

use crate::error::CliError;

/// A policy document and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Source {
    /// The file, with a pointer where it holds more than the document.
    pub(super) label: String,
    file: String,
    places: Rc<Places>,
    found: Found,
}

impl Source {
    /// Every document in a file; `-` is the standard input.
    pub(super) fn read(path: &Path) -> Result<Vec<Self>, CliError> {
        let file = path.display().to_string();
        let text = text_of(path)?;
        let places = Rc::new(Places::new(&text));
        let found = find(&text).map_err(|errors| {
            let told = errors.iter().map(|error| {
                format!("{file}:{}: {}; {}", places.line(&error.pointer), error.message, error.help)
            });
            CliError::usage(format!("`{file}` cannot be read\n{}", told.collect::<Vec<_>>().join("\n")))
        })?;
        let source = |found: Found| {
            let pointer =
                if found.pointer.is_empty() { String::new() } else { format!("#{}", found.pointer) };
            Self { label: format!("{file}{pointer}"), file: file.clone(), places: Rc::clone(&places), found }
        };
        Ok(found.into_iter().map(source).collect())
    }

    pub(super) fn document(&self) -> &Document {
        &self.found.document
    }

    pub(super) fn is_trust(&self) -> bool {
        self.found.is_trust
    }

    /// What the object around the document calls itself.
    pub(super) fn name(&self) -> Option<&str> {
        self.found.name.as_deref()
    }

    /// Whether the document says to whom it applies, as policies of resources do.
    pub(super) fn names_principals(&self) -> bool {
        self.found.document.statements.iter().any(|statement| statement.principal.is_some())
    }

    pub(super) fn file(&self) -> &str {
        &self.file
    }

    /// The line of a statement.
    pub(super) fn line(&self, statement: usize) -> usize {
        self.places.line(&format!("{}/Statement/{statement}", self.found.pointer))
    }
}

/// The text of a file; `-` is the standard input.
pub(super) fn text_of(path: &Path) -> Result<String, CliError> {
    if path == Path::new("-") {
        let mut text = String::new();
        let read = std::io::stdin().read_to_string(&mut text);
        return read.map(|_| text).map_err(|error| CliError::file("read", path, &error));
    }
    std::fs::read_to_string(path).map_err(|error| CliError::file("read", path, &error))
}
