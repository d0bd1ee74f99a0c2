//! Keys that cannot be used where the content is.

use super::{Check, Findings, Look};
use crate::diagnostic::{Diagnostic, Family, Rule, Severity};
use crate::model::connector::ConnectorSpec;
use crate::model::data_store::{DataStoreSpec, Encryption};
use crate::model::value::{Name, Region};
use crate::resolve::Graph;
use crate::source::Spanned;

static RULE: Rule = Rule {
    code: "AIP-IAM-015",
    name: "kms-grant-missing-or-broad",
    severity: Severity::Mandatory,
    family: Family::Verdict,
    page: include_str!("kms_grant_missing_or_broad.md"),
};

pub(super) const CHECK: Check = Check { rule: &RULE, run: Look::Resources(run) };

fn run(graph: &Graph, out: &mut Findings<'_>) {
    for (_, connector) in graph.each::<ConnectorSpec>() {
        let spec = &connector.spec;
        let found = unusable(connector.name(), &spec.region, spec.encryption.as_ref());
        found.into_iter().for_each(|found| out.report(&[], found));
    }
    for (_, store) in graph.each::<DataStoreSpec>() {
        let spec = &store.spec;
        let found = unusable(store.name(), &spec.region, spec.encryption.as_ref());
        found.into_iter().for_each(|found| out.report(&[], found));
    }
}

/// A key is used in its own region alone, so a right to use one of another region opens nothing.
fn unusable(name: &Name, region: &Spanned<Region>, encryption: Option<&Encryption>) -> Option<Diagnostic> {
    let key = &encryption?.kms_key_arn;
    let (service, there) = (key.value.part(2), key.value.part(3));
    let message = if service != "kms" {
        format!("`{}` is no key of KMS", key.value.as_str())
    } else if there != region.value.as_str() {
        format!("`{name}` is in {}, and its key in {there}: no right to use that key opens it", region.value)
    } else {
        return None;
    };
    let found = RULE.at(key.span, message, "").label(region.span, "its region");
    Some(found.help("name a key of the same region"))
}
