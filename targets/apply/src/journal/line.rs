//! One line of a journal: an entry, its place in the chain, and a checksum over both.

use aipolicy_targets::artifact::digest;
use serde::{Deserialize, Serialize};

use super::Entry;

/// The version of the format of journals.
pub(crate) const FORMAT: &str = "aipolicy.journal/2";

/// A line without its checksum.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Line {
    pub(crate) format: String,
    pub(crate) sequence: u64,
    /// The digest of the line before, empty for the first.
    pub(crate) previous: String,
    pub(crate) time: String,
    pub(crate) entry: Entry,
}

#[derive(Deserialize)]
struct Versioned {
    format: String,
}

/// Why a line is not one.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum LineError {
    /// It is not what was written.
    Edited,
    /// Another version wrote it.
    OtherFormat(String),
}

const CHECKSUM: &str = ",\"checksum\":\"";
const END: &str = "\"}";

/// The text of a line, without its line break.
pub(crate) fn write(line: &Line) -> Result<String, serde_json::Error> {
    let body = serde_json::to_string(line)?;
    let open = body.strip_suffix('}').unwrap_or(&body);
    Ok(format!("{open}{CHECKSUM}{}{END}", digest(body.as_bytes())))
}

/// Reads a line and verifies its checksum, not its place.
pub(crate) fn read(text: &[u8]) -> Result<Line, LineError> {
    let text = std::str::from_utf8(text).map_err(|_| LineError::Edited)?;
    let versioned: Versioned = serde_json::from_str(text).map_err(|_| LineError::Edited)?;
    if versioned.format != FORMAT {
        return Err(LineError::OtherFormat(versioned.format));
    }
    let (open, checksum) = text.rsplit_once(CHECKSUM).ok_or(LineError::Edited)?;
    let body = format!("{open}}}");
    if checksum.strip_suffix(END) != Some(digest(body.as_bytes()).as_str()) {
        return Err(LineError::Edited);
    }
    serde_json::from_str(&body).map_err(|_| LineError::Edited)
}
