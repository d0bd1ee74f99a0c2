//! Queries that put together what is written of an agent: records of its calls, the log of invocations, and spans. Each row is one
//! step, with the columns of all of them, in the order of time. No column holds what was said.

use aipolicy_compiler::authorize::Grant;
use aipolicy_compiler::diagnostic::{Diagnostic, Diagnostics, Severity};
use aipolicy_compiler::ir::Circumstances;
use aipolicy_compiler::model::Resource;
use aipolicy_compiler::model::agent::{AgentModel, AgentRuntime, AgentSpec};
use aipolicy_compiler::model::data_store::{DataStoreSpec, StoreKind};
use aipolicy_compiler::model::reference::Ref;
use aipolicy_compiler::model::workspace::TargetName;
use aipolicy_compiler::rule;

use super::address;
use super::delivery::SPANS;
use crate::account::Account;
use crate::artifact::{Address, Artifact};
use crate::origin::Origin;
use crate::request::{Request, join, reference};
use crate::tree::Tree;

/// The columns: a name, and the fields of the records that have it, in the order in which they are looked for. Fields are
/// those of records of machines, the log of invocations, spans, and logs of AgentCore.
const COLUMNS: &[(&str, &[&str])] = &[
    ("step", &["tool", "trigger", "operation", "attributes.aws.operation.name", "name"]),
    ("inSession", &["session", "session_id", "attributes.session.id"]),
    ("inTrace", &["trace", "trace_id", "traceId"]),
    ("inRequest", &["request", "request_id", "attributes.aws.request_id", "requestId"]),
    ("model", &["modelId"]),
    ("inputTokens", &["input.inputTokenCount", "usage.inputTokens"]),
    ("outputTokens", &["output.outputTokenCount", "usage.outputTokens"]),
    ("inputDigest", &["inputSha256"]),
    ("asRole", &["role", "identity.arn"]),
    ("became", &["outcome", "attributes.error_type"]),
    ("started", &["startedAt", "timestamp", "startTimeUnixNano"]),
    ("tookMilliseconds", &["milliseconds", "attributes.latency_ms"]),
    ("callMilliseconds", &["call.milliseconds"]),
];

