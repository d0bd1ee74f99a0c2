//! What targets make: documents with an address, in a form that compares and diffs well.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::origin::{Origin, Trace};
use crate::tree::Tree;

/// The identity of a document in an environment: target, kind and name. Written `iam/Role/acme-prod-invoice-bot`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Address {
    /// The target that makes it, for instance `iam`.
    pub target: String,
    /// Its kind, for instance `Role`.
    pub kind: String,
    /// Its name, unique among its kind.
    pub name: String,
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}/{}", self.target, self.kind, self.name)
    }
}

/// A text that is not an address.
#[derive(Debug, PartialEq, Eq)]
pub struct AddressError(String);

impl fmt::Display for AddressError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "`{}` is not an address such as `iam/Role/name`", self.0)
    }
}

impl std::error::Error for AddressError {}

impl Address {
    /// The kind of the document with its target, as `target/Kind`.
    pub fn word(&self) -> String {
        format!("{}/{}", self.target, self.kind)
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts: Vec<_> = text.split('/').collect();
        let plain = |part: &str| {
            let letter = |byte: u8| {
                byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'+' | b'=' | b',' | b'@')
            };
            !part.is_empty() && !part.starts_with('.') && part.bytes().all(letter)
        };
        match parts.as_slice() {
            [target, kind, name] if parts.iter().all(|part| plain(part)) => {
                Ok(Self { target: (*target).into(), kind: (*kind).into(), name: (*name).into() })
            }
            _ => Err(AddressError(text.into())),
        }
    }
}

impl From<Address> for String {
    fn from(address: Address) -> Self {
        address.to_string()
    }
}

impl TryFrom<String> for Address {
    type Error = AddressError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

/// How a document is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// JSON, indented, with a final line break.
    Json,
    /// YAML.
    Yaml,
    /// Anything else, kept as it is.
    Text,
}

impl Format {
    /// The extension of files of this format. Text carries its own in the name.
    pub fn extension(self) -> Option<&'static str> {
        match self {
            Self::Json => Some("json"),
            Self::Yaml => Some("yaml"),
            Self::Text => None,
        }
    }
}

/// A document without its origins: what a world holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// Its identity.
    pub address: Address,
    /// How it is written.
    pub format: Format,
    /// The whole text.
    pub text: String,
}

impl Document {
    /// The digest of its text, `sha256:` and 64 digits.
    pub fn digest(&self) -> String {
        digest(self.text.as_bytes())
    }

    /// Its file inside the folder of an environment, with `/`. Objects of a cluster are in the folder of that cluster,
    /// which is the first word of their names.
    pub fn file(&self) -> String {
        let Address { target, kind, name } = &self.address;
        let path = match name.split_once('.') {
            Some((cluster, name)) if target == "kubernetes" => format!("{target}/{cluster}/{kind}/{name}"),
            _ => self.address.to_string(),
        };
        match self.format.extension() {
            Some(extension) => format!("{path}.{extension}"),
            None => path,
        }
    }
}

/// What a rendering is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Every document.
    Documents,
    /// What is found on the way. A document in whose text nothing is found, and on which no other depends, is not written.
    Findings,
}

/// A document together with where each of its values comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// The document.
    pub document: Document,
    /// Where its values come from.
    pub trace: Trace,
    /// Documents that must exist before it.
    pub needs: Vec<Address>,
    /// What has to prove itself before this is changed.
    pub trial: Option<Trial>,
}

/// A trial of a new version: one document gets it first, and another follows when nothing went wrong for long enough.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trial {
    /// The agent, as people name it.
    pub agent: String,
    /// The version that should be there in the end, the first digits of its digest.
    pub version: String,
    /// The document that gets it first.
    pub by: Address,
    /// For how many seconds.
    pub bake: u64,
    /// The alarms that end it when one of them rings.
    pub alarms: Vec<Address>,
}

impl Artifact {
    /// Writes a tree as a document.
    pub fn new(address: Address, format: Format, tree: &Tree) -> Self {
        Self {
            document: Document { address, format, text: written(format, tree) },
            trace: tree.trace(),
            needs: Vec::new(),
            trial: None,
        }
    }

    /// Writes a tree with an origin as a document, if documents are wanted. Nothing may look at the text of one that is made
    /// so before all are rendered.
    pub(crate) fn of(
        wanted: Wanted,
        (address, format): (Address, Format),
        origin: Origin,
        tree: impl FnOnce() -> Tree,
    ) -> Self {
        match wanted {
            Wanted::Documents => Self::new(address, format, &tree().from(origin)),
            Wanted::Findings => {
                let document = Document { address, format, text: String::new() };
                Self { document, trace: Trace::whole(&origin), needs: Vec::new(), trial: None }
            }
        }
    }

    /// A document that is a text of its own, all of it with one origin.
    pub fn text(address: Address, text: impl Into<String>, origin: &Origin) -> Self {
        Self {
            document: Document { address, format: Format::Text, text: text.into() },
            trace: Trace::whole(origin),
            needs: Vec::new(),
            trial: None,
        }
    }

    /// The document as a tree, in which every value says where it comes from; nothing for one that is no JSON.
    pub(crate) fn tree(&self) -> Option<Tree> {
        let read = || serde_json::from_str::<Tree>(&self.document.text).ok();
        (self.document.format == Format::Json).then(read)?.map(|tree| tree.traced(&self.trace))
    }

    /// Says what must exist before it.
    pub fn needs(mut self, needs: impl IntoIterator<Item = Address>) -> Self {
        self.needs.extend(needs);
        self
    }
}

/// A tree as the text of a document.
pub(crate) fn written(format: Format, tree: &Tree) -> String {
    match format {
        Format::Json | Format::Text => json(tree),
        Format::Yaml => yaml(tree),
    }
}

fn json(tree: &Tree) -> String {
    #[expect(clippy::expect_used, reason = "trees hold text, numbers, lists and maps with text as keys")]
    let mut text = serde_json::to_string_pretty(tree).expect("a tree is JSON");
    text.push('\n');
    text
}

fn yaml(tree: &Tree) -> String {
    #[expect(clippy::expect_used, reason = "trees hold text, numbers, lists and maps with text as keys")]
    serde_saphyr::to_string(tree).expect("a tree is YAML")
}

/// A digest as it is written everywhere: `sha256:` and 64 digits.
pub fn digest(bytes: &[u8]) -> String {
    let hash = Sha256::digest(bytes);
    let mut text = String::with_capacity("sha256:".len() + 2 * hash.len());
    text.push_str("sha256:");
    let digit = |half: u8| char::from_digit(u32::from(half), 16).unwrap_or('0');
    text.extend(hash.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_written_and_never_lead_elsewhere() {
        let address: Address = "iam/Role/acme-prod-bot".parse().unwrap();
        assert_eq!(address.to_string(), "iam/Role/acme-prod-bot");
        for text in [
            "iam/Role",
            "iam//x",
            "iam/Role/..",
            "iam/Role/a/b",
            "../Role/x",
            "iam/Role/a b",
            "iam/Role/.hidden",
        ] {
            assert!(text.parse::<Address>().is_err(), "{text}");
        }
    }
}
