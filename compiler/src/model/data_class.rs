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

impl DataClassSpec {
    /// One of the classes that every organisation has.
    pub(crate) fn built_in(
        name: &str,
        rank: u32,
        span: crate::source::Span,
    ) -> Option<super::Resource<Self>> {
        use super::value::{Name, Scalar, Texts};
        let name = Spanned { value: Name::parse(name).ok()?, span };
        let metadata = super::Metadata {
            name,
            description: None,
            labels: Texts::default(),
            annotations: Texts::default(),
        };
        let spec = Self { rank: Spanned { value: Count(rank), span }, description: None };
        Some(super::Resource { metadata, spec, span })
    }
}
