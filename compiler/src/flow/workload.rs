//! Content that workloads have: where they run, and what they use.

use super::path::Node;
use super::{Content, Flow, Way, start, step};
use crate::model::Resource;
use crate::model::reference::Ref;
use crate::model::workload::{Consumes, WorkloadSpec};

/// One start for each workload of the environment.
pub(super) fn starts<'g>(flow: &mut Flow<'g>) -> Vec<Way<'g>> {
    let workloads = flow.graph.each::<WorkloadSpec>();
    let here: Vec<_> =
        workloads.filter(|(_, one)| flow.is_here(&flow.graph.places_of_workload(&one.spec))).collect();
    here.into_iter().map(|(_, workload)| of(flow, workload)).collect()
}

fn of<'g>(flow: &mut Flow<'g>, workload: &'g Resource<WorkloadSpec>) -> Way<'g> {
    let spec = &workload.spec;
    let class = flow.most_sensitive(flow.clearance(&spec.tenant).iter().filter_map(Ref::id));
    let content = Content { class, tenant: spec.tenant.id() };
    let cluster = spec.cluster.as_ref().and_then(|cluster| Some((cluster, flow.graph.get(cluster)?)));
    let (region, place) = match cluster {
        Some((named, cluster)) => (cluster.spec.region.value.as_str(), named.name.span),
        None => (flow.home(), workload.name_span()),
    };
    let mut next = vec![flow.rests(content, step("is processed", "", place), region)];
    if let Some(Consumes::Sqs(queue)) = &spec.consumes {
        next.push(flow.rests(content, step("waits in queue", queue.value.as_str(), queue.span), region));
    }
    if let Some(uses) = &spec.uses {
        next.extend(uses.routes.iter().filter_map(|route| flow.sends(content, route)));
        next.extend(
            uses.models.iter().filter_map(|model| flow.calls(content, ("is sent to model", model), region)),
        );
        next.extend(
            uses.connectors.iter().filter_map(|one| flow.uses(content, ("uses connector", &one.connector))),
        );
    }
    let failed = spec.dead_letter.as_ref();
    next.extend(failed.and_then(|queue| flow.uses(content, ("goes, when it fails, to connector", queue))));
    Node::new(start("workload", workload), next)
}
