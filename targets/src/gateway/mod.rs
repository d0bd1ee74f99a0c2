//! Routing tables of AI gateways.

use aipolicy_compiler::diagnostic::Diagnostics;

use crate::Input;
use crate::artifact::Artifact;

pub(crate) fn render(_: Input<'_>, _: &mut Diagnostics) -> Vec<Artifact> {
    Vec::new()
}
