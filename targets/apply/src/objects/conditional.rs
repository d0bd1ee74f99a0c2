//! Reading and writing of objects on conditions, whoever keeps them.

use std::time::Duration;

use async_trait::async_trait;

use super::ObjectError;

/// An object as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Object {
    pub(crate) bytes: Vec<u8>,
    /// What tells this content from every other that the object had or will have.
    pub(crate) tag: String,
    /// For how long it has had this content, by the clock of the service; nothing where the service does not say.
    pub(crate) age: Option<Duration>,
}

/// What has to be so for an object to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expect<'a> {
    /// It is not there.
    Absent,
    /// It has the content with this tag.
    Tag(&'a str),
}

/// A service that keeps objects under names, and looks and writes in one step.
#[async_trait]
pub(crate) trait Objects: Send + Sync {
    /// An object, if it is there.
    async fn get(&self, name: &str) -> Result<Option<Object>, ObjectError>;

    /// Writes an object if what is expected is so, and returns its new tag; nothing if it is not so.
    async fn put(
        &self,
        name: &str,
        expect: Expect<'_>,
        bytes: Vec<u8>,
    ) -> Result<Option<String>, ObjectError>;

    /// All names that begin with a text, sorted.
    async fn list(&self, start: &str) -> Result<Vec<String>, ObjectError>;

    /// An object as people find it, for instance `s3://bucket/key`.
    fn place(&self, name: &str) -> String;
}

/// The same as [`Objects::put`], where an answer may have been lost: whoever is told that somebody else has written looks whether
/// it was they. No two writers write the same bytes, since each names its holder, or follows a line that does.
pub(crate) async fn put(
    objects: &dyn Objects,
    name: &str,
    expect: Expect<'_>,
    bytes: Vec<u8>,
) -> Result<Option<String>, ObjectError> {
    if let Some(tag) = objects.put(name, expect, bytes.clone()).await? {
        return Ok(Some(tag));
    }
    let found = objects.get(name).await?;
    Ok(found.filter(|found| found.bytes == bytes).map(|found| found.tag))
}
