//! `Waiver`: a dated exception to a rule.

use schemars::{Schema, json_schema};

use super::macros::record;
use super::reference::AnyRef;
use super::value::{Date, Fault, Scalar, Text, scalars};
use crate::fingerprint::Fingerprint;
use crate::source::Spanned;

record! {
    /// A dated exception to a rule for named resources. It excepts the findings that it names and no others.
    pub struct WaiverSpec {
        /// Code of the rule: a check, or a policy that forbids.
        rule: Spanned<Text>,
        /// Resources that the findings are in, each as `Kind/name`.
        resources: Vec<AnyRef>,
        /// Fingerprints of the findings, as `aipolicy check` shows them. Nothing is excepted without.
        fingerprints: Vec<Spanned<Fingerprint>>,
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

impl WaiverSpec {
    /// Whether it names a finding.
    pub(crate) fn lists(&self, print: Fingerprint) -> bool {
        self.fingerprints.iter().any(|known| known.value == print)
    }
}

scalars!(Fingerprint);

impl Scalar for Fingerprint {
    const WANTED: &'static str = "a fingerprint such as `zlvkxwqonypmstru`";

    fn parse(text: &str) -> Result<Self, Fault> {
        Self::parse(text).ok_or_else(|| Fault::bad(format!("`{text}` is not a fingerprint")))
    }

    fn schema() -> Schema {
        json_schema!({
            "type": "string", "pattern": "^[k-z]{16}$", "description": super::value::capital(Self::WANTED),
        })
    }
}
