//! Triggers that cannot work: queues that cannot be what they are named for, and names that are taken.

use super::{Check, Findings, Look};
use crate::diagnostic::{Diagnostic, Family, Rule, Severity};
use crate::model::agent::AgentSpec;
use crate::model::connector::{ConnectorSpec, SqsQueue};
use crate::model::trigger::AgentTrigger;
use crate::model::{Ref, Resource};
use crate::resolve::{Graph, class_rank};

static RULE: Rule = Rule {
    code: "AIP-AGT-027",
    name: "trigger-unusable",
    severity: Severity::Mandatory,
    family: Family::Verdict,
    page: include_str!("trigger_unusable.md"),
};

pub(super) const CHECK: Check = Check { rule: &RULE, run: Look::Resources(run) };

fn run(graph: &Graph, out: &mut Findings<'_>) {
    for (_, agent) in graph.each::<AgentSpec>() {
        let places = graph.places_of_agent(&agent.spec);
        same_names(agent).for_each(|found| out.report(&places, found));
        for trigger in &agent.spec.triggers {
            let found = queues(graph, trigger).into_iter().chain(fed_by_itself(graph, agent, trigger));
            found.for_each(|found| out.report(&places, found));
        }
    }
}

/// Triggers that are called as one before them is.
fn same_names(agent: &Resource<AgentSpec>) -> impl Iterator<Item = Diagnostic> {
    let triggers = &agent.spec.triggers;
    triggers.iter().enumerate().filter_map(move |(at, trigger)| {
        let first = triggers.iter().take(at).find(|first| first.name() == trigger.name())?;
        let message = format!("agent `{}` has two triggers called `{}`", agent.name(), trigger.name());
        let place = trigger.name.as_ref().map_or(trigger.span(), |name| name.span);
        let found = RULE.at(place, message, "").label(first.span(), "the other one");
        Some(found.help("give each a `name`: its role, its function and its keys are known by it"))
    })
}

/// A queue by the line that names it.
struct Named<'g> {
    reference: &'g Ref<ConnectorSpec>,
    connector: &'g Resource<ConnectorSpec>,
    queue: &'g SqsQueue,
}

impl Named<'_> {
    fn is_fifo(&self) -> bool {
        self.queue.queue.value.as_str().ends_with(".fifo")
    }

    fn is(&self, other: &Self) -> bool {
        self.queue.queue.value == other.queue.queue.value
            && self.connector.spec.region.value == other.connector.spec.region.value
    }
}

/// The queue that a reference names; a finding where it names something else.
fn named<'g>(graph: &'g Graph, reference: &'g Ref<ConnectorSpec>) -> Option<Result<Named<'g>, Diagnostic>> {
    let connector = graph.get(reference)?;
    let found = connector.spec.kind.queue().map(|queue| Named { reference, connector, queue });
    Some(found.ok_or_else(|| {
        let message = format!("`{}` is no queue", reference.name.value);
        let found = RULE.at(reference.name.span, message, "");
        let found = found.label(connector.name_span(), "declared here");
        found.help("name a connector of the kind `sqs`")
    }))
}

fn queues(graph: &Graph, trigger: &AgentTrigger) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut read = |reference| match named(graph, reference)? {
        Ok(named) => Some(named),
        Err(wrong) => {
            found.push(wrong);
            None
        }
    };
    let source = trigger.queue().and_then(&mut read);
    let Some(dead) = trigger.dead_letter().and_then(&mut read) else { return found };
    match source {
        Some(source) => found.extend(together(graph, &source, &dead)),
        None if trigger.queue().is_none() && dead.is_fifo() => {
            let message = format!("`{}` is a FIFO queue", dead.reference.name.value);
            let label = "the service puts what fails into standard queues only";
            found.push(RULE.at(dead.reference.name.span, message, label).help("name a standard queue"));
        }
        None => {}
    }
    found
}

/// A queue and the one for what fails in it.
fn together(graph: &Graph, source: &Named<'_>, dead: &Named<'_>) -> Option<Diagnostic> {
    let (of_source, of_dead) = (&source.connector.spec, &dead.connector.spec);
    let told = |message: String| RULE.at(dead.reference.name.span, message, "");
    let name = &dead.reference.name.value;
    if source.is(dead) {
        let found = told(format!("`{name}` takes what fails in it itself"));
        return Some(found.help("name another queue, or a message that fails comes back for ever"));
    }
    if of_source.region.value != of_dead.region.value {
        let found = told(format!("`{name}` is not in the region of `{}`", source.reference.name.value));
        let found = found.label(of_dead.region.span, "its region").label(of_source.region.span, "the other");
        return Some(found.help("SQS moves messages within a region: name a queue there"));
    }
    if source.is_fifo() != dead.is_fifo() {
        let found = told(format!("`{name}` and `{}` are not of one type", source.reference.name.value));
        return Some(found.help("SQS wants two FIFO queues, or two standard ones"));
    }
    let (of_source, of_dead) = (of_source.data_class.id()?, of_dead.data_class.id()?);
    if class_rank(graph, of_dead) < class_rank(graph, of_source) {
        let found = told(format!(
            "`{name}` is for {} data, and messages of `{}` are {}",
            graph.name(of_dead),
            source.reference.name.value,
            graph.name(of_source)
        ));
        let found = found.label(dead.connector.spec.data_class.name.span, "what it is for");
        let found = found.label(source.connector.spec.data_class.name.span, "what comes");
        return Some(found.help("a message that fails comes to rest there: name a queue of that class"));
    }
    None
}

/// A tool of the agent that writes into the queue which starts it.
fn fed_by_itself(graph: &Graph, agent: &Resource<AgentSpec>, trigger: &AgentTrigger) -> Option<Diagnostic> {
    let source = named(graph, trigger.queue()?)?.ok()?;
    let writer = agent.spec.tools.iter().find(|tool| {
        let reached = named(graph, &tool.connector).and_then(Result::ok);
        let writes = tool.access.value == crate::model::agent::Access::Write;
        writes && reached.is_some_and(|reached| reached.is(&source))
    })?;
    let message = format!(
        "tool `{}` of agent `{}` writes into the queue that starts the agent",
        writer.name.value,
        agent.name()
    );
    let found = RULE.at(trigger.span(), message, "what starts it");
    Some(found.label(writer.access.span, "writes there").help("let them use two queues"))
}
