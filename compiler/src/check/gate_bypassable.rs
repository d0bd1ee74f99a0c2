//! Gates that stand beside an open door: another tool lets the agent itself do what the gate holds back.

use super::{Check, Findings, Look};
use crate::diagnostic::{Diagnostic, Family, Rule, Severity};
use crate::model::Resource;
use crate::model::agent::{Access, AgentSpec, Gate, Tool};
use crate::model::connector::{ConnectorKind, ConnectorSpec, LambdaTool, S3Source};
use crate::resolve::Graph;

static RULE: Rule = Rule {
    code: "AIP-AGT-002",
    name: "gate-bypassable",
    severity: Severity::Mandatory,
    family: Family::Verdict,
    page: include_str!("gate_bypassable.md"),
};

pub(super) const CHECK: Check = Check { rule: &RULE, run: Look::Resources(run) };

fn run(graph: &Graph, out: &mut Findings<'_>) {
    for (_, agent) in graph.each::<AgentSpec>() {
        let around = |tool| Some(report(graph, agent, (tool, gated_by_another(graph, agent, tool)?)));
        let places = graph.places_of_agent(&agent.spec);
        agent.spec.tools.iter().filter_map(around).for_each(|found| out.report(&places, found));
    }
}

/// The tool whose gate means nothing because of this one.
pub(super) fn gated_by_another<'a>(
    graph: &Graph,
    agent: &'a Resource<AgentSpec>,
    tool: &Tool,
) -> Option<&'a Tool> {
    if is_done_by_gate(tool) {
        return None;
    }
    let tenant = agent.spec.tenant.name.value.as_str();
    let reached = graph.get(&tool.connector)?;
    agent.spec.tools.iter().filter(|other| is_done_by_gate(other)).find(|gated| {
        let Some(held) = graph.get(&gated.connector) else { return false };
        let same_right = tool.access.value == gated.access.value || has_one_right(&reached.spec.kind);
        same_right && overlaps(&reached.spec, &held.spec, tenant)
    })
}

/// Whether the gate makes the call, so that the role of the agent has no right to. With `confirm` the agent calls.
fn is_done_by_gate(tool: &Tool) -> bool {
    match tool.gate.as_ref().map(|gate| &gate.value) {
        Some(Gate::Approval(_) | Gate::Verify(_)) => true,
        Some(Gate::Confirm) | None => false,
    }
}

/// Whether reading and writing need the same right of the service.
fn has_one_right(kind: &ConnectorKind) -> bool {
    match kind {
        // A server is called with one credential, whatever it is asked.
        ConnectorKind::Lambda(_) | ConnectorKind::OpenSearch(_) | ConnectorKind::Mcp(_) => true,
        ConnectorKind::S3(_)
        | ConnectorKind::DynamoDb(_)
        | ConnectorKind::SecretsManager(_)
        | ConnectorKind::S3Vectors(_)
        | ConnectorKind::KnowledgeBase(_)
        | ConnectorKind::Sqs(_)
        | ConnectorKind::StepFunctions(_)
        | ConnectorKind::Http(_) => false,
    }
}

