//! Queues: messages that failed, and calls that wait for somebody to approve them.
//!
//! Source of the metrics: SQS developer guide, available CloudWatch metrics.

use std::collections::BTreeMap;

use aipolicy_compiler::ir::Object;
use aipolicy_compiler::model::agent::Gate;
use aipolicy_compiler::model::connector::{ConnectorKind, ConnectorSpec};
use aipolicy_compiler::model::reference::Ref;

use super::{Agents, Workloads, granted_trigger};
use crate::account::Account;
use crate::artifact::Address;
use crate::observability::alert::number;
use crate::observability::aws::alarm::{Alarm, Metric, Statistic};
use crate::origin::Origin;
use crate::tree::Tree;

fn metric(name: &'static str, queue: Tree) -> Metric {
    Metric::One { namespace: "AWS/SQS", name, dimension: ("QueueName", queue), statistic: Statistic::Maximum }
}

/// Queues in which something lies that failed, each once.
pub(super) fn dead_letters(
    account: &Account<'_>,
    agents: &Agents<'_>,
    workloads: &Workloads<'_>,
) -> Vec<Alarm> {
    let of_agents = agents.iter().flat_map(|(agent, grants)| {
        let triggers = grants.iter().filter_map(|grant| granted_trigger(agent, grant));
        triggers.filter_map(|trigger| trigger.dead_letter())
    });
    let of_workloads = workloads.iter().filter_map(|(workload, ..)| workload.spec.dead_letter.as_ref());
    let mut queues: BTreeMap<(&str, &str), Alarm> = BTreeMap::new();
    for named in of_agents.chain(of_workloads) {
        let Some(connector) = account.graph().get(named) else { continue };
        let ConnectorKind::Sqs(queue) = &connector.spec.kind else { continue };
        let (region, name) = (&connector.spec.region, queue.queue.value.as_str());
        queues.entry((region.value.as_str(), name)).or_insert_with(|| Alarm {
            words: [name, region.value.as_str(), "dead-letters"].map(str::to_owned).into(),
            region: (region.value.as_str().to_owned(), Origin::written(region.span)),
            metric: metric(
                "ApproximateNumberOfMessagesVisible",
                Tree::text(name).from(Origin::written(queue.queue.span)),
            ),
            most: 0.0,
            periods: (300, 1),
            told: format!("messages that failed are in {name}"),
            limit: account.default("alarms.deadLetters"),
            origin: origin(named),
            needs: Vec::new(),
        });
    }
    queues.into_values().collect()
}

fn origin(named: &Ref<ConnectorSpec>) -> Origin {
    Origin::written(named.name.span)
}

/// The shortest time in which a call of a region is approved.
struct Shortest {
    seconds: u64,
    limit: Origin,
    region: Origin,
    origin: Origin,
}

/// Calls that have waited for half of the time in which somebody has to approve them: a queue for each region.
pub(super) fn approvals(account: &Account<'_>, agents: &Agents<'_>) -> Vec<Alarm> {
    let mut regions: BTreeMap<&str, Shortest> = BTreeMap::new();
    for (agent, grants) in agents {
        for grant in *grants {
            let Object::Tool(_, at) = grant.decision.request.object else { continue };
            let gate = agent.spec.tools.get(at).and_then(|tool| tool.gate.as_ref());
            let Some(Gate::Approval(approval)) = gate.map(|gate| &gate.value) else { continue };
            let written = agent.spec.region.as_ref().map(|region| Origin::written(region.span));
            let (seconds, limit) = account.approved_within(approval);
            let found = Shortest {
                seconds,
                limit,
                region: written.unwrap_or_else(|| account.default("agent.region")),
                origin: Origin::granted(*grant),
            };
            let known = regions.get(account.region_of(agent));
            if known.is_none_or(|known| seconds < known.seconds) {
                regions.insert(account.region_of(agent), found);
            }
        }
    }
    regions.into_iter().filter_map(|(region, shortest)| waiting(account, region, shortest)).collect()
}

fn waiting(account: &Account<'_>, region: &str, shortest: Shortest) -> Option<Alarm> {
    let queue = account.approvals(region)?;
    let name = Tree::text(&queue).from(account.default("origin.name"));
    Some(Alarm {
        words: ["approvals", region, "waiting"].map(str::to_owned).into(),
        region: (region.to_owned(), shortest.region),
        metric: metric("ApproximateAgeOfOldestMessage", name),
        most: number(shortest.seconds) / 2.0,
        periods: (60, 1),
        told: format!("a call in {region} has waited for half of the time in which it has to be approved"),
        limit: shortest.limit,
        origin: shortest.origin,
        needs: vec![Address { target: "bedrock".into(), kind: "ApprovalQueue".into(), name: queue }],
    })
}
