//! What a provider of a world promises, and how it says no.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use aipolicy_targets::artifact::{Address, Document};
use aipolicy_targets::plan::{AlarmState, Observed};
use async_trait::async_trait;

use crate::adoption::Adoption;
use crate::folder::FileError;

/// What is known of a world before one looks: a provider tells what it finds in the words of the documents that ask for it.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// The documents that should be there.
    pub wanted: BTreeMap<Address, Document>,
    /// What was last applied: digests by address.
    pub applied: BTreeMap<Address, String>,
}

/// A place where documents live. The engine knows none by name.
///
/// A provider marks what it makes, finds it again by address and mark, and never changes or deletes what carries no mark
/// or that of another workspace. Every change is idempotent, because an answer may be lost after its effect: asked once
/// more for what is already so, a provider says yes.
#[async_trait]
pub trait Provider: Send + Sync {
    /// Its name, as environments and plans write it.
    fn name(&self) -> &'static str;

    /// How long what was written may take until it can be read. The engine reads back for so long.
    fn settles_within(&self) -> Duration {
        Duration::ZERO
    }

    /// Everything that is there, ours or not, each address once. It writes nothing.
    async fn observe(&self, known: &Known) -> Result<Vec<Observed>, WorldError>;

    /// How alarms are that were just observed. One that is not told is unknown.
    async fn alarms(&self, _addresses: &[Address]) -> Result<BTreeMap<Address, AlarmState>, WorldError> {
        Ok(BTreeMap::new())
    }

    /// One document, if it is there.
    async fn read(&self, address: &Address) -> Result<Option<Observed>, WorldError>;

    /// What can be said about adopting the object that the world calls so, for a document that asks for it. Everything was
    /// observed before. It writes nothing.
    async fn adoption(&self, document: &Document, id: &str) -> Result<Adoption, WorldError>;

    /// Marks what is under an address as ours, if its digest is `expected_digest`, and leaves it as it is otherwise. What
    /// is ours already is fine.
    async fn adopt(&self, address: &Address, expected_digest: &str) -> Result<(), WorldError>;

    /// Makes a document, with its mark. One of ours that says the same is fine; one that says something else is
    /// [`WorldError::Changed`], and one that is not ours [`WorldError::Foreign`].
    async fn create(&self, document: &Document) -> Result<(), WorldError>;

    /// Changes a document of ours whose digest is `expected_digest`. One that says what it should is fine, any other is
    /// [`WorldError::Changed`].
    async fn update(&self, document: &Document, expected_digest: &str) -> Result<(), WorldError>;

    /// Removes a document of ours whose digest is `expected_digest`. One that is gone is fine, any other is
    /// [`WorldError::Changed`].
    async fn delete(&self, address: &Address, expected_digest: &str) -> Result<(), WorldError>;
}

/// Why a world was not read or changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WorldError {
    /// It may work later: throttling, a lost connection, a service that is busy.
    Transient {
        /// What was said.
        reason: String,
        /// When the service asks to be asked again.
        retry_after: Option<Duration>,
    },
    /// The document is not what it was when the plan was made.
    Changed {
        /// Which one.
        address: Address,
        /// Its digest then; none if it was not there.
        expected: Option<String>,
        /// Its digest now; none if it is gone.
        found: Option<String>,
    },
    /// The document is not ours.
    Foreign(Address),
    /// What was written does not read back.
    ReadBack(Address),
    /// The service refuses, and would again.
    Refused {
        /// Which document.
        address: Address,
        /// What was said.
        reason: String,
    },
    /// No provider is named for a target.
    NoProvider(Address),
    /// A document of ours is in a world that its target no longer lives in.
    Stranded {
        /// Which one.
        address: Address,
        /// The provider where it is.
        provider: &'static str,
    },
    /// Nothing says who asks.
    NoCredentials(String),
    /// The credentials are of another account than that of the environment.
    OtherAccount {
        /// The account of the environment.
        expected: String,
        /// That of the credentials.
        found: String,
    },
    /// A record of ownership cannot be read.
    Marks {
        /// Its file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A file cannot be read or written.
    File(FileError),
    /// The provider itself failed.
    Broken(String),
}

impl WorldError {
    /// Tells whether it is worth asking again.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Transient { .. } | Self::ReadBack(_))
    }
}

impl fmt::Display for WorldError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Transient { reason, .. } => write!(formatter, "{reason}; it may work later"),
            Self::Changed { address, expected, found } => {
                let digest = |digest: &Option<String>| digest.clone().unwrap_or_else(|| "absent".into());
                let (expected, found) = (digest(expected), digest(found));
                write!(
                    formatter,
                    "`{address}` changed meanwhile (expected {expected}, found {found}): plan again"
                )
            }
            Self::Foreign(address) => {
                write!(formatter, "`{address}` exists and is not ours: import it, or choose another name")
            }
            Self::ReadBack(address) => {
                write!(formatter, "`{address}` does not read back as it was written: plan again")
            }
            Self::Refused { address, reason } => write!(formatter, "`{address}` is refused: {reason}"),
            Self::NoProvider(address) => {
                write!(formatter, "no provider is named for target `{}` of `{address}`", address.target)
            }
            Self::Stranded { address, provider } => write!(
                formatter,
                "`{address}` is ours and lives in `{provider}`, which no longer serves target `{}`: \
                 name `{provider}` for it once more and remove the document first",
                address.target
            ),
            Self::NoCredentials(reason) => write!(
                formatter,
                "there are no credentials of AWS ({reason}): set `AWS_PROFILE`, or `AWS_ACCESS_KEY_ID` and \
                 `AWS_SECRET_ACCESS_KEY`"
            ),
            Self::OtherAccount { expected, found } => write!(
                formatter,
                "the credentials are of account {found}, and the environment is in account {expected}"
            ),
            Self::Marks { path, reason } => {
                write!(formatter, "`{path}`, which says what is ours, cannot be read: {reason}")
            }
            Self::File(error) => error.fmt(formatter),
            Self::Broken(reason) => write!(formatter, "the provider failed: {reason}"),
        }
    }
}

impl std::error::Error for WorldError {}

impl From<FileError> for WorldError {
    fn from(error: FileError) -> Self {
        Self::File(error)
    }
}
