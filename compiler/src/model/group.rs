//! `Group`: people who approve.

use super::macros::record;
use super::value::{Count, Text};
use crate::source::Spanned;

record! {
    /// People who approve.
    pub struct GroupSpec {
        /// Their addresses.
        members: Vec<Spanned<Text>>,
        /// How many of them must agree; one when left out.
        required: Option<Spanned<Count>>,
        /// Members whose approval alone is never enough.
        not_alone: Vec<Spanned<Text>>,
    }
}