/// One query for each agent whose records, invocations or spans are in log groups of its own region.
pub(super) fn artifacts(account: &Account<'_>, out: &mut Diagnostics) -> Vec<Artifact> {
    if !account.input.workspace.targets.iter().any(|target| target.value == TargetName::Bedrock) {
        return Vec::new();
    }
    let role = Circumstances::Support("role");
    let runs = |grants: &[Grant<'_>]| grants.iter().any(|one| one.decision.request.circumstances == role);
    let agents = account.agents().filter(|(_, grants)| runs(grants));
    let query = |(agent, _): (&Resource<AgentSpec>, _)| {
        let made = query(account, agent)?;
        out.extend(by_gateway(agent));
        Some(made)
    };
    agents.filter_map(query).collect()
}

/// A gateway calls models with its own role, for whoever has its key.
fn by_gateway(agent: &Resource<AgentSpec>) -> Option<Diagnostic> {
    let AgentModel::Route(route) = &agent.spec.model.value else { return None };
    let message = format!(
        "models are called by the gateway of this route, so the trace of agent `{}` does not tell model and tokens; the metrics \
         of the gateway do, for its tenant",
        agent.name()
    );
    let found = rule::APPROXIMATED.at(route.name.span, message, "gateways do this differently");
    Some(Diagnostic { severity: Severity::Note, ..found })
}

fn query(account: &Account<'_>, agent: &Resource<AgentSpec>) -> Option<Artifact> {
    let groups = groups(account, agent);
    if groups.is_empty() {
        return None;
    }
    let name = account.limited_name(&[agent.name().as_str(), "trace"], "logs.queryName")?;
    let origin = Origin::written(agent.name_span());
    let (text, needs) = text(account, agent);
    let members = vec![
        ("name", Tree::text(&name).from(account.default("origin.name"))),
        ("queryLanguage", Tree::text("CWLI").from(account.default("traces.query"))),
        ("queryString", text.from(account.default("traces.query"))),
        ("logGroupNames", Tree::list(groups)),
    ];
    let region = agent.spec.region.as_ref().map(|region| Origin::written(region.span));
    let region = region.unwrap_or_else(|| account.default("agent.region"));
    let region = (account.region_of(agent).to_owned(), region);
    Some(Request { address: address("QueryDefinition", name), region, members, needs }.artifact(&origin))
}

/// The log groups in which something of the agent is: a query reads groups of one region.
fn groups(account: &Account<'_>, agent: &Resource<AgentSpec>) -> Vec<Tree> {
    let Some(logging) = &account.environment.spec.logging else { return Vec::new() };
    let group = |named: &Ref<DataStoreSpec>| {
        let store = &account.graph().get(named)?.spec;
        let here = store.region.value.as_str() == account.region_of(agent);
        let (name, span) = match &store.kind {
            StoreKind::CloudWatch(group) => (group.log_group.value.as_str(), group.log_group.span),
            StoreKind::Xray(_) => (SPANS, named.name.span),
            StoreKind::S3(_) | StoreKind::Cache(_) | StoreKind::Memory(_) | StoreKind::Session(_) => {
                return None;
            }
        };
        here.then_some((name, span))
    };
    let stores = [&logging.traces, &logging.invocations, &logging.spans].into_iter().flatten();
    let mut found: Vec<_> = stores.filter_map(group).collect();
    found.sort_by_key(|(name, _)| *name);
    found.dedup_by_key(|(name, _)| *name);
    found.into_iter().map(|(name, span)| Tree::text(name).from(Origin::written(span))).collect()
}

/// The query. Ids that a service gives are put in when they are known.
fn text(account: &Account<'_>, agent: &Resource<AgentSpec>) -> (Tree, Vec<Address>) {
    let columns = COLUMNS.iter().map(|(name, fields)| match fields {
        [one] => format!("{one} as {name}"),
        many => format!("coalesce({}) as {name}", many.join(", ")),
    });
    let columns: Vec<_> = columns.collect();
    let shown: Vec<_> = COLUMNS.iter().map(|(name, _)| *name).collect();
    let role = account.role(&["agent", agent.name().as_str()]);
    let mut parts = vec![Tree::text(format!(
        "fields @timestamp, {}\n| filter (agent = '{}') or (identity.arn like ':assumed-role/{role}/')",
        columns.join(", "),
        agent.name()
    ))];
    let mut needs = Vec::new();
    for (member, made) in made(account, agent) {
        parts.push(Tree::text(" or (coalesce(resource_arn, attributes.aws.resource.arn) like '"));
        parts.push(reference(&made, member));
        parts.push(Tree::text("')"));
        needs.push(made);
    }
    parts.push(Tree::text(format!(
        "\n| display @timestamp, {}\n| sort @timestamp asc\n| limit 10000",
        shown.join(", ")
    )));
    (join(parts), needs)
}

/// What AgentCore makes for an agent and writes spans and logs of.
fn made(account: &Account<'_>, agent: &Resource<AgentSpec>) -> Vec<(&'static str, Address)> {
    if agent.spec.runtime.as_ref().is_some_and(|one| one.value == AgentRuntime::BedrockAgents) {
        return Vec::new();
    }
    let bedrock = |kind: &str, name: Option<String>| {
        name.map(|name| Address { target: "bedrock".into(), kind: kind.into(), name })
    };
    let runtime = "harness.environment.agentCoreRuntimeEnvironment.agentRuntimeArn";
    let gateway = bedrock("Gateway", account.gateway(agent)).filter(|_| !agent.spec.tools.is_empty());
    let memory = bedrock("Memory", account.memory(agent)).filter(|_| agent.spec.memory.is_some());
    let all = [
        ("gatewayArn", gateway),
        ("memory.arn", memory),
        (runtime, bedrock("Harness", account.harness(agent))),
    ];
    all.into_iter().filter_map(|(member, made)| Some((member, made?))).collect()
}
