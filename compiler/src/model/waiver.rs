//! `Waiver`: a dated exception to a rule.

use super::macros::record;
use super::reference::AnyRef;
use super::value::{Date, Text};
use crate::source::Spanned;

record! {
    /// A dated exception to a rule for named resources.
    pub struct WaiverSpec {
        /// Code of the rule.
        rule: Spanned<Text>,
        /// Resources, each as `Kind/name`.
        resources: Vec<AnyRef>,
        /// Its last day, UTC.
        expires: Spanned<Date>,
        /// Who answers for it.
        owner: Spanned<Text>,
        /// Why.
        reason: Spanned<Text>,
        /// Where it is followed up.
        ticket: Spanned<Text>,
    }
}
