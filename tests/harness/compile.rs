//! Cases are compiled as a workspace is: resources, packs, policies, and every target that the workspace names.

use super::cases::Finding;
use super::workspace::Built;

/// Compiles the files of a case and returns every finding. A workspace with both packs and no target is added when
/// none is given; the day is 2026-11-22.
pub(crate) fn findings(files: &[(String, String)]) -> Vec<Finding> {
    Built::new(files).findings()
}

/// Compiles the files of a case without one of the shipped policies.
pub(crate) fn findings_without(policy: &str, files: &[(String, String)]) -> Vec<Finding> {
    Built::without(Some(policy), files).findings()
}
