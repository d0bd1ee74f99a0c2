//! The only place that prints: results to standard output, everything else to standard error.

use std::borrow::Cow;
use std::fmt::Display;
use std::io::{ErrorKind, IsTerminal, Write};

use aipolicy_compiler::secret::conceal;
use anstream::AutoStream;

use crate::error::{CliError, Exit};

/// Both streams. Colours are dropped where nobody sees them, or where `NO_COLOR` asks for that.
pub(crate) struct Ui {
    results: AutoStream<std::io::Stdout>,
    remarks: AutoStream<std::io::Stderr>,
}

impl Ui {
    pub(crate) fn new() -> Self {
        Self { results: AutoStream::auto(std::io::stdout()), remarks: AutoStream::auto(std::io::stderr()) }
    }

    /// Prints a result. A reader that has gone away is no error: it has seen what it wanted.
    pub(crate) fn print(&mut self, text: &str) -> Result<(), CliError> {
        let written = self.results.write_all(text.as_bytes()).and_then(|()| self.results.flush());
        match written {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                Err(CliError::tool(format!("the result cannot be printed: {error}")))
            }
            _ => Ok(()),
        }
    }

    /// Prints a line that is not a result. Nobody may be listening, and that changes nothing.
    pub(crate) fn remark(&mut self, text: impl Display) {
        let _ = writeln!(self.remarks, "{text}");
    }

    /// Prints what clap says: help as a result, mistakes as errors.
    pub(crate) fn usage(&mut self, said: &clap::Error) -> Result<Exit, CliError> {
        let text = said.render().ansi().to_string();
        if said.use_stderr() {
            self.remark(text.trim_end());
            return Ok(Exit::Error);
        }
        self.print(&text)?;
        Ok(Exit::Clean)
    }

    /// Prints an error with its hint.
    pub(crate) fn failure(&mut self, error: &CliError) -> Exit {
        self.remark(format!("\x1b[1;31merror:\x1b[0m {}", harmless(&error.message)));
        if let Some(hint) = &error.hint {
            self.remark(format!("\x1b[1;36m hint:\x1b[0m {}", harmless(hint)));
        }
        error.exit
    }

    /// How wide results may be.
    pub(crate) fn width(&self) -> usize {
        let terminal = std::io::stdout().is_terminal().then(terminal_size::terminal_size).flatten();
        terminal.map_or(100, |(width, _)| usize::from(width.0).clamp(40, 200))
    }
}

/// The text without credentials, and without what a terminal would obey or what would show it in another order. Lengths in
/// bytes stay the same, so that spans still fit.
pub(crate) fn harmless(text: &str) -> Cow<'_, str> {
    let text = conceal(text);
    if !text.contains(is_harmful) {
        return text;
    }
    let replace = |letter: char| match (is_harmful(letter), letter.len_utf8()) {
        (false, _) => letter,
        (true, 1) => '?',
        (true, 2) => '¿',
        (true, _) => char::REPLACEMENT_CHARACTER,
    };
    Cow::Owned(text.chars().map(replace).collect())
}

fn is_harmful(letter: char) -> bool {
    let reorders =
        matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    reorders || (letter.is_control() && !matches!(letter, '\n' | '\t'))
}

#[cfg(test)]
mod tests {
    use super::harmless;

    #[test]
    fn what_a_terminal_would_obey_is_shown_and_keeps_its_length() {
        for text in ["a\x1b[31mb", "\u{9b}31m", "x\u{202e}y", "plain\n\tö"] {
            let shown = harmless(text);
            assert_eq!(shown.len(), text.len());
            assert!(!shown.contains(super::is_harmful), "{shown:?}");
        }
    }
}
