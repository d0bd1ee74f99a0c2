//! `ModelTest`: what a model must still do before a change of model goes out.

use super::macros::record;
use super::model::ModelSpec;
use super::reference::Ref;
use super::value::{Comparison, File, Tokens};
use crate::source::Spanned;

record! {
    /// What an answer must be.
    pub struct Expectation {
        /// How long it is.
        output_tokens: Option<Spanned<Comparison<Tokens>>>,
        /// The JSON Schema that it matches.
        matches_schema: Option<File>,
    }
}

record! {
    /// A request to a model, and what the answer must be.
    pub struct ModelTestSpec {
        /// The model.
        model: Ref<ModelSpec>,
        /// The request.
        send: File,
        /// What the answer must be.
        expect: Expectation,
    }
}
