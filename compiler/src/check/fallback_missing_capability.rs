//! Fallbacks that are not able to do what requests ask for.

use std::collections::BTreeMap;

use super::{Check, Findings, Look};
use crate::diagnostic::{Diagnostic, Family, Rule, Severity};
use crate::model::agent::{AgentModel, AgentSpec};
use crate::model::model::Capability;
use crate::model::route::RouteSpec;
use crate::model::{Id, Resource};
use crate::resolve::{Graph, Standby};
use crate::source::Span;

static RULE: Rule = Rule {
    code: "AIP-RTE-005",
    name: "fallback-missing-capability",
    severity: Severity::Mandatory,
    family: Family::Verdict,
    page: include_str!("fallback_missing_capability.md"),
};

pub(super) const CHECK: Check = Check { rule: &RULE, run: Look::Resources(run) };

fn run(graph: &Graph, out: &mut Findings<'_>) {
    let with_tools = with_tools(graph);
    for (id, route) in graph.each::<RouteSpec>() {
        let places = graph.places_of_route(&route.spec);
        let needed = needed(graph, route, with_tools.get(&id).copied());
        for standby in graph.standbys(id) {
            let found = needed.iter().filter_map(|needed| lacking(graph, &standby, needed));
            found.for_each(|found| out.report(&places, found));
        }
    }
}

/// An agent with tools, by the route that it uses.
fn with_tools(graph: &Graph) -> BTreeMap<Id<RouteSpec>, &Resource<AgentSpec>> {
    let agents = graph.each::<AgentSpec>().filter(|(_, agent)| !agent.spec.tools.is_empty());
    let used = agents.filter_map(|(_, agent)| match &agent.spec.model.value {
        AgentModel::Route(route) => Some((route.id()?, agent)),
        AgentModel::Model(_) => None,
    });
    used.collect()
}

/// What requests of a route need, and what says so.
struct Needed {
    capability: Capability,
    span: Span,
    because: String,
}

/// What the models of a route say that they are able to, and what the agents on it need. What the catalog alone knows of
/// a model may be used by nobody, but for embeddings: nothing else is like them.
fn needed(graph: &Graph, route: &Resource<RouteSpec>, agent: Option<&Resource<AgentSpec>>) -> Vec<Needed> {
    let mut found: Vec<Needed> = Vec::new();
    let mut add = |capability, span, because: String| {
        if !found.iter().any(|other| other.capability == capability) {
            found.push(Needed { capability, span, because });
        }
    };
    for model in graph.primaries(&route.spec) {
        let says = format!("`{}` is for this, and callers may rely on it", model.name());
        for written in &model.spec.capabilities {
            add(written.value, written.span, says.clone());
        }
        if graph.is_able(&model.spec, Capability::Embeddings) == Some(true) {
            add(Capability::Embeddings, model.spec.model_id.span, says);
        }
    }
    if let Some(agent) = agent {
        add(Capability::Tools, agent.name_span(), format!("agent `{}` has tools", agent.name()));
    }
    found
}

fn lacking(graph: &Graph, standby: &Standby<'_>, needed: &Needed) -> Option<Diagnostic> {
    let able = graph.is_able(&standby.model.spec, needed.capability);
    let does = match needed.capability {
        Capability::Tools => "call tools",
        Capability::Vision => "see images",
        Capability::Streaming => "stream",
        Capability::Json => "answer in JSON",
        Capability::System => "follow a system prompt",
        Capability::Embeddings => "make embeddings",
    };
    let message = || format!("`{}` cannot {does}", standby.model.name());
    let found = || {
        RULE.at(standby.at, message(), "such requests fail here").label(needed.span, needed.because.clone())
    };
    let help = "fall back to a model that can, or leave out of `capabilities` what nobody uses";
    (able == Some(false)).then(|| found().label(standby.named, "the model").help(help))
}
