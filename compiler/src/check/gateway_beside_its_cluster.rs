//! Gateways that say another region than that of the cluster on which they run.

use super::{Check, Findings, Look};
use crate::diagnostic::{Family, Rule, Severity};
use crate::model::gateway::GatewaySpec;
use crate::resolve::Graph;

static RULE: Rule = Rule {
    code: "AIP-K8S-009",
    name: "gateway-beside-its-cluster",
    severity: Severity::Mandatory,
    family: Family::Verdict,
    page: include_str!("gateway_beside_its_cluster.md"),
};

pub(super) const CHECK: Check = Check { rule: &RULE, run: Look::Resources(run) };

fn run(graph: &Graph, out: &mut Findings<'_>) {
    for (_, gateway) in graph.each::<GatewaySpec>() {
        let Some(cluster) = gateway.spec.cluster.as_ref().and_then(|cluster| graph.get(cluster)) else {
            continue;
        };
        let (said, real) = (&gateway.spec.region, &cluster.spec.region);
        if said.value == real.value {
            continue;
        }
        let message = format!(
            "gateway `{}` says {}, and its cluster `{}` is in {}",
            gateway.name(),
            said.value,
            cluster.name(),
            real.value
        );
        let found = RULE.at(said.span, message, "").label(real.span, "where it runs");
        let places: Vec<_> = gateway.spec.environment.id().into_iter().collect();
        out.report(&places, found.help("say the region of the cluster, or name another cluster"));
    }
}
