//! `DataClass`: how sensitive data is.

use super::macros::record;
use super::value::{Count, Text};
use crate::source::Spanned;

record! {
    /// A class of data with a rank; `public` (0), `internal` (10), `confidential` (20) and `restricted` (30) are built in.
    pub struct DataClassSpec {
        /// How sensitive it is; higher is more.
        rank: Spanned<Count>,
        /// What belongs to it.
        description: Option<Spanned<Text>>,
    }
}
