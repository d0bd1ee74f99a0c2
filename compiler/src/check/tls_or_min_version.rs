//! Addresses without TLS.

use super::{Check, Findings, Look};
use crate::diagnostic::{Diagnostic, Family, Rule, Severity};
use crate::model::gateway::GatewaySpec;
use crate::model::model::ModelSpec;
use crate::model::value::Text;
use crate::model::workload::WorkloadSpec;
use crate::resolve::Graph;
use crate::source::Spanned;

static RULE: Rule = Rule {
    code: "AIP-DAT-008",
    name: "tls-or-min-version",
    severity: Severity::Mandatory,
    family: Family::Verdict,
    page: include_str!("tls_or_min_version.md"),
};

pub(super) const CHECK: Check = Check { rule: &RULE, run: Look::Resources(run) };

fn run(graph: &Graph, out: &mut Findings<'_>) {
    for (_, model) in graph.each::<ModelSpec>() {
        let what = format!("prompts for model `{}`", model.name());
        plain(model.spec.endpoint.as_ref(), &what).into_iter().for_each(|found| out.report(&[], found));
    }
    for (_, gateway) in graph.each::<GatewaySpec>() {
        let what = format!("prompts for gateway `{}`", gateway.name());
        let places: Vec<_> = gateway.spec.environment.id().into_iter().collect();
        plain(gateway.spec.endpoint.as_ref(), &what).into_iter().for_each(|found| out.report(&places, found));
    }
    for (_, workload) in graph.each::<WorkloadSpec>() {
        let places = graph.places_of_workload(&workload.spec);
        let used = workload.spec.uses.iter().flat_map(|uses| &uses.connectors);
        for connector in used.filter_map(|used| graph.get(&used.connector)) {
            let what = format!("what is sent to `{}`", connector.name());
            let url = connector.spec.kind.http().map(|server| &server.url);
            plain(url, &what).into_iter().for_each(|found| out.report(&places, found));
        }
    }
}

/// An address without TLS, unless what is sent there stays in a cluster or on a machine.
fn plain(address: Option<&Spanned<Text>>, what: &str) -> Option<Diagnostic> {
    let address = address?;
    let rest = address.value.as_str().strip_prefix("http://")?;
    let host = rest.split(['/', ':', '?']).next().unwrap_or_default();
    let inside = host == "localhost" || host.ends_with(".svc") || host.ends_with(".svc.cluster.local");
    let message = || format!("everybody on the way can read {what}");
    (!inside).then(|| RULE.at(address.span, message(), "without TLS").help("use an `https` address"))
}
