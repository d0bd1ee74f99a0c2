//! Requests of this target.

pub(crate) use crate::request::{Members, Request, join, reference, role};

use crate::artifact::Address;

/// The address of a document of this target.
pub(crate) fn address(kind: &str, name: impl Into<String>) -> Address {
    Address { target: "bedrock".into(), kind: kind.into(), name: name.into() }
}