/// Whether a right on one connector reaches into the other. Versions of a function count as one, since they share what
/// they do; a partition counts, since both tools work for one tenant.
fn overlaps(left: &ConnectorSpec, right: &ConnectorSpec, tenant: &str) -> bool {
    use ConnectorKind as Kind;
    let here = left.region.value == right.region.value;
    match (&left.kind, &right.kind) {
        (Kind::S3(one), Kind::S3(other)) => {
            // The names of buckets are global.
            one.bucket.value == other.bucket.value
                && prefixes(left, one, tenant).iter().any(|prefix| {
                    let others = prefixes(right, other, tenant);
                    others.iter().any(|other| other.starts_with(prefix) || prefix.starts_with(other))
                })
        }
        (Kind::DynamoDb(one), Kind::DynamoDb(other)) => here && one.table.value == other.table.value,
        (Kind::Lambda(one), Kind::Lambda(other)) => here && name_of(one) == name_of(other),
        (Kind::SecretsManager(one), Kind::SecretsManager(other)) => {
            here && one.secret.value == other.secret.value
        }
        (Kind::OpenSearch(one), Kind::OpenSearch(other)) => {
            here && one.collection.value == other.collection.value
        }
        (Kind::S3Vectors(one), Kind::S3Vectors(other)) => {
            here && one.bucket.value == other.bucket.value && one.index.value == other.index.value
        }
        (Kind::KnowledgeBase(one), Kind::KnowledgeBase(other)) => here && one.id.value == other.id.value,
        (Kind::Sqs(one), Kind::Sqs(other)) => here && one.queue.value == other.queue.value,
        (Kind::StepFunctions(one), Kind::StepFunctions(other)) => {
            here && one.state_machine.value == other.state_machine.value
        }
        (Kind::Http(one), Kind::Http(other)) => is_below(one.url.value.as_str(), other.url.value.as_str()),
        (Kind::Mcp(one), Kind::Mcp(other)) => is_below(one.url.value.as_str(), other.url.value.as_str()),
        (Kind::S3(_), _)
        | (Kind::DynamoDb(_), _)
        | (Kind::Lambda(_), _)
        | (Kind::SecretsManager(_), _)
        | (Kind::OpenSearch(_), _)
        | (Kind::S3Vectors(_), _)
        | (Kind::KnowledgeBase(_), _)
        | (Kind::Sqs(_), _)
        | (Kind::StepFunctions(_), _)
        | (Kind::Http(_), _)
        | (Kind::Mcp(_), _) => false,
    }
}

/// Whether one address is the other, or below it. Hosts are the same in small and capital letters.
fn is_below(one: &str, other: &str) -> bool {
    let plain = |url: &str| {
        let host = url.find("://").map_or(0, |at| at + 3);
        let path = url.get(host..).and_then(|rest| rest.find('/')).map_or(url.len(), |at| host + at);
        let (host, path) = url.split_at(path);
        format!("{}{}/", host.to_lowercase().trim_end_matches(":443"), path.trim_end_matches('/'))
    };
    let (one, other) = (plain(one), plain(other));
    one.starts_with(&other) || other.starts_with(&one)
}

/// The name of a function without the version that may be written behind it.
fn name_of(function: &LambdaTool) -> &str {
    let written = function.function.value.as_str();
    written.split_once(':').map_or(written, |(name, _)| name)
}

/// The prefixes of a bucket that a tenant reaches: everything, where none is written.
fn prefixes(connector: &ConnectorSpec, source: &S3Source, tenant: &str) -> Vec<String> {
    let own = if connector.partition.is_some() { format!("{tenant}/") } else { String::new() };
    match source.prefixes.as_slice() {
        [] => vec![own],
        written => written.iter().map(|prefix| format!("{}{own}", prefix.value)).collect(),
    }
}

fn report(graph: &Graph, agent: &Resource<AgentSpec>, (tool, gated): (&Tool, &Tool)) -> Diagnostic {
    let does = match gated.access.value {
        Access::Read => "read",
        Access::Write => "write to",
    };
    let message = format!(
        "tool `{}` lets agent `{}` {does} `{}` around the gate of tool `{}`",
        tool.name.value,
        agent.name(),
        gated.connector.name.value,
        gated.name.value,
    );
    let gate = gated.gate.as_ref().map_or(gated.name.span, |gate| gate.span);
    let found = RULE.at(tool.access.span, message, "the agent's own role gets this right");
    let mut found = found.label(gate, "this gate means nothing then");
    if tool.connector.id() != gated.connector.id() {
        let places =
            [&tool.connector, &gated.connector].into_iter().filter_map(|connector| graph.get(connector));
        for connector in places {
            let scope = connector.spec.kind.scope();
            found = found.label(connector.name_span(), format!("`{}` is {scope}", connector.name()));
        }
    }
    if tool.gate.is_some() {
        found =
            found.note("with `gate: confirm` the agent makes the call itself, so its role has the right to");
    }
    found.help("give both tools such a gate, or let this one use a connector that does not overlap")
}
