//! Credentials that somebody wrote where a reference to a secret belongs.

use schemars::{Schema, json_schema};

use super::Fault;
use crate::rule;
use crate::secret::{SHAPES, recognise};

/// What is to be said about a text that contains a credential.
pub(super) fn fault(text: &str) -> Option<Fault> {
    let what = recognise(text)?;
    let fault = Fault::new(&rule::INLINE_SECRET, format!("the text looks like {what}"));
    Some(fault.help("keep it in a secret store and name it through a connector"))
}

/// The JSON Schema of texts that contain one.
pub(super) fn schema() -> Schema {
    let shapes: Vec<_> = SHAPES.iter().map(|(_, pattern)| json_schema!({ "pattern": pattern })).collect();
    json_schema!({ "anyOf": shapes })
}
